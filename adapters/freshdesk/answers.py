"""What Freshdesk answers: its budget and what a request costs of it, and its refusals as errors.

The headers tell the account's budget only. Endpoints have budgets of their own, which depend on the plan, and
the account's total tells the plan. https://developers.freshdesk.com/api/#ratelimit

Three bodies occur: `errors` with a field each, `code` with a message, and none at all (every 404, and HTML from
a proxy). So the status decides and the body only gives the words. https://developers.freshdesk.com/api/#error
"""

import re
from collections.abc import Mapping

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
from adapters.http import MUCH_LATER, UNSAID, body_behind, read_number, read_object, read_wait, redirected

ACCOUNT, LIST, UPDATE = "account", "tickets-list", "ticket-update"
MINUTE = 60

PLANS: Mapping[int, tuple[int, int]] = {
    100: (40, 40),
    200: (20, 80),
    400: (100, 160),
    700: (200, 280),
    1000: (300, 400),
    2000: (400, 800),
}
"""By the account's requests a minute: lists of tickets and updates of tickets a minute. Two plans have 200 a
minute; the smaller one counts."""

ID = re.compile(r"/[0-9]+")
TICKET_PATH = re.compile(r"/tickets/[0-9]+")


def buckets(method: str, path: str) -> tuple[str, ...]:
    """The budgets that one request draws on; `path` is below `/api/v2`. Every kind of path has one of its own: its
    size is not told but for two, yet what a 429 holds up is only the kind of path that announced it."""
    if method == "GET" and path == "/tickets":
        return (ACCOUNT, LIST)
    if method == "PUT" and TICKET_PATH.fullmatch(path):
        return (ACCOUNT, UPDATE)
    return (ACCOUNT, f"{method.lower()} {ID.sub('', path).strip('/')}")


def credits_of(path: str, include: str) -> int:
    """How many requests Freshdesk counts this one as: an `include` costs one on a ticket, two on the list."""
    names = [name for name in include.split(",") if name]
    return 1 + len(names) * (2 if path == "/tickets" else 1)


def limits(headers: Mapping[str, str]) -> tuple[Limit, ...]:
    """The account's budget, and those of the endpoints on the plan with that total, of which Freshdesk never says
    what is left. Nothing where the headers make no sense."""
    total, left = read_number(headers, "x-ratelimit-total"), read_number(headers, "x-ratelimit-remaining")
    if not total or left is None:
        return ()
    sizes = (total, *PLANS.get(total, ()))
    return tuple(
        Limit(bucket=bucket, total=size, remaining=size if number else left, window=MINUTE)
        for number, (bucket, size) in enumerate(zip((ACCOUNT, LIST, UPDATE), sizes, strict=False))
    )


def held(spent: tuple[str, ...], headers: Mapping[str, str]) -> str:
    """The budget behind a 429: the endpoint's, unless the account's own is used up."""
    return ACCOUNT if read_number(headers, "x-ratelimit-remaining") == 0 else spent[-1]


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
    """The error for an answer that is not a 2xx.

    A 403 is about what was asked for, unless it says that it is about the account, or we asked who we are. A read
    does no harm, so all but a wrong address is worth asking again. Of writes, a 5xx may have been applied; a 4xx was
    not, and but for a 409 (a state that may pass) would be refused again.
    """
    status, path = response.status_code, response.request.url.path
    place = f"Freshdesk answered {status} to {response.request.method} {path}"
    text = f"{place}: {words(response)}"
    body = read_object(response.content)
    ours = path.endswith(WHO_WE_ARE)
    if status < 400:
        return redirected(place, "", writing=writing)
    if status == 401 or (status == 403 and (ours or str(body.get("code") or "") in OF_THE_ACCOUNT)):
        return AccessLost(
            f"{text.removesuffix('.')}. Check the API key, and that its agent is an administrator"
        )
    if status == 403 and body.get("code") == "require_feature":
        return NotAllowed(text, "a plan that has this feature")
    if status == 403:
        right = GLOBAL if path.endswith("/tickets") or ONE_TICKET.match(path) else ADMINISTRATOR
        return NotAllowed(f"{text.removesuffix('.')}. The agent of our key may lack {right}", right)
    if status in (404, 405) and ONE_TICKET.match(path):
        return Gone(f"{text.removesuffix('.')}. The ticket is deleted, marked as spam or archived")
    if status == 429:
        return TryLater(text, read_wait(response.headers, AFTER_429))
    if writing:
        if status >= 500 or status == 408:
            return OutcomeUnknown(text)
        return TryLater(text, UNSAID) if status == 409 else WontAccept(text)
    if status == 404:
        advice = f"{text.removesuffix('.')}. Check the account's url and plan"
        return AccessLost(advice) if ours else TryLater(advice, MUCH_LATER)
    return TryLater(text, read_wait(response.headers, UNSAID))


def code(error: HelpdeskError) -> str:
    """Freshdesk's own word for a refusal, such as `require_feature`; empty where it gave none."""
    return str(body_behind(error).get("code") or "")


def refused_fields(error: HelpdeskError) -> dict[str, str]:
    """What Freshdesk says of each field that it names as refused, by its own name of it."""
    errors = body_behind(error).get("errors")
    found: dict[str, str] = {}
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, dict) and isinstance(each.get("field"), str) and each["field"]:
            found[each["field"]] = " ".join(str(each.get(name) or "") for name in ("message", "code")).strip()
    return found


def words(response: httpx.Response) -> str:
    """Everything the body says about why, each field by its name, for a human; at most 500 characters."""
    body = read_object(response.content)
    said = [body[name] for name in ("code", "message", "description") if isinstance(body.get(name), str)]
    errors = body.get("errors")
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, dict):
            parts = (str(each.get(name) or "") for name in ("field", "message", "code"))
            said.append(": ".join(part for part in parts if part))
    return "; ".join(said)[:500] or "no reason given"
