"""The engine on many machines: procrastinate's workers over the wake-ups in a shared PostgreSQL, each queue's
begun again whenever it ends.

Claiming, one look at a time for each ticket, and heartbeats are procrastinate's. Each account has two queues here,
deadlines and back-fill, with threads of their own in every process, so that none waits behind another. A look never
raises and never reschedules itself: its waits are rows of our `timer` table.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker as QueueWorker
from psycopg import Error as DriverError
from sqlalchemy import Connection

from connector.app.supervision import PROVEN_AFTER, Ailments, SupervisedWorker
from connector.clock import Clock
from connector.engine import Rests, Work
from connector.engine.local import Backoff
from connector.store import inbox, postgres
from connector.store.database import Store
from connector.store.inbox import TICK_PER_ACCOUNT
from connector.store.postgres import LANE, TASK, queue_of
from connector.store.trouble import StoreTrouble
from policies.model import Seconds, TicketRef

log = structlog.get_logger()


RETRY_AFTER = 1.0


class Worker(Protocol):
    """What is used of procrastinate's worker, which tells no types here. `worker_id` is None until it may take jobs."""

    worker_name: str | None
    worker_id: int | None

    async def run(self) -> None:
        """Work until it is stopped."""

    def stop(self) -> None:
        """Take nothing new."""


class SupervisedTask:
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


URGENT_THREADS = 4
BACKFILL_THREADS = 2
FETCH_EVERY = 1.0
"""Our wake-ups may change a row instead of adding one, and then nobody is notified: so the queues are looked at."""

HEARTBEAT: Seconds = 10
STALLED_AFTER: Seconds = 30
LOOK_AGAIN = 0.2
ANSWERS_WITHIN = 10.0
"""So many seconds a queue waits for a connection; then it begins anew."""

TRIES_FOR = 2.0
"""So many seconds the pool itself goes on where the server refuses. Its pauses double: it would find a server that was
away for minutes only minutes after its return, while each beginning of a queue asks at once."""


class FleetEngine:
    """Fills the port `Engine`. Besides what that wants, `rescue` wants to be called every few seconds."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ailments: Ailments,
        *,
        address: str,
        accounts: Iterable[str],
        rests: Rests = lambda _account, _urgent: False,
        heartbeat: float = HEARTBEAT,
        stalled_after: float = STALLED_AFTER,
        fetch_every: float = FETCH_EVERY,
        urgent_threads: int = URGENT_THREADS,
        backfill_threads: int = BACKFILL_THREADS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._address = address
        self._accounts = tuple(accounts)
        self._rests = rests
        self._heartbeat = heartbeat
        self._stalled_after = stalled_after
        self._fetch_every = fetch_every
        self._threads = {True: urgent_threads, False: backfill_threads}
        self._backoff = Backoff(store, clock, ailments)
        self._stopping = threading.Event()
        self._ailments = ailments
        self._worker_thread: SupervisedWorker | None = None
        self._end: Callable[[], object] = lambda: None
        self._looked_at: list[TicketRef] = []
        logging.getLogger("procrastinate").setLevel(logging.WARNING)

    def wake(self, connection: Connection, refs: Iterable[TicketRef], *, urgent: bool = True) -> None:
        """Queue these tickets in the caller's transaction."""
        postgres.wake(connection, refs, urgent=urgent)

    def run(self, work: Work) -> None:
        """Start the workers. Call it once."""
        self._worker_thread = SupervisedWorker(
            "looks", lambda: asyncio.run(self._serve(work)), self._ailments
        )
        self._worker_thread.start()

    def stop(self, timeout: float) -> bool:
        """Let what is under way end; what waits is left to others. False if `timeout` was too short."""
        self._stopping.set()
        if self._worker_thread is None:
            return True
        self._worker_thread.end()
        self._end()
        return self._worker_thread.join(timeout)

    def tick(self) -> None:
        """Queue the tickets whose timer is due."""
        with self._store.reading() as connection:
            due = inbox.with_due_timer(connection, self._clock.now(), TICK_PER_ACCOUNT)
        self._offer(due)

    def sweep(self) -> None:
        """Queue what is owed a look and not asked for."""
        with self._store.reading() as connection:
            owed = inbox.owed(connection, self._clock.now())
        self._offer(owed)

    def rescue(self) -> None:
        """Wake the tickets whose look was under way in a process that does not answer any more."""
        with self._store.writing() as connection:
            stalled = postgres.finish_stalled(connection, self._stalled_after)
        if stalled:
            log.warning("looks_rescued", tickets=[str(job.ref) for job in stalled])

    def drain(self, work: Work) -> int:
        """Do all that can be done now, beside whoever else works on this database."""
        before = -1
        self._looked_at.clear()
        while len(self._looked_at) > before:
            before = len(self._looked_at)
            with self._store.reading() as connection:
                owed = inbox.owed(connection, self._clock.now())
            self._offer(tuple(one for one in owed if one.ref not in self._looked_at))
            asyncio.run(self._pass(work))
        return before

    def idle(self, timeout: float = 0.0) -> bool:
        """Whether nothing is asked for or under way in the whole fleet."""
        until = time.monotonic() + timeout
        while pending := self._pending():
            if time.monotonic() >= until:
                break
            time.sleep(LOOK_AGAIN)
        return not pending

    def _pending(self) -> int:
        with self._store.reading() as connection:
            return postgres.pending_wakeups(connection)

    def _offer(self, owed: tuple[inbox.Waiting, ...]) -> None:
        if owed:
            with self._store.writing() as connection:
                postgres.wake_if_quiet(connection, owed)

    def _look(self, work: Work, ref: TicketRef, urgent: bool) -> None:
        while self._rests(ref.account, urgent) and not self._stopping.is_set():
            self._clock.wait(self._stopping, LOOK_AGAIN)
        if self._stopping.is_set():
            with self._store.writing() as connection:
                self.wake(connection, [ref], urgent=urgent)
            return
        self._backoff.look(work, ref)

    def _app(self, work: Work) -> App:
        def look(context: JobContext, ref: str) -> None:
            self._look(work, TicketRef.parse(ref), context.job.priority >= LANE)

        connector = PsycopgConnector(
            conninfo=self._address,
            min_size=1,
            max_size=min(self._looks, 16),
            timeout=ANSWERS_WITHIN,
            reconnect_timeout=TRIES_FOR,
        )
        app = App(connector=connector)
        app.task(name=TASK, pass_context=True)(look)
        return app

    @property
    def _looks(self) -> int:
        """How many are under way at most."""
        return len(self._accounts) * sum(self._threads.values())

    async def _serve(self, work: Work) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_ended_elsewhere)
        loop.set_default_executor(ThreadPoolExecutor(self._looks, "look"))
        opening, lanes = loop.create_task(self._opened(work)), list[SupervisedTask]()

        def end() -> None:
            opening.cancel()
            for lane in lanes:
                lane.end()

        def end_from_outside() -> None:
            with suppress(RuntimeError):  # The loop has ended already.
                loop.call_soon_threadsafe(end)

        self._end = end_from_outside
        with suppress(asyncio.CancelledError):
            app = await opening
            if not self._stopping.is_set():
                lanes += [
                    SupervisedTask(partial(self._worker, app, *lane), self._ailments)
                    for lane in self._lanes()
                ]
                async with asyncio.TaskGroup() as group:
                    for lane in lanes:
                        group.create_task(lane.work())
            await app.close_async()

    async def _opened(self, work: Work) -> App:
        """The queue, once the database answers."""
        while not self._stopping.is_set():
            app = self._app(work)
            try:
                await app.open_async()
            except (ConnectorException, DriverError) as error:
                log.warning("queue_not_opened", reason=str(error), next=f"again in {RETRY_AFTER} s")
                await app.close_async()
                await asyncio.sleep(RETRY_AFTER)
            except asyncio.CancelledError:
                await app.close_async()
                raise
            else:
                return app
        raise asyncio.CancelledError

    async def _pass(self, work: Work) -> None:
        def noted(ref: TicketRef) -> None:
            self._looked_at.append(ref)
            work(ref)

        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(self._looks, "look"))
        app = self._app(noted)
        async with app.open_async(), asyncio.TaskGroup() as lanes:
            for lane in self._lanes():
                lanes.create_task(self._worker(app, *lane, wait=False).run())

    def _lanes(self) -> list[tuple[str, bool]]:
        return [(account, urgent) for account in self._accounts for urgent in (True, False)]

    def _worker(self, app: App, account: str, urgent: bool, *, wait: bool = True) -> Worker:
        queue = queue_of(account, urgent=urgent)
        return QueueWorker(
            app,
            queues=[queue],
            name=queue,
            concurrency=self._threads[urgent],
            wait=wait,
            listen_notify=False,
            fetch_job_polling_interval=self._fetch_every,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=self._heartbeat,
            stalled_worker_timeout=self._stalled_after,
        )


def _ended_elsewhere(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A worker that was paused finishes a job that was taken from it: said, and nothing else."""
    log.warning("look_ended_elsewhere", reason=str(context.get("exception") or context.get("message")))
