"""An hour in which nothing happens, on a clock that the test moves: how much the service asks, says and keeps."""

import gc
import io
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from connector import logs
from connector.app.scheduler import Scheduler
from connector.app.service import Service
from connector.clock import ManualClock
from connector.logs import Masker
from tests.connector.beside import START, composed
from tests.connector.each import DESKS
from tests.crash.fleet import ONE_LEVEL
from tests.crash.town import Town, town

MINUTE = 60
STEP = 30
"""Seconds between two looks of the test at what is due. What runs every second finds nothing to do."""

TICKETS = 5
A_POLL = {"zendesk": 1, "freshdesk": 3, "servicenow": 1}
"""Requests of one poll: Freshdesk tells what changed, what was deleted and what became spam in a list each."""

DIRECTORY = 10
"""Requests at most for the names of people and groups, which are read once in the hour."""

SAID = 8 * 1024
GROWS = 8 * 2**20
"""Bytes by which the process may grow, for what the interpreter rounds up."""


class Driven:
    """A service whose timed jobs run when the test says how late it is."""

    def __init__(self, service: Service, clock: ManualClock) -> None:
        self._service, self._clock, self._at = service, clock, clock.now()
        self._jobs = [
            (job.func, int(job.trigger.interval.total_seconds()))
            for job in service._scheduler.get_jobs()
            if isinstance(job.trigger, IntervalTrigger)
        ]

    def let_pass(self, seconds: int) -> None:
        """So much time, in steps."""
        for _ in range(seconds // STEP):
            self._clock.advance(STEP)
            before, self._at = self._at, self._clock.now()  # a look may have waited for the rest of a second
            for call, every in self._jobs:
                if self._at // max(every, STEP) > before // max(every, STEP):
                    call()
        assert self._service.idle(60)


@contextmanager
def driven(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Driven, Town, io.StringIO]]:
    clock, said = ManualClock(START), io.StringIO()
    start = Scheduler.start
    monkeypatch.setattr(Scheduler, "start", lambda self: start(self, paused=True))
    with town(folder, *DESKS, tickets=TICKETS, now=clock.now, config=ONE_LEVEL) as here:
        here.config.write_text(here.config.read_text().replace('poll = "10s"\n', ""), encoding="utf-8")
        secrets = {name: value for desk in here.desks.values() for name, value in desk.secrets().items()}
        with composed(here.config, clock, secrets) as service:
            logs.configure(Masker(), clock, said)
            service.start()
            try:
                yield Driven(service, clock), here, said
            finally:
                service.stop()


@pytest.mark.timeout(300)
def test_an_hour_of_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with driven(tmp_path, monkeypatch) as (service, here, said):
        service.let_pass(10 * MINUTE)
        assert here.notes() == [1] * TICKETS * len(DESKS)
        asked, began, kept = Counter[str](), said.tell(), list[tuple[int, int]]()
        for _ in range(4):
            forget(here)
            service.let_pass(15 * MINUTE)
            asked.update({name: len(desk.desk.log) for name, desk in here.desks.items()})
            forget(here)
            kept.append(in_memory())
        text = said.getvalue()[began:]
    more = {name: count - 60 * A_POLL[name] for name, count in asked.items()}
    assert all(0 <= count <= DIRECTORY for count in more.values()), more
    assert len(text) < SAID, text
    (blocks_first, first), *_, (blocks_last, last) = kept
    assert blocks_last - blocks_first < blocks_first / 100, kept
    assert last - first < GROWS, kept


def forget(here: Town) -> None:
    """What the simulated helpdesks remember of requests is none of the service's memory."""
    for desk in here.desks.values():
        desk.desk.log.clear()


def in_memory() -> tuple[int, int]:
    """Blocks that Python has in use, and bytes of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return sys.getallocatedblocks(), pages * resource.getpagesize()
