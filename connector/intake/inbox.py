"""How news becomes inbox rows: a name for each delivery, and what of a page needs a look at all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from adapters.base import Event
from connector.store import inbox, standings, tickets
from connector.store.inbox import Arrival, Kind
from policies.memory import Standing
from policies.model import Instant, Seconds, Ticket, TicketRef

SETTLED: Seconds = 2
"""Vendors stamp revisions to the second."""

CouldMatter = Callable[[Ticket, tuple[Standing, ...]], bool]
"""Whether any policy could have something to say about this snapshot, given what it remembers. Pure, quick,
and true when in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of a page: how many rows it had, and the tickets that now are owed a look."""

    rows: int
    woken: tuple[TicketRef, ...]


def from_webhook(account: str, events: Iterable[Event], now: Instant) -> tuple[Arrival, ...]:
    """The rows of one webhook request. A redelivery gets the same name as the first."""
    return tuple(
        Arrival(
            account=account,
            ticket=event.ref.id,
            delivery=f"webhook:{event.delivery}",
            kind="webhook",
            hint=event.hint,
            received_at=now,
        )
        for event in events
    )


def take_in_poll(
    connection: Connection, account: str, page: tuple[Ticket, ...], could_matter: CouldMatter, now: Instant
) -> TakenIn:
    """Keep a page of a feed. A revision that was looked at before tells nothing new."""
    looked_at = tickets.settled_revisions(connection, account, (ticket.ref.id for ticket in page))
    news = tuple(ticket for ticket in page if ticket.gone or looked_at.get(ticket.ref.id) != ticket.revision)
    return _take_in(connection, account, "poll", news, could_matter, now)


def take_in_census(
    connection: Connection,
    account: str,
    run: str,
    page: tuple[Ticket, ...],
    could_matter: CouldMatter,
    now: Instant,
) -> TakenIn:
    """Keep a page of the census named `run`. It asks for unchanged tickets too: their deadlines move."""
    return _take_in(connection, account, "census", page, could_matter, now, run)


def _take_in(
    connection: Connection,
    account: str,
    kind: Kind,
    page: tuple[Ticket, ...],
    could_matter: CouldMatter,
    now: Instant,
    run: str = "",
) -> TakenIn:
    """Record all, open a row for what could matter, close at once what could not.

    What policies remember is read in this same transaction, behind the rows of the tickets, which a look that is
    being stored holds: read earlier, an episode begun meanwhile would not hear that its ticket changed.
    """
    tickets.record_snapshots(connection, page, now)
    remembered = standings.of_tickets(connection, account, (ticket.ref.id for ticket in page))
    arrivals = [
        Arrival(
            account=account,
            ticket=ticket.ref.id,
            delivery=_delivery(kind, run, ticket),
            kind=kind,
            hint=ticket.gone or "",
            received_at=now,
            done_at=None if ticket.gone or could_matter(ticket, remembered.get(ticket.ref.id, ())) else now,
        )
        for ticket in page
    ]
    return TakenIn(rows=len(page), woken=inbox.put(connection, arrivals))


def _delivery(kind: Kind, run: str, ticket: Ticket) -> str:
    """A name for this state of the ticket. While a revision is younger than its stamp is exact, the same
    stamp may come to stand for another state: then the time of reading is part of the name."""
    fresh = ticket.read_at if ticket.read_at - ticket.updated < SETTLED else ""
    return ":".join((kind, run, ticket.ref.id, ticket.revision, ticket.gone or "", str(fresh)))
