"""The engine in this process: threads over the inbox, the timers and the open writes of one database."""

import threading
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from connector.app.supervision import Ailments, SupervisedWorker
from connector.clock import Clock
from connector.engine import Work
from connector.engine.backoff import Setbacks
from connector.engine.queue import Line, Rests
from connector.store import inbox
from connector.store.database import Store, after_commit
from connector.store.inbox import TICK_PER_ACCOUNT, Waiting
from policies.model import Instant, TicketRef


class LocalEngine:
    """Fills the port `Engine`. Besides its three verbs it wants `tick` once a second, and `sweep` now and
    then and once before `run`, for what the last process left undone."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ailments: Ailments,
        *,
        threads: int = 16,
        per_account: int = 4,
        rests: Rests = lambda _account, _urgent: False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._line = Line(per_account, rests)
        self._changed = threading.Condition()
        self._stopping = False
        self._ailments = ailments
        self._threads = threads
        self._workers: tuple[SupervisedWorker, ...] = ()
        self._setbacks = Setbacks(store, clock, ailments)

    def wake(self, connection: Connection, refs: Iterable[TicketRef], *, urgent: bool = True) -> None:
        """Queue these tickets once the caller's transaction is committed."""
        asked = tuple(refs)
        if asked:
            known = inbox.due_instants(connection, asked)
            after_commit(connection, lambda: self._join({ref: known.get(ref, 0) for ref in asked}, urgent))

    def run(self, work: Work) -> None:
        """Start the threads. Call it once."""
        self._workers = tuple(
            SupervisedWorker(f"look-{number}", lambda: self._serve(work), self._ailments)
            for number in range(self._threads)
        )
        for worker in self._workers:
            worker.start()

    def stop(self, timeout: float) -> bool:
        """Let what is under way end; what waits stays in the database. False if `timeout` was too short."""
        for worker in self._workers:
            worker.end()
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._line.running() == 0, timeout)

    def tick(self) -> None:
        """Queue the tickets whose timer is due."""
        with self._store.reading() as connection:
            self._offer(inbox.with_due_timer(connection, self._clock.now(), TICK_PER_ACCOUNT))

    def sweep(self) -> None:
        """Queue what is owed a look and was not heard of: left by a crash, by another process, or too much
        for one sweep. Tickets under way are left alone."""
        self._offer(self._owed())

    def drain(self, work: Work) -> int:
        """Do in this thread, and without `run`, all that can be done now; answers how many looks that took.

        A ticket that is owed a look even after it had one waits for the next drain.
        """
        looks, before, seen = 0, -1, set[TicketRef]()
        while looks > before:
            before = looks
            self._offer(one for one in self._owed() if one.ref not in seen)
            while ref := self._take():
                seen.add(ref)
                self._look(work, ref)
                looks += 1
        return looks

    def idle(self, timeout: float = 0.0) -> bool:
        """Whether nothing waits and nothing is under way, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(self._line.idle, timeout)

    def _owed(self) -> tuple[Waiting, ...]:
        with self._store.reading() as connection:
            return inbox.owed(connection, self._clock.now())

    def _join(self, dues: Mapping[TicketRef, Instant], urgent: bool) -> None:
        with self._changed:
            for ref, due in dues.items():
                self._line.join(ref, urgent=urgent, due=due)
            self._changed.notify_all()

    def _offer(self, owed: Iterable[Waiting]) -> None:
        with self._changed:
            for one in owed:
                self._line.offer(one.ref, urgent=one.urgent, due=one.due)
            self._changed.notify_all()

    def _take(self) -> TicketRef | None:
        with self._changed:
            return self._line.take()

    def _serve(self, work: Work) -> None:
        while ref := self._next():
            self._look(work, ref)

    def _next(self) -> TicketRef | None:
        with self._changed:
            while not self._stopping:
                if ref := self._line.take():
                    return ref
                self._changed.wait()
            return None

    def _look(self, work: Work, ref: TicketRef) -> None:
        try:
            self._setbacks.look(work, ref)
        finally:
            with self._changed:
                self._line.done(ref)
                self._changed.notify_all()
