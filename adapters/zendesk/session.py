"""The way to Zendesk: our own requests session, one a thread, with every answer checked before it is read.

zenpy gets this session too. Its own would repeat writes and sleep on a 429; here nothing is sent twice,
nothing waits, no redirect is followed, and a refusal is raised before zenpy sees it.
"""

import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from adapters.base import Account, Gate, OutcomeUnknown, TryLater
from adapters.zendesk.limits import buckets, limits, retry_after, stamp
from adapters.zendesk.refusals import AFTER_429, MUCH_LATER, UNSAID, content, lost, refusal
from policies.model import Instant

AGENT = "Uptier (escalations beside the helpdesk)"
"""Zendesk keeps the caller's User-Agent in each audit, so ours is like nobody else's."""

UNREADABLE: tuple[type[Exception], ...] = (AttributeError, LookupError, TypeError, ValueError)
"""What reading an answer of an unexpected form raises."""

PORTS = {"http": 80, "https": 443}


class Credentials(AuthBase):
    """Puts the account's credentials on each request. The secret is asked for once a session."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._header: str | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Called by requests for every request."""
        if self._header is None:
            self._header = authorization(self._account)
        request.headers["Authorization"] = self._header
        return request

    def forget(self) -> None:
        """Ask for the secret again next time: it may have been replaced."""
        self._header = None


def authorization(account: Account) -> str:
    """The header for `bearer` (a token alone) or `token` (the user's address and an API token)."""
    token = account.secret(account.auth["token"])
    if account.auth["kind"] == "bearer":
        return f"Bearer {token}"
    return "Basic " + b64encode(f"{account.auth['user']}/token:{token}".encode()).decode()


class Session(requests.Session):
    """A requests session that belongs to one thread and talks to one account."""

    authorized = True  # zenpy looks for this before it would set credentials of its own

    def __init__(self, account: Account, gate: Gate) -> None:
        super().__init__()
        self.trust_env = False  # a .netrc entry would replace our credentials
        self.headers["User-Agent"] = AGENT
        self.auth = self._credentials = Credentials(account)
        self.mount("https://", HTTPAdapter(max_retries=0))
        self.mount("http://", HTTPAdapter(max_retries=0))
        self._home = origin(account.url)
        self._timeout = account.timeout
        self._gate = gate

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send once and return a 2xx with a JSON object; anything else is raised as a HelpdeskError.

        zenpy follows the links that answers carry; one that leads off this account is not followed, because
        our credentials would go with it.
        """
        writing = request.method != "GET"
        if origin(request.url or "") != self._home:
            raise TryLater("Zendesk linked to another host; check the account's url", MUCH_LATER)
        spent = buckets(request.method or "", request.path_url)
        self._gate.enter(spent)
        kwargs |= {"timeout": self._timeout, "allow_redirects": False}
        try:
            response = super().send(request, **kwargs)
        except requests.RequestException as error:
            raise lost(error, writing=writing) from error
        self._gate.learn(limits(response.headers))
        if response.status_code == 429:
            self._gate.hold(spent[-1], retry_after(response.headers, otherwise=AFTER_429))
        self._check(response, writing)
        return response

    def _check(self, response: Response, writing: bool) -> None:
        """Raise unless this is a 2xx with a JSON object. The status stays readable as the error's cause."""
        if response.status_code == 401:
            self._credentials.forget()
        if not 200 <= response.status_code < 300:
            raise refusal(response, writing=writing) from requests.HTTPError(response=response)
        if not content(response):
            text = f"Zendesk answered {response.status_code} with something that is not a JSON object"
            raise OutcomeUnknown(text) if writing else TryLater(text, UNSAID)


@contextmanager
def legible(*also: type[Exception]) -> Iterator[None]:
    """Turn an answer that cannot be read into TryLater: it is not an empty one."""
    try:
        yield
    except UNREADABLE + also as error:
        raise TryLater(
            f"Zendesk's answer cannot be read ({type(error).__name__}: {error})", UNSAID
        ) from error


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, comparable; `:443` on https says nothing new."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One JSON answer. `at` is Zendesk's own time of it, 0 where it gave none; `warning` is for a human."""

    body: Mapping[str, Any]
    at: Instant
    warning: str = ""

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        """The list of that name. A page without it is not an empty page: TryLater."""
        rows = self.body.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise TryLater(f"Zendesk's answer has no list of {name}", UNSAID)
        return rows

    def row(self, name: str) -> Mapping[str, Any]:
        """The object of that name, else TryLater."""
        row = self.body.get(name)
        if not isinstance(row, dict):
            raise TryLater(f"Zendesk's answer has no {name}", UNSAID)
        return row

    def next_cursor(self) -> str | None:
        """Where a cursor list goes on, or None at its end."""
        meta = self.body.get("meta")
        return (meta.get("after_cursor") or None) if isinstance(meta, dict) and meta.get("has_more") else None


class Line(threading.local):
    """An account's sessions, one for each thread that asks."""

    def __init__(self, account: Account, gate: Gate) -> None:
        self.session = Session(account, gate)
        self._base = account.url.rstrip("/") + "/api/v2"

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """One GET below `/api/v2`."""
        return answer(self.session.get(self._base + path, params=dict(params or {})))

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """One PUT below `/api/v2`."""
        return answer(self.session.put(self._base + path, json=body))

    def every(self, path: str, name: str, params: Mapping[str, str | int]) -> list[Answer]:
        """All pages of a cursor list, in order. An empty page is the last, whatever it says of more."""
        pages = [self.get(path, {**params, "page[size]": 100})]
        while pages[-1].rows(name) and (cursor := pages[-1].next_cursor()):
            pages.append(self.get(path, {**params, "page[size]": 100, "page[after]": cursor}))
        return pages


def answer(response: Response) -> Answer:
    """The answer behind a checked response."""
    return Answer(
        body=content(response),
        at=stamp(response.headers.get("date", "")),
        warning=response.headers.get("x-zendesk-api-warn", ""),
    )
