"""Samples for the tests of the store, the intake and the engine."""

from dataclasses import replace
from typing import Any

from adapters.base import Write
from connector.store.inbox import Arrival
from policies.model import Status, Ticket, TicketRef
from policies.plan import ChangeTags

REF = TicketRef("acme", "1")


def a_ticket(number: str = "1", account: str = "acme", **changes: Any) -> Ticket:
    """An open ticket, updated at 100 and read ten seconds later."""
    ticket = Ticket(
        ref=TicketRef(account, number),
        link=f"https://acme.test/{number}",
        subject="The printer is down",
        status=Status.OPEN,
        status_name="Open",
        created=50,
        updated=100,
        read_at=110,
        revision="r100",
    )
    return replace(ticket, **changes)


def an_arrival(delivery: str = "d1", **changes: Any) -> Arrival:
    """A webhook about ticket acme/1."""
    arrival = Arrival(account="acme", ticket="1", delivery=delivery, kind="webhook", received_at=100)
    return replace(arrival, **changes)


def a_write(key: str = "acme/1:p:1:L1:1", **changes: Any) -> Write:
    """A write that adds a tag to acme/1."""
    tags = ChangeTags(add=frozenset({"escalated"}))
    return replace(Write(key=key, ref=REF, expects="r100", intent=(tags,), request={"tag": "x"}), **changes)
