"""Leases: which process does what only one may do at a time, until when."""

from sqlalchemy import Connection, delete, or_, select

from connector.store.dialect import insert, put_row
from connector.store.schema import lease
from policies.model import Instant


def take(connection: Connection, name: str, holder: str, until: Instant, now: Instant) -> bool:
    """Hold the lease until then, if it is free, over, or ours already. False if another has it."""
    statement = insert(connection, lease).values(name=name, holder=holder, until=until)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": holder, "until": until},
        where=or_(lease.c.holder == holder, lease.c.until <= now),
    )
    return put_row(connection, statement, lease.c.name)


def holds(connection: Connection, name: str, holder: str, now: Instant) -> bool:
    """Whether the lease is ours at this moment; on PostgreSQL it stays so until the transaction ends."""
    found = select(lease.c.holder).where(lease.c.name == name, lease.c.holder == holder, lease.c.until > now)
    return connection.execute(found.with_for_update()).first() is not None


def holder_of(connection: Connection, name: str, now: Instant) -> str | None:
    """Who has it."""
    return connection.execute(
        select(lease.c.holder).where(lease.c.name == name, lease.c.until > now)
    ).scalar()


def give_back(connection: Connection, holder: str) -> None:
    """Leave everything to others at once."""
    connection.execute(delete(lease).where(lease.c.holder == holder))
