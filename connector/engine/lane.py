"""One queue's worker, and another as soon as it has ended, whatever it ended of."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from procrastinate.exceptions import ConnectorException
from psycopg import Error as DriverError

from connector.store.trouble import StoreTrouble
from connector.supervision import PROVEN_AFTER, Ailments

RETRY_AFTER = 1.0


class Worker(Protocol):
    """What is used of procrastinate's worker, which tells no types here. `worker_id` is None until it may take jobs."""

    worker_name: str | None
    worker_id: int | None

    async def run(self) -> None:
        """Work until it is stopped."""

    def stop(self) -> None:
        """Take nothing new."""


class Lane:
    """Works until it is ended. Everything here happens in one event loop."""

    def __init__(self, worker: Callable[[], Worker], ailments: Ailments) -> None:
        self._make = worker
        self._ailments = ailments
        self._worker: Worker | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    async def work(self) -> None:
        """Return after `end`, when what is under way has ended too."""
        self._task = asyncio.current_task()
        while not self._ended:
            worker = self._worker = self._make()
            name = f"looks {worker.worker_name}"
            try:
                await worker.run()
            except (ConnectorException, DriverError) as error:
                why = f"the queue stopped: {error.__cause__ or error}"
                self._ailments.found(name, StoreTrouble(why), passes=PROVEN_AFTER)
            except Exception as error:  # noqa: BLE001 (the edge of the lane)
                self._ailments.found(name, error, passes=PROVEN_AFTER)
            if not self._ended:
                await asyncio.sleep(RETRY_AFTER)

    def end(self) -> None:
        """Take nothing new. A worker that has not come as far as taking anything is interrupted: the wait for a
        connection may be long. An interruption alone would not do, because asyncio's time-outs may swallow it."""
        self._ended = True
        if self._worker is None or self._task is None:
            return
        self._worker.stop()
        if self._worker.worker_id is None:
            self._task.cancel()
