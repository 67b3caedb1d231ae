"""What the simulated account answers when it refuses: Zendesk's own statuses and bodies.

Shapes are those of the vendor sheet, section 1.4; where the sheet is unsure, a switch chooses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HTML = "<html><head><title>{status}</title></head><body><h1>{status} {reason}</h1></body></html>"
REASONS = {
    200: "Sign in",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `body` is JSON-able, or text for an answer that is not JSON, or None for an empty one."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The request is answered with an error and changes nothing."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body}")
        self.reply = reply


def refused(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Refused:
    """Make the exception that carries this answer."""
    return Refused(Reply(status=status, body=body, headers=headers or {}))


def unauthenticated() -> Refused:
    """401: unknown, expired or missing credentials."""
    return refused(401, {"error": "Couldn't authenticate you"})


def forbidden(*, as_object: bool) -> Refused:
    """403: a right, a scope or the plan is missing. `error` is a text, or an object."""
    text = "You do not have access to this page. Please contact the account owner for further help."
    body = {"error": {"title": "Forbidden", "message": text}} if as_object else {"error": text}
    return refused(403, body)


def not_found(*, empty: bool) -> Refused:
    """404: no such record for this caller; some of Zendesk's 404s carry no body at all."""
    return refused(404, None if empty else {"error": "RecordNotFound", "description": "Not found"})


def too_many_values(most: int) -> Refused:
    """400: more ids than one request may name. The two spaces are the vendor's."""
    text = f"Parameter  cannot specify more than {most} values"
    return refused(400, {"error": "TooManyValues", "description": text, "max_count": most})


def invalid_attribute(name: str, wanted: str, where: str) -> Refused:
    """400 whose `error` is an object: a value of the wrong type."""
    text = (
        f"You passed an invalid value for the {name} attribute. "
        f"Invalid parameter: {name} must be {wanted} from api/v2/{where}"
    )
    return refused(400, {"error": {"title": "Invalid attribute", "message": text}})


def invalid_value(description: str) -> Refused:
    """400 for a parameter that has the right type and a value that cannot be served."""
    return refused(400, {"error": "InvalidValue", "description": description})


def invalid_record(under: str, problems: Iterable[Mapping[str, Any]]) -> Refused:
    """422: the ticket would break a rule; each problem is listed below `details.<under>`."""
    body = {
        "error": "RecordInvalid",
        "description": "Record validation errors",
        "details": {under: list(problems)},
    }
    return refused(422, body)


def conflict(word: str) -> Refused:
    """409: safe_update met a newer ticket; what the vendor calls it is not confirmed."""
    text = (
        "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data."
    )
    return refused(409, {"error": word, "description": text})


def not_played(what: str) -> Refused:
    """501: the vendor may know this, the simulator does not. No Zendesk account answers so."""
    text = f"The simulator does not play {what}. See adapters/zendesk/simulator.py for what it plays."
    return refused(501, {"error": "NotPlayed", "description": text})


def rate_limited(wait: str | None) -> Reply:
    """429, with or without a Retry-After; `wait` goes into the header as it is."""
    text = "Number of allowed API requests per minute exceeded"
    headers = {} if wait is None else {"Retry-After": wait}
    return Reply(status=429, body={"error": "APIRateLimitExceeded", "description": text}, headers=headers)


def html_page(status: int) -> Reply:
    """The page of a proxy in front of Zendesk instead of an answer; with 200, a sign-in page."""
    text = HTML.format(status=status, reason=REASONS.get(status, "Error"))
    return Reply(status=status, body=text, headers={"Content-Type": "text/html; charset=utf-8"})


def preset(status: int) -> Reply:
    """The usual answer of that status, for a scripted fault that gives no body of its own."""
    if status == 401:
        return unauthenticated().reply
    if status == 403:
        return forbidden(as_object=False).reply
    if status == 404:
        return not_found(empty=False).reply
    if status == 409:
        body = {"error": "DatabaseConflict", "description": "Database collision"}
        return Reply(status=409, body=body)
    if status == 429:
        return rate_limited(None)
    return html_page(status)
