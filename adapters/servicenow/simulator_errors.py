"""What the simulated instance answers when it refuses. Shapes are those of the vendor sheet, section 1.9."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HTML = "<html><head><title>{title}</title></head><body class='{name}'><h1>{title}</h1></body></html>"
ACL = "ACL Exception {verb} Failed due to security constraints"
CANCELLED = "Transaction cancelled: maximum execution time exceeded"


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


def envelope(message: str, detail: str | None) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


def refused(
    status: int, message: str, detail: str | None, headers: Mapping[str, str] | None = None
) -> Refused:
    """Make the exception that carries this answer."""
    return Refused(Reply(status=status, body=envelope(message, detail), headers=headers or {}))


def unauthenticated() -> Refused:
    """401: unknown, ended or missing credentials."""
    return refused(401, "User Not Authenticated", "Required to provide Auth information")


def no_table(name: str) -> Refused:
    """400: no such table."""
    return refused(400, f"Invalid table {name}", None)


def no_rights(detail: str) -> Refused:
    """403 to a query."""
    return refused(403, "Insufficient rights to query records", detail)


def no_write(verb: str) -> Refused:
    """403 to a write that an Access Control rule forbids."""
    return refused(403, "Operation Failed", ACL.format(verb=verb))


def mandatory(columns: str) -> Refused:
    """403 of a data policy."""
    return refused(
        403, "Operation Failed", f"Data Policy Exception: The following fields are mandatory: {columns}"
    )


def aborted(table: str, rule: str, sys_id: str) -> Refused:
    """403 of a Business Rule that aborts."""
    named = f"{rule}^{sys_id}"
    detail = (
        f"Operation against file '{table}' was aborted by Business Rule '{named}'. Business Rule Stack:{rule}"
    )
    return refused(403, "Operation Failed", detail)


def no_record() -> Refused:
    """404: gone, or hidden."""
    return refused(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def not_played(what: str) -> Refused:
    """501: the vendor may know this, the simulator does not. No instance answers so."""
    return refused(501, f"The simulator does not play {what}", "See adapters/servicenow/simulator.py")


def rate_limited(total: int, headers: Mapping[str, str]) -> Refused:
    """429 of a rate rule."""
    detail = f"Rate limit of {total} requests per hour for Table API exceeded"
    return refused(429, "Rate limit exceeded", detail, headers)


def asleep() -> Reply:
    """The page of an instance that hibernates; it comes with a 200."""
    text = HTML.format(title="Instance Hibernating", name="instance-hibernating-page")
    return Reply(status=200, body=text, headers={"Content-Type": "text/html; charset=utf-8"})


def cancelled() -> Reply:
    """500: a request took longer than its quota."""
    return Reply(status=500, body=envelope(CANCELLED, f"{CANCELLED} Check logs for error trace"))


def preset(status: int) -> Reply:
    """The usual answer of that status, for a scripted fault that gives no body of its own."""
    if status == 200:
        return asleep()
    if status == 302:
        return Reply(status=302, headers={"Location": "/login.do"})
    if status == 401:
        return unauthenticated().reply
    if status == 403:
        return no_write("Update").reply
    if status == 404:
        return no_record().reply
    if status == 429:
        return Reply(status=429, body=envelope("Rate limit exceeded", None))
    if status == 500:
        return cancelled()
    if status in (202, 204):
        return Reply(status=status)
    text = HTML.format(title=f"{status}", name="proxy")
    return Reply(status=status, body=text, headers={"Content-Type": "text/html; charset=utf-8"})
