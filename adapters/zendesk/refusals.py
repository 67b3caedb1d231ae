"""Zendesk's refusals and lost connections, as the errors that say what to do next.

The bodies differ (`error` is a text or an object, `details` is a tree, a proxy answers in HTML), so the
status decides and the body only tells the two kinds of 409 apart and gives the words for a human.
https://developer.zendesk.com/documentation/api-basics/best-practices/troubleshooting-api-responses/
"""

import re
from collections.abc import Iterator
from typing import Any

import requests
from requests import Response
from urllib3.exceptions import NewConnectionError

from adapters.base import (
    AccessLost,
    Account,
    Gone,
    HelpdeskError,
    NotAllowed,
    OutcomeUnknown,
    RefusedPart,
    Stale,
    TryLater,
    WontAccept,
)
from adapters.zendesk.limits import retry_after, wait_after_429
from adapters.zendesk.reading import content

SOON = 5
UNSAID = 0  # Zendesk named no wait: the caller knows best how long
MUCH_LATER = 300
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
    not even tell us who we are.
    """
    status = response.status_code
    here = path(response)
    place = f"Zendesk answered {status} to {response.request.method} {here}"
    text = f"{place}: {words(response)}"
    if status < 400:
        redirect = f"{place}, a redirect; check the account's url"
        return OutcomeUnknown(redirect) if writing else TryLater(redirect, MUCH_LATER)
    if status == 401 or (status in (403, 404) and WHO_AM_I.match(here)):
        return AccessLost(
            f"{text}. Check the account's url, the token, its scopes, and that its user is an admin"
        )
    if status == 403:
        return NotAllowed(text, right_for(here, writing=writing))
    if status in (404, 410) and TICKET.match(here):
        return Gone(text)
    if status == 429:
        return TryLater(text, wait_after_429(response.headers))
    return write_refusal(response, account, text) if writing else read_refusal(response, text)


def right_for(path: str, *, writing: bool) -> str:
    """The right that is missing where this path is refused."""
    if path.startswith("/api/v2/incremental/"):
        return "the token's owner is no admin; Zendesk exports changed tickets to admins only"
    if TICKET.match(path):
        return "to change this ticket" if writing else "to see this ticket"
    return f"to read {path.removeprefix('/api/v2/').removesuffix('.json')}"


def read_refusal(response: Response, text: str) -> HelpdeskError:
    """A read does no harm, so most is worth asking again; what is not there is not on this plan, and one ticket that
    is refused for another reason is refused for good."""
    if response.status_code in (404, 410):
        return NotAllowed(
            f"{text}. Check the account's url and plan", "the plan or the address does not offer it"
        )
    if response.status_code < 500 and response.status_code != 408 and TICKET.match(path(response)):
        return NotAllowed(text)
    return TryLater(text, retry_after(response.headers, UNSAID))


def write_refusal(response: Response, account: Account, text: str) -> HelpdeskError:
    """A 409 was not applied; a 5xx may have been; every other 4xx will be refused again."""
    status = response.status_code
    if status == 409:
        return TryLater(text, SOON) if collided(response) else Stale(text)
    if status >= 500 or status == 408:
        return OutcomeUnknown(text)
    if CLOSED.search(text):
        return WontAccept(text)
    return WontAccept(text, tuple(parts(content(response).get("details"), account)))


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


def collided(response: Response) -> bool:
    """Whether a 409 is the database's (`DatabaseConflict`, `DatabaseDeadlock`), not a ticket that changed."""
    error = content(response).get("error")
    return isinstance(error, str) and error.startswith("Database")


def lost(error: requests.RequestException, *, writing: bool) -> HelpdeskError:
    """The error for a request that got no whole answer."""
    kind = type(error).__name__
    if never_left(error):
        return TryLater(f"Zendesk cannot be reached ({kind}); nothing was sent", UNSAID)
    if writing:
        return OutcomeUnknown(f"no whole answer to a write ({kind}); Zendesk may have applied it")
    return TryLater(f"no whole answer from Zendesk ({kind})", UNSAID)


def never_left(error: requests.RequestException) -> bool:
    """Whether the connection was never made, so that not a byte of the request is at Zendesk."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def status(error: HelpdeskError) -> int | None:
    """The HTTP status behind an error, or None where none came."""
    cause = error.__cause__
    return cause.response.status_code if isinstance(cause, requests.HTTPError) else None


def path(response: Response) -> str:
    """The path asked for, without the query: queries may hold names."""
    return (response.request.path_url or "").partition("?")[0]


def words(response: Response) -> str:
    """Everything the body says about why, in its order, for a human; at most 500 characters."""
    said = dict.fromkeys(sentences(content(response)))
    return "; ".join(said)[:500] or "no reason given"


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
