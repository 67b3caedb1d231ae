"""Where the two databases are spoken to differently: INSERT … ON CONFLICT, and being alone with something."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from adapters.http import clean
from connector.clock import Clock
from policies.model import Instant


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT in this database's dialect."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def shared_now(connection: Connection, clock: Clock) -> Instant:
    """What is stored for others to go by is stamped by the database server's clock; on SQLite by ours."""
    if connection.dialect.name != "postgresql":
        return clock.now()
    return clock.of_server(lambda: server_now(connection))


def server_now(connection: Connection) -> Instant:
    """The time at a PostgreSQL server."""
    return int(connection.execute(text("SELECT floor(extract(epoch FROM clock_timestamp()))")).scalar_one())


def put_row(
    connection: Connection, statement: sqlite.Insert | postgresql.Insert, column: Column[Any]
) -> bool:
    """Carry out an INSERT of one row with its ON CONFLICT. False if that left everything as it was; a row count would
    not tell on PostgreSQL. `column` is any of the table's."""
    return connection.execute(statement.returning(column)).first() is not None


def alone(connection: Connection, name: str) -> None:
    """Until this write transaction ends, no other one is alone with `name`. SQLite has one writer at a time anyway.

    Whoever takes several takes the wider first: an account, then a ticket of it.
    """
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        connection.execute(lock, {"name": clean(name)})


def put(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    keep: frozenset[str] = frozenset(),
    only_if: Callable[[Any], ColumnElement[bool]] | None = None,
) -> None:
    """Insert rows, or replace what stands under their primary keys, but for the columns in `keep`.

    All rows name the same columns. `only_if` is given the incoming row's columns and guards the replacing;
    the table's own columns are the standing row.
    """
    if not rows:
        return
    statement = insert(connection, table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keep and name not in key}
    if changed:
        guard = None if only_if is None else only_if(statement.excluded)
        statement = statement.on_conflict_do_update(index_elements=key, set_=changed, where=guard)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    connection.execute(statement, list(rows))
