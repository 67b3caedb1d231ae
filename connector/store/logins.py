"""Logins that are tried and have not succeeded, by what they have in common: a name, an address."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from connector.store.dialect import put
from connector.store.schema import login_try as login_try_table
from policies.model import Instant


def begin_login(
    connection: Connection, keys: Sequence[str], attempt: str, now: Instant, since: Instant
) -> None:
    """Count this attempt as failed until `succeeded` says otherwise: whoever tries many at once gains nothing. Those up
    to `since` go."""
    connection.execute(delete(login_try_table).where(login_try_table.c.at <= since))
    put(connection, login_try_table, [{"key": key, "attempt": attempt, "at": now} for key in keys])


def login_succeeded(connection: Connection, attempt: str) -> None:
    """The attempt was none of those to be counted."""
    connection.execute(delete(login_try_table).where(login_try_table.c.attempt == attempt))


def failed_logins(connection: Connection, keys: Sequence[str], since: Instant) -> int:
    """How many of one of these keys have failed after `since`: the most of any."""
    counts = select(func.count()).where(login_try_table.c.key.in_(keys), login_try_table.c.at > since).group_by(login_try_table.c.key)
    return max(connection.execute(counts).scalars(), default=0)
