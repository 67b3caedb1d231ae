"""Orders of people for a ticket, which wait in the inbox until a look carries them out."""

from collections.abc import Iterable

from sqlalchemy import Connection

from connector.store import codec, standings
from connector.store.inbox import Arrival, OpenRow, put_news
from policies.language.policy import PolicySet
from policies.model import Order, TicketRef
from policies.rules.orders import refusal


def give_order(connection: Connection, ref: TicketRef, order: Order) -> None:
    """Leave an order for the ticket's next look. The same one given twice in a second is one."""
    arrival = Arrival(
        account=ref.account,
        ticket=ref.id,
        delivery=f"order:{ref.id}:{order.verb}:{order.policy or ''}:{order.at}",
        kind="command",
        hint=codec.dump(Order, order),
        received_at=order.at,
    )
    put_news(connection, [arrival])


def refused_order(connection: Connection, ref: TicketRef, order: Order, policies: PolicySet) -> str | None:
    """Why the order could not be carried out as things stand; None if it can. Whoever takes orders asks this, and
    `give`s none that is refused."""
    known = standings.standings_of(connection, ref)
    return refusal(order, known, policies.serving(ref.account))


def orders_among(rows: Iterable[OpenRow]) -> tuple[Order, ...]:
    """The orders among a ticket's news, oldest first. A command without one only asks for a look."""
    return tuple(codec.load(Order, row.hint) for row in rows if row.kind == "command" and row.hint)
