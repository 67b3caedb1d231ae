"""Who did it: the bot's user with our receipt is us, without one it is a foreign automation (rule 11)."""

from collections.abc import Mapping
from dataclasses import replace

from policies.model import Act, Change, Ticket, Who

Receipts = Mapping[str, frozenset[str]]
"""A vendor's fact id, a revision (`by_revision`), or the mark of one of our writes, to the keys of the episodes that
asked for it."""


def by_revision(revision: str) -> str:
    """The name, as in `Act.id`, of whatever made this revision, where the helpdesk tells no facts."""
    return f"revision {revision}"


def with_moves(new: Ticket, old: Ticket | None) -> Ticket:
    """Where actors are hidden, the ticket with what two readings of it show of its assignee: the moves that `old` knew,
    and one by nobody knows whom if somebody else has the ticket now."""
    if old is None or not new.actors_hidden:
        return new
    moves = [
        each for each in old.changes if each.field == "assignee" and each.act.id.startswith(by_revision(""))
    ]
    before, after = (each.assignee.id if each.assignee else None for each in (old, new))
    if before != after and "assignee" not in old.hidden | new.hidden:
        acts = [each.act for each in new.messages] + [each.act for each in (*new.changes, *moves)]
        at = 1 + max((each.sequence for each in acts if each.at <= new.updated), default=0)
        act = Act(sequence=at, id=by_revision(new.revision), at=new.updated, who=Who.UNKNOWN)
        moves.append(Change(act=act, field="assignee", before=before, after=after))
    ours = {each.act.id for each in moves}
    kept = (each for each in new.changes if each.act.id not in ours)
    return replace(new, changes=tuple(sorted((*kept, *moves), key=lambda each: each.act.sequence)))


def recognise(ticket: Ticket, receipts: Receipts) -> Ticket:
    """The ticket with every act by BOT settled as OURS, with its episodes, or AUTOMATION, and an UNKNOWN one as OURS if
    we have a receipt for it. Where actors are hidden, `touched` says whether somebody else made this revision."""
    ours = by_revision(ticket.revision) in receipts
    return replace(
        ticket,
        messages=tuple(replace(each, act=settled(each.act, receipts)) for each in ticket.messages),
        changes=tuple(replace(each, act=settled(each.act, receipts)) for each in ticket.changes),
        touched=ticket.updated if ticket.actors_hidden and not ours else None,
    )


def settled(act: Act, receipts: Receipts) -> Act:
    """The act as a rule may meet it."""
    if act.who not in (Who.BOT, Who.UNKNOWN):
        return act
    episodes = episodes_of(act, receipts)
    if episodes:
        return replace(act, who=Who.OURS, episodes=episodes)
    return act if act.who is Who.UNKNOWN else replace(act, who=Who.AUTOMATION, unreceipted=True)


def episodes_of(act: Act, receipts: Receipts) -> frozenset[str]:
    """The episodes whose receipt names this act, by its id or by our mark on it."""
    return receipts.get(act.id) or receipts.get(act.mark or "") or frozenset()
