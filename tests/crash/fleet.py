"""Many processes over one PostgreSQL, some of which die, stand still, or lose the database.

    python -m tests.crash.fleet --tickets 2000 --workers 2           one worker is killed in the middle
    python -m tests.crash.fleet --tickets 300 --nodes 1,3            how much faster three nodes are than one

Judged by the helpdesks' own logs. Time-outs are those of production and the clock is the machine's; the short form
in the test run has shorter ones.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg

from adapters.zendesk.simulator.records import LIMITS
from connector.demo import CONFIG
from tests.crash.town import ROOT, Town, town
from tests.postgres import database

DUE_IN = 30 * 60
NO_LIMITS = dict.fromkeys(LIMITS, (1000000, 60))
CAPS = "\n[service.caps]\nescalations_per_hour = 1000000\ndue_at_start = 1000000\n"
ONE_LEVEL = CONFIG[: CONFIG.rindex("[[policy.level]]")] + CAPS


@dataclass
class Fleet:
    """Processes by name, beside a town."""

    here: Town
    url: str
    quick: bool
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, roles: str, *more: str) -> None:
        """One more process; what it says goes to a file of its name."""
        words = ["--quick", *more] if self.quick else more
        with (self.here.config.parent / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.node", str(self.here.config), roles, *words],
                cwd=ROOT,
                env=self.here.environment(),
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """As the machine does when it loses power."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(30)

    def pause(self, name: str) -> None:
        """It stands still, and knows nothing of it."""
        self.processes[name].send_signal(signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """It comes back."""
        self.processes[name].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """All of them, in order."""
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            process.wait(30)

    def asked(self, question: str) -> Any:
        """One value out of the database, by way of no process of the fleet."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(question).fetchone()  # type: ignore[call-overload]
            return row[0] if row else None

    def told(self, statement: str) -> None:
        """Change the database, by way of no process of the fleet."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def said(self, name: str) -> str:
        """What this process has said so far."""
        return (self.here.config.parent / f"{name}.log").read_text(encoding="utf-8")

    def known(self) -> int:
        """How many tickets the fleet knows."""
        return int(self.asked("SELECT count(*) FROM ticket"))


@contextmanager
def fleet(
    folder: Path,
    *vendors: str,
    tickets: int = 0,
    quick: bool = False,
    config: str = ONE_LEVEL,
    **switches: Any,
) -> Iterator[Fleet]:
    """A town whose service will be a fleet; nothing runs yet."""
    with database() as url:
        said = config.replace("sqlite:///uptier.db", url)
        with town(folder, *vendors, tickets=tickets, config=said, limits=NO_LIMITS, **switches) as here:
            for desk in here.desks.values():
                desk.settle()
            made = Fleet(here=here, url=url, quick=quick)
            try:
                yield made
            finally:
                made.stop()


@contextmanager
def alone(folder: Path, *vendors: str, **switches: Any) -> Iterator[Fleet]:
    """A town whose service will be one process on a SQLite file."""
    with town(folder, *vendors, tickets=0, config=ONE_LEVEL, limits=NO_LIMITS, **switches) as here:
        for desk in here.desks.values():
            desk.settle()
        made = Fleet(here=here, url="", quick=False)
        try:
            yield made
        finally:
            made.stop()


def until(what: str, seen: Any, patience: float) -> float:
    """Wait for it; answers the seconds that took. TimeoutError if it never comes."""
    began = time.monotonic()
    while not seen():
        if time.monotonic() - began > patience:
            raise TimeoutError(f"{what} did not come within {patience} s")
        time.sleep(0.1)
    return time.monotonic() - began


def one_is_killed(
    folder: Path, *, tickets: int, workers: int = 2, quick: bool = False, patience: float = 300
) -> dict[str, Any]:
    """So many tickets are due; when half is written, one worker is killed. How long the last one took after it."""
    with fleet(folder, "zendesk", quick=quick) as many:
        many.here.open(tickets, overdue=DUE_IN - tickets // 20)
        many.start("poller", "poller")
        for number in range(workers):
            many.start(f"worker-{number}", "worker")
        until("half", lambda: many.here.applied() >= tickets / 2, patience)
        many.kill("worker-0")
        killed = time.monotonic()
        until("the last", lambda: many.here.applied() >= tickets, patience)
        last = time.monotonic() - killed
        time.sleep(2 if quick else 12)  # time enough for a second write, if there were to be one
        notes = many.here.notes()
        return {
            "tickets": tickets,
            "lost": notes.count(0),
            "doubled": sum(note > 1 for note in notes),
            "last_after_kill": round(last, 1),
        }


def rate(folder: Path, *, nodes: int, tickets: int, latency: float) -> float:
    """Tickets a second that so many nodes write, where each request takes the helpdesk so long."""
    with fleet(folder, "zendesk", tickets=tickets) as many:
        desk = many.here.desks["zendesk"].desk
        many.start("poller", "poller")
        until("the census", lambda: many.known() >= tickets, 120)
        desk.faults.append(_slow(latency))
        for number in range(nodes):
            many.start(f"worker-{number}", "worker")
        until("the first", lambda: many.here.applied() >= 10, 120)
        began, before = time.monotonic(), many.here.applied()
        until("the last but ten", lambda: many.here.applied() >= tickets - 10, 600)
        return (many.here.applied() - before) / (time.monotonic() - began)


def _slow(latency: float) -> Any:
    from adapters.simulation.faults import Fault

    return Fault(kind="delay", method="*", path="*", seconds=latency, times=None)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Uptier on many machines, on one.")
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--nodes", type=str, default="")
    words = parser.parse_args()
    folder = Path(mkdtemp(prefix="uptier-fleet-"))
    if words.nodes:
        for nodes in map(int, words.nodes.split(",")):
            apart = folder / str(nodes)
            apart.mkdir()
            found = rate(apart, nodes=nodes, tickets=words.tickets, latency=0.25)
            sys.stdout.write(f"{nodes} nodes: {found:.1f} tickets a second\n")
        return 0
    verdict = one_is_killed(folder, tickets=words.tickets, workers=words.workers)
    sys.stdout.write(f"{verdict}\nThe logs are in {folder}; the pid of this was {os.getpid()}\n")
    return 1 if verdict["lost"] or verdict["doubled"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
