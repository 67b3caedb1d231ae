"""How many requests one account may still send: our share of the vendor's budgets, deadlines first.

The vendor's headers tell each budget's size. Only `share` of it is ours, the rest is left to the account's
other integrations. In any span as long as the vendor's window no more than our share is sent, wherever the
vendor's own window begins. Back-fill (census, poll catch-up) may use only a part of the share, so that work
with a deadline always finds room. Until an answer has told a budget's size, nothing is withheld.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol

from adapters.base import Limit, TryLater
from connector.clock import Clock
from policies.model import Instant, Seconds

Lane = Literal["deadline", "backfill"]

BACKFILL_PART = 0.7
BELIEVED: Seconds = 5  # how long "nothing remains" is believed of a vendor that does not tell when it resets

current_lane: ContextVar[Lane] = ContextVar("lane", default="deadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """At most so many requests in any `window` seconds."""

    at_most: int
    window: Seconds


class Tally(Protocol):
    """Counts what was sent. One per account; where several machines serve it, they share one."""

    def take(self, allowances: Mapping[str, Allowance], now: Instant) -> Seconds:
        """Count one request in every bucket and answer 0; or, if one of them is used up, count nothing and
        answer the seconds until there is room."""


class MemoryTally:
    """Counts in this process. Any thread may take."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[Instant]] = {}
        self._lock = threading.Lock()

    def take(self, allowances: Mapping[str, Allowance], now: Instant) -> Seconds:
        """See `Tally`."""
        with self._lock:
            wait = max((self._wait(name, each, now) for name, each in allowances.items()), default=0)
            if not wait:
                for name in allowances:
                    self._sent[name].append(now)
            return wait

    def _wait(self, bucket: str, allowance: Allowance, now: Instant) -> Seconds:
        sent = self._sent.setdefault(bucket, deque())
        while sent and sent[0] <= now - allowance.window:
            sent.popleft()
        over = len(sent) - allowance.at_most
        return sent[over] + allowance.window - now if over >= 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the vendor last said of a bucket; `remaining` is believed until `until`."""

    limit: Limit
    until: Instant


class Budget:
    """The gate of one account (`adapters.base.Gate`). Any thread may use it."""

    def __init__(self, account: str, share: float, clock: Clock, tally: Tally | None = None) -> None:
        self._account = account
        self._share = share
        self._clock = clock
        self._tally = tally or MemoryTally()
        self._told: dict[str, Told] = {}
        self._held: dict[str, Instant] = {}
        self._lock = threading.Lock()

    @staticmethod
    @contextmanager
    def lane(name: Lane) -> Iterator[None]:
        """Send what is sent inside, in this thread, as deadline work (the default) or as back-fill."""
        token = current_lane.set(name)
        try:
            yield
        finally:
            current_lane.reset(token)

    def enter(self, buckets: tuple[str, ...]) -> None:
        """Take one request out of each bucket. Raises TryLater, with nothing taken, if one has no room."""
        now = self._clock.now()
        until = max((self._held.get(bucket, 0) for bucket in buckets), default=0)
        if until > now:
            raise TryLater(f"{self._account} asked for a pause", until - now)
        known = {bucket: told for bucket in buckets if (told := self._told.get(bucket))}
        allowances = {bucket: self._allowance(told.limit) for bucket, told in known.items()}
        for bucket, told in known.items():
            if told.limit.remaining <= self._left_alone(told.limit) and told.until > now:
                raise TryLater(f"{self._account} has no requests left in {bucket}", told.until - now)
        if wait := self._tally.take(allowances, now):
            raise TryLater(f"our share of {self._account}'s requests is used", wait)

    def learn(self, limits: tuple[Limit, ...]) -> None:
        """Hear what the vendor's headers say. A limit that makes no sense is passed over."""
        now = self._clock.now()
        for limit in limits:
            if limit.total > 0 and limit.window > 0:
                believed = BELIEVED if limit.resets_in is None else limit.resets_in
                self._told[limit.bucket] = Told(limit=limit, until=now + believed)

    def told(self) -> tuple[Limit, ...]:
        """What the vendor last said of each bucket."""
        return tuple(each.limit for each in tuple(self._told.values()))

    def hold(self, bucket: str, wait: Seconds) -> None:
        """Send nothing out of this bucket for so many seconds. The longest wait counts."""
        with self._lock:
            # now() is rounded down, so a second more: an announced wait is never cut short
            until = self._clock.now() + wait + 1
            self._held[bucket] = max(self._held.get(bucket, 0), until)

    def _allowance(self, limit: Limit) -> Allowance:
        ours = self._ours(limit)
        if current_lane.get() == "backfill":
            ours = max(1, int(ours * BACKFILL_PART))
        return Allowance(at_most=ours, window=limit.window)

    def _ours(self, limit: Limit) -> int:
        return max(1, int(limit.total * self._share))

    def _left_alone(self, limit: Limit) -> int:
        """How many of the vendor's remaining requests this lane does not touch: back-fill keeps some free."""
        return self._ours(limit) - self._allowance(limit).at_most
