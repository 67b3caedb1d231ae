"""Conditions, compiled to closures once and judged against a ticket."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from policies.language.operators import Wanted
from policies.model import Need, Ticket, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition: a test of one field, or several joined by `inner_any` (OR) or not (AND).

    `needs` is what must be loaded for the line's own test; inner lines have their own. `reads` is what it reads, in
    the words of `Ticket.hidden`. `shown` is what a trace shows instead of what was read. `operator` and `wanted` are
    the test as written; a line of inner lines has none.
    """

    path: str
    text: str
    holds: Callable[[Ticket], bool] = field(compare=False, repr=False)
    read: Callable[[Ticket], Value] = field(compare=False, repr=False)
    shown: Callable[[Ticket], Value] | None = field(default=None, compare=False, repr=False)
    needs: frozenset[Need] = frozenset()
    reads: frozenset[str] = frozenset()
    inner: tuple["Condition", ...] = ()
    join: Literal["any", "all"] = "all"
    operator: str = ""
    wanted: Wanted | None = None

    def is_hidden(self, ticket: Ticket) -> bool:
        """Whether the line reads what the helpdesk does not show of this ticket."""
        return bool(ticket.hidden) and not self.reads.isdisjoint(ticket.hidden)

    def maybe(self, ticket: Ticket) -> bool:
        """Whether the line could hold once everything is loaded and shown."""
        if self.inner:
            join = any if self.join == "any" else all
            return join(line.maybe(ticket) for line in self.inner)
        return not self.needs <= ticket.loaded or self.is_hidden(ticket) or self.holds(ticket)

    def certain(self, ticket: Ticket) -> bool:
        """Whether the line holds whatever else is loaded and shown."""
        if self.inner:
            join = any if self.join == "any" else all
            return join(line.certain(ticket) for line in self.inner)
        return self.needs <= ticket.loaded and not self.is_hidden(ticket) and self.holds(ticket)

    def judge(self, ticket: Ticket) -> bool | None:
        """Whether the line holds on this ticket; None where that hangs on what the helpdesk does not show. In `any` and
        `all` what can be read may decide."""
        if not ticket.hidden:
            return self.holds(ticket)
        if not self.inner:
            return None if self.is_hidden(ticket) else self.holds(ticket)
        judged = [line.judge(ticket) for line in self.inner]
        decides = self.join == "any"
        return decides if decides in judged else None if None in judged else not decides

    def every_need(self) -> frozenset[Need]:
        """What must be loaded for this line and those inside it."""
        return self.needs.union(*(line.every_need() for line in self.inner))

    def every_read(self) -> frozenset[str]:
        """All that this line and those inside it read, in the words of `Ticket.hidden`."""
        return self.reads.union(*(line.every_read() for line in self.inner))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The lines of one `when` or `unless` table, in file order.

    `asks_solved` says that a `when` asks for solved tickets; then solving does not end its episodes (rule 4).
    """

    lines: tuple[Condition, ...] = ()
    asks_solved: bool = False

    def decided(self, ticket: Ticket, *, by: bool) -> tuple[bool | None, Condition | None]:
        """What the first line comes to that decides, and that line: in `when` one that fails (`by` False), in `unless`
        one that holds. Without any it is the opposite; None where that hangs on what is not shown."""
        unknown = False
        for line in self.lines:
            held = line.judge(ticket)
            if held is by:
                return by, line
            unknown = unknown or held is None
        return None if unknown else not by, None

    def maybe(self, ticket: Ticket) -> bool:
        """`when` on a snapshot: False only if a line fails whatever else is loaded and shown."""
        for line in self.lines:
            if not (line.maybe(ticket) if line.needs or line.inner or ticket.hidden else line.holds(ticket)):
                return False
        return True

    def certainly_excludes(self, ticket: Ticket) -> bool:
        """`unless` on a snapshot: True only if a line holds whatever else is loaded."""
        return any(line.certain(ticket) for line in self.lines)


def joined(path: str, text: str, join: Literal["any", "all"], inner: tuple[Condition, ...]) -> Condition:
    """One condition that holds if any, or all, of these hold. It reads nothing itself."""
    tests = tuple(line.holds for line in inner)

    def any_test(ticket: Ticket) -> bool:
        return any(test(ticket) for test in tests)

    def all_tests(ticket: Ticket) -> bool:
        return all(test(ticket) for test in tests)

    holds = any_test if join == "any" else all_tests
    return Condition(path=path, text=text, holds=holds, read=reads_nothing, inner=inner, join=join)


def reads_nothing(_: Ticket) -> Value:
    """What a line that only joins others has read."""
    return None
