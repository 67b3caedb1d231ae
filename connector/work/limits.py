"""Hard caps (rule 14) and loops: how much may be written before a human has a look, and who else undoes what it
wrote.

Within an episode a level fires once (rule 3) whatever others undo; a loop goes from episode to episode.
"""

from sqlalchemy import Connection

from adapters.base import Adapter, Note
from connector.config.settings import Caps
from connector.store import holds, ledger, tickets, writes
from connector.store.holds import Hold
from connector.store.writes import KeptWrite
from connector.work.commit import Intents
from policies.model import Instant, Ticket, Who

ROUNDS = 2
LOOP_WINDOW = 86400


def undone(connection: Connection, ticket: Ticket, intents: Intents, since: Instant) -> str:
    """A sentence if this level has been written twice, in two episodes, and no human has done anything to the
    ticket since the first of them; empty if not. What was written before `since` does not count."""
    first = intents.chain[0]
    if not first.level:
        return ""
    ours = {
        min(kept.episodes): kept.sent_at or kept.planned_at
        for kept in writes.of_level(connection, ticket.ref, first.policy, first.level)
        if kept.episodes.isdisjoint(first.episodes)
        and kept.planned_at > max(since, ticket.read_at - LOOP_WINDOW)
    }
    rounds = sorted(ours.values())[-ROUNDS:]
    if len(rounds) < ROUNDS:
        return ""
    acts = [*(one.act for one in ticket.messages if not one.auto_reply), *(one.act for one in ticket.changes)]
    if any(act.at > rounds[0] and act.who in (Who.CUSTOMER, Who.AGENT) for act in acts):
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


MINUTE = 60
HOUR = 3600
DAY = 86400
ROUNDS_A_MINUTE = 5


def in_the_way(
    connection: Connection, ticket: Ticket, intents: Intents, caps: Caps, now: Instant
) -> Hold | None:
    """What holds these writes and notices back; None if nothing does. A release counts as a new beginning: of the
    ticket for what was written to it, of the account for what was escalated there."""
    ref = ticket.ref
    if not intents.chain and not intents.notices:
        return None
    held, whole = holds.over(connection, ref)
    if intents.chain and held:
        return held
    if whole:
        return Hold(ref=ref, scope="account", why=whole.why, since=now)
    if _reached(connection, ticket, intents, caps, now, own=0, accounts=0) is None:
        return None
    own, accounts = ledger.last_released(connection, ref)
    return _reached(connection, ticket, intents, caps, now, own=own, accounts=accounts)


def _reached(
    connection: Connection,
    ticket: Ticket,
    intents: Intents,
    caps: Caps,
    now: Instant,
    *,
    own: Instant,
    accounts: Instant,
) -> Hold | None:
    """The cap or loop that is reached, where the ticket itself and its account were last released then."""
    ref = ticket.ref
    if intents.chain:
        rounds, sent = writes.count_sent(
            connection,
            ref,
            rounds_since=max(now - MINUTE, own + 1),
            since=max(now - DAY, own + 1),
            now=now,
            besides=frozenset(each.write.key for each in intents.chain),
        )
        if rounds >= ROUNDS_A_MINUTE:
            why = f"{ROUNDS_A_MINUTE} rounds of writes to this ticket within a minute look like a loop"
            return Hold(ref=ref, scope="loop", why=why, since=now)
        if sent >= ROUNDS and (why := undone(connection, ticket, intents, own)):
            return Hold(ref=ref, scope="loop", why=why, since=now)
        if sent >= caps.writes_per_day:
            why = f"the cap of {caps.writes_per_day} writes a day is reached for this ticket"
            return Hold(ref=ref, scope="ticket", why=why, since=now)
    fired = ledger.count(connection, ref.account, "fired", max(now - HOUR, accounts + 1), now)
    if fired >= caps.escalations_per_hour:
        why = f"the cap of {caps.escalations_per_hour} escalations an hour is reached for {ref.account}"
        return Hold(ref=ref, scope="account", why=why, since=now)
    return None
