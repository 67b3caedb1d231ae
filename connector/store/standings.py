"""What each policy remembers of a ticket, and what comes next by it; what Uptier wrote on it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from connector.store import codec
from connector.store.database import put, rows_of, the
from connector.store.episodes import episodes_of, keep_episodes
from connector.store.schema import standing as standing_table
from connector.store.schema import ticket as ticket_table
from policies.model import TicketRef
from policies.rules.judgement import Coming
from policies.state import Episode, Standing, Wrote

_MINE = rows_of(standing_table.c.account, standing_table.c.ticket)
_STANDINGS = (
    select(standing_table.c.policy, standing_table.c.memory).where(*_MINE).order_by(standing_table.c.policy)
)


def standings_of(connection: Connection, ref: TicketRef) -> tuple[Standing, ...]:
    """What the policies remember of this ticket, in the order of their names."""
    rows = connection.execute(_STANDINGS, the(ref))
    return tuple(codec.load(Standing, row.memory) for row in rows)


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


def remember_standings(
    connection: Connection,
    ref: TicketRef,
    standings: Sequence[Standing],
    *,
    before: Iterable[Standing],
    ended: Iterable[Episode] = (),
    ahead: Mapping[str, Coming] | None = None,
    was_ahead: Mapping[str, Coming] | None = None,
) -> None:
    """Keep exactly these standings for the ticket, and the episodes in them, where it had those of `before`; and the
    episodes that have ended. `ahead` is what comes next by each policy, where it `was_ahead` so far; None leaves that
    as it is. Only what differs is written."""
    kept, was = {one.policy: one for one in before}, was_ahead or {}
    if gone := kept.keys() - {one.policy for one in standings}:
        connection.execute(delete(standing_table).where(*_MINE, standing_table.c.policy.in_(gone)), the(ref))
    own = {"account": ref.account, "ticket": ref.id}
    rows: list[dict[str, Any]] = []
    changed: list[Episode] = []
    for one in standings:
        is_other = kept.get(one.policy) != one
        if is_other and one.episode is not None:
            changed.append(one.episode)
        row: dict[str, Any] = own | {"policy": one.policy, "memory": one}
        if ahead is not None:
            comes = ahead.get(one.policy)
            is_other = is_other or comes != was.get(one.policy)
            row |= {"due": None, "acts": None, "coming": None}
            if comes is not None:
                row |= {
                    "due": comes.due,
                    "acts": comes.acts,
                    "coming": codec.dump(Coming, comes, sparse=True),
                }
        if is_other:
            rows.append(row | {"memory": codec.dump(Standing, one)})
    put(connection, standing_table, rows)
    keep_episodes(connection, ref, [*changed, *ended])


_NOTHING_COMES = (
    update(standing_table)
    .where(*_MINE, standing_table.c.due.is_not(None))
    .where(
        exists().where(
            ticket_table.c.account == standing_table.c.account,
            ticket_table.c.id == standing_table.c.ticket,
            ticket_table.c.gone.is_not(None),
        )
    )
    .values(due=None, acts=None, coming=None)
)


def nothing_comes(connection: Connection, ref: TicketRef) -> None:
    """On a ticket that is known to be gone no policy waits for anything any more."""
    connection.execute(_NOTHING_COMES, the(ref))


def wrote_on(connection: Connection, ref: TicketRef) -> tuple[Wrote, ...]:
    """What Uptier wrote over what on a ticket, in episodes that run or have ended, oldest first. Of one that runs the
    policies' own memory is the later."""
    running = (each.episode for each in standings_of(connection, ref) if each.episode)
    episodes_by_key = {each.key: each for each in (*episodes_of(connection, ref), *running)}
    began = sorted(episodes_by_key.values(), key=lambda each: each.started)
    return tuple(one for each in began for one in each.wrote)
