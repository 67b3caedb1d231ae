"""From what is kept of a ticket to the case that a report counts. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from connector.report.cases import Case, Moves, Solving, Stay
from connector.report.escalated import escalations
from connector.report.frame import Frame, People
from connector.report.promises import over_stretches, promises, solved_last, waits
from connector.report.stretches import overlaps
from connector.store.reported import Reported
from policies.counting import pauses
from policies.counts import is_reopening, moves_of
from policies.facts import OVER, History
from policies.model import Change, Need, Status, Ticket, Who

RESTING = frozenset({Status.PENDING.value, Status.ON_HOLD.value})
PUBLIC = frozenset({"public"})


def case_of(kept: Reported, frame: Frame, people: People) -> Case:
    """The case of one ticket. What was not loaded stays empty."""
    ticket = kept.ticket
    told = {Need.MESSAGES, Need.CHANGES} <= ticket.loaded
    history = History.of(ticket, PUBLIC) if told else None
    over = ticket.status in OVER
    cause = ticket.custom.get("cause")
    case = Case(
        ref=ticket.ref,
        created=ticket.created,
        group=ticket.group.name if ticket.group else "no group",
        is_open=not over and ticket.gone is None,
        told=told,
        gone=ticket.gone is not None,
        cause=None if cause is None else str(cause),
        rating=ticket.satisfaction,
        rating_loaded=Need.RATING in ticket.loaded,
        escalations=escalations(kept, history, frame, people),
        promises=promises(ticket, history, frame),
    )
    if history is None:
        since = ticket.status_since if ticket.status is Status.SOLVED else None
        return replace(case, solved=since, solving_untold=over and since is None)
    return with_history(case, ticket, history, frame, people)


def with_history(case: Case, ticket: Ticket, history: History, frame: Frame, people: People) -> Case:
    """The case with what its history tells."""
    solved = solved_last(ticket, history)
    if solved is None and ticket.status is Status.SOLVED:
        solved = ticket.status_since
    resting = pauses(ticket, history, RESTING, frame.now)
    return replace(
        case,
        first_reply=next((fact.act.at for fact in history.facts if history.is_reply(fact)), None),
        solvings=tuple(solvings(history, frame)),
        solved=solved,
        solving_untold=ticket.status in OVER and solved is None,
        moves=moves(history),
        stays=tuple(stays(ticket, history, frame, people)),
        paused=resting,
        paused_waiting=tuple(overlaps(resting, waits(ticket, history, frame.now))) if resting else (),
    )


def solvings(history: History, frame: Frame) -> Iterator[Solving]:
    """Every time the ticket was solved, oldest first, with the reopening by a person that followed."""
    changes = list(history.changes("status"))
    replies = [fact.act.at for fact in history.facts if history.is_reply(fact)]
    ends = [place for place, each in enumerate(changes) if each.after in OVER and each.before not in OVER]
    for place, following in pairwise((*ends, None)):
        assert place is not None
        at = changes[place].act.at
        reopened = next((c.act.at for c in changes[place + 1 : following] if is_reopening(c)), None)
        solved_again = None if following is None or reopened is None else changes[following].act.at
        again = solved_again is not None and not any(
            (reopened or 0) <= each <= solved_again for each in replies
        )
        yield Solving(
            at=at, reopened=reopened, again=again, replies=sum(each <= at + frame.window for each in replies)
        )


def moves(history: History) -> Moves:
    """Changes from one group to another, by who made them."""
    changes = [each for each in history.changes("group") if None not in (each.before, each.after)]
    people, back = moves_of(history.changes("group"), "group")
    ours = sum(each.act.who is Who.OURS for each in changes)
    return Moves(
        people=people,
        ours=ours,
        automation=len(changes) - people - ours,
        back_by_people=back > 0,
        back=any(one.before == other.after for one, other in pairwise(changes)),
    )


def stays(ticket: Ticket, history: History, frame: Frame, people: People) -> Iterator[Stay]:
    """How long the ticket was, unsolved, in each group, until now; solved time is nobody's."""
    changes = list(history.changes("group"))
    first = changes[0].before if changes else (ticket.group.id if ticket.group else None)
    named = {ticket.group.id: ticket.group.name} if ticket.group else {}
    over = over_stretches(ticket, history, frame.now)
    entries: list[tuple[int, int, object]] = [(ticket.created, -1, first)]
    entries += [(each.act.at, each.act.sequence, each.after) for each in changes]
    for (start, sequence, group), after in zip(entries, (*entries[1:], None), strict=True):
        end = after[0] if after else frame.now
        seconds = max(end - start, 0) - sum(e - s for s, e in overlaps(over, ((start, end),)))
        if seconds > 0:
            yield Stay(
                group=named.get(str(group)) or people.name(group),
                start=start,
                seconds=seconds,
                first_act=first_act(history, sequence, after[1] if after else None),
            )


def first_act(history: History, after: int, until: int | None) -> int | None:
    """When an agent first did something after this fact, up to that one."""
    for fact in history.facts:
        if fact.act.sequence <= after or (not isinstance(fact, Change) and history.is_opening(fact)):
            continue
        if until is not None and fact.act.sequence > until:
            return None
        if fact.act.who is Who.AGENT and history.is_human(fact):
            return fact.act.at
    return None
