"""A simulated Zendesk with overdue tickets, and real processes beside it that die."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.simulator_server import serve
from adapters.zendesk.simulator import create
from adapters.zendesk.simulator_faults import Fault
from adapters.zendesk.simulator_state import Zendesk
from tests.connector.beside import CONFIG, LADDER, furnish

ROOT = Path(__file__).parents[2]
HOUR_AGO = -3600
PATIENCE = 60.0


@dataclass
class Town:
    """One account, judged by its own request log and nothing else."""

    desk: Zendesk
    config: Path

    def work(self, *death: str) -> subprocess.CompletedProcess[str]:
        """A round in a process of its own, to its end or its death."""
        return subprocess.run(
            self._command(*death), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
        )

    def start(self) -> subprocess.Popen[bytes]:
        """A round in a process of its own that the caller kills."""
        return subprocess.Popen(
            self._command(), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _command(self, *death: str) -> list[str]:
        return [sys.executable, "-m", "tests.crash.child", str(self.config), *death]

    def applied(self) -> int:
        """How many writes the helpdesk carried out."""
        return sum(logged.method == "PUT" and logged.applied for logged in self.desk.log)

    def sent(self) -> int:
        """How many writes came in, carried out or not."""
        return sum(logged.method == "PUT" for logged in self.desk.log)

    def await_one(self, count: Callable[[], int]) -> None:
        """Come back once one was counted; a write that is never answered is counted too."""
        patience = time.monotonic() + PATIENCE
        while count() < 1:
            assert time.monotonic() < patience, "the write did not come"
            time.sleep(0.01)

    def notes(self) -> list[int]:
        """How many of our notes each ticket carries."""
        return [sum(not comment["public"] for comment in row.comments) for row in self.desk.tickets.values()]

    def fault(self, **words: object) -> None:
        """Script a fault for a write."""
        self.desk.faults.append(Fault(method="PUT", **words))  # type: ignore[arg-type]


@contextmanager
def town(folder: Path, tickets: int = 1) -> Iterator[Town]:
    """Tickets that have waited for an hour, so that level one is due."""
    app = create(time.time)
    desk: Zendesk = app.state.zendesk
    furnish(desk, 0)
    for number in range(1, tickets + 1):
        desk.open(
            requester="Cleo",
            subject=f"Printer {number}",
            group="Tier 1",
            priority="high",
            at=int(time.time()) + HOUR_AGO,
        )
    with serve(app) as url:
        config = folder / "uptier.toml"
        config.write_text(CONFIG.format(url=url, service="") + LADDER, encoding="utf-8")
        yield Town(desk=desk, config=config)
