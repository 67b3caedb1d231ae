"""What people did to a ticket, counted from facts (rule 5): helpdesks' own counters include triggers and us."""

from itertools import pairwise

from policies.facts import History, leaves_over
from policies.model import Change, Counts, Ticket, Who

PEOPLE = frozenset({Who.AGENT, Who.CUSTOMER})
PUBLIC = frozenset({"public"})


def counted(ticket: Ticket) -> Counts:
    """All counts, from a ticket whose messages and changes are loaded."""
    history = History.of(ticket, PUBLIC)
    moves = list(history.changes("assignee"))
    return Counts(
        replies=sum(map(history.is_reply, history.facts)),
        reopens=sum(map(is_reopening, ticket.changes)),
        reassignments=sum(map(is_reassignment, moves)),
        bounces=sum(is_bounce(*both) for both in pairwise(moves)),
    )


def is_reopening(change: Change) -> bool:
    """Whether a person took the ticket back out of solved."""
    return change.field == "status" and leaves_over(change) and change.act.who in PEOPLE


def is_reassignment(move: Change) -> bool:
    """Whether a person moved the ticket from one assignee to another."""
    moved = None not in (move.before, move.after) and move.before != move.after
    return moved and move.act.who in PEOPLE


def is_bounce(earlier: Change, later: Change) -> bool:
    """Whether two moves in a row, both by people, brought the ticket back to where it was."""
    both = is_reassignment(earlier) and is_reassignment(later)
    return both and earlier.before == later.after
