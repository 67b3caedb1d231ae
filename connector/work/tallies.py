"""Tallies that outlive a process, or that many share: the database remembers what the helpdesk was asked."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import structlog

from connector.clock import Clock
from connector.store import spending
from connector.store.database import Store
from connector.store.dialect import alone
from connector.store.trouble import StoreTrouble
from connector.work.budget import Allowance, MemoryTally, Tally
from policies.model import Instant, Seconds

log = structlog.get_logger()


def tally(store: Store, account: str, clock: Clock) -> Tally:
    """The one that suits this database."""
    return SharedTally(store, account, clock) if store.path is None else LastingTally(store, account, clock)


class LastingTally(MemoryTally):
    """Counts in this process, which is the only one; a pause is also kept, so that the next process obeys it."""

    def __init__(self, store: Store, account: str, clock: Clock) -> None:
        super().__init__()
        self._store = store
        self._account = account
        with store.reading() as connection:
            for bucket, until in spending.pauses(connection, account, clock.now()).items():
                super().pause(bucket, until)

    def pause(self, bucket: str, until: Instant) -> None:
        """See `Tally`."""
        super().pause(bucket, until)
        try:
            with self._store.writing() as connection:
                spending.pause_until(connection, self._account, bucket, until)
        except StoreTrouble as trouble:  # this process obeys it all the same
            log.warning("pause_not_kept", account=self._account, until=until, reason=str(trouble))


class SharedTally:
    """Counts in the database, by the second, for all processes."""

    def __init__(self, store: Store, account: str, clock: Clock) -> None:
        self._store = store
        self._account = account
        self._clock = clock

    def take(self, allowances: Mapping[str, Allowance], now: Instant) -> Seconds:
        """See `Tally`."""
        if not allowances:
            return 0
        with self._store.writing() as connection:
            alone(connection, f"spending {self._account}")
            # now is rounded down, so a second more: from `window` before it on
            begins = {bucket: now - allowance.window for bucket, allowance in allowances.items()}
            sent = spending.since(connection, self._account, begins)
            wait = max(_wait(sent[bucket], allowance, now) for bucket, allowance in allowances.items())
            if not wait:
                spending.count(connection, self._account, allowances, now)
        return wait

    def pause(self, bucket: str, until: Instant) -> None:
        """See `Tally`."""
        with self._store.writing() as connection:
            spending.pause_until(connection, self._account, bucket, until)

    def paused_until(self, buckets: Iterable[str]) -> Instant:
        """See `Tally`."""
        with self._store.reading() as connection:
            known = spending.pauses(connection, self._account, self._clock.now())
        return max((known.get(bucket, 0) for bucket in buckets), default=0)


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
