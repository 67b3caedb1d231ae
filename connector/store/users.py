"""People who may use the console, their sessions and tokens. No password and no token is kept, only hashes."""

from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection, delete, func, select

from connector.store.dialect import put
from connector.store.schema import session, token
from connector.store.schema import user as table
from policies.model import Instant

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From least to most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may log in; `password` is an argon2 hash."""

    name: str
    role: Role
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is logged in, and the word that forms must bring."""

    user: User
    csrf: str


def keep(connection: Connection, user: User, now: Instant) -> None:
    """Add a user, or give one another role and password; whoever is logged in by this name is logged out."""
    row = {"name": user.name, "role": user.role, "password": user.password, "since": now}
    put(connection, table, [row])
    connection.execute(delete(session).where(session.c.user == user.name))


def remove(connection: Connection, name: str) -> bool:
    """Forget a user with their sessions and tokens; False if there is none."""
    known = get(connection, name) is not None
    connection.execute(delete(session).where(session.c.user == name))
    connection.execute(delete(token).where(token.c.user == name))
    connection.execute(delete(table).where(table.c.name == name))
    return known


def get(connection: Connection, name: str) -> User | None:
    """The user of this name."""
    row = connection.execute(select(table).where(table.c.name == name)).first()
    return None if row is None else User(name=row.name, role=row.role, password=row.password)


def every(connection: Connection) -> tuple[User, ...]:
    """All users by name."""
    rows = connection.execute(select(table).order_by(table.c.name))
    return tuple(User(name=row.name, role=row.role, password=row.password) for row in rows)


def any_known(connection: Connection) -> bool:
    """Whether there is a user at all."""
    return bool(connection.execute(select(func.count()).select_from(table)).scalar_one())


def begin(connection: Connection, digest: str, name: str, csrf: str, until: Instant, now: Instant) -> None:
    """Keep a session by the digest of its cookie; sessions that are over go."""
    connection.execute(delete(session).where(session.c.until <= now))
    put(connection, session, [{"digest": digest, "user": name, "csrf": csrf, "until": until}])


def find(connection: Connection, digest: str, now: Instant) -> Session | None:
    """The session of this cookie, while it lasts and its user exists."""
    row = connection.execute(
        select(session.c.user, session.c.csrf).where(session.c.digest == digest, session.c.until > now)
    ).first()
    user = None if row is None else get(connection, row.user)
    return None if row is None or user is None else Session(user=user, csrf=row.csrf)


def end(connection: Connection, digest: str) -> None:
    """Log out."""
    connection.execute(delete(session).where(session.c.digest == digest))


def keep_token(connection: Connection, digest: str, name: str, now: Instant) -> None:
    """Let the bearer of this token do what the user may, through the API."""
    put(connection, token, [{"digest": digest, "user": name, "since": now}])


def bearer(connection: Connection, digest: str) -> User | None:
    """The user of this token."""
    name = connection.execute(select(token.c.user).where(token.c.digest == digest)).scalar()
    return None if name is None else get(connection, name)
