"""A record as a Ticket. States and priorities that a customer may add are passed on, never an error."""

from collections.abc import Mapping

from adapters.servicenow.people import PERSON, group, person, requester_column
from adapters.servicenow.priority import common
from adapters.servicenow.profile import Profile
from adapters.servicenow.rows import Row, instant, label, needed, raw, text, truth
from adapters.servicenow.tags import column, tags
from adapters.vip import with_vip
from policies.model import Instant, Status, Ticket, TicketRef, Value

PLAIN = (
    "sys_id", "number", "sys_class_name", "short_description", "description", "state", "hold_reason", "active",
    "impact", "urgency", "priority", "contact_type", "assignment_group", "assigned_to", "assigned_to.email",
    "opened_by", "sys_created_on", "sys_created_by", "sys_updated_on", "sys_mod_count",
)  # fmt: skip
OVER = frozenset({Status.SOLVED, Status.CLOSED})


def columns(profile: Profile) -> tuple[str, ...]:
    """What is read of each record. Columns that a table lacks are left out of the answer without a word."""
    walked = [f"{name}.{part}" for name in profile.table.requesters for part in PERSON]
    more = [profile.table.organization, column(profile), *profile.fields.values()]
    return tuple(dict.fromkeys([*PLAIN, *profile.table.requesters, *walked, *more]))


def ticket(profile: Profile, row: Row, *, read_at: Instant) -> Ticket:
    """The record as a ticket without history. AccessLost where a column is hidden that nothing works without."""
    key = needed(row, "sys_id")
    created = instant(row, "sys_created_on") or 0
    requester = requester_column(profile, row)
    made = Ticket(
        ref=TicketRef(profile.account.name, key),
        link=f"{profile.base}/{profile.name}.do?sys_id={key}",
        subject=text(row, "short_description"),
        description=text(row, "description"),
        status=status(profile, text(row, "state"), text(row, "hold_reason"), active=truth(row, "active")),
        status_name=label(row, "state"),
        priority=common(text(row, "priority")),
        type=text(row, "sys_class_name") or profile.name,
        channel=text(row, "contact_type") or None,
        tags=tags(profile, row),
        group=group(row, "assignment_group"),
        assignee=person(row, "assigned_to"),
        requester=person(row, requester) if requester else None,
        organization=label(row, profile.table.organization) or None,
        created=created,
        updated=instant(row, "sys_updated_on") or created,
        read_at=read_at,
        revision=needed(row, "sys_mod_count"),
        custom=custom(profile, row),
    )
    return with_vip(made, profile.account)


def status(profile: Profile, state: str, hold_reason: str, *, active: bool | None) -> Status:
    """The common status. A state of the customer's own is closed if the record is not active, else open."""
    known = profile.states.get(state)
    if known is None:
        return Status.CLOSED if active is False else Status.OPEN
    waits = known is Status.ON_HOLD and hold_reason != "" and hold_reason == profile.table.waiting
    return Status.PENDING if waits else known


def custom(profile: Profile, row: Row) -> Mapping[str, Value]:
    """The mapped columns that hold something, as ServiceNow stores it: text, also for numbers and references."""
    held = {name: raw(row, key) for name, key in profile.fields.items()}
    return {name: value for name, value in held.items() if value}


def values(profile: Profile, row: Row) -> dict[str, Value]:
    """What actions can change, by common name."""
    return {
        "priority": common(text(row, "priority")),
        "group": text(row, "assignment_group") or None,
        "assignee": text(row, "assigned_to") or None,
        "tags": tuple(sorted(tags(profile, row))),
        **{f"custom.{name}": text(row, key) or None for name, key in profile.fields.items()},
    }


def common_names(profile: Profile) -> Mapping[str, str]:
    """The common name of what each column holds."""
    own = {key: f"custom.{name}" for name, key in profile.fields.items()}
    named = {"priority": "priority", "assignment_group": "group", "assigned_to": "assignee"}
    return own | named | {column(profile): "tags"}
