"""Tallies that outlive a process, or that many share: the database remembers what the helpdesk was asked."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import structlog

from connector.clock import Clock
from connector.store import budgets
from connector.store.database import Store, alone, shared_now
from connector.store.trouble import StoreTrouble
from connector.work.budget import Allowance, MemoryTally, Tally
from policies.model import Instant, Seconds

log = structlog.get_logger()


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
        return max(_wait(sent[bucket], allowance, stamp) for bucket, allowance in allowances.items())

    def _pause_left(self, buckets: tuple[str, ...], now: Instant) -> Seconds:
        return max(0, self.paused_until(buckets) - now)


def _wait(sent: Sequence[tuple[Instant, int]], allowance: Allowance, now: Instant) -> Seconds:
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
