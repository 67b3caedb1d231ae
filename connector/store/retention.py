"""What is forgotten: news that was looked at, words that were written, tickets that are over."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, delete, or_, select, update

from adapters.base import Write
from connector.store import budgets, codec, inbox, nodes, policy_texts
from connector.store.database import Store
from connector.store.schema import aside, episode, ledger, notice, receipt, standing, ticket, timer
from connector.store.schema import write as writes
from connector.store.writes import ENDED
from policies.model import Instant, Seconds

NEWS: Seconds = 7 * 86400
"""News that was looked at: long enough to know the redelivery of a webhook."""

OVER = ("solved", "closed")
BATCH = 500
SPENT: Seconds = 86400
"""Requests that were counted: longer than any helpdesk's window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much went."""

    news: int = 0
    texts: int = 0
    tickets: int = 0
    lines: int = 0
    policies: int = 0

    def __add__(self, other: "Forgotten") -> "Forgotten":
        return Forgotten(
            news=self.news + other.news,
            texts=self.texts + other.texts,
            tickets=self.tickets + other.tickets,
            lines=self.lines + other.lines,
            policies=self.policies + other.policies,
        )


def forget(store: Store, now: Instant, *, texts: Seconds, tickets: Seconds, ledger: Seconds) -> Forgotten:
    """Forget what is older, one transaction a batch. A policy's text goes with the ledger's last line of it."""
    total = Forgotten()
    with store.writing() as connection:
        budgets.forget_spending(connection, now - SPENT)
        nodes.forget_silent(connection, now - SPENT)
    while (batch := forget_batch(store, now, texts, tickets, ledger)) != Forgotten():
        total += batch
    with store.writing() as connection:
        return total + Forgotten(policies=policy_texts.forget_policy_texts(connection, now - ledger))


def forget_batch(store: Store, now: Instant, texts: Seconds, tickets: Seconds, lines: Seconds) -> Forgotten:
    """Forget at most so much that others need not wait long."""
    with store.writing() as connection:
        return Forgotten(
            news=inbox.forget_done(connection, now - NEWS),
            texts=forget_texts(connection, now - texts) + forget_notices(connection, now - texts),
            tickets=forget_tickets(connection, now - tickets),
            lines=forget_lines(connection, now - lines),
        )


def forget_texts(connection: Connection, before: Instant) -> int:
    """Take the words out of writes that ended before; their keys stay, so that nothing is written twice."""
    rows = connection.execute(
        select(writes.c.key, writes.c.request)
        .where(writes.c.state.in_(ENDED), writes.c.settled_at < before, writes.c.request.contains('"body"'))
        .limit(BATCH)
    ).all()
    for row in rows:
        bare = replace(codec.load(Write, row.request), intent=(), request={})
        connection.execute(
            update(writes).where(writes.c.key == row.key).values(request=codec.dump(Write, bare))
        )
    return len(rows)


def forget_notices(connection: Connection, before: Instant) -> int:
    """Take the words out of notices that ended before."""
    keys = connection.execute(
        select(notice.c.key).where(notice.c.settled_at < before, notice.c.body != "").limit(BATCH)
    ).scalars()
    ended = notice.c.key.in_(keys.all())
    return connection.execute(update(notice).where(ended).values(title="", body="")).rowcount


def forget_lines(connection: Connection, before: Instant) -> int:
    """Forget the ledger's oldest lines; they stand in the order of their ids."""
    rows = connection.execute(select(ledger.c.id, ledger.c.at).order_by(ledger.c.id).limit(BATCH)).all()
    old = [row.id for row in rows if row.at < before]
    connection.execute(delete(ledger).where(ledger.c.id.in_(old)))
    return len(old)


def forget_tickets(connection: Connection, before: Instant) -> int:
    """Forget tickets that are over and were not seen since: their facts, memory, writes, notices and receipts."""
    rows = connection.execute(
        select(ticket.c.account, ticket.c.id)
        .where(ticket.c.seen_at < before, or_(ticket.c.status.in_(OVER), ticket.c.gone.is_not(None)))
        .limit(BATCH)
    ).all()
    for row in rows:
        for table in (standing, episode, writes, notice, receipt, timer, aside):
            connection.execute(
                delete(table).where(and_(table.c.account == row.account, table.c.ticket == row.id))
            )
        connection.execute(delete(ticket).where(ticket.c.account == row.account, ticket.c.id == row.id))
    return len(rows)
