"""Who did it: the bot's user with our receipt is us, without one it is a foreign automation (rule 11)."""

from collections.abc import Mapping
from dataclasses import replace

from policies.model import Act, Ticket, Who

Receipts = Mapping[str, frozenset[str]]
"""A vendor's fact id, or the mark of one of our writes, to the keys of the episodes that asked for it."""


def recognise(ticket: Ticket, receipts: Receipts) -> Ticket:
    """The ticket with every act by BOT settled as OURS, with its episodes, or AUTOMATION."""
    return replace(
        ticket,
        messages=tuple(replace(each, act=settled(each.act, receipts)) for each in ticket.messages),
        changes=tuple(replace(each, act=settled(each.act, receipts)) for each in ticket.changes),
    )


def unreceipted(ticket: Ticket, receipts: Receipts) -> tuple[Act, ...]:
    """What the bot's user did without our receipt: somebody else uses it, which is worth one alert."""
    acts = [each.act for each in ticket.messages] + [each.act for each in ticket.changes]
    return tuple(act for act in acts if settled(act, receipts) != act and not episodes_of(act, receipts))


def settled(act: Act, receipts: Receipts) -> Act:
    """The act as a rule may meet it."""
    if act.who is not Who.BOT:
        return act
    episodes = episodes_of(act, receipts)
    if not episodes:
        return replace(act, who=Who.AUTOMATION)
    return replace(act, who=Who.OURS, episodes=episodes)


def episodes_of(act: Act, receipts: Receipts) -> frozenset[str]:
    """The episodes whose receipt names this act, by its id or by our mark on it."""
    return receipts.get(act.id) or receipts.get(act.mark or "") or frozenset()
