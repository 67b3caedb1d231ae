"""Cursors: how far each feed of an account has been read."""

from sqlalchemy import Connection, delete, select

from connector.store.dialect import put
from connector.store.schema import cursor
from policies.model import Instant


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
