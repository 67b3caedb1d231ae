"""Condition lines, compiled to closures once and judged against a ticket, each with the value it read."""

from dataclasses import dataclass

from policies.model import Ticket
from policies.plan import LineTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The lines of one `when` or `unless` table."""

    def all_hold(self, ticket: Ticket) -> tuple[bool, tuple[LineTrace, ...]]:
        """`when`: whether every line holds. The trace has every line, judged or not."""
        raise NotImplementedError

    def any_holds(self, ticket: Ticket) -> tuple[bool, tuple[LineTrace, ...]]:
        """`unless`: whether any line holds."""
        raise NotImplementedError
