"""What the simulated account holds: records with the keys the vendor sends, people and set-up, tickets.

Shapes: vendor sheet 2.1, 2.2, 2.6, 2.8. No history is kept, as with Freshdesk. A custom field is named `cf_...` where a
change names it; every other field by its JSON key.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adapters.simulation.answers import Record, Ref, Rows, add, find, stamp

STATUSES: Mapping[int, str] = {
    2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed", 6: "Waiting on Customer", 7: "Waiting on Third Party",
}  # fmt: skip
PRIORITIES: Mapping[int, str] = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
SOURCES: Mapping[str, int] = {"Email": 1, "Portal": 2, "Phone": 3, "Chat": 7, "Feedback Widget": 9}
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def agent(number: int, at: int, name: str, email: str | None) -> Record:
    """An agent; the person is in `contact`. Groups are listed where one agent is shown."""
    return {
        "id": number,
        "available": False,
        "available_since": None,
        "occasional": False,
        "ticket_scope": 1,
        "type": "support_agent",
        "signature": None,
        "focus_mode": True,
        "deactivated": False,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "group_ids": [],
        "role_ids": [],
        "skill_ids": [],
        "contact": {
            "active": True,
            "email": email,
            "name": name,
            "job_title": None,
            "language": "en",
            "last_login_at": None,
            "mobile": None,
            "phone": None,
            "time_zone": "Eastern Time (US & Canada)",
            "created_at": stamp(at),
            "updated_at": stamp(at),
        },
    }


def group(number: int, at: int, name: str) -> Record:
    """A team."""
    return {
        "id": number, "name": name, "description": "", "escalate_to": None, "unassigned_for": None,
        "business_hour_id": None, "auto_ticket_assign": 0, "agent_ids": [], "created_at": stamp(at),
        "updated_at": stamp(at),
    }  # fmt: skip


def company(number: int, at: int, name: str) -> Record:
    """A customer's company."""
    return {"id": number, "name": name, "domains": [], "created_at": stamp(at), "updated_at": stamp(at)}


def contact(number: int, at: int, name: str, email: str | None) -> Record:
    """A customer."""
    return {
        "id": number, "name": name, "email": email, "active": False, "address": None, "company_id": None,
        "view_all_tickets": False, "other_companies": [], "other_emails": [], "description": None,
        "job_title": None, "language": "en", "mobile": None, "phone": None,
        "time_zone": "Eastern Time (US & Canada)", "twitter_id": None, "unique_external_id": None, "tags": [],
        "custom_fields": {}, "created_at": stamp(at), "updated_at": stamp(at),
    }  # fmt: skip


def ticket_field(number: int, at: int, name: str, label: str, kind: str) -> Record:
    """A field of the ticket form."""
    return {
        "id": number, "name": name, "label": label, "label_for_customers": label, "description": "",
        "position": 1, "type": kind, "default": not kind.startswith("custom_"), "customers_can_edit": False,
        "displayed_to_customers": True, "required_for_customers": False, "required_for_agents": False,
        "required_for_closure": False, "created_at": stamp(at), "updated_at": stamp(at),
    }  # fmt: skip


def ticket(number: int, at: int) -> Record:
    """A ticket without requester. Deadlines are shown beside it."""
    return {
        "id": number, "cc_emails": [], "fwd_emails": [], "reply_cc_emails": [], "ticket_cc_emails": [],
        "spam": False, "email_config_id": None, "priority": 1, "requester_id": None, "responder_id": None,
        "group_id": None, "company_id": None, "product_id": None, "source": 2, "status": 2, "subject": "",
        "type": None, "to_emails": None, "association_type": None, "support_email": None, "form_id": 1060000000,
        "is_escalated": False, "fr_escalated": False, "nr_escalated": False, "tags": [], "custom_fields": {},
        "description": "", "description_text": "", "attachments": [], "created_at": stamp(at),
        "updated_at": stamp(at),
    }  # fmt: skip


def stats(at: int) -> Record:
    """When what last happened to a ticket that was just made."""
    return {
        "agent_responded_at": None, "requester_responded_at": None, "first_responded_at": None,
        "status_updated_at": stamp(at), "reopened_at": None, "resolved_at": None, "closed_at": None,
        "pending_since": None,
    }  # fmt: skip


def conversation(number: int, at: int, ticket_id: int, author: int | None, body: str) -> Record:
    """A message below a ticket, private and ours until said otherwise. `body` is HTML."""
    return {
        "id": number, "body": f"<div>{body}</div>", "body_text": plain(body), "incoming": False, "private": True,
        "user_id": author, "support_email": None, "source": 2, "category": 2, "ticket_id": ticket_id,
        "from_email": None, "to_emails": None, "cc_emails": None, "bcc_emails": None, "attachments": [],
        "last_edited_at": None, "last_edited_user_id": None, "automation_id": None, "auto_response": False,
        "created_at": stamp(at), "updated_at": stamp(at),
    }  # fmt: skip


def without_comments(markup: str) -> str:
    """HTML as Freshdesk may clean it."""
    return COMMENT.sub("", markup)


def plain(markup: str) -> str:
    """The text of HTML."""
    broken = re.sub(r"<br ?/?>|</p>", "\n", without_comments(markup))
    return html.unescape(re.sub(r"<[^>]*>", "", broken)).strip()


def markup(text: str) -> str:
    """The HTML of what somebody typed."""
    return html.escape(text, quote=False).replace("\n", "<br>")


Fields = Mapping[str, Any]

RESOLVED, CLOSED, OPEN, PENDING = 4, 5, 2, 3
OVER = (RESOLVED, CLOSED)
REPLY, NOTE = 0, 2


@dataclass(slots=True, kw_only=True)
class Row:
    """A ticket with its messages. `due` are the deadlines by their JSON keys, `later` those that replace them
    at an instant, `by_hand` those that win over any policy. `shows` is what the API shows instead of what a key holds,
    `hides` the keys it leaves out, and `is_null` makes a null of its place in a list."""

    json: Record
    stats: Record
    conversations: list[Record] = field(default_factory=list)
    ratings: list[Record] = field(default_factory=list)
    removed: Literal["deleted", "spam"] | None = None
    archived: bool = False
    due: dict[str, int | None] = field(default_factory=dict)
    later: tuple[int, dict[str, int | None]] | None = None
    by_hand: dict[str, int | None] = field(default_factory=dict)
    shows: dict[str, Any] = field(default_factory=dict)
    hides: tuple[str, ...] = ()
    is_null: bool = False

    @property
    def id(self) -> int:
        """The ticket's number."""
        return int(self.json["id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message as it is made; `body` is HTML. `staff` says that an agent of the account wrote it."""

    author: int | None
    body: str
    private: bool
    staff: bool
    source: int = NOTE
    automation: int | None = None
    auto_response: bool = False


def blank(number: int, at: int) -> Row:
    """A ticket that nobody wrote to yet."""
    return Row(json=ticket(number, at), stats=stats(at))


def value_of(row: Row, name: str) -> Any:
    """What a field holds now."""
    return row.json["custom_fields"].get(name) if name.startswith("cf_") else row.json[name]


def put(row: Row, fields: Fields, at: int) -> list[tuple[str, Any, Any]]:
    """Set fields; what differs now, as name, before and after."""
    changed = []
    for name, value in fields.items():
        before = value_of(row, name)
        if before == value:
            continue
        if name.startswith("cf_"):
            row.json["custom_fields"] = {**row.json["custom_fields"], name: value}
        else:
            row.json[name] = value
        if name == "status":
            _note_status(row, before, value, at)
        changed.append((name, before, value))
    return changed


def touch(row: Row, at: int) -> None:
    """Move `updated_at`."""
    row.json["updated_at"] = stamp(at)


def say(row: Row, said: Said, at: int, new_id: Callable[[], int]) -> Record:
    """Add a message."""
    made = conversation(new_id(), at, row.id, said.author, said.body)
    made |= {
        "private": said.private,
        "incoming": not said.staff,
        "source": said.source,
        "automation_id": said.automation,
        "auto_response": said.auto_response,
    }
    row.conversations.append(made)
    if not said.private and said.automation is None:
        row.stats["agent_responded_at" if said.staff else "requester_responded_at"] = stamp(at)
        if said.staff:
            row.stats["first_responded_at"] = row.stats["first_responded_at"] or stamp(at)
    return made


def _note_status(row: Row, before: int, after: int, at: int) -> None:
    now = stamp(at)
    row.stats["status_updated_at"] = now
    if before in OVER and after not in OVER:
        row.stats["reopened_at"] = now
    if after in OVER:
        row.stats["resolved_at"] = row.stats["resolved_at"] if before == RESOLVED else now
    if after == CLOSED:
        row.stats["closed_at"] = now
    row.stats["pending_since"] = now if after == PENDING else row.stats["pending_since"]


class Directory:
    """Agents, contacts, companies, groups, fields and SLA policies, by id."""

    def __init__(self, now: Callable[[], int], new_id: Callable[[], int]) -> None:
        self.now = now
        self.new_id = new_id
        self.agents: dict[int, Record] = {}
        self.contacts: dict[int, Record] = {}
        self.companies: dict[int, Record] = {}
        self.groups: dict[int, Record] = {}
        self.sla_policies: dict[int, Record] = {}
        self.business_hours: dict[int, Record] = {}
        self.statuses: dict[int, str] = dict(STATUSES)
        self.stops_timer: set[int] = {3, 6, 7}
        self.fields: dict[str, Record] = {}
        self.add_ticket_fields([{"name": name, "type": f"default_{name}"} for name in BUILT_IN])

    def add_groups(self, rows: Rows) -> list[int]:
        """Each row needs a `name`; other keys overwrite the blank record's."""
        return add(self.groups, rows, self.new_id, lambda number, row: group(number, self.now(), row["name"]))

    def add_companies(self, rows: Rows) -> list[int]:
        """Each row needs a `name`."""
        return add(
            self.companies, rows, self.new_id, lambda number, row: company(number, self.now(), row["name"])
        )

    def add_contacts(self, rows: Rows) -> list[int]:
        """Each row needs a `name`; `company` is a ref."""

        def blank(number: int, row: Mapping[str, Any]) -> Record:
            made = contact(number, self.now(), row["name"], row.get("email"))
            if "company" in row:
                made["company_id"] = self.company(row["company"])["id"]
            return made

        return add(self.contacts, rows, self.new_id, blank, "company")

    def add_agents(self, rows: Rows) -> list[int]:
        """Each row needs a `name`; `groups` are refs, `admin` says who may see everything."""

        def blank(number: int, row: Mapping[str, Any]) -> Record:
            return agent(number, self.now(), row["name"], row.get("email")) | {"admin": False}

        numbers = []
        for row in rows:
            (number,) = add(self.agents, [row], self.new_id, blank, "name", "email", "groups")
            for team in row.get("groups", ()):
                self.join(number, team)
            numbers.append(number)
        return numbers

    def add_ticket_fields(self, rows: Rows) -> list[int]:
        """Each row needs a `name` (`cf_...` for custom ones) and a `type` (custom_text, custom_dropdown, ...)."""

        def blank(number: int, row: Mapping[str, Any]) -> Record:
            label = row.get("label", row["name"].removeprefix("cf_"))
            return ticket_field(number, self.now(), row["name"], label, row["type"])

        made: dict[int, Record] = {}
        numbers = add(made, rows, self.new_id, blank)
        self.fields |= {field["name"]: field for field in made.values()}
        return numbers

    def add_sla_policies(self, rows: Rows) -> list[int]:
        """Each row needs a `name` and `sla_target`: `priority_1` to `priority_4`, each with `respond_within`
        and `resolve_within` in seconds."""

        def blank(number: int, _: Mapping[str, Any]) -> Record:
            place = {"position": len(self.sla_policies) + 1, "active": True, "is_default": False}
            return place | {"id": number, "applicable_to": {}}

        return add(self.sla_policies, rows, self.new_id, blank)

    def add_business_hours(self, rows: Rows) -> list[int]:
        """Each row needs a `name`, a `time_zone` by Rails' name and `business_hours` by the day."""

        def blank(number: int, _: Mapping[str, Any]) -> Record:
            return {"id": number, "description": "", "is_default": not self.business_hours}

        return add(self.business_hours, rows, self.new_id, blank)

    def add_status(self, number: int, label: str) -> None:
        """A custom status, or another name for one of the first."""
        self.statuses[number] = label

    def join(self, person: Ref, team: Ref) -> None:
        """Make an agent a member of a group."""
        who, where = self.agent(person), self.group(team)
        who["group_ids"].append(where["id"])
        where["agent_ids"].append(who["id"])

    def choices(self, name: str) -> Any:
        """The choices of a field in the shape Freshdesk gives them: there are four."""
        numbered = {
            "status": {str(number): [label, label] for number, label in self.statuses.items()},
            "priority": {label: number for number, label in PRIORITIES.items()},
            "source": dict(SOURCES),
            "group": {row["name"]: row["id"] for row in self.groups.values()},
            "agent": {row["contact"]["name"]: row["id"] for row in self.agents.values()},
        }
        return numbered.get(name, self.fields[name].get("choices"))

    def timed_statuses(self) -> list[Record]:
        """The choices of the status with their timers."""
        return [
            {"id": number, "value": number, "label": label, "stop_sla_timer": number in self.stops_timer}
            for number, label in self.statuses.items()
        ]

    def agent(self, ref: Ref) -> Record:
        """The agent of that id, address or name; KeyError if there is none."""
        return find(self.agents, ref, "agent", lambda row: (row["contact"]["email"], row["contact"]["name"]))

    def contact(self, ref: Ref) -> Record:
        """The contact of that id, address or name; KeyError if there is none."""
        return find(self.contacts, ref, "contact", lambda row: (row["email"], row["name"]))

    def company(self, ref: Ref) -> Record:
        """The company of that id or name; KeyError if there is none."""
        return find(self.companies, ref, "company", lambda row: (row["name"],))

    def group(self, ref: Ref) -> Record:
        """The group of that id or name; KeyError if there is none."""
        return find(self.groups, ref, "group", lambda row: (row["name"],))

    def person(self, ref: Ref) -> Record:
        """A contact, else an agent."""
        try:
            return self.contact(ref)
        except KeyError:
            return self.agent(ref)


BUILT_IN = ("requester", "subject", "ticket_type", "source", "status", "priority", "group", "agent")


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
