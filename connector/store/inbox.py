"""What is owed a look: news kept until somebody has looked, people's orders, timers, and writes nobody knows the
end of.

None of these questions names a ticket of a paused account. News and writes also wait for a timer that holds
the ticket back, which is how a failed look is not repeated at once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from connector.store import codec
from connector.store.database import BrokenRow, insert_in, is_usable_id, put, rows_of, the
from connector.store.schema import Text, account, inbox, is_open_write, still_open, ticket, timer, write
from policies.model import Instant, Order, TicketRef

Kind = Literal["webhook", "poll", "timer", "census", "command", "plan", "known"]
"""`known` asks for a look at the ticket as it is known, which loads it only where a level would act by that."""

BACKFILL: tuple[Kind, ...] = ("poll", "census", "known")
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
    """News that nobody has looked at yet; `order` is what a person ordered, where it is that."""

    id: int
    kind: Kind
    hint: str
    order: Order | None
    received_at: Instant


_TOLD = tuple(each.name for each in fields(Arrival))


@cache
def _news(dialect: str) -> ReturningInsert[tuple[str, str, Instant | None]]:
    return (
        insert_in(dialect, inbox)
        .on_conflict_do_nothing(index_elements=["account", "delivery"])
        .returning(inbox.c.account, inbox.c.ticket, inbox.c.done_at)
    )


def put_news(connection: Connection, arrivals: Sequence[Arrival]) -> tuple[TicketRef, ...]:
    """Add what is new and ignore redeliveries; answers the tickets that now are owed a look, each once. Raises
    BrokenRow for one that names no ticket that could be."""
    if not arrivals:
        return ()
    for arrival in arrivals:
        if not is_usable_id(arrival.ticket):
            raise BrokenRow(f"{arrival.ticket[:40]!r} cannot be a ticket's id")
    rows = [
        {name: getattr(arrival, name) for name in _TOLD}
        | {
            "urgent": arrival.kind not in BACKFILL,
            "due": arrival.received_at if arrival.due is None else arrival.due,
        }
        for arrival in arrivals
    ]
    added = connection.execute(_news(connection.dialect.name), rows)
    return tuple({TicketRef(row.account, row.ticket): None for row in added if row.done_at is None})


_OPEN_ROWS = (
    select(inbox.c.id, inbox.c.kind, inbox.c.hint, inbox.c.received_at)
    .where(*rows_of(inbox.c.account, inbox.c.ticket), still_open)
    .order_by(inbox.c.id)
)
_CLOSE = update(inbox).where(inbox.c.id == bindparam("row")).values(done_at=bindparam("now"))


def open_rows(connection: Connection, ref: TicketRef) -> tuple[OpenRow, ...]:
    """What is open for this ticket, oldest first. Close these ids, and no others, when the look is stored."""
    return tuple(
        open_row(row.id, row.kind, row.hint, row.received_at)
        for row in connection.execute(_OPEN_ROWS, the(ref))
    )


def open_row(row: int, kind: Kind, hint: str, received_at: Instant) -> OpenRow:
    """A row as it is kept."""
    order = codec.load(Order, hint) if kind == "command" and hint else None
    return OpenRow(id=row, kind=kind, hint=hint, order=order, received_at=received_at)


def note(connection: Connection, row: int, hint: str) -> None:
    """Keep with a row that is still open how far its look has come."""
    connection.execute(update(inbox).where(inbox.c.id == row).values(hint=hint))


def close(connection: Connection, ids: Iterable[int], now: Instant) -> None:
    """Say that the look these rows asked for has been taken."""
    rows = [{"row": row, "now": now} for row in ids]
    if rows:
        connection.execute(_CLOSE, rows)


def backlog(connection: Connection) -> int:
    """How many rows are open."""
    return connection.execute(select(func.count()).select_from(inbox).where(still_open)).scalar_one()


def unseen(connection: Connection, names: Collection[str], most: int) -> int:
    """How many tickets of these accounts wait for a look that news asks for, at most so many."""
    asked = select(inbox.c.ticket).where(inbox.c.account == bindparam("of"), still_open).distinct()
    counted = select(func.count()).select_from(asked.limit(bindparam("most")).subquery())
    many = (connection.execute(counted, {"of": name, "most": most}).scalar_one() for name in names)
    return min(sum(many), most)


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


_STOP_TIMER = delete(timer).where(*rows_of(timer.c.account, timer.c.ticket))
_TIMER = select(timer).where(*rows_of(timer.c.account, timer.c.ticket))


def stop_timer(connection: Connection, ref: TicketRef) -> None:
    """Take the ticket's timer away."""
    connection.execute(_STOP_TIMER, the(ref))


LEVEL_DUE = "a level, or what it waits for, is due"
ASSIGNED = "whether an assignment still stands, of which no row has told"
"""Why a timer is set."""

_next_look = (
    select(ticket.c.next_look)
    .where(ticket.c.account == timer.c.account, ticket.c.id == timer.c.ticket)
    .scalar_subquery()
)


def assignment_stands(connection: Connection, account: str, tickets: Collection[str]) -> None:
    """These tickets, by id, were met as our writes left them: nobody need ask, and each waits for its next level."""
    if tickets:
        asked = timer.c.account == account, timer.c.ticket.in_(tuple(tickets)), timer.c.why == ASSIGNED
        connection.execute(delete(timer).where(*asked, _next_look.is_(None)))
        connection.execute(update(timer).where(*asked).values(due=_next_look, why=LEVEL_DUE, since=None))


def timer_of(connection: Connection, ref: TicketRef) -> Timer | None:
    """The ticket's timer."""
    row = connection.execute(_TIMER, the(ref)).first()
    if row is None:
        return None
    return Timer(ref=ref, due=row.due, why=row.why, holds=row.holds, urgent=row.urgent)


def coming_timers(connection: Connection, limit: int) -> tuple[Timer, ...]:
    """The next timers of all accounts, the earliest first."""
    rows = connection.execute(select(timer).order_by(timer.c.due).limit(limit))
    return tuple(
        Timer(
            ref=TicketRef(row.account, row.ticket),
            due=row.due,
            why=row.why,
            holds=row.holds,
            urgent=row.urgent,
        )
        for row in rows
    )


def outstanding_timers(connection: Connection) -> int:
    """How many timers are set."""
    return connection.execute(select(func.count()).select_from(timer)).scalar_one()


_due = func.coalesce(inbox.c.due, inbox.c.received_at)
"""Since when something may be due by a row; a process of an earlier release leaves it to the time of receipt."""

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
        *with_open_write(connection, now, SWEEP_PER_ACCOUNT),
        *with_due_timer(connection, now, SWEEP_PER_ACCOUNT),
        *with_news(connection, now, SWEEP_PER_ACCOUNT),
    )


def with_news(connection: Connection, now: Instant, per_account: int) -> tuple[Waiting, ...]:
    """Tickets with open inbox rows, urgent ones first, then the longest due, at most so many an account."""
    return _first(connection, _HAVE_NEWS, _WITH_NEWS, now, per_account)


def with_due_timer(connection: Connection, now: Instant, per_account: int) -> tuple[Waiting, ...]:
    """Tickets whose timer is due, urgent ones first, then the longest overdue, at most so many an account."""
    return _first(connection, _HAVE_TIMERS, _WITH_DUE_TIMER, now, per_account)


def with_open_write(connection: Connection, now: Instant, per_account: int) -> tuple[Waiting, ...]:
    """Tickets with a write that was planned and may be tried, is under way, or whose outcome is unknown, the longest
    planned first, at most so many an account."""
    return _first(connection, _HAVE_WRITES, _WITH_OPEN_WRITE, now, per_account, (True,))


def due_instants(connection: Connection, refs: Iterable[TicketRef]) -> dict[TicketRef, Instant]:
    """By the open news of these tickets, since when something may be due on each."""
    by_account: dict[str, list[str]] = {}
    for ref in refs:
        by_account.setdefault(ref.account, []).append(ref.id)
    return {
        TicketRef(account, row.ticket): row.due
        for account, ids in by_account.items()
        for row in connection.execute(
            select(inbox.c.ticket, func.min(_due).label("due"))
            .where(inbox.c.account == account, inbox.c.ticket.in_(ids), still_open)
            .group_by(inbox.c.ticket)
        )
    }


def _first(
    connection: Connection,
    names: Select[Any],
    question: Select[Any],
    now: Instant,
    most: int,
    lanes: tuple[bool, ...] = (True, False),
) -> tuple[Waiting, ...]:
    """The first rows of the question for each of these accounts, by urgency and rank. Of all that is owed no more is
    read: each question follows an index."""
    ranked: list[tuple[bool, int, Waiting]] = []
    for name in connection.execute(names).scalars().all():
        found: list[Waiting] = []
        for urgent in lanes:
            asked = {"of": name, "urgent": urgent, "now": now, "most": most - len(found)}
            rows = connection.execute(question, asked) if len(found) < most else ()
            found += [Waiting(ref=TicketRef(name, row.ticket), urgent=urgent, due=row.due) for row in rows]
        ranked += ((not one.urgent, place, one) for place, one in enumerate(found))
    ranked.sort(key=itemgetter(0, 1))
    return tuple(each for *_, each in ranked)


def _accounts_in(table: FromClause, *only: ColumnElement[bool]) -> Select[Any]:
    """The accounts, but for paused ones, that have rows here: from one to the next, and not through all rows."""
    first = select(func.min(table.c.account).label("name")).where(*only)
    names = first.cte("names", recursive=True)
    following = select(func.min(table.c.account)).where(table.c.account > names.c.name, *only)
    names = names.union_all(
        select(following.correlate(names).scalar_subquery()).where(names.c.name.is_not(None))
    )
    paused = exists().where(account.c.name == names.c.name, account.c.paused_at.is_not(None))
    return select(names.c.name).where(names.c.name.is_not(None), ~paused)


def _held_back(of: FromClause) -> ColumnElement[bool]:
    return exists().where(
        timer.c.account == of.c.account,
        timer.c.ticket == of.c.ticket,
        timer.c.holds,
        timer.c.due > bindparam("now"),
    )


_asked_of, _is_urgent = bindparam("of", type_=Text), bindparam("urgent", type_=Boolean)

_HAVE_TIMERS = _accounts_in(timer)
_WITH_DUE_TIMER = (
    select(timer.c.ticket, timer.c.due)
    .where(timer.c.account == _asked_of, timer.c.urgent == _is_urgent, timer.c.due <= bindparam("now"))
    .order_by(timer.c.due)
    .limit(bindparam("most"))
)

_other = inbox.alias("other")
_of_same = (
    _other.c.account == inbox.c.account,
    _other.c.ticket == inbox.c.ticket,
    _other.c.done_at.is_(None),
)
_other_due = func.coalesce(_other.c.due, _other.c.received_at)
_comes_first = or_(
    _other.c.urgent > inbox.c.urgent,
    and_(
        _other.c.urgent == inbox.c.urgent,
        or_(_other_due < _due, and_(_other_due == _due, _other.c.id < inbox.c.id)),
    ),
)

_HAVE_NEWS = _accounts_in(inbox, still_open)
_WITH_NEWS = (
    select(inbox.c.ticket, select(func.min(_other_due)).where(*_of_same).scalar_subquery().label("due"))
    .where(inbox.c.account == _asked_of, inbox.c.urgent == _is_urgent, still_open)
    .where(~exists().where(*_of_same, _comes_first), ~_held_back(inbox))
    .order_by(inbox.c.due, inbox.c.id)
    .limit(bindparam("most"))
)
"""Of each ticket the row that comes first stands for all."""

_HAVE_WRITES = _accounts_in(write, is_open_write)
_WITH_OPEN_WRITE = (
    select(write.c.ticket, func.min(write.c.planned_at).label("due"))
    .where(write.c.account == _asked_of, is_open_write)
    .where(or_(write.c.next_try.is_(None), write.c.next_try <= bindparam("now")), ~_held_back(write))
    .group_by(write.c.ticket)
    .order_by(func.min(write.c.planned_at), write.c.ticket)
    .limit(bindparam("most"))
)


def give_order(connection: Connection, ref: TicketRef, order: Order, due: Instant | None = None) -> None:
    """Leave an order for the ticket's next look. The same one given twice in a second is one. Of many orders, those
    with the earliest `due` come first."""
    arrival = Arrival(
        account=ref.account,
        ticket=ref.id,
        delivery=f"order:{ref.id}:{order.verb}:{order.policy or ''}:{order.at}",
        kind="command",
        hint=codec.dump(Order, order),
        received_at=order.at,
        due=due,
    )
    put_news(connection, [arrival])
