"""How many requests one account may still send: our share of the vendor's budgets, deadlines first; counted in
this process, past its end, or by many.

The vendor's headers tell each budget's size. Only `share` of it is ours, the rest is left to the account's
other integrations. In any span as long as the vendor's window no more than our share is sent, wherever the
vendor's own window begins. Back-fill (census, poll catch-up) may use only a part of the share, so that work
with a deadline always finds room; while back-fill is refused, deadlines spare it a small part in their turn,
so that it goes on under any load. Until an answer has told a budget's size, nothing is withheld.

A thread whose request has no room waits here for a while, so that what a look has read already is not thrown
away; beyond that the work is put off (TryLater)."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, Protocol

import structlog

from adapters.base import Adapter, Limit, TryLater
from connector.clock import Clock
from connector.store import budgets
from connector.store.database import Store, alone, shared_now
from connector.store.trouble import StoreTrouble
from policies.model import Instant, Seconds

log = structlog.get_logger()


Lane = Literal["deadline", "backfill"]

BACKFILL_PART = 0.7
SPARED_PART = 0.03
PATIENCE: Mapping[Lane, Seconds] = {"deadline": 65, "backfill": 5}
"""How long a thread waits here. Back-fill soon gives its place among the account's threads to others."""


def lane_of(urgent: bool) -> Lane:
    """Where a look belongs."""
    return "deadline" if urgent else "backfill"


current_lane: ContextVar[Lane] = ContextVar("lane", default="deadline")
current_check: ContextVar[Callable[[], None]] = ContextVar("check", default=lambda: None)


UNKNOWN = 1_000_000_000
"""At most so many requests where nothing is known of a budget."""

Part = Callable[[int], int]
"""How many of our requests in a window."""


class NoRoom(TryLater):
    """The account's requests, or our share of them, are used, or it asked for a pause. If the `whole` account is
    meant, and not an endpoint that has a budget of its own, no other ticket of this lane fares better before then."""

    def __init__(self, reason: str, wait: Seconds, *, whole: bool) -> None:
        super().__init__(reason, wait)
        self.whole = whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """At most so many requests in any `window` seconds."""

    at_most: int
    window: Seconds


class Tally(Protocol):
    """Counts what was sent, and knows the pauses that were asked for. One per account; where several machines serve
    it, they share one (`connector.work.budget`). `now` and what comes of it is by the monotonic clock."""

    def take(self, buckets: tuple[str, ...], allowances: Mapping[str, Allowance], now: Instant) -> Seconds:
        """Count one request in every allowance and answer 0; or, if one of them is used up or one of the buckets is
        paused, count nothing and answer the seconds until there is room."""

    def pause(self, bucket: str, until: Instant, now: Instant) -> None:
        """Nothing more out of this bucket before then. The longest wait counts."""

    def paused_until(self, buckets: Iterable[str]) -> Instant:
        """When the last of these buckets opens, as far as this process knows; 0 if all are open. What `take` has
        found out is known."""


class MemoryTally:
    """Counts in this process. Any thread may take."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[Instant]] = {}
        self._paused: dict[str, Instant] = {}
        self._lock = threading.Lock()

    def pause(self, bucket: str, until: Instant, now: Instant) -> None:  # noqa: ARG002 (for those that keep it)
        """See `Tally`."""
        with self._lock:
            self._paused[bucket] = max(self._paused.get(bucket, 0), until)

    def paused_until(self, buckets: Iterable[str]) -> Instant:
        """See `Tally`."""
        return max((self._paused.get(bucket, 0) for bucket in buckets), default=0)

    def take(
        self,
        buckets: tuple[str, ...],  # noqa: ARG002 (their pauses are known here)
        allowances: Mapping[str, Allowance],
        now: Instant,
    ) -> Seconds:
        """See `Tally`."""
        with self._lock:
            wait = max((self._wait(name, each, now) for name, each in allowances.items()), default=0)
            if not wait:
                for name in allowances:
                    self._sent[name].append(now)
            return wait

    def _wait(self, bucket: str, allowance: Allowance, now: Instant) -> Seconds:
        sent = self._sent.setdefault(bucket, deque())
        while sent and sent[0] < now - allowance.window:  # now is rounded down, so a second more
            sent.popleft()
        over = len(sent) - allowance.at_most
        return sent[over] + allowance.window + 1 - now if over >= 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the vendor last said of a bucket; `remaining` is believed until `until`. Its window began at `began` or
    before: a vendor that does not tell when it resets is believed until that much later."""

    limit: Limit
    until: Instant
    began: Instant

    def holds(self, now: Instant) -> bool:
        """Whether it still tells anything. Behind an announced reset the next answer tells anew: a rule that was
        taken away meanwhile must not hold anybody up."""
        return self.limit.resets_in is None or now < self.until


class Budget:
    """The gate of one account (`adapters.base.Gate`). Any thread may use it."""

    def __init__(
        self,
        account: str,
        share: float,
        clock: Clock,
        tally: Tally | None = None,
        patience: Mapping[Lane, Seconds] = PATIENCE,
    ) -> None:
        self._account = account
        self._share = share
        self._clock = clock
        self._tally = tally or MemoryTally()
        self._patience = patience
        self._backfill_waits_until: Instant = 0
        self._rests_until: dict[Lane, Instant] = {}
        self._told: dict[str, Told] = {}

    @staticmethod
    @contextmanager
    def lane(name: Lane) -> Iterator[None]:
        """Send what is sent inside, in this thread, as deadline work (the default) or as back-fill."""
        token = current_lane.set(name)
        try:
            yield
        finally:
            current_lane.reset(token)

    @staticmethod
    @contextmanager
    def before_each_request(check: Callable[[], None]) -> Iterator[None]:
        """Have `check` called in this thread when a request inside has got its room and is about to leave; what it
        raises keeps the request back."""
        token = current_check.set(check)
        try:
            yield
        finally:
            current_check.reset(token)

    def enter(self, buckets: tuple[str, ...]) -> None:
        """Take one request out of each bucket. Raises TryLater, with nothing taken, if one has no room even
        after a while."""
        until = self._clock.monotonic() + self._patience[current_lane.get()]
        while refusal := self._refusal(buckets):
            if self._clock.monotonic() + refusal.wait > until:
                raise refusal
            self._clock.sleep(refusal.wait)
        current_check.get()()

    def _refusal(self, buckets: tuple[str, ...]) -> TryLater | None:
        """Take one request out of each bucket, or say why not."""
        now = self._steady()
        if pause := self._pause(buckets, now):
            return pause
        known = {bucket: told for bucket in buckets if (told := self._told.get(bucket))}
        if current_lane.get() == "deadline":
            part = _beside_backfill if self._backfill_waits_until > now else _all
            return self._take(buckets, known, part, now)
        refusal = self._take(buckets, known, _for_backfill, now, backfill=_for_backfill)
        if isinstance(refusal, NoRoom):
            windows = (told.limit.window for told in known.values())
            self._backfill_waits_until = now + max(windows, default=0)
            refusal = self._take(buckets, known, _all, now, backfill=_spared)
        return refusal

    def _pause(self, buckets: tuple[str, ...], now: Instant) -> TryLater | None:
        until = self._tally.paused_until(buckets)
        if until <= now:
            return None
        return NoRoom(f"{self._account} asked for a pause", until - now, whole=False)

    def _take(
        self,
        buckets: tuple[str, ...],
        known: Mapping[str, Told],
        part: Part,
        now: Instant,
        *,
        backfill: Part | None = None,
    ) -> TryLater | None:
        """One request while less than this part of our share is used, and that part of it by back-fill."""
        for bucket, told in known.items():
            ours = _at_least_one(told.limit.total * self._share)
            kept_free = ours - part(ours)
            if told.limit.remaining <= kept_free and told.until > now:
                left = f"{self._account} has no requests left in {bucket}"
                return NoRoom(left, told.until - now, whole=len(buckets) == 1)
        allowances = {
            bucket: self._allowance(told.limit, part)
            if told.holds(now)
            else Allowance(at_most=UNKNOWN, window=told.limit.window)
            for bucket, told in known.items()
        }
        if backfill is not None:
            allowances |= {
                f"{bucket}, backfill": self._allowance(told.limit, backfill) for bucket, told in known.items()
            }
        if wait := self._tally.take(buckets, allowances, now):
            full = NoRoom(f"our share of {self._account}'s requests is used", wait, whole=len(buckets) == 1)
            return self._pause(buckets, now) or full
        return None

    def rest(self, lane: Lane, wait: Seconds) -> None:
        """Begin no look in this lane for so many seconds."""
        self._rests_until[lane] = self._steady() + wait

    def rests_for(self, lane: Lane) -> Seconds:
        """For so many seconds a look in this lane would find no room."""
        return max(0, self._rests_until.get(lane, 0) - self._steady())

    def learn(self, limits: tuple[Limit, ...]) -> None:
        """Hear what the vendor's headers say. A limit that makes no sense is passed over."""
        now = self._steady()
        for limit in limits:
            if limit.total > 0 and limit.window > 0:
                began = _began(self._told.get(limit.bucket), limit, now)
                until = began + limit.window if limit.resets_in is None else now + limit.resets_in
                self._told[limit.bucket] = Told(limit=limit, until=until, began=began)

    def told(self) -> tuple[Limit, ...]:
        """What the vendor last said of each bucket."""
        return tuple(each.limit for each in tuple(self._told.values()))

    def hold(self, bucket: str, wait: Seconds) -> None:
        """Send nothing out of this bucket for so many seconds. The longest wait counts."""
        # rounded down, so a second more: an announced wait is never cut short
        self._tally.pause(bucket, self._steady() + wait + 1, self._steady())

    def _steady(self) -> Instant:
        """Whole seconds of the monotonic clock, which nobody sets."""
        return int(self._clock.monotonic())

    def _allowance(self, limit: Limit, part: Part) -> Allowance:
        """This part of our share of a budget."""
        return Allowance(at_most=part(_at_least_one(limit.total * self._share)), window=limit.window)


def _began(before: Told | None, limit: Limit, now: Instant) -> Instant:
    """When this window was first seen. Answers overtake one another, so a few more left are no new window."""
    if before is None or now - before.began >= limit.window:
        return now
    return now if limit.remaining > before.limit.remaining + limit.total // 4 else before.began


def _all(ours: int) -> int:
    return ours


def _for_backfill(ours: int) -> int:
    return _at_least_one(ours * BACKFILL_PART)


def _spared(ours: int) -> int:
    return _at_least_one(ours * SPARED_PART)


def _beside_backfill(ours: int) -> int:
    return _at_least_one(ours - _spared(ours))


def _at_least_one(requests: float) -> int:
    return max(1, int(requests))


def tally(store: Store, account: str, clock: Clock) -> Tally:
    """The one that suits this database."""
    return SharedTally(store, account, clock) if store.path is None else LastingTally(store, account, clock)


class LastingTally(MemoryTally):
    """Counts in this process, which is the only one; a pause is also kept, so that the next process obeys it.

    In the process all is by the monotonic clock. What is kept is by the clock that `shared_now` names.
    """

    def __init__(self, store: Store, account: str, clock: Clock) -> None:
        super().__init__()
        self._store = store
        self._account = account
        self._clock = clock
        with store.asking() as connection:
            stamp = shared_now(connection, clock)
            self._hear(budgets.pauses(connection, account, stamp), stamp)

    def pause(self, bucket: str, until: Instant, now: Instant) -> None:
        """See `Tally`."""
        super().pause(bucket, until, now)
        try:
            with self._store.writing() as connection:
                stamp = shared_now(connection, self._clock)
                budgets.pause_until(connection, self._account, bucket, stamp + until - now, stamp)
        except StoreTrouble as trouble:  # this process obeys it all the same
            log.warning("pause_not_kept", account=self._account, seconds=until - now, reason=str(trouble))

    def _hear(self, pauses: Mapping[str, Instant], stamp: Instant) -> None:
        now = int(self._clock.monotonic())
        for bucket, until in pauses.items():
            super().pause(bucket, now + until - stamp, now)


class SharedTally(LastingTally):
    """Counts in the database, by the second, for all processes."""

    def take(self, buckets: tuple[str, ...], allowances: Mapping[str, Allowance], now: Instant) -> Seconds:
        """See `Tally`."""
        if not allowances:
            with self._store.asking() as connection:
                stamp = shared_now(connection, self._clock)
                self._hear(budgets.pauses(connection, self._account, stamp), stamp)
            return self._pause_left(buckets, now)
        with self._store.writing() as connection:
            alone(connection, f"spending {self._account}")
            stamp = shared_now(connection, self._clock)
            # it is rounded down, so a second more: from `window` before it on
            begins = {bucket: stamp - allowance.window for bucket, allowance in allowances.items()}
            known = budgets.known_spending(connection, self._account, begins, stamp)
            self._hear(known.pauses, stamp)
            if pause := self._pause_left(buckets, now):
                return pause
            if all(known.requests.get(bucket, 0) < each.at_most for bucket, each in allowances.items()):
                budgets.count_requests(connection, self._account, allowances, stamp)
                return 0
            sent = budgets.by_second(connection, self._account, begins)
        return max(_shared_wait(sent[bucket], allowance, stamp) for bucket, allowance in allowances.items())

    def _pause_left(self, buckets: tuple[str, ...], now: Instant) -> Seconds:
        return max(0, self.paused_until(buckets) - now)


def _shared_wait(sent: Sequence[tuple[Instant, int]], allowance: Allowance, now: Instant) -> Seconds:
    """Seconds until less than the allowance was sent in its window."""
    over = sum(requests for _, requests in sent) - allowance.at_most
    if over < 0:
        return 0
    leaving = accumulate(requests for _, requests in sent)
    return (
        next(at for (at, _), gone in zip(sent, leaving, strict=True) if gone > over)
        + allowance.window
        + 1
        - now
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One connected account. `poll` is in seconds."""

    name: str
    adapter: Adapter
    budget: Budget
    poll: int


Desks = Mapping[str, Desk]
