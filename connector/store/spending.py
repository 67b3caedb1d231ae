"""What was asked of each helpdesk: requests counted by the second, and the pauses it wants."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from connector.store.dialect import insert
from connector.store.schema import pause, spent
from policies.model import Instant


def pause_until(connection: Connection, account: str, bucket: str, until: Instant) -> None:
    """Nothing more is to be sent out of this bucket before then. The longest wait counts."""
    statement = insert(connection, pause).values(account=account, bucket=bucket, until=until)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "bucket"],
            set_={"until": statement.excluded.until},
            where=pause.c.until < statement.excluded.until,
        )
    )


def pauses(connection: Connection, account: str, now: Instant) -> Mapping[str, Instant]:
    """Until when each bucket rests, for those that do."""
    rows = connection.execute(
        select(pause.c.bucket, pause.c.until).where(pause.c.account == account, pause.c.until > now)
    )
    return {row.bucket: row.until for row in rows}


def count(connection: Connection, account: str, bucket: str, at: Instant) -> None:
    """One more request."""
    statement = insert(connection, spent).values(account=account, bucket=bucket, at=at, requests=1)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "bucket", "at"], set_={"requests": spent.c.requests + 1}
        )
    )


def since(
    connection: Connection, account: str, bucket: str, begin: Instant
) -> tuple[tuple[Instant, int], ...]:
    """Requests by second at or after `begin`, the earliest first."""
    rows = connection.execute(
        select(spent.c.at, spent.c.requests)
        .where(spent.c.account == account, spent.c.bucket == bucket, spent.c.at >= begin)
        .order_by(spent.c.at)
    )
    return tuple((row.at, row.requests) for row in rows)


def forget(connection: Connection, before: Instant) -> None:
    """Drop what no window reaches back to any more."""
    connection.execute(delete(spent).where(spent.c.at < before))
    connection.execute(delete(pause).where(pause.c.until < before))
