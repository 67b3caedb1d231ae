"""A ticket row as a Ticket. A key that Zendesk always sends and this row lacks is hidden, not empty; a word that it
may add one day is hidden where it decides, else passed on; a value of another kind makes the row Odd."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapters.base import Account, with_vip
from adapters.zendesk.answers import Odd, Row, ident, instant, key_of, moment, text, texts, value
from adapters.zendesk.people import References, channel_of
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
NO_RATING = ("offered", "unoffered")
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
ALWAYS = {
    "status": ("status", "status_name"),
    "priority": ("priority",),
    "type": ("type",),
    "subject": ("subject",),
    "description": ("description",),
    "tags": ("tags",),
    "group_id": ("group",),
    "assignee_id": ("assignee",),
    "organization_id": ("organization",),
}
"""Keys that stood on every one of 4,328 recorded tickets, and what each one shows."""
REQUESTER = ("requester", "requester.name", "requester.address", "requester.organization", "requester.tags",
             "requester.vip", "language")  # fmt: skip
CHATS = frozenset(
    {"chat", "native_messaging", "whatsapp", "messaging", "sunshine_conversations_api",
     "sunshine_conversations_facebook_messenger", "sunshine_conversations_twitter_dm", "instagram_dm", "line",
     "telegram", "viber", "wechat", "kakaotalk", "google_business_messages", "apple_business_chat", "google_rcs",
     "business_messaging_slack_connect"}
)  # fmt: skip
"""Ways in by which the conversation does not stand in the comments; `from_messaging_channel` says so too."""


def ticket(row: Row, references: References, *, read_at: Instant, metrics: Row | None = None) -> Ticket:
    """The row as a ticket without history. `metrics` is its side-loaded metric set. Raises Odd."""
    account = references.account
    number = key_of(row)
    updated = moment(row, "updated_at")
    created = instant(row.get("created_at"))
    requester = row.get("requester_id")
    status, status_name = status_of(row, references)
    fields, unread = custom(account, row.get("custom_fields"))
    made = Ticket(
        ref=TicketRef(account.name, number),
        link=f"{account.url.rstrip('/')}/agent/tickets/{number}",
        subject=text(row, "subject"),
        description=text(row, "description"),
        status=status or Status.OPEN,
        status_name=status_name,
        priority=PRIORITIES.get(text(row, "priority")),
        type=text(row, "type") or None,
        channel=channel(row),
        tags=frozenset(texts(row, "tags")),
        group=references.group(row.get("group_id")),
        assignee=references.person(row.get("assignee_id")),
        requester=references.person(requester, row.get("organization_id")),
        organization=references.organization(row.get("organization_id")),
        language=language(references.users.get(ident(requester) or "", {}).get("locale")),
        satisfaction=satisfaction(row.get("satisfaction_rating")),
        created=updated if created is None else created,
        updated=updated,
        read_at=read_at,
        revision=row["updated_at"],
        status_since=instant((metrics or {}).get("status_updated_at")),
        custom=fields,
        targets=targets(row.get("slas")),
        gone=gone(row),
        partial=references.lacks(requester),
        hidden=frozenset(hidden(row, references))
        | unread
        | (frozenset() if status else frozenset({"status"})),
    )
    return with_vip(made, account)


def hidden(row: Row, references: References) -> Iterator[str]:
    """What the row does not show, by its common names; the status and custom fields are told elsewhere."""
    for key, names in ALWAYS.items():
        if key not in row:
            yield from names
    if (
        row.get("tags", ()) is None
    ):  # a list replaces the whole: what is there must be known before it is written
        yield "tags"
    if text(row, "priority") not in ("", *PRIORITIES):
        yield "priority"
    if instant(row.get("created_at")) is None:
        yield "created"
    if channel(row) is None:
        yield "channel"
    if not rated(row):
        yield "satisfaction"
    if unreadable_targets(row.get("slas")):
        yield "targets"
    for key, names_it, name in (("group_id", references.names_group, "group"),
                                ("organization_id", references.names_organization, "organization")):  # fmt: skip
        if not names_it(row.get(key)):
            yield name
    yield from hidden_people(row, references)


def hidden_people(row: Row, references: References) -> Iterator[str]:
    """What the answer does not show of the requester and the assignee. Nobody is not hidden."""
    if "requester_id" not in row:
        yield from REQUESTER
    yield from (f"requester.{name}" for name in references.untold(row.get("requester_id")))
    asked = references.users.get(ident(row.get("requester_id")) or "")
    if row.get("requester_id") is not None and (asked is None or "locale" not in asked):
        yield "language"
    if {"name", "address"} & references.untold(row.get("assignee_id")):
        yield "assignee"


def status_of(row: Row, references: References) -> tuple[Status | None, str]:
    """The common status, None where it cannot be told, and Zendesk's word for it.

    With custom statuses `status` is the category. What the account's `statuses` say of the number, the label or
    the category wins; a map by labels says nothing while the labels are not known.
    """
    account = references.account
    word, number = text(row, "status"), ident(row.get("custom_status_id"))
    if word == "deleted":
        return Status.CLOSED, word
    label = (references.statuses or {}).get(number or "", "")
    said = account.counts_as(number or "", label) or account.counts_as("", word)
    if said is None and number and references.statuses is None and maps_labels(account):
        return None, word
    return said or STATUSES.get(word), label or word


def maps_labels(account: Account) -> bool:
    """Whether the account's `statuses` name labels, so that they have to be read."""
    return any(not key.isdigit() and key.casefold() not in STATUSES for key in account.statuses)


def satisfaction(rating: Any) -> Satisfaction | None:
    """What the customer thought. An offered rating that nobody gave is none."""
    score = rating.get("score") if isinstance(rating, dict) else None
    return SATISFACTION.get(score) if isinstance(score, str) else None


def rated(row: Row) -> bool:
    """Whether the row tells what the customer thought, or that nobody said."""
    rating = row.get("satisfaction_rating", "")
    score = rating.get("score") if isinstance(rating, dict) else rating
    return rating is None or (isinstance(score, str) and score in (*SATISFACTION, *NO_RATING))


def gone(row: Row) -> Any:
    """`deleted` rows come in exports only; a merged ticket is closed and carries Zendesk's tag for it."""
    if row.get("status") == "deleted":
        return "deleted"
    return "merged" if row.get("status") == "closed" and MERGED in texts(row, "tags") else None


def channel(row: Row) -> str | None:
    """How the ticket was created; it says nothing of who changed it last."""
    found = channel_of(row.get("via"))
    return str(found) if found not in (None, "") else None


def is_chat(row: Row) -> bool:
    """Whether the ticket's conversation stands in chat events, not in its comments."""
    return row.get("from_messaging_channel") is True or channel(row) in CHATS


def language(locale: Any) -> str | None:
    """`de` for `de-AT`: policies and templates name languages without their region."""
    found = LANGUAGE.match(locale) if isinstance(locale, str) else None
    return found[0].lower() if found else None


def field_ids(account: Account) -> Mapping[str, str]:
    """Zendesk's custom field ids by the name policies use after `custom.`."""
    return {name.removeprefix("custom."): str(key) for name, key in account.fields.items()}


def custom(account: Account, rows: Any) -> tuple[Mapping[str, Value], frozenset[str]]:
    """The mapped custom fields that hold something, and the hidden ones. Zendesk lists every active field, also
    an empty one: what is not listed, or holds what no field holds, is not shown to us."""
    listed = rows if isinstance(rows, list) else []
    raw = {str(row.get("id")): row["value"] for row in listed if isinstance(row, dict) and "value" in row}
    held: dict[str, Value] = {}
    unread = set()
    for name, key in field_ids(account).items():
        try:
            held[name] = value(raw[key])
        except (KeyError, Odd):
            unread.add(f"custom.{name}")
    return {name: each for name, each in held.items() if each is not None}, frozenset(unread)


def targets(slas: Any) -> tuple[Target, ...]:
    """One target a metric. Zendesk never tells when a target began, and rounds all but `breach_at`.

    https://developer.zendesk.com/api-reference/ticketing/ticket-management/sla_policies/
    """
    listed = slas.get("policy_metrics") if isinstance(slas, dict) else None
    known = [row for row in listed if measured(row)] if isinstance(listed, list) else []
    chosen: dict[Metric, Target] = {}
    for row in sorted(known, key=weight):
        made = target(row)
        chosen.setdefault(made.metric, made)
    return tuple(chosen.values())


def measured(row: Any) -> bool:
    """Whether an entry of `policy_metrics` is of a metric that is ours."""
    return isinstance(row, dict) and isinstance(row.get("metric"), str) and row["metric"] in METRICS


def unreadable_targets(slas: Any) -> bool:
    """Whether targets were sent and one of them does not tell what it measures, so that any may be missing."""
    if slas is None:
        return False
    listed = slas.get("policy_metrics") if isinstance(slas, dict) else None
    return not isinstance(listed, list) or not all(
        isinstance(row, dict) and isinstance(row.get("metric"), str) for row in listed
    )


def weight(row: Row) -> tuple[int, int, int]:
    """Sort key: the preferred metric, then what runs before what rests before what is over, newest first."""
    return (
        list(METRICS).index(row["metric"]),
        (Stage.ACTIVE, Stage.PAUSED, Stage.ACHIEVED, Stage.UNKNOWN).index(stage(row)),
        -(instant(row.get("breach_at")) or 0),
    )


def stage(row: Row) -> Stage:
    """Where a target stands; a word not known here is unknown."""
    word = row.get("stage")
    return STAGES.get(word, Stage.UNKNOWN) if isinstance(word, str) else Stage.UNKNOWN


def target(row: Row) -> Target:
    """One entry of `policy_metrics`; active without a deadline is not something to count on. One that was
    achieved keeps its deadline, so that whether it was met in time can be told."""
    due = instant(row.get("breach_at"))
    stands = stage(row)
    if stands is Stage.ACTIVE and due is None:
        stands = Stage.UNKNOWN
    return Target(metric=METRICS[row["metric"]], stage=stands, due=due)


def metric_set(body: Mapping[str, Any], row: Any) -> Row | None:
    """The ticket's side-loaded metric set, which stands in the ticket or beside it."""
    if not isinstance(row, dict):
        return None
    inside = row.get("metric_set")
    if isinstance(inside, dict):
        return inside
    beside = body.get("metric_sets")
    listed: Iterable[Any] = beside if isinstance(beside, list) else ()
    return next(
        (each for each in listed if isinstance(each, dict) and each.get("ticket_id") == row.get("id")), None
    )
