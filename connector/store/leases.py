"""Leases: which process does what only one may do at a time, until when."""

from sqlalchemy import Connection, case, delete, or_, select

from connector.store.dialect import insert
from connector.store.schema import lease
from policies.model import Instant, Seconds


def take_lease(connection: Connection, name: str, holder: str, term: Seconds, now: Instant) -> bool:
    """Hold the lease for `term` seconds, if it is free, over, or ours already. False if another has it. One that ends
    later than a term can last was stamped before the clock was set back: it lasts a term from now."""
    statement = insert(connection, lease).values(name=name, holder=holder, until=now + term)
    ours = or_(lease.c.holder == holder, lease.c.until <= now)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": case((ours, holder), else_=lease.c.holder), "until": now + term},
        where=or_(ours, lease.c.until > now + term),
    )
    return connection.execute(statement.returning(lease.c.holder)).scalar() == holder


def holds_lease(connection: Connection, name: str, holder: str, now: Instant) -> bool:
    """Whether the lease is ours at this moment; on PostgreSQL it stays so until the transaction ends."""
    found = select(lease.c.holder).where(lease.c.name == name, lease.c.holder == holder, lease.c.until > now)
    return connection.execute(found.with_for_update()).first() is not None


def holder_of_lease(connection: Connection, name: str, now: Instant) -> str | None:
    """Who has it."""
    return connection.execute(
        select(lease.c.holder).where(lease.c.name == name, lease.c.until > now)
    ).scalar()


def give_lease_back(connection: Connection, holder: str) -> None:
    """Leave everything to others at once."""
    connection.execute(delete(lease).where(lease.c.holder == holder))
