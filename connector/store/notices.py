"""Notices: what channels outside the helpdesk are to hear, from the plan to the end."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from connector.store import codec
from connector.store.database import insert
from connector.store.schema import notice as notice_table
from policies.model import Instant, TicketRef


class State(StrEnum):
    """Where a notice stands. Only WAITING is open."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a channel is to hear of a level, or of its repeat. `policy` and `level` are those of the first episode
    that asked for it."""

    key: str
    channel: str
    ref: TicketRef
    episodes: frozenset[str]
    policy: str
    level: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNotice:
    """A notice and how it fares. `attempt` counts the times it was sent; `gathered` says that it waits to become
    part of one message with others; `due` is when it may be sent next."""

    notice: Notice
    state: State
    attempt: int
    gathered: bool
    error: str | None
    planned_at: Instant
    due: Instant


def plan(connection: Connection, notice: Notice, now: Instant) -> None:
    """Keep a notice that is to be sent. One of the same key that was never tried is worded anew and keeps its time;
    one that was tried stays: a channel hears of a level once."""
    row: dict[str, Any] = {
        "key": notice.key,
        "channel": notice.channel,
        "account": notice.ref.account,
        "ticket": notice.ref.id,
        "episodes": codec.dump_names(notice.episodes),
        "policy": notice.policy,
        "level": notice.level,
        "title": notice.title,
        "body": notice.body,
        "state": State.WAITING,
        "attempt": 0,
        "gathered": False,
        "message": None,
        "error": None,
        "planned_at": now,
        "due": now,
        "settled_at": None,
    }
    statement = insert(connection, notice_table).values(row)
    replaceable = notice_table.c.state.in_((State.WAITING, State.DROPPED)) & (notice_table.c.attempt == 0)
    again = {name: value for name, value in row.items() if name not in ("planned_at", "due", "gathered")}
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=again, where=replaceable))


def due(connection: Connection, channel: str, now: Instant, limit: int = 500) -> tuple[KeptNotice, ...]:
    """What this channel may be sent now, the least tried first, then the oldest."""
    rows = connection.execute(
        select(notice_table)
        .where(
            notice_table.c.state == State.WAITING,
            notice_table.c.channel == channel,
            notice_table.c.due <= now,
        )
        .order_by(notice_table.c.attempt, notice_table.c.planned_at, notice_table.c.key)
        .limit(limit)
    )
    return tuple(_kept(row) for row in rows.mappings())


def due_channels(connection: Connection, now: Instant) -> tuple[str, ...]:
    """The channels that may be sent something now."""
    rows = connection.execute(
        select(notice_table.c.channel)
        .distinct()
        .where(notice_table.c.state == State.WAITING, notice_table.c.due <= now)
    ).scalars()
    return tuple(sorted(rows))


def next_due(connection: Connection) -> Instant | None:
    """When something may be sent next; None if nothing waits."""
    found: Instant | None = connection.execute(
        select(func.min(notice_table.c.due)).where(notice_table.c.state == State.WAITING)
    ).scalar_one()
    return found


def begin(
    connection: Connection, kept: Iterable[KeptNotice], due: Instant, now: Instant
) -> tuple[KeptNotice, ...]:
    """Count an attempt before it leaves; should nobody say how it ended, they are due again at `due`. Answers
    those that nobody else has begun to send meanwhile, as they are now."""
    return tuple(
        replace(each, attempt=each.attempt + 1, due=due)
        for each in kept
        if _move(connection, each, attempt=each.attempt + 1, due=due, since=now)
    )


def put_off(
    connection: Connection,
    kept: Iterable[KeptNotice],
    due: Instant,
    *,
    gathered: bool = False,
    error: str | None = None,
    since: Instant | None = None,
) -> None:
    """Not now but then: they are to be gathered, their channel did not take them, or it is too early. `since` says when
    a wait of known length begins."""
    for each in kept:
        _move(
            connection,
            each,
            due=due,
            gathered=gathered or each.gathered,
            error=error or each.error,
            since=since,
        )


def settle_notices(
    connection: Connection,
    keys: Collection[str],
    state: State,
    now: Instant,
    *,
    message: str | None = None,
    error: str | None = None,
) -> None:
    """Say how they ended; `message` names the one message that held them."""
    connection.execute(
        update(notice_table)
        .where(notice_table.c.key.in_(keys), notice_table.c.state == State.WAITING)
        .values(state=state, settled_at=now, message=message, error=error, since=None)
    )


def messages_since(connection: Connection, channel: str, since: Instant, now: Instant) -> tuple[Instant, ...]:
    """When each message went to this channel after an instant and until now, the oldest first."""
    rows = connection.execute(
        select(func.min(notice_table.c.settled_at))
        .where(
            notice_table.c.channel == channel,
            notice_table.c.state == State.SENT,
            notice_table.c.settled_at > since,
            notice_table.c.settled_at <= now,
        )
        .group_by(notice_table.c.message)
    ).scalars()
    return tuple(sorted(rows))


def counts(connection: Connection) -> Mapping[tuple[str, str], int]:
    """How many notices stand in each state, by channel and state; those that wait after a failed attempt are
    `failing`."""
    columns = (notice_table.c.channel, notice_table.c.state, notice_table.c.error.is_not(None).label("tried"))
    rows = connection.execute(select(*columns, func.count().label("many")).group_by(*columns))
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        failing = row.tried and row.state == State.WAITING
        found[row.channel, "failing" if failing else row.state] += row.many
    return found


def failing(connection: Connection) -> dict[str, int]:
    """How many notices wait after a failed attempt, by channel."""
    rows = connection.execute(
        select(notice_table.c.channel, func.count().label("many"))
        .where(notice_table.c.state == State.WAITING, notice_table.c.error.is_not(None))
        .group_by(notice_table.c.channel)
        .order_by(notice_table.c.channel)
    )
    return {row.channel: row.many for row in rows}


def of_ticket(connection: Connection, ref: TicketRef) -> tuple[KeptNotice, ...]:
    """All of a ticket's notices, oldest first."""
    rows = connection.execute(
        select(notice_table)
        .where(notice_table.c.account == ref.account, notice_table.c.ticket == ref.id)
        .order_by(notice_table.c.planned_at, notice_table.c.key)
    )
    return tuple(_kept(row) for row in rows.mappings())


def _move(connection: Connection, kept: KeptNotice, **values: Any) -> bool:
    """Change a notice, unless somebody else has tried or settled it since it was read."""
    statement = update(notice_table).where(
        notice_table.c.key == kept.notice.key,
        notice_table.c.state == State.WAITING,
        notice_table.c.attempt == kept.attempt,
    )
    return connection.execute(statement.values(**values)).rowcount == 1


def _kept(row: RowMapping) -> KeptNotice:
    own = {name: row[name] for name in ("key", "channel", "policy", "level", "title", "body")}
    ref, episodes = TicketRef(row["account"], row["ticket"]), codec.load(frozenset[str], row["episodes"])
    rest = {name: row[name] for name in ("attempt", "gathered", "error", "planned_at", "due")}
    return KeptNotice(notice=Notice(ref=ref, episodes=episodes, **own), state=State(row["state"]), **rest)
