"""ServiceNow's refusals and lost connections, as the errors that say what to do next.

The envelope is `{"error": {"message": M, "detail": D}, "status": "failure"}`; D may be null, and a 200 may
carry it too. Vendor sheet 1.9,
https://www.servicenow.com/docs/r/api-reference/rest-apis/r_RESTAPIHTTPResponseCodes.html
"""

import re
from typing import Any

import httpx

from adapters.answers import clean
from adapters.base import AccessLost, Gone, HelpdeskError, NotAllowed, OutcomeUnknown, TryLater, WontAccept
from adapters.servicenow.limits import AFTER_429, retry_after

UNSAID = 0  # ServiceNow named no wait: the caller knows best how long
SOON = 5
MUCH_LATER = 300
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
        redirect = f"{place}, a redirect, perhaps to a sign-in page; check the account's url"
        return OutcomeUnknown(redirect) if writing else TryLater(redirect, MUCH_LATER)
    if status == 401:
        return AccessLost(f"{text}. {advice(response)}")
    if status == 404 and RECORD.fullmatch(path(response)):
        return Gone(text)
    if status == 429:
        return TryLater(text, retry_after(response.headers, AFTER_429))
    return write_refusal(status, text) if writing else read_refusal(response, text)


def read_refusal(response: httpx.Response, text: str) -> HelpdeskError:
    """A read does no harm: all but a lack of rights and a wrong address is worth asking again."""
    status = response.status_code
    found = TABLE_PATH.match(path(response))
    table = found[1] if found else path(response)
    if status == 403 and QUERY.search(text) and WHOLE_TABLE not in text:
        return NotAllowed(
            f"{text}. Uptier's user may not filter or sort by a column of this query: allow query_match and "
            "query_range on this table (query ACLs), or correct the column's name",
            f"query {table}",
        )
    if status == 403:
        return NotAllowed(f"{text}. Give Uptier's user a role that reads this table", f"read {table}")
    if status in (400, 404):
        return NotAllowed(f"{text}. Check the account's url and table", f"read {table}")
    return TryLater(text, SOON if cancelled(response) else retry_after(response.headers, UNSAID))


def write_refusal(status: int, text: str) -> HelpdeskError:
    """A 5xx may have been applied; every other refusal will be repeated: ACLs, data policies, rules."""
    if status >= 500 or status == 408:
        return OutcomeUnknown(text)
    if status == 403 and not POLICY.search(text):
        return NotAllowed(f"{text}. Give Uptier's user a role that writes this record", "write")
    return WontAccept(text)


def advice(response: httpx.Response) -> str:
    """What a 401 may mean beyond a wrong secret."""
    if response.headers.get("x-mfa_token", "").lower() == "invalid":
        return "This user needs a second factor; give Uptier a user for web services only"
    return (
        "Check the user and the secret. New instances refuse basic credentials of interactive users; an API key "
        "needs an access policy for the Table API, an OAuth client its application user"
    )


def lost(error: httpx.RequestError, *, writing: bool) -> HelpdeskError:
    """The error for a request that got no whole answer."""
    kind = type(error).__name__
    if isinstance(
        error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol
    ):
        return TryLater(f"ServiceNow cannot be reached ({kind}); nothing was sent", UNSAID)
    if writing:
        return OutcomeUnknown(f"no whole answer to a write ({kind}); ServiceNow may have applied it")
    return TryLater(f"no whole answer from ServiceNow ({kind})", UNSAID)


def status(error: HelpdeskError) -> int | None:
    """The HTTP status behind an error, or None where none came."""
    cause = error.__cause__
    return cause.response.status_code if isinstance(cause, httpx.HTTPStatusError) else None


def path(response: httpx.Response) -> str:
    """The path asked for, without the query: queries may hold names."""
    return response.request.url.path


def content(response: httpx.Response) -> dict[str, Any]:
    """The body as an object; empty for HTML, a cut-off body and anything else that is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def cancelled(response: httpx.Response) -> bool:
    """Whether the instance gave up on a request that took too long, also behind half an answer."""
    return CANCELLED in response.text.lower()


def words(response: httpx.Response) -> str:
    """What the body says about why, for a human; at most 500 characters. A rule's sys_id is left out."""
    body = content(response)
    error = body.get("error")
    said = [error, body.get("error_description")]
    if isinstance(error, dict):
        said = [error.get("message"), error.get("detail")]
    told = dict.fromkeys(str(each) for each in said if each)
    return clean(RULE.sub("", "; ".join(told)))[:500] or "no reason given"
