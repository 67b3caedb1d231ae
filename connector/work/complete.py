"""A ticket as policies judge it: what the helpdesk told, what Uptier itself knows, and the acts recognised."""

from collections.abc import Mapping

from connector.store import tickets
from connector.store.database import Store
from connector.work.recent import with_recent
from policies.history import recognise, with_moves
from policies.model import Instant, Need, Ticket


def complete(
    store: Store, ticket: Ticket, receipts: Mapping[str, frozenset[str]], needs: frozenset[Need], now: Instant
) -> Ticket:
    """The ticket as it was loaded, ready to be judged at `now`. `receipts` are the episodes by our facts. Where the
    helpdesk hides who changed what, the last reading tells whether somebody else has the ticket since."""
    if ticket.actors_hidden and Need.CHANGES in ticket.loaded:
        with store.reading() as connection:
            known = tickets.known(connection, ticket.ref)
        ticket = with_moves(ticket, known.ticket if known else None)
    return recognise(with_recent(store, ticket, needs, now), receipts)
