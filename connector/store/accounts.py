"""Accounts: which are connected, which are paused and why, and when each policy first ran on them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from connector.store.dialect import insert
from connector.store.schema import account as account_table
from connector.store.schema import first_run
from policies.model import Instant


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


def get(connection: Connection, name: str) -> ConnectedAccount | None:
    """The account of this name."""
    return next((one for one in every(connection) if one.name == name), None)


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
    statement = update(account_table).where(account_table.c.name == name, account_table.c.paused_at.is_not(None))
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
