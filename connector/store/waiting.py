"""Which tickets are owed a look: by news, by time, or by a write nobody knows the end of.

None of these questions names a ticket of a paused account. News and writes also wait for a timer that holds
the ticket back, which is how a failed look is not repeated at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, case, exists, func, or_, select

from connector.store.inbox import BACKFILL
from connector.store.schema import account, inbox, still_open, timer, write
from policies.model import Instant, TicketRef

_news_due = func.min(func.coalesce(inbox.c.due, inbox.c.received_at))

SWEEP_PER_ACCOUNT = 2000
TICK_PER_ACCOUNT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A ticket that is owed a look. `urgent` is false when only back-fill asks for it. `due` is since when something
    may be due on it: the longest overdue comes first, however it was heard of."""

    ref: TicketRef
    urgent: bool
    due: Instant


def owed(connection: Connection, now: Instant) -> tuple[Waiting, ...]:
    """All that is owed a look, at most `SWEEP_PER_ACCOUNT` an account and reason: open writes, due timers, news."""
    return (
        *with_open_write(connection, now),
        *with_due_timer(connection, now, SWEEP_PER_ACCOUNT),
        *with_news(connection, now, SWEEP_PER_ACCOUNT),
    )


def with_news(connection: Connection, now: Instant, per_account: int) -> tuple[Waiting, ...]:
    """Tickets with open inbox rows, urgent ones first, then the longest due, at most so many an account."""
    first = func.min(inbox.c.id)
    urgent = func.max(case((inbox.c.kind.in_(BACKFILL), 0), else_=1))
    rank = func.row_number().over(partition_by=inbox.c.account, order_by=(urgent.desc(), _news_due, first))
    owed = (
        select(
            inbox.c.account,
            inbox.c.ticket,
            urgent.label("urgent"),
            _news_due.label("due"),
            rank.label("rank"),
        )
        .where(still_open, ~_paused(inbox), ~_held_back(inbox, now))
        .group_by(inbox.c.account, inbox.c.ticket)
    )
    return _first_ranks(connection, owed, per_account)


def with_due_timer(connection: Connection, now: Instant, per_account: int) -> tuple[Waiting, ...]:
    """Tickets whose timer is due, urgent ones first, then the longest overdue, at most so many an account."""
    rank = func.row_number().over(partition_by=timer.c.account, order_by=(timer.c.urgent.desc(), timer.c.due))
    owed = select(
        timer.c.account,
        timer.c.ticket,
        case((timer.c.urgent, 1), else_=0).label("urgent"),
        timer.c.due,
        rank.label("rank"),
    )
    return _first_ranks(connection, owed.where(timer.c.due <= now, ~_paused(timer)), per_account)


def with_open_write(connection: Connection, now: Instant) -> tuple[Waiting, ...]:
    """Tickets with a write that was planned and may be tried, is under way, or whose outcome is unknown."""
    rows = connection.execute(
        select(write.c.account, write.c.ticket, func.min(write.c.planned_at).label("due"))
        .group_by(write.c.account, write.c.ticket)
        .where(
            write.c.state.in_(("planned", "sending", "unknown")),
            or_(write.c.next_try.is_(None), write.c.next_try <= now),
            ~_paused(write),
            ~_held_back(write, now),
        )
    )
    return tuple(Waiting(ref=TicketRef(row.account, row.ticket), urgent=True, due=row.due) for row in rows)


def due_instants(connection: Connection, refs: Iterable[TicketRef]) -> dict[TicketRef, Instant]:
    """By the open news of these tickets, since when something may be due on each."""
    by_account: dict[str, list[str]] = {}
    for ref in refs:
        by_account.setdefault(ref.account, []).append(ref.id)
    return {
        TicketRef(account, row.ticket): row.due
        for account, ids in by_account.items()
        for row in connection.execute(
            select(inbox.c.ticket, _news_due.label("due"))
            .where(inbox.c.account == account, inbox.c.ticket.in_(ids), still_open)
            .group_by(inbox.c.ticket)
        )
    }


def _first_ranks(connection: Connection, owed: Select[Any], most: int) -> tuple[Waiting, ...]:
    ranked = owed.subquery()
    rows = connection.execute(
        select(ranked).where(ranked.c.rank <= most).order_by(ranked.c.urgent.desc(), ranked.c.rank)
    )
    return tuple(
        Waiting(ref=TicketRef(row.account, row.ticket), urgent=bool(row.urgent), due=row.due) for row in rows
    )


def _paused(of: FromClause) -> ColumnElement[bool]:
    return exists().where(account.c.name == of.c.account, account.c.paused_at.is_not(None))


def _held_back(of: FromClause, now: Instant) -> ColumnElement[bool]:
    return exists().where(
        timer.c.account == of.c.account,
        timer.c.ticket == of.c.ticket,
        timer.c.holds,
        timer.c.due > now,
    )
