"""How far others' clocks are from ours: each helpdesk's, and on a fleet the database's.

Signed webhooks are refused beyond five minutes, and what is stored for others to go by is stamped by the database.
"""

from collections.abc import Mapping

import structlog

from connector.clock import Clock
from connector.store.database import Store, shared_now
from policies.model import Seconds

TELLING: Seconds = 30
DATABASE = "the database"
NEXT = "set this machine's clock by NTP, or theirs"

log = structlog.get_logger()


class Skews:
    """The last difference seen of each account and of the database, theirs minus ours. Any thread may use it."""

    def __init__(self) -> None:
        self._seen: dict[str, Seconds] = {}
        self._database: Seconds = 0

    def note(self, account: str, skew: Seconds) -> None:
        """Keep an account's, and say when it becomes more than `TELLING` or no longer is."""
        before = self._seen.get(account, 0)
        self._seen[account] = skew
        _say(before, skew, account=account)

    def note_database(self, skew: Seconds) -> None:
        """The same of the database's."""
        before, self._database = self._database, skew
        _say(before, skew, whose=DATABASE)

    def seen(self) -> dict[str, Seconds]:
        """By account."""
        return dict(self._seen)

    def everybodys(self) -> dict[str, Seconds]:
        """By account, and of the database under an empty name, which no account has."""
        return {**self._seen, "": self._database}

    def telling(self) -> tuple[tuple[str, str], ...]:
        """Whose clock is too far from this process's, and what to do."""
        return telling(self.everybodys())


def telling(skews: Mapping[str, Seconds]) -> tuple[tuple[str, str], ...]:
    """Of clocks by account, and of the database's under an empty name, those that are too far off, and what to do."""
    known = sorted(skews.items(), key=lambda one: (one[0] == "", one[0]))
    return tuple((whose or DATABASE, said(skew)) for whose, skew in known if abs(skew) > TELLING)


def said(skew: Seconds) -> str:
    """How far a clock is from ours, and what to do where that is too far."""
    if abs(skew) <= TELLING:
        return f"its clock is within {TELLING} s of ours"
    return f"its clock is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} ours; {NEXT}"


def database_skew(store: Store, clock: Clock) -> Seconds:
    """The database server's clock minus ours; 0 on SQLite, which has none of its own. Raises StoreTrouble."""
    with store.asking() as connection:
        return shared_now(connection, clock) - clock.now()


def _say(before: Seconds, skew: Seconds, **whose: str) -> None:
    if abs(skew) > TELLING >= abs(before):
        log.warning("clock_skew", seconds=skew, next=NEXT, **whose)
    elif abs(before) > TELLING >= abs(skew):
        log.info("clock_skew_over", seconds=skew, **whose)
