"""The ledger: what happened, who did it, who owned it then. Lines are added and never changed."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, case, func, insert, or_, select, tuple_

from connector.store import codec
from connector.store.database import the
from connector.store.schema import episode, ledger
from policies.model import Instant, Seconds, TicketRef
from policies.present.explain import because
from policies.rules.undo import DEESCALATED
from policies.state import Cause

DAY = 86_400
ID_DIGITS = 18
"""What every database takes for a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line. `what` is an occurrence's word or the worker's; `who` is a label, or `uptier`. `id` is the
    database's, and None on a line that is not written yet. `data` is whatever JSON belongs to it. People are shown it
    `in_words`."""

    at: Instant
    account: str
    ticket: str
    what: str
    who: str = "uptier"
    policy: str = ""
    episode: str = ""
    level: str | None = None
    owner: str | None = None
    text: str = ""
    policy_hash: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None


_ADD = insert(ledger)
_SAID = tuple(column.name for column in ledger.c if column.name not in ("id", "data"))
_COUNT = select(func.count()).where(
    ledger.c.account == bindparam("of"),
    ledger.c.what == bindparam("of_what"),
    ledger.c.at.between(bindparam("since"), bindparam("now")),
)
_RELEASED = (
    select(ledger.c.ticket, func.max(ledger.c.at).label("at"))
    .where(
        ledger.c.account == bindparam("the_account"),
        or_(ledger.c.ticket == bindparam("the_ticket"), ledger.c.ticket == ""),
        ledger.c.what == "released",
        ledger.c.policy == "",
    )
    .group_by(ledger.c.ticket)
)


def in_words(line: LedgerEntry) -> LedgerEntry:
    """The line as people read it: why a level fired is kept as values (`data["cause"]`), and its text says it. Lines of
    versions that kept words are as they were."""
    cause = line.data.get("cause")
    return line if cause is None else replace(line, text=because(codec.load(Cause, json.dumps(cause))))


def append(connection: Connection, lines: Sequence[LedgerEntry]) -> None:
    """Write lines, in this order."""
    rows = [
        {name: getattr(line, name) for name in _SAID} | {"data": codec.dump(dict[str, Any], dict(line.data))}
        for line in lines
    ]
    if rows:
        connection.execute(_ADD, rows)


def of_ticket(connection: Connection, ref: TicketRef, limit: int = 200) -> tuple[LedgerEntry, ...]:
    """The ticket's newest lines, oldest first."""
    rows = connection.execute(
        select(ledger)
        .where(ledger.c.account == ref.account, ledger.c.ticket == ref.id)
        .order_by(ledger.c.id.desc())
        .limit(limit)
    ).mappings()
    return tuple(reversed([_line(row) for row in rows]))


def of_person(
    connection: Connection, refs: Sequence[TicketRef], who: str, line: int
) -> dict[TicketRef, LedgerEntry]:
    """The newest line of each of these tickets, behind the one with this id, that says what this person did, or what
    became of it."""
    rows = connection.execute(
        select(ledger)
        .where(ledger.c.id > line, ledger.c.who == who)
        .where(tuple_(ledger.c.account, ledger.c.ticket).in_([(each.account, each.id) for each in refs]))
        .order_by(ledger.c.id)
    )
    return {TicketRef(row["account"], row["ticket"]): _line(row) for row in rows.mappings()}


def after(connection: Connection, line: int, limit: int = 500) -> tuple[LedgerEntry, ...]:
    """The lines that follow the line with this id; 0 starts at the beginning."""
    rows = connection.execute(select(ledger).where(ledger.c.id > line).order_by(ledger.c.id).limit(limit))
    return tuple(_line(row) for row in rows.mappings())


def onward(connection: Connection, line: int) -> Iterator[LedgerEntry]:
    """All lines that follow the line with this id, read bit by bit."""
    while lines := after(connection, line):
        yield from lines
        line = lines[-1].id or line


def line_id(text: str) -> int:
    """The id of a line, from what somebody wrote. ValueError says what is wrong."""
    if not text.isdecimal() or len(text) > ID_DIGITS:
        raise ValueError(f"{text[:30]!r} is no line's id; take the `id` of a line that you have read, or 0")
    return int(text)


def newest(connection: Connection, limit: int = 100, before: int | None = None) -> tuple[LedgerEntry, ...]:
    """The newest lines of all accounts, or of those before the line with this id, newest first."""
    older = select(ledger) if before is None else select(ledger).where(ledger.c.id < before)
    rows = connection.execute(older.order_by(ledger.c.id.desc()).limit(limit))
    return tuple(_line(row) for row in rows.mappings())


def newest_id(connection: Connection) -> int:
    """The id of the newest line of all accounts; 0 before the first."""
    return connection.execute(select(func.max(ledger.c.id))).scalar_one() or 0


def since(connection: Connection, what: tuple[str, ...], begin: Instant) -> tuple[LedgerEntry, ...]:
    """The lines of these kinds at or after an instant, oldest first."""
    rows = connection.execute(
        select(ledger).where(ledger.c.what.in_(what), ledger.c.at >= begin).order_by(ledger.c.id)
    )
    return tuple(_line(row) for row in rows.mappings())


def count(connection: Connection, account: str, what: str, since: Instant, now: Instant) -> int:
    """How often this happened on an account at or after an instant and until now."""
    told = {"of": account, "of_what": what, "since": since, "now": now}
    return connection.execute(_COUNT, told).scalar_one()


def by_day(
    connection: Connection, names: Collection[str], what: tuple[str, ...], begin: Instant, days: int
) -> dict[str, tuple[int, ...]]:
    """How often each of these happened on these accounts in each of so many days of 24 hours from `begin` on. It counts
    in the database, along an index."""
    end, which = begin + days * DAY, ((ledger.c.at - begin) // DAY).label("day")
    rows = connection.execute(
        select(ledger.c.what, which, func.count().label("many"))
        .where(ledger.c.account.in_(names), ledger.c.what.in_(what), ledger.c.at >= begin, ledger.c.at < end)
        .group_by(ledger.c.what, which)
    )
    found = {each: [0] * days for each in what}
    for row in rows:
        found[row.what][int(row.day)] = row.many
    return {each: tuple(counts) for each, counts in found.items()}


def by_policy_and_day(
    connection: Connection, what: tuple[str, ...], begin: Instant, days: int
) -> dict[tuple[str, str], tuple[int, ...]]:
    """How often each policy had each of these in each of so many days of 24 hours from `begin` on, by policy and word.
    It counts in the database."""
    end, which = begin + days * DAY, ((ledger.c.at - begin) // DAY).label("day")
    rows = connection.execute(
        select(ledger.c.policy, ledger.c.what, which, func.count().label("many"))
        .where(ledger.c.what.in_(what), ledger.c.at >= begin, ledger.c.at < end, ledger.c.policy != "")
        .group_by(ledger.c.policy, ledger.c.what, which)
    )
    found = dict[tuple[str, str], list[int]]()
    for row in rows:
        found.setdefault((row.policy, row.what), [0] * days)[int(row.day)] = row.many
    return {key: tuple(counts) for key, counts in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of the escalations of a policy: on how many tickets they were, how many were overruled, by a person who
    took them back, and how many were false alarms: somebody answered the customer soon after anyway."""

    escalations: int
    tickets: int
    overruled: int
    false_alarms: int


def came_of(connection: Connection, begin: Instant, soon: Seconds) -> dict[str, Came]:
    """What came of the escalations in which a level fired at or after an instant, by policy; `soon` is how long after
    the first of these a reply makes a false alarm."""
    first = (
        select(
            ledger.c.policy,
            ledger.c.episode,
            func.min(ledger.c.at).label("at"),
            func.min(ledger.c.account + "/" + ledger.c.ticket).label("ticket"),
        )
        .where(ledger.c.what.in_(("fired", "observed")), ledger.c.at >= begin)
        .group_by(ledger.c.policy, ledger.c.episode)
        .subquery()
    )
    overruled = episode.c.reason == DEESCALATED
    false_alarm = (episode.c.reason == "stop_on agent_reply") & (episode.c.ended - first.c.at <= soon)
    rows = connection.execute(
        select(
            first.c.policy,
            func.count().label("escalations"),
            func.count(func.distinct(first.c.ticket)).label("tickets"),
            func.sum(case((overruled, 1), else_=0)).label("overruled"),
            func.sum(case((false_alarm, 1), else_=0)).label("false_alarms"),
        )
        .select_from(first.outerjoin(episode, episode.c.key == first.c.episode))
        .group_by(first.c.policy)
    )
    return {
        row.policy: Came(
            escalations=row.escalations,
            tickets=row.tickets,
            overruled=int(row.overruled),
            false_alarms=int(row.false_alarms),
        )
        for row in rows
    }


def last_released(connection: Connection, ref: TicketRef) -> tuple[Instant, Instant]:
    """When the ticket and when its account as a whole were last released; 0 for never."""
    rows = connection.execute(_RELEASED, the(ref))
    known = {row.ticket: row.at for row in rows}
    return known.get(ref.id, 0), known.get("", 0)


def _line(row: RowMapping) -> LedgerEntry:
    return LedgerEntry(**dict(row) | {"data": codec.load(dict[str, Any], row["data"])})


def last_of_policies(connection: Connection, what: tuple[str, ...]) -> dict[str, Instant]:
    """When each policy last had a line of one of these kinds."""
    rows = connection.execute(
        select(ledger.c.policy, func.max(ledger.c.at).label("at"))
        .where(ledger.c.what.in_(what), ledger.c.policy != "")
        .group_by(ledger.c.policy)
    )
    return {row.policy: row.at for row in rows}
