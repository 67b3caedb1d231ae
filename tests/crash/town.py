"""Simulated helpdesks with overdue tickets, and real processes beside them that die."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.simulation.server import serve
from connector.config.values import entries
from connector.demo import CONFIG
from tests.connector.each import DESKS, WRITING, fault
from tests.crash import child
from tests.crash.mortal import Ended, Mortal

ROOT = Path(__file__).parents[2]
OVERDUE = 3600
"""Seconds by which the tickets wait when a story begins: level one is due, level two is not."""

PATIENCE = 60.0


@dataclass
class Town:
    """Helpdesks by vendor, judged by their own request logs and nothing else."""

    config: Path
    desks: dict[str, Any]
    now: Callable[[], float]

    def open(self, count: int, since: int = 0, overdue: int = OVERDUE) -> None:
        """So many tickets on each helpdesk, numbered on from `since`, opened so many seconds ago."""
        for desk in self.desks.values():
            for number in range(since + 1, since + count + 1):
                desk.open(f"t{number}", f"Printer {number}", "eu", int(self.now()) - overdue)

    def work(self, *death: str | int) -> Ended:
        """A round in a process of its own, to its end or its death."""
        return self.start(*death).end(PATIENCE)

    def start(self, *death: str | int) -> Mortal:
        """A round in a process of its own that the caller may kill."""
        return Mortal(child.main, (self.config, *death), self.environment())

    def environment(self) -> dict[str, str]:
        """The machine's, and the secrets of the helpdesks."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        for desk in self.desks.values():
            kept |= desk.secrets()
        return kept

    def log(self) -> list[Any]:
        """The writes that came in, carried out or not."""
        return [
            row
            for desk in self.desks.values()
            for row in desk.desk.log
            if row.method in WRITING and "oauth" not in row.path
        ]

    def sent(self) -> int:
        """How many writes came in."""
        return len(self.log())

    def applied(self) -> int:
        """How many writes were carried out."""
        return sum(row.applied for row in self.log())

    def await_one(self, count: Callable[[], int]) -> None:
        """Come back once one was counted; a write that is never answered is counted too."""
        patience = time.monotonic() + PATIENCE
        while count() < 1:
            assert time.monotonic() < patience, "the write did not come"
            time.sleep(0.01)

    def notes(self) -> list[int]:
        """How many of our notes each ticket carries."""
        return [self.notes_of(vendor, word) for vendor, desk in self.desks.items() for word in desk.tickets]

    def notes_of(self, vendor: str, word: str) -> int:
        """How many of our notes one ticket carries."""
        return int(self.desks[vendor].show(word).notes)

    def looks(self, word: str) -> int:
        """How often Uptier has read one ticket, on all helpdesks."""
        return sum(desk.looks(word) for desk in self.desks.values())

    def fault(self, kind: str, **words: object) -> None:
        """Script a fault for the next write on each helpdesk."""
        for vendor, desk in self.desks.items():
            desk.desk.faults.append(fault(vendor, kind, **words))


@contextmanager
def town(
    folder: Path,
    *vendors: str,
    tickets: int = 1,
    listen: str = "127.0.0.1:0",
    now: Callable[[], float] = time.time,
    config: str = CONFIG,
    **switches: Any,
) -> Iterator[Town]:
    """Helpdesks of these vendors with tickets that have waited for an hour, so that level one is due."""
    with ExitStack() as stack:
        desks: dict[str, Any] = {}
        for vendor in vendors:
            app: Any = entries("uptier.simulators")[vendor].load()(now, **switches)
            desks[vendor] = DESKS[vendor](app=app, url=stack.enter_context(serve(app)))
            desks[vendor].furnish()
        path = folder / "uptier.toml"
        accounts = "".join(desk.config() + 'poll = "10s"\n' for desk in desks.values())
        path.write_text(config.replace("127.0.0.1:0", listen) + accounts, encoding="utf-8")
        here = Town(config=path, desks=desks, now=now)
        here.open(tickets)
        yield here
