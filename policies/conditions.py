"""Condition lines, compiled to closures once and judged against a ticket, each with the value it read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from policies.model import Need, Ticket, Value
from policies.operators import Wanted
from policies.plan import LineTrace

LONGEST_READ = 200
"""How much of a text a trace keeps, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: a test of one field, or several lines joined by `inner_any` (OR) or not (AND).

    `needs` is what must be loaded for the line's own test; inner lines have their own. `shown` is what a trace
    shows instead of what was read. `operator` and `wanted` are the test as written; a line of inner lines has none.
    """

    path: str
    text: str
    holds: Callable[[Ticket], bool] = field(compare=False, repr=False)
    read: Callable[[Ticket], Value] = field(compare=False, repr=False)
    shown: Callable[[Ticket], Value] | None = field(default=None, compare=False, repr=False)
    needs: frozenset[Need] = frozenset()
    inner: tuple["Line", ...] = ()
    join: Literal["any", "all"] = "all"
    operator: str = ""
    wanted: Wanted | None = None

    def maybe(self, ticket: Ticket) -> bool:
        """Whether the line could hold once everything is loaded."""
        if self.inner:
            join = any if self.join == "any" else all
            return join(line.maybe(ticket) for line in self.inner)
        return not self.needs <= ticket.loaded or self.holds(ticket)

    def certain(self, ticket: Ticket) -> bool:
        """Whether the line holds whatever else is loaded."""
        if self.inner:
            join = any if self.join == "any" else all
            return join(line.certain(ticket) for line in self.inner)
        return self.needs <= ticket.loaded and self.holds(ticket)

    def trace(self, section: Literal["when", "unless"], ticket: Ticket) -> LineTrace:
        """The line as judged on this ticket, with the value it read."""
        return LineTrace(
            section=section,
            path=self.path,
            text=self.text,
            read=shortened((self.shown or self.read)(ticket)),
            held=self.holds(ticket),
            inner=tuple(line.trace(section, ticket) for line in self.inner),
        )

    def every_need(self) -> frozenset[Need]:
        """What must be loaded for this line and those inside it."""
        return self.needs.union(*(line.every_need() for line in self.inner))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The lines of one `when` or `unless` table, in file order.

    `asks_solved` says that a `when` asks for solved tickets; then solving does not end its episodes (rule 4).
    """

    lines: tuple[Line, ...] = ()
    asks_solved: bool = False

    def all_hold(self, ticket: Ticket) -> tuple[bool, tuple[LineTrace, ...]]:
        """`when`: whether every line holds. The trace has every line, also those behind a failed one."""
        traces = tuple(line.trace("when", ticket) for line in self.lines)
        return all(trace.held for trace in traces), traces

    def any_holds(self, ticket: Ticket) -> tuple[bool, tuple[LineTrace, ...]]:
        """`unless`: whether any line holds. The trace has every line."""
        traces = tuple(line.trace("unless", ticket) for line in self.lines)
        return any(trace.held for trace in traces), traces

    def maybe(self, ticket: Ticket) -> bool:
        """`when` on a snapshot: False only if a line fails whatever else is loaded."""
        for line in self.lines:  # noqa: SIM110 - it decides most rows of a feed; a generator costs as much again
            if not (line.maybe(ticket) if line.needs or line.inner else line.holds(ticket)):
                return False
        return True

    def certainly_excludes(self, ticket: Ticket) -> bool:
        """`unless` on a snapshot: True only if a line holds whatever else is loaded."""
        return any(line.certain(ticket) for line in self.lines)


def joined(path: str, text: str, join: Literal["any", "all"], inner: tuple[Line, ...]) -> Line:
    """One line that holds if any, or all, of these hold. It reads nothing itself."""
    tests = tuple(line.holds for line in inner)

    def any_test(ticket: Ticket) -> bool:
        return any(test(ticket) for test in tests)

    def all_tests(ticket: Ticket) -> bool:
        return all(test(ticket) for test in tests)

    holds = any_test if join == "any" else all_tests
    return Line(path=path, text=text, holds=holds, read=reads_nothing, inner=inner, join=join)


def reads_nothing(_: Ticket) -> Value:
    """What a line that only joins others has read."""
    return None


def shortened(value: Value) -> Value:
    """A value as a trace keeps it: a long text loses its tail."""
    if isinstance(value, str) and len(value) > LONGEST_READ:
        return value[:LONGEST_READ] + "…"
    return value
