"""The doubtful facts: what the vendor sheet does not confirm and a decision may depend on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Gate = Literal["open", "forbidden"]
Plan = Literal["trial", "growth", "pro", "enterprise"]

# Requests a minute: all, lists of tickets, updates of tickets. Vendor sheet 1.3; a trial has no others.
PLANS: Mapping[Plan, Mapping[str, int]] = {
    "trial": {"account": 50},
    "growth": {"account": 200, "tickets-list": 20, "ticket-update": 80},
    "pro": {"account": 400, "tickets-list": 100, "ticket-update": 160},
    "enterprise": {"account": 700, "tickets-list": 200, "ticket-update": 280},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How this account behaves where Freshdesk accounts differ or the sheet is unsure. Spans are seconds."""

    # Plans and rights
    plan: Plan = "enterprise"
    slas: Gate = "open"
    rules: Gate = "open"
    fields: Gate = "open"
    archive: Gate = "open"

    # Reading
    deleted_get: Literal["shown", "forbidden", "missing"] = "shown"  # a deleted ticket by its id
    archived_get: Literal["missing", "moved"] = "missing"  # an archived ticket by its id
    list_has_tags: bool = True
    since_exclusive: bool = False  # updated_since leaves out its own second
    agents_list_groups: bool = False  # the list of agents carries group_ids
    groups_list_members: bool = False  # the list of groups carries agent_ids
    yes_no_assignment: bool = False  # auto_ticket_assign is true or false, as it was once
    tells_automation: bool = True  # conversations carry automation_id and auto_response
    last_page: int = 300
    status_timers: Literal["hidden", "form", "admin"] = (
        "hidden"  # where a status tells that it stops the SLA clock
    )
    wrapped: bool = False  # answers come in envelopes, as those of Freshservice

    # Writing
    keeps_comments: bool = False  # HTML comments survive in notes
    notes_touch: bool = True  # a private note moves updated_at
    removal_touches: bool = True  # deleting and marking as spam move updated_at
    reply_status: int | None = None  # the status that a reply over the API sets
    needs_member: bool = True  # an agent outside of the ticket's group is refused
    answers_briefly: bool = False  # a PUT answers without custom_fields, company_id and tags

    # Deadlines
    sla_lag: int = 5  # how long deadlines are null after creation
    recomputes: bool = True  # after an update they are the old ones for as long, as on accounts since 2025

    # Limits
    limits: Mapping[str, int] = field(default_factory=dict)  # by name, over the plan's
    says_retry_after: bool = True
    float_headers: bool = True
