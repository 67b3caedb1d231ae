"""A ticket row as a Ticket. Numbers that Freshdesk may add one day are passed on, never an error.

https://developers.freshdesk.com/api/#tickets
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from adapters.base import Account
from adapters.freshdesk.form import STATUS_NAMES, Form
from adapters.freshdesk.people import Cast, ident
from adapters.freshdesk.session import Row
from adapters.vip import with_vip
from policies.model import Instant, Metric, Priority, Stage, Status, Target, Ticket, TicketRef, Value

STATUSES = {2: Status.OPEN, 3: Status.PENDING, 4: Status.SOLVED, 5: Status.CLOSED}
WAITING = {6: Status.PENDING, 7: Status.ON_HOLD}
"""Numbers with a meaning as long as they keep their first name."""

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
OVER = frozenset({Status.SOLVED, Status.CLOSED})
RESTING = frozenset({Status.PENDING, Status.ON_HOLD})
UNSETTLED = 10
"""How many seconds after an update deadlines may still be those from before it. Freshdesk says "a few"."""

WATCHED = ("status", "priority", "type", "group_id", "responder_id")
STATS = ("status_updated_at", "requester_responded_at", "agent_responded_at")


def instant(text: Any) -> Instant | None:
    """`2026-11-25T10:00:00Z`, or with an offset, to the second; without one it is UTC. None if unreadable."""
    try:
        read = datetime.fromisoformat(text)
        return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None


def number(value: Any) -> int | None:
    """A code such as a status, None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def ticket(row: Row, cast: Cast, *, read_at: Instant, gone: Any = None) -> Ticket:
    """The row as a ticket without history."""
    account, key = cast.account, str(row["id"])
    asked = cast.asked(row.get("requester_id"))
    state = status(row.get("status"), cast.form)
    created = instant(row.get("created_at")) or 0
    made = Ticket(
        ref=TicketRef(account.name, key),
        link=f"{account.url.rstrip('/')}/a/tickets/{key}",
        subject=row.get("subject") or "",
        description=row.get("description_text") or "",
        status=state,
        status_name=status_name(row.get("status"), cast.form),
        priority=PRIORITIES.get(number(row.get("priority")) or 0),
        type=row.get("type") or None,
        channel=channel(row.get("source"), cast.form),
        tags=frozenset(tags(row)),
        group=cast.group(row.get("group_id")),
        assignee=cast.agent(row.get("responder_id")),
        requester=asked.person,
        organization=organization(row),
        language=asked.language,
        created=created,
        updated=instant(row.get("updated_at")) or created,
        read_at=read_at,
        revision=revision(row),
        status_since=instant(stats(row).get("status_updated_at")),
        custom=custom(account, row),
        targets=tuple(targets(row, state, read_at)),
        gone=gone,
        partial=not asked.known or cast.lacks(row),
    )
    return with_vip(made, account)


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


def status(value: Any, form: Form) -> Status:
    """The common status. A custom one counts as open, and so do 6 and 7 under another name."""
    code = number(value) or 0
    if code in WAITING and form.status_name(code).casefold() == STATUS_NAMES[code].casefold():
        return WAITING[code]
    return STATUSES.get(code, Status.OPEN)


def status_name(value: Any, form: Form) -> str:
    """What agents call the status; empty where the row has none."""
    code = number(value)
    return "" if code is None else form.status_name(code)


def channel(value: Any, form: Form) -> str | None:
    """How the ticket came in; a source of the account's own is called by its label."""
    code = number(value)
    if code is None:
        return None
    return CHANNELS.get(code) or form.sources.get(code) or f"source_{code}"


def organization(row: Row) -> str | None:
    """The ticket's company by name, where the row has it with it, else its id."""
    embedded = row.get("company")
    name = embedded.get("name") if isinstance(embedded, dict) else None
    return str(name) if name else ident(row.get("company_id"))


def tags(row: Row) -> list[str]:
    """The row's tags as they are spelled; none where the row leaves them out."""
    return [str(tag) for tag in row.get("tags") or ()]


def stats(row: Row) -> Mapping[str, Any]:
    """When what last happened, from `include=stats`; empty where it was not asked for."""
    found = row.get("stats")
    return found if isinstance(found, dict) else {}


def custom_fields(row: Row) -> Mapping[str, Any]:
    """The custom fields by Freshdesk's names."""
    found = row.get("custom_fields")
    return found if isinstance(found, dict) else {}


def field_names(account: Account) -> Mapping[str, str]:
    """Freshdesk's names of custom fields by the name policies use after `custom.`."""
    return {name.removeprefix("custom."): key for name, key in account.fields.items()}


def custom(account: Account, row: Row) -> Mapping[str, Value]:
    """The mapped custom fields that hold something."""
    held = custom_fields(row)
    found = {name: plain(held.get(key)) for name, key in field_names(account).items()}
    return {name: value for name, value in found.items() if value is not None}


def plain(raw: Any) -> Value:
    """A custom field's value; an empty text or list is none."""
    if isinstance(raw, list):
        return tuple(str(each) for each in raw) or None
    return raw if isinstance(raw, str | int | float) and raw != "" else None


def values(account: Account, row: Row) -> Mapping[str, Value]:
    """What the fields that can be written hold, under their common names and as common values."""
    held = {
        "priority": PRIORITIES.get(number(row.get("priority")) or 0),
        "group": ident(row.get("group_id")),
        "assignee": ident(row.get("responder_id")),
        "tags": tuple(sorted(tags(row))),
    }
    mine = custom(account, row)
    return held | {f"custom.{name}": mine.get(name) for name in field_names(account)}


def targets(row: Row, state: Status, read_at: Instant) -> Iterator[Target]:
    """Freshdesk's deadlines. It never tells when one began, and a null is "not known yet".

    The next response has no documented place; where there is none, there is no such target.
    """
    told, over = stats(row), state in OVER
    if "fr_due_by" in row:
        replied = bool(told.get("first_responded_at"))
        yield target(Metric.FIRST_REPLY, row, "fr_due_by", stage(state, read_at, row, done=replied or over))
    if row.get("nr_due_by"):
        asked = instant(told.get("requester_responded_at")) or 0
        replied = asked < (instant(told.get("agent_responded_at")) or 0)
        yield target(Metric.NEXT_REPLY, row, "nr_due_by", stage(state, read_at, row, done=replied or over))
    if "due_by" in row:
        yield target(Metric.RESOLUTION, row, "due_by", stage(state, read_at, row, done=over))


def stage(state: Status, read_at: Instant, row: Row, *, done: bool) -> Stage:
    """Where a deadline stands. What rests while the ticket waits, Freshdesk does not say: all does."""
    if done:
        return Stage.ACHIEVED
    if read_at and read_at - (instant(row.get("updated_at")) or 0) < UNSETTLED:
        return Stage.UNKNOWN
    return Stage.PAUSED if state in RESTING else Stage.ACTIVE


def target(metric: Metric, row: Row, name: str, at: Stage) -> Target:
    """One deadline; active without an instant is not something to count on."""
    due = instant(row.get(name))
    return Target(metric=metric, stage=Stage.UNKNOWN if at is Stage.ACTIVE and due is None else at, due=due)
