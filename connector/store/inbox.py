"""The inbox: every piece of news, kept until somebody has looked at its ticket."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, select, update

from connector.store.dialect import insert
from connector.store.rows import BrokenRow, is_usable_id
from connector.store.schema import inbox, still_open
from policies.model import Instant, TicketRef

Kind = Literal["webhook", "poll", "timer", "census", "command"]

BACKFILL: tuple[Kind, ...] = ("poll", "census")
"""News that waits behind the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """News of one ticket, before it is in the inbox. `done_at` is set on what needs no look; `due` is when a level
    may be due, as far as the news tells."""

    account: str
    ticket: str
    delivery: str
    kind: Kind
    hint: str = ""
    received_at: Instant
    done_at: Instant | None = None
    due: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """News that nobody has looked at yet."""

    id: int
    kind: Kind
    hint: str
    received_at: Instant


def put_news(connection: Connection, arrivals: Sequence[Arrival]) -> tuple[TicketRef, ...]:
    """Add what is new and ignore redeliveries; answers the tickets that now are owed a look, each once. Raises
    BrokenRow for one that names no ticket that could be."""
    if not arrivals:
        return ()
    for arrival in arrivals:
        if not is_usable_id(arrival.ticket):
            raise BrokenRow(f"{arrival.ticket[:40]!r} cannot be a ticket's id")
    statement = (
        insert(connection, inbox)
        .on_conflict_do_nothing(index_elements=["account", "delivery"])
        .returning(inbox.c.account, inbox.c.ticket, inbox.c.done_at)
    )
    added = connection.execute(statement, [asdict(arrival) for arrival in arrivals])
    return tuple({TicketRef(row.account, row.ticket): None for row in added if row.done_at is None})


def open_rows(connection: Connection, ref: TicketRef) -> tuple[OpenRow, ...]:
    """What is open for this ticket, oldest first. Close these ids, and no others, when the look is stored."""
    rows = connection.execute(
        select(inbox.c.id, inbox.c.kind, inbox.c.hint, inbox.c.received_at)
        .where(inbox.c.account == ref.account, inbox.c.ticket == ref.id, still_open)
        .order_by(inbox.c.id)
    )
    return tuple(OpenRow(id=r.id, kind=r.kind, hint=r.hint, received_at=r.received_at) for r in rows)


def close(connection: Connection, ids: Iterable[int], now: Instant) -> None:
    """Say that the look these rows asked for has been taken."""
    rows = [{"row": row} for row in ids]
    if rows:
        connection.execute(update(inbox).where(inbox.c.id == bindparam("row")).values(done_at=now), rows)


def backlog(connection: Connection) -> int:
    """How many rows are open."""
    return connection.execute(select(func.count()).select_from(inbox).where(still_open)).scalar_one()


def oldest_open(connection: Connection, account: str | None = None) -> Instant | None:
    """When the open row that has waited longest came in, of all accounts or of one."""
    asked = select(func.min(inbox.c.received_at)).where(still_open)
    return connection.execute(asked if account is None else asked.where(inbox.c.account == account)).scalar()


def last_webhook(connection: Connection, account: str) -> Instant | None:
    """When a webhook of this account was last taken in, as far back as news is kept."""
    return connection.execute(
        select(func.max(inbox.c.received_at)).where(inbox.c.account == account, inbox.c.kind == "webhook")
    ).scalar()


def forget_done(connection: Connection, before: Instant) -> int:
    """Delete rows done before this instant. A redelivery of one of them would count as new."""
    return connection.execute(delete(inbox).where(inbox.c.done_at < before)).rowcount
