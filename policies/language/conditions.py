"""Conditions, compiled to closures once and judged against a ticket.

A custom field is read as what its operator asks for; what cannot be read so is a missing value. Helpdesks send numbers
and checkboxes as text at times.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal

from policies.language.fields import FIELDS, PHRASES, Field, Kind, Reader
from policies.language.operators import IS, OPERATORS, Operator, every
from policies.language.phrases import Pack, found, shown
from policies.language.vocabulary import HOLDERS, Holder
from policies.model import Need, Status, Ticket, Value, Wanted

Join = Literal["any", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition: a test of one field, or several joined by `inner_any` (OR) or not (AND).

    `needs` is what must be loaded for the line's own test; inner lines have their own. `reads` is what it reads, in
    the words of `Ticket.hidden`. `shown` is what a trace shows instead of what was read. `operator` and `wanted` are
    the test as written; the `operator` of a line of inner lines is `any`, `all`, or `and` for those of one table.
    """

    path: str
    operator: str
    text: str
    holds: Callable[[Ticket], bool] = field(compare=False, repr=False)
    read: Callable[[Ticket], Value] = field(compare=False, repr=False)
    shown: Callable[[Ticket], Value] | None = field(default=None, compare=False, repr=False)
    needs: frozenset[Need] = frozenset()
    reads: frozenset[str] = frozenset()
    inner: tuple["Condition", ...] = ()
    join: Join = "all"
    wanted: Wanted | None = None

    def judge(self, ticket: Ticket) -> bool | None:
        """Whether the line holds on this ticket; None where that hangs on what the helpdesk does not show."""
        if not ticket.hidden:
            return self.holds(ticket)
        if not self.inner:
            return self.holds(ticket) if self.reads.isdisjoint(ticket.hidden) else None
        return self.together([line.judge(ticket) for line in self.inner])

    def on_row(self, ticket: Ticket) -> bool | None:
        """Whether the line holds on this row whatever else is loaded and shown; None where that hangs on it."""
        if self.inner:
            return self.together([line.on_row(ticket) for line in self.inner])
        if self.needs and not self.needs <= ticket.loaded:
            return None
        return None if ticket.hidden and not self.reads.isdisjoint(ticket.hidden) else self.holds(ticket)

    def together(self, judged: list[bool | None]) -> bool | None:
        """What the lines inside it come to; what can be read may decide."""
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


def said(path: str, operator: str, wanted: Wanted | None, inner: Sequence[str] = ()) -> str:
    """A line in words, by what was written; `inner` are the words of the lines in it."""
    if operator == "and":
        return " and ".join(inner)
    if operator in ("any", "all"):
        return f"{operator} of {len(inner)} conditions"
    return f"{path} {OPERATORS.get(operator, IS).says(wanted)}" if wanted is not None else path


def joined(path: str, operator: str, join: Join, inner: tuple[Condition, ...]) -> Condition:
    """One condition that holds if any, or all, of these hold. It reads nothing itself."""
    tests = tuple(line.holds for line in inner)

    def any_test(ticket: Ticket) -> bool:
        return any(test(ticket) for test in tests)

    def all_tests(ticket: Ticket) -> bool:
        return all(test(ticket) for test in tests)

    holds = any_test if join == "any" else all_tests
    return Condition(
        path=path,
        operator=operator,
        text=said(path, operator, None, [line.text for line in inner]),
        holds=holds,
        read=reads_nothing,
        inner=inner,
        join=join,
    )


def reads_nothing(_: Ticket) -> Value:
    """What a line that only joins others has read."""
    return None


# --- how a line is made ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of the config: people by address, or by name where they have none, and groups by name."""

    people: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, float] = field(default_factory=dict)

    def any_for(self, holder: Holder) -> bool:
        """Whether anybody has a limit that this holder could be judged by; a group's serves its people too."""
        return bool(self.groups or (holder == "assignee" and self.people))

    def of(self, ticket: Ticket, holder: Holder) -> tuple[str, float] | None:
        """Whose limit decides on this ticket, and the limit: the assignee's own goes before that of the ticket's
        group. None if nobody is there who has one."""
        if holder == "assignee":
            if ticket.assignee is None:
                return None
            if ticket.assignee.label in self.people:
                return ticket.assignee.label, self.people[ticket.assignee.label]
        if ticket.group is not None and ticket.group.name in self.groups:
            return ticket.group.name, self.groups[ticket.group.name]
        return None


def tested(
    operator: Operator, field: Field, wanted: Wanted, packs: Mapping[str, Pack], limits: Limits
) -> Condition:
    """The test as a closure over the field's reader. A custom field is read as what the operator asks for."""
    if field.kind == "custom":
        kind, raw = kind_asked(operator, wanted), field.read
        turn = TURN[kind]
        field = replace(field, kind=kind, read=lambda ticket: turn(raw(ticket)))
    reads, test = bound(operator, field, wanted, packs, limits), operator.build(wanted, field)
    read = reads.read
    return Condition(
        path=field.name,
        text=said(field.name, operator.name, wanted),
        needs=field.needs,
        reads=field.reads | reads.beside,
        read=read,
        shown=reads.shown,
        operator=operator.name,
        wanted=wanted,
        holds=lambda ticket: test(read(ticket)),
    )


def still_open(asks_solved: bool) -> Condition:
    """The line that every `when` has without saying so."""
    refused = frozenset({Status.CLOSED} if asks_solved else {Status.SOLVED, Status.CLOSED})
    wanted = tuple(each.value for each in Status if each in refused)
    return Condition(
        path="status",
        text=said("status", "not_in", wanted),
        holds=lambda ticket: ticket.status not in refused,
        read=FIELDS["status"].read,
        reads=FIELDS["status"].reads,
        operator="not_in",
        wanted=wanted,
    )


@dataclass(frozen=True, slots=True)
class Bound:
    """What is tested, what a trace shows of it, and what it reads besides the field, in the words of
    `Ticket.hidden`."""

    read: Reader
    shown: Reader
    beside: frozenset[str] = frozenset()


def bound(
    operator: Operator, field: Field, wanted: Wanted, packs: Mapping[str, Pack], limits: Limits
) -> Bound:
    """The readers of one line. Most read the field, and show what they read. Of phrases only the packs that the line
    asks for are searched; the words are shown."""
    if operator.operand == "holder":
        return of_limits(field, limits, holder_of(wanted))
    if field.name != PHRASES:
        return Bound(field.read, field.read)
    asked = [packs[str(name)] for name in every(wanted)]
    return Bound(lambda ticket: tuple(found(ticket, asked)), lambda ticket: shown(found(ticket, asked)))


def holder_of(wanted: Wanted) -> Holder:
    """A checked operand that says whose limit is meant."""
    return next(holder for holder in HOLDERS if holder == wanted)


def of_limits(field: Field, limits: Limits, holder: Holder) -> Bound:
    """How far the number is above the limit, missing if either is; shown are the number and, where there is a limit,
    whose it is and how much."""

    def excess(ticket: Ticket) -> Value:
        value, limit = field.read(ticket), limits.of(ticket, holder)
        return value - limit[1] if isinstance(value, int | float) and limit is not None else None

    def both(ticket: Ticket) -> Value:
        value, limit = field.read(ticket), limits.of(ticket, holder)
        if not isinstance(value, int | float):
            return None
        return f"{value:.15g}", *((limit[0], f"{limit[1]:.15g}") if limit else ())

    return Bound(excess, both, frozenset({"assignee", "group"} if holder == "assignee" else {"group"}))


def kind_asked(operator: Operator, wanted: Wanted) -> Kind:
    """The kind of value that this operator and operand ask for."""
    if operator.name == "known":
        return "custom"
    if operator.operand in ("number", "holder"):
        return "number"
    if "list" in operator.kinds:
        return "list"
    first = every(wanted)[0]
    if isinstance(first, bool):
        return "yes_no"
    return "text" if isinstance(first, str) else "number"


def as_it_is(value: Value) -> Value:
    """An empty text or list is a missing value."""
    return None if value in ("", ()) else value


def as_text(value: Value) -> Value:
    """A text, or a number as text."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    return (value if isinstance(value, str) else f"{value:g}") or None


def as_number(value: Value) -> Value:
    """A number, or a text that is one."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None


def as_yes_no(value: Value) -> Value:
    """A yes or no, or the text `true` or `false`."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.casefold())
    return value if isinstance(value, bool) else None


def as_list(value: Value) -> Value:
    """A list; a single value is a list of one, a missing one an empty list."""
    if isinstance(value, tuple):
        return value
    text = as_text(value)
    return (text,) if isinstance(text, str) else ()


TURN: Mapping[Kind, Callable[[Value], Value]] = {
    "custom": as_it_is,
    "text": as_text,
    "number": as_number,
    "yes_no": as_yes_no,
    "list": as_list,
}
