"""Hard caps (rule 14): how much may be written before a human has a look, and who else may be writing."""

from sqlalchemy import Connection

from connector.settings import Caps
from connector.store import holds, ledger, writes
from connector.store.holds import Hold
from connector.work.intents import Intents
from connector.work.loops import undone
from policies.model import Instant, Ticket

MINUTE = 60
HOUR = 3600
DAY = 86400
ROUNDS_A_MINUTE = 5


def in_the_way(
    connection: Connection, ticket: Ticket, intents: Intents, caps: Caps, now: Instant
) -> Hold | None:
    """What holds these writes and notices back; None if nothing does. A release counts as a new beginning."""
    ref = ticket.ref
    if not intents.chain and not intents.notices:
        return None
    if intents.chain and (held := holds.of_ticket(connection, ref)):
        return held
    if whole := holds.on_account(connection, ref.account):
        return Hold(ref=ref, scope="account", why=whole.why, since=now)
    own, accounts = holds.released_at(connection, ref)
    if intents.chain and (hold := too_much_written(connection, ticket, intents, caps, own, now)):
        return hold
    fired = ledger.count(connection, ref.account, "fired", max(now - HOUR, accounts + 1), now)
    if fired >= caps.escalations_per_hour:
        why = f"the cap of {caps.escalations_per_hour} escalations an hour is reached for {ref.account}"
        return Hold(ref=ref, scope="account", why=why, since=now)
    return None


def too_much_written(
    connection: Connection, ticket: Ticket, intents: Intents, caps: Caps, own: Instant, now: Instant
) -> Hold | None:
    """What was written to this one ticket since its release `own`, against its caps and in search of loops."""
    ref = ticket.ref
    keys = frozenset(each.write.key for each in intents.chain)
    if writes.count_rounds(connection, ref, max(now - MINUTE, own + 1), now, keys) >= ROUNDS_A_MINUTE:
        why = f"{ROUNDS_A_MINUTE} rounds of writes to this ticket within a minute look like a loop"
        return Hold(ref=ref, scope="loop", why=why, since=now)
    if why := undone(connection, ticket, intents, own):
        return Hold(ref=ref, scope="loop", why=why, since=now)
    if writes.count_sent(connection, ref, max(now - DAY, own + 1), now, keys) >= caps.writes_per_day:
        why = f"the cap of {caps.writes_per_day} writes a day is reached for this ticket"
        return Hold(ref=ref, scope="ticket", why=why, since=now)
    return None
