"""Who may look and who may act: logins, sessions, tokens, and what a request must bring to be believed.

Without any user the console is open to this machine alone: a request that came to a loopback address, under its name,
and through no proxy. As soon as there is a user, everybody logs in.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.requests import Request

from connector.settings_values import is_loopback
from connector.store import logins, users
from connector.store.database import Store
from connector.store.users import ROLES, Role, Session, User
from policies.model import Instant, Seconds

COOKIE = "uptier_session"
LASTS: Seconds = 12 * 3600
TRIES = 5
WITHIN: Seconds = 300
"""So many failed logins of one name, or from one address, and no more are looked at for a while."""

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")
LOCAL = User(name="local", role="admin", password="")
hasher = PasswordHasher()


class MustLogIn(Exception):
    """Nobody knows who asks."""


class NotAllowed(Exception):
    """It is known who asks, and they may not."""


class TooManyTries(Exception):
    """Too many logins have failed."""


def digest(word: str) -> str:
    """What the database keeps of a cookie or a token: they are long and random, so one round is enough."""
    return sha256(word.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks, and the word that their forms must bring back."""

    user: User
    csrf: str

    def may(self, role: Role) -> bool:
        """Whether they have this role or more."""
        return ROLES.index(self.user.role) >= ROLES.index(role)


class Access:
    """Knows who asks. `hosts` are the names under which the console is reached; any thread may use it."""

    def __init__(
        self, store: Store, now: Callable[[], Instant], *, hosts: frozenset[str], only_this_machine: bool
    ) -> None:
        self._store = store
        self._now = now
        self._hosts = hosts
        self._only_this_machine = only_this_machine
        self._local_csrf = token_urlsafe(32)
        self._nobody = hasher.hash(token_urlsafe(16))

    def knows_host(self, request: Request) -> bool:
        """Whether the request names a host that is ours: another site's name may lead here too."""
        name = request.url.hostname or ""
        return is_loopback(name) or name in self._hosts

    def of(self, request: Request) -> Asking:
        """Who asks. Raises MustLogIn."""
        with self._store.reading() as connection:
            found = users.find(connection, digest(request.cookies.get(COOKIE, "")), self._now())
            open_house = found is None and not users.any_known(connection)
        if found is not None:
            return Asking(user=found.user, csrf=found.csrf)
        if open_house and self._only_this_machine and _is_near(request):
            return Asking(user=LOCAL, csrf=self._local_csrf)
        raise MustLogIn

    def bearer(self, request: Request) -> Asking:
        """Who asks through the API. Raises MustLogIn."""
        kind, _, word = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise MustLogIn
        with self._store.reading() as connection:
            user = users.bearer(connection, digest(word.strip()))
        if user is None:
            raise MustLogIn
        return Asking(user=user, csrf="")

    def log_in(self, name: str, password: str, address: str) -> tuple[str, Session]:
        """The cookie and the session. Raises MustLogIn or TooManyTries."""
        now, attempt = self._now(), token_urlsafe(16)
        alike = (digest(f"name {name}"), digest(f"from {address}"))
        with self._store.writing() as connection:
            if logins.failed(connection, alike, now - WITHIN) >= TRIES:
                raise TooManyTries
            logins.begin(connection, alike, attempt, now, now - WITHIN)
            user = users.get(connection, name)
        if not verified(user.password if user else self._nobody, password) or user is None:
            raise MustLogIn
        cookie, csrf = token_urlsafe(32), token_urlsafe(32)
        with self._store.writing() as connection:
            logins.succeeded(connection, attempt)
            users.begin(connection, digest(cookie), user.name, csrf, now + LASTS, now)
        return cookie, Session(user=user, csrf=csrf)

    def log_out(self, request: Request) -> None:
        """End the session of this request."""
        with self._store.writing() as connection:
            users.end(connection, digest(request.cookies.get(COOKIE, "")))


def check_form(asking: Asking, csrf: str, role: Role) -> None:
    """Raise NotAllowed unless the form came from our own page and its sender may do this."""
    if not hmac.compare_digest(asking.csrf.encode(), csrf.encode()):
        raise NotAllowed("the form is not from this session; load the page again")
    allow(asking, role)


def allow(asking: Asking, role: Role) -> None:
    """Raise NotAllowed unless they have the role."""
    if not asking.may(role):
        raise NotAllowed(f"{asking.user.name} is {asking.user.role}; this needs {role}")


def verified(kept: str, password: str) -> bool:
    """Whether this is the password behind the hash. Takes its time for a wrong one too."""
    try:
        return hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _is_near(request: Request) -> bool:
    """Whether the request came from this machine and through no proxy."""
    name, client = request.url.hostname or "", request.client
    proxied = any(header in request.headers for header in FORWARDED)
    return is_loopback(name) and client is not None and is_loopback(client.host) and not proxied
