"""Budgets: how many requests each account's vendor still allows, as its headers told."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, update

from connector.store.dialect import put
from connector.store.schema import budget
from policies.model import Instant, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One bucket: `remaining` of `total` requests in a window of so many seconds that ends at `resets_at`."""

    bucket: str
    total: int
    remaining: int
    window: Seconds
    resets_at: Instant | None
    updated: Instant


def of_account(connection: Connection, account: str) -> dict[str, Budget]:
    """The account's buckets by name."""
    columns = [column for column in budget.c if column.name != "account"]
    rows = connection.execute(select(*columns).where(budget.c.account == account)).mappings()
    return {row["bucket"]: Budget(**row) for row in rows}


def save(connection: Connection, account: str, some: Sequence[Budget]) -> None:
    """Keep these buckets as they are now."""
    put(connection, budget, [{"account": account} | asdict(one) for one in some])


def take(connection: Connection, account: str, bucket: str, reserve: int = 0) -> bool:
    """Take one request out of a bucket. False, with nothing taken, when no more than `reserve` are left."""
    statement = update(budget).where(
        budget.c.account == account, budget.c.bucket == bucket, budget.c.remaining > reserve
    )
    return connection.execute(statement.values(remaining=budget.c.remaining - 1)).rowcount == 1
