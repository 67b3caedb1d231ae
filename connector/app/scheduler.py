"""APScheduler's background scheduler, made to stop in peace and to keep its pace when the wall clock is set; its
threads are waited for by nobody.

APScheduler plans by wall time: set back an hour, it would call nothing for an hour. So each pass looks whether it
was set, and moves what is planned along with it.

The library's pool has ten threads, so that slow helpdesks would hold up the others, and the interpreter joins
them at its end, so that one unanswered request would keep a stopped service alive. An errand is never started
twice at once (`max_instances`), and what it had begun is in the database or undone.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from apscheduler.triggers.interval import IntervalTrigger

from connector.app.supervision import PROVEN_AFTER, Ailments
from connector.clock import Steps, SystemClock

log = structlog.get_logger()


AGAIN_AFTER = 1.0
"""Real seconds."""

PASS_EVERY = 1.0
"""At least so often, in seconds, it looks what is due, and whether the clock was set."""

NOTICED = 0.5
"""A step of fewer seconds does no harm."""

SAID = 30
"""A step of more seconds stands in the log."""


class Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """Calls what is due, each job in a thread of its pool. Its own thread goes on, whatever it meets."""

    def __init__(self, ailments: Ailments, **options: Any) -> None:
        super().__init__(**options)
        self._ailments = ailments
        self._clock = SystemClock()
        self._steps = Steps()
        self._passed: float | None = None

    def _main_loop(self) -> None:
        while self.state != STATE_STOPPED:
            try:
                super()._main_loop()
            except Exception as error:  # noqa: BLE001 (the edge of the thread)
                self._ailments.found("scheduler", error, passes=PROVEN_AFTER)
                self._event.wait(AGAIN_AFTER)
                self._event.set()  # or it would wait for the next job that is added

    def silent_for(self) -> float:
        """Seconds since it last looked what is due; 0 before its start. For others to watch: it cannot watch itself."""
        return 0.0 if self._passed is None else self._clock.monotonic() - self._passed

    def _process_jobs(self) -> float:
        self._passed = self._clock.monotonic()
        if step := self._steps.since_last(NOTICED):
            self._plan_anew(step)
        wait: float | None = super()._process_jobs()
        return PASS_EVERY if wait is None else min(wait, PASS_EVERY)

    def _plan_anew(self, step: float) -> None:
        """Everything is as far off as it was before the clock was set."""
        now = datetime.fromtimestamp(self._clock.now(), self.timezone)
        for job in self.get_jobs():
            if job.next_run_time is None:
                continue
            at = now
            if isinstance(job.trigger, IntervalTrigger):
                moved = job.next_run_time + timedelta(seconds=step)
                at = min(moved, now + job.trigger.interval)
            self.modify_job(job.id, next_run_time=at)
        if abs(step) > SAID:
            log.warning(
                "clock_was_set",
                seconds=round(step),
                done="polls, timers and notifications keep their pace; what is due is judged by the new time",
                next="see why this machine's clock was that far off",
            )

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Take a job away. A job for once is taken away right after it was begun; if the scheduler is being stopped in
        that moment, APScheduler looks for it where it never was, and its thread would die of the error."""
        try:
            super().remove_job(job_id, jobstore)
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise


class ThreadExecutor(BaseExecutor):  # type: ignore[misc]
    """An executor with a daemon thread for each job that is under way."""

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        threading.Thread(target=self._run, args=(job, run_times), name=f"job {job.id}", daemon=True).start()

    def _run(self, job: Any, run_times: Sequence[datetime]) -> None:
        """`run_job` catches what the job raises and logs it."""
        events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        self._run_job_success(job.id, events)
