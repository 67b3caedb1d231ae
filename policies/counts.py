"""What people did to a ticket, counted from facts (rule 5): helpdesks' own counters include triggers and us."""

from collections.abc import Iterable

from policies.facts import History, leaves_over
from policies.model import Change, Counts, Ticket, Value, Who

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
    return sum(map(is_move, moves)), bounces_of(moves)


def bounces_of(moves: list[Change]) -> int:
    """How often somebody came back to the one before last, both brought by people. That nobody had it in between does
    not count."""
    held: list[tuple[Value, bool]] = [(moves[0].before, False)] if moves and moves[0].before else []
    for move in moves:
        if move.after is not None and (not held or held[-1][0] != move.after):
            held.append((move.after, move.act.who in PEOPLE))
    triples = zip(held, held[1:], held[2:], strict=False)
    return sum(first[0] == last[0] and middle[1] and last[1] for first, middle, last in triples)


def is_reopening(change: Change) -> bool:
    """Whether a person took the ticket back out of solved."""
    return change.field == "status" and leaves_over(change) and change.act.who in PEOPLE


def is_move(move: Change) -> bool:
    """Whether a person moved the ticket from one assignee, or group, to another."""
    moved = None not in (move.before, move.after) and move.before != move.after
    return moved and move.act.who in PEOPLE
