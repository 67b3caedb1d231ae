"""Hard caps (rule 14): how much may be written before a human has a look."""

from sqlalchemy import Connection

from connector.settings import Caps
from connector.store import ledger, writes
from policies.model import Instant, TicketRef

MINUTE = 60
HOUR = 3600
DAY = 86400
ROUNDS_A_MINUTE = 5


def reached(connection: Connection, ref: TicketRef, caps: Caps, now: Instant) -> str | None:
    """The cap that stands in the way of another write to this ticket, as a sentence; None if none does."""
    if writes.count_rounds(connection, ref, now - MINUTE) >= ROUNDS_A_MINUTE:
        return f"{ROUNDS_A_MINUTE} rounds of writes to this ticket within a minute look like a loop"
    if writes.count_sent(connection, ref, now - DAY) >= caps.writes_per_day:
        return f"the cap of {caps.writes_per_day} writes a day is reached for this ticket"
    if ledger.count(connection, ref.account, "fired", now - HOUR) >= caps.escalations_per_hour:
        return f"the cap of {caps.escalations_per_hour} escalations an hour is reached for {ref.account}"
    return None
