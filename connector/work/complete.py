"""A ticket as policies judge it: what the helpdesk told, what Uptier itself knows, and the acts recognised."""

from collections.abc import Mapping

from connector.store.database import Store
from connector.work.recent import with_recent
from policies.model import Instant, Need, Ticket
from policies.who import recognise


def complete(
    store: Store, ticket: Ticket, receipts: Mapping[str, frozenset[str]], needs: frozenset[Need], now: Instant
) -> Ticket:
    """The ticket as it was loaded, ready to be judged at `now`. `receipts` are the episodes by our facts."""
    return recognise(with_recent(store, ticket, needs, now), receipts)
