"""What only one process of a fleet may do at a time: polling an account, telling the channels, forgetting.

A lease is a row with an end. Who holds it renews it every few seconds; a process that dies or stops answering loses
it, and the next one that asks goes on. On the embedded database there is one process, which holds everything.
"""

import math
from collections.abc import Iterable
from typing import Protocol

import structlog
from sqlalchemy import Connection

from connector.clock import Clock
from connector.store import fleet
from connector.store.database import Store, shared_now
from connector.store.trouble import StoreTrouble
from policies.model import Seconds

log = structlog.get_logger()


RENEW_EVERY: Seconds = 5
TERM: Seconds = 20


class Leaseholder(Protocol):
    """Knows what this process may do. Any thread may ask."""

    def has(self, name: str) -> bool:
        """Whether it is ours to do now, from memory."""

    def still(self, connection: Connection, name: str) -> bool:
        """Whether it is ours until this transaction ends."""

    def renew(self) -> frozenset[str]:
        """Keep what is ours and take what nobody has; answers what is newly ours."""

    def give_back(self) -> None:
        """Leave everything to others at once."""


class Sole:
    """The only process there is."""

    def has(self, name: str) -> bool:  # noqa: ARG002 (the port's)
        """Everything is ours."""
        return True

    def still(self, connection: Connection, name: str) -> bool:  # noqa: ARG002 (the port's)
        """See `has`."""
        return True

    def renew(self) -> frozenset[str]:
        """Nothing to do."""
        return frozenset()

    def give_back(self) -> None:
        """Nobody is there to take it."""


class OneOfMany:
    """A process among others; `renew` wants to be called every `RENEW_EVERY` seconds and before the first errand."""

    def __init__(self, store: Store, clock: Clock, me: str, names: Iterable[str]) -> None:
        self._store = store
        self._clock = clock
        self._me = me
        self._names = tuple(names)
        self._until: dict[str, float] = {}
        """By the monotonic clock."""
        self._said_ours = frozenset[str]()
        self._said_trouble = False

    def has(self, name: str) -> bool:
        """Not any more once its end has passed, even if we could not renew it."""
        return self._clock.monotonic() < self._until.get(name, -math.inf)

    def still(self, connection: Connection, name: str) -> bool:
        """As the database knows it."""
        return fleet.holds_lease(connection, name, self._me, shared_now(connection, self._clock))

    def renew(self) -> frozenset[str]:
        """What cannot be renewed now is ours until its end, and then not."""
        before = self._said_ours
        try:
            for name in self._names:
                self._renew_one(name)
        except StoreTrouble as trouble:
            if not self._said_trouble:
                log.warning("leases_not_renewed", reason=str(trouble))
            self._said_trouble = True
        else:
            self._said_trouble = False
        self._said_ours = now_ours = frozenset(name for name in self._names if self.has(name))
        for lost in sorted(before - now_ours):
            log.warning("lease_lost", lease=lost)
        for won in sorted(now_ours - before):
            log.info("lease_taken", lease=won)
        return now_ours - before

    def _renew_one(self, name: str) -> None:
        asked = self._clock.monotonic()  # before, so that we let go of it before the database does
        with self._store.writing() as connection:
            ours = fleet.take_lease(connection, name, self._me, TERM, shared_now(connection, self._clock))
        self._until[name] = asked + TERM if ours else -math.inf

    def give_back(self) -> None:
        """Best done last; who cannot say so is waited for."""
        self._until.clear()
        try:
            with self._store.writing() as connection:
                fleet.give_lease_back(connection, self._me)
        except StoreTrouble as trouble:
            log.warning("leases_not_given_back", reason=str(trouble))


def poll_lease(account: str) -> str:
    """The lease of whoever reads this account's feeds."""
    return f"poll {account}"


NOTIFY = "notify"
FORGET = "forget"
ALARM = "alarm"
