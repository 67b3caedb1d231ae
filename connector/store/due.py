"""What is overdue, held, waiting and coming: one row a ticket and policy, for `uptier due`, the page of that name and
the API. A ticket that two policies watch has two rows: what the graver one does is never behind what the milder does.

A page costs what it shows and counts, however much is due: each kind of row is read in order along an index of its own,
and no further.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect

from connector.store import accounts, codec, holds, inbox
from connector.store.schema import (
    acts_later,
    acts_sometime,
    hold,
    is_open_write,
    nobody_knows,
    standing,
    ticket,
    write,
)
from policies.model import Instant, Seconds, Ticket, TicketRef
from policies.present.explain import coming_words
from policies.rules.judgement import Coming

Stand = Literal["overdue", "held", "waiting", "coming"]
STANDS: tuple[Stand, ...] = get_args(Stand)
"""In the order in which they are listed: each next one is less urgent."""

UNDER_WAY: Seconds = 60
"""A write that is not through after that time keeps its level overdue."""

COUNTED = 1000
"""So far rows are counted; further only where that many are asked for."""

NEVER: Instant = 2**62
HOUR: Seconds = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """What one policy does next on one ticket. `owner` is who has it now: the owner of its escalation, else its
    assignee or group at the helpdesk. `at` is when the level acts, or since when it is overdue, held or waiting for a
    person; `to`, who will own it then, where that is known. `observes` says that the policy only observes: nobody is
    told. `number` is the ticket's, as `Ticket` has it."""

    ref: TicketRef
    number: str = ""
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
    look, of which nobody knows yet. No count goes beyond `counted`, which stands for as many or more."""

    rows: tuple[DueRow, ...]
    counts: dict[Stand, int]
    unseen: int
    counted: int

    @property
    def total(self) -> int:
        """How many rows there are in all, as far as they are counted."""
        return sum(self.counts.values())

    @property
    def is_exact(self) -> bool:
        """Whether each stand was counted to its end."""
        return all(many < self.counted for many in self.counts.values())

    def many(self, count: int) -> str:
        """One of its counts, in words."""
        return f"{count} or more" if count >= self.counted else str(count)


def due_page(
    connection: Connection,
    now: Instant,
    *,
    names: Collection[str],
    policy: str | None = None,
    within: Seconds | None = None,
    stand: Stand | None = None,
    limit: int = 200,
    offset: int = 0,
) -> DuePage:
    """The rows of these accounts, the most urgent first, from behind `offset`; of one policy, of one `stand`, and of
    what comes only that within a time, if they are named; every stand is counted. A constant number of statements an
    account, however many tickets there are, none of which reads more than is counted."""
    counted = max(COUNTED, offset + limit + 1)
    asked: dict[str, Any] = {"now": now, "late": now - UNDER_WAY, "most": counted, "of_policy": policy}
    asked["until"] = NEVER if within is None else now + within
    question = _ahead(policy is not None)
    found = [row for name in names for row in connection.execute(question, asked | {"of": name})]
    found.sort(key=lambda row: (row.stand, row.at, row.account, row.ticket, row.policy))
    many = [sum(row.stand == place for row in found) for place in range(len(STANDS))]
    asked_for = found if stand is None else [row for row in found if STANDS[row.stand] == stand]
    shown = asked_for[offset : offset + limit]
    known = _known(connection, shown)
    stopped = {one.name: f"the account is paused: {one.paused_reason}" for one in accounts.every(connection)
               if one.paused_at is not None}  # fmt: skip
    stopped |= {one.name: f"set aside: {one.why}" for one in holds.every_aside(connection) if one.ticket}
    rows = (
        _due_row(row, known[row.account, row.ticket]) for row in shown if (row.account, row.ticket) in known
    )
    return DuePage(
        rows=tuple(
            replace(one, why="; ".join(filter(None, (stop, one.why))))
            if (stop := stopped.get(str(one.ref)) or stopped.get(one.ref.account))
            else one
            for one in rows
        ),
        counts={stand: min(count, counted) for stand, count in zip(STANDS, many, strict=True) if count},
        unseen=inbox.unseen(connection, names, counted),
        counted=counted,
    )


def coming_by_hour(
    connection: Connection, names: Collection[str], now: Instant, hours: int
) -> tuple[tuple[int, int], ...]:
    """For each of the next so many hours, how many levels act in it, and on how many tickets. It counts in the
    database, along an index."""
    hour = ((_acts - now) // HOUR).label("hour")
    rows = connection.execute(
        select(
            hour, func.count().label("levels"), func.count(func.distinct(standing.c.ticket)).label("tickets")
        )
        .where(standing.c.account.in_(names), acts_sometime, _acts > now, _acts < now + hours * HOUR)
        .group_by(hour)
    )
    found = {int(row.hour): (row.levels, row.tickets) for row in rows}
    return tuple(found.get(each, (0, 0)) for each in range(hours))


_now: Any = bindparam("now")
_acts, _due = standing.c.acts, standing.c.due


@cache
def _ahead(of_policy: bool) -> CompoundSelect[Any]:
    """Of one account the first rows of each kind. A level of which a hold or an earlier unsent write of the same policy
    tells has no row of its own. What a row is held against is asked of its ticket alone, in a way that no database
    turns into a reading of everything."""
    only: tuple[Any] = (bindparam("of_policy"),)
    unsent = (
        is_open_write,
        write.c.planned_at <= bindparam("late"),
        *((write.c.policy.in_((*only, "")),) if of_policy else ()),
    )
    nothing = cast(null(), Text)

    def levels(stand: Stand, at: ColumnElement[Any], *which: ColumnElement[bool]) -> Select[Any]:
        mine = (standing.c.policy == only[0],) if of_policy else ()
        ahead = (write.c.planned_at <= _acts,) if stand == "overdue" else ()
        return _some(
            standing, stand, at, standing.c.coming, nothing, nothing, *which, *mine, _without_hold(standing),
            _without(write, standing, write.c.policy == standing.c.policy, *unsent, *ahead),
        )  # fmt: skip

    stuck = (
        select(
            write.c.account,
            write.c.ticket,
            write.c.policy,
            func.min(write.c.planned_at).label("at"),
            func.min(write.c.level).label("level"),
            func.min(func.coalesce(write.c.error, write.c.state)).label("said"),
        )
        .where(write.c.account == bindparam("of"), *unsent)
        .group_by(write.c.account, write.c.ticket, write.c.policy)
        .subquery("stuck")
    )
    sooner = standing.c.policy == stuck.c.policy, _acts <= _now, _acts < stuck.c.at
    kinds = (
        levels("overdue", _acts, acts_sometime, _acts <= _now),
        _some(
            stuck, "overdue", stuck.c.at, nothing, stuck.c.level, stuck.c.said,
            _without_hold(stuck), _without(standing, stuck, *sooner),
        ),
        _some(
            hold, "held", hold.c.since, hold.c.coming, nothing, hold.c.why,
            *((hold.c.policy.in_((*only, "")),) if of_policy else ()),
        ),
        levels("waiting", _due, nobody_knows, _due <= _now),
        levels("waiting", _acts, acts_later, _acts > _now, _due <= _now),
        levels("coming", _due, nobody_knows, _due > _now, _due <= bindparam("until")),
        levels("coming", _acts, acts_sometime, _acts > _now, _acts <= bindparam("until"), _due > _now),
    )  # fmt: skip
    return union_all(*(select(kind.subquery()) for kind in kinds))


def _some(
    of: Any,
    stand: Stand,
    at: ColumnElement[Any],
    coming: ColumnElement[Any],
    level: ColumnElement[Any],
    said: ColumnElement[Any],
    *which: ColumnElement[bool],
) -> Select[Any]:
    """The first rows of one kind."""
    return (
        select(
            of.c.account,
            of.c.ticket,
            of.c.policy,
            literal_column(str(STANDS.index(stand))).label("stand"),
            at.label("at"),
            coming.label("coming"),
            level.label("level"),
            said.label("said"),
        )
        .where(of.c.account == bindparam("of"), *which)
        .order_by(at, of.c.ticket, of.c.policy)
        .limit(bindparam("most"))
    )


def _without(table: Any, of: Any, *which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Nothing of the kind stands in this table for the row's ticket."""
    mine = table.c.account == of.c.account, table.c.ticket == of.c.ticket
    found = select(table.c.ticket).where(*mine, *which).limit(1)
    return found.correlate(of).scalar_subquery().is_(None)


def _without_hold(of: Any) -> ColumnElement[bool]:
    """The row is not told by the hold on its ticket: that names another policy, so this one's level is told beside."""
    return _without(hold, of, or_(hold.c.policy == of.c.policy, hold.c.policy == "", of.c.policy == ""))


def _known(connection: Connection, rows: Collection[Any]) -> dict[tuple[str, str], Any]:
    """Of the tickets of these rows that are not gone, the facts, who owns their escalation, why they are held."""
    by_account: dict[str, list[str]] = {}
    for row in rows:
        by_account.setdefault(row.account, []).append(row.ticket)
    return {
        (name, row.id): row
        for name, ids in by_account.items()
        for row in connection.execute(
            select(ticket.c.id, ticket.c.facts, ticket.c.owner, hold.c.why)
            .join_from(ticket, hold, and_(hold.c.account == name, hold.c.ticket == ticket.c.id), isouter=True)
            .where(ticket.c.account == name, ticket.c.id.in_(set(ids)), ticket.c.gone.is_(None))
        )
    }


def _due_row(row: Any, known: Any) -> DueRow:
    facts = codec.load(Ticket, known.facts)
    held = f"the ticket is held: {known.why}" if known.why and STANDS[row.stand] != "held" else ""
    one = None if row.coming is None else codec.load(Coming, row.coming)
    holder = facts.assignee.label if facts.assignee else facts.group.name if facts.group else "nobody"
    why = coming_words(one) if one else ""
    return DueRow(
        ref=facts.ref,
        number=facts.number,
        stand=STANDS[row.stand],
        subject=facts.subject,
        link=facts.link,
        owner=((one.owner if one else known.owner) or holder),
        policy=row.policy,
        level=one.level if one else row.level or "",
        at=row.at,
        to=one.to if one else None,
        why="; ".join(filter(None, (held, row.said, why))),
        observes=one.observes if one else False,
    )
