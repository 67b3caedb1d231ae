"""APScheduler's background scheduler, made to stop in peace."""

from typing import Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED

from connector.supervision import PROVEN_AFTER, Ailments

AGAIN_AFTER = 1.0
"""Real seconds."""


class Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """Calls what is due, each job in a thread of its pool. Its own thread goes on, whatever it meets."""

    def __init__(self, ailments: Ailments, **options: Any) -> None:
        super().__init__(**options)
        self._ailments = ailments

    def _main_loop(self) -> None:
        while self.state != STATE_STOPPED:
            try:
                super()._main_loop()
            except Exception as error:  # noqa: BLE001 (the edge of the thread)
                self._ailments.found("scheduler", error, passes=PROVEN_AFTER)
                self._event.wait(AGAIN_AFTER)
                self._event.set()  # or it would wait for the next job that is added

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Take a job away. A job for once is taken away right after it was begun; if the scheduler is being stopped in
        that moment, APScheduler looks for it where it never was, and its thread would die of the error."""
        try:
            super().remove_job(job_id, jobstore)
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise
