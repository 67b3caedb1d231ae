"""Freshdesk's refusals and lost connections, as the errors that say what to do next.

Three bodies occur: `errors` with a field each, `code` with a message, and none at all (every 404, and HTML from
a proxy). So the status decides and the body only gives the words. https://developers.freshdesk.com/api/#error
"""

import re
from collections.abc import Iterator
from typing import Any

import httpx

from adapters.answers import read_json
from adapters.base import (
    AccessLost,
    Gone,
    HelpdeskError,
    NotAllowed,
    OutcomeUnknown,
    TryLater,
    WontAccept,
)
from adapters.freshdesk.limits import retry_after

UNSAID = 0  # Freshdesk named no wait: the caller knows best how long
MUCH_LATER = 300
AFTER_429 = 60  # Freshdesk's windows are a minute
ONE_TICKET = re.compile(r"/api/v2/tickets/[0-9]+")
WHO_WE_ARE = "/api/v2/agents/me"
OF_THE_ACCOUNT = frozenset(
    {"account_suspended", "invalid_credentials", "password_expired", "password_lockout", "ssl_required"}
)
"""The words of a 403 that are about our access as a whole. https://developers.freshdesk.com/api/#error"""

ADMINISTRATOR, GLOBAL = "the Administrator role", "the ticket scope Global access"
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def refusal(response: httpx.Response, *, writing: bool) -> HelpdeskError:
    """The error for an answer that is not a 2xx."""
    code = response.status_code
    place = f"Freshdesk answered {code} to {response.request.method} {response.request.url.path}"
    text = f"{place}: {words(response)}"
    if code < 400:
        redirect = f"{place}, a redirect; check the account's url"
        return OutcomeUnknown(redirect) if writing else TryLater(redirect, MUCH_LATER)
    if code == 401:
        return AccessLost(f"{text}. Check the API key, and that its agent is an administrator")
    if code == 403:
        return forbidden(response, text)
    if code in (404, 405) and ONE_TICKET.match(response.request.url.path):
        return Gone(f"{text}. The ticket is deleted, marked as spam or archived")
    if code == 429:
        return TryLater(text, retry_after(response.headers, AFTER_429))
    return write_refusal(response, text) if writing else read_refusal(response, text)


def forbidden(response: httpx.Response, text: str) -> HelpdeskError:
    """A 403 is about what was asked for, unless it says that it is about the account, or we asked who we are."""
    body = content(response)
    word = str(body.get("code") or "") if isinstance(body, dict) else ""
    path = response.request.url.path
    if word in OF_THE_ACCOUNT or path.endswith(WHO_WE_ARE):
        return AccessLost(f"{text}. Check the API key, and that its agent is an administrator")
    if word == "require_feature":
        return NotAllowed(text, "a plan that has this feature")
    right = GLOBAL if path.endswith("/tickets") or ONE_TICKET.match(path) else ADMINISTRATOR
    return NotAllowed(f"{text}. The agent of our key may lack {right}", right)


def read_refusal(response: httpx.Response, text: str) -> HelpdeskError:
    """A read does no harm, so all but a wrong address is worth asking again."""
    if response.status_code == 404:
        if response.request.url.path.endswith(WHO_WE_ARE):
            return AccessLost(f"{text}. Check the account's url and plan")
        return TryLater(f"{text}. Check the account's url and plan", MUCH_LATER)
    return TryLater(text, retry_after(response.headers, UNSAID))


def write_refusal(response: httpx.Response, text: str) -> HelpdeskError:
    """A 5xx may have been applied; a 4xx was not, and but for a 409 (a state that may pass) would be refused again."""
    if response.status_code >= 500 or response.status_code == 408:
        return OutcomeUnknown(text)
    if response.status_code == 409:
        return TryLater(text, UNSAID)
    return WontAccept(text)


def lost(error: httpx.RequestError, *, writing: bool) -> HelpdeskError:
    """The error for a request that got no whole answer."""
    kind = type(error).__name__
    if isinstance(error, NEVER_LEFT):
        return TryLater(f"Freshdesk cannot be reached ({kind}); nothing was sent", UNSAID)
    if writing:
        return OutcomeUnknown(f"no whole answer to a write ({kind}); Freshdesk may have applied it")
    return TryLater(f"no whole answer from Freshdesk ({kind})", UNSAID)


def status(error: HelpdeskError) -> int | None:
    """The HTTP status behind an error, or None where none came."""
    cause = error.__cause__
    return cause.response.status_code if isinstance(cause, httpx.HTTPStatusError) else None


def code(error: HelpdeskError) -> str:
    """Freshdesk's own word for a refusal, such as `require_feature`; empty where it gave none."""
    cause = error.__cause__
    said = content(cause.response) if isinstance(cause, httpx.HTTPStatusError) else None
    return str(said.get("code") or "") if isinstance(said, dict) else ""


def refused_fields(error: HelpdeskError) -> dict[str, str]:
    """What Freshdesk says of each field that it names as refused, by its own name of it."""
    cause = error.__cause__
    said = content(cause.response) if isinstance(cause, httpx.HTTPStatusError) else None
    errors = said.get("errors") if isinstance(said, dict) else None
    found: dict[str, str] = {}
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, dict) and isinstance(each.get("field"), str) and each["field"]:
            found[each["field"]] = " ".join(str(each.get(name) or "") for name in ("message", "code")).strip()
    return found


def content(response: httpx.Response) -> Any:
    """The body as JSON; None for HTML, an empty body and anything else that is none."""
    try:
        return read_json(response.content)
    except (ValueError, RecursionError):
        return None


def words(response: httpx.Response) -> str:
    """Everything the body says about why, each field by its name, for a human; at most 500 characters."""
    body = content(response)
    said = list(sentences(body)) if isinstance(body, dict) else []
    return "; ".join(said)[:500] or "no reason given"


def sentences(body: dict[str, Any]) -> Iterator[str]:
    """The reasons of both kinds of body."""
    for name in ("code", "message", "description"):
        if isinstance(body.get(name), str):
            yield body[name]
    errors = body.get("errors")
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, dict):
            parts = (str(each.get(name) or "") for name in ("field", "message", "code"))
            yield ": ".join(part for part in parts if part)
