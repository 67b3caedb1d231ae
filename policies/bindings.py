"""What a line reads when its field or operator needs more than the ticket: phrase packs, authority limits."""

from dataclasses import dataclass

from policies.fields import PHRASES, Field, Reader
from policies.limits import HOLDERS, Holder, Limits
from policies.model import Ticket, Value
from policies.operators import Operator, Wanted, every
from policies.phrase_packs import Pack, found, shown
from policies.references import References


@dataclass(frozen=True, slots=True)
class Bound:
    """What is tested, what a trace shows of it, and what it reads besides the field, in the words of
    `Ticket.hidden`."""

    read: Reader
    shown: Reader
    beside: frozenset[str] = frozenset()


def bound(operator: Operator, field: Field, wanted: Wanted, references: References) -> Bound:
    """The readers of one line. Most read the field, and show what they read."""
    if field.name == PHRASES:
        return of_packs([references.packs[str(name)] for name in every(wanted)])
    if operator.operand == "holder":
        return of_limits(field, references.limits, holder_of(wanted))
    return Bound(field.read, field.read)


def of_packs(packs: list[Pack]) -> Bound:
    """Only the packs that the line asks for are searched; the words are shown."""

    def names(ticket: Ticket) -> Value:
        return tuple(found(ticket, packs))

    def words(ticket: Ticket) -> Value:
        return shown(found(ticket, packs))

    return Bound(names, words)


def holder_of(wanted: Wanted) -> Holder:
    """A checked operand that says whose limit is meant."""
    return next(holder for holder in HOLDERS if holder == wanted)


def of_limits(field: Field, limits: Limits, holder: Holder) -> Bound:
    """How far the number is above the limit, missing if either is; shown are both, and whose limit it is."""

    def excess(ticket: Ticket) -> Value:
        value, limit = field.read(ticket), limits.of(ticket, holder)
        return value - limit[1] if isinstance(value, int | float) and limit is not None else None

    def both(ticket: Ticket) -> Value:
        value, limit = field.read(ticket), limits.of(ticket, holder)
        if not isinstance(value, int | float):
            return None
        return f"{value:.15g}, {said(limit, holder)}"

    return Bound(excess, both, frozenset({"assignee", "group"} if holder == "assignee" else {"group"}))


def said(limit: tuple[str, float] | None, holder: Holder) -> str:
    """The limit for a trace."""
    return f"the {holder} has no limit" if limit is None else f"the limit of {limit[0]} is {limit[1]:.15g}"
