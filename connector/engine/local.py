"""The engine in this process: threads over the inbox, the timers and the open writes of one database, and who of the
tickets that wait is next."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import partial
from heapq import heappop, heappush

import structlog
from sqlalchemy import Connection

from connector.app.supervision import PROVEN_AFTER, Ailments, SupervisedWorker
from connector.clock import Clock
from connector.engine import Rests, Work
from connector.store import holds, inbox
from connector.store.database import Store, after_commit
from connector.store.inbox import TICK_PER_ACCOUNT, Waiting
from connector.store.trouble import StoreTrouble
from connector.work import retry
from policies.model import Instant, TicketRef

log = structlog.get_logger()


class WorkQueue:
    """The tickets that wait and those under way. Not safe between threads: the engine holds its lock around every call.
    Nothing here blocks.

    A ticket stands here once; the longest overdue is the first, of those due at once the one that came first. No
    account has more than `per_account` tickets under way, accounts take turns, and back-fill of any account waits while
    another account has something urgent that may start. `rests` says of an account and whether it is urgent that
    nothing may start there now.
    """

    def __init__(self, per_account: int, rests: Rests = lambda _account, _urgent: False) -> None:
        self._per_account = per_account
        self._rests = rests
        self._waiting: dict[TicketRef, tuple[bool, Instant, int]] = {}
        self._lanes: dict[tuple[str, bool], list[tuple[Instant, int, TicketRef]]] = {}
        self._came = 0
        self._turns: deque[str] = deque()
        self._under_way: Counter[str] = Counter()
        self._running: set[TicketRef] = set()
        self._again: dict[TicketRef, tuple[bool, Instant]] = {}

    def join(self, ref: TicketRef, *, urgent: bool, due: Instant = 0) -> None:
        """Ask for a look; while one is under way, for another after it."""
        if ref in self._running:
            before = self._again.get(ref, (urgent, due))
            self._again[ref] = urgent or before[0], min(due, before[1])
        else:
            self.offer(ref, urgent=urgent, due=due)

    def offer(self, ref: TicketRef, *, urgent: bool, due: Instant = 0) -> None:
        """Ask for a look, unless one is under way: that one will see to it. A ticket that waits already keeps its
        place, unless it is more urgent, or due earlier, than was known."""
        if ref in self._running:
            return
        if ref in self._waiting:
            was_urgent, was_due, _ = self._waiting[ref]
            if was_urgent > urgent or (was_urgent == urgent and was_due <= due):
                return
            due = min(due, was_due)
        if (ref.account, urgent) not in self._lanes:
            self._lanes |= {(ref.account, True): [], (ref.account, False): []}
            self._turns.append(ref.account)
        self._came += 1
        self._waiting[ref] = urgent, due, self._came
        heappush(self._lanes[ref.account, urgent], (due, self._came, ref))

    def take(self) -> TicketRef | None:
        """The next ticket, which then is under way; None when nothing may start now."""
        for urgent in (True, False):
            for account in self._turns:
                lane = self._lanes[account, urgent]
                while lane and self._waiting.get(lane[0][2]) != (urgent, *lane[0][:2]):
                    heappop(lane)  # it has got another place since
                if not lane or self._under_way[account] >= self._per_account or self._rests(account, urgent):
                    continue
                ref = heappop(lane)[2]
                del self._waiting[ref]
                self._running.add(ref)
                self._under_way[account] += 1
                self._turns.remove(account)
                self._turns.append(account)
                return ref
        return None

    def done(self, ref: TicketRef) -> None:
        """The look at this ticket is over."""
        self._running.remove(ref)
        self._under_way[ref.account] -= 1
        if ref in self._again:
            urgent, due = self._again.pop(ref)
            self.offer(ref, urgent=urgent, due=due)

    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._running and not self._waiting

    def waiting(self) -> int:
        """How many tickets are in line."""
        return len(self._waiting)

    def running(self) -> int:
        """How many tickets are under way."""
        return len(self._running)


class Backoff:
    """Takes looks, and none takes anything down with it: its ticket is set aside, and waits longer after each failure.
    A failure is the ticket's and is remembered with it, but for one of the database, which nobody can write down: those
    are counted in this process, and said once for all tickets. Any thread may use it."""

    def __init__(self, store: Store, clock: Clock, ailments: Ailments) -> None:
        self._store = store
        self._clock = clock
        self._ailments = ailments
        self._failures: dict[TicketRef, int] = {}

    def look(self, work: Work, ref: TicketRef) -> None:
        """Do `work`; never raises."""
        try:
            work(ref)
        except StoreTrouble as trouble:
            self._ailments.found("looking", trouble, passes=PROVEN_AFTER)
            self._hold_back(ref)
        except Exception as error:  # the edge of the thread: no ticket may take the others down with it
            log.exception("look_failed", ticket=str(ref))
            self._set_aside(ref, f"{type(error).__name__}: {error}")
        else:
            self._failures.pop(ref, None)

    def _set_aside(self, ref: TicketRef, why: str) -> None:
        try:
            with self._store.writing() as connection:
                holds.set_look_aside(connection, ref, f"a look at it fails: {why}", self._clock.now())
        except StoreTrouble as trouble:
            self._ailments.found("setting aside", trouble, passes=PROVEN_AFTER)

    def _hold_back(self, ref: TicketRef) -> None:
        """News that comes in meanwhile is looked at once."""
        failures = self._failures[ref] = self._failures.get(ref, 0) + 1
        now = self._clock.now()
        due = now + retry.ASIDE.after(failures)
        try:
            with self._store.writing() as connection:
                inbox.start_timer(connection, ref, due, f"failed {failures} times", holds=True, since=now)
        except StoreTrouble as trouble:  # the sweep finds what is still owed
            self._ailments.found("holding back", trouble, passes=PROVEN_AFTER)


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
        self._queue = WorkQueue(per_account, rests)
        self._changed = threading.Condition()
        self._stopping = False
        self._ailments = ailments
        self._threads = threads
        self._workers: tuple[SupervisedWorker, ...] = ()
        self._backoff = Backoff(store, clock, ailments)

    def wake(self, connection: Connection, refs: Iterable[TicketRef], *, urgent: bool = True) -> None:
        """Queue these tickets once the caller's transaction is committed."""
        asked = tuple(refs)
        if asked:
            dues = inbox.due_instants(connection, asked)
            owed = [Waiting(ref=ref, urgent=urgent, due=dues.get(ref, 0)) for ref in asked]
            after_commit(connection, partial(self._put, self._queue.join, owed))

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
            return self._changed.wait_for(lambda: self._queue.running() == 0, timeout)

    def tick(self) -> None:
        """Queue the tickets whose timer is due."""
        with self._store.reading() as connection:
            due = inbox.with_due_timer(connection, self._clock.now(), TICK_PER_ACCOUNT)
        self._put(self._queue.offer, due)

    def sweep(self) -> None:
        """Queue what is owed a look and was not heard of: left by a crash, by another process, or too much
        for one sweep. Tickets under way are left alone."""
        self._put(self._queue.offer, self._owed())

    def drain(self, work: Work) -> int:
        """Do in this thread, and without `run`, all that can be done now; answers how many looks that took.

        A ticket that is owed a look even after it had one waits for the next drain.
        """
        looks, before, seen = 0, -1, set[TicketRef]()
        while looks > before:
            before = looks
            self._put(self._queue.offer, [one for one in self._owed() if one.ref not in seen])
            while ref := self._next(wait=False):
                seen.add(ref)
                self._look(work, ref)
                looks += 1
        return looks

    def idle(self, timeout: float = 0.0) -> bool:
        """Whether nothing waits and nothing is under way, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(self._queue.idle, timeout)

    def _owed(self) -> tuple[Waiting, ...]:
        with self._store.reading() as connection:
            return inbox.owed(connection, self._clock.now())

    def _put(self, how: Callable[..., None], tickets: Iterable[Waiting]) -> None:
        """Have tickets join the queue, or offer them to it, and tell those who wait for work."""
        with self._changed:
            for one in tickets:
                how(one.ref, urgent=one.urgent, due=one.due)
            self._changed.notify_all()

    def _serve(self, work: Work) -> None:
        while ref := self._next(wait=True):
            self._look(work, ref)

    def _next(self, *, wait: bool) -> TicketRef | None:
        """The next ticket; None where none may start now, or with `wait` only once the engine stops."""
        with self._changed:
            while not (wait and self._stopping):
                if (ref := self._queue.take()) or not wait:
                    return ref
                self._changed.wait()
            return None

    def _look(self, work: Work, ref: TicketRef) -> None:
        try:
            self._backoff.look(work, ref)
        finally:
            with self._changed:
                self._queue.done(ref)
                self._changed.notify_all()
