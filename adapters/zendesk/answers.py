"""What Zendesk answers: values of the kind its reference gives them, its budgets, and its refusals as errors.

A row that holds another kind is `Odd`: it is set aside by name, and never read as if it were empty.

https://developer.zendesk.com/api-reference/introduction/rate-limits/

The bodies differ (`error` is a text or an object, `details` is a tree, a proxy answers in HTML), so the
status decides and the body only tells the two kinds of 409 apart and gives the words for a human.
https://developer.zendesk.com/documentation/api-basics/best-practices/troubleshooting-api-responses/
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import isfinite
from typing import Any

import requests
from requests import Response
from urllib3.exceptions import NewConnectionError

from adapters.base import (
    AccessLost,
    Account,
    Gone,
    HelpdeskError,
    Limit,
    NotAllowed,
    OutcomeUnknown,
    RefusedPart,
    Stale,
    TryLater,
    WontAccept,
)
from adapters.http import (
    SOON,
    UNSAID,
    clean,
    lost,
    read_number,
    read_object,
    read_wait,
    redirected,
)
from policies.model import Instant, Seconds, Value

Row = Mapping[str, Any]

NUMBER = re.compile(r"-?[0-9]{1,19}")
"""An id: 64 bits wide, and -1 is the system."""


class Odd(ValueError):
    """A value is not of the kind that Zendesk says it has."""


def ident(value: Any) -> str | None:
    """An id as text. Zendesk writes none as null, and in events and audits also as an empty text or a 0."""
    if value in (None, "", "0", 0) and value is not False:
        return None
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    if not plain or not NUMBER.fullmatch(str(value)):
        raise Odd(f"{shown(value)} is no id")
    return str(value)


def key_of(row: Any) -> str:
    """The row's own id; Odd without one."""
    found = ident(row.get("id")) if isinstance(row, dict) else None
    if found is None or found.startswith("-"):
        raise Odd("it has no id")
    return found


def named(row: Any) -> str:
    """The row's id as far as it can be told, else empty."""
    try:
        return key_of(row)
    except Odd:
        return ""


def text(row: Row, key: str) -> str:
    """A text; empty where Zendesk sent null or nothing."""
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise Odd(f"{key} is {shown(value)} and not a text")


def texts(row: Row, key: str) -> tuple[str, ...]:
    """A list of texts; empty where Zendesk sent null or nothing."""
    value = row.get(key)
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise Odd(f"{key} is {shown(value)} and not a list of texts")


def instant(value: Any) -> Instant | None:
    """`2026-11-25T10:00:00Z` as an instant, to the second; None where there is none or it cannot be read. A time
    without a zone is none."""
    try:
        read = datetime.fromisoformat(value)
        at = int(read.timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
    return at if read.tzinfo is not None and at > 0 else None


def moment(row: Row, key: str) -> Instant:
    """An instant that must be there; Odd where it cannot be read."""
    at = instant(row.get(key))
    if at is None:
        raise Odd(f"{key} is {shown(row.get(key))} and not a time")
    return at


def value(raw: Any) -> Value:
    """A custom field's value; an empty text or list is none."""
    if isinstance(raw, list):
        if not all(isinstance(each, str | int) for each in raw):
            raise Odd(f"a field holds {shown(raw)}")
        return tuple(str(each) for each in raw) or None
    if raw is None or raw == "":
        return None
    if isinstance(raw, str | bool | int) or (isinstance(raw, float) and isfinite(raw)):
        return raw
    raise Odd(f"a field holds {shown(raw)}")


def shown(value: Any) -> str:
    """A value for a sentence, cut short."""
    return clean(repr(value))[:60]


MINUTE = 60
PER_TICKET = "per-ticket-updates"
WINDOWS = {PER_TICKET: 600}
"""Endpoint budgets that do not run by the minute, in seconds."""

TICKETS: Mapping[tuple[str, ...], str] = {("audits",): "ticket-audits", ("comments",): "ticket-comments"}
"""Lists below a ticket, which Zendesk limits by themselves."""

ACCOUNT = (
    ("x-rate-limit", "ratelimit-limit", "rate-limit"),
    ("x-rate-limit-remaining", "ratelimit-remaining", "rate-limit-remaining"),
    ("ratelimit-reset", "rate-limit-reset"),
)
"""What the headers of the account's budget are called: its size, what is left, and when it is full again."""

ENDPOINT = re.compile(r"zendesk-rate-?limit-([a-z0-9-]+)", re.IGNORECASE)
PART = re.compile(r"(total|remaining|resets)\s*=\s*(\d+)")


def buckets(method: str, path: str) -> tuple[str, ...]:
    """The budgets that one request draws on, the narrowest last; `path` begins with `/api/v2`. Each endpoint may have
    a limit of its own, and each ticket one for its updates, so each is a budget that can be held by itself."""
    parts = path.partition("?")[0].removeprefix("/api/v2/").removesuffix(".json").split("/")
    if method == "PUT":
        return ("account", "tickets-update", f"{PER_TICKET}/{parts[-1]}")
    if parts[0] == "incremental":
        return ("account", "incremental")
    if parts[0] == "webhooks":  # they are counted apart from all else: vendor sheet 3.3
        return ("webhooks-test" if parts[1:] == ["test"] else "webhooks",)
    if parts[0] == "tickets":
        return ("account", TICKETS.get(tuple(parts[2:]), "tickets-show") if parts[1:] else "tickets-index")
    return ("account", "-".join(part for part in parts if not part.isdigit()))


def announced(headers: Mapping[str, str], spent: tuple[str, ...]) -> tuple[str, ...]:
    """The budgets out of `spent` that a 429 speaks of: those that its headers say are used up, else the narrowest.
    Zendesk refuses by endpoint also while the account has requests left."""
    empty = {limit.bucket for limit in limits(headers) if limit.remaining <= 0}
    if PER_TICKET in empty:
        return (spent[-1],)
    return tuple(bucket for bucket in spent if bucket in empty) or spent[-1:]


def wait_after_429(headers: Mapping[str, str]) -> Seconds:
    """How long a 429 asks to wait, in seconds; where it does not say, until what is used up is full again."""
    resets = [limit.resets_in for limit in limits(headers) if limit.remaining <= 0 and limit.resets_in]
    return read_wait(headers, max(resets, default=MINUTE))


def limits(headers: Mapping[str, str], widest: str = "account") -> tuple[Limit, ...]:
    """All budgets that an answer tells of. What makes no sense is passed over.

    The widest that the request drew on, mostly the account's, comes first; it has three spellings, and the lowest
    remainder counts. Those of single endpoints read `zendesk-ratelimit-tickets-update: total=100; remaining=99`; all
    incremental exports share one.
    """
    totals, left, resets = (
        [number for name in names if (number := read_number(headers, name)) is not None] for names in ACCOUNT
    )
    found = []
    if totals and left:
        found = [
            Limit(
                bucket=widest,
                total=totals[0],
                remaining=min(left),
                window=MINUTE,
                resets_in=resets[0] if resets else None,
            )
        ]
    for header, told in headers.items():
        endpoint = ENDPOINT.fullmatch(header)
        parts = {name: int(number) for name, number in PART.findall(told)}
        if endpoint and parts.keys() >= {"total", "remaining"}:
            name = endpoint[1].lower()
            bucket = "incremental" if "incremental" in name else name
            found.append(
                Limit(
                    bucket=bucket,
                    total=parts["total"],
                    remaining=parts["remaining"],
                    window=WINDOWS.get(bucket, MINUTE),
                    resets_in=parts.get("resets"),
                )
            )
    return tuple(found)


TICKET = re.compile(r"/api/v2/tickets/\d+")
WHO_AM_I = re.compile(r"/api/v2/users/me\b")
CLOSED = re.compile("closed prevents ticket update", re.IGNORECASE)
NAMES = {
    "priority": "priority",
    "group": "group",
    "assignee": "assignee",
    "tags": "tags",
    "tag": "tags",
    "follower": "follow",
    "followers": "follow",
    "comment": "note",
}
"""What Zendesk calls the things that we write, in keys of `details` and in sentences, without `_id`."""


def refusal(response: Response, account: Account, *, writing: bool) -> HelpdeskError:
    """The error for an answer that is not a 2xx.

    A 403 or 404 speaks of its own path: our credentials are bad only where Zendesk does not know us (401), or does
    not even tell us who we are. Of writes, a 409 was not applied: the ticket changed, or the database was in its own
    way (`DatabaseConflict`, `DatabaseDeadlock`); a 5xx may have been applied; every other 4xx will be refused again.
    A read does no harm, so most is worth asking again; what is not there is not on this plan, and one ticket that is
    refused for another reason is refused for good.
    """
    status, here, body = response.status_code, path(response), read_object(response.content)
    place = f"Zendesk answered {status} to {response.request.method} {here}"
    text = f"{place}: {'; '.join(dict.fromkeys(sentences(body)))[:500] or 'no reason given'}"
    if status < 400:
        return redirected(place, "", writing=writing)
    if status == 401 or (status in (403, 404) and WHO_AM_I.match(here)):
        return AccessLost(
            f"{text.removesuffix('.')}. Check the account's url, the token, its scopes, and that its user is an admin"
        )
    if status == 403:
        return NotAllowed(text, right_for(here, writing=writing))
    if status in (404, 410) and TICKET.match(here):
        return Gone(text)
    if status == 429:
        return TryLater(text, wait_after_429(response.headers))
    if writing and status == 409:
        error = body.get("error")
        collided = isinstance(error, str) and error.startswith("Database")
        return TryLater(text, SOON) if collided else Stale(text)
    if writing and (status >= 500 or status == 408):
        return OutcomeUnknown(text)
    if writing:
        return WontAccept(text, () if CLOSED.search(text) else tuple(parts(body.get("details"), account)))
    if status in (404, 410):
        return NotAllowed(
            f"{text.removesuffix('.')}. Check the account's url and plan",
            "the plan or the address does not offer it",
        )
    if status < 500 and status != 408 and TICKET.match(here):
        return NotAllowed(text)
    return TryLater(text, read_wait(response.headers, UNSAID))


def right_for(path: str, *, writing: bool) -> str:
    """The right that is missing where this path is refused."""
    if path.startswith("/api/v2/incremental/"):
        return "the token's owner is no admin; Zendesk exports changed tickets to admins only"
    if TICKET.match(path):
        return "to change this ticket" if writing else "to see this ticket"
    if path.startswith("/api/v2/webhooks"):
        return "the user must be an admin, and its token's scopes must hold webhooks:read and webhooks:write"
    return f"to read {path.removeprefix('/api/v2/').removesuffix('.json')}"


def parts(details: Any, account: Account) -> Iterator[RefusedPart]:
    """What `details` names: a field and each sentence about it, by its key, by the number of a ticket field, or by
    the word before the colon."""
    named = details.items() if isinstance(details, dict) else ()
    for key, rows in named:
        for row in rows if isinstance(rows, list) else [rows]:
            said = "; ".join(dict.fromkeys(sentences(row))) or "no reason given"
            number = row.get("ticket_field_id") if isinstance(row, dict) else None
            kind = row.get("ticket_field_type") if isinstance(row, dict) else None
            vendor = str(number) if isinstance(number, int | str) and number else str(key)
            yield RefusedPart(
                field=common_name(vendor, kind, said, account), vendor_field=vendor, text=said[:500]
            )


def common_name(vendor: str, kind: Any, said: str, account: Account) -> str:
    """Our name of what was refused, empty where it is nothing that we write."""
    for name, number in account.fields.items():
        if str(number) == vendor:
            return f"custom.{name.removeprefix('custom.')}"
    word = vendor if vendor != "base" and not vendor.isdigit() else said.partition(":")[0].strip()
    kinds = str(kind).removeprefix("Field") if kind else ""
    return NAMES.get(word.casefold().removesuffix("_id")) or NAMES.get(kinds.casefold(), "")


def lost_connection(error: requests.RequestException, *, writing: bool) -> HelpdeskError:
    """The error for a request that got no whole answer. Where the connection was never made, not a byte of the
    request is at Zendesk."""
    cause = error.args[0] if error.args else None
    refused = isinstance(getattr(cause, "reason", None), NewConnectionError)
    never_left = refused or isinstance(error, requests.ConnectTimeout)
    return lost("Zendesk", error, never_left=never_left, writing=writing)


def path(response: Response) -> str:
    """The path asked for, without the query: queries may hold names."""
    return (response.request.path_url or "").partition("?")[0]


def sentences(body: Any) -> Iterator[str]:
    """The texts under `error`, `title`, `message`, `description` and `details`, however deep they stand."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, list):
        for each in body:
            yield from sentences(each)
    elif isinstance(body, dict):
        for key, value in body.items():
            if key in ("error", "title", "message", "description", "details") or isinstance(
                value, list | dict
            ):
                yield from sentences(value)
