"""A ticket row as a Ticket. A key that Zendesk always sends and this row lacks is hidden, not empty; a word that it
may add one day is hidden where it decides, else passed on; a value of another kind makes the row Odd."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.base import Account, language_of, with_vip
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
ORDER = (Stage.ACTIVE, Stage.PAUSED, Stage.ACHIEVED, Stage.UNKNOWN)
STAGES = {"active": Stage.ACTIVE, "paused": Stage.PAUSED, "achieved": Stage.ACHIEVED}
MERGED = "closed_by_merge"
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


def read_ticket(row: Row, references: References, *, read_at: Instant) -> Ticket:
    """The row as a ticket without history. Its metric set stands in it or beside it. Raises Odd."""
    account, number = references.account, key_of(row)
    updated = moment(row, "updated_at")
    created = instant(row.get("created_at"))
    status, status_name = read_status(row, references)
    fields, unread = read_custom_fields(account, row.get("custom_fields"))
    asked, organization = ident(row.get("requester_id")), row.get("organization_id")
    inside = row.get("metric_set")
    metrics = inside if isinstance(inside, dict) else references.metrics.get(number, {})
    rating = row.get("satisfaction_rating")
    score = rating.get("score") if isinstance(rating, dict) else None
    gone: Any = "deleted" if row.get("status") == "deleted" else None
    if row.get("status") == "closed" and MERGED in texts(row, "tags"):
        gone = "merged"
    made = Ticket(
        ref=TicketRef(account.name, number),
        link=f"{account.url.rstrip('/')}/agent/tickets/{number}",
        subject=text(row, "subject"),
        description=text(row, "description"),
        status=status or Status.OPEN,
        status_name=status_name,
        priority=PRIORITIES.get(text(row, "priority")),
        type=text(row, "type") or None,
        channel=channel_of(row.get("via")) or None,
        tags=frozenset(texts(row, "tags")),
        group=references.group(row.get("group_id"))[0],
        assignee=references.person(row.get("assignee_id"))[0],
        requester=references.person(asked, organization)[0],
        organization=references.organization(organization)[0],
        language=language_of(references.users.get(asked or "", {}).get("locale")),
        satisfaction=SATISFACTION.get(score) if isinstance(score, str) else None,
        created=updated if created is None else created,
        updated=updated,
        read_at=read_at,
        revision=row["updated_at"],
        status_since=instant(metrics.get("status_updated_at")),
        custom=fields,
        targets=read_targets(row.get("slas"))[0],
        gone=gone,
        message_count=count if isinstance(count := row.get("comment_count"), int) else None,
        hidden=unread.union(find_hidden(row, references), () if status else ("status",)),
    )
    return with_vip(made, account)


def find_hidden(row: Row, references: References) -> Iterator[str]:
    """What the row does not show, by its common names; the status and custom fields are told elsewhere. Nobody is not
    hidden."""
    for key, names in ALWAYS.items():
        if key not in row:
            yield from names
    requester, locale = row.get("requester_id"), "locale"
    rating = row.get("satisfaction_rating", "")
    score = rating.get("score") if isinstance(rating, dict) else rating
    rated = rating is None or (isinstance(score, str) and score in (*SATISFACTION, *NO_RATING))
    untold = {
        # a list replaces the whole: what is there must be known before it is written
        "tags": row.get("tags", ()) is None,
        "priority": text(row, "priority") not in ("", *PRIORITIES),
        "created": instant(row.get("created_at")) is None,
        "channel": not channel_of(row.get("via")),
        "satisfaction": not rated,
        "targets": not read_targets(row.get("slas"))[1],
        "group": not references.group(row.get("group_id"))[1],
        "organization": not references.organization(row.get("organization_id"))[1],
        "assignee": {"name", "address"} & references.person(row.get("assignee_id"))[1],
        "language": requester is not None and locale not in references.users.get(ident(requester) or "", {}),
    }
    yield from (name for name, is_untold in untold.items() if is_untold)
    if "requester_id" not in row:
        yield from REQUESTER
    yield from (f"requester.{name}" for name in references.person(requester)[1])


def read_status(row: Row, references: References) -> tuple[Status | None, str]:
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
    if said is None and number and references.statuses is None:
        return None, word
    return said or STATUSES.get(word), label or word


def read_custom_fields(account: Account, rows: Any) -> tuple[Mapping[str, Value], frozenset[str]]:
    """The mapped custom fields that hold something, and the hidden ones. Zendesk lists every active field, also
    an empty one: what is not listed, or holds what no field holds, is not shown to us."""
    listed = rows if isinstance(rows, list) else []
    raw = {str(row.get("id")): row["value"] for row in listed if isinstance(row, dict) and "value" in row}
    held: dict[str, Value] = {}
    unread = set()
    for name, key in account.custom_fields().items():
        try:
            held[name] = value(raw[key])
        except (KeyError, Odd):
            unread.add(f"custom.{name}")
    return {name: each for name, each in held.items() if each is not None}, frozenset(unread)


def read_targets(slas: Any) -> tuple[tuple[Target, ...], bool]:
    """One target a metric, and whether all that was sent tells what it measures, so that none may be missing.

    Of two for a metric the preferred counts, then what runs before what rests before what is over, the newest first.
    Active without a deadline is not something to count on; what was achieved keeps its deadline, so that whether it
    was met in time can be told. Zendesk never tells when a target began, and rounds all but `breach_at`.

    https://developer.zendesk.com/api-reference/ticketing/ticket-management/sla_policies/
    """
    listed = slas.get("policy_metrics") if isinstance(slas, dict) else None
    rows = listed if isinstance(listed, list) else []
    known = [row for row in rows if isinstance(row, dict) and isinstance(row.get("metric"), str)]
    found: list[tuple[int, int, int, int, Target]] = []
    for row in known:
        if row["metric"] in METRICS:
            word, due = row.get("stage"), instant(row.get("breach_at"))
            stage = STAGES.get(word, Stage.UNKNOWN) if isinstance(word, str) else Stage.UNKNOWN
            weight = (list(METRICS).index(row["metric"]), ORDER.index(stage), -(due or 0), len(found))
            stands = Stage.UNKNOWN if stage is Stage.ACTIVE and due is None else stage
            found.append((*weight, Target(metric=METRICS[row["metric"]], stage=stands, due=due)))
    chosen: dict[Metric, Target] = {}
    for *_, target in sorted(found):
        chosen.setdefault(target.metric, target)
    return tuple(chosen.values()), slas is None or (listed == rows == known)
