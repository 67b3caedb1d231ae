"""What Uptier itself knows beside a ticket: how many others the same people opened lately."""

from dataclasses import replace

from connector.store import tickets
from connector.store.database import Store
from policies.model import Instant, Need, Recent, Seconds, Ticket

WINDOW: Seconds = 7 * 86400
"""How far back a ticket counts as recent."""


def with_recent(store: Store, ticket: Ticket, needs: frozenset[Need], now: Instant) -> Ticket:
    """The ticket with the numbers of recent tickets, itself included, if a policy needs them."""
    if Need.RECENT not in needs:
        return ticket
    since = now - WINDOW
    own = int(ticket.created > since)
    with store.reading() as connection:
        of_requester, of_organization = tickets.recent(connection, ticket, since)
    recent = Recent(
        of_requester=None if of_requester is None else of_requester + own,
        of_organization=None if of_organization is None else of_organization + own,
    )
    return replace(ticket, recent=recent, loaded=ticket.loaded | {Need.RECENT})
