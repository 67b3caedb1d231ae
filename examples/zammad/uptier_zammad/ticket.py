"""A ticket row as a Ticket. What a row does not tell is hidden, not empty.

https://docs.zammad.org/en/latest/api/ticket/index.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.base import language_of, with_vip
from policies.model import Instant, Metric, Person, Stage, Status, Target, Ticket, TicketRef, Value
from uptier_zammad.client import MERGED, Row
from uptier_zammad.people import NOBODY, References, ident

ASKED = (
    "requester", "requester.name", "requester.address", "requester.organization", "requester.tags", "requester.vip",
    "language",
)  # fmt: skip
UNTOLD_BY_ROWS = frozenset({"description", "phrases", "tags", *ASKED})
"""What stands at addresses of its own: articles, tags, the customer."""

METRICS = (
    (Metric.FIRST_REPLY, "first_response_escalation_at", "first_response_at"),
    (Metric.NEXT_REPLY, "update_escalation_at", ""),
    (Metric.RESOLUTION, "close_escalation_at", "close_at"),
)
"""Each target with its deadline and the stamp of its end. The second is Zammad's "update time" or "response time",
whichever the SLA has. https://docs.zammad.org/en/latest/api/sla.html"""


def moment(text: Any) -> int:
    """A stamp such as `2021-11-03T11:51:13.809Z` in thousandths of a second. ValueError or TypeError if it is none."""
    read = datetime.fromisoformat(text)
    return round(read.timestamp() * 1000)


def instant(text: Any) -> Instant:
    """A stamp to the second. Raises as `moment` does."""
    return moment(text) // 1000


def owner(row: Row) -> str | None:
    """Who owns the ticket; None for the built-in user that stands for nobody."""
    key = ident(row.get("owner_id"))
    return None if key == NOBODY else key


def ticket(row: Row, known: References, *, read_at: Instant) -> Ticket:
    """The row as a ticket without history. Raises ValueError, TypeError or KeyError for a row that cannot be read.

    `updated_at` is the revision: everything that happens to a ticket moves it, tags and articles as well.
    (zammad/zammad: app/models/tag.rb, app/models/ticket/article/has_ticket_contact_attributes_impact.rb)
    """
    account, number = known.account, int(row["id"])
    group, state = ident(row.get("group_id")), str(row["state_id"])
    status, priority = known.status(state, group), known.priorities.get(str(row["priority_id"]))
    customer = ident(row.get("customer_id"))
    hidden = set(UNTOLD_BY_ROWS)
    hidden |= set() if status else {"status"}
    hidden |= set() if priority else {"priority"}
    hidden |= set() if owner(row) is None or known.is_agent(owner(row)) else {"assignee"}
    hidden |= {f"custom.{name}" for name, there in known.account.custom_fields().items() if there not in row}
    return with_vip(
        Ticket(
            ref=TicketRef(account.name, str(number)),
            link=f"{account.url.rstrip('/')}/#ticket/zoom/{number}",
            subject=str(row["title"]),
            status=status or Status.OPEN,
            status_name=known.states.get(state, (str(row.get("state") or state), None))[0],
            priority=priority,
            type=row.get("type") or None,
            channel=row.get("create_article_type") or None,
            group=known.group(group, row.get("group")),
            assignee=known.agent(owner(row)),
            requester=Person(id=customer, name=customer) if customer else None,
            organization=row.get("organization") or None,
            created=instant(row["created_at"]),
            updated=instant(row["updated_at"]),
            read_at=read_at,
            revision=str(row["updated_at"]),
            custom={name: value for name, value in custom(known, row).items() if value is not None},
            targets=tuple(targets(row, known, status)),
            gone="merged" if row.get("state") == MERGED else None,
            hidden=frozenset(hidden),
        ),
        account,
    )


def whole(bare: Ticket, known: References, customer: Person | None, locale: Any, tags: Any) -> Ticket:
    """The ticket with what stands at addresses of its own, but for its articles."""
    if not isinstance(tags, list):
        raise TypeError("its tags are no list")
    shown = {"tags", *(ASKED if customer else ())}
    made = replace(
        bare,
        tags=frozenset(str(tag) for tag in tags),
        requester=customer or bare.requester,
        language=language_of(locale),
        hidden=bare.hidden - shown,
    )
    return with_vip(made, known.account)


def custom(known: References, row: Row) -> Mapping[str, Value]:
    """The mapped custom fields, which stand beside the others on a ticket.
    https://docs.zammad.org/en/latest/api/object.html"""
    return {name: value_of(row.get(there)) for name, there in known.account.custom_fields().items()}


def value_of(raw: Any) -> Value:
    """A custom field's value; an empty text or list is none."""
    if isinstance(raw, list):
        return tuple(str(each) for each in raw) or None
    return raw if isinstance(raw, str | int | float) and raw != "" else None


def values(known: References, row: Row) -> Mapping[str, Value]:
    """What the fields that can be written hold, under their common names."""
    return {
        "priority": known.priorities.get(str(row.get("priority_id"))),
        "group": ident(row.get("group_id")),
        "assignee": owner(row),
        **{f"custom.{name}": value for name, value in custom(known, row).items()},
    }


def targets(row: Row, known: References, status: Status | None) -> Iterator[Target]:
    """Zammad's deadlines; when one began is not told. One that is not there is not owed, or not any more."""
    over = status in (Status.SOLVED, Status.CLOSED)
    for metric, name, ended in METRICS:
        due = instant(row[name]) if row.get(name) else None
        if over or (ended and row.get(ended)):
            yield Target(metric=metric, stage=Stage.ACHIEVED, due=due)
        elif due is not None:
            still = str(row["state_id"]) in known.still
            yield Target(metric=metric, stage=Stage.PAUSED if still else Stage.ACTIVE, due=due)
