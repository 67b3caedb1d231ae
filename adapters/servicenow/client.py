"""The way to ServiceNow: one httpx client and one cookie jar an account, every answer checked before it is read.

Nothing waits, no redirect is followed, nothing is sent twice but for one resend after a 401, which was not
applied. The jar keeps the server session, and with it the node that has seen our own writes. Vendor sheet 1.9
and 4.6."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from adapters.base import Account, Gate, HelpdeskError, Keys, NotAllowed, OutcomeUnknown, TryLater, Unreadable
from adapters.http import (
    SOON,
    UNSAID,
    Credentials,
    Given,
    Granted,
    Header,
    Refused,
    TokenAnswer,
    basic,
    check_auth,
    lost,
    open_client,
    read_date,
    read_number,
    read_object,
    reading,
)
from adapters.servicenow.answers import (
    AFTER_429,
    NEVER_LEFT,
    OddValue,
    Row,
    Windows,
    cancelled,
    refusal,
    text,
    wait_of_rule,
    words,
)
from adapters.servicenow.profile import SYS_ID, any_of, every_of, folded, ordered, term
from adapters.servicenow.vendor import VENDOR
from policies.model import Instant, Seconds

TOKENS = "/oauth_token.do"
TIMEOUT: Seconds = 75
"""An instance cancels a request at about a minute; who gives up before that never hears that the page was too big."""

LARGEST, SMALLEST = 200, 10
GROWS_AFTER = 10
"""So many lists that went well double a page that was made smaller."""

FAR = 50
"""How many pages of rows that we may not see are looked behind at once; 10,000 rows is ServiceNow's own default."""

LOOKS = 5
LONG: Seconds = 60
"""What is only nice to have is not waited for longer than this."""

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
        """The records in the list that ServiceNow answers with. What is no list is not an empty one: TryLater."""
        if not isinstance(self.result, list):
            raise TryLater("ServiceNow's answer is not a list of records", UNSAID)
        return [row for row in self.result if isinstance(row, dict)]

    @property
    def odd(self) -> int:
        """How many entries of the list are no records."""
        return len(self.result) - len(self.rows())

    def row(self) -> Row:
        """The record that ServiceNow answers with, else Unreadable."""
        if not isinstance(self.result, dict) or not self.result:
            raise Unreadable("ServiceNow's answer is not a record")
        return self.result


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All rows of a list that can be read, and how many could not be."""

    rows: list[Row]
    odd: int = 0


def check_credentials(account: Account) -> None:
    """Raise ValueError for credentials that cannot work. An OAuth client with a user needs that user's password."""
    kinds = dict(VENDOR.auth)
    if account.auth.get("user"):
        kinds["oauth"] = Keys(needed=(*kinds["oauth"].needed, "password"))
    check_auth(account, kinds)


def credentials(account: Account, ask: Callable[[Mapping[str, str]], TokenAnswer]) -> Credentials:
    """What the account's `auth` says: basic credentials, an API key, or an OAuth token, by client credentials or by a
    user's password where the account names a user. Vendor sheet 4.1 to 4.3,
    https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/c_RESTAPI.html"""
    auth, secret = account.auth, account.secret

    def given() -> Header:
        if auth["kind"] == "key":
            return "x-sn-apikey", secret(auth["key"])
        return basic(auth["user"], secret(auth["password"]))

    def client() -> Mapping[str, str]:
        return {"client_id": str(auth["client_id"]), "client_secret": secret(auth["client_secret"])}

    def grant() -> Mapping[str, str]:
        if not auth.get("user"):
            return {"grant_type": "client_credentials"}
        user, password = str(auth["user"]), secret(auth["password"])
        return {"grant_type": "password", "username": user, "password": password}

    if auth["kind"] != "oauth":
        return Given(given)
    advice = ". Check the OAuth client, its secret, and that its grant is switched on"
    return Granted("ServiceNow", ask, client, grant, advice)


class Client:
    """An account's client. httpx clients may be used from several threads at once.

    `size` is how many rows to ask for; it is halved when the instance cancels a request that takes too long, and
    grows again when that is over. `now` is ServiceNow's own time of its last answer, 0 before the first.
    """

    def __init__(self, account: Account, gate: Gate, timeout: Seconds | None = None) -> None:
        self.size = LARGEST
        self.now: Instant = 0
        self._went_well = 0
        self._gate = gate
        self._windows = Windows()
        self._http = open_client(self, account.url.rstrip("/"), timeout or max(account.timeout, TIMEOUT))
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
        answer = self.get(f"/table/{table}", params)
        self._grow()
        return answer

    def scout(
        self, table: str, query: str, columns: Sequence[str], answer: Answer, offset: int
    ) -> Row | None:
        """The first row behind a page in which we may see none, or None if there is none as far as can be told.

        `limit` is counted before rows are taken away that we may not see, and `total` may count those, may not, or
        is not told. So where it does not settle the matter a long window is looked through, ids only.
        """
        if answer.total == 0:
            return None
        for _ in range(1 if answer.total is None else LOOKS):
            size = self.size * FAR
            rows = self.listed(table, query, columns, limit=size, offset=offset).rows()
            found = next((row for row in rows if sys_id(row)), None)
            if found is not None:
                return found
            offset += size
        return None

    def _grow(self) -> None:
        self._went_well = self._went_well + 1 if self.size < LARGEST else 0
        if self._went_well >= GROWS_AFTER:
            self.size, self._went_well = min(LARGEST, self.size * 2), 0

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

    def every(self, table: str, where: Where, columns: Sequence[str], base: str = "") -> Listing:
        """All rows that `where` names and we may see, in the order of their ids, which is the instance's.

        Raises NotAllowed if the instance widened the query or hides every row that matches, TryLater if there are
        rows and none can be read.
        """
        conditions = [any_of(column, values) for column, values in where.items()]
        named = list(dict.fromkeys(["sys_id", *columns, *where]))
        found: list[Row] = []
        last, offset, hidden, odd = "", 0, 0, 0
        while True:
            beyond = f"sys_id>{term(last)}" if last else ""
            query = ordered(every_of(*conditions, base, beyond), "sys_id")
            size = self.size
            answer = self.listed(table, query, named, limit=size, offset=offset)
            rows = [row for row in answer.rows() if sys_id(row)]
            good = fitting(table, rows, where)
            odd += answer.odd + len(answer.rows()) - len(good)
            if odd and not (found or good):
                raise TryLater(f"none of {odd} rows of {table} can be read", UNSAID)
            found += good
            hidden = max(hidden, (answer.total or 0) - len(rows)) if not found else 0
            after = further(answer, len(rows), offset, size)
            if rows:
                last = passed(last, sys_id(rows[-1]))
            elif after is None and (ahead := self.scout(table, query, ("sys_id",), answer, offset + size)):
                last, after = sys_id(ahead)[:-1], 0
            if after is None:
                break
            offset = after
        if hidden and not found:
            raise NotAllowed(
                f"ServiceNow hides all {hidden} matching rows of {table}. Let Uptier's user read it",
                f"read {table}",
            )
        return Listing(rows=found, odd=odd)

    def _send(self, method: str, path: str, **what: Any) -> Answer:
        """Send once, or once more after a 401 with something new to try; anything but a 2xx is raised."""
        header = self._credentials.header()
        response = self._once(method, "/api/now" + path, header, **what)
        if response.status_code == 401 and self._renewed(header):
            response = self._once(method, "/api/now" + path, self._credentials.header(), **what)
        answer = self._checked(response, writing=method != "GET")
        self.now = answer.at or self.now
        return answer

    def _renewed(self, used: Header) -> bool:
        """A server session that has ended also answers 401, so the cookies go first."""
        had_session = bool(self._http.cookies)
        self._http.cookies.clear()
        return self._credentials.renew(used) or had_session

    def _once(self, method: str, path: str, header: Header | None, **what: Any) -> httpx.Response:
        """One request on the wire, counted in the budgets of its table and of its rate rule."""
        table = bucket_of(path)
        self._gate.enter(self._windows.buckets(table))
        writing = method != "GET" and path != TOKENS
        try:
            response = self._http.request(method, path, headers=dict([header] if header else []), **what)
        except httpx.RequestError as error:
            never_left = isinstance(error, NEVER_LEFT)
            raise lost("ServiceNow", error, never_left=never_left, writing=writing) from error
        refused = response.status_code == 429
        told = self._windows.limits(table, response.headers, refused=refused)
        self._gate.learn(told)
        if refused:
            held = told[0].bucket if told else table
            self._gate.hold(held, wait_of_rule(response.headers, AFTER_429))
        return response

    def _ask(self, form: Mapping[str, str]) -> TokenAnswer:
        """Ask for a token."""
        response = self._once("POST", TOKENS, None, data=dict(form))
        return TokenAnswer(
            status=response.status_code,
            body=read_object(response.content),
            why=f"{response.status_code}: {words(response)}",
        )

    def _checked(self, response: httpx.Response, *, writing: bool) -> Answer:
        """The answer. An error's cause keeps the status readable."""
        at = read_date(response.headers.get("date", ""))
        if response.status_code == 204:
            return Answer(result=None, at=at)
        body = read_object(response.content)
        if response.is_success and "error" not in body and "result" in body:
            return Answer(result=body["result"], at=at, total=read_number(response.headers, "x-total-count"))
        if cancelled(response):
            self.size, self._went_well = max(SMALLEST, self.size // 2), 0
        if response.is_success:
            raise unusable(response, writing=writing)
        raise refusal(response, writing=writing) from Refused(response.status_code, body)


def unusable(response: httpx.Response, *, writing: bool) -> HelpdeskError:
    """The error for a success that is none: a sleeping instance, a sign-in page, an answer that was cut off."""
    if "error" in read_object(response.content):
        said = f"ServiceNow answered {response.status_code} with an error in it: {words(response)}"
    elif "html" in response.headers.get("content-type", ""):
        said = f"ServiceNow answered {response.status_code} with a web page: the instance sleeps, or wants a sign-in"
    else:
        said = f"ServiceNow answered {response.status_code} with something that is no whole JSON answer"
    return OutcomeUnknown(said) if writing else TryLater(said, SOON if cancelled(response) else UNSAID)


def place(table: str, sys_id: str) -> str:
    """The path of a record below `/api/now`."""
    return f"/table/{table}/{quote(sys_id, safe='')}"


def bucket_of(path: str) -> str:
    """What a request is counted in: its table, else the last word of its path."""
    words = path.strip("/").split("/")
    return words[words.index("table") + 1] if "table" in words else words[-1]


def sys_id(row: Row) -> str:
    """The id of a row; empty where it has none that could be one."""
    try:
        held = text(row, "sys_id")
    except OddValue:
        return ""
    return held if SYS_ID.fullmatch(held) else ""


def further(answer: Answer, shown: int, offset: int, size: int) -> int | None:
    """The offset of the next page behind the last row seen, or None where the list has ended or nobody can tell.

    A page may lack rows, even all, that we may not see, and `total` may count those or not. So a page that shows
    fewer rows than there are is not the last one; where it shows none, the window moves on by one page.
    """
    total = answer.total
    if shown:
        whole_list = total is not None and offset == 0 and total <= shown
        return None if whole_list else 0
    return offset + size if total is not None and total > offset + size else None


def passed(last: str, found: str) -> str:
    """The id of the last row. NotAllowed if the list did not move on: the instance left our place in it out."""
    if found == last:
        raise NotAllowed(
            "ServiceNow ignores our filter on sys_id. Let Uptier's user query that column", "query sys_id"
        )
    return found


def fitting(table: str, rows: Sequence[Row], where: Where) -> list[Row]:
    """The rows that are named by the query. One that only a database without accents takes for another is left
    out, and one that cannot be read. Raises NotAllowed for a row that the query does not name at all: an instance
    leaves out what it may not filter by."""
    kept: list[Row] = []
    for row in rows:
        try:
            held = {column: text(row, column) for column in where}
        except OddValue:
            continue
        for column, values in where.items():
            if folded(held[column]) not in {folded(value) for value in values}:
                raise NotAllowed(
                    f"ServiceNow ignores our filter on {table}.{column}. Let Uptier's user read that column",
                    f"read {table}.{column}",
                )
        if all(held[name].casefold() in {value.casefold() for value in where[name]} for name in where):
            kept.append(row)
    return kept


def legible(*, writing: bool = False) -> AbstractContextManager[None]:
    """Turn an answer that cannot be read into TryLater, or, where it answers a write, into OutcomeUnknown."""
    return reading("ServiceNow", writing=writing)
