"""The way to Freshdesk: one httpx client an account, every answer checked before it is read; and one ticket's row
by its id.

Nothing is sent twice, nothing waits, no redirect is followed, and a refusal is raised before anybody reads it.

A deleted ticket shows with a flag, or is refused with a 403, as one that is hidden from us: the list of deleted tickets
tells which. One that is archived is missing, or moved. https://developers.freshdesk.com/api/#view_a_ticket
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from adapters.base import Account, Gate, Gone, HelpdeskError, OutcomeUnknown, TryLater, Unreadable
from adapters.freshdesk.answers import ACCOUNT, AFTER_429, buckets, credits_of, held, limits, refusal
from adapters.http import (
    UNREADABLE,
    UNSAID,
    Given,
    Refused,
    basic,
    lost,
    open_client,
    read_body,
    read_date,
    read_wait,
    status_behind,
)
from policies.model import Instant, TicketRef

PAGE = 100
"""The longest page Freshdesk gives."""

NEXT = re.compile(r'rel\s*=\s*"?next\b')
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
WRAPPERS = frozenset({"ticket", "tickets", "agent", "agents", "groups", "requester", "conversations"})
"""Keys that hold the whole answer at Freshservice. https://api.freshservice.com/"""

Row = Mapping[str, Any]
Params = Mapping[str, str | int]


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


class Client:
    """An account's client. httpx clients may be used from several threads at once."""

    def __init__(self, account: Account, gate: Gate) -> None:
        self._key = Given(lambda: basic(account.secret(account.auth["key"]), "X"))
        self._gate = gate
        self._http = open_client(self, account.url.rstrip("/") + "/api/v2", account.timeout)

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
        writing = method != "GET"
        try:
            response = self._http.request(method, path, headers=dict([self._key.header()]), **what)
        except httpx.RequestError as error:
            raise lost(
                "Freshdesk", error, never_left=isinstance(error, NEVER_LEFT), writing=writing
            ) from error
        self._gate.learn(limits(response.headers))
        if response.status_code == 429:
            self._gate.hold(held(spent, response.headers), read_wait(response.headers, AFTER_429))
        if response.status_code == 401:
            self._key.forget()
        body = read_body(response.content)
        if not response.is_success:
            raise refusal(response, writing=writing) from Refused(response.status_code, body)
        if not isinstance(
            body, dict | list
        ):  # a success that says nothing, such as a proxy's page with a 200
            text = f"Freshdesk answered {response.status_code} with something that is not JSON"
            raise OutcomeUnknown(text) if writing else TryLater(text, UNSAID)
        return Answer(
            body=body,
            at=read_date(response.headers.get("date", "")),
            more=NEXT.search(response.headers.get("link", "")) is not None,
        )


def wrapped(body: Any) -> str:
    """What a body in an envelope tells: Freshservice puts each thing under its name, `{"ticket": {...}}`."""
    if isinstance(body, dict) and "id" not in body and WRAPPERS & body.keys():
        return "; it is wrapped as Freshservice's are, which is another product: Uptier has no adapter for it"
    return ""


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


def fetch(client: Client, ref: TicketRef, include: str) -> Answer:
    """The ticket's row. Raises Gone if it is deleted, spam or archived, NotAllowed if it is refused to us, and
    Unreadable if the answer is no ticket, or another one."""
    if not NUMBER.fullmatch(ref.id):
        raise Gone(f"{ref} is not a Freshdesk ticket; Freshdesk's ids are whole numbers")
    try:
        answer = client.get(f"/tickets/{ref.id}", {"include": include})
    except HelpdeskError as error:
        if 300 <= (status_behind(error) or 0) < 400 and is_archived(client, ref):
            raise Gone(f"{ref} is archived") from error.__cause__
        raise
    row = answer.body
    if wrapped(row):
        raise TryLater(f"Freshdesk's answer is not one ticket{wrapped(row)}", 0)
    if not isinstance(row, dict) or str(row.get("id")) != ref.id:
        raise Unreadable(f"Freshdesk's answer for {ref} is not that ticket")
    for flag in ("deleted", "spam", "archived"):
        if row.get(flag) is True:
            raise Gone(f"{ref} is {flag}")
    return answer


def is_archived(client: Client, ref: TicketRef) -> bool:
    """Whether the archive has the ticket; False also where the plan has no archive."""
    try:
        client.get(f"/tickets/archived/{ref.id}")
    except HelpdeskError:
        return False
    return True
