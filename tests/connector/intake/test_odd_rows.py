"""One row of a page that cannot be read or kept is set aside by name; the page, its cursor and the census go on."""

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.base import Aside, Page
from connector.intake.polling import census_due, poll_account, take_census
from connector.store import accounts, holds, inbox, ledger, tickets
from connector.store.database import Store
from policies.model import Ticket, TicketRef
from policies.state import Standing
from tests.connector.intake.desks import FeedDesk, QuietEngine, listed
from tests.connector.store.samples import a_ticket

NOW = 1000
SOUND = [a_ticket("1"), a_ticket("3")]
ODD: dict[str, Ticket] = {
    "a time no database holds": replace(a_ticket("2"), updated=10**30),
    "a list for a revision": replace(a_ticket("2"), revision=["7"]),  # type: ignore[arg-type]
    "no text for a status": replace(a_ticket("2"), status=7),  # type: ignore[arg-type]
    "a table for an organization": replace(a_ticket("2"), organization={"id": 7}),  # type: ignore[arg-type]
    "an id with a slash": replace(a_ticket("2"), ref=TicketRef("acme", "2/2")),
    "no id": replace(a_ticket("2"), ref=TicketRef("acme", "")),
    "a number for tags": replace(a_ticket("2"), tags=7),  # type: ignore[arg-type]
}


def asides(store: Store) -> list[tuple[str, str]]:
    with store.reading() as connection:
        return [(one.ticket, one.kind) for one in holds.every_aside(connection)]


def known(store: Store) -> set[str]:
    with store.reading() as connection:
        return {each.ref.id for each in tickets.open_tickets(connection, "acme")}


def poll(store: Store, page: Page, engine: QuietEngine, now: int = NOW) -> None:
    with store.writing() as connection:
        accounts.forget_cursor(connection, "acme", "poll")
    poll_account(listed(store, FeedDesk({None: page}), engine, now))


def census(store: Store, page: Page, engine: QuietEngine, now: int = NOW) -> None:
    take_census(listed(store, FeedDesk({None: page}), engine, now))


@pytest.mark.parametrize("feed", [poll, census])
@pytest.mark.parametrize("what", ODD)
def test_a_row_that_cannot_be_kept_is_set_aside_alone(store: Store, feed: Any, what: str) -> None:
    page = Page(tickets=(SOUND[0], ODD[what], SOUND[1]), cursor="c1", more=False)
    engine = QuietEngine()
    feed(store, page, engine)
    assert known(store) >= {"1", "3"}
    assert {"acme/1", "acme/3"} <= {ref for ref, _ in engine.woken}
    if known(store) == {"1", "3"}:
        assert asides(store) == [(ODD[what].ref.id, "row")]
    else:
        assert store.path is not None, "SQLite keeps some of them; PostgreSQL does not"


def test_what_an_adapter_set_aside_is_said_once_looked_at_once_and_gone_when_read_well(store: Store) -> None:
    engine = QuietEngine()
    broken = Page(tickets=(SOUND[0],), cursor="c1", more=False, aside=(Aside(id="2", why="no priority"),))
    with capture_logs() as lines:
        poll(store, broken, engine)
        poll(store, broken, engine, NOW + 60)
    said = [line for line in lines if line["event"] == "set_aside"]
    assert [(line["ticket"], line["why"]) for line in said] == [("acme/2", "no priority")]
    assert [ref for ref, _ in engine.woken].count("acme/2") == 1
    with store.reading() as connection:
        (one,) = holds.every_aside(connection)
        assert (one.ticket, one.kind, one.tries, one.since) == ("2", "row", 2, NOW)
        assert [line.what for line in ledger.of_ticket(connection, TicketRef("acme", "2"))] == ["set aside"]
    poll(store, Page(tickets=(a_ticket("2"),), cursor="c1", more=False), engine, NOW + 120)
    assert asides(store) == []
    with store.reading() as connection:
        lines_of_2 = ledger.of_ticket(connection, TicketRef("acme", "2"))
    assert [line.what for line in lines_of_2] == ["set aside", "no longer aside"]


def test_a_census_that_does_not_meet_it_again_forgets_it(store: Store) -> None:
    engine = QuietEngine()
    broken = (Aside(id="2", why="odd"), Aside(id="", why="null"))
    poll(store, Page(tickets=(), cursor="c1", more=False, aside=broken), engine)
    census(store, Page(tickets=(), cursor="c1", more=False, aside=broken[1:]), engine, NOW + 60)
    assert asides(store) == [("", "row")]
    census(store, Page(tickets=(), cursor="c1", more=False), engine, NOW + 120)
    assert asides(store) == []


def test_what_a_page_may_have_missed_is_said_and_a_census_asked_for(store: Store) -> None:
    engine = QuietEngine()
    census(store, Page(tickets=(), cursor="c", more=False), engine)
    missed = Page(tickets=(), cursor="c1", more=False, remarks=("more than 300 pages in one second",))
    poll(store, missed, engine, NOW + 1)
    with store.reading() as connection:
        (one,) = holds.every_aside(connection)
        assert (one.kind, one.why) == ("gap in the feed", "more than 300 pages in one second")
        assert census_due(connection, "acme", NOW + 2)
    census(store, Page(tickets=(), cursor="c", more=False), engine, NOW + 3)
    with store.reading() as connection:
        assert not census_due(connection, "acme", NOW + 4)
        assert accounts.get(connection, "acme") is not None
    assert asides(store) == []


def test_a_question_that_breaks_on_a_row_leaves_the_rest(store: Store) -> None:
    def odd(ticket: Ticket, _standings: tuple[Standing, ...]) -> bool:
        if ticket.ref.id == "1":
            raise KeyError("odd")
        return True

    page = Page(tickets=tuple(SOUND), cursor="c1", more=False)
    poll_account(listed(store, FeedDesk({None: page}), QuietEngine(), NOW, odd))
    with store.reading() as connection:
        assert inbox.open_rows(connection, TicketRef("acme", "3"))
        assert inbox.open_rows(connection, TicketRef("acme", "1")), "looked at all the same"
