"""A record as a Ticket, with its tags and SLA targets. States and priorities that a customer may add are passed
on, never an error.

The column that integrations share by custom, `correlation_display`, is ours only where it is empty or begins
with our word, and holds 100 characters. Vendor sheet 2.8 and 2.9.

`planned_end_time` is live while the target runs and stale while it rests; percentages lag behind and are not
read. Vendor sheet 2.6, https://www.servicenow.com/docs/r/it-service-management/r_TaskSLATable.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from adapters.base import with_vip
from adapters.servicenow.answers import OddValue, Row, instant, label, needed, number, raw, text, truth
from adapters.servicenow.people import group, hidden_of_requester, parts_of, person, requester_column
from adapters.servicenow.profile import LABELS, SHARED, Profile, common
from policies.model import Instant, Metric, Stage, Status, Target, Ticket, TicketRef, Value

OURS = "uptier: "
LONGEST_TAGS = 100
UNFIT = frozenset(",^\r\n\t")


def tags_column(profile: Profile) -> str:
    """The column that tags are read from; ServiceNow's own show in a computed one, as labels only."""
    return "sys_tags" if profile.tags == LABELS else profile.tags


def tags(profile: Profile, row: Row) -> frozenset[str]:
    """The tags of a record. What another integration keeps in the shared column is none."""
    held = label(row, "sys_tags") if profile.tags == LABELS else text(row, profile.tags)
    return frozenset(read_tags(profile, held))


def read_tags(profile: Profile, held: str) -> list[str]:
    """The tags in a column's text, in its order."""
    if profile.tags == SHARED:
        if not held.startswith(OURS.strip()):
            return []
        held = held.removeprefix(OURS.strip())
    return [tag for part in held.split(",") if (tag := part.strip())]


def are_foreign(profile: Profile, held: str) -> bool:
    """Whether somebody else keeps something in the shared column."""
    return profile.tags == SHARED and bool(held.strip()) and not held.startswith(OURS.strip())


def spell_tags(profile: Profile, tags: Iterable[str]) -> str:
    """The tags as a column's text; empty for none."""
    listed = ",".join(sorted(tags))
    return f"{OURS}{listed}" if listed and profile.tags == SHARED else listed


def can_keep(tag: str) -> bool:
    """Whether a tag comes back as it was written."""
    return bool(tag) and tag == tag.strip() and not UNFIT & set(tag)


def tags_fit(profile: Profile, tags: Iterable[str]) -> bool:
    """Whether so many tags find room."""
    return profile.tags != SHARED or len(spell_tags(profile, tags)) <= LONGEST_TAGS


PLAIN = (
    "sys_id", "number", "sys_class_name", "short_description", "description", "state", "hold_reason", "active",
    "impact", "urgency", "priority", "contact_type", "assignment_group", "assigned_to", "assigned_to.email",
    "opened_by", "sys_created_on", "sys_created_by", "sys_updated_on", "sys_mod_count",
)  # fmt: skip
OVER = frozenset({Status.SOLVED, Status.CLOSED})
CANCELLED = re.compile(
    r"cancel|withdrawn|abgebroch|storniert|annul|geannuleerd|cancelad|annullat", re.IGNORECASE
)
"""A state of the customer's own with such a label is over, as far as anybody can guess."""

SHOWN = {
    "short_description": ("subject", "phrases"),
    "description": ("description", "phrases"),
    "state": ("status", "status_name"),
    "priority": ("priority",),
    "sys_class_name": ("type",),
    "contact_type": ("channel",),
    "assignment_group": ("group",),
    "assigned_to": ("assignee",),
    "sys_created_on": ("created",),
    "sys_updated_on": ("updated",),
}
"""What cannot be told of a ticket without a column, by common name."""

ALWAYS_FILLED = frozenset({"state", "sys_created_on", "sys_updated_on"})
"""The platform itself fills these; where one is empty, it is hidden."""


def columns(profile: Profile) -> tuple[str, ...]:
    """What is read of each record. Columns that a table lacks are left out of the answer without a word."""
    walked = [f"{name}.{part}" for name in profile.requesters for part in parts_of(name)]
    through = [name.partition(".")[0] for name in profile.requesters]
    more = [profile.table.organization, tags_column(profile), *profile.fields.values()]
    return tuple(dict.fromkeys([*PLAIN, *through, *profile.requesters, *walked, *more]))


def read_ticket(profile: Profile, row: Row, *, read_at: Instant) -> Ticket:
    """The record as a ticket without history. OddValue where it cannot be one."""
    key = needed(row, "sys_id")
    updated = instant(row, "sys_updated_on")
    created = instant(row, "sys_created_on")
    requester = requester_column(profile, row)
    made = Ticket(
        ref=TicketRef(profile.account.name, key),
        number=text(row, "number"),
        link=f"{profile.base}/{profile.name}.do?sys_id={key}",
        subject=text(row, "short_description"),
        description=text(row, "description"),
        status=status(
            profile,
            text(row, "state"),
            text(row, "hold_reason"),
            active=truth(row, "active"),
            shown=label(row, "state"),
        ),
        status_name=label(row, "state"),
        priority=common(text(row, "priority")),
        type=text(row, "sys_class_name") or profile.name,
        channel=text(row, "contact_type") or None,
        tags=tags(profile, row),
        group=group(row, "assignment_group"),
        assignee=person(row, "assigned_to"),
        requester=person(row, requester) if requester else None,
        organization=label(row, profile.table.organization) or None,
        created=created or updated or read_at,
        updated=updated or created or read_at,
        read_at=read_at,
        revision=revision(row),
        custom={name: held for name, key in profile.fields.items() if (held := raw(row, key))},
        hidden=frozenset(hidden(profile, row)),
    )
    known = with_vip(made, profile.account)
    vip = known.requester is not None and known.requester.vip
    return replace(known, hidden=known.hidden - {"requester.vip"}) if vip else known


def revision(row: Row) -> str:
    """What a concurrent change is noticed by: the count of updates; where that is hidden, the stamp of the last one,
    which tells two updates of one second apart no more. OddValue where neither is shown."""
    held = raw(row, "sys_mod_count")
    if held is None and instant(row, "sys_updated_on") is not None:
        return text(row, "sys_updated_on")
    if number(row, "sys_mod_count") is None:
        raise OddValue(f"sys_mod_count is {held[:20]!r}, no count" if held else "sys_mod_count is not shown")
    return held or ""


def hidden(profile: Profile, row: Row) -> Iterator[str]:
    """What this row does not tell, by common name: a column that is left out is one that we may not see."""
    for name, common_words in SHOWN.items():
        held = raw(row, name)
        unread = name.startswith("sys_") and name.endswith("_on") and held and instant(row, name) is None
        if held is None or unread or (held == "" and name in ALWAYS_FILLED):
            yield from common_words
    state, reason = text(row, "state"), raw(row, "hold_reason")
    told = profile.account.counts_as(state, label(row, "state"))
    if told is None and raw(row, "active") is None and profile.states.get(state) is None:
        yield "status"
    if (
        told is None
        and profile.states.get(state) is Status.ON_HOLD
        and profile.table.waiting
        and reason is None
    ):
        yield "status"
    if text(row, "assigned_to") and raw(row, "assigned_to.email") is None:
        yield "assignee"  # policies name people by address, and whose this is cannot be told
    yield from hidden_of_requester(profile, row)
    if raw(row, profile.table.organization) is None:
        yield "organization"
    if raw(row, tags_column(profile)) is None:
        yield "tags"
    yield from (f"custom.{name}" for name, key in profile.fields.items() if raw(row, key) is None)


def status(profile: Profile, state: str, hold_reason: str, *, active: bool | None, shown: str = "") -> Status:
    """The common status. `shown` is the label of the state. A state of the customer's own is closed if its label
    says cancelled or the record is not active, else open."""
    told = profile.account.counts_as(state, shown)
    if told is not None:
        return told
    known = profile.states.get(state)
    if known is None:
        return Status.CLOSED if active is False or CANCELLED.search(shown) else Status.OPEN
    waits = known is Status.ON_HOLD and hold_reason != "" and hold_reason == profile.table.waiting
    return Status.PENDING if waits else known


def values(profile: Profile, row: Row) -> dict[str, Value]:
    """What actions can change, by common name; what the row hides is left out."""
    whole: dict[str, Value] = {
        "priority": common(text(row, "priority")),
        "group": text(row, "assignment_group") or None,
        "assignee": text(row, "assigned_to") or None,
        "tags": tuple(sorted(tags(profile, row))),
        **{f"custom.{name}": text(row, key) or None for name, key in profile.fields.items()},
    }
    unseen = frozenset(hidden(profile, row))
    return {name: value for name, value in whole.items() if name not in unseen}


def common_names(profile: Profile) -> Mapping[str, str]:
    """The common name of what each column holds."""
    own = {key: f"custom.{name}" for name, key in profile.fields.items()}
    named = {"priority": "priority", "assignment_group": "group", "assigned_to": "assignee"}
    return own | named | {tags_column(profile): "tags"}


SLA_COLUMNS = (
    "task", "stage", "active", "has_breached", "start_time", "planned_end_time", "sla.type", "sla.target",
)  # fmt: skip
NEEDED = ("stage", "start_time", "planned_end_time", "sla.target")
METRICS = {"response": Metric.FIRST_REPLY, "resolution": Metric.RESOLUTION}
STAGES = {
    "in_progress": Stage.ACTIVE,
    "breached": Stage.ACTIVE,  # the older engine's word for one that runs on
    "paused": Stage.PAUSED,
    "completed": Stage.ACHIEVED,
    "achieved": Stage.ACHIEVED,
}
ORDER = (Stage.ACTIVE, Stage.PAUSED, Stage.ACHIEVED, Stage.UNKNOWN)


def read_targets(rows: Iterable[Row]) -> tuple[Target, ...]:
    """One target a metric: what runs before what rests before what is over, and the earliest due of those. Of those
    that are over, one that was missed stays missed; one that runs without an end is not something to count on.

    Agreements within the house (OLA) and with suppliers (UC) are nobody's promise to the requester. One that does
    not say what it measures may be either of those that no other row is: they are unknown. OddValue where what a
    promise is made of is hidden, or where none says what it measures.
    """
    promised = [
        row for row in rows if text(row, "sla.type") in ("SLA", "") and text(row, "stage") != "cancelled"
    ]
    for row in promised:
        lacking = [column for column in NEEDED if raw(row, column) is None]
        if lacking:
            raise OddValue(f"{', '.join(lacking)} is not shown")
    named = [row for row in promised if text(row, "sla.target") in METRICS]
    if promised and not named:
        raise OddValue("no SLA says whether it is about the response or the resolution")
    chosen: dict[Metric, Target] = {}
    found: list[tuple[int, bool, int, int, Target]] = []
    for row in named:
        stage, missed = STAGES.get(text(row, "stage"), Stage.UNKNOWN), truth(row, "has_breached") is True
        due = None if stage is Stage.PAUSED else instant(row, "planned_end_time")
        if stage is Stage.ACTIVE and (due is None or truth(row, "active") is False):
            stage = Stage.UNKNOWN
        metric, start = METRICS[text(row, "sla.target")], instant(row, "start_time")
        made = Target(metric=metric, stage=stage, due=due, start=start, breached=missed)
        weight = (ORDER.index(stage), stage is Stage.ACHIEVED and not missed, due or 0, len(found))
        found.append((*weight, made))
    for *_, made in sorted(found):
        chosen.setdefault(made.metric, made)
    if len(named) < len(promised):
        for metric in METRICS.values():
            chosen.setdefault(metric, Target(metric=metric, stage=Stage.UNKNOWN, due=None))
    return tuple(chosen.values())
