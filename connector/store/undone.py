"""Undos: what was written for each, which episodes can be taken back, and what is under way."""

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select

from connector.store import codec, ledger, writes
from connector.store.episodes import episodes_of
from connector.store.schema import episode as episodes
from connector.store.schema import inbox, still_open
from connector.store.schema import standing as standings
from connector.store.writes import KeptWrite, State
from policies.model import Instant, TicketRef
from policies.rules.undo import SUFFIX, is_undo
from policies.state import Episode, How, Wrote

Acted = tuple[TicketRef, Episode]


def known(connection: Connection, ref: TicketRef) -> tuple[Episode, ...]:
    """The ticket's episodes, and each undo as the episode that made its writes."""
    found = episodes_of(connection, ref)
    ordered = {key: each.policy for each in found for key in _chain(each)}
    written: dict[str, list[Wrote]] = {key: [] for key in ordered}
    for kept in writes.of_ticket(connection, ref):
        for key in kept.episodes & written.keys():
            written[key] += _wrote(kept)
    undos = (
        Episode(
            key=key, policy=ordered[key], number=0, started=0, clock_start=None, wrote=tuple(written[key])
        )
        for key in ordered
    )
    return (*found, *undos)


def _chain(episode: Episode) -> Iterator[str]:
    """The undo that took the episode back, and those that were taken back in turn."""
    key = episode.undone
    while is_undo(key):
        yield key
        key = key.removesuffix(SUFFIX)


def _wrote(kept: KeptWrite) -> Iterator[Wrote]:
    receipt = kept.receipt
    if receipt is None or kept.state is not State.DONE:
        return
    fact = receipt.facts[0] if receipt.facts else receipt.revision
    for name, before, after in receipt.changed:
        yield Wrote(field=name, before=before, after=after, fact=fact)


def ticket_of(connection: Connection, key: str) -> TicketRef | None:
    """The ticket of this episode, or undo."""
    while is_undo(key):
        key = key.removesuffix(SUFFIX)
    row = connection.execute(
        select(episodes.c.account, episodes.c.ticket).where(episodes.c.key == key)
    ).first()
    return None if row is None else TicketRef(row.account, row.ticket)


def undos(
    connection: Connection, policy: str, since: Instant, account: str | None
) -> tuple[tuple[TicketRef, str], ...]:
    """The undos of a policy's episodes since then that have not been taken back."""
    found: dict[TicketRef, str] = {}
    for line in ledger.since(connection, ("undone",), since):
        if line.policy != policy or account not in (None, line.account):
            continue
        ref = TicketRef(line.account, line.ticket)
        last = {each.undone for each in episodes_of(connection, ref) if each.key == line.episode}
        for key in last:
            if key.count(SUFFIX) % 2:
                found[ref] = key
    return tuple(found.items())


def acted(connection: Connection, policy: str, since: Instant, account: str | None) -> tuple[Acted, ...]:
    """The episodes of a policy in which a level has fired since then, running or ended."""
    asked = select(episodes.c.account, episodes.c.ticket, episodes.c.memory).where(
        episodes.c.policy == policy, or_(episodes.c.ended.is_(None), episodes.c.ended >= since)
    )
    if account is not None:
        asked = asked.where(episodes.c.account == account)
    found = []
    for row in connection.execute(asked.order_by(episodes.c.account, episodes.c.ticket, episodes.c.number)):
        episode = codec.load(Episode, row.memory)
        own = episode.passed[episode.before :]
        if any(each.how is How.FIRED and each.at >= since for each in own):
            found.append((TicketRef(row.account, row.ticket), episode))
    return tuple(found)


_ordered = (still_open, inbox.c.kind == "command", inbox.c.hint.like('%"verb":"undo"%'))


def is_ordered(connection: Connection, ref: TicketRef) -> bool:
    """Whether an undo is ordered on the ticket that no look has begun to carry out."""
    mine = (inbox.c.account == ref.account, inbox.c.ticket == ref.id)
    return connection.execute(select(inbox.c.id).where(*mine, *_ordered).limit(1)).first() is not None


def under_way(connection: Connection) -> frozenset[TicketRef]:
    """The tickets on which an undo has been ordered, or goes on."""
    rows = connection.execute(
        select(standings.c.account, standings.c.ticket).where(standings.c.memory.like('%"undo":{%'))
    )
    orders = connection.execute(select(inbox.c.account, inbox.c.ticket).where(*_ordered))
    return frozenset(TicketRef(row.account, row.ticket) for row in (*rows, *orders))
