"""What the simulated account answers when it refuses: Freshdesk's own statuses and bodies.

Shapes are those of the vendor sheet, section 1.4; where the sheet is unsure, a switch chooses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HTML = "<html><head><title>{status}</title></head><body><h1>{status} {reason}</h1></body></html>"
REASONS = {200: "Sign in", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}

Problem = tuple[str, str, str]  # field, message, code


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


def invalid(*problems: Problem) -> Refused:
    """400: each problem names its field."""
    return refused(400, _validation(problems))


def _validation(problems: Iterable[Problem]) -> dict[str, Any]:
    errors = [{"field": name, "message": message, "code": code} for name, message, code in problems]
    return {"description": "Validation failed", "errors": errors}


def unknown_field(name: str) -> Refused:
    """400 for a key of the body or the query that this address does not take."""
    return invalid((name, "Unexpected/invalid field in request", "invalid_field"))


def wrong_type(name: str, wanted: str, value: Any) -> Refused:
    """400 for a value of the wrong type: numbers in quotes are texts."""
    told = type(value).__name__.replace("str", "String").replace("int", "Integer").replace("list", "Array")
    text = f"Value set is of type {told}. It should be a/an {wanted}"
    return invalid((name, text, "datatype_mismatch"))


def not_among(name: str, choices: Iterable[Any]) -> Refused:
    """400 for a value outside of a list; the message names the list."""
    text = f"It should be one of these values: '{','.join(map(str, choices))}'"
    return invalid((name, text, "invalid_value"))


def unauthenticated() -> Refused:
    """401: no such API key."""
    text = "You have to be logged in to perform this action."
    return refused(401, {"code": "invalid_credentials", "message": text})


def denied() -> Refused:
    """403: the role of the key's agent is too small."""
    text = "You are not authorized to perform this action."
    return refused(403, {"code": "access_denied", "message": text})


def not_in_plan(feature: str) -> Refused:
    """403: the account's plan is too small."""
    text = (
        f"The {feature} feature(s) is/are not supported in your plan. Please upgrade your account to use it."
    )
    return refused(403, {"code": "require_feature", "message": text})


def missing() -> Refused:
    """404: no such thing. The body is empty."""
    return refused(404, None)


def not_allowed() -> Refused:
    """405: deleted tickets and spam take no update."""
    return refused(405, {"message": "PUT method is not allowed. It should be one of these method(s): GET"})


def not_played(what: str) -> Refused:
    """501: the vendor may know this, the simulator does not. No Freshdesk account answers so."""
    text = f"The simulator does not play {what}. See adapters/freshdesk/simulator.py for what it plays."
    return refused(501, {"code": "not_played", "message": text})


def rate_limited(wait: int | None) -> Reply:
    """429, with or without a Retry-After. The body is empty."""
    return Reply(status=429, headers={} if wait is None else {"Retry-After": str(wait)})


def html_page(status: int) -> Reply:
    """The page of a proxy in front of Freshdesk instead of an answer; with 200, a sign-in page."""
    text = HTML.format(status=status, reason=REASONS.get(status, "Error"))
    return Reply(status=status, body=text, headers={"Content-Type": "text/html; charset=utf-8"})


def preset(status: int) -> Reply:
    """The usual answer of that status, for a scripted fault that gives no body of its own."""
    usual = {401: unauthenticated, 403: denied, 404: missing, 405: not_allowed}
    if status in usual:
        return usual[status]().reply
    if status == 409:
        errors = [{"message": "It should be a unique value", "code": "duplicate_value"}]
        return Reply(status=409, body={"description": "Validation failed", "errors": errors})
    if status == 429:
        return rate_limited(None)
    if status == 500:
        text = "We're sorry, but something went wrong."
        return Reply(status=500, body={"code": "internal_error", "message": text})
    return html_page(status)
