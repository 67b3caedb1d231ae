"""Tickets: the last facts of each, and what the last look made of them."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from connector.store import codec
from connector.store.database import advisory_lock, insert_in, put, rows_of, the
from connector.store.schema import aside as aside_table
from connector.store.schema import inbox as inbox_table
from connector.store.schema import is_open_ticket, timer
from connector.store.schema import standing as standing_table
from connector.store.schema import still_open as still_waiting
from connector.store.schema import ticket as ticket_table
from connector.store.standings import nothing_comes
from policies.history import with_moves
from policies.model import Instant, Need, Person, Seconds, Status, Ticket, TicketRef
from policies.rules.judgement import Judgement

CLOSED = (Status.SOLVED, Status.CLOSED)

NO_LOOK: dict[str, Any] = {
    "trace": "[]",
    "next_look": None,
    "matched": False,
    "owner": None,
    "policy_hash": None,
    "settled_revision": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTicket:
    """A ticket as it was last seen, without the texts people wrote. `judged` is what the last look came to, empty
    before the first, None if a version of Uptier made it that kept words in its place; `matched` says whether some
    policy could apply; `owner` is the escalation's. `settled` says that the last look read just this, and that it can
    no longer stand for anything newer."""

    ticket: Ticket
    judged: tuple[Judgement, ...] | None
    seen_at: Instant
    next_look: Instant | None
    matched: bool
    owner: str | None
    policy_hash: str | None
    settled: bool = False


def record_snapshots(connection: Connection, tickets: Iterable[Ticket], now: Instant) -> None:
    """Keep rows of a feed or a census, where nothing newer is known. The last look's results stay, and the
    organization that a row hides. So does the history that was loaded before: such a row tells none, and reports
    are made from it. On one that is gone nothing comes any more."""
    ordered = sorted(tickets, key=attrgetter("ref"))  # two transactions must not wait for each other
    listed = tuple(_with_history(connection, tuple(ordered)))
    for nameless, keep in ((False, frozenset(NO_LOOK)), (True, frozenset(NO_LOOK) | {"organization"})):
        rows = [_facts(ticket, now) | NO_LOOK for ticket in listed if _is_nameless(ticket) is nameless]
        put(
            connection,
            ticket_table,
            rows,
            keep=keep,
            only_if=_is_not_older,
        )
    for ticket in ordered:
        if ticket.gone:
            nothing_comes(connection, ticket.ref)


def _is_not_older(new: Any) -> ColumnElement[bool]:
    stands: ColumnElement[bool] = ticket_table.c.updated <= new.updated
    return stands


class Superseded(Exception):
    """Another process has taken the ticket over, because this one did not answer for a while. Nothing more is done
    here, neither to the ticket nor to its rows."""


def record_look(
    connection: Connection,
    ticket: Ticket,
    judged: tuple[Judgement, ...],
    *,
    now: Instant,
    next_look: Instant | None,
    matched: bool,
    owner: str | None,
    policy_hash: str,
    settle: Seconds = 2,
    number: int | None = None,
) -> bool:
    """Keep the ticket as it was loaded, and what was made of it. False when a feed has shown a newer
    revision meanwhile: its facts stay, and the caller sees to it that the ticket is looked at again. Raises Superseded
    if this is not the ticket's look of that `number`: somebody has stored another, and theirs counts.

    The revision counts as settled if it had stood for `settle` seconds when it was read; only then does a
    feed row with the same revision tell nothing new.
    """
    look = {
        "trace": codec.dump(tuple[Judgement, ...], judged, sparse=True),
        "next_look": next_look,
        "matched": matched,
        "owner": owner,
        "policy_hash": policy_hash,
        "settled_revision": ticket.revision if ticket.read_at - ticket.updated >= settle else None,
    }
    facts = _facts(ticket, now)
    statement = _looked(connection.dialect.name, tuple(facts), tuple(look))
    stored = connection.execute(statement, facts | look | {"looks": 1}).one()
    if number is not None and stored.looks != number:
        raise Superseded(f"another process has stored a look at {ticket.ref} meanwhile")
    newest: bool = stored.updated <= ticket.updated
    return newest


@lru_cache(maxsize=4)
def _looked(dialect: str, facts: tuple[str, ...], look: tuple[str, ...]) -> ReturningInsert[Any]:
    """What a look found and made of it: a newer ticket keeps its facts, and one more look is counted."""
    statement = insert_in(dialect, ticket_table)
    new, old = statement.excluded, ticket_table.c
    newest = old.updated <= new.updated
    changed: dict[str, Any] = {name: case((newest, new[name]), else_=old[name]) for name in facts}
    changed |= {name: new[name] for name in look} | {"looks": old.looks + 1}
    statement = statement.on_conflict_do_update(index_elements=["account", "id"], set_=changed)
    return statement.returning(old.updated, old.looks)


_THIS = rows_of(ticket_table.c.account, ticket_table.c.id)
_LOOKS = select(ticket_table.c.looks).where(*_THIS)
_KNOWN = select(ticket_table).where(*_THIS)


def _recent(column: ColumnElement[Any]) -> Select[Any]:
    return (
        select(func.count())
        .where(ticket_table.c.account == bindparam("the_account"), column == bindparam("value"))
        .where(ticket_table.c.created > bindparam("since"))
        .where(ticket_table.c.id != bindparam("the_ticket"), ticket_table.c.gone.is_(None))
    )


_RECENT_OF_REQUESTER = _recent(ticket_table.c.requester)
_RECENT_OF_ORGANIZATION = _recent(ticket_table.c.organization)
_LOADS = (
    select(ticket_table.c.assignee, func.count().label("open"))
    .where(ticket_table.c.account == bindparam("of"), is_open_ticket)
    .where(ticket_table.c.assignee.in_(bindparam("people", expanding=True)))
    .group_by(ticket_table.c.assignee)
)
_ASSIGN = (
    update(ticket_table)
    .where(*_THIS)
    .values(assignee=bindparam("person"))
    .returning(case((ticket_table.c.facts.like('%"actors_hidden":true%'), ticket_table.c.facts)))
)


def looks(connection: Connection, ref: TicketRef) -> int:
    """How many looks have been stored."""
    stored: int | None = connection.execute(_LOOKS, the(ref)).scalar()
    return stored or 0


def claim(connection: Connection, ref: TicketRef, seen: int) -> bool:
    """Until this transaction ends, nobody else stores a look at the ticket or sends for it. False if somebody has
    stored one since there were `seen`: then theirs counts."""
    advisory_lock(connection, str(ref))
    return looks(connection, ref) == seen


def known(connection: Connection, ref: TicketRef) -> KnownTicket | None:
    """What is known of one ticket."""
    row = connection.execute(_KNOWN, the(ref)).first()
    if row is None:
        return None
    return KnownTicket(
        ticket=replace(codec.load(Ticket, row.facts), gone=row.gone),
        judged=codec.load_judged(row.trace),
        seen_at=row.seen_at,
        next_look=row.next_look,
        matched=row.matched,
        owner=row.owner,
        policy_hash=row.policy_hash,
        settled=row.settled_revision == row.revision,
    )


def meant(connection: Connection, said: TicketRef) -> tuple[TicketRef, ...]:
    """Which tickets a person can mean who says this: the one of that id, else those of that number, capitals or not.
    None where neither has been seen. By number it reads through the tickets of the account."""
    if connection.execute(_LOOKS, the(said)).first() is not None:
        return (said,)
    written = json.dumps(said.id, ensure_ascii=False)
    found = connection.execute(
        select(ticket_table.c.facts)
        .where(ticket_table.c.account == said.account)
        .where(ticket_table.c.facts.icontains(f'"number":{written}', autoescape=True))
    )
    held = (codec.load(Ticket, row.facts) for row in found)
    return tuple(sorted(one.ref for one in held if one.number.casefold() == said.id.casefold()))


def names(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """How people know these tickets, each named `account/id`. What is no ticket, or has not been seen, is known by its
    key."""
    found = {key: key for key in keys}
    by_account: dict[str, list[str]] = {}
    for key in found:
        account, _, ticket = key.partition("/")
        by_account.setdefault(account, []).append(ticket)
    for account, ids in by_account.items():
        rows = connection.execute(
            select(ticket_table.c.facts)
            .where(ticket_table.c.account == account, ticket_table.c.id.in_(ids))
            .where(ticket_table.c.facts.not_like('%"number":"",%'))
        )
        read = (codec.load(Ticket, row.facts) for row in rows)
        found |= {str(one.ref): one.name for one in read}
    return found


def recent(connection: Connection, of: Ticket, since: Instant) -> tuple[int | None, int | None]:
    """How many other tickets of the same requester, and of the same organization, were created after `since`. None
    where the ticket has no such person or organization."""

    def others(question: Select[Any], value: str | None) -> int | None:
        if not value:
            return None
        found: int = connection.execute(question, the(of.ref, value=value, since=since)).scalar_one()
        return found

    return (
        others(_RECENT_OF_REQUESTER, of.requester.id if of.requester else None),
        others(_RECENT_OF_ORGANIZATION, of.organization),
    )


def uncovered(connection: Connection, account: str, limit: int) -> tuple[Ticket, ...]:
    """Open tickets for which no policy has been at their last look, the oldest revision first."""
    rows = connection.execute(
        select(ticket_table.c.facts)
        .where(ticket_table.c.account == account, ticket_table.c.matched.is_(False), is_open_ticket)
        .order_by(ticket_table.c.updated, ticket_table.c.id)
        .limit(limit)
    )
    return tuple(codec.load(Ticket, row.facts) for row in rows)


def may_be_due(
    connection: Connection, account: str, at: Instant, policy_hash: str, *, matched: bool
) -> tuple[Ticket, ...]:
    """Tickets about which something may be to do at an instant: never looked at, looked at with other policies, due by
    then, or with news that nobody has looked at; and with `matched`, those to which some policy applied. What is due
    first comes first."""
    news = exists().where(
        inbox_table.c.account == account,
        inbox_table.c.ticket == ticket_table.c.id,
        inbox_table.c.done_at.is_(None),
    )
    due = ticket_table.c.next_look <= at
    alive = or_(ticket_table.c.status.not_in(CLOSED), (ticket_table.c.status == "solved") & or_(due, news))
    asked = [
        ticket_table.c.policy_hash.is_(None),
        ticket_table.c.policy_hash != policy_hash,
        due,
        news,
    ]
    rows = connection.execute(
        select(ticket_table.c.facts)
        .where(ticket_table.c.account == account, ticket_table.c.gone.is_(None), alive)
        .where(or_(*asked, ticket_table.c.matched if matched else false()))
        .order_by(func.coalesce(ticket_table.c.next_look, ticket_table.c.updated), ticket_table.c.id)
    )
    return tuple(codec.load(Ticket, row.facts) for row in rows)


def some_open(connection: Connection, account: str, begins: str, limit: int) -> tuple[str, ...]:
    """The ids of some open tickets of an account that begin so."""
    mine = ticket_table.c.account == account, ticket_table.c.id.startswith(begins, autoescape=True)
    question = select(ticket_table.c.id).where(*mine, is_open_ticket).limit(limit)
    return tuple(connection.execute(question).scalars())


def count_open(connection: Connection, account: str) -> int:
    """How many open tickets of the account are known."""
    found = (
        select(func.count())
        .select_from(ticket_table)
        .where(ticket_table.c.account == account, is_open_ticket)
    )
    return int(connection.execute(found).scalar_one())


def assigned_to(connection: Connection, account: str, people: frozenset[str]) -> tuple[TicketRef, ...]:
    """Open tickets that these people, by their ids, have."""
    rows = connection.execute(
        select(ticket_table.c.id).where(
            ticket_table.c.account == account, ticket_table.c.assignee.in_(people), is_open_ticket
        )
    )
    return tuple(TicketRef(account, row.id) for row in rows)


def loads(connection: Connection, account: str, people: Collection[str]) -> dict[str, int]:
    """How many open tickets each of these people, by id, has; whoever has none is left out."""
    rows = connection.execute(_LOADS, {"of": account, "people": tuple(people)})
    return {row.assignee: row.open for row in rows}


def assign(connection: Connection, ref: TicketRef, person: str | None) -> None:
    """We have given the ticket to the person of this id, or to nobody, and it counts as theirs from now on; the next
    look reads the rest. Where the helpdesk hides who did it, that is kept in its facts too: the next reading must not
    take our doing for somebody else's."""
    facts: str | None = connection.execute(_ASSIGN, the(ref, person=person)).scalar()
    if facts is None or not (held := codec.load(Ticket, facts)).actors_hidden:
        return
    given = replace(held, assignee=None if person is None else Person(id=person, name=person))
    connection.execute(update(ticket_table).where(*_is(ref)).values(facts=codec.dump_facts(given)))


def not_looked_at(
    connection: Connection, account: str, policy: str, besides: TicketRef | None
) -> Iterator[Ticket | None]:
    """The tickets of which news waits and of which this policy remembers nothing yet, as far as they are known. Those
    that cannot be looked at are left out, and so is the one `besides`."""
    waiting = (
        select(inbox_table.c.ticket)
        .where(inbox_table.c.account == account, still_waiting)
        .distinct()
        .subquery()
    )
    seen = exists().where(
        standing_table.c.account == account,
        standing_table.c.ticket == waiting.c.ticket,
        standing_table.c.policy == policy,
    )
    apart = exists().where(
        aside_table.c.account == account,
        aside_table.c.ticket == waiting.c.ticket,
        aside_table.c.kind == "look",
    )
    here = and_(ticket_table.c.account == account, ticket_table.c.id == waiting.c.ticket)
    rows = connection.execute(
        select(ticket_table.c.facts)
        .select_from(waiting.outerjoin(ticket_table, here))
        .where(~seen, ~apart, waiting.c.ticket != (besides.id if besides else ""))
    )
    for row in rows:
        yield None if row.facts is None else codec.load(Ticket, row.facts)


def settled_revisions(connection: Connection, account: str, ids: Iterable[str]) -> dict[str, str]:
    """Of these tickets, the revisions that were looked at and can no longer stand for anything newer."""
    rows = connection.execute(
        select(ticket_table.c.id, ticket_table.c.settled_revision).where(
            ticket_table.c.account == account,
            ticket_table.c.id.in_(tuple(ids)),
            ticket_table.c.settled_revision.is_not(None),
        )
    )
    return {row.id: row.settled_revision for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledTicket:
    """A ticket as its last look found it, in a revision that can no longer stand for anything newer; `judged_by` stands
    for the policies that decided. `awaited` says that it has the timer which that look asked for, `timed` that it has
    one at all."""

    ticket: Ticket
    judged_by: str | None
    awaited: bool
    timed: bool


def settled(connection: Connection, account: str, ids: Iterable[str]) -> dict[str, SettledTicket]:
    """Those of these tickets that are settled, by id."""
    mine = timer.c.account == ticket_table.c.account, timer.c.ticket == ticket_table.c.id
    rows = connection.execute(
        select(
            ticket_table.c.id,
            ticket_table.c.facts,
            ticket_table.c.policy_hash,
            ticket_table.c.next_look,
            timer.c.due,
        )
        .outerjoin_from(ticket_table, timer, and_(*mine))
        .where(ticket_table.c.account == account, ticket_table.c.id.in_(tuple(ids)))
        .where(ticket_table.c.settled_revision == ticket_table.c.revision)
    )
    return {
        row.id: SettledTicket(
            ticket=codec.load(Ticket, row.facts),
            judged_by=row.policy_hash,
            awaited=row.next_look is None or row.due is not None,
            timed=row.due is not None,
        )
        for row in rows
    }


def seen_again(connection: Connection, account: str, ids: Iterable[str], now: Instant) -> None:
    """These tickets have been met as they are known."""
    rows = [{"met": each} for each in ids]
    if rows:
        here = ticket_table.c.account == account, ticket_table.c.id == bindparam("met")
        connection.execute(update(ticket_table).where(*here).values(seen_at=now), rows)


TOLD = (
    "subject", "status", "status_name", "priority", "type", "channel", "tags", "group", "assignee", "requester",
    "organization", "language", "created",
)  # fmt: skip
"""What a row of a list may tell of a ticket, in the words of `Ticket.hidden`; beside it, custom fields."""


def told_by(row: Ticket) -> dict[str, Any]:
    """What this row tells, and does not hide, of what can be told."""
    veiled = {name.partition(".")[0] for name in row.hidden if not name.startswith("custom.")}
    return {name: getattr(row, name) for name in TOLD if name not in veiled}


def is_told_alike(row: Ticket, before: Ticket) -> bool:
    """Whether all that the row tells stood so before."""
    names = {name for name in {*row.custom, *before.custom} if f"custom.{name}" not in row.hidden}
    return all(getattr(before, name) == value for name, value in told_by(row).items()) and all(
        row.custom.get(name) == before.custom.get(name) for name in names
    )


def looked_at(connection: Connection, account: str, revisions: Mapping[str, str]) -> dict[str, Ticket]:
    """Of these tickets, by id, those that a look was taken at and are known at just this revision."""
    if not revisions:
        return {}
    rows = connection.execute(
        select(ticket_table.c.id, ticket_table.c.revision, ticket_table.c.facts).where(
            ticket_table.c.account == account,
            ticket_table.c.id.in_(tuple(revisions)),
            ticket_table.c.looks > 0,
            ticket_table.c.gone.is_(None),
        )
    )
    return {row.id: codec.load(Ticket, row.facts) for row in rows if row.revision == revisions[row.id]}


def settle_revisions(connection: Connection, account: str, revisions: Mapping[str, str]) -> None:
    """These tickets, by id, still are as they were looked at: their revisions can stand for nothing newer any more."""
    for key, revision in sorted(revisions.items()):
        connection.execute(
            update(ticket_table)
            .where(ticket_table.c.account == account, ticket_table.c.id == key)
            .where(ticket_table.c.revision == revision)
            .values(settled_revision=revision)
        )


def open_tickets(
    connection: Connection,
    account: str,
    after: str = "",
    limit: int = 1000,
    seen_since: Instant | None = None,
) -> tuple[Ticket, ...]:
    """The account's open tickets as they are known, in the order of their ids as text, from behind `after`."""
    asked = (
        select(ticket_table.c.facts)
        .where(ticket_table.c.account == account, ticket_table.c.id > after)
        .where(ticket_table.c.status.not_in(CLOSED), ticket_table.c.gone.is_(None))
        .order_by(ticket_table.c.id)
        .limit(limit)
    )
    rows = connection.execute(
        asked if seen_since is None else asked.where(ticket_table.c.seen_at >= seen_since)
    )
    return tuple(codec.load(Ticket, row.facts) for row in rows)


UNKEPT = frozenset({"description", "phrases"})
"""What is not kept of a ticket, in the words of `Ticket.hidden`: the texts that people wrote."""


def as_kept(ticket: Ticket) -> Ticket:
    """The ticket as far as what is kept of it tells: what is not is hidden, and what moves without the ticket is not
    loaded."""
    return replace(
        ticket,
        hidden=ticket.hidden | UNKEPT,
        loaded=ticket.loaded - {Need.RECENT, Need.AVAILABILITY},
    )


def judged_alike(connection: Connection, account: str, before: str, after: str) -> None:
    """The policies that `before` stands for decide on open tickets as those of `after` do, but where a look is owed."""
    connection.execute(
        update(ticket_table)
        .where(ticket_table.c.account == account, ticket_table.c.policy_hash == before, is_open_ticket)
        .values(policy_hash=after)
    )


def _with_history(connection: Connection, rows: tuple[Ticket, ...]) -> Iterator[Ticket]:
    known = {
        TicketRef(row.account, row.id): codec.load(Ticket, row.facts)
        for row in connection.execute(
            select(ticket_table.c.account, ticket_table.c.id, ticket_table.c.facts)
            .where(ticket_table.c.account.in_({row.ref.account for row in rows}))
            .where(
                ticket_table.c.id.in_([row.ref.id for row in rows]),
                ticket_table.c.facts.not_like('%"loaded":[]%'),
            )
            .order_by(ticket_table.c.account, ticket_table.c.id)
            .with_for_update()
        )
    }
    for row in rows:
        yield row if row.loaded or row.ref not in known else _after(known[row.ref], row)


def _after(old: Ticket, row: Ticket) -> Ticket:
    if row.revision == old.revision:  # what the row hides is as it was
        told = told_by(row)
        custom = {name: value for name, value in old.custom.items() if f"custom.{name}" in row.hidden}
        untold = {name for name in old.hidden if name.partition(".")[0] not in told.keys() | {"custom"}}
        row = replace(
            old, **told, custom={**row.custom, **custom}, hidden=(old.hidden & row.hidden) | untold,
            targets=row.targets, satisfaction=row.satisfaction, read_at=row.read_at, gone=row.gone,
        )  # fmt: skip
    return replace(
        row,
        messages=old.messages,
        changes=with_moves(replace(row, messages=old.messages, changes=old.changes), old).changes,
        counts=old.counts,
        targets=row.targets or old.targets,
        satisfaction=row.satisfaction or old.satisfaction,
        loaded=old.loaded,
    )


def _is(ref: TicketRef) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ticket_table.c.account == ref.account, ticket_table.c.id == ref.id


def _is_nameless(ticket: Ticket) -> bool:
    """Whether the ticket does not tell its organization's name."""
    return "organization" in ticket.hidden


def _facts(ticket: Ticket, now: Instant) -> dict[str, Any]:
    return {
        "account": ticket.ref.account,
        "id": ticket.ref.id,
        "facts": codec.dump_facts(ticket),
        "revision": ticket.revision,
        "status": ticket.status,
        "updated": ticket.updated,
        "seen_at": now,
        "gone": ticket.gone,
        "requester": ticket.requester.id if ticket.requester else None,
        "assignee": ticket.assignee.id if ticket.assignee else None,
        "organization": None if _is_nameless(ticket) else ticket.organization,
        "created": ticket.created,
    }
