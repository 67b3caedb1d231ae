"""A ticket row as a Ticket. What a row leaves out is hidden, not empty; numbers that Freshdesk may add one day are
passed on; a value of another type than Freshdesk documents makes the row unreadable.

https://developers.freshdesk.com/api/#tickets

Freshdesk wraps what it is given and may clean it, so a text is compared without its white space, and the mark,
a comment in the HTML, may be gone. https://developers.freshdesk.com/api/#add_note_to_a_ticket
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from adapters.base import Account, with_vip
from adapters.freshdesk.client import Row
from adapters.freshdesk.form import Meaning
from adapters.freshdesk.people import References, ident
from policies.model import Instant, Metric, Priority, Seconds, Stage, Status, Target, Ticket, TicketRef, Value

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
MARK = re.compile(r"<!--\s*uptier:([0-9a-f]+)\s*-->")
BREAK = re.compile(r"<br ?/?>|</(?:p|div|li)>", re.IGNORECASE)
ELEMENT = re.compile(r"<[^>]*>")
SPACE = re.compile(r"\s+")


def markup(text: str) -> str:
    """The text as HTML. Nothing in it is taken for an element."""
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def marked(text: str, key: str) -> str:
    """The text as HTML with a write's key in a comment, which no reader of the note sees."""
    return f"{markup(text)}<!-- uptier:{key.encode().hex()} -->"


def mark(body: Any) -> str | None:
    """The key of our write in a note's HTML, if it is there and was left whole."""
    found = MARK.search(body) if isinstance(body, str) else None
    try:
        return bytes.fromhex(found[1]).decode() if found else None
    except ValueError:
        return None


def plain(body: Any, text: Any) -> str:
    """What a message says: Freshdesk's own plain text of it, else its HTML without elements."""
    if isinstance(text, str) and text.strip():
        return text.strip()
    bare = ELEMENT.sub("", BREAK.sub("\n", COMMENT.sub("", body if isinstance(body, str) else "")))
    return html.unescape(bare).strip()


def same(left: str, right: str) -> bool:
    """Whether two texts say the same, however they are broken into lines."""
    return SPACE.sub("", left) == SPACE.sub("", right)


PRIORITIES = {1: Priority.LOW, 2: Priority.NORMAL, 3: Priority.HIGH, 4: Priority.URGENT}
CHANNELS = {
    1: "email",
    2: "portal",
    3: "phone",
    4: "forum",
    5: "twitter",
    6: "facebook",
    7: "chat",
    8: "mobihelp",
    9: "feedback_widget",
    10: "outbound_email",
    11: "ecommerce",
}
OUTBOUND = 10  # a ticket's source: an agent wrote first, to the requester
OVER = frozenset({Status.SOLVED, Status.CLOSED})
RESTING = frozenset({Status.PENDING, Status.ON_HOLD})
UNSETTLED = 10
"""How many seconds after an update deadlines may still be those from before it. Freshdesk says "a few"."""

BEFORE_ALL: Instant = 946_684_800
"""2000: before any ticket. A stamp before it is none."""

AHEAD: Seconds = 86_400
"""How far a stamp may lie ahead of Freshdesk's own time before it is none."""

WATCHED = ("status", "priority", "type", "group_id", "responder_id")
STATS = ("status_updated_at", "requester_responded_at", "agent_responded_at")

WHO_ASKED = (
    "requester", "requester.name", "requester.address", "requester.organization", "requester.tags", "requester.vip",
    "language",
)  # fmt: skip
SHOWN_BY: Mapping[str, tuple[str, ...]] = {
    "subject": ("subject",),
    "priority": ("priority",),
    "type": ("type",),
    "source": ("channel",),
    "tags": ("tags",),
    "group_id": ("group",),
    "responder_id": ("assignee",),
    "requester_id": WHO_ASKED,
}
"""The common fields by the key that shows them. Blank ones are there as null, so one that is missing is not told."""


class Odd(ValueError):
    """A value of another type than Freshdesk documents. The text names the key and never the value."""

    def __init__(self, name: str, value: Any) -> None:
        kinds = {type(None): "null", bool: "a yes or no", str: "a text", list: "a list", dict: "an object"}
        super().__init__(f"`{name}` is {kinds.get(type(value), 'a number')}")


def instant(text: Any) -> Instant | None:
    """`2026-11-25T10:00:00Z`, or with an offset, to the second; without one it is UTC. None if unreadable."""
    try:
        read = datetime.fromisoformat(text)
        at = int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
    return at if at >= BEFORE_ALL else None


def number(value: Any) -> int | None:
    """A code such as a status, None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def code(row: Row, name: str) -> int | None:
    """A number of the row, None where it is null or missing. Raises Odd."""
    value = row.get(name)
    if value is not None and number(value) is None:
        raise Odd(name, value)
    return number(value)


def words(row: Row, name: str) -> str:
    """A text of the row, empty where it is null or missing. Raises Odd."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise Odd(name, value)
    return value or ""


def key(row: Row, name: str) -> str | None:
    """An id of the row, None where it is null or missing. Raises Odd."""
    value = row.get(name)
    found = ident(value)
    if (found is None) is not (value is None or value == ""):
        raise Odd(name, value)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """When somebody outside first and last asked in a conversation, and when an agent last answered; None for never.

    `stats` tell it less well: a rating moves `requester_responded_at`, and an agent's answer on a ticket that an agent
    began does not always move `agent_responded_at`. (airbytehq/airbyte:
    source-freshdesk/integration_tests/expected_records.jsonl, ticket 23)
    """

    first: Instant | None
    last: Instant | None
    answered: Instant | None


def read_ticket(
    row: Row, references: References, *, read_at: Instant, gone: Any = None, said: Exchange | None = None
) -> Ticket:
    """The row as a ticket without history. Raises Odd. `said` is what the conversations tell, None where they were not
    read."""
    account, form, ident_ = references.account, references.form, key(row, "id")
    if ident_ is None:
        raise Odd("id", row.get("id"))
    updated = updated_at(row, read_at)
    created = instant(row.get("created_at"))
    if created is not None and BEFORE_ALL < read_at < created - AHEAD:
        created = None
    asked = references.asked(key(row, "requester_id"))
    state, status, source = meaning(row, references), code(row, "status"), code(row, "source")
    custom, untold = read_custom_fields(account, row)
    channel = None
    if source is not None:  # one of the account's own is called by its label
        channel = CHANNELS.get(source) or form.sources.get(source) or f"source_{source}"
    made = Ticket(
        ref=TicketRef(account.name, ident_),
        link=f"{account.url.rstrip('/')}/a/tickets/{ident_}",
        subject=words(row, "subject"),
        description=plain(row.get("description"), row.get("description_text")),
        status=state.status,
        status_name="" if status is None else form.status_name(status),
        priority=PRIORITIES.get(code(row, "priority") or 0),
        type=words(row, "type") or None,
        channel=channel,
        tags=frozenset(tags(row)),
        group=references.group(key(row, "group_id"))[0],
        assignee=references.agent(key(row, "responder_id"))[0],
        requester=asked.person,
        organization=read_organization(row)[0],
        language=asked.language,
        created=updated if created is None else created,
        updated=updated,
        read_at=read_at,
        revision=revision(row),
        status_since=instant(stats(row).get("status_updated_at")),
        custom=custom,
        targets=tuple(read_targets(row, state, references, read_at, said)),
        gone=gone,
        hidden=untold.union(find_hidden(row, references, state), () if created else ("created",)),
        actors_hidden=True,
    )
    return with_vip(made, account)


def updated_at(row: Row, read_at: Instant) -> Instant:
    """The second of the last update. Raises Odd: without it, or with one in the future, no feed could go on."""
    at = instant(row.get("updated_at"))
    if at is None:
        raise ValueError("`updated_at` is no time")
    if BEFORE_ALL < read_at < at - AHEAD:
        raise ValueError("`updated_at` lies in the future")
    return at


def find_hidden(row: Row, references: References, state: Meaning) -> Iterator[str]:
    """What this row does not tell, by common names; custom fields and when it was made are told elsewhere."""
    for name, fields in SHOWN_BY.items():
        if name not in row:
            yield from fields
    untold = {
        ("status",): state.how == "unknown",
        ("status_name",): state.how == "unknown" and code(row, "status") is None,
        ("priority",): row.get("priority") is not None and row["priority"] not in PRIORITIES,
        ("description", "phrases"): "description" not in row and "description_text" not in row,
        WHO_ASKED: not references.asked(row.get("requester_id")).known,
        ("group",): not references.group(row.get("group_id"))[1],
        ("assignee",): not references.agent(row.get("responder_id"))[1],
        ("organization",): not read_organization(row)[1],
        ("targets",): "due_by" not in row and "fr_due_by" not in row,
    }
    yield from (name for names, is_untold in untold.items() if is_untold for name in names)


def revision(row: Row) -> str:
    """The second of the last update, and a digest of what it left: a second may hold two updates.

    Deadlines are no part of it; Freshdesk works them out again by itself.
    """
    seen = {name: row.get(name) for name in WATCHED}
    seen |= {name: stats(row).get(name) for name in STATS}
    seen["tags"] = sorted(tags(row))
    seen["custom"] = {name: held for name, held in custom_fields(row).items() if held is not None}
    digest = sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()
    return f"{instant(row.get('updated_at')) or 0}.{digest[:12]}"


def updated_in(text: str) -> Instant:
    """The second that a revision names; 0 for what is none."""
    second = text.partition(".")[0]
    return int(second) if second.isascii() and second.isdigit() else 0


def meaning(row: Row, references: References) -> Meaning:
    """What the row's status counts as. Raises Odd. One that no form ever named is unknown."""
    found = code(row, "status")
    if found is None:
        return Meaning(status=Status.OPEN, how="unknown")
    return references.form.meaning(references.account, found)


def read_organization(row: Row) -> tuple[str | None, bool]:
    """The ticket's company by name, where the row has it with it, else its id; and whether that is known. Accounts that
    have none leave the id out."""
    embedded, key_ = row.get("company"), row.get("company_id")
    if isinstance(embedded, dict):
        name = embedded.get("name")
        return str(name) if name else ident(key_), isinstance(name, str) or key_ is None
    return ident(key_), "company_id" in row and key_ is None


def tags(row: Row) -> list[str]:
    """The row's tags as they are spelled; none where they are null or left out. Raises Odd."""
    found = row.get("tags")
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        raise Odd("tags", found)
    return found


def stats(row: Row) -> Mapping[str, Any]:
    """When what last happened, from `include=stats`; empty where it was not asked for."""
    found = row.get("stats")
    return found if isinstance(found, dict) else {}


def custom_fields(row: Row) -> Mapping[str, Any]:
    """The custom fields by Freshdesk's names; none where they are null or left out. Raises Odd."""
    found = row.get("custom_fields")
    if found is not None and not isinstance(found, dict):
        raise Odd("custom_fields", found)
    return found or {}


def read_custom_fields(account: Account, row: Row) -> tuple[dict[str, Value], frozenset[str]]:
    """The mapped custom fields that hold something, and those that the row does not have or whose value is of no kind
    that is known here. Freshdesk shows an empty field as null."""
    held, untold = custom_fields(row), set()
    found: dict[str, Value] = {}
    for name, theirs in account.custom_fields().items():
        value = value_of(held.get(theirs))
        if value is not None:
            found[name] = value
        elif theirs not in held or held[theirs] not in (None, "", []):
            untold.add(f"custom.{name}")
    return found, frozenset(untold)


def value_of(raw: Any) -> Value:
    """A custom field's value; an empty text or list is none."""
    if isinstance(raw, list):
        plain_ones = all(isinstance(each, str | int | float) for each in raw)
        return (tuple(str(each) for each in raw) or None) if plain_ones else None
    return raw if isinstance(raw, str | int | float) and raw != "" else None


def values(account: Account, row: Row) -> Mapping[str, Value]:
    """What the fields that can be written hold, under their common names and as common values."""
    held = {
        "priority": PRIORITIES.get(number(row.get("priority")) or 0),
        "group": ident(row.get("group_id")),
        "assignee": ident(row.get("responder_id")),
        "tags": tuple(sorted(tags(row))),
    }
    mine, _ = read_custom_fields(account, row)
    return held | {f"custom.{name}": mine.get(name) for name in account.custom_fields()}


def read_targets(
    row: Row, state: Meaning, references: References, read_at: Instant, said: Exchange | None
) -> Iterator[Target]:
    """Freshdesk's deadlines. It never tells when one began, and a null is "not known yet"; so is what depends on a
    stamp that the row leaves out. They rest as the status' SLA timer says, else while the ticket waits for somebody
    else; active without an instant is not something to count on.

    The next response has no documented place; where there is none, there is no such target. A ticket that an agent
    began has a first response as well, from its creation on, though nobody waits for one: it is a target once the
    customer has written, and counts from there.
    """
    told, created = stats(row), instant(row.get("created_at"))
    stops = references.form.timers.get(number(row.get("status")) or 0)
    resting = Stage.PAUSED if (state.status in RESTING if stops is None else stops) else Stage.ACTIVE
    if read_at and read_at - (instant(row.get("updated_at")) or 0) < UNSETTLED:
        resting = Stage.UNKNOWN

    def target(metric: Metric, due: Instant | None, *stamps: str, done: bool = False) -> Target:
        stage = Stage.ACHIEVED if done or state.status in OVER else resting
        if state.how == "unknown" or not all(is_told(told, name) for name in stamps):
            stage = Stage.UNKNOWN
        if stage is Stage.ACTIVE and due is None:
            stage = Stage.UNKNOWN
        return Target(metric=metric, stage=stage, due=due)

    outbound = number(row.get("source")) == OUTBOUND
    asked, both = (
        instant(told.get("requester_responded_at")),
        ("agent_responded_at", "requester_responded_at"),
    )
    first = asked
    answered = instant(told.get("agent_responded_at")) or 0
    if said is not None:
        first, asked, answered = said.first, said.last, max(answered, said.answered or 0)
    due = instant(row.get("fr_due_by"))
    if "fr_due_by" in row and not outbound:
        done = bool(told.get("first_responded_at"))
        yield target(Metric.FIRST_REPLY, due, "first_responded_at", done=done)
    elif "fr_due_by" in row and first is not None:
        later = None if due is None or created is None else first + max(0, due - created)
        yield target(Metric.FIRST_REPLY, later, *both, done=first < answered)
    if row.get("nr_due_by"):
        done = (asked or 0) < answered
        yield target(Metric.NEXT_REPLY, instant(row["nr_due_by"]), *both, done=done)
    if "due_by" in row:
        yield target(Metric.RESOLUTION, instant(row["due_by"]))


def is_told(told: Mapping[str, Any], name: str) -> bool:
    """Whether a stamp is there: a time, or null for "never yet"."""
    return name in told and (told[name] is None or instant(told[name]) is not None)
