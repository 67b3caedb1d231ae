"""Loops: another automation undoes what makes a level fire or what it wrote, so that it fires again and again.

Within an episode a level fires once (rule 3) whatever others undo; a loop goes from episode to episode."""

from sqlalchemy import Connection

from adapters.base import Adapter, Note
from connector.store import tickets, writes
from connector.store.holds import Hold
from connector.store.writes import KeptWrite
from connector.work.intents import Intents
from policies.model import Instant, Ticket, Who

ROUNDS = 2
DAY = 86400


def undone(connection: Connection, ticket: Ticket, intents: Intents, since: Instant) -> str:
    """A sentence if this level has been written twice, in two episodes, and no human has done anything to the
    ticket since the first of them; empty if not. What was written before `since` does not count."""
    first = intents.chain[0]
    if not first.level:
        return ""
    ours = {
        min(kept.episodes): kept.sent_at or kept.planned_at
        for kept in writes.of_level(connection, ticket.ref, first.policy, first.level)
        if kept.episodes.isdisjoint(first.episodes) and kept.planned_at > max(since, ticket.read_at - DAY)
    }
    rounds = sorted(ours.values())[-ROUNDS:]
    if len(rounds) < ROUNDS or human_since(ticket, rounds[0]):
        return ""
    return (
        f"{first.policy} / {first.level} was written {ROUNDS} times and is due again, and no human did anything in "
        "between: another automation may be at work"
    )


def loop_note(
    connection: Connection, adapter: Adapter, ticket: Ticket, hold: Hold, intents: Intents, now: Instant
) -> tuple[KeptWrite, ...]:
    """The one note that tells whoever reads the ticket why Uptier has stopped, kept to be sent; nothing for
    other holds, or once it is there."""
    if hold.scope != "loop":
        return ()
    first = intents.chain[0]
    text = (
        f"Uptier has stopped writing to this ticket: {hold.why}. To let it go on: uptier release {ticket.ref}"
    )
    prepared = adapter.prepare(ticket, (Note(public=False, body=text),), f"{ticket.ref}:loop:{hold.since}")
    for place, write in enumerate(prepared.writes):
        writes.plan(
            connection,
            write,
            episodes=first.episodes,
            policy=first.policy,
            level="",
            place=place,
            now=now,
        )
    return writes.take_over(connection, ticket.ref, tickets.looks(connection, ticket.ref), now)


def human_since(ticket: Ticket, since: Instant) -> bool:
    """Whether a customer or an agent has said or changed anything since then."""
    acts = [*(one.act for one in ticket.messages if not one.auto_reply), *(one.act for one in ticket.changes)]
    return any(act.at > since and act.who in (Who.CUSTOMER, Who.AGENT) for act in acts)
