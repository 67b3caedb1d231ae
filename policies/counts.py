"""What people did to a ticket, counted from facts (rule 5): helpdesks' own counters include triggers and us."""

from collections.abc import Iterable
from itertools import pairwise

from policies.facts import History, leaves_over
from policies.model import Change, Counts, Ticket, Who

PEOPLE = frozenset({Who.AGENT, Who.CUSTOMER})
PUBLIC = frozenset({"public"})


def counted(ticket: Ticket) -> Counts:
    """All counts, from a ticket whose messages and changes are loaded."""
    history = History.of(ticket, PUBLIC)
    reassignments, bounces = moves_of(ticket.changes, "assignee")
    group_moves, group_bounces = moves_of(ticket.changes, "group")
    return Counts(
        replies=sum(map(history.is_reply, history.facts)),
        reopens=sum(map(is_reopening, ticket.changes)),
        reassignments=reassignments,
        bounces=bounces,
        group_moves=group_moves,
        group_bounces=group_bounces,
    )


def moves_of(changes: Iterable[Change], field: str) -> tuple[int, int]:
    """How often people moved a ticket between assignees or groups, and how often back to the one before last."""
    moves = [each for each in changes if each.field == field and each.before != each.after]
    return sum(map(is_move, moves)), sum(is_bounce(*both) for both in pairwise(moves))


def is_reopening(change: Change) -> bool:
    """Whether a person took the ticket back out of solved."""
    return change.field == "status" and leaves_over(change) and change.act.who in PEOPLE


def is_move(move: Change) -> bool:
    """Whether a person moved the ticket from one assignee, or group, to another."""
    moved = None not in (move.before, move.after) and move.before != move.after
    return moved and move.act.who in PEOPLE


def is_bounce(earlier: Change, later: Change) -> bool:
    """Whether two moves in a row, both by people, brought the ticket back to where it was."""
    both = is_move(earlier) and is_move(later)
    return both and earlier.before == later.after
