"""What the simulated account holds: records with every key the vendor always sends, people and set-up, tickets.

Shapes: vendor sheet 1.1, 1.2, 1.6, 1.7. Every change of a ticket leaves an audit. A custom field is named by its id as
an int where a change names it; every other field by its JSON key.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adapters.simulation.answers import Record, Ref, Rows, add, find, instant, stamp

SYSTEM = -1  # the author of what an account does by itself
BRAND, FORM = 360000000001, 360000000002


def via(channel: str) -> Record:
    """Where something came from. What a trigger did says `rule` and names the trigger."""
    if channel == "rule":
        source = {"from": {"id": 1, "title": "Trigger", "deleted": False}, "to": {}, "rel": "trigger"}
        return {"channel": "rule", "source": source}
    return {"channel": channel, "source": {"from": {}, "to": {}, "rel": None}}


def user(number: int, at: int, name: str, email: str | None, role: str) -> Record:
    """A person without group, organization or tags."""
    return {
        "id": number, "name": name, "email": email, "created_at": stamp(at), "updated_at": stamp(at),
        "time_zone": "Eastern Time (US & Canada)", "iana_time_zone": "America/New_York", "phone": None,
        "photo": None, "locale_id": 1, "locale": "en-US", "organization_id": None, "role": role,
        "role_type": None if role != "agent" else 0, "custom_role_id": None, "verified": True,
        "external_id": None, "tags": [], "alias": None, "active": True, "shared": False, "shared_agent": False,
        "last_login_at": None, "two_factor_auth_enabled": None, "signature": None, "details": None, "notes": None,
        "default_group_id": None, "ticket_restriction": "requested" if role == "end-user" else None,
        "only_private_comments": False, "restricted_agent": role == "end-user", "moderator": role == "admin",
        "suspended": False, "user_fields": {},
    }  # fmt: skip


def group(number: int, at: int, name: str) -> Record:
    """A team."""
    return {
        "id": number, "name": name, "description": "", "default": False, "is_public": True, "deleted": False,
        "created_at": stamp(at), "updated_at": stamp(at),
    }  # fmt: skip


def membership(number: int, at: int, person: int, team: int, default: bool) -> Record:
    """That an agent belongs to a group."""
    return {
        "id": number, "user_id": person, "group_id": team, "default": default, "created_at": stamp(at),
        "updated_at": stamp(at),
    }  # fmt: skip


def organization(number: int, at: int, name: str) -> Record:
    """A customer's company."""
    return {
        "id": number, "name": name, "shared_tickets": False, "shared_comments": False, "external_id": None,
        "created_at": stamp(at), "updated_at": stamp(at), "domain_names": [], "details": None, "notes": None,
        "group_id": None, "tags": [], "organization_fields": {},
    }  # fmt: skip


def custom_status(number: int, at: int, category: str, label: str) -> Record:
    """A status of the account's own, in one of Zendesk's categories."""
    return {
        "id": number, "status_category": category, "agent_label": label, "end_user_label": label,
        "description": "", "end_user_description": "", "active": True, "default": False, "created_at": stamp(at),
        "updated_at": stamp(at),
    }  # fmt: skip


def ticket_field(number: int, at: int, kind: str, title: str) -> Record:
    """A field of the ticket form; system fields are listed like custom ones."""
    return {
        "id": number, "type": kind, "title": title, "raw_title": title, "description": "", "raw_description": "",
        "position": 0, "active": True, "required": False, "collapsed_for_agents": False,
        "regexp_for_validation": None, "title_in_portal": title, "raw_title_in_portal": title,
        "visible_in_portal": False, "editable_in_portal": False, "required_in_portal": False, "tag": None,
        "created_at": stamp(at), "updated_at": stamp(at), "removable": True, "key": None,
        "agent_description": None,
    }  # fmt: skip


def ticket(number: int, at: int) -> Record:
    """A ticket before its first save, which sets its status."""
    return {
        "id": number, "external_id": None, "via": via("web"), "created_at": stamp(at), "updated_at": stamp(at),
        "generated_timestamp": at, "type": None, "subject": None, "raw_subject": None, "description": None,
        "priority": None, "status": None, "recipient": None, "requester_id": None, "submitter_id": None,
        "assignee_id": None, "organization_id": None, "group_id": None, "collaborator_ids": [],
        "follower_ids": [], "email_cc_ids": [], "forum_topic_id": None, "problem_id": None,
        "has_incidents": False, "is_public": True, "due_at": None, "tags": [], "custom_fields": [],
        "satisfaction_rating": None, "sharing_agreement_ids": [], "custom_status_id": None, "followup_ids": [],
        "ticket_form_id": FORM, "brand_id": BRAND, "allow_channelback": False, "allow_attachments": True,
        "from_messaging_channel": False,
    }  # fmt: skip


def metric_set(number: int, ticket_id: int, at: int) -> Record:
    """The counters of a ticket. Durations stay null until they are known."""
    unknown = {"calendar": None, "business": None}
    return {
        "id": number, "ticket_id": ticket_id, "created_at": stamp(at), "updated_at": stamp(at),
        "group_stations": 0, "assignee_stations": 0, "reopens": 0, "replies": 0, "assignee_updated_at": None,
        "requester_updated_at": None, "status_updated_at": stamp(at), "initially_assigned_at": None,
        "assigned_at": None, "solved_at": None, "latest_comment_added_at": None,
        "custom_status_updated_at": stamp(at), "reply_time_in_minutes": dict(unknown),
        "first_resolution_time_in_minutes": dict(unknown), "full_resolution_time_in_minutes": dict(unknown),
        "agent_wait_time_in_minutes": dict(unknown), "requester_wait_time_in_minutes": dict(unknown),
        "on_hold_time_in_minutes": {"calendar": 0, "business": 0},
    }  # fmt: skip


def plain(markup: str) -> str:
    """The text of a comment that came as HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br ?/?>|</p>", "\n", markup))).strip()


def markup(body: str) -> str:
    """The HTML that Zendesk makes of a plain comment."""
    text = html.escape(body, quote=False).replace("\n", "<br>")
    return f'<div class="zd-comment" dir="auto"><p dir="auto">{text}</p></div>'


Fields = Mapping[str | int, Any]
CLOSED = ("solved", "closed")
MESSAGING = ("native_messaging", "whatsapp", "chat")


@dataclass(slots=True, kw_only=True)
class Chat:
    """A conversation beside the comments; `event` is the audit's, which holds what is shown of it."""

    event: Record
    shape: str
    spoken: list[tuple[int, str]] = field(default_factory=list)
    ended: bool = False

    def say(self, author: int, text: str, at: int, *, staff: bool) -> None:
        """Add a message, as the account's switch shows it."""
        self.spoken.append((author, text))
        if self.shape == "absent":
            return
        entry = {"chat_index": len(self.spoken), "type": "ChatMessage", "message": text}
        if self.shape == "told":
            kind = "agent" if staff else "end-user"
            entry |= {"actor_id": str(author), "actor_type": kind, "timestamp": at * 1000}
        self.event["value"]["history"].append(entry)

    def text(self) -> str:
        """The transcript."""
        return "\n".join(f"({author}) {text}" for author, text in self.spoken)


@dataclass(slots=True, kw_only=True)
class Row:
    """A ticket with its trail. `json` is what Zendesk shows but for the address, which the host decides."""

    json: Record
    metrics: Record
    comments: list[Record] = field(default_factory=list)
    audits: list[Record] = field(default_factory=list)
    targets: dict[str, tuple[str, int | None]] = field(default_factory=dict)  # metric -> stage, breach
    public: bool = True  # what a comment is that does not say
    archived: bool = False
    chats: list[Chat] = field(default_factory=list)

    @property
    def id(self) -> int:
        """The ticket's number."""
        return int(self.json["id"])

    @property
    def deleted(self) -> bool:
        """Deleted or marked as spam: gone from everything but the export."""
        return bool(self.json["status"] == "deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A comment as it is made. `automatic` is what a trigger sent."""

    author: int
    body: str
    public: bool
    staff: bool
    automatic: bool = False
    html: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One save of a ticket: who, when, through what, and what it changes. `rule` holds what triggers add."""

    author: int
    at: int
    channel: str = "web"
    client: str = "Browser"
    fields: Fields = field(default_factory=dict)
    rule: Fields = field(default_factory=dict)
    said: Said | None = None
    mark: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[int, ...] = ()
    create: bool = False


def blank(number: int, at: int, new_id: Callable[[], int]) -> Row:
    """A ticket without trail."""
    return Row(json=ticket(number, at), metrics=metric_set(new_id(), number, at))


def begin_chat(row: Row, at: int, new_id: Callable[[], int], shape: str) -> Chat:
    """Write the audit that says a chat began."""
    value: Record = {"conversation_id": f"{new_id():024x}", "visitor_id": "10414779.13ojz"}
    if shape != "absent":
        value["history"] = [{"chat_index": 0, "type": "ChatJoin", "timestamp": at * 1000}]
    audit = _audit(row, Update(author=SYSTEM, at=at, channel="native_messaging"), new_id())
    chat = Chat(event={"id": new_id(), "type": "ChatStartedEvent", "value": value}, shape=shape)
    audit["events"].append(chat.event)
    row.audits.append(audit)
    row.chats.append(chat)
    return chat


def value_of(row: Row, name: str | int) -> Any:
    """What a field holds now."""
    if isinstance(name, str):
        return row.json[name]
    return next((entry["value"] for entry in row.json["custom_fields"] if entry["id"] == name), None)


def put_value(row: Row, name: str | int, value: Any) -> None:
    """Set a field, without any trail."""
    if isinstance(name, str):
        row.json[name] = value
        if name == "subject":
            row.json["raw_subject"] = value
        if name == "follower_ids":
            row.json["collaborator_ids"] = sorted({*value, *row.json["email_cc_ids"]})
        return
    kept = [entry for entry in row.json["custom_fields"] if entry["id"] != name]
    row.json["custom_fields"] = sorted([*kept, {"id": name, "value": value}], key=lambda entry: entry["id"])


def save(row: Row, update: Update, new_id: Callable[[], int], *, keep_empty: bool = False) -> Record | None:
    """Carry out an update and write its audit; None when nothing differs and nothing was said."""
    audit = _audit(row, update, new_id())
    if update.said is not None:
        audit["events"].append(_say(row, update.said, update.at, audit, new_id()))
    for name, value in update.fields.items():
        audit["events"].extend(_change(row, name, value, update, new_id))
    for name, value in update.rule.items():
        audit["events"].extend(
            {**event, "via": via("rule")} for event in _change(row, name, value, update, new_id)
        )
    if not audit["events"] and not keep_empty:
        return None
    row.audits.append(audit)
    touch(row, update.at)
    row.json["updated_at"] = row.metrics["updated_at"] = stamp(update.at)
    return audit


def touch(row: Row, at: int) -> None:
    """Note a change for the export alone, as the system's own upkeep does: `updated_at` stays."""
    row.json["generated_timestamp"] = at


def _audit(row: Row, update: Update, number: int) -> Record:
    system = {
        "client": update.client, "ip_address": "192.0.2.1", "location": "New York, NY, United States",
        "latitude": 40.7, "longitude": -74.0,
    }  # fmt: skip
    return {
        "id": number,
        "ticket_id": row.id,
        "created_at": stamp(update.at),
        "author_id": update.author,
        "via": via(update.channel),
        "metadata": {
            "system": {} if update.author == SYSTEM else system,
            "custom": dict(update.mark),
            **({"flags": list(update.flags)} if update.flags else {}),
        },
        "events": [],
    }


def _say(row: Row, said: Said, at: int, audit: Record, number: int) -> Record:
    comment = {
        "id": number, "type": "Comment", "author_id": said.author, "body": said.body,
        "html_body": said.html or markup(said.body), "plain_body": said.body, "public": said.public,
        "attachments": [], "audit_id": audit["id"],
    }  # fmt: skip
    channel = via("rule") if said.automatic else audit["via"]
    row.comments.append({**comment, "via": channel, "created_at": stamp(at), "metadata": audit["metadata"]})
    row.public = said.public
    row.json["is_public"] = row.json["is_public"] or said.public
    row.metrics["latest_comment_added_at"] = stamp(at)
    if said.public and said.staff and len(row.comments) > 1:
        row.metrics["replies"] += 1
        if row.metrics["replies"] == 1:
            minutes = (at - instant(row.json["created_at"])) // 60
            row.metrics["reply_time_in_minutes"] = {"calendar": minutes, "business": minutes}
    return {**comment, "via": channel} if said.automatic else comment


def _change(row: Row, name: str | int, value: Any, update: Update, new_id: Callable[[], int]) -> list[Record]:
    before = value_of(row, name)
    if before == value:
        return []
    put_value(row, name, value)
    _count(row, name, before, value, update.at)
    event = {"id": new_id(), "type": "Create", "value": as_text(value), "field_name": str(name)}
    if not update.create:
        event |= {"type": "Change", "previous_value": as_text(before)}
    return [event]


def _count(row: Row, name: str | int, before: Any, after: Any, at: int) -> None:
    metrics, now = row.metrics, stamp(at)
    if name == "group_id" and after is not None:
        metrics["group_stations"] += 1
    elif name == "assignee_id":
        metrics["assignee_updated_at"] = now
        if after is not None:
            metrics["assignee_stations"] += 1
            metrics["assigned_at"] = now
            metrics["initially_assigned_at"] = metrics["initially_assigned_at"] or now
    elif name == "status":
        metrics["status_updated_at"] = metrics["custom_status_updated_at"] = now
        metrics["solved_at"] = (metrics["solved_at"] or now) if after in CLOSED else None
        if before in CLOSED and after not in CLOSED:
            metrics["reopens"] += 1


def as_text(value: Any) -> Any:
    """Audit values are text, even of numbers; lists stay lists and nothing stays null."""
    if value is None or isinstance(value, list):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


class Directory:
    """Users, groups, organizations, fields, SLA policies and schedules, by id."""

    def __init__(self, now: Callable[[], int], new_id: Callable[[], int]) -> None:
        self.now = now
        self.new_id = new_id
        self.users: dict[int, Record] = {}
        self.groups: dict[int, Record] = {}
        self.memberships: dict[int, Record] = {}
        self.organizations: dict[int, Record] = {}
        self.ticket_fields: dict[int, Record] = {}
        self.custom_statuses: dict[int, Record] = {}
        self.sla_policies: dict[int, Record] = {}
        self.schedules: dict[int, Record] = {}
        self.business_rules: dict[str, dict[int, Record]] = {"automations": {}, "triggers": {}}

    def add_groups(self, rows: Rows) -> list[int]:
        """Each row needs a `name`; other keys overwrite the blank record's."""
        return add(self.groups, rows, self.new_id, lambda number, row: group(number, self.now(), row["name"]))

    def add_business_rules(self, kind: str, rows: Rows) -> list[int]:
        """Automations or triggers, as the API shows them. They are shown, and not carried out."""
        blank: Record = {"active": True, "conditions": {"all": [], "any": []}, "actions": [], "position": 1}
        return add(self.business_rules[kind], rows, self.new_id, lambda number, _: {"id": number, **blank})

    def add_organizations(self, rows: Rows) -> list[int]:
        """Each row needs a `name`."""
        return add(
            self.organizations,
            rows,
            self.new_id,
            lambda number, row: organization(number, self.now(), row["name"]),
        )

    def add_users(self, rows: Rows) -> list[int]:
        """Each row needs a `name`; `organization` is a ref; without `role` it is an end user. Agents may say `groups`:
        refs, the first of which is the default group."""

        def blank(number: int, row: Mapping[str, Any]) -> Record:
            made = user(number, self.now(), row["name"], row.get("email"), row.get("role", "end-user"))
            if "organization" in row:
                made["organization_id"] = self.organization(row["organization"])["id"]
            return made

        numbers = []
        for row in rows:
            (number,) = add(self.users, [row], self.new_id, blank, "organization", "groups")
            for team in row.get("groups", ()):
                self.join(number, team)
            numbers.append(number)
        return numbers

    def add_custom_statuses(self, rows: Rows) -> list[int]:
        """Each row needs an `agent_label` and a `status_category`."""

        def blank(number: int, row: Mapping[str, Any]) -> Record:
            return custom_status(number, self.now(), row["status_category"], row["agent_label"])

        return add(self.custom_statuses, rows, self.new_id, blank)

    def add_ticket_fields(self, rows: Rows) -> list[int]:
        """Each row needs a `title` and a `type` (text, tagger, checkbox, integer, ...); drop-downs may have
        `custom_field_options`, the system's own `system_field_options`, of name and value."""

        def blank(number: int, row: Mapping[str, Any]) -> Record:
            return ticket_field(number, self.now(), row["type"], row["title"])

        return add(self.ticket_fields, rows, self.new_id, blank)

    def add_sla_policies(self, rows: Rows) -> list[int]:
        """Each row needs a `title` and `policy_metrics`: priority, metric, target in minutes."""

        def blank(number: int, _: Mapping[str, Any]) -> Record:
            empty = {"description": "", "filter": {"all": [], "any": []}, "metric_settings": {}}
            return empty | {"id": number, "position": len(self.sla_policies) + 1}

        return add(self.sla_policies, rows, self.new_id, blank)

    def add_schedules(self, rows: Rows) -> list[int]:
        """Each row needs `name`, `time_zone` and `intervals` (minutes since Sunday 00:00)."""
        return add(self.schedules, rows, self.new_id, lambda number, _: {"id": number})

    def join(self, person: Ref, team: Ref) -> None:
        """Make an agent a member of a group; the first group is the default one."""
        who, where = self.user(person), self.group(team)
        default = who["default_group_id"] is None
        row = membership(self.new_id(), self.now(), who["id"], where["id"], default)
        self.memberships[row["id"]] = row
        if default:
            who["default_group_id"] = where["id"]

    def user(self, ref: Ref) -> Record:
        """The user of that id, address or name; KeyError if there is none, as below."""
        return find(self.users, ref, "user", lambda row: (row["email"], row["name"]))

    def group(self, ref: Ref) -> Record:
        """The group of that id or name."""
        return find(self.groups, ref, "group", lambda row: (row["name"],))

    def custom_status(self, ref: Ref) -> Record:
        """The account's own status of that id or label."""
        return find(self.custom_statuses, ref, "custom status", lambda row: (row["agent_label"],))

    def organization(self, ref: Ref) -> Record:
        """The organization of that id or name."""
        return find(self.organizations, ref, "organization", lambda row: (row["name"],))

    def is_member(self, person: int, team: int) -> bool:
        """Whether the agent belongs to the group."""
        return any(row["user_id"] == person and row["group_id"] == team for row in self.memberships.values())

    def is_staff(self, person: int) -> bool:
        """Whether this id is an agent or admin."""
        return person in self.users and self.users[person]["role"] in ("agent", "admin")


Gate = Literal["open", "forbidden", "missing"]

# Requests and seconds. Vendor sheet 3.3 and 3.4: Suite Enterprise, PUT ticket, one user on one ticket.
LIMITS: Mapping[str, tuple[int, int]] = {
    "account": (700, 60), "tickets-index": (100, 60), "tickets-update": (100, 60),
    "per-ticket-updates": (30, 600), "incremental-exports": (10, 60), "search-export": (100, 60),
    "webhooks": (100, 60), "webhooks-test": (20, 60),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How this account behaves where Zendesk accounts differ or the sheet is unsure. Spans are seconds."""

    # Plans and rights
    slas: Gate = "open"
    schedules: Gate = "open"
    invocations: Gate = "open"  # what became of a webhook's deliveries
    delivery_words: tuple[str, str] = (
        "success",
        "failed",
    )  # what the account calls those that arrived and did not
    search_export: Gate = "open"
    admin_only_export: bool = True
    custom_statuses: Gate = "open"
    error_objects: bool = False  # 403 with an object under `error` instead of a text
    empty_404: bool = False

    # Reading
    audits_newest_first: bool = False  # the order of audits when the caller asks for none
    audits_sortable: bool = True  # whether sort=-created_at and sort_order=desc are honoured on audits
    empty_last_page: bool = True  # a full last page says has_more and an empty one follows
    search_lag: int = 0  # how old a ticket is before search finds it
    sla_lag: int = 0  # how long targets read null after an update
    export_lag: int = 60
    export_repeats: bool = False  # each page begins with the last row of the page before it
    export_null_cursor: bool = False  # an empty page gives no cursor
    recent_start: Literal["refuse", "empty"] = "refuse"  # start_time inside the export lag

    hidden_keys: tuple[str, ...] = ()  # keys of a ticket that this account does not show
    # Where a conversation stands: in the ChatStartedEvent with author and time, without them, or elsewhere
    chat_history: Literal["told", "unsigned", "absent"] = "told"
    chat_transcript: bool = False  # when a chat has ended its whole text comes as one more public comment

    # Writing
    dropped_keys: tuple[str, ...] = ()  # keys of a PUT that are taken without a word and not carried out
    dropped_are_warned_of: bool = False  # X-Zendesk-API-Warn names them
    group_alone: Literal["clear_if_not_member", "clear", "keep"] = "clear_if_not_member"
    assigning_opens: bool = True  # a new ticket that gets an assignee becomes open
    keeps_metadata: bool = True  # metadata comes back as audit.metadata.custom
    tag_verbs_on_put: bool = False  # additional_tags and remove_tags work on a single PUT
    tagger_tags: bool = True  # the value of a drop-down field is also a tag
    empty_update_makes_audit: bool = False
    conflict_error: str = "UpdateConflict"  # the word for a stale stamp
    closed_under: Literal["status", "base"] = "status"  # where a closed ticket's refusal sits

    # Limits
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by name, over LIMITS
    says_retry_after: bool = True
    limit_headers: Literal["ratelimit", "rate-limit"] = "ratelimit"

    # Access
    token_life: int = 1800
    refresh_tokens: bool = True
