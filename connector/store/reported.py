"""What a report reads: tickets bit by bit, each with its episodes, the first writes of its plans and its orders."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from connector.store import codec
from connector.store.schema import episode, ledger, ticket, write
from connector.store.tickets import CLOSED
from connector.store.writes import State
from policies.model import Instant, Ticket, TicketRef
from policies.rules.judgement import Judgement
from policies.state import Episode

BATCH = 500

ORDERS = ("escalated", "deescalated", "rejected", "undone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The first write of a plan that the helpdesk has carried out: for which episodes, planned and settled when."""

    episodes: frozenset[str]
    planned_at: Instant
    settled_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What a person ordered for an episode: `what` is one of ORDERS."""

    what: str
    episode: str
    level: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One ticket and all that is kept beside it. `judged` is what its last look came to, empty unless an
    episode runs, or where a version of Uptier made that look which kept words in its place."""

    ticket: Ticket
    judged: tuple[Judgement, ...] = ()
    episodes: tuple[Episode, ...] = ()
    sent: tuple[Sent, ...] = ()
    orders: tuple[Ordered, ...] = ()


def tickets(
    connection: Connection, begin: Instant, accounts: frozenset[str] | None = None
) -> Iterator[Reported]:
    """Every ticket that is open or changed at or after `begin`, of these accounts or of all, in the order of
    account and id. Reads some hundred at a time, so that a large database is never in memory at once."""
    last = TicketRef("", "")
    while batch := _batch(connection, begin, accounts, last):
        yield from batch
        last = batch[-1].ticket.ref


def forgotten(connection: Connection, begin: Instant, end: Instant, accounts: frozenset[str] | None) -> int:
    """How many tickets had a level fired or observed in this time, and are no longer kept."""
    same = and_(ticket.c.account == ledger.c.account, ticket.c.id == ledger.c.ticket)
    gone = (
        select(ledger.c.account, ledger.c.ticket)
        .distinct()
        .outerjoin(ticket, same)
        .where(ledger.c.what.in_(("fired", "observed")), ledger.c.at >= begin, ledger.c.at < end)
        .where(ticket.c.id.is_(None), *_among(ledger.c.account, accounts))
    )
    return connection.execute(select(func.count()).select_from(gone.subquery())).scalar_one()


def accounts_seen(connection: Connection) -> tuple[str, ...]:
    """The accounts of which a ticket is kept, by name."""
    return tuple(connection.execute(select(ticket.c.account).distinct().order_by(ticket.c.account)).scalars())


def _among(column: ColumnElement[str], accounts: frozenset[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if accounts is None else (column.in_(accounts),)


def _batch(
    connection: Connection, begin: Instant, accounts: frozenset[str] | None, last: TicketRef
) -> list[Reported]:
    further = and_(ticket.c.account == last.account, ticket.c.id > last.id)
    rows = connection.execute(
        select(ticket.c.account, ticket.c.id, ticket.c.facts, ticket.c.gone, ticket.c.trace)
        .where(or_(ticket.c.account > last.account, further), *_among(ticket.c.account, accounts))
        .where(or_(ticket.c.updated >= begin, ticket.c.status.not_in(CLOSED)))
        .order_by(ticket.c.account, ticket.c.id)
        .limit(BATCH)
    ).all()
    by_account = defaultdict[str, list[str]](list)
    for row in rows:
        by_account[row.account].append(row.id)
    episodes = dict[TicketRef, list[Episode]]()
    sent = dict[TicketRef, list[Sent]]()
    orders = dict[TicketRef, list[Ordered]]()
    for account, ids in by_account.items():
        episodes |= _episodes(connection, account, ids)
        escalated = [ref.id for ref in episodes if ref.account == account]
        sent |= _sent(connection, account, escalated)
        orders |= _orders(connection, account, escalated)
    found = list[Reported]()
    for row in rows:
        ref = TicketRef(row.account, row.id)
        own = tuple(episodes.get(ref, ()))
        runs = any(each.ended is None for each in own)
        found.append(
            Reported(
                ticket=replace(codec.load(Ticket, row.facts), gone=row.gone),
                judged=(codec.load_judged(row.trace) if runs else None) or (),
                episodes=own,
                sent=tuple(sent.get(ref, ())),
                orders=tuple(orders.get(ref, ())),
            )
        )
    return found


def _episodes(connection: Connection, account: str, ids: Sequence[str]) -> dict[TicketRef, list[Episode]]:
    rows = connection.execute(
        select(episode.c.ticket, episode.c.memory)
        .where(episode.c.account == account, episode.c.ticket.in_(ids))
        .order_by(episode.c.started, episode.c.key)
    )
    found = defaultdict[TicketRef, list[Episode]](list)
    for row in rows:
        found[TicketRef(account, row.ticket)].append(codec.load(Episode, row.memory))
    return found


def _sent(connection: Connection, account: str, ids: Sequence[str]) -> dict[TicketRef, list[Sent]]:
    rows = connection.execute(
        select(write.c.ticket, write.c.episodes, write.c.planned_at, write.c.settled_at)
        .where(write.c.account == account, write.c.ticket.in_(ids))
        .where(write.c.place == 0, write.c.state == State.DONE, write.c.settled_at.is_not(None))
    )
    found = defaultdict[TicketRef, list[Sent]](list)
    for row in rows:
        found[TicketRef(account, row.ticket)].append(
            Sent(
                episodes=codec.load(frozenset[str], row.episodes),
                planned_at=row.planned_at,
                settled_at=row.settled_at,
            )
        )
    return found


def _orders(connection: Connection, account: str, ids: Sequence[str]) -> dict[TicketRef, list[Ordered]]:
    rows = connection.execute(
        select(ledger.c.ticket, ledger.c.what, ledger.c.episode, ledger.c.level, ledger.c.text)
        .where(ledger.c.account == account, ledger.c.ticket.in_(ids), ledger.c.what.in_(ORDERS))
        .order_by(ledger.c.id)
    )
    found = defaultdict[TicketRef, list[Ordered]](list)
    for row in rows:
        found[TicketRef(account, row.ticket)].append(
            Ordered(what=row.what, episode=row.episode, level=row.level, text=row.text)
        )
    return found
