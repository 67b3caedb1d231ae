"""The way to Zendesk: our own requests session, one a thread, with every answer checked before it is read.

zenpy gets this session too. Its own would repeat writes and sleep on a 429; here nothing is sent twice,
nothing waits, no redirect is followed, and a refusal is raised before zenpy sees it."""

import threading
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
from adapters.zendesk.answers import (
    MUCH_LATER,
    UNSAID,
    announced,
    buckets,
    content,
    limits,
    lost,
    refusal,
    stamp,
    wait_after_429,
)
from adapters.zendesk.auth import Credentials
from policies.model import Instant

AGENT = "Uptier (escalations beside the helpdesk)"
"""Zendesk keeps the caller's User-Agent in each audit, so ours is like nobody else's."""

UNREADABLE: tuple[type[Exception], ...] = (AttributeError, LookupError, TypeError, ValueError)
"""What reading an answer of an unexpected form raises."""

PORTS = {"http": 80, "https": 443}


class Signed(AuthBase):
    """Puts the account's credentials on each request."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Called by requests for every request."""
        request.headers["Authorization"] = self._credentials.header()
        return request


class Session(requests.Session):
    """A requests session that belongs to one thread and talks to one account."""

    authorized = True  # zenpy looks for this before it would set credentials of its own

    def __init__(self, account: Account, gate: Gate, credentials: Credentials) -> None:
        super().__init__()
        self.trust_env = False  # a .netrc entry would replace our credentials
        self.headers["User-Agent"] = AGENT
        self.auth = Signed(credentials)
        self._credentials = credentials
        self.mount("https://", HTTPAdapter(max_retries=0))
        self.mount("http://", HTTPAdapter(max_retries=0))
        self._account = account
        self._home = origin(account.url)
        self._timeout = account.timeout
        self._gate = gate

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send and return a 2xx with a JSON object; anything else is raised as a HelpdeskError.

        What a 401 refuses was not applied: it is sent once more where there are other credentials by then.
        zenpy follows the links that answers carry; one that leads off this account is not followed, because our
        credentials would go with it.
        """
        writing = request.method != "GET"
        if origin(request.url or "") != self._home:
            raise TryLater("Zendesk linked to another host; check the account's url", MUCH_LATER)
        kwargs |= {"timeout": self._timeout, "allow_redirects": False}
        response = self._once(request, kwargs)
        used = str(request.headers["Authorization"])
        if response.status_code == 401 and self._credentials.renew(used):
            request.headers["Authorization"] = self._credentials.header()
            response = self._once(request, kwargs)
        self._check(response, writing=writing)
        return response

    def _once(self, request: PreparedRequest, kwargs: dict[str, Any]) -> Response:
        """One request out of the budget; what the answer says of limits is learned."""
        spent = buckets(request.method or "", request.path_url)
        self._gate.enter(spent)
        try:
            response = super().send(request, **kwargs)
        except requests.RequestException as error:
            raise lost(error, writing=request.method != "GET") from error
        self._gate.learn(limits(response.headers))
        if response.status_code == 429:
            for bucket in announced(response.headers, spent):
                self._gate.hold(bucket, wait_after_429(response.headers))
        return response

    def _check(self, response: Response, *, writing: bool) -> None:
        """Raise unless this is a 2xx with a JSON object. The status stays readable as the error's cause."""
        if not 200 <= response.status_code < 300:
            error = refusal(response, self._account, writing=writing)
            raise error from requests.HTTPError(response=response)
        if not content(response):
            text = f"Zendesk answered {response.status_code} with something that is not a JSON object"
            raise OutcomeUnknown(text) if writing else TryLater(text, UNSAID)


def ask_for_token(account: Account, form: Mapping[str, str]) -> Response:
    """Post to the account's token address, without the credentials that are asked for. Raises TryLater."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.post(
                account.url.rstrip("/") + "/oauth/tokens",
                json=dict(form),
                headers={"User-Agent": AGENT},
                timeout=account.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TryLater(f"no token from Zendesk ({type(error).__name__})", UNSAID) from error


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

    def rows(self, name: str) -> list[Any]:
        """The list of that name, whatever stands in it. A page without it is not an empty page: TryLater."""
        rows = self.body.get(name)
        if not isinstance(rows, list):
            raise TryLater(f"Zendesk's answer has no list of {name}", UNSAID)
        return rows

    def next_cursor(self) -> str | None:
        """Where a cursor list goes on, or None at its end. One that goes on without saying where is no whole list:
        TryLater."""
        meta = self.body.get("meta")
        about = meta if isinstance(meta, dict) else {}
        after = about.get("after_cursor")
        if not about.get("has_more"):
            if self.body.get("next_page") or (meta is not None and not isinstance(meta, dict)):
                raise TryLater("Zendesk's list goes on in a way that was not asked for", UNSAID)
            return None
        if not isinstance(after, str) or not after:
            raise TryLater("Zendesk's list goes on and does not say where", UNSAID)
        return after


class Line(threading.local):
    """An account's sessions, one for each thread that asks."""

    def __init__(self, account: Account, gate: Gate, credentials: Credentials) -> None:
        self.session = Session(account, gate, credentials)
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
        met: set[str] = set()
        while pages[-1].rows(name) and (cursor := pages[-1].next_cursor()):
            if cursor in met:
                raise TryLater(f"Zendesk's list of {name} goes in a circle", UNSAID)
            met.add(cursor)
            pages.append(self.get(path, {**params, "page[size]": 100, "page[after]": cursor}))
        return pages


def answer(response: Response) -> Answer:
    """The answer behind a checked response."""
    return Answer(
        body=content(response),
        at=stamp(response.headers.get("date", "")),
        warning=response.headers.get("x-zendesk-api-warn", ""),
    )
