"""Episodes, running and ended: who owned them, how far they went, and all that a policy remembered of them."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, func, select

from connector.store import codec
from connector.store.database import put
from connector.store.schema import episode as episodes
from policies.model import TicketRef
from policies.state import Episode


def keep_episodes(connection: Connection, ref: TicketRef, some: Iterable[Episode]) -> None:
    """Keep these episodes as they are now, running or ended; an ended one stays for reports."""
    rows = [
        {
            "key": one.key,
            "account": ref.account,
            "ticket": ref.id,
            "policy": one.policy,
            "number": one.number,
            "started": one.started,
            "ended": one.ended,
            "reason": one.reason,
            "owner": None if one.owner is None else one.owner.name,
            "level": one.passed[-1].level if one.passed else None,
            "memory": codec.dump(Episode, one),
        }
        for one in some
    ]
    put(connection, episodes, rows)


def episodes_of(connection: Connection, ref: TicketRef) -> tuple[Episode, ...]:
    """All episodes of a ticket, the ended ones too, by start."""
    rows = connection.execute(
        select(episodes.c.memory)
        .where(episodes.c.account == ref.account, episodes.c.ticket == ref.id)
        .order_by(episodes.c.started, episodes.c.key)
    )
    return tuple(codec.load(Episode, row.memory) for row in rows)


def running_levels(connection: Connection, names: Collection[str]) -> tuple[tuple[str, int], ...]:
    """How many tickets of these accounts each level has that was the last of an escalation to fire or to be observed,
    the most first."""
    many = func.count(func.distinct(episodes.c.account + "/" + episodes.c.ticket)).label("many")
    rows = connection.execute(
        select(episodes.c.level, many)
        .where(episodes.c.ended.is_(None), episodes.c.level.is_not(None), episodes.c.account.in_(names))
        .group_by(episodes.c.level)
        .order_by(many.desc(), episodes.c.level)
    )
    return tuple((row.level, row.many) for row in rows)


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
