"""Records as the instance stores them, every value a text, and the shapes in which it shows them.

Vendor sheet 1.3: six shapes by `sysparm_display_value` and `sysparm_exclude_reference_link`."""

import calendar
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Record = dict[str, str]

TASK = [
    "number", "short_description", "description", "state", "hold_reason", "impact", "urgency", "priority",
    "category", "assignment_group", "assigned_to", "opened_by", "opened_at", "closed_at", "active", "company",
    "contact_type", "correlation_id", "correlation_display", "watch_list", "work_notes_list", "escalation",
    "due_date", "reassignment_count", "sys_tags", "comments", "work_notes", "close_notes", "sys_id",
    "sys_class_name", "sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by", "sys_mod_count",
]  # fmt: skip
COLUMNS: Mapping[str, frozenset[str]] = {
    "incident": frozenset(
        [
            *TASK,
            "incident_state",
            "caller_id",
            "resolved_at",
            "close_code",
            "reopen_count",
            "u_product",
            "u_tags",
        ]
    ),
    "sn_customerservice_case": frozenset([*TASK, "contact", "consumer", "account", "u_product", "u_tags"]),
    "sc_req_item": frozenset([*TASK, "requested_for", "request", "u_product", "u_tags"]),
    "sc_task": frozenset([*TASK, "request_item", "u_product", "u_tags"]),
    "sys_choice": frozenset(["sys_id", "name", "element", "value", "label", "inactive"]),
    "sys_user": frozenset(
        [
            "sys_id",
            "user_name",
            "name",
            "email",
            "active",
            "locked_out",
            "vip",
            "company",
            "time_zone",
            "sys_updated_on",
        ]
    ),
    "sys_user_group": frozenset(["sys_id", "name", "active", "manager", "sys_updated_on"]),
    "sys_user_grmember": frozenset(["sys_id", "user", "group", "sys_updated_on"]),
    "sys_journal_field": frozenset(
        ["sys_id", "name", "element", "element_id", "value", "sys_created_on", "sys_created_by"]
    ),
    "sys_audit": frozenset(
        [
            "sys_id",
            "tablename",
            "documentkey",
            "fieldname",
            "oldvalue",
            "newvalue",
            "user",
            "record_checkpoint",
            "sys_created_on",
        ]
    ),
    "task_sla": frozenset(
        ["sys_id", "task", "sla", "stage", "active", "has_breached", "start_time", "planned_end_time"]
    ),
    "contract_sla": frozenset(["sys_id", "name", "type", "target"]),
    "dl_u_priority": frozenset(["sys_id", "impact", "urgency", "priority"]),
    "label": frozenset(["sys_id", "name", "type", "viewable_by", "owner", "active"]),
    "label_entry": frozenset(["sys_id", "label", "table", "table_key", "title"]),
    "core_company": frozenset(["sys_id", "name"]),
}
TASKS = ("incident", "sn_customerservice_case", "sc_req_item", "sc_task")
REFERENCES = {
    "assignment_group": "sys_user_group", "assigned_to": "sys_user", "opened_by": "sys_user",
    "caller_id": "sys_user", "contact": "sys_user", "consumer": "sys_user", "company": "core_company",
    "account": "core_company", "user": "sys_user", "group": "sys_user_group", "task": "incident",
    "sla": "contract_sla", "label": "label", "request_item": "sc_req_item", "requested_for": "sys_user",
}  # fmt: skip
STATES = {
    "incident": {
        "1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled",
    },
    "sn_customerservice_case": {
        "1": "New", "10": "Open", "18": "Awaiting Info", "6": "Resolved", "3": "Closed", "7": "Cancelled",
    },
    "sc_req_item": {
        "-5": "Pending", "1": "Open", "2": "Work in Progress", "3": "Closed Complete", "4": "Closed Incomplete",
        "7": "Closed Skipped",
    },
    "sc_task": {
        "-5": "Pending", "1": "Open", "2": "Work in Progress", "3": "Closed Complete", "4": "Closed Incomplete",
        "7": "Closed Skipped",
    },
}  # fmt: skip
OVER = {
    "incident": {"7", "8"}, "sn_customerservice_case": {"3", "7"}, "sc_req_item": {"3", "4", "7"},
    "sc_task": {"3", "4", "7"},
}  # fmt: skip
PRIORITIES = {"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate", "4": "4 - Low", "5": "5 - Planning"}
JOURNALS = ("comments", "work_notes")
STAMPS = (
    "sys_created_on", "sys_updated_on", "opened_at", "resolved_at", "closed_at", "start_time", "planned_end_time",
)  # fmt: skip

Find = Callable[[str, str], Record | None]
"""A record by table and sys_id."""


def sys_id(number: int) -> str:
    """A sys_id; later ones are not greater."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def stamp(at: float) -> str:
    """An instant as the instance stores it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


def references(table: str, column: str) -> str | None:
    """The table that a column points to; `sys_audit.user` is a user name and points nowhere."""
    return None if table == "sys_audit" else REFERENCES.get(column)


def shown(table: str, column: str, value: str, find: Find, offset: int) -> str:
    """The label of a value, in the zone and format of the caller."""
    target = references(table, column)
    if target is not None:
        record = find(target, value) if value else None
        return (
            value
            if value and record is None
            else (record or {}).get("name", (record or {}).get("number", ""))
        )
    if column in ("state", "incident_state"):
        return STATES.get(table, {}).get(value, value)
    if column == "priority":
        return PRIORITIES.get(value, value)
    if column in STAMPS and value:
        at = calendar.timegm(time.strptime(value, "%Y-%m-%d %H:%M:%S"))
        return time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime(at + offset))
    return value


def shape(value: str, label: str, link: str | None, *, display: str, exclude_link: bool) -> Any:
    """One column as the caller asked for it. `link` is the address of what a reference points to."""
    linked = {} if exclude_link or link is None or not value else {"link": link}
    if display == "all":
        return {"display_value": label, **linked, "value": value}
    if display == "true":
        return {"display_value": label, **linked} if linked else label
    return {**linked, "value": value} if linked else value


Gate = Literal["open", "forbidden", "query", "hidden", "silent", "missing"]
"""open; 403; 403 worded as a query ACL; a 200 with nothing in it; the same and a total of 0; no such table (400)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How this instance behaves where ServiceNow's instances differ or the sheet is unsure. Spans are seconds."""

    # Queries
    unknown_column: Literal["ignore", "none", "forbid"] = "ignore"  # a filter on a column that is not there
    query_range: bool = True  # whether the bot may use < > LIKE and ORDERBY
    says_total: bool = True  # X-Total-Count
    total_counts_hidden: bool = True
    cancel_above: int | None = None  # rows a list may ask for before it takes too long
    commit_lag: int = 0  # how long an update stays out of lists

    # Rights
    journal: Gate = "open"
    audit: Gate = "open"
    slas: Gate = "open"
    lookup: Gate = "open"
    choices: Gate = "open"
    labels: Literal["open", "forbidden", "blank"] = "forbidden"  # POST label_entry
    hidden_columns: Literal["omit", "blank"] = "omit"

    # Records
    noop_bumps: bool = False  # a PATCH that changes nothing counts as an update
    audit_checkpoints: bool = True
    audits_inserts: bool = False
    audit_users: Literal["user_name", "name"] = "user_name"  # what the audit calls a person
    lookup_runs: bool = True  # impact and urgency decide the priority
    data_policy: bool = True  # resolving needs close_code and close_notes
    display_offset: int = -18000  # the zone of the bot's display values

    # Plugins
    on_call: Literal["open", "missing", "forbidden"] = "missing"

    # Access
    token_life: int = 1800
    refresh_tokens: bool = False
    application_user: bool = True  # without one a token is given and every call fails
    strict_sessions: bool = False  # a cookie of a session that has ended answers 401

    # Limits
    hourly: int | None = None  # requests in an hour, told in headers
    hourly_of: Mapping[str, int] = field(
        default_factory=dict
    )  # the same by table, or by the last word of the path
    says_retry_after: bool = True
