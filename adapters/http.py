"""What the way to any helpdesk has in common: its answers as JSON, its dates, numbers and waits in headers, lost
connections and refusals as errors, and credentials that are renewed.

One odd character must not cost the whole answer: what is no character (half of a surrogate pair, NUL, bytes that
are no UTF-8) becomes U+FFFD, what is no number (NaN, Infinity, more digits than any id has) becomes null or text."""

import json
import math
import re
import threading
import weakref
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from adapters.base import AccessLost, Account, Finding, HelpdeskError, Keys, OutcomeUnknown, TryLater
from policies.model import Instant, Seconds

AGENT = "Uptier (escalations beside the helpdesk)"
"""Who we say we are. Zendesk keeps it in each audit, so ours is like nobody else's."""

UNSAID: Seconds = 0
"""The wait where the helpdesk named none: the caller knows best how long."""

SOON: Seconds = 5
MUCH_LATER: Seconds = 300
"""The wait where nothing changes before somebody corrects the configuration."""

UNREADABLE: tuple[type[Exception], ...] = (AttributeError, LookupError, TypeError, ValueError)
"""What reading an answer of an unexpected form raises."""

NO_CHARACTER = re.compile("[\ud800-\udfff\x00]")
MAY_HOLD_ONE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)|\x00")
LONGEST_NUMBER = 40
"""Digits. Python refuses to read numbers of more than 4,300."""
MAY_HOLD_ODD_NUMBER = re.compile(rb"[0-9]{41}|[0-9][eE]\+?[0-9]{3}")
"""Too many digits, or an exponent beyond what a float holds."""

NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]*)?")
"""A number in a header that can mean something; some accounts of Freshdesk write `50.0`."""

TOKEN_REFUSED = (400, 401, 403)
Header = tuple[str, str]
T = TypeVar("T")


def read_json(content: bytes) -> Any:
    """The JSON in these bytes. ValueError where there is none, RecursionError where it is nested too deeply."""
    odd = MAY_HOLD_ODD_NUMBER.search(content)
    said = json.loads(
        content.decode("utf-8-sig", "replace"),
        strict=False,
        parse_int=whole if odd else None,
        parse_float=finite if odd else None,
        parse_constant=lambda _: None,
    )
    return legible(said) if MAY_HOLD_ONE.search(content) else said


def read_body(content: bytes) -> Any:
    """The JSON in these bytes; None for HTML, an empty or cut-off body and anything else that is none."""
    try:
        return read_json(content)
    except (ValueError, RecursionError):
        return None


def read_object(content: bytes) -> dict[str, Any]:
    """The JSON object in these bytes; empty where there is none."""
    try:
        body = read_json(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def whole(digits: str) -> int | str:
    """A whole number; as text where it is too long to be one."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


def finite(digits: str) -> float | None:
    """A number with a point or exponent; None where it is beyond what a float holds."""
    value = float(digits)
    return value if math.isfinite(value) else None


def legible(value: Any) -> Any:
    """The same JSON value with every odd character replaced, in keys too."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [legible(each) for each in value]
    if isinstance(value, dict):
        return {clean(key): legible(each) for key, each in value.items()}
    return value


def clean(text: str) -> str:
    """The text with U+FFFD for every half of a surrogate pair and every NUL: no database stores those."""
    if text.isascii() and "\0" not in text:
        return text
    return NO_CHARACTER.sub("\ufffd", text)


def read_date(text: str) -> Instant:
    """An HTTP date as an instant; 0 where there is none or it cannot be read."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0


def read_number(headers: Mapping[str, str], name: str) -> int | None:
    """A header's number, rounded down; None where there is none."""
    text = headers.get(name, "").strip()
    return int(float(text)) if NUMBER.fullmatch(text) else None


def read_wait(headers: Mapping[str, str], otherwise: Seconds) -> Seconds:
    """How long the helpdesk asks to wait in `Retry-After`: seconds, or a date read against its own `Date`; at least
    1."""
    wait = read_number(headers, "retry-after")
    if wait is None:
        until, now = read_date(headers.get("retry-after", "")), read_date(headers.get("date", ""))
        wait = until - now if until and now else None
    return otherwise if wait is None else max(1, wait)


@contextmanager
def reading(vendor: str, *also: type[Exception], writing: bool = False) -> Iterator[None]:
    """Turn an answer that cannot be read into TryLater, since it is not an empty one. What answers a write is already
    written: OutcomeUnknown."""
    try:
        yield
    except UNREADABLE + also as error:
        said = f"{vendor}'s answer cannot be read ({type(error).__name__}: {error})"
        raise (OutcomeUnknown(said) if writing else TryLater(said, UNSAID)) from error


class Refused(Exception):
    """The cause of an error that the helpdesk answered: its status, and its body as JSON, None where it is none."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body


def status_behind(error: HelpdeskError) -> int | None:
    """The HTTP status behind an error, or None where none came."""
    return error.__cause__.status if isinstance(error.__cause__, Refused) else None


def body_behind(error: HelpdeskError) -> dict[str, Any]:
    """The object that was answered with an error; empty where none was."""
    body = error.__cause__.body if isinstance(error.__cause__, Refused) else None
    return body if isinstance(body, dict) else {}


def redirected(place: str, advice: str, *, writing: bool) -> HelpdeskError:
    """The error for an answer that sends us elsewhere; none is followed, and what became of a write there nobody
    knows."""
    text = f"{place}, a redirect{advice}; check the account's url"
    return OutcomeUnknown(text) if writing else TryLater(text, MUCH_LATER)


def lost(vendor: str, error: Exception, *, never_left: bool, writing: bool) -> HelpdeskError:
    """The error for a request that got no whole answer; `never_left` says that not a byte of it was sent."""
    kind = type(error).__name__
    if never_left:
        return TryLater(f"{vendor} cannot be reached ({kind}); nothing was sent", UNSAID)
    if writing:
        return OutcomeUnknown(f"no whole answer to a write ({kind}); {vendor} may have applied it")
    return TryLater(f"no whole answer from {vendor} ({kind})", UNSAID)


def open_client(owner: object, base: str, timeout: float) -> httpx.Client:
    """A client that repeats nothing, follows no redirect and takes no credentials from this machine. An adapter has
    no end of its own; the sockets are closed when `owner` is gone. Several threads may use it at once."""
    made = httpx.Client(
        base_url=base,
        headers={"User-Agent": AGENT, "Accept": "application/json"},
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
    )
    weakref.finalize(owner, made.close)
    return made


class Credentials(Protocol):
    """The header that says who we are."""

    def header(self) -> Header:
        """The header for the next request. May ask for a token first, and raise what that meets."""

    def renew(self, used: Header) -> bool:
        """Replace what a 401 has refused. Whether there is now something else to try."""


class Given:
    """Credentials out of the configuration. After a 401 the secret is asked for again: it may have been replaced."""

    def __init__(self, make: Callable[[], Header]) -> None:
        self._make = make
        self._header: Header | None = None

    def header(self) -> Header:
        """The header, the same until a 401."""
        if self._header is None:
            self._header = self._make()
        return self._header

    def forget(self) -> None:
        """Ask for the secret again next time."""
        self._header = None

    def renew(self, used: Header) -> bool:
        """Whether the secret is another one now."""
        self._header = self._make()
        return self._header != used


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """What a request for a token was answered: `why` is for a person, where there is no token in it."""

    status: int
    body: Mapping[str, Any]
    why: str


class Granted:
    """An OAuth token: one thread at a time asks, and the others take what it got. Nothing is stored: after a restart
    it is asked for anew.

    `ask` posts a form to the token address and raises what a read would; `grant` are the fields of the first request
    (`grant_type` and what it needs), `client` those of every one. A refresh token is used while it lasts; one that is
    spent or has ended gives way to the grant itself. A refusal is AccessLost with `advice`.
    """

    def __init__(
        self,
        vendor: str,
        ask: Callable[[Mapping[str, str]], TokenAnswer],
        client: Callable[[], Mapping[str, str]],
        grant: Callable[[], Mapping[str, str]],
        advice: str,
    ) -> None:
        self._vendor, self._ask, self._client, self._grant, self._advice = vendor, ask, client, grant, advice
        self._lock = threading.Lock()
        self._access: str | None = None
        self._refresh: str | None = None

    def header(self) -> Header:
        """The present token, or the first."""
        with self._lock:
            if self._access is None:
                self._fetch()
            return "Authorization", f"Bearer {self._access}"

    def renew(self, used: Header) -> bool:
        """Fetch a token, unless another thread has done so since this one was used."""
        with self._lock:
            if used[1] == f"Bearer {self._access}":
                self._fetch()
            return True

    def _fetch(self) -> None:
        self._access = None
        answer: TokenAnswer | None = None
        refresh, self._refresh = self._refresh, None
        if refresh is not None:
            answer = self._ask({"grant_type": "refresh_token", **self._client(), "refresh_token": refresh})
        if answer is None or not 200 <= answer.status < 300:
            grant = self._grant()
            answer = self._ask({"grant_type": grant["grant_type"], **self._client(), **grant})
        access, refresh = answer.body.get("access_token"), answer.body.get("refresh_token")
        if not 200 <= answer.status < 300 or not isinstance(access, str) or not access:
            text = f"{self._vendor} gave no token ({answer.why})"
            raise (
                AccessLost(text + self._advice) if answer.status in TOKEN_REFUSED else TryLater(text, UNSAID)
            )
        self._access = access
        self._refresh = refresh if isinstance(refresh, str) and refresh else None


def basic(user: str, password: str) -> Header:
    """Basic credentials."""
    return "Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def check_auth(account: Account, kinds: Mapping[str, Keys]) -> None:
    """Raise ValueError for credentials that cannot work."""
    kind = account.auth.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        known = '", "'.join(kinds)
        raise ValueError(f'account {account.name}: auth kind {kind!r} is unknown; use one of "{known}"')
    missing = [name for name in kinds[kind].needed if not account.auth.get(name)]
    if missing:
        raise ValueError(f"account {account.name}: auth lacks {' and '.join(missing)}")


def check_url(account: Account, example: str) -> None:
    """Raise ValueError for an address that is more than scheme and host."""
    url = urlsplit(account.url)
    more = url.path.strip("/") or url.query or "@" in url.netloc or not url.hostname
    if url.scheme not in ("http", "https") or more:
        raise ValueError(f"account {account.name}: url {account.url!r} should be {example}")


def no_access(error: HelpdeskError) -> Finding:
    """What a probe finds where it could not be told who we are; only lost credentials are fatal."""
    if isinstance(error, AccessLost):
        return Finding(what="credentials", ok=False, text=str(error), fatal=True)
    return Finding(what="access", ok=False, text=f"Could not look: {error}")


def not_looked(error: HelpdeskError) -> str:
    """What a finding says where a look failed."""
    return f"Could not look: {error}. Ask again in a while; if it stays so, let Uptier's user see it"


def look(ask: Callable[[], T]) -> T | HelpdeskError:
    """What `ask` answers, or the error it met, so that one failed look does not hide the others."""
    try:
        return ask()
    except HelpdeskError as error:
        return error
