"""The engine: how looks at tickets get done. A port with two fillings: `local` in this process, `fleet` on many."""

from collections.abc import Callable, Iterable
from typing import Protocol

from sqlalchemy import Connection

from policies.model import TicketRef

Work = Callable[[TicketRef], None]
"""All that one ticket needs. Called for one ticket at most once at a time, from any thread."""

Rests = Callable[[str, bool], bool]
"""Whether nothing may start now on this account; the second says whether it would be urgent."""


class Engine(Protocol):
    """Rows are the truth, wake-ups are a hint: one that is lost is made good by the next sweep.

    It wants `tick` once a second, and `sweep` now and then and once before `run`, for what the last process left
    undone.
    """

    def wake(self, connection: Connection, refs: Iterable[TicketRef], *, urgent: bool = True) -> None:
        """Have these tickets looked at once the caller's transaction is committed. A ticket that is being
        looked at now is looked at again; one that waits already is not queued twice."""

    def run(self, work: Work) -> None:
        """Begin to work, and return."""

    def stop(self, timeout: float) -> bool:
        """Take nothing new and wait for what is under way. False if some of it was still running then."""

    def tick(self) -> None:
        """Queue the tickets whose timer is due."""

    def sweep(self) -> None:
        """Queue what is owed a look and was not heard of: left by a crash, by another process, or too much for one
        sweep. Tickets under way are left alone."""

    def drain(self, work: Work) -> int:
        """Do, without `run`, all that can be done now; answers how many looks that took. A ticket that is owed a
        look even after it had one waits for the next drain."""

    def idle(self, timeout: float = 0.0) -> bool:
        """Whether nothing waits and nothing is under way, at the latest after `timeout` seconds."""
