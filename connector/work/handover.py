"""What a hand-over says of a ticket: what it is about, and what was tried. Internal: it quotes notes."""

from policies.history import History
from policies.model import Message, Ticket

LONGEST_SUMMARY = 300
LONGEST_STEP = 160
STEPS = 3


def summary(ticket: Ticket) -> str:
    """The subject and the customer's newest message, on one line."""
    history = History.of(ticket, frozenset())
    theirs = [fact.body for fact in history.facts if isinstance(fact, Message) and history.is_customers(fact)]
    newest = next((body for body in reversed(theirs) if body.strip()), ticket.description)
    return cut(": ".join(part for part in (ticket.subject, newest) if part.strip()), LONGEST_SUMMARY)


def tried(ticket: Ticket) -> tuple[str, ...]:
    """The last things that agents said on the ticket, notes included, oldest first."""
    history = History.of(ticket, frozenset())
    said = [fact.body for fact in history.facts if isinstance(fact, Message) and history.is_agents(fact)]
    return tuple(cut(body, LONGEST_STEP) for body in said[-STEPS:] if body.strip())


def cut(text: str, longest: int) -> str:
    """The text on one line, no longer than this."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
