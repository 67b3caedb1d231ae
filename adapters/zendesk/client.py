"""The way to Zendesk: our own requests session, one a thread, with every answer checked before it is read.

zenpy gets this session too. Its own would repeat writes and sleep on a 429; here nothing is sent twice,
nothing waits, no redirect is followed, and a refusal is raised before zenpy sees it.

Tokens of OAuth clients made since 2026-04-30 live for thirty minutes, and a refresh ends the pair before it.
https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from adapters.base import Account, Gate, OutcomeUnknown, TryLater
from adapters.http import (
    AGENT,
    MUCH_LATER,
    UNSAID,
    Credentials,
    Given,
    Granted,
    Header,
    Refused,
    TokenAnswer,
    basic,
    read_date,
    read_object,
)
from adapters.zendesk.answers import announced, buckets, limits, lost_connection, refusal, wait_after_429
from policies.model import Instant

SCOPE = "read write"
PORTS = {"http": 80, "https": 443}
NO_CONTENT = 204


def credentials(account: Account) -> Credentials:
    """What the account's `auth` says: a token of our own, an address with an API token, or an OAuth client's own
    token (`client_credentials`)."""
    auth, secret = account.auth, account.secret

    def given() -> Header:
        token = secret(auth["token"])
        if auth["kind"] == "bearer":
            return "Authorization", f"Bearer {token}"
        return basic(f"{auth['user']}/token", token)

    def client() -> Mapping[str, str]:
        return {
            "client_id": str(auth["client_id"]),
            "client_secret": secret(auth["client_secret"]),
            "scope": str(auth.get("scope") or SCOPE),
        }

    if auth["kind"] != "oauth":
        return Given(given)
    return Granted(
        "Zendesk",
        lambda form: ask_for_token(account, form),
        client,
        lambda: {"grant_type": "client_credentials"},
        "; check client_id, client_secret and scope of the OAuth client",
    )


def ask_for_token(account: Account, form: Mapping[str, str]) -> TokenAnswer:
    """Post to the account's token address, without the credentials that are asked for. Raises TryLater."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                account.url.rstrip("/") + "/oauth/tokens",
                json=dict(form),
                headers={"User-Agent": AGENT},
                timeout=account.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TryLater(f"no token from Zendesk ({type(error).__name__})", UNSAID) from error
    body = read_object(answer.content)
    why = f"status {answer.status_code}: {body.get('error') or 'no reason'}"
    return TokenAnswer(status=answer.status_code, body=body, why=why)


class Session(requests.Session):
    """A requests session that belongs to one thread and talks to one account."""

    authorized = True  # zenpy looks for this before it would set credentials of its own

    def __init__(self, account: Account, gate: Gate, credentials: Credentials) -> None:
        super().__init__()
        self.trust_env = False  # a .netrc entry would replace our credentials
        self.headers["User-Agent"] = AGENT
        self._credentials = credentials
        self.mount("https://", HTTPAdapter(max_retries=0))
        self.mount("http://", HTTPAdapter(max_retries=0))
        self._account = account
        self._home = origin(account.url)
        self._gate = gate

    def send(self, request: PreparedRequest, **_: Any) -> Response:
        """As `ask`, for zenpy, which reads the JSON by itself and follows the links that answers carry; one that leads
        off this account is not followed, because our credentials would go with it."""
        if origin(request.url or "") != self._home:
            raise TryLater("Zendesk linked to another host; check the account's url", MUCH_LATER)
        return self.ask(request)[0]

    def ask(self, request: PreparedRequest) -> tuple[Response, Mapping[str, Any]]:
        """Send and return a 2xx and the JSON object in it; anything else is raised as a HelpdeskError. What a 401
        refuses was not applied: it is sent once more where there are other credentials by then."""
        writing = request.method != "GET"
        used = self._credentials.header()
        response = self._once(request, used)
        if response.status_code == 401 and self._credentials.renew(used):
            response = self._once(request, self._credentials.header())
        body = read_object(response.content)
        if not 200 <= response.status_code < 300:
            error = refusal(response, self._account, writing=writing)
            raise error from Refused(response.status_code, body)
        if not body and response.status_code != NO_CONTENT:
            text = f"Zendesk answered {response.status_code} with something that is not a JSON object"
            raise OutcomeUnknown(text) if writing else TryLater(text, UNSAID)
        return response, body

    def _once(self, request: PreparedRequest, header: Header) -> Response:
        """One request out of the budget; what the answer says of limits is learned. The session's own `send` would do
        no more than this but keep cookies and follow redirects, for a third of what the request takes of a processor.
        """
        spent = buckets(request.method or "", request.path_url)
        request.headers[header[0]] = header[1]
        self._gate.enter(spent)
        try:
            response = self.get_adapter(request.url or "").send(request, timeout=self._account.timeout)
            response.content  # noqa: B018 (read here, where a connection may be lost)
        except requests.RequestException as error:
            raise lost_connection(error, writing=request.method != "GET") from error
        self._gate.learn(limits(response.headers, spent[0]))
        if response.status_code == 429:
            for bucket in announced(response.headers, spent):
                self._gate.hold(bucket, wait_after_429(response.headers))
        return response


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


class Client(threading.local):
    """An account's sessions, one for each thread that asks."""

    def __init__(self, account: Account, gate: Gate, credentials: Credentials) -> None:
        self.session = Session(account, gate, credentials)
        self._base = account.url.rstrip("/") + "/api/v2"

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """One GET below `/api/v2`."""
        return self._ask("GET", path, params)

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """One PUT below `/api/v2`."""
        return self._ask("PUT", path, body=body)

    def post(self, path: str, body: Mapping[str, Any], params: Mapping[str, str] | None = None) -> Answer:
        """One POST below `/api/v2`."""
        return self._ask("POST", path, params, body)

    def delete(self, path: str) -> None:
        """One DELETE below `/api/v2`."""
        self._ask("DELETE", path)

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """`path` is fit for an address as it is."""
        request = PreparedRequest()
        request.method = method
        request.url = f"{self._base}{path}?{urlencode(params)}" if params else self._base + path
        request.prepare_headers(self.session.headers)
        if body is not None:
            request.body = json.dumps(body, allow_nan=False).encode()
            request.headers["Content-Type"] = "application/json"
            request.headers["Content-Length"] = str(len(request.body))
        elif method != "GET":
            request.headers["Content-Length"] = "0"
        response, said = self.session.ask(request)
        return Answer(
            body=said,
            at=read_date(response.headers.get("date", "")),
            warning=response.headers.get("x-zendesk-api-warn", ""),
        )

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
