"""A look that fails takes nothing down with it: its ticket is set aside, and waits longer after each failure."""

import structlog

from connector.app.supervision import PROVEN_AFTER, Ailments
from connector.clock import Clock
from connector.engine import Work
from connector.store import holds, inbox
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from connector.work import retry
from policies.model import TicketRef

log = structlog.get_logger()


class Setbacks:
    """Takes looks. A failure is the ticket's and is remembered with it, but for one of the database, which nobody can
    write down: those are counted in this process, and said once for all tickets. Any thread may use it."""

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
