"""Accounts: which are connected or paused and why, how far each feed was read, and their groups and people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Literal

from sqlalchemy import CompoundSelect, Connection, Insert, Row, bindparam, delete, func, select, union, update

from connector.store import codec
from connector.store.database import insert, insert_in, put
from connector.store.schema import account as account_table
from connector.store.schema import cursor, first_run, hold, served, standing
from connector.store.schema import directory as directory_table
from policies.language.references import KnownAccount
from policies.model import Directory, Instant, Seconds, TicketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedAccount:
    """One account. While `paused_reason` is set nothing is read from it or written to it; news is kept.
    `census_at` is when its last census was complete."""

    name: str
    first_seen_at: Instant
    paused_reason: str | None
    paused_at: Instant | None
    census_at: Instant | None


def ensure(connection: Connection, name: str, now: Instant) -> None:
    """Know this account from now on; nothing changes if it is known."""
    statement = insert(connection, account_table).values(name=name, first_seen_at=now)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]))


_BY_NAME = select(account_table).where(account_table.c.name == bindparam("named"))


def get(connection: Connection, name: str) -> ConnectedAccount | None:
    """The account of this name."""
    row = connection.execute(_BY_NAME, {"named": name}).mappings().first()
    return None if row is None else ConnectedAccount(**row)


def every(connection: Connection) -> tuple[ConnectedAccount, ...]:
    """All accounts ever connected, by name."""
    rows = connection.execute(select(account_table).order_by(account_table.c.name)).mappings()
    return tuple(ConnectedAccount(**row) for row in rows)


def pause(connection: Connection, name: str, reason: str, now: Instant) -> bool:
    """Stop working on an account. False if it was paused already; then the first reason stays."""
    statement = update(account_table).where(account_table.c.name == name, account_table.c.paused_at.is_(None))
    return connection.execute(statement.values(paused_reason=reason, paused_at=now)).rowcount == 1


def resume(connection: Connection, name: str) -> bool:
    """Work on an account again. False if it was not paused."""
    statement = update(account_table).where(
        account_table.c.name == name, account_table.c.paused_at.is_not(None)
    )
    return connection.execute(statement.values(paused_reason=None, paused_at=None)).rowcount == 1


def census_done(connection: Connection, name: str, now: Instant) -> None:
    """Remember that all open tickets of the account have been listed."""
    connection.execute(update(account_table).where(account_table.c.name == name).values(census_at=now))


def census_wanted(connection: Connection, name: str) -> None:
    """Have all open tickets of the account listed anew, although it is not time yet."""
    connection.execute(update(account_table).where(account_table.c.name == name).values(census_at=None))


def first_ran(connection: Connection, name: str, policies: Iterable[str], now: Instant) -> dict[str, Instant]:
    """When each of these policies first ran on the account; `now` for those that run for the first time."""
    rows = [{"account": name, "policy": policy, "at": now} for policy in policies]
    if rows:
        connection.execute(insert(connection, first_run).on_conflict_do_nothing(), rows)
    return first_runs(connection, name)


def first_runs(connection: Connection, name: str) -> dict[str, Instant]:
    """When each policy that ever ran on the account first did."""
    known = connection.execute(select(first_run.c.policy, first_run.c.at).where(first_run.c.account == name))
    return {row.policy: row.at for row in known}


Stage = Literal["counting", "held", "running"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A policy that is enforced on an account since `enforced`. While `counting` nobody knows yet how many tickets are
    due; `held` says that there were too many by `enforced`, which is then when that was found."""

    account: str
    policy: str
    enforced: Instant
    stage: Stage


def take_up_modes(
    connection: Connection, name: str, enforced: Sequence[str], now: Instant
) -> tuple[str, ...]:
    """Remember which policies are enforced on the account from now on; answers those whose start was not over and that
    are no longer. What a version without stages ran counts as having run before, if it is enforced now."""
    mine, theirs = first_run.c.account == name, first_run.c.policy.in_(tuple(enforced))
    begun, before = first_run.c.stage.in_(("counting", "held")), first_run.c.stage == "before"
    stopped = connection.execute(select(first_run.c.policy).where(mine, ~theirs, begun)).scalars().all()
    for which, values in (
        ((before, theirs), {"stage": "running", "enforced": first_run.c.at}),
        ((before | begun, ~theirs), {"stage": "observed", "enforced": None}),
        ((first_run.c.stage == "observed", theirs), {"stage": "counting", "enforced": now}),
    ):
        connection.execute(update(first_run).where(mine, *which).values(values))
    return tuple(stopped)


def starts(connection: Connection, name: str | None, *stages: Stage) -> tuple[Start, ...]:
    """The starts of an account, or of all, that have come so far."""
    rows = connection.execute(
        select(first_run.c.account, first_run.c.policy, first_run.c.enforced, first_run.c.stage)
        .where(first_run.c.stage.in_(stages), *(() if name is None else (first_run.c.account == name,)))
        .order_by(first_run.c.account, first_run.c.policy)
    )
    return tuple(Start(**row._mapping) for row in rows)


def set_stage(
    connection: Connection, name: str, policy: str | None, stage: Stage, since: Instant | None = None
) -> int:
    """Say how far the start of a policy has come, or with None of all that are not over, and
    since when; answers how many were."""
    statement = update(first_run).where(
        first_run.c.account == name, first_run.c.stage.in_(("counting", "held"))
    )
    if policy is not None:
        statement = statement.where(first_run.c.policy == policy)
    values = {"stage": stage} | ({} if since is None else {"enforced": since})
    return connection.execute(statement.values(values)).rowcount


def due_at_start(connection: Connection, start: Start, now: Instant, besides: TicketRef | None = None) -> int:
    """How many tickets are known to be due: those that are held for it, those that it had observed, and the one
    `besides`."""
    due = _due(start, now).subquery()
    found = connection.execute(select(func.count()).select_from(due)).scalar_one()
    if besides is None or connection.execute(select(due).where(due.c.ticket == besides.id)).first():
        return found
    return found + 1


def _due(start: Start, now: Instant) -> CompoundSelect[Any]:
    held = select(hold.c.ticket).where(
        hold.c.account == start.account, hold.c.policy == start.policy, hold.c.scope == "start"
    )
    seen = select(standing.c.ticket).where(
        standing.c.account == start.account,
        standing.c.policy == start.policy,
        standing.c.acts <= now,
    )
    return union(held, seen)


def read_cursor(connection: Connection, account: str, feed: str) -> str | None:
    """Where this feed stands; None before its first page."""
    return connection.execute(
        select(cursor.c.value).where(cursor.c.account == account, cursor.c.feed == feed)
    ).scalar()


def save_cursor(connection: Connection, account: str, feed: str, value: str, now: Instant) -> None:
    """Go on from here. Belongs in the transaction that keeps what the page held."""
    put(connection, cursor, [{"account": account, "feed": feed, "value": value, "updated": now}])


def forget_cursor(connection: Connection, account: str, feed: str) -> None:
    """Start this feed from its beginning the next time."""
    connection.execute(delete(cursor).where(cursor.c.account == account, cursor.c.feed == feed))


def cursor_updated(connection: Connection, account: str, feed: str) -> Instant | None:
    """When this feed last gave a page."""
    return connection.execute(
        select(cursor.c.updated).where(cursor.c.account == account, cursor.c.feed == feed)
    ).scalar()


FRESH: Seconds = 86400
"""A directory is good for the names of levels for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDirectory:
    """A directory, when it was read from the vendor, and the names in it."""

    directory: Directory
    read_at: Instant
    names: KnownAccount

    def names_at(self, now: Instant) -> KnownAccount | None:
        """The names, if they were read lately enough to enforce levels by them (rule 12)."""
        return self.names if now - self.read_at <= FRESH else None


def save_directory(connection: Connection, directory: Directory, now: Instant) -> None:
    """Keep what the vendor and the config say. Its `served` is not looked at: `serve` keeps that."""
    people = codec.dump(Directory, replace(directory, served={}))
    row = {"account": directory.account, "people": people, "read_at": now}
    connection.execute(_keeping(connection.dialect.name), row)


@cache
def _keeping(dialect: str) -> Insert:
    statement = insert_in(dialect, directory_table)
    changed: dict[str, Any] = {name: statement.excluded[name] for name in ("people", "read_at")}
    changed["version"] = directory_table.c.version + 1
    return statement.on_conflict_do_update(index_elements=["account"], set_=changed)


_DIRECTORY = select(directory_table).where(directory_table.c.account == bindparam("of"))
_SERVED = select(served).where(served.c.account == bindparam("of"))


def read_directory(connection: Connection, account: str) -> KnownDirectory | None:
    """The account's directory, with whom round robin has served; None before the first was read."""
    known = _known(connection.execute(_DIRECTORY, {"of": account}).first())
    if known is None:
        return None
    return replace(
        known, directory=replace(known.directory, served=turns_of_round_robin(connection, account))
    )


def _known(row: Row[Any] | None) -> KnownDirectory | None:
    if row is None:
        return None
    return KnownDirectory(directory=_people(row.people), read_at=row.read_at, names=_names(row.people))


class Directories:
    """The directory of each account, read and decoded again only when another version is kept. Any thread may ask."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, KnownDirectory]] = {}

    def get(self, connection: Connection, account: str, version: int | None) -> KnownDirectory | None:
        """The account's directory, without whom round robin has served, as the connection sees it, which tells this
        version of it. While it stays, so does the value."""
        if version is None:
            return None
        kept = self._known.get(account)
        if kept is None or kept[0] != version:
            row = connection.execute(_DIRECTORY, {"of": account}).first()
            known = _known(row)
            if row is None or known is None:
                return None
            kept = self._known[account] = row.version, known
        return kept[1]


def turns_of_round_robin(connection: Connection, account: str) -> dict[tuple[str, str], Instant]:
    """When round robin last served each (group id, person id)."""
    rows = connection.execute(_SERVED, {"of": account})
    return {(row.group_id, row.person_id): row.at for row in rows}


def note_served(connection: Connection, account: str, group_id: str, person_id: str, now: Instant) -> None:
    """Remember that round robin gave this person a ticket of this group."""
    put(
        connection,
        served,
        [{"account": account, "group_id": group_id, "person_id": person_id, "at": now}],
    )


@lru_cache(maxsize=16)
def _names(text: str) -> KnownAccount:
    return KnownAccount.of(_people(text))


@lru_cache(maxsize=16)
def _people(text: str) -> Directory:
    """Directories are large, seldom change, and are asked for in every look."""
    return codec.load(Directory, text)
