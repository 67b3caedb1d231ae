"""Who may call and how often, what an update may not do, when a ticket is due, and how Freshdesk says no.

Statuses and bodies are those of the vendor sheet, section 1.4, rules those of 2.5; where the sheet is unsure, a switch
chooses. Conditions of SLA policies, business hours and pauses are not imitated: the first policy serves every ticket,
by priority, in calendar time from the creation (2.2).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.freshdesk.simulator.records import OVER, PLANS, PRIORITIES, Directory, Row, Switches, value_of
from adapters.simulation.answers import Record, Refused, Reply, html_page, instant, refused, stamp
from adapters.simulation.faults import Windows
from adapters.simulation.oauth import basic_pair

# the page of a proxy in front of the vendor; with 200, a sign-in page
HTML = "<html><head><title>{status}</title></head><body><h1>{status} {reason}</h1></body></html>"
REASONS = {200: "Sign in", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}

Problem = tuple[str, str, str]  # field, message, code


def invalid(*problems: Problem) -> Refused:
    """400: each problem names its field."""
    errors = [{"field": name, "message": message, "code": code} for name, message, code in problems]
    return refused(400, {"description": "Validation failed", "errors": errors})


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
    text = f"The simulator does not play {what}. See adapters/freshdesk/simulator/app.py for what it plays."
    return refused(501, {"code": "not_played", "message": text})


def preset(status: int) -> Reply:
    """The usual answer of that status, for a scripted fault that gives no body of its own."""
    usual = {401: unauthenticated, 403: denied, 404: missing, 405: not_allowed}
    if status in usual:
        return usual[status]().reply
    if status == 409:
        errors = [{"message": "It should be a unique value", "code": "duplicate_value"}]
        return Reply(status=409, body={"description": "Validation failed", "errors": errors})
    if status == 429:
        return Reply(status=429)
    if status == 500:
        text = "We're sorry, but something went wrong."
        return Reply(status=500, body={"code": "internal_error", "message": text})
    return html_page(status, HTML.format(status=status, reason=REASONS.get(status, "Error")))


class Access:
    """The account's API keys. Nothing is accepted until it was put here."""

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}  # API key -> agent id

    def revoke(self) -> None:
        """Every key stops working."""
        self.keys.clear()

    def caller(self, header: str) -> int:
        """The agent behind an Authorization header; Refused with 401 otherwise. The password may be anything."""
        key, _ = basic_pair(header)
        if key not in self.keys:
            raise unauthenticated()
        return self.keys[key]


class Limits:
    """Counts credits a minute. Only the account's budget shows in headers; those of endpoints just end. Vendor sheet
    1.3."""

    def __init__(self, switches: Switches) -> None:
        self.totals = {**PLANS[switches.plan], **switches.limits}
        self.switches = switches
        self.windows = Windows()

    def take(self, buckets: Iterable[str], cost: int, now: int) -> dict[str, str]:
        """Count one request, which costs the account `cost`; Refused with 429 if a budget is used up."""
        for bucket in buckets:
            window, total = self.windows.at(bucket, now, MINUTE), self.totals.get(bucket)
            if total is not None and window.used >= total:
                headers = self._headers(0, now)
                if self.switches.says_retry_after:
                    headers["Retry-After"] = str(window.begun + MINUTE - now)
                raise refused(429, None, headers)
        for bucket in buckets:
            self.windows.at(bucket, now, MINUTE).used += cost if bucket == "account" else 1
        return self._headers(cost, now)

    def _headers(self, cost: int, now: int) -> dict[str, str]:
        total = self.totals["account"]
        left = max(0, total - self.windows.at("account", now, MINUTE).used)
        said = {"Total": total, "Remaining": left, "Used-CurrentRequest": cost}
        after = ".0" if self.switches.float_headers else ""
        return {f"X-RateLimit-{name}": f"{number}{after}" for name, number in said.items()} | {
            "X-Freshdesk-Api-Version": "latest=v2; requested=v2"
        }


MINUTE = 60
NUMBERS = ("status", "priority", "source", "group_id", "responder_id")
NULLABLE = ("group_id", "responder_id", "type")
TAKES = (*NUMBERS, "subject", "type", "tags", "custom_fields")
# Freshdesk takes these too; here they answer 501 instead of being dropped in silence.
NOT_PLAYED = (
    "name", "requester_id", "email", "phone", "facebook_id", "twitter_id", "unique_external_id", "description",
    "attachments", "due_by", "fr_due_by", "email_config_id", "parent_id", "product_id", "company_id",
    "internal_agent_id", "internal_group_id", "lookup_parameter",
)  # fmt: skip
LONGEST_TAG = 32


def checked(body: Any, people: Directory) -> dict[str, Any]:
    """The fields of a body, custom ones by their own names; Refused with 400 at the first that is wrong."""
    if not isinstance(body, dict) or not body:
        raise invalid(("body", "No field was sent", "missing_field"))
    for name, value in body.items():
        if name in NOT_PLAYED:
            raise not_played(f"{name} on PUT tickets")
        if name not in TAKES:
            raise unknown_field(name)
        _check_type(name, value)
    fields = {name: value for name, value in body.items() if name != "custom_fields"}
    for name, value in body.get("custom_fields", {}).items():
        if not name.startswith("cf_") or name not in people.fields:
            raise unknown_field(f"custom_fields.{name}")
        choices = people.fields[name].get("choices")
        if value is not None and isinstance(choices, list) and value not in choices:
            raise not_among(f"custom_fields.{name}", choices)
        fields[name] = value
    return fields


def _check_type(name: str, value: Any) -> None:
    if value is None and name in NULLABLE:
        return
    if name in NUMBERS and (not isinstance(value, int) or isinstance(value, bool)):
        raise wrong_type(name, "Positive Integer", value)
    if name == "tags":
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            raise wrong_type(name, "Array", value)
        if any(len(tag) > LONGEST_TAG for tag in value):
            raise invalid(("tags", f"Has {LONGEST_TAG} characters maximum", "invalid_value"))
    if name == "custom_fields" and not isinstance(value, dict):
        raise wrong_type(name, "key/value pair", value)


def refuse_values(fields: Mapping[str, Any], people: Directory) -> None:
    """Numbers that this account does not know."""
    if "priority" in fields and fields["priority"] not in PRIORITIES:
        raise not_among("priority", PRIORITIES)
    if "status" in fields and fields["status"] not in people.statuses:
        raise not_among("status", people.statuses)


def refuse_people(row: Row, fields: Mapping[str, Any], people: Directory, *, needs_member: bool) -> None:
    """The group must exist; the agent must exist and belong to it."""
    group = fields.get("group_id", row.json["group_id"])
    if group is not None and group not in people.groups:
        raise invalid(("group_id", "There is no group matching the given group_id", "invalid_value"))
    agent = fields.get("responder_id", row.json["responder_id"])
    if agent is None or not {"responder_id", "group_id"} & fields.keys():
        return
    if agent not in people.agents:
        raise invalid(("responder_id", "There is no agent matching the given responder_id", "invalid_value"))
    if needs_member and group is not None and agent not in people.groups[group]["agent_ids"]:
        raise invalid(("responder_id", "Agent does not belong to the group", "invalid_value"))


def refuse_incomplete(row: Row, fields: Mapping[str, Any], people: Directory) -> None:
    """A ticket that is resolved or closed, or becomes so, needs all fields that are required for it; every
    other one those that agents must fill."""
    status = fields.get("status", row.json["status"])
    rule = "required_for_closure" if status in OVER else "required_for_agents"
    text = "It should not be blank as this is a mandatory field"
    empty = [
        (f"custom_fields.{name}", text, "invalid_value")
        for name, field in people.fields.items()
        if name.startswith("cf_") and field[rule] and fields.get(name, value_of(row, name)) in (None, "")
    ]
    if empty:
        raise invalid(*empty)


NAMES = ("due_by", "fr_due_by", "nr_due_by")


def plan(row: Row, policies: Iterable[Record], now: int, lag: int, *, at_once: bool = False) -> None:
    """Work the deadlines out again; they show after `lag` seconds, unless at once."""
    settle(row, now)
    first = next(iter(sorted(policies, key=lambda each: each["position"])), None)
    span = (first or {}).get("sla_target", {}).get(f"priority_{row.json['priority']}")
    due: dict[str, int | None] = {}
    if span is not None:
        opened = instant(row.json["created_at"])
        due = {"due_by": opened + span["resolve_within"], "fr_due_by": opened + span["respond_within"]}
    if at_once:
        row.due, row.later = due, None
    elif due != row.due:
        row.later = (now + lag, due)


def settle(row: Row, now: int) -> None:
    """Let what was worked out before come to show."""
    if row.later is not None and now >= row.later[0]:
        row.due, row.later = row.later[1], None


def shown(row: Row, now: int) -> dict[str, Any]:
    """The deadlines and the escalation flags. The flags are up as soon as a deadline has passed."""
    settle(row, now)
    due = {**dict.fromkeys(NAMES), **row.due, **row.by_hand}
    over = row.json["status"] in OVER
    late = {name: at is not None and at <= now and not over for name, at in due.items()}
    texts: dict[str, Any] = {name: None if at is None else stamp(at) for name, at in due.items()}
    return texts | {
        "is_escalated": any(late.values()),
        "fr_escalated": late["fr_due_by"] and row.stats["first_responded_at"] is None,
        "nr_escalated": late["nr_due_by"],
    }
