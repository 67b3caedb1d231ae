"""The scheduler is stopped in the moment in which it begins a job for once."""

import threading
from typing import Any

import pytest
from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.base import STATE_STOPPED

from connector.scheduler import Scheduler
from connector.supervision import Ailments
from tests.patience import PATIENCE, until


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
