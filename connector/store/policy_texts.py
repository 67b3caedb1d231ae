"""Policy texts: what each hash in the ledger stood for."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, exists, func, select, update

from connector.store.database import insert
from connector.store.schema import episode, ledger, policy_text, standing
from policies.model import Instant


def keep_policy_text(connection: Connection, policy_hash: str, text: str, now: Instant) -> None:
    """Keep the text behind a hash, which is in force now; the text of a hash that is known stays as it is."""
    row = {"hash": policy_hash, "text": text, "first_seen": now, "last_ran": now}
    statement = insert(connection, policy_text).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["hash"], set_={"last_ran": now}))


def note_in_force(connection: Connection, hashes: Collection[str], now: Instant) -> None:
    """Note that these policies are still in force."""
    connection.execute(update(policy_text).where(policy_text.c.hash.in_(hashes)).values(last_ran=now))


def read_policy_text(connection: Connection, policy_hash: str) -> str | None:
    """The text behind a hash."""
    return connection.execute(select(policy_text.c.text).where(policy_text.c.hash == policy_hash)).scalar()


def forget_policy_texts(connection: Connection, before: Instant) -> int:
    """Forget texts that were last in force before, and to which nothing that is kept refers: no line of the ledger, no
    episode."""
    last = func.coalesce(policy_text.c.last_ran, policy_text.c.first_seen)
    old = connection.execute(select(policy_text.c.hash).where(last < before)).scalars().all()
    gone = [each for each in old if not _is_referred_to(connection, each)]
    connection.execute(delete(policy_text).where(policy_text.c.hash.in_(gone)))
    return len(gone)


def _is_referred_to(connection: Connection, policy_hash: str) -> bool:
    held = (table.c.memory.contains(policy_hash, autoescape=True) for table in (episode, standing))
    places = (ledger.c.policy_hash == policy_hash, *held)
    return any(connection.execute(select(exists().where(place))).scalar_one() for place in places)
