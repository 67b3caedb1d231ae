"""APScheduler's background scheduler, made to stop in peace."""

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED


class Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """Calls what is due, each job in a thread of its pool."""

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Take a job away. A job for once is taken away right after it was begun; if the scheduler is being stopped in
        that moment, APScheduler looks for it where it never was, and its thread would die of the error."""
        try:
            super().remove_job(job_id, jobstore)
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise
