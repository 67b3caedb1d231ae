"""What is overdue, held, waiting and coming: one row a ticket, for `uptier due`, the page of that name and the API."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from connector.store import accounts, codec, holds, inbox
from connector.store.schema import hold, is_gone_ticket, is_open_write, standing, ticket, write
from policies.model import Instant, Seconds, Ticket, TicketRef
from policies.present.coming import Coming

Stand = Literal["overdue", "held", "waiting", "coming"]
STANDS: tuple[Stand, ...] = get_args(Stand)
"""In the order in which they are listed: each next one is less urgent."""

UNDER_WAY: Seconds = 60
"""A write that is not through after that time keeps its level overdue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTicket:
    """One ticket. `owner` is who has it now: the owner of its escalation, else its assignee or group at the helpdesk.
    `at` is when the level acts, or since when it is overdue, held or waiting for a person; `to`, who will own it then,
    where that is known. `observes` says that the policy only observes: nobody is told."""

    ref: TicketRef
    stand: Stand
    subject: str
    link: str
    owner: str
    policy: str
    level: str
    at: Instant
    to: str | None
    why: str
    observes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePage:
    """Some of the rows in order, and how many there are of each stand in all. `unseen` are tickets that wait for a
    look, of which nobody knows yet."""

    rows: tuple[DueTicket, ...]
    counts: dict[Stand, int]
    unseen: int

    @property
    def total(self) -> int:
        """How many rows there are in all."""
        return sum(self.counts.values())


def due_page(
    connection: Connection,
    now: Instant,
    *,
    names: Collection[str],
    policy: str | None = None,
    within: Seconds | None = None,
    limit: int = 200,
    offset: int = 0,
) -> DuePage:
    """The rows of these accounts, the most urgent first, from behind `offset`; of one policy, and of what comes only
    that within a time, if they are named. A constant number of statements, however many tickets there are."""
    ranked = _ranked(now, names, policy, within)
    counted = connection.execute(select(ranked.c.stand, func.count().label("many")).group_by(ranked.c.stand))
    order = (ranked.c.stand, ranked.c.at, ranked.c.account, ranked.c.ticket)
    shown = select(ranked).order_by(*order).limit(limit).offset(offset).subquery()
    rows = connection.execute(
        select(shown, ticket.c.facts, ticket.c.owner.label("escalated_to"))
        .join(ticket, and_(ticket.c.account == shown.c.account, ticket.c.id == shown.c.ticket))
        .order_by(shown.c.stand, shown.c.at, shown.c.account, shown.c.ticket)
    )
    found = tuple(map(_due_ticket, rows))
    stopped = {one.name: f"the account is paused: {one.paused_reason}" for one in accounts.every(connection)
               if one.paused_at is not None}  # fmt: skip
    stopped |= {one.name: f"set aside: {one.why}" for one in holds.every_aside(connection) if one.ticket}
    return DuePage(
        rows=tuple(
            replace(one, why="; ".join(filter(None, (stop, one.why))))
            if (stop := stopped.get(str(one.ref)) or stopped.get(one.ref.account))
            else one
            for one in found
        ),
        counts={STANDS[row.stand]: row.many for row in counted},
        unseen=inbox.unseen(connection, names),
    )


def _ranked(now: Instant, names: Collection[str], policy: str | None, within: Seconds | None) -> Subquery:
    """One row a ticket: the most urgent of all that is to be told of it."""
    acts = standing.c.acts
    stand = case(
        (acts.is_(None) & (standing.c.due > now), 3), (acts <= now, 0), (standing.c.due <= now, 2), else_=3
    )
    nothing: Any = cast(null(), Text)
    levels = select(
        standing.c.account,
        standing.c.ticket,
        standing.c.policy,
        stand.label("stand"),
        func.coalesce(acts, standing.c.due).label("at"),
        standing.c.coming,
        cast(literal(""), Text).label("level"),
        cast(literal(""), Text).label("said"),
    ).where(standing.c.due.is_not(None), ~_held(standing))
    held: Select[Any] = select(
        hold.c.account, hold.c.ticket, hold.c.policy, literal(1), hold.c.since, hold.c.coming,
        cast(literal(""), Text), hold.c.why,
    )  # fmt: skip
    unsent = select(
        write.c.account, write.c.ticket, write.c.policy, literal(0), func.min(write.c.planned_at), nothing,
        func.min(write.c.level), func.min(func.coalesce(write.c.error, write.c.state)),
    ).where(is_open_write, ~_held(write)).group_by(
        write.c.account, write.c.ticket, write.c.policy
    ).having(func.min(write.c.planned_at) <= now - UNDER_WAY)  # fmt: skip
    every = union_all(levels, held, unsent).subquery()
    gone = select(ticket.c.account, ticket.c.id).where(is_gone_ticket)
    asked: list[ColumnElement[bool]] = [
        every.c.account.in_(tuple(names)),
        tuple_(every.c.account, every.c.ticket).not_in(gone),
    ]
    if policy is not None:
        asked.append(every.c.policy.in_((policy, "")))
    if within is not None:
        asked.append(or_(every.c.stand != STANDS.index("coming"), every.c.at <= now + within))
    order = (every.c.stand, every.c.at, every.c.policy)
    rank = func.row_number().over(partition_by=(every.c.account, every.c.ticket), order_by=order)
    found = select(every, rank.label("rank")).where(*asked).subquery()
    return select(found).where(found.c.rank == 1).subquery()


def _held(of: Any) -> Any:
    return exists().where(hold.c.account == of.c.account, hold.c.ticket == of.c.ticket)


def _due_ticket(row: Any) -> DueTicket:
    facts = codec.load(Ticket, row.facts)
    one = None if row.coming is None else codec.load(Coming, row.coming)
    holder = facts.assignee.label if facts.assignee else facts.group.name if facts.group else "nobody"
    why = one.why if one else ""
    return DueTicket(
        ref=facts.ref,
        stand=STANDS[row.stand],
        subject=facts.subject,
        link=facts.link,
        owner=((one.owner if one else row.escalated_to) or holder),
        policy=row.policy,
        level=one.level if one else row.level,
        at=row.at,
        to=one.to if one else None,
        why="; ".join(filter(None, (row.said, why))),
        observes=one.observes if one else False,
    )
