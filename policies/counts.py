"""What people did to a ticket, counted from facts (rule 5): helpdesks' own counters include triggers and us."""

from itertools import pairwise

from policies.model import Change, Counts, Message, Status, Ticket, Who

PEOPLE = frozenset({Who.AGENT, Who.CUSTOMER})
DONE = frozenset({Status.SOLVED, Status.CLOSED})


def counted(ticket: Ticket) -> Counts:
    """All counts, from a ticket whose messages and changes are loaded."""
    moves = [change for change in ticket.changes if change.field == "assignee"]
    return Counts(
        replies=sum(is_reply(message, ticket) for message in ticket.messages[1:]),
        reopens=sum(map(is_reopening, ticket.changes)),
        reassignments=sum(map(is_reassignment, moves)),
        bounces=sum(is_bounce(*both) for both in pairwise(moves)),
    )


def is_reply(message: Message, ticket: Ticket) -> bool:
    """Whether an agent who is not the requester said this in public."""
    requester = ticket.requester.id if ticket.requester else None
    by_agent = message.act.who is Who.AGENT and message.act.person != requester
    return message.public and by_agent and not message.auto_reply


def is_reopening(change: Change) -> bool:
    """Whether a person took the ticket back out of solved."""
    ended = change.before in DONE and change.after not in DONE
    return change.field == "status" and ended and change.act.who in PEOPLE


def is_reassignment(move: Change) -> bool:
    """Whether a person moved the ticket from one assignee to another."""
    return None not in (move.before, move.after) and move.act.who in PEOPLE


def is_bounce(earlier: Change, later: Change) -> bool:
    """Whether two moves in a row, both by people, brought the ticket back to where it was."""
    both = is_reassignment(earlier) and is_reassignment(later)
    return both and earlier.before == later.after and earlier.before != earlier.after
