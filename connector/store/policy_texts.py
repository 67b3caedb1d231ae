"""Policy texts: what each hash in the ledger stood for."""

from sqlalchemy import Connection, select

from connector.store.database import insert
from connector.store.schema import policy_text
from policies.model import Instant


def keep_policy_text(connection: Connection, policy_hash: str, text: str, now: Instant) -> None:
    """Keep the text behind a hash; a hash that is known stays as it is."""
    statement = insert(connection, policy_text).values(hash=policy_hash, text=text, first_seen=now)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["hash"]))


def read_policy_text(connection: Connection, policy_hash: str) -> str | None:
    """The text behind a hash."""
    return connection.execute(select(policy_text.c.text).where(policy_text.c.hash == policy_hash)).scalar()
