"""A ticket row as a Ticket. Words that Zendesk may add one day are passed on, never an error."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from adapters.base import Account
from adapters.vip import with_vip
from adapters.zendesk.people import Cast, Row, ident
from policies.model import (
    Instant,
    Metric,
    Priority,
    Satisfaction,
    Stage,
    Status,
    Target,
    Ticket,
    TicketRef,
    Value,
)

STATUSES = {
    "new": Status.NEW,
    "open": Status.OPEN,
    "pending": Status.PENDING,
    "hold": Status.ON_HOLD,
    "solved": Status.SOLVED,
    "closed": Status.CLOSED,
    "deleted": Status.CLOSED,
}
PRIORITIES = {priority.value: priority for priority in Priority}
SATISFACTION = {each.value: each for each in Satisfaction}
METRICS = {
    "first_reply_time": Metric.FIRST_REPLY,
    "next_reply_time": Metric.NEXT_REPLY,
    "total_resolution_time": Metric.RESOLUTION,
    "requester_wait_time": Metric.RESOLUTION,
}
"""Zendesk's metrics that are ours, the preferred one first: where a policy has both, the total time is the
resolution target. Agent work time and the update metrics have no clock here."""
STAGES = {"active": Stage.ACTIVE, "paused": Stage.PAUSED, "achieved": Stage.ACHIEVED}
MERGED = "closed_by_merge"
LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


def instant(text: Any) -> Instant | None:
    """`2026-11-25T10:00:00Z` as an instant, to the second; None where there is none or it cannot be read."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None


def ticket(row: Row, cast: Cast, *, read_at: Instant, metrics: Row | None = None) -> Ticket:
    """The row as a ticket without history. `metrics` is its side-loaded metric set."""
    account = cast.account
    number = str(row["id"])
    created = instant(row.get("created_at")) or 0
    requester = row.get("requester_id")
    made = Ticket(
        ref=TicketRef(account.name, number),
        link=f"{account.url.rstrip('/')}/agent/tickets/{number}",
        subject=row.get("subject") or "",
        description=row.get("description") or "",
        status=STATUSES.get(row.get("status") or "", Status.OPEN),
        status_name=row.get("status") or "",
        priority=PRIORITIES.get(row.get("priority") or ""),
        type=row.get("type") or None,
        channel=channel(row),
        tags=frozenset(str(tag) for tag in row.get("tags") or ()),
        group=cast.group(row.get("group_id")),
        assignee=cast.person(row.get("assignee_id")),
        requester=cast.person(requester, row.get("organization_id")),
        organization=cast.organization(row.get("organization_id")),
        language=language(cast.users.get(ident(requester) or "", {}).get("locale")),
        satisfaction=satisfaction(row.get("satisfaction_rating")),
        created=created,
        updated=instant(row.get("updated_at")) or created,
        read_at=read_at,
        revision=row.get("updated_at") or "",
        status_since=instant((metrics or {}).get("status_updated_at")),
        custom=custom(account, row.get("custom_fields")),
        targets=targets(row.get("slas")),
        gone=gone(row),
        partial=cast.lacks(requester),
    )
    return with_vip(made, account)


def satisfaction(rating: Any) -> Satisfaction | None:
    """What the customer thought. An offered rating that nobody gave is none."""
    return SATISFACTION.get(rating.get("score") or "") if isinstance(rating, dict) else None


def gone(row: Row) -> Any:
    """`deleted` rows come in exports only; a merged ticket is closed and carries Zendesk's tag for it."""
    if row.get("status") == "deleted":
        return "deleted"
    return "merged" if row.get("status") == "closed" and MERGED in (row.get("tags") or ()) else None


def channel(row: Row) -> str | None:
    """How the ticket was created; it says nothing of who changed it last."""
    via = row.get("via")
    return via.get("channel") or None if isinstance(via, dict) else None


def language(locale: Any) -> str | None:
    """`de` for `de-AT`: policies and templates name languages without their region."""
    found = LANGUAGE.match(locale) if isinstance(locale, str) else None
    return found[0].lower() if found else None


def field_ids(account: Account) -> Mapping[str, str]:
    """Zendesk's custom field ids by the name policies use after `custom.`."""
    return {name.removeprefix("custom."): str(key) for name, key in account.fields.items()}


def custom(account: Account, rows: Any) -> Mapping[str, Value]:
    """The mapped custom fields that hold something."""
    values = {str(row.get("id")): value(row.get("value")) for row in rows or () if isinstance(row, dict)}
    found = {name: values.get(key) for name, key in field_ids(account).items()}
    return {name: held for name, held in found.items() if held is not None}


def value(raw: Any) -> Value:
    """A custom field's value; an empty text or list is none."""
    if isinstance(raw, list):
        return tuple(str(each) for each in raw) or None
    return raw if isinstance(raw, str | int | float) and raw != "" else None


def targets(slas: Any) -> tuple[Target, ...]:
    """One target a metric. Zendesk never tells when a target began, and rounds all but `breach_at`.

    https://developer.zendesk.com/api-reference/ticketing/ticket-management/sla_policies/
    """
    listed = slas.get("policy_metrics") if isinstance(slas, dict) else None
    rows = sorted((row for row in listed or () if row.get("metric") in METRICS), key=weight)
    chosen: dict[Metric, Target] = {}
    for row in rows:
        made = target(row)
        chosen.setdefault(made.metric, made)
    return tuple(chosen.values())


def weight(row: Row) -> tuple[int, int, int]:
    """Sort key: the preferred metric, then what runs before what rests before what is over, newest first."""
    stage = STAGES.get(row.get("stage") or "", Stage.UNKNOWN)
    return (
        list(METRICS).index(row["metric"]),
        (Stage.ACTIVE, Stage.PAUSED, Stage.ACHIEVED, Stage.UNKNOWN).index(stage),
        -(instant(row.get("breach_at")) or 0),
    )


def target(row: Row) -> Target:
    """One entry of `policy_metrics`; active without a deadline is not something to count on."""
    due = instant(row.get("breach_at"))
    stage = STAGES.get(row.get("stage") or "", Stage.UNKNOWN)
    if stage is Stage.ACTIVE and due is None:
        stage = Stage.UNKNOWN
    return Target(metric=METRICS[row["metric"]], stage=stage, due=due)


def metric_set(body: Mapping[str, Any], row: Row) -> Row | None:
    """The ticket's side-loaded metric set, which stands in the ticket or beside it."""
    inside = row.get("metric_set")
    if isinstance(inside, dict):
        return inside
    beside: Iterable[Any] = body.get("metric_sets") or ()
    return next((each for each in beside if each.get("ticket_id") == row.get("id")), None)
