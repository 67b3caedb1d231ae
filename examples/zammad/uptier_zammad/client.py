"""The way to one Zammad: every answer is checked before it is read, and a refusal is raised as what we do next.

https://docs.zammad.org/en/latest/api/intro.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from adapters.base import (
    AccessLost,
    Account,
    Gate,
    Gone,
    HelpdeskError,
    NotAllowed,
    OutcomeUnknown,
    TryLater,
    Unreadable,
    WontAccept,
)
from adapters.http import (
    MUCH_LATER,
    UNSAID,
    Given,
    Header,
    Refused,
    basic,
    lost,
    open_client,
    read_body,
    read_date,
    read_wait,
    redirected,
)
from policies.model import Instant, TicketRef

ACCOUNT = "account"
AFTER_429 = 60
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NUMBER = re.compile(r"[0-9]{1,18}")
ABOUT_ONE = re.compile(r"/(?:tickets|ticket_history|ticket_articles/by_ticket)/[0-9]+")
MERGED = "merged"  # the default name of the state, https://docs.zammad.org/en/latest/api/ticket/states.html

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One JSON answer; `at` is Zammad's own time of it, 0 where it gave none."""

    body: Any
    at: Instant = 0

    def rows(self) -> list[Any]:
        """The list that Zammad answers with; anything else is not an empty one: TryLater."""
        if not isinstance(self.body, list):
            raise TryLater("Zammad's answer is not a list", UNSAID)
        return self.body

    def row(self) -> Row:
        """The object that Zammad answers with, else TryLater."""
        if not isinstance(self.body, dict):
            raise TryLater("Zammad's answer is not an object", UNSAID)
        return self.body


class Client:
    """An account's client; several threads may use it at once."""

    def __init__(self, account: Account, gate: Gate) -> None:
        self._credentials = Given(lambda: credentials(account))
        self._gate = gate
        self._http = open_client(self, account.url.rstrip("/") + "/api/v1", account.timeout)

    def get(self, path: str, **params: str | int) -> Answer:
        """One GET below `/api/v1`."""
        return self._send("GET", path, writing=False, params=params)

    def search(self, path: str, body: Row) -> Answer:
        """One POST that changes nothing: a search by condition."""
        return self._send("POST", path, writing=False, json=body)

    def write(self, method: str, path: str, body: Row) -> Answer:
        """One request that changes something."""
        return self._send(method, path, writing=True, json=body)

    def every(self, path: str, size: int = 100) -> list[Any]:
        """All entries of a list, page by page."""
        found: list[Any] = []
        while len(page := self.get(path, page=len(found) // size + 1, per_page=size).rows()) == size:
            found += page
        return [*found, *page]

    def _send(self, method: str, path: str, *, writing: bool, **what: Any) -> Answer:
        self._gate.enter((ACCOUNT,))
        try:
            response = self._http.request(method, path, headers=dict([self._credentials.header()]), **what)
        except httpx.RequestError as error:
            never_left = isinstance(error, NEVER_LEFT)
            raise lost("Zammad", error, never_left=never_left, writing=writing) from error
        if response.status_code == 401:
            self._credentials.forget()
        if response.status_code == 429:
            self._gate.hold(ACCOUNT, read_wait(response.headers, AFTER_429))
        body = read_body(response.content)
        if not response.is_success:
            raise refusal(response, body, writing=writing) from Refused(response.status_code, body)
        if body is None:
            text = f"Zammad answered {response.status_code} with something that is not JSON"
            raise OutcomeUnknown(text) if writing else TryLater(text, UNSAID)
        return Answer(body=body, at=read_date(response.headers.get("date", "")))


def credentials(account: Account) -> Header:
    """The header of an access token, or of a user and password."""
    if account.auth["kind"] == "basic":
        return basic(account.auth["user"], account.secret(account.auth["password"]))
    return "Authorization", f"Token token={account.secret(account.auth['token'])}"


def refusal(response: httpx.Response, body: Any, *, writing: bool) -> HelpdeskError:
    """The error for an answer that is not a 2xx. Errors stand under `error`, and `error_human` for people.
    (zammad/zammad: app/controllers/application_controller/handles_errors.rb)"""
    code, path = response.status_code, response.request.url.path
    place = f"Zammad answered {code} to {response.request.method} {path}"
    said = body if isinstance(body, dict) else {}
    text = f"{place}: {str(said.get('error_human') or said.get('error') or 'no reason given')[:500]}"
    if code < 400:
        return redirected(place, "", writing=writing)
    if code == 401:
        return AccessLost(f"{text}. Check the token; a token that has ended must be made anew")
    if code == 403:
        return NotAllowed(f"{text}. Our user may lack the permission or the group", "access to the group")
    if code == 404 and ABOUT_ONE.search(path):
        return Gone(f"{text}. The ticket is deleted")
    if code == 429:
        return TryLater(text, read_wait(response.headers, AFTER_429))
    if not writing:
        return TryLater(text, MUCH_LATER if code == 404 else read_wait(response.headers, UNSAID))
    return OutcomeUnknown(text) if code >= 500 or code == 408 else WontAccept(text)


def fetch(client: Client, ref: TicketRef) -> Answer:
    """The ticket with its relations by name. Raises Gone if it is deleted or merged into another."""
    if not NUMBER.fullmatch(ref.id):
        raise Gone(f"{ref} is not a ticket of Zammad; ids there are whole numbers")
    answer = client.get(f"/tickets/{ref.id}", expand="true")
    row = answer.body
    if not isinstance(row, dict) or str(row.get("id")) != ref.id:
        raise Unreadable(f"Zammad's answer for {ref} is not that ticket")
    if row.get("state") == MERGED:
        raise Gone(f"{ref} is merged into another ticket")
    return answer
