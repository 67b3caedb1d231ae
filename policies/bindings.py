"""What a line reads when its field or operator needs more than the ticket: phrase packs, authority limits."""

from dataclasses import dataclass

from policies.fields import PHRASES, Field, Reader
from policies.model import Ticket, Value
from policies.operators import Wanted, every
from policies.phrase_packs import Pack, found, shown
from policies.references import References


@dataclass(frozen=True, slots=True)
class Bound:
    """What is tested, and what a trace shows of it."""

    read: Reader
    shown: Reader


def bound(field: Field, wanted: Wanted, references: References) -> Bound:
    """The readers of one line. Most read the field, and show what they read."""
    if field.name == PHRASES:
        return of_packs([references.packs[str(name)] for name in every(wanted)])
    return Bound(field.read, field.read)


def of_packs(packs: list[Pack]) -> Bound:
    """Only the packs that the line asks for are searched; the words are shown."""

    def names(ticket: Ticket) -> Value:
        return tuple(found(ticket, packs))

    def words(ticket: Ticket) -> Value:
        return shown(found(ticket, packs))

    return Bound(names, words)
