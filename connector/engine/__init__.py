"""The engine: how looks at tickets get done. A port of three verbs; `local` fills it in this process."""

from collections.abc import Callable, Iterable
from typing import Protocol

from sqlalchemy import Connection

from policies.model import TicketRef

Work = Callable[[TicketRef], None]
"""All that one ticket needs. Called for one ticket at most once at a time, from any thread."""


class Engine(Protocol):
    """Rows are the truth, wake-ups are a hint: one that is lost is made good by the next sweep."""

    def wake(self, connection: Connection, refs: Iterable[TicketRef], *, urgent: bool = True) -> None:
        """Have these tickets looked at once the caller's transaction is committed. A ticket that is being
        looked at now is looked at again; one that waits already is not queued twice."""

    def run(self, work: Work) -> None:
        """Begin to work, and return."""

    def stop(self, timeout: float) -> bool:
        """Take nothing new and wait for what is under way. False if some of it was still running then."""
