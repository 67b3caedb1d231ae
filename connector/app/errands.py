"""What the scheduler starts runs in a thread of its own, which nobody waits for when the process ends.

The library's pool has ten threads, so that slow helpdesks would hold up the others, and the interpreter joins
them at its end, so that one unanswered request would keep a stopped service alive. An errand is never started
twice at once (`max_instances`), and what it had begun is in the database or undone.
"""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job


class Errands(BaseExecutor):  # type: ignore[misc]
    """An executor with a daemon thread for each errand that is under way."""

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        threading.Thread(
            target=self._run, args=(job, run_times), name=f"errand {job.id}", daemon=True
        ).start()

    def _run(self, job: Any, run_times: Sequence[datetime]) -> None:
        """`run_job` catches what the errand raises and logs it."""
        events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        self._run_job_success(job.id, events)
