"""One ticket of the simulated account and how it changes. No history is kept, as with Freshdesk.

A custom field is named `cf_...` where a change names it; every other field by its JSON key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adapters.freshdesk.simulator_records import Record, conversation, stamp, stats, ticket

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
        _note_response(row, staff=said.staff, at=at)
    return made


def _note_response(row: Row, *, staff: bool, at: int) -> None:
    row.stats["agent_responded_at" if staff else "requester_responded_at"] = stamp(at)
    if staff:
        row.stats["first_responded_at"] = row.stats["first_responded_at"] or stamp(at)


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
