"""Who may look and who may act: logins, sessions, tokens, and what a request must bring to be believed.

Nobody gets in without a session or a token, from wherever they come: what a request lacks, and where it came from,
proves nothing. The first administrator is made by `uptier user add`, or through the one link that `invite` gives.
"""

import hmac
import re
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import token_urlsafe

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import Clock
from connector.config.values import is_loopback
from connector.store import users
from connector.store.database import Store, shared_now
from connector.store.trouble import StoreTrouble
from connector.store.users import ROLES, USED_EVERY, Role, User
from policies.model import Instant, Seconds

BACK = "/login/back"
"""The path to which a single sign-on provider sends people back, behind `[service] outside`."""

LASTS: Seconds = 12 * 3600
TRIES = 5
WITHIN: Seconds = 300
"""So many failed logins of one name, or from one address, and no more are looked at for a while."""

INVITED_FOR: Seconds = 600
SIGN_ON = "sign-on"
WALL = "wall"
BROWSER = "browser"
WATCHES: Seconds = 400 * 86400
"""How long a screen keeps its token: as long as browsers keep a cookie at all."""
SHORTEST = 10
LONGEST = 1024
"""Characters of a password."""
LONGEST_NAME = 200

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
"""A name or an address, and perhaps a port: nothing else that a URL may hold."""

hasher = PasswordHasher()


class NotVouched(Exception):
    """The provider does not vouch for somebody whom we can let in; the text says why, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Whom the provider vouches for. `roles` are those that its claim grants; None where the user table decides."""

    name: str
    roles: frozenset[Role] | None

    @property
    def role(self) -> Role | None:
        """The highest of the roles; None if there is none."""
        return max(self.roles or (), key=ROLES.index, default=None)


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
    """Knows who asks. `hosts` are the names under which the console is reached; `by_https`: browsers reach it so. Any
    thread may use it."""

    def __init__(self, store: Store, clock: Clock, *, hosts: frozenset[str], by_https: bool) -> None:
        self._store = store
        self._clock = clock
        self._now = clock.now
        self._hosts = hosts
        self._by_https = by_https
        self._nobody = hasher.hash(token_urlsafe(16))
        self._invitation: tuple[str, Instant, int] | None = None
        self.cookie = self.cookie_name("session")

    def cookie_name(self, word: str) -> str:
        """Under https a name that no other host of the domain can set."""
        return f"__Host-uptier-{word}" if self._by_https else f"uptier-{word}"

    def set_cookie(self, answer: Response, cookie: str) -> Response:
        """The answer, with the session's cookie."""
        answer.set_cookie(
            self.cookie,
            cookie,
            max_age=LASTS,
            httponly=True,
            samesite="strict",
            secure=self._by_https,
            path="/",
        )
        return answer

    def forget_cookie(self, answer: Response, word: str = "session") -> Response:
        """The answer, with the cookie of this word taken away."""
        answer.delete_cookie(self.cookie_name(word), path="/", secure=self._by_https, httponly=True)
        return answer

    def set_carried(self, answer: Response, carried: str) -> Response:
        """The answer, with what the browser carries to a provider and back: from there Lax cookies come along."""
        name = self.cookie_name(SIGN_ON)
        answer.set_cookie(
            name, carried, INVITED_FOR, httponly=True, samesite="lax", secure=self._by_https, path="/"
        )
        return answer

    def set_browser(self, answer: Response, word: str) -> Response:
        """The answer, with what tells this browser from others: for the page of a link, which asks for no login."""
        name = self.cookie_name(BROWSER)
        answer.set_cookie(name, word, LASTS, httponly=True, samesite="lax", secure=self._by_https, path="/")
        return answer

    def browser(self, request: Request) -> str:
        """What tells it from others; empty if nothing."""
        return request.cookies.get(self.cookie_name(BROWSER), "")

    def carried(self, request: Request) -> str:
        """What the browser carried; empty if nothing."""
        return request.cookies.get(self.cookie_name(SIGN_ON), "")

    def knows_host(self, request: Request) -> bool:
        """Whether the request names a host that is ours: another site's name may lead here too."""
        named = request.headers.getlist("host")
        read = HOST.fullmatch(named[0].lower()) if len(named) == 1 else None
        name = "" if read is None else read[1].strip("[]")
        return is_loopback(name) or name in self._hosts

    def knows_origin(self, request: Request) -> bool:
        """Whether the page that sent a form is one of ours, as far as the browser says whose it is."""
        said = {each.lower() for each in request.headers.getlist("origin")}
        return all(self._is_ours(each, request.headers.get("host", "").lower()) for each in said)

    def _is_ours(self, origin: str, host: str) -> bool:
        scheme, _, place = origin.partition("://")
        read = HOST.fullmatch(place)
        if scheme not in ("http", "https") or read is None:
            return False
        return place == host or (read[1] in self._hosts and not is_loopback(read[1]))

    def of(self, request: Request) -> Asking:
        """Who asks. Raises MustLogIn."""
        with self._store.reading() as connection:
            found = users.find(connection, digest(request.cookies.get(self.cookie, "")), self._now())
        if found is None:
            raise MustLogIn
        return Asking(user=found.user, csrf=found.csrf)

    def bearer(self, request: Request) -> Asking:
        """Who asks through the API. Raises MustLogIn."""
        kind, _, word = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise MustLogIn
        return self._bearer_of(word.strip())

    def watching(self, request: Request) -> Asking:
        """Who looks at the page of a wall: by a token in the header or in the screen's cookie, or by a session. Raises
        MustLogIn."""
        if "authorization" in request.headers:
            return self.bearer(request)
        with suppress(MustLogIn):
            return self.of(request)
        return self.may_watch(request.cookies.get(self.cookie_name(WALL), ""))

    def may_watch(self, token: str) -> Asking:
        """Whose token this is. Raises MustLogIn, and NotAllowed for one with which more can be done than to look: who
        stands before the screen could take it."""
        asking = self._bearer_of(token)
        if asking.may("operator"):
            raise NotAllowed(
                f"{asking.user.name} may do more than look; a wall takes the token of a viewer: "
                "uptier user add wall --role viewer, then uptier user token wall"
            )
        return asking

    def set_watching(self, answer: Response, token: str) -> Response:
        """The answer, with the cookie of a screen on a wall. It is good for as long as the token is."""
        name = self.cookie_name(WALL)
        answer.set_cookie(
            name, token, WATCHES, httponly=True, samesite="strict", secure=self._by_https, path="/"
        )
        return answer

    def _bearer_of(self, word: str) -> Asking:
        kept, now = digest(word), self._now()
        with self._store.reading() as connection:
            found = users.bearer(connection, kept, now)
        if found is None:
            raise MustLogIn
        user, token = found
        if token.used is None or token.used + USED_EVERY <= now:
            with (
                suppress(StoreTrouble),
                self._store.writing() as connection,
            ):  # reading goes on while writing fails
                users.use(connection, kept, now)
        return Asking(user=user, csrf="")

    def log_in(self, name: str, password: str, address: str) -> str:
        """The session's cookie. Raises MustLogIn or TooManyTries."""
        attempt = token_urlsafe(16)
        alike = (digest(f"name {name}"), digest(f"from {neighbourhood(address)}"))
        with self._store.writing() as connection:
            now = shared_now(connection, self._clock)
            if users.failed_logins(connection, alike, now - WITHIN) >= TRIES:
                raise TooManyTries
            users.begin_login(connection, alike, attempt, now, now - WITHIN)
            user = users.get(connection, name)
        kept = user.password if user and user.password else self._nobody
        if not verified(kept, password) or user is None or not user.password:
            raise MustLogIn
        with self._store.writing() as connection:
            users.login_succeeded(connection, attempt)
            if users.get(connection, name) != user:  # removed, or given another password, meanwhile
                raise MustLogIn
            return self.begin(connection, user)

    def sign_on(self, vouched: Vouched) -> str:
        """The session's cookie of somebody for whom the provider vouches. Raises NotAllowed."""
        name, role = checked_name(vouched.name), vouched.role
        with self._store.writing() as connection:
            known = users.get(connection, name)
            if known is not None and known.password:
                raise NotAllowed(f"{name} has a password here, and logs in with it")
            if vouched.roles is not None and role is None:
                users.remove(connection, name)
            elif role is not None and not users.set_role(connection, name, role):
                users.keep(connection, User(name=name, role=role, password=""), self._now())
            user = users.get(connection, name)
            cookie = None if user is None else self.begin(connection, user)
        if cookie is None:
            raise NotAllowed(f"{name} has no role here")
        return cookie

    def begin(self, connection: Connection, user: User) -> str:
        """Log a user in, whoever vouched for them; answers the session's cookie."""
        cookie, csrf, now = token_urlsafe(32), token_urlsafe(32), self._now()
        users.begin(connection, digest(cookie), user.name, csrf, now + LASTS, now)
        return cookie

    def tell(self, request: Request, text: str) -> None:
        """Keep with the session of this request what became of its last orders."""
        with self._store.writing() as connection:
            users.tell(connection, digest(request.cookies.get(self.cookie, "")), text)

    def told(self, connection: Connection, request: Request) -> str:
        """The same again; empty where nothing is."""
        return users.told(connection, digest(request.cookies.get(self.cookie, "")))

    def log_out(self, request: Request) -> None:
        """End the session of this request."""
        with self._store.writing() as connection:
            users.end(connection, digest(request.cookies.get(self.cookie, "")))

    def invite(self) -> str | None:
        """The word of a link with which one administrator can be made within ten minutes; None if there is a user."""
        with self._store.reading() as connection:
            if users.any_known(connection):
                return None
            added = users.added(connection)
        word = token_urlsafe(32)
        self._invitation = (digest(word), self._now() + INVITED_FOR, added)
        return word

    def invited(self, word: str) -> bool:
        """Whether this word may still make the first administrator."""
        meant, until, _ = self._invitation or ("", 0, 0)
        return hmac.compare_digest(meant, digest(word)) and self._now() < until

    def make_first(self, word: str, name: str, password: str) -> str:
        """Make the first administrator; answers the session's cookie. Raises MustLogIn if the link is not good any
        more, ValueError if the name or the password is not good."""
        invitation = self._invitation
        if invitation is None or not self.invited(word):
            raise MustLogIn
        user = User(name=checked_name(name), role="admin", password=hasher.hash(checked_password(password)))
        with self._store.writing() as connection:
            if not users.keep_first(connection, user, invitation[2], self._now()):
                self._invitation = None
                raise MustLogIn
            cookie = self.begin(connection, user)
        self._invitation = None
        return cookie


def checked_name(name: str) -> str:
    """A name for a user. Raises ValueError."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a name has 1 to {LONGEST_NAME} characters that can be printed")
    return name


def checked_password(password: str) -> str:
    """A password that may be kept. Raises ValueError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} characters or more, and at most {LONGEST}")
    return password


def neighbourhood(address: str) -> str:
    """What one person can change of their address at will is cut off: the lower half of IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((int(found), 64), strict=False))
    return str(found)


def check_form(asking: Asking, csrf: str) -> None:
    """Raise NotAllowed unless the form came from our own page."""
    if not hmac.compare_digest(asking.csrf.encode(), csrf.encode()):
        raise NotAllowed("the form is not from this session; load the page again")


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
