"""The scheduler: stopped in the moment in which it begins a job for once, and while the wall clock is set."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.base import STATE_STOPPED
from structlog.testing import capture_logs

from connector.app.scheduler import Scheduler
from connector.app.supervision import Ailments
from tests.patience import PATIENCE, until
from tests.wall import HOUR, STEPS, Wall


class Stopping(BaseExecutor):  # type: ignore[misc]
    """Begins nothing, and has the scheduler stopped meanwhile."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self.scheduler = scheduler
        self.stopper = threading.Thread(target=scheduler.shutdown)

    def _do_submit_job(self, _job: Any, _times: Any) -> None:
        self.stopper.start()
        until(lambda: self.scheduler.state == STATE_STOPPED)


def test_a_stop_while_a_job_for_once_begins_kills_no_thread() -> None:
    scheduler = Scheduler(Ailments(lambda: 0))
    stopping = Stopping(scheduler)
    scheduler.add_executor(stopping, "stopping")
    scheduler.add_job(print, executor="stopping")
    scheduler.start()
    until(lambda: scheduler.state == STATE_STOPPED)
    stopping.stopper.join(PATIENCE)
    assert not stopping.stopper.is_alive()


def test_a_job_that_is_not_there_is_said_while_it_runs() -> None:
    scheduler = Scheduler(Ailments(lambda: 0))
    scheduler.start()
    try:
        with pytest.raises(JobLookupError):
            scheduler.remove_job("nowhere")
    finally:
        scheduler.shutdown()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """The wall clock, to be set."""
    made = Wall()
    made.put_up(monkeypatch.setattr)
    return made


@contextmanager
def ticking() -> Iterator[tuple[Scheduler, list[float]]]:
    """A scheduler with a job for each tenth of a second, and when it was called."""
    scheduler, called = (
        Scheduler(Ailments(lambda: 0), job_defaults={"coalesce": True, "misfire_grace_time": None}),
        list[float](),
    )
    scheduler.add_job(lambda: called.append(time.monotonic()), "interval", seconds=0.1)
    scheduler.start()
    try:
        yield scheduler, called
    finally:
        scheduler.shutdown()


def goes_on(called: list[float]) -> None:
    """Some more calls come, at the job's pace."""
    before = len(called)
    until(lambda: len(called) >= before + 5)


@pytest.mark.parametrize("step", STEPS)
def test_a_job_keeps_its_pace_when_the_clock_is_set(step: float, wall: Wall) -> None:
    with ticking() as (scheduler, called), capture_logs() as said:
        goes_on(called)
        wall.ahead = step
        goes_on(called)
        wall.ahead = 0
        goes_on(called)
        assert scheduler.silent_for() < PATIENCE
    steps = [round(line["seconds"]) for line in said if line["event"] == "clock_was_set"]
    assert [abs(seconds + sign) <= 1 for seconds, sign in zip(steps, (-step, step), strict=True)] == [
        True,
        True,
    ]


def test_a_long_interval_is_neither_cut_short_nor_drawn_out(wall: Wall) -> None:
    calls = list[int]()
    with ticking() as (scheduler, called):
        job = scheduler.add_job(lambda: calls.append(1), "interval", seconds=1800)
        left = job.next_run_time.timestamp() - wall.time()
        for step in STEPS:
            wall.ahead += step
            goes_on(called)
            assert abs(job.next_run_time.timestamp() - wall.time() - left) < PATIENCE
    assert calls == []


def test_a_job_for_once_is_begun_though_the_clock_was_set_back_right_after_it_was_planned(wall: Wall) -> None:
    calls = list[int]()
    with ticking() as (scheduler, called):
        goes_on(called)
        scheduler.pause()
        scheduler.add_job(lambda: calls.append(1))
        wall.ahead = -HOUR
        scheduler.resume()
        until(lambda: calls == [1])


def test_a_small_step_is_not_worth_a_line(wall: Wall) -> None:
    with ticking() as (_, called), capture_logs() as said:
        wall.ahead = -20
        goes_on(called)
    assert said == []


def test_a_scheduler_that_hangs_is_seen_by_others() -> None:
    with ticking() as (scheduler, called):
        goes_on(called)
        with scheduler._jobstores_lock:
            until(lambda: scheduler.silent_for() > 1.5)
        until(lambda: scheduler.silent_for() < 1.5)
