"""One COMMIT for all webhooks that came in during the last one, so that a slow disk costs little."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import structlog

from connector.engine import Engine
from connector.store import inbox
from connector.store.database import BrokenRow, Store, of_one_row
from connector.store.inbox import Arrival
from connector.store.trouble import StoreTrouble
from connector.supervision import PROVEN_AFTER, Ailments, SupervisedWorker

AT_MOST = 500

log = structlog.get_logger()


class NotKept(Exception):
    """The news is not in the inbox: no room, nobody to take it, or a failed COMMIT. Ask to send it again."""


@dataclass(frozen=True, slots=True)
class _Waiter:
    arrivals: tuple[Arrival, ...]
    kept: "Future[None]"


class GroupCommit:
    """A bounded queue and one thread that empties it into the inbox.

    There is no timer: a batch is what gathered while the one before was committed, at most 500 requests. The
    wake-ups go into the same transaction. The thread begins with `start`, ends with `stop`, and with nothing else: of
    a batch that cannot be kept as a whole each request is kept or refused alone.
    """

    def __init__(self, store: Store, engine: Engine, ailments: Ailments, *, room: int = 5000) -> None:
        self._store = store
        self._engine = engine
        self._room = room
        self._queue: deque[_Waiter] = deque()
        self._changed = threading.Condition()
        self._open = False
        self._ailments = ailments
        self._worker = SupervisedWorker("group-commit", self._serve, ailments)

    def start(self) -> None:
        """Begin to take news."""
        self._open = True
        self._worker.start()

    def stop(self, timeout: float) -> bool:
        """Refuse what comes now and commit what waits. False if that took longer than `timeout`."""
        self._worker.end()
        with self._changed:
            self._open = False
            self._changed.notify()
        return self._worker.join(timeout)

    def put(self, arrivals: Sequence[Arrival]) -> "Future[None]":
        """Hand in the news of one request. The future is done once it is committed, or fails with NotKept or
        NeverKept; NotKept is raised at once when there is no room or nobody to take it. Never blocks."""
        kept: Future[None] = Future()
        kept.set_running_or_notify_cancel()  # a client that hangs up does not take its news back
        with self._changed:
            if not self.well() or len(self._queue) >= self._room:
                raise NotKept("the inbox takes nothing at the moment")
            self._queue.append(_Waiter(tuple(arrivals), kept))
            self._changed.notify()
        return kept

    def well(self) -> bool:
        """Whether news is taken at all."""
        return self._open and self._worker.well()

    def _serve(self) -> None:
        while batch := self._next():
            try:
                self._commit(batch)
            finally:
                _answer(batch, NotKept("something unforeseen went wrong"))

    def _next(self) -> tuple[_Waiter, ...]:
        with self._changed:
            while self._open and not self._queue:
                self._changed.wait()
            return tuple(self._queue.popleft() for _ in range(min(AT_MOST, len(self._queue))))

    def _commit(self, batch: tuple[_Waiter, ...]) -> None:
        try:
            try:
                self._keep(batch)
            except BrokenRow:
                self._keep_each(batch)
        except StoreTrouble as trouble:
            self._ailments.found("inbox", trouble, passes=PROVEN_AFTER)
            _answer(batch, NotKept("the database did not keep it"))

    def _keep_each(self, batch: tuple[_Waiter, ...]) -> None:
        """Each request in a transaction of its own, so that a broken one is refused alone."""
        for waiter in batch:
            try:
                self._keep((waiter,))
            except BrokenRow as error:
                log.warning("webhook_not_kept", account=waiter.arrivals[0].account, reason=str(error))
                _answer((waiter,), error)

    def _keep(self, waiters: tuple[_Waiter, ...]) -> None:
        arrivals = [arrival for waiter in waiters for arrival in waiter.arrivals]
        with of_one_row(), self._store.writing(priority=True) as connection:
            self._engine.wake(connection, inbox.put_news(connection, arrivals))
        _answer(waiters, None)


def _answer(waiters: Sequence[_Waiter], error: Exception | None) -> None:
    """Tell those who have not been told yet."""
    for waiter in waiters:
        if waiter.kept.done():
            continue
        if error is None:
            waiter.kept.set_result(None)
        else:
            waiter.kept.set_exception(error)
