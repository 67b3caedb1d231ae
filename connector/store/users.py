"""People who may use the console, their sessions, tokens and failed logins. No password and no token is kept, only
hashes.

Whatever lets somebody in ends with a changed password, a lowered role or a removed user: sessions and tokens alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection, Row, delete, func, select, update

from connector.store import accounts
from connector.store.database import advisory_lock, put
from connector.store.schema import login_try as login_try_table
from connector.store.schema import session, token
from connector.store.schema import user as user_table
from connector.store.schema import view as view_table
from policies.model import Instant, Seconds

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From least to most."""

OLD_TOKEN_LASTS: Seconds = 365 * 86400
"""How long after it was made a token ends that an earlier release made without an end."""
ADDED = "users added"
"""The cursor that counts them."""
USED_EVERY: Seconds = 60
"""The last use of a token is noted to the minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may log in; `password` is an argon2 hash, empty for one who comes through single sign-on only.
    `zone` and `language` are those in which pages tell them; empty is as their browser says."""

    name: str
    role: Role
    password: str
    zone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is logged in, and the word that forms must bring."""

    user: User
    csrf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token besides its digest. `name` is the user's own word for it."""

    user: str
    name: str
    since: Instant
    until: Instant
    used: Instant | None


def keep(connection: Connection, user: User, now: Instant) -> None:
    """Add a user, or give one another role and password: their sessions and tokens end."""
    row = {"name": user.name, "role": user.role, "password": user.password, "since": now}
    put(connection, user_table, [row])
    accounts.save_cursor(connection, "", ADDED, str(added(connection) + 1), now)
    _end_all(connection, user.name)


def added(connection: Connection) -> int:
    """How often users have been added or given another password, also those who are removed."""
    return int(accounts.read_cursor(connection, "", ADDED) or 0)


def keep_first(connection: Connection, user: User, so_far: int, now: Instant) -> bool:
    """Add the first user. False, and nothing changes, if there is one, or if more than `so_far` have been added."""
    advisory_lock(connection, "first user")
    if any_known(connection) or added(connection) != so_far:
        return False
    keep(connection, user, now)
    return True


def set_role(connection: Connection, name: str, role: Role) -> bool:
    """Give a user another role; a lower one ends their sessions and tokens. False if there is no such user."""
    user = get(connection, name)
    if user is None:
        return False
    connection.execute(update(user_table).where(user_table.c.name == name).values(role=role))
    if ROLES.index(role) < ROLES.index(user.role):
        _end_all(connection, name)
    return True


def remove(connection: Connection, name: str) -> bool:
    """Forget a user with their sessions, tokens and views; False if there is none."""
    known = get(connection, name) is not None
    _end_all(connection, name)
    connection.execute(delete(view_table).where(view_table.c.user == name))
    connection.execute(delete(user_table).where(user_table.c.name == name))
    return known


def get(connection: Connection, name: str) -> User | None:
    """The user of this name."""
    row = connection.execute(select(user_table).where(user_table.c.name == name)).first()
    return None if row is None else _user(row)


def every(connection: Connection) -> tuple[User, ...]:
    """All users by name."""
    rows = connection.execute(select(user_table).order_by(user_table.c.name))
    return tuple(map(_user, rows))


def set_reading(connection: Connection, name: str, *, zone: str, language: str) -> None:
    """Tell this user in another zone and language; empty is as their browser says."""
    told = {"zone": zone, "language": language}
    connection.execute(update(user_table).where(user_table.c.name == name).values(told))


def any_known(connection: Connection) -> bool:
    """Whether there is a user at all."""
    return bool(connection.execute(select(func.count()).select_from(user_table)).scalar_one())


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


def tell(connection: Connection, digest: str, told: str) -> None:
    """Keep what became of the last orders of a session, to be shown on its next page."""
    connection.execute(update(session).where(session.c.digest == digest).values(told=told))


def told(connection: Connection, digest: str) -> str:
    """The same, again; empty where nothing was."""
    return connection.execute(select(session.c.told).where(session.c.digest == digest)).scalar() or ""


VIEWS = 30
"""So many views a user keeps."""


def views(connection: Connection, name: str) -> Mapping[str, str]:
    """The addresses that a user has kept, by the user's own words for them."""
    rows = connection.execute(
        select(view_table.c.name, view_table.c.address)
        .where(view_table.c.user == name)
        .order_by(view_table.c.name)
    )
    return {row.name: row.address for row in rows}


def keep_view(connection: Connection, name: str, called: str, address: str) -> bool:
    """Keep an address under a word, in place of what the word stood for. False if the user has too many."""
    kept = views(connection, name)
    if called not in kept and len(kept) >= VIEWS:
        return False
    put(connection, view_table, [{"user": name, "name": called, "address": address}])
    return True


def drop_view(connection: Connection, name: str, called: str) -> None:
    """Forget one of a user's views."""
    connection.execute(delete(view_table).where(view_table.c.user == name, view_table.c.name == called))


def keep_token(connection: Connection, digest: str, made: Token) -> bool:
    """Let the bearer of this token do what its user may, through the API. False if the user has one of that name."""
    advisory_lock(connection, f"tokens of {made.user}")
    _end_old_tokens(connection, made.since)
    if any(each.name == made.name for each in tokens(connection, made.since, made.user)):
        return False
    row = {"user": made.user, "name": made.name, "since": made.since, "until": made.until, "used": made.used}
    put(connection, token, [row | {"digest": digest}])
    return True


def bearer(connection: Connection, digest: str, now: Instant) -> tuple[User, Token] | None:
    """The user of this token, while it lasts, and what is known of it."""
    row = connection.execute(select(token).where(token.c.digest == digest)).first()
    made = None if row is None else _token(row)
    if made is None or made.until <= now:
        return None
    user = get(connection, made.user)
    return None if user is None else (user, made)


def use(connection: Connection, digest: str, now: Instant) -> None:
    """Note that the token was used now."""
    connection.execute(update(token).where(token.c.digest == digest).values(used=now))


def tokens(connection: Connection, now: Instant, name: str | None = None) -> tuple[Token, ...]:
    """The tokens that have not ended, of this user or of all."""
    rows = connection.execute(select(token).order_by(token.c.user, token.c.name, token.c.digest))
    return tuple(made for row in rows if (made := _token(row)).until > now and name in (None, made.user))


def revoke(connection: Connection, name: str, called: str) -> bool:
    """End one token of a user by its name; False if there is none."""
    rows = connection.execute(select(token).where(token.c.user == name)).all()
    meant = [row.digest for row in rows if _token(row).name == called]
    connection.execute(delete(token).where(token.c.digest.in_(meant)))
    return bool(meant)


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(name=row.name, role=row.role, password=row.password, zone=row.zone, language=row.language)


def _token(row: Row[tuple[object, ...]]) -> Token:
    """One that an earlier release made goes by the beginning of its digest."""
    return Token(
        user=row.user,
        name=row.name or row.digest[:8],
        since=row.since,
        until=row.since + OLD_TOKEN_LASTS if row.until is None else row.until,
        used=row.used,
    )


def _end_old_tokens(connection: Connection, now: Instant) -> None:
    over = func.coalesce(token.c.until, token.c.since + OLD_TOKEN_LASTS) <= now
    connection.execute(delete(token).where(over))


def _end_all(connection: Connection, name: str) -> None:
    connection.execute(delete(session).where(session.c.user == name))
    connection.execute(delete(token).where(token.c.user == name))


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
    counts = (
        select(func.count())
        .where(login_try_table.c.key.in_(keys), login_try_table.c.at > since)
        .group_by(login_try_table.c.key)
    )
    return max(connection.execute(counts).scalars(), default=0)
