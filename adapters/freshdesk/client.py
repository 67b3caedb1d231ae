"""The way to Freshdesk: one httpx client an account, every answer checked before it is read; and one ticket's row
by its id.

Nothing is sent twice, nothing waits, no redirect is followed, and a refusal is raised before anybody reads it.

A deleted ticket shows with a flag, or is refused with a 403, as one that is hidden from us: the list of deleted tickets
tells which. One that is archived is missing, or moved. https://developers.freshdesk.com/api/#view_a_ticket
"""

import re
import weakref
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from adapters.base import Account, Gate, Gone, HelpdeskError, OutcomeUnknown, TryLater, Unreadable
from adapters.freshdesk.answers import (
    ACCOUNT,
    AFTER_429,
    UNSAID,
    buckets,
    content,
    credits_of,
    held,
    limits,
    lost,
    refusal,
    retry_after,
    stamp,
    status,
)
from policies.model import Instant, TicketRef

AGENT = "Uptier (escalations beside the helpdesk)"
PAGE = 100
"""The longest page Freshdesk gives."""

NEXT = re.compile(r'rel\s*=\s*"?next\b')
UNREADABLE: tuple[type[Exception], ...] = (AttributeError, LookupError, TypeError, ValueError)
"""What reading an answer of an unexpected form raises."""

WRAPPERS = frozenset({"ticket", "tickets", "agent", "agents", "groups", "requester", "conversations"})
"""Keys that hold the whole answer at Freshservice. https://api.freshservice.com/"""

Row = Mapping[str, Any]
Params = Mapping[str, str | int]


class Key(httpx.Auth):
    """Puts the account's API key on each request, as the user of Basic credentials. The key is asked for
    once, and again after a 401: it may have been replaced."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._header: str | None = None

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Called by httpx for every request."""
        if self._header is None:
            key = self._account.secret(self._account.auth["key"])
            self._header = "Basic " + b64encode(f"{key}:X".encode()).decode()
        request.headers["Authorization"] = self._header
        yield request

    def forget(self) -> None:
        """Ask for the key again next time."""
        self._header = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One JSON answer. `at` is Freshdesk's own time of it, 0 where it gave none; `more` says that its `Link`
    names a next page."""

    body: Any
    at: Instant = 0
    more: bool = False

    def entries(self) -> list[Any]:
        """The bare list that Freshdesk answers with, whatever its entries are. Anything else is not an empty one:
        TryLater."""
        if not isinstance(self.body, list):
            raise TryLater(f"Freshdesk's answer is not a list{wrapped(self.body)}", UNSAID)
        return self.body

    def rows(self) -> list[Row]:
        """Those entries of the list that are objects."""
        return [each for each in self.entries() if isinstance(each, dict)]

    def row(self) -> Row:
        """The object that Freshdesk answers with, else TryLater."""
        if not isinstance(self.body, dict) or self.body.get("id") is None:
            raise TryLater(f"Freshdesk's answer is not one thing with an id{wrapped(self.body)}", UNSAID)
        return self.body


class Line:
    """An account's client. httpx clients may be used from several threads at once."""

    def __init__(self, account: Account, gate: Gate) -> None:
        self._key = Key(account)
        self._gate = gate
        self._client = httpx.Client(
            base_url=account.url.rstrip("/") + "/api/v2",
            auth=self._key,
            headers={"User-Agent": AGENT, "Accept": "application/json"},
            timeout=account.timeout,
            follow_redirects=False,
            trust_env=False,
        )
        weakref.finalize(self, self._client.close)

    def get(self, path: str, params: Params | None = None) -> Answer:
        """One GET below `/api/v2`."""
        return self._send("GET", path, params=dict(params or {}))

    def put(self, path: str, body: Row) -> Answer:
        """One PUT below `/api/v2`."""
        return self._send("PUT", path, json=body)

    def post(self, path: str, body: Row) -> Answer:
        """One POST below `/api/v2`."""
        return self._send("POST", path, json=body)

    def every(self, path: str) -> list[Any]:
        """All entries of a list, in order; one that is no object is for the reader to judge."""
        answers = [self.get(path, {"page": 1, "per_page": PAGE})]
        while further(answers[-1], PAGE):
            answers.append(self.get(path, {"page": len(answers) + 1, "per_page": PAGE}))
        return [entry for answer in answers for entry in answer.entries()]

    def _send(self, method: str, path: str, **what: Any) -> Answer:
        """Send once and answer what a 2xx says; anything else is raised as a HelpdeskError."""
        spent = buckets(method, path)
        self._gate.enter(spent)
        for _ in range(1, credits_of(path, str(what.get("params", {}).get("include", "")))):
            self._gate.enter((ACCOUNT,))
        try:
            response = self._client.request(method, path, **what)
        except httpx.RequestError as error:
            raise lost(error, writing=method != "GET") from error
        self._gate.learn(limits(response.headers))
        if response.status_code == 429:
            self._gate.hold(held(spent, response.headers), retry_after(response.headers, otherwise=AFTER_429))
        return self._checked(response, writing=method != "GET")

    def _checked(self, response: httpx.Response, *, writing: bool) -> Answer:
        """The answer. An error's cause keeps the status readable."""
        if response.status_code == 401:
            self._key.forget()
        if not response.is_success:
            cause = httpx.HTTPStatusError("refused", request=response.request, response=response)
            raise refusal(response, writing=writing) from cause
        body = content(response)
        if not isinstance(body, dict | list):
            raise unreadable(response.status_code, writing=writing)
        return Answer(
            body=body,
            at=stamp(response.headers.get("date", "")),
            more=NEXT.search(response.headers.get("link", "")) is not None,
        )


def wrapped(body: Any) -> str:
    """What a body in an envelope tells: Freshservice puts each thing under its name, `{"ticket": {...}}`."""
    if isinstance(body, dict) and "id" not in body and WRAPPERS & body.keys():
        return "; it is wrapped as Freshservice's are, which is another product: Uptier has no adapter for it"
    return ""


def unreadable(code: int, *, writing: bool) -> HelpdeskError:
    """The error for a success that says nothing, such as a proxy's page with a 200."""
    text = f"Freshdesk answered {code} with something that is not JSON"
    return OutcomeUnknown(text) if writing else TryLater(text, UNSAID)


def further(answer: Answer, size: int) -> bool:
    """Whether a next page is worth asking for: `Link` says so, or this one is full and says nothing."""
    return answer.more or len(answer.entries()) >= size


@contextmanager
def legible(*, writing: bool = False) -> Iterator[None]:
    """Turn an answer about one ticket that cannot be read into Unreadable. What answers a write is already written:
    OutcomeUnknown."""
    try:
        yield
    except UNREADABLE as error:
        text = f"Freshdesk's answer cannot be read: {error}"
        raise (OutcomeUnknown(text) if writing else Unreadable(text)) from error


NUMBER = re.compile(r"[0-9]{1,18}")


def place(ref: TicketRef) -> str:
    """The path of a ticket below `/api/v2`."""
    return f"/tickets/{ref.id}"


def fetch(line: Line, ref: TicketRef, include: str) -> Answer:
    """The ticket's row. Raises Gone if it is deleted, spam or archived, NotAllowed if it is refused to us, and
    Unreadable if the answer is no ticket, or another one."""
    if not NUMBER.fullmatch(ref.id):
        raise Gone(f"{ref} is not a Freshdesk ticket; Freshdesk's ids are whole numbers")
    try:
        answer = line.get(place(ref), {"include": include})
    except HelpdeskError as error:
        raise meant(line, ref, error) from (error.__cause__ or error)
    row = answer.body
    if wrapped(row):
        raise TryLater(f"Freshdesk's answer is not one ticket{wrapped(row)}", 0)
    if not isinstance(row, dict) or str(row.get("id")) != ref.id:
        raise Unreadable(f"Freshdesk's answer for {ref} is not that ticket")
    for flag in ("deleted", "spam", "archived"):
        if row.get(flag) is True:
            raise Gone(f"{ref} is {flag}")
    return answer


def meant(line: Line, ref: TicketRef, error: HelpdeskError) -> HelpdeskError:
    """The error behind a refusal to show one ticket."""
    found = status(error)
    if found is not None and 300 <= found < 400 and is_archived(line, ref):
        return Gone(f"{ref} is archived")
    return error


def is_archived(line: Line, ref: TicketRef) -> bool:
    """Whether the archive has the ticket; False also where the plan has no archive."""
    try:
        line.get(f"/tickets/archived/{ref.id}")
    except HelpdeskError:
        return False
    return True
