"""Who did it: the bot's user with our receipt is us, without one it is a foreign automation (rule 11)."""

from collections.abc import Mapping
from dataclasses import replace

from policies.model import Act, Ticket, Who

Receipts = Mapping[str, frozenset[str]]
"""A vendor's fact id, a revision (`by_revision`), or the mark of one of our writes, to the keys of the episodes that
asked for it."""


def by_revision(revision: str) -> str:
    """The name, as in `Act.id`, of whatever made this revision, where the helpdesk tells no facts."""
    return f"revision {revision}"


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
