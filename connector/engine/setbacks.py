"""A look that fails takes nothing down with it: its ticket waits, longer after each failure in a row."""

import structlog

from connector.clock import Clock
from connector.engine import Work
from connector.store import timers
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from policies.model import Seconds, TicketRef

FIRST_WAIT: Seconds = 15
LONGEST_WAIT: Seconds = 3600

log = structlog.get_logger()


class Setbacks:
    """Takes looks, and counts the failures in a row of each ticket in this process. Any thread may use it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._failures: dict[TicketRef, int] = {}

    def look(self, work: Work, ref: TicketRef) -> None:
        """Do `work`; never raises."""
        try:
            work(ref)
        except StoreTrouble as trouble:
            log.warning("look_failed", ticket=str(ref), reason=str(trouble))
            self._hold_back(ref)
        except Exception:  # the edge of the thread: no ticket may take the others down with it
            log.exception("look_failed", ticket=str(ref))
            self._hold_back(ref)
        else:
            self._failures.pop(ref, None)

    def _hold_back(self, ref: TicketRef) -> None:
        """News that comes in meanwhile is looked at once."""
        failures = self._failures[ref] = self._failures.get(ref, 0) + 1
        wait = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT)
        try:
            with self._store.writing() as connection:
                timers.start(
                    connection, ref, self._clock.now() + wait, f"failed {failures} times", holds=True
                )
        except StoreTrouble as trouble:  # the sweep finds what is still owed
            log.warning("hold_back_failed", ticket=str(ref), reason=str(trouble))
