"""What ServiceNow answers: values in rows asked for with `sysparm_display_value=all`, notes and replies, budgets,
and refusals as errors.

A column is then `{"value": raw, "display_value": label}`. It may also be a plain text, null, or not there at
all: a column that we may not read is left out with a 200, and one that holds nothing is there and empty. Raw
stamps are UTC; labels are in the zone and the format of whoever asks and are never read as values. Vendor sheet
1.3 and 1.6, https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html

A rate rule tells its total and when its hour ends, never what is left; so our own requests are counted. A 429
of a full queue has no headers at all. Vendor sheet 4.5,
https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/inbound-REST-API-rate-limiting.html

The envelope is `{"error": {"message": M, "detail": D}, "status": "failure"}`; D may be null, and a 200 may
carry it too. Vendor sheet 1.9,
https://www.servicenow.com/docs/r/api-reference/rest-apis/r_RESTAPIHTTPResponseCodes.html

A note carries a short reference at its end, by which it is found again; a reply carries nothing that is not
said to the customer, and is known by its words. Vendor sheet 1.5, 2.7 and 5.3,
https://www.servicenow.com/docs/r/platform-user-interface/c_JournalFields.html
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from adapters.base import (
    AccessLost,
    Gone,
    HelpdeskError,
    Limit,
    NotAllowed,
    OutcomeUnknown,
    TryLater,
    WontAccept,
)
from adapters.http import (
    SOON,
    UNSAID,
    clean,
    read_date,
    read_number,
    read_object,
    read_wait,
    redirected,
)
from policies.model import Instant, Seconds

Row = Mapping[str, Any]

FORM = "%Y-%m-%d %H:%M:%S"
NUMBER_DIGITS = 15


class OddValue(ValueError):
    """A column holds something that no column of this API holds."""


def raw(row: Row, column: str) -> str | None:
    """The stored text of a column: empty where it holds nothing, None where the answer leaves it out. Raises
    OddValue for a list and the like."""
    if column not in row:
        return None
    held = row[column]
    if isinstance(held, Mapping):
        if "value" not in held:  # what it shows to people is no id, and no empty reference either
            raise OddValue(f"{column} is an object without a value")
        held = held["value"]
    if held is None:
        return ""
    if isinstance(held, bool):
        return "true" if held else "false"
    if not isinstance(held, str | int | float):
        raise OddValue(f"{column} holds a {type(held).__name__}")
    return clean(str(held))


def text(row: Row, column: str) -> str:
    """The stored text of a column; empty also where it is hidden."""
    return raw(row, column) or ""


def user(row: Row, column: str) -> str:
    """The user name in a column; OddValue for what is no text, which would name somebody else."""
    held = row.get(column)
    name = held.get("value") if isinstance(held, Mapping) else held
    if not isinstance(name, str | None):
        raise OddValue(f"{column} is a {type(name).__name__}, not a user name")
    return text(row, column)


def label(row: Row, column: str) -> str:
    """What a column shows to people, else its stored text."""
    held = row.get(column)
    shown = held.get("display_value") if isinstance(held, Mapping) else None
    if shown is not None and not isinstance(shown, str | int | float):
        raise OddValue(f"the label of {column} is a {type(shown).__name__}")
    return clean(str(shown)) if shown else text(row, column)


def needed(row: Row, column: str) -> str:
    """The text of a column that nothing can be made without; OddValue where it is hidden or empty."""
    held = text(row, column)
    if not held:
        raise OddValue(f"{column} is not shown")
    return held


def number(row: Row, column: str) -> int | None:
    """A whole number, which comes as text; None where there is none."""
    held = text(row, column).strip()
    digits = held.removeprefix("-")
    return int(held) if digits.isdecimal() and len(digits) <= NUMBER_DIGITS else None


def truth(row: Row, column: str) -> bool | None:
    """A yes or no, which comes as `true`, `false` or `1`, `0`; None where it is hidden or empty."""
    held = text(row, column).lower()
    return None if not held else held in ("true", "1")


def instant(row: Row, column: str) -> Instant | None:
    """A stamp to the second; None where there is none or it cannot be read."""
    return moment(text(row, column))


def moment(stamp: str) -> Instant | None:
    """`2026-11-25 10:00:00`, which is UTC, as an instant; None if it is no stamp."""
    try:
        return int(datetime.strptime(stamp, FORM).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return None


def literal(at: Instant) -> str:
    """An instant as ServiceNow stores it and as filters must spell it."""
    return datetime.fromtimestamp(at, UTC).strftime(FORM)


HOUR = 3600
AFTER_429 = 10
"""Seconds to stay away after a 429 that names no wait: the queue behind it is short."""


class Windows:
    """Our requests in the hour of each rate rule. One rule may count the requests to several tables together; which
    one a table is under, its answers tell."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, tuple[int, int]] = {}
        self._rules: dict[str, str] = {}

    def buckets(self, table: str) -> tuple[str, ...]:
        """What a request to this table is counted in: the table, and the rule that it is known to be under."""
        rule = self._rules.get(table)
        return (table,) if rule is None else (table, rule)

    def limits(self, table: str, headers: Mapping[str, str], *, refused: bool) -> tuple[Limit, ...]:
        """The budget that an answer about this table tells of: its rule's. None where it carries no rule."""
        total = read_number(headers, "x-ratelimit-limit")
        reset = read_number(headers, "x-ratelimit-reset")
        if total is None or reset is None:
            return ()
        rule = f"rule {headers.get('x-ratelimit-rule', '')}".strip()
        with self._lock:
            self._rules[table] = rule
            ends, used = self._used.get(rule, (reset, 0))
            used = used + 1 if ends == reset else 1
            self._used[rule] = (reset, used)
        now = read_date(headers.get("date", ""))
        return (
            Limit(
                bucket=rule,
                total=total,
                remaining=0 if refused else max(0, total - used),
                window=HOUR,
                resets_in=max(0, reset - now) if now else None,
            ),
        )


def wait_of_rule(headers: Mapping[str, str], otherwise: Seconds) -> Seconds:
    """How long ServiceNow asks to wait, in seconds, or until its rule's hour ends; at least 1."""
    reset, now = read_number(headers, "x-ratelimit-reset"), read_date(headers.get("date", ""))
    return read_wait(headers, max(1, reset - now) if reset and now else otherwise)


RECORD = re.compile(r"/api/now/table/[a-z0-9_]+/[^/]+")
TABLE_PATH = re.compile(r"/api/now/table/([a-z0-9_]+)")
RULE = re.compile(r"\^[0-9a-f]{32}")
CANCELLED = "transaction cancelled"
QUERY = re.compile(r"rights to query|present in the query", re.IGNORECASE)
WHOLE_TABLE = "permission to read table"
POLICY = re.compile(r"data policy|business rule", re.IGNORECASE)
"""What refuses this write and not every one."""


def refusal(response: httpx.Response, *, writing: bool) -> HelpdeskError:
    """The error for an answer that is not a 2xx."""
    status = response.status_code
    place = f"ServiceNow answered {status} to {response.request.method} {path(response)}"
    text = f"{place}: {words(response)}"
    if status < 400:
        return redirected(place, ", perhaps to a sign-in page", writing=writing)
    if status == 401:
        return AccessLost(f"{text.removesuffix('.')}. {advice(response)}")
    if status == 404 and RECORD.fullmatch(path(response)):
        return Gone(text)
    if status == 429:
        return TryLater(text, wait_of_rule(response.headers, AFTER_429))
    return write_refusal(status, text) if writing else read_refusal(response, text)


def read_refusal(response: httpx.Response, text: str) -> HelpdeskError:
    """A read does no harm: all but a lack of rights and a wrong address is worth asking again."""
    status = response.status_code
    found = TABLE_PATH.match(path(response))
    table = found[1] if found else path(response)
    if status == 403 and QUERY.search(text) and WHOLE_TABLE not in text:
        return NotAllowed(
            f"{text.removesuffix('.')}. Uptier's user may not filter or sort by a column of this query: allow "
            "query_match and query_range on this table (query ACLs), or correct the column's name",
            f"query {table}",
        )
    if status == 403:
        return NotAllowed(
            f"{text.removesuffix('.')}. Give Uptier's user a role that reads this table", f"read {table}"
        )
    if status in (400, 404):
        return NotAllowed(f"{text.removesuffix('.')}. Check the account's url and table", f"read {table}")
    return TryLater(text, SOON if cancelled(response) else wait_of_rule(response.headers, UNSAID))


def write_refusal(status: int, text: str) -> HelpdeskError:
    """A 5xx may have been applied; every other refusal will be repeated: ACLs, data policies, rules."""
    if status >= 500 or status == 408:
        return OutcomeUnknown(text)
    if status == 403 and not POLICY.search(text):
        return NotAllowed(
            f"{text.removesuffix('.')}. Give Uptier's user a role that writes this record", "write"
        )
    return WontAccept(text)


def advice(response: httpx.Response) -> str:
    """What a 401 may mean beyond a wrong secret."""
    if response.headers.get("x-mfa_token", "").lower() == "invalid":
        return "This user needs a second factor; give Uptier a user for web services only"
    return (
        "Check the user and the secret. New instances refuse basic credentials of interactive users; an API key "
        "needs an access policy for the Table API, an OAuth client its application user"
    )


NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def path(response: httpx.Response) -> str:
    """The path asked for, without the query: queries may hold names."""
    return response.request.url.path


def cancelled(response: httpx.Response) -> bool:
    """Whether the instance gave up on a request that took too long, also behind half an answer."""
    return CANCELLED in response.text.lower()


def words(response: httpx.Response) -> str:
    """What the body says about why, for a human; at most 500 characters. A rule's sys_id is left out."""
    body = read_object(response.content)
    error = body.get("error")
    said = [error, body.get("error_description")]
    if isinstance(error, dict):
        said = [error.get("message"), error.get("detail")]
    told = dict.fromkeys(str(each) for each in said if each)
    return clean(RULE.sub("", "; ".join(told)))[:500] or "no reason given"


TABLE = "sys_journal_field"
COLUMNS = ("element", "element_id", "value", "sys_created_on", "sys_created_by")
NOTES, COMMENTS = "work_notes", "comments"
ELEMENTS = (COMMENTS, NOTES)
LONGEST = 4000
LONGEST_NAME = 40
"""`sys_created_by` keeps no more of a user name. Vendor sheet, "Learned since"."""
CUT = " […]"
MARK = re.compile(r"\s*\[(ref:[0-9a-f]{12})\]\s*$")
MARKUP = re.compile(r"\[(/?code)\]", re.IGNORECASE)
SPACE = re.compile(r"\s+")


def element(*, public: bool) -> str:
    """The journal for a note or a reply. There is no default: a mix-up leaks."""
    return COMMENTS if public else NOTES


def reference(key: str) -> str:
    """The short reference of a write."""
    return f"ref:{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def squeezed(body: str) -> str:
    """The words without what is between them."""
    return SPACE.sub("", body)


def words_mark(body: str) -> str:
    """What stands for the words of a reply, however they are broken into lines."""
    return f"words:{hashlib.sha256(squeezed(body).encode()).hexdigest()[:24]}"


def noted(body: str, key: str) -> str:
    """An internal note with its reference."""
    mark = f"\n[{reference(key)}]"
    return cut(plain(body), LONGEST - len(mark)) + mark


def replied(body: str) -> str:
    """A public reply."""
    return cut(plain(body), LONGEST)


def plain(body: str) -> str:
    """The text without the marks that would make ServiceNow take a part of it for HTML."""
    return MARKUP.sub(r"(\1)", body)


def cut(body: str, longest: int) -> str:
    """The text, its end cut off and marked where the journal would not hold it."""
    return body if len(body) <= longest else body[: longest - len(CUT)] + CUT


def is_cut(body: str, *, public: bool) -> bool:
    """Whether a text is too long to be written whole."""
    room = LONGEST if public else LONGEST - len("\n[ref:]") - 12
    return len(plain(body)) > room


def mark(row: Row) -> str:
    """What tells an entry of ours: a note's reference, else its words."""
    found = MARK.search(text(row, "value")) if text(row, "element") == NOTES else None
    return found[1] if found else words_mark(text(row, "value"))


def mark_of(name: str, value: str) -> str:
    """The same for a text that is to be written."""
    return mark({"element": name, "value": value})


def body(row: Row) -> str:
    """What an entry says, without a reference at its end."""
    return MARK.sub("", text(row, "value"))


def written(
    rows: Iterable[Row], bot: str, said: dict[str, str], known: Iterable[str], since: str
) -> dict[str, str]:
    """The ids of the entries that are this write, by journal. `said` is text by journal, `known` are entries
    that were there before, `since` is the stamp before which none of it can be."""
    before, found = set(known), dict[str, str]()
    for row in rows:
        name, key = text(row, "element"), text(row, "sys_id")
        ours = text(row, "sys_created_by") == bot and text(row, "sys_created_on") >= since
        if ours and key not in before and name in said and mark(row) == mark_of(name, said[name]):
            found[name] = key
    return found
