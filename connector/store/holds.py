"""Holds: tickets to which nothing is written until a human has had a look and releases them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select

from connector.store import inbox, ledger
from connector.store.dialect import insert, put_row
from connector.store.inbox import Arrival
from connector.store.ledger import Line
from connector.store.schema import hold as hold_table
from policies.model import Instant, TicketRef

Scope = Literal["ticket", "loop", "account", "parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One ticket that is held. With the scope `account` so is everything else there; `loop` says that the
    ticket is told so, by a note; `parts`, that the helpdesk does not keep what is written."""

    ref: TicketRef
    scope: Scope
    why: str
    since: Instant


def put_hold(connection: Connection, hold: Hold) -> bool:
    """Hold a ticket; False, with nothing changed, if it is held already."""
    row = {
        "account": hold.ref.account,
        "ticket": hold.ref.id,
        "scope": hold.scope,
        "why": hold.why,
        "since": hold.since,
    }
    statement = insert(connection, hold_table).values(row).on_conflict_do_nothing()
    return put_row(connection, statement, hold_table.c.ticket)


def of_ticket(connection: Connection, ref: TicketRef) -> Hold | None:
    """The hold on this ticket."""
    row = connection.execute(select(hold_table).where(*_of(ref))).mappings().first()
    return None if row is None else _hold(row)


def on_account(connection: Connection, account: str) -> Hold | None:
    """The oldest hold that is on the whole account."""
    rows = connection.execute(
        select(hold_table)
        .where(hold_table.c.account == account, hold_table.c.scope == "account")
        .order_by(hold_table.c.since)
        .limit(1)
    ).mappings()
    return next(map(_hold, rows), None)


def every(connection: Connection) -> tuple[Hold, ...]:
    """All holds, the oldest first."""
    rows = connection.execute(
        select(hold_table).order_by(hold_table.c.since, hold_table.c.account, hold_table.c.ticket)
    ).mappings()
    return tuple(map(_hold, rows))


def drop(connection: Connection, ref: TicketRef, *, over: bool) -> None:
    """Forget the hold on a ticket for which there is nothing to write any more. A loop is not over with it; what
    the helpdesk did not keep is once all is `over`."""
    stays = ("loop",) if over else ("loop", "parts")
    connection.execute(delete(hold_table).where(*_of(ref), hold_table.c.scope.not_in(stays)))


def release(
    connection: Connection,
    held: Sequence[Hold],
    account: str,
    ticket: str,
    *,
    who: str,
    why: str,
    now: Instant,
) -> None:
    """Let these go on: they are owed a look, and the caps of the ticket, or of the account where `ticket` is
    empty, count anew from here."""
    for one in held:
        connection.execute(delete(hold_table).where(*_of(one.ref)))
    line = Line(at=now, account=account, ticket=ticket, what="released", who=who, text=why)
    ledger.append(connection, [line])
    inbox.put_news(
        connection,
        [
            Arrival(
                account=one.ref.account,
                ticket=one.ref.id,
                delivery=f"released:{one.ref.id}:{now}",
                kind="command",
                received_at=now,
            )
            for one in held
        ],
    )


def released_at(connection: Connection, ref: TicketRef) -> tuple[Instant, Instant]:
    """When the ticket and when its account were last released; 0 for never."""
    return (
        ledger.last(connection, ref.account, ref.id, "released") or 0,
        ledger.last(connection, ref.account, "", "released") or 0,
    )


def _of(ref: TicketRef) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return hold_table.c.account == ref.account, hold_table.c.ticket == ref.id


def _hold(row: RowMapping) -> Hold:
    return Hold(
        ref=TicketRef(row["account"], row["ticket"]), scope=row["scope"], why=row["why"], since=row["since"]
    )
