"""Standings: what each policy remembers of a ticket, and the episodes behind them, kept after they end."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from connector.store import codec
from connector.store.dialect import put
from connector.store.schema import episode as episodes
from connector.store.schema import standing as standing_table
from policies.model import TicketRef
from policies.state import Episode, Standing


def standings_of(connection: Connection, ref: TicketRef) -> tuple[Standing, ...]:
    """What the policies remember of this ticket, in the order of their names."""
    return standings_of_tickets(connection, ref.account, (ref.id,)).get(ref.id, ())


def standings_of_tickets(
    connection: Connection, account: str, ids: Iterable[str]
) -> dict[str, tuple[Standing, ...]]:
    """The same for many tickets of one account, by id; a ticket nothing is remembered of is left out."""
    rows = connection.execute(
        select(standing_table.c.ticket, standing_table.c.memory)
        .where(standing_table.c.account == account, standing_table.c.ticket.in_(tuple(ids)))
        .order_by(standing_table.c.ticket, standing_table.c.policy)
    )
    found: dict[str, tuple[Standing, ...]] = {}
    for row in rows:
        found[row.ticket] = (*found.get(row.ticket, ()), codec.load(Standing, row.memory))
    return found


def remember_standings(connection: Connection, ref: TicketRef, standings: Sequence[Standing]) -> None:
    """Keep exactly these standings for the ticket, and the episodes in them. Only what differs is written."""
    mine = (standing_table.c.account == ref.account, standing_table.c.ticket == ref.id)
    kept = {
        row.policy: row.memory
        for row in connection.execute(select(standing_table.c.policy, standing_table.c.memory).where(*mine))
    }
    memories = {one.policy: codec.dump(Standing, one) for one in standings}
    if gone := kept.keys() - memories.keys():
        connection.execute(delete(standing_table).where(*mine, standing_table.c.policy.in_(gone)))
    own = {"account": ref.account, "ticket": ref.id}
    changed = [one for one in standings if kept.get(one.policy) != memories[one.policy]]
    put(connection, standing_table, [own | {"policy": one.policy, "memory": memories[one.policy]} for one in changed])
    keep_episodes(connection, ref, [one.episode for one in changed if one.episode is not None])


def keep_episodes(connection: Connection, ref: TicketRef, some: Iterable[Episode]) -> None:
    """Keep these episodes as they are now, running or ended; an ended one stays for reports."""
    put(connection, episodes, [_standing_row(ref, episode) for episode in some])


def episodes_of(connection: Connection, ref: TicketRef) -> tuple[Episode, ...]:
    """All episodes of a ticket, the ended ones too, by start."""
    rows = connection.execute(
        select(episodes.c.memory)
        .where(episodes.c.account == ref.account, episodes.c.ticket == ref.id)
        .order_by(episodes.c.started, episodes.c.key)
    )
    return tuple(codec.load(Episode, row.memory) for row in rows)


def running_policies(connection: Connection, limit: int = 500) -> tuple[tuple[TicketRef, Episode], ...]:
    """Episodes that have not ended, the oldest first: who is being escalated now."""
    rows = connection.execute(
        select(episodes.c.account, episodes.c.ticket, episodes.c.memory)
        .where(episodes.c.ended.is_(None))
        .order_by(episodes.c.started, episodes.c.key)
        .limit(limit)
    )
    return tuple((TicketRef(row.account, row.ticket), codec.load(Episode, row.memory)) for row in rows)


def running_for(connection: Connection, account: str, policies: Iterable[str]) -> tuple[TicketRef, ...]:
    """The tickets of an account on which an episode of one of these policies has not ended."""
    rows = connection.execute(
        select(episodes.c.ticket)
        .distinct()
        .where(
            episodes.c.account == account,
            episodes.c.policy.in_(tuple(policies)),
            episodes.c.ended.is_(None),
        )
    )
    return tuple(TicketRef(account, row.ticket) for row in rows)


def _standing_row(ref: TicketRef, episode: Episode) -> dict[str, Any]:
    return {
        "key": episode.key,
        "account": ref.account,
        "ticket": ref.id,
        "policy": episode.policy,
        "number": episode.number,
        "started": episode.started,
        "ended": episode.ended,
        "reason": episode.reason,
        "owner": None if episode.owner is None else episode.owner.name,
        "level": episode.passed[-1].level if episode.passed else None,
        "memory": codec.dump(Episode, episode),
    }
