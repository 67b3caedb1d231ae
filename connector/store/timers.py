"""Timers: one a ticket, the next time at which it must be looked at even if nothing is heard of it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from connector.store.dialect import put
from connector.store.schema import timer
from policies.model import Instant, TicketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """When to look at a ticket, and why. `holds`: no look before then, unless news comes in. `urgent`: a deadline
    or a person waits for it, not back-fill that was put off."""

    ref: TicketRef
    due: Instant
    why: str
    holds: bool
    urgent: bool


def start_timer(
    connection: Connection,
    ref: TicketRef,
    due: Instant,
    why: str,
    *,
    holds: bool = False,
    urgent: bool = True,
    since: Instant | None = None,
) -> None:
    """Set the ticket's timer, in place of the one it had. `since` says when a wait of known length begins, so that it
    lasts no longer when the clock is set back."""
    row = {
        "account": ref.account, "ticket": ref.id, "due": due, "why": why, "holds": holds, "urgent": urgent,
        "since": since,
    }  # fmt: skip
    put(connection, timer, [row])


def stop_timer(connection: Connection, ref: TicketRef) -> None:
    """Take the ticket's timer away."""
    connection.execute(delete(timer).where(timer.c.account == ref.account, timer.c.ticket == ref.id))


def timer_of(connection: Connection, ref: TicketRef) -> Timer | None:
    """The ticket's timer."""
    row = connection.execute(
        select(timer).where(timer.c.account == ref.account, timer.c.ticket == ref.id)
    ).first()
    return None if row is None else _timer(row)


def coming_timers(connection: Connection, limit: int) -> tuple[Timer, ...]:
    """The next timers of all accounts, the earliest first."""
    rows = connection.execute(select(timer).order_by(timer.c.due).limit(limit))
    return tuple(_timer(row) for row in rows)


def outstanding_timers(connection: Connection) -> int:
    """How many timers are set."""
    return connection.execute(select(func.count()).select_from(timer)).scalar_one()


def _timer(row: Row[Any]) -> Timer:
    ref = TicketRef(row.account, row.ticket)
    return Timer(ref=ref, due=row.due, why=row.why, holds=row.holds, urgent=row.urgent)
