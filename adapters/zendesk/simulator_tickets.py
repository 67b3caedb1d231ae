"""One ticket of the simulated account and how it changes: every change leaves an audit.

A custom field is named by its id as an int where a change names it; every other field by its JSON key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.zendesk.simulator_records import (
    SYSTEM,
    Record,
    instant,
    markup,
    metric_set,
    stamp,
    ticket,
    via,
)

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
        "client": update.client,
        "ip_address": "192.0.2.1",
        "location": "New York, NY, United States",
        "latitude": 40.7,
        "longitude": -74.0,
    }
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
        "id": number,
        "type": "Comment",
        "author_id": said.author,
        "body": said.body,
        "html_body": said.html or markup(said.body),
        "plain_body": said.body,
        "public": said.public,
        "attachments": [],
        "audit_id": audit["id"],
    }
    channel = via("rule") if said.automatic else audit["via"]
    row.comments.append({**comment, "via": channel, "created_at": stamp(at), "metadata": audit["metadata"]})
    row.public = said.public
    row.json["is_public"] = row.json["is_public"] or said.public
    row.metrics["latest_comment_added_at"] = stamp(at)
    if said.public and said.staff and len(row.comments) > 1:
        _count_reply(row, at)
    return {**comment, "via": channel} if said.automatic else comment


def _count_reply(row: Row, at: int) -> None:
    row.metrics["replies"] += 1
    if row.metrics["replies"] == 1:
        minutes = (at - instant(row.json["created_at"])) // 60
        row.metrics["reply_time_in_minutes"] = {"calendar": minutes, "business": minutes}


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
