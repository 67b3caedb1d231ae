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
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Literal, Protocol

import structlog

from adapters.base import Adapter, Limit, TryLater
from connector.clock import Clock
from connector.store import accounts, fleet
from connector.store.database import Store, advisory_lock, shared_now
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


Purpose = Literal[
    "changes",
    "open tickets",
    "directory",
    "look",
    "idle look",
    "write",
    "find out",
    "assignment",
    "notification",
    "archive",
    "other",
]
"""What a request is sent for: a poll, a census, the names of people and groups, a look at a ticket that is written to
then, one after which nothing is, a write, the fate of one, whether an assignment still stands, whether a notification
still holds, past tickets, and what none of these is."""

HOUR: Seconds = 3600

current_lane: ContextVar[Lane] = ContextVar("lane", default="deadline")
current_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)
current_purpose: ContextVar[Purpose] = ContextVar("purpose", default="other")
current_look: ContextVar[list[tuple[Instant, Purpose]] | None] = ContextVar("look", default=None)


UNKNOWN = 1_000_000_000
"""At most so many requests where nothing is known of a budget."""


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
            wait = 0
            for name, allowance in allowances.items():
                sent = self._sent.setdefault(name, deque())
                while sent and sent[0] < now - allowance.window:  # now is rounded down, so a second more
                    sent.popleft()
                over = len(sent) - allowance.at_most
                if over >= 0:
                    wait = max(wait, sent[over] + allowance.window + 1 - now)
            if not wait:
                for name in allowances:
                    self._sent[name].append(now)
            return wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the vendor last said of a bucket; `remaining` is believed until `until`. Its window began at `began` or
    before: a vendor that does not tell when it resets is believed until that much later."""

    limit: Limit
    until: Instant
    began: Instant


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
        self._sent: Counter[tuple[Instant, Purpose]] = Counter()
        self._counting = threading.Lock()

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
    def sent_for(purpose: Purpose) -> Iterator[None]:
        """Count what is sent inside, in this thread, as sent for this."""
        token = current_purpose.set(purpose)
        try:
            yield
        finally:
            current_purpose.reset(token)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Send what is sent inside, in this thread, for one look: whether that wrote something is known at its end, and
        then it is counted."""
        asked: list[tuple[Instant, Purpose]] = []
        token = current_look.set(asked)
        try:
            with self.sent_for("look"):
                yield
        finally:
            current_look.reset(token)
            wrote = any(purpose == "write" for _, purpose in asked)
            with self._counting:
                for hour, purpose in asked:
                    is_idle = purpose == "look" and not wrote
                    self._sent[hour, "idle look" if is_idle else purpose] += 1

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
        if (check := current_check.get()) is not None:
            check()
        request = self._clock.now() // HOUR * HOUR, current_purpose.get()
        if (asked := current_look.get()) is not None:
            asked.append(request)
            return
        with self._counting:
            self._sent[request] += 1

    def sent(self) -> int:
        """How many requests have left since they were last taken."""
        with self._counting:
            return self._sent.total()

    def take_sent(self) -> Mapping[tuple[Instant, Purpose], int]:
        """How many requests have left since the last time this was asked, by hour (its beginning) and purpose."""
        with self._counting:
            sent, self._sent = self._sent, Counter()
        return sent

    def _refusal(self, buckets: tuple[str, ...]) -> NoRoom | None:
        """Take one request out of each bucket, or say why not."""
        now = int(self._clock.monotonic())
        if (paused := self._tally.paused_until(buckets)) > now:
            return NoRoom(f"{self._account} asked for a pause", paused - now, whole=False)
        known = {bucket: told for bucket in buckets if (told := self._told.get(bucket))}
        ours = {bucket: max(1, int(told.limit.total * self._share)) for bucket, told in known.items()}
        spared = {bucket: max(1, int(many * SPARED_PART)) for bucket, many in ours.items()}
        if current_lane.get() == "deadline":
            free = spared if self._backfill_waits_until > now else {}
            beside = {bucket: max(1, many - free.get(bucket, 0)) for bucket, many in ours.items()}
            return self._take(buckets, known, ours, beside, {}, now)
        part = {bucket: max(1, int(many * BACKFILL_PART)) for bucket, many in ours.items()}
        refusal = self._take(buckets, known, ours, part, part, now)
        if refusal is not None:
            windows = (told.limit.window for told in known.values())
            self._backfill_waits_until = now + max(windows, default=0)
            refusal = self._take(buckets, known, ours, ours, spared, now)
        return refusal

    def _take(
        self,
        buckets: tuple[str, ...],
        known: Mapping[str, Told],
        ours: Mapping[str, int],
        at_most: Mapping[str, int],
        backfill: Mapping[str, int],
        now: Instant,
    ) -> NoRoom | None:
        """One request while less than `at_most` of what is `ours` in a window is used, and less than `backfill` by
        back-fill where that is given. Behind an announced reset nothing is withheld, for the next answer tells anew: a
        rule that was taken away meanwhile must not hold anybody up."""
        for bucket, told in known.items():
            if told.limit.remaining <= ours[bucket] - at_most[bucket] and told.until > now:
                left = f"{self._account} has no requests left in {bucket}"
                return NoRoom(left, told.until - now, whole=len(buckets) == 1)
        allowances = {}
        for bucket, told in known.items():
            over = told.limit.resets_in is not None and now >= told.until
            most = UNKNOWN if over else at_most[bucket]
            allowances[bucket] = Allowance(at_most=most, window=told.limit.window)
            if bucket in backfill:
                by_backfill = Allowance(at_most=backfill[bucket], window=told.limit.window)
                allowances[f"{bucket}, backfill"] = by_backfill
        wait = self._tally.take(buckets, allowances, now)
        if not wait:
            return None
        if (paused := self._tally.paused_until(buckets)) > now:  # which another process has heard of
            return NoRoom(f"{self._account} asked for a pause", paused - now, whole=False)
        return NoRoom(f"our share of {self._account}'s requests is used", wait, whole=len(buckets) == 1)

    def rest(self, lane: Lane, wait: Seconds) -> None:
        """Begin no look in this lane for so many seconds."""
        self._rests_until[lane] = int(self._clock.monotonic()) + wait

    def rests_for(self, lane: Lane) -> Seconds:
        """For so many seconds a look in this lane would find no room."""
        return max(0, self._rests_until.get(lane, 0) - int(self._clock.monotonic()))

    def learn(self, limits: tuple[Limit, ...]) -> None:
        """Hear what the vendor's headers say. A limit that makes no sense is passed over. Answers overtake one another,
        so a few more left are no new window."""
        now = int(self._clock.monotonic())
        for limit in limits:
            if limit.total <= 0 or limit.window <= 0:
                continue
            before = self._told.get(limit.bucket)
            is_new = (
                before is None
                or now - before.began >= limit.window
                or limit.remaining > before.limit.remaining + limit.total // 4
            )
            began = now if before is None or is_new else before.began
            until = began + limit.window if limit.resets_in is None else now + limit.resets_in
            self._told[limit.bucket] = Told(limit=limit, until=until, began=began)

    def told(self) -> tuple[Limit, ...]:
        """What the vendor last said of each bucket."""
        return tuple(each.limit for each in tuple(self._told.values()))

    def hold(self, bucket: str, wait: Seconds) -> None:
        """Send nothing out of this bucket for so many seconds. The longest wait counts."""
        # rounded down, so a second more: an announced wait is never cut short
        now = int(self._clock.monotonic())
        self._tally.pause(bucket, now + wait + 1, now)


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
            self._hear(fleet.pauses(connection, account, stamp), stamp)

    def pause(self, bucket: str, until: Instant, now: Instant) -> None:
        """See `Tally`."""
        super().pause(bucket, until, now)
        try:
            with self._store.writing() as connection:
                stamp = shared_now(connection, self._clock)
                fleet.pause_until(connection, self._account, bucket, stamp + until - now, stamp)
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
                self._hear(fleet.pauses(connection, self._account, stamp), stamp)
            return self._pause_left(buckets, now)
        with self._store.writing() as connection:
            advisory_lock(connection, f"spending {self._account}")
            stamp = shared_now(connection, self._clock)
            # it is rounded down, so a second more: from `window` before it on
            begins = {bucket: stamp - allowance.window for bucket, allowance in allowances.items()}
            known = fleet.known_spending(connection, self._account, begins, stamp)
            self._hear(known.pauses, stamp)
            if pause := self._pause_left(buckets, now):
                return pause
            if all(known.requests.get(bucket, 0) < each.at_most for bucket, each in allowances.items()):
                fleet.count_requests(connection, self._account, allowances, stamp)
                return 0
            sent = fleet.by_second(connection, self._account, begins)
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


def rests(desks: Desks, account: str, urgent: bool) -> bool:
    """Whether the account's budget has no room for another look."""
    desk = desks.get(account)
    return desk is not None and desk.budget.rests_for(lane_of(urgent)) > 0


LOOKED = "looked"
"""The cursor whose stamp is when a ticket of the account was last evaluated."""


def keep_spending(
    store: Store, desks: Iterable[Desk], now: Instant, looked: Mapping[str, Instant] = MappingProxyType({})
) -> None:
    """Keep where the requests of this process went since the last time, and what the helpdesks said of their limits,
    for `uptier budget` and the page *Health*. What was counted while the database is away is lost: nothing is decided
    by it. `looked` is when this process last evaluated a ticket of each account."""
    with store.writing() as connection:
        for desk in desks:
            for (hour, purpose), many in desk.budget.take_sent().items():
                fleet.count_sent(connection, desk.name, hour, purpose, many)
            fleet.keep_limits(connection, desk.name, desk.budget.told(), now)
        for name, at in looked.items():
            if at > (accounts.cursor_updated(connection, name, LOOKED) or 0):
                accounts.save_cursor(connection, name, LOOKED, "", at)
