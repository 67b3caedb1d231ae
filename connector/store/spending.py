"""What was asked of each helpdesk: requests counted by the second, and the pauses it wants."""

from collections.abc import Iterable, Mapping, Sequence

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


def count(connection: Connection, account: str, buckets: Iterable[str], at: Instant) -> None:
    """One more request out of each of these."""
    statement = insert(connection, spent)
    statement = statement.on_conflict_do_update(
        index_elements=["account", "bucket", "at"], set_={"requests": spent.c.requests + 1}
    )
    rows = [{"account": account, "bucket": bucket, "at": at, "requests": 1} for bucket in sorted(buckets)]
    connection.execute(statement, rows)


def since(
    connection: Connection, account: str, begins: Mapping[str, Instant]
) -> Mapping[str, Sequence[tuple[Instant, int]]]:
    """By bucket, the requests by second at or after its beginning, the earliest first."""
    rows = connection.execute(
        select(spent.c.bucket, spent.c.at, spent.c.requests)
        .where(spent.c.account == account, spent.c.at >= min(begins.values()), spent.c.bucket.in_(begins))
        .order_by(spent.c.at)
    )
    found: dict[str, list[tuple[Instant, int]]] = {bucket: [] for bucket in begins}
    for row in rows:
        if row.at >= begins[row.bucket]:
            found[row.bucket].append((row.at, row.requests))
    return found


def forget(connection: Connection, before: Instant) -> None:
    """Drop what no window reaches back to any more."""
    connection.execute(delete(spent).where(spent.c.at < before))
    connection.execute(delete(pause).where(pause.c.until < before))
