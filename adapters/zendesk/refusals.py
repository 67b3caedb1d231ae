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
    Gone,
    HelpdeskError,
    OutcomeUnknown,
    Stale,
    TryLater,
    WontAccept,
)
from adapters.zendesk.limits import retry_after

SOON = 5
UNSAID = 0  # Zendesk named no wait: the caller knows best how long
MUCH_LATER = 300
AFTER_429 = 60  # Zendesk's windows are a minute
TICKET = re.compile(r"/api/v2/tickets/\d+")


def refusal(response: Response, *, writing: bool) -> HelpdeskError:
    """The error for an answer that is not a 2xx."""
    status = response.status_code
    place = f"Zendesk answered {status} to {response.request.method} {path(response)}"
    text = f"{place}: {words(response)}"
    if status < 400:
        return TryLater(f"{place}, a redirect; check the account's url", MUCH_LATER)
    if status in (401, 403):
        return AccessLost(f"{text}. Check the token, its scopes, and that its user is an admin")
    if status == 404 and TICKET.match(path(response)):
        return Gone(text)
    if status == 429:
        return TryLater(text, retry_after(response.headers, AFTER_429))
    return write_refusal(response, text) if writing else read_refusal(response, text)


def read_refusal(response: Response, text: str) -> HelpdeskError:
    """A read does no harm, so all but a wrong address is worth asking again."""
    if response.status_code == 404:
        return AccessLost(f"{text}. Check the account's url and plan")
    return TryLater(text, retry_after(response.headers, UNSAID))


def write_refusal(response: Response, text: str) -> HelpdeskError:
    """A 409 was not applied; a 5xx may have been; every other 4xx will be refused again."""
    status = response.status_code
    if status == 409:
        return TryLater(text, SOON) if collided(response) else Stale(text)
    if status >= 500 or status == 408:
        return OutcomeUnknown(text)
    return WontAccept(text)


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


def content(response: Response) -> dict[str, Any]:
    """The body as an object; empty for HTML, an empty body and anything else that is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


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
