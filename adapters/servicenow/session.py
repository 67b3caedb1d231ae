"""The way to ServiceNow: one httpx client and one cookie jar an account, every answer checked before it is read.

Nothing waits, no redirect is followed, nothing is sent twice but for one resend after a 401, which was not
applied. The jar keeps the server session, and with it the node that has seen our own writes. Vendor sheet 1.9
and 4.6.
"""

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from adapters.base import AccessLost, Account, Gate, HelpdeskError, OutcomeUnknown, TryLater
from adapters.servicenow.credentials import TOKENS, credentials
from adapters.servicenow.limits import ACCOUNT, AFTER_429, Windows, retry_after, stamp, whole
from adapters.servicenow.query import any_of, every_of, ordered, term
from adapters.servicenow.refusals import SOON, UNSAID, Closed, cancelled, content, lost, refusal, words
from adapters.servicenow.rows import Row, needed, text
from policies.model import Instant

AGENT = "Uptier (escalations beside the helpdesk)"
LARGEST, SMALLEST = 200, 10
UNREADABLE: tuple[type[Exception], ...] = (AttributeError, LookupError, TypeError, ValueError)
"""What reading an answer of an unexpected form raises."""

SHAPE = {"sysparm_display_value": "all", "sysparm_exclude_reference_link": "true"}
Params = Mapping[str, str]
Where = Mapping[str, Sequence[str]]
"""Columns and the values of which each must hold one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. `at` is ServiceNow's own time of it, 0 where it gave none. `total` is how many rows match
    the query, perhaps with those we may not see, None where it is not told."""

    result: Any
    at: Instant = 0
    total: int | None = None

    def rows(self) -> list[Row]:
        """The list that ServiceNow answers with. Anything else is not an empty one: TryLater."""
        if not isinstance(self.result, list) or not all(isinstance(row, dict) for row in self.result):
            raise TryLater("ServiceNow's answer is not a list of records", UNSAID)
        return self.result

    def row(self) -> Row:
        """The record that ServiceNow answers with, else TryLater."""
        if not isinstance(self.result, dict) or not self.result:
            raise TryLater("ServiceNow's answer is not a record", UNSAID)
        return self.result


class Line:
    """An account's client. httpx clients may be used from several threads at once.

    `size` is how many rows to ask for; it is halved when the instance cancels a request that takes too long.
    """

    def __init__(self, account: Account, gate: Gate) -> None:
        self.size = LARGEST
        self._gate = gate
        self._windows = Windows()
        self._client = httpx.Client(
            base_url=account.url.rstrip("/"),
            headers={"User-Agent": AGENT, "Accept": "application/json"},
            timeout=account.timeout,
            follow_redirects=False,
            trust_env=False,
        )
        weakref.finalize(self, self._client.close)  # an adapter has no end of its own; its sockets have
        self._credentials = credentials(account, self._ask)

    def get(self, path: str, params: Params | None = None) -> Answer:
        """One GET below `/api/now`."""
        return self._send("GET", path, params=dict(params or {}))

    def record(self, table: str, sys_id: str, columns: Sequence[str]) -> Answer:
        """One record."""
        return self.get(place(table, sys_id), {**SHAPE, "sysparm_fields": ",".join(columns)})

    def listed(
        self, table: str, query: str, columns: Sequence[str], *, limit: int, offset: int = 0
    ) -> Answer:
        """One page of a table. The instance counts `limit` before it takes away what we may not see."""
        params = {
            **SHAPE,
            "sysparm_query": query,
            "sysparm_fields": ",".join(columns),
            "sysparm_limit": str(limit),
            "sysparm_offset": str(offset),
            "sysparm_suppress_pagination_header": "true",
        }
        return self.get(f"/table/{table}", params)

    def patch(self, table: str, sys_id: str, body: Row, columns: Sequence[str]) -> Answer:
        """One PATCH; only the named columns change."""
        params = {**SHAPE, "sysparm_fields": ",".join(columns)}
        return self._send("PATCH", place(table, sys_id), params=params, json=body)

    def post(self, table: str, body: Row) -> Answer:
        """One new record."""
        return self._send("POST", f"/table/{table}", params=SHAPE, json=body)

    def delete(self, table: str, sys_id: str) -> None:
        """Delete one record."""
        self._send("DELETE", place(table, sys_id))

    def every(self, table: str, where: Where, columns: Sequence[str], base: str = "") -> list[Row]:
        """All rows that `where` names and we may see, in the order of their ids, which is the instance's.

        Raises AccessLost if the instance widened the query, or hides every row that matches.
        """
        conditions = [any_of(column, values) for column, values in where.items()]
        named = list(dict.fromkeys(["sys_id", *columns, *where]))
        found: list[Row] = []
        last, offset, hidden = "", 0, 0
        while True:
            beyond = f"sys_id>{term(last)}" if last else ""
            query = ordered(every_of(*conditions, base, beyond), "sys_id")
            size = self.size
            answer = self.listed(table, query, named, limit=size, offset=offset)
            rows = answer.rows()
            hold(table, rows, where)
            found += rows
            hidden = max(hidden, (answer.total or 0) - len(rows)) if not found else 0
            after = further(answer, offset, size)
            if after is None:
                break
            offset = after
            last = passed(last, rows)
        if hidden:
            raise Closed(f"ServiceNow hides all {hidden} matching rows of {table}. Let Uptier's user read it")
        return found

    def _send(self, method: str, path: str, **what: Any) -> Answer:
        """Send once, or once more after a 401 with something new to try; anything but a 2xx is raised."""
        header = self._credentials.header()
        response = self._once(method, "/api/now" + path, header, **what)
        if response.status_code == 401 and self._renewed(header):
            response = self._once(method, "/api/now" + path, self._credentials.header(), **what)
        return self._checked(response, writing=method != "GET")

    def _renewed(self, used: tuple[str, str]) -> bool:
        """A server session that has ended also answers 401, so the cookies go first."""
        had_session = bool(self._client.cookies)
        self._client.cookies.clear()
        return self._credentials.renew(used) or had_session

    def _once(self, method: str, path: str, header: tuple[str, str] | None, **what: Any) -> httpx.Response:
        """One request on the wire, counted."""
        self._gate.enter((ACCOUNT,))
        writing = method != "GET" and path != TOKENS
        try:
            response = self._client.request(method, path, headers=dict([header] if header else []), **what)
        except httpx.RequestError as error:
            raise lost(error, writing=writing) from error
        refused = response.status_code == 429
        self._gate.learn(self._windows.limits(response.headers, refused=refused))
        if refused:
            self._gate.hold(ACCOUNT, retry_after(response.headers, AFTER_429))
        return response

    def _ask(self, form: Mapping[str, str]) -> httpx.Response:
        """Ask for a token."""
        return self._once("POST", TOKENS, None, data=dict(form))

    def _checked(self, response: httpx.Response, *, writing: bool) -> Answer:
        """The answer. An error's cause keeps the status readable."""
        at = stamp(response.headers.get("date", ""))
        if response.status_code == 204:
            return Answer(result=None, at=at)
        body = content(response)
        if response.is_success and "error" not in body and "result" in body:
            return Answer(result=body["result"], at=at, total=whole(response.headers, "x-total-count"))
        if cancelled(response):
            self.size = max(SMALLEST, self.size // 2)
        if response.is_success:
            raise unusable(response, writing=writing)
        cause = httpx.HTTPStatusError("refused", request=response.request, response=response)
        raise refusal(response, writing=writing) from cause


def unusable(response: httpx.Response, *, writing: bool) -> HelpdeskError:
    """The error for a success that is none: a sleeping instance, a sign-in page, an answer that was cut off."""
    if "error" in content(response):
        said = f"ServiceNow answered {response.status_code} with an error in it: {words(response)}"
    elif "html" in response.headers.get("content-type", ""):
        said = f"ServiceNow answered {response.status_code} with a web page: the instance sleeps, or wants a sign-in"
    else:
        said = f"ServiceNow answered {response.status_code} with something that is no whole JSON answer"
    return OutcomeUnknown(said) if writing else TryLater(said, SOON if cancelled(response) else UNSAID)


def place(table: str, sys_id: str) -> str:
    """The path of a record below `/api/now`."""
    return f"/table/{table}/{quote(sys_id, safe='')}"


def further(answer: Answer, offset: int, size: int) -> int | None:
    """The offset of the next page behind the last row seen, or None at the end of the list.

    A page may lack rows, even all, that we may not see, and `total` may count those or not. So a page that shows
    fewer rows than there are is not the last one; where it shows none, the window moves on by one page at least.
    """
    shown, total = len(answer.rows()), answer.total
    if shown:
        whole_list = total is not None and offset == 0 and total <= shown
        return None if whole_list else 0
    return offset + size if total != 0 and (offset == 0 or (total or 0) > offset + size) else None


def passed(last: str, rows: Sequence[Row]) -> str:
    """The id of the last row. AccessLost if the list did not move on: the instance left our place in it out."""
    if not rows:
        return last
    found = needed(rows[-1], "sys_id")
    if found == last:
        raise AccessLost("ServiceNow ignores our filter on sys_id. Let Uptier's user query that column")
    return found


def hold(table: str, rows: Sequence[Row], where: Where) -> None:
    """Raise AccessLost for a row that the query does not name: an instance leaves out what it may not filter by."""
    for row in rows:
        for column, values in where.items():
            held = text(row, column)
            if held.casefold() not in {value.casefold() for value in values}:
                raise AccessLost(
                    f"ServiceNow ignores our filter on {table}.{column}. Let Uptier's user read that column"
                )


@contextmanager
def legible(*, writing: bool = False) -> Iterator[None]:
    """Turn an answer that cannot be read into TryLater, since it is not an empty one. What answers a write
    is already written: OutcomeUnknown."""
    try:
        yield
    except UNREADABLE as error:
        said = f"ServiceNow's answer cannot be read ({type(error).__name__}: {error})"
        raise (OutcomeUnknown(said) if writing else TryLater(said, UNSAID)) from error
