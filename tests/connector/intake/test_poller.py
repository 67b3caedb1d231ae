"""The feed is read to its end, page by page, and nothing is lost or asked for twice."""

from typing import Any

import pytest
from sqlalchemy import Connection

from adapters.base import Page, TryLater
from connector.intake.inbox import CouldMatter
from connector.intake.polling import Polled, poll_account
from connector.store import accounts, inbox, tickets
from connector.store.database import Store
from connector.store.standings import remember_standings
from policies.model import Ticket, TicketRef
from policies.state import Standing
from tests.connector.intake.desks import FeedDesk, QuietEngine, always, listed, never
from tests.connector.store.samples import REF, a_ticket

NOW = 1000


def a_page(*rows: Ticket, cursor: str = "c1", more: bool = False) -> Page:
    return Page(tickets=rows, cursor=cursor, more=more)


def poll(
    store: Store, desk: Any, engine: QuietEngine, could_matter: CouldMatter = always, now: int = NOW
) -> Polled:
    return poll_account(listed(store, desk, engine, now, could_matter))


def cursor(store: Store) -> str | None:
    with store.reading() as connection:
        return accounts.read_cursor(connection, "acme", "poll")


def backlog(store: Store) -> int:
    with store.reading() as connection:
        return inbox.backlog(connection)


@pytest.fixture
def engine() -> QuietEngine:
    return QuietEngine()


def test_pages_are_read_until_none_waits(store: Store, engine: QuietEngine) -> None:
    first = a_page(a_ticket("1"), a_ticket("2"), cursor="c1", more=True)
    desk = FeedDesk({None: first, "c1": a_page(a_ticket("3"), cursor="c2")})
    assert poll(store, desk, engine) == Polled(pages=2, rows=3, woken=3)
    assert desk.asked == [(None, 700), ("c1", 700)]
    assert engine.woken == [("acme/1", False), ("acme/2", False), ("acme/3", False)]
    assert cursor(store) == "c2"


def test_the_next_poll_goes_on_and_the_beginning_stays(store: Store, engine: QuietEngine) -> None:
    desk = FeedDesk({None: a_page(cursor="c1"), "c1": a_page(cursor="c1")})
    poll(store, desk, engine)
    poll(store, desk, engine, now=NOW + 60)
    assert desk.asked == [(None, 700), ("c1", 700)]


def test_an_error_keeps_the_pages_before_it(store: Store, engine: QuietEngine) -> None:
    pages: dict[str | None, Page | Exception] = {
        None: a_page(a_ticket("1"), cursor="c1", more=True),
        "c1": TryLater("busy", 30),
    }
    desk = FeedDesk(pages)
    with pytest.raises(TryLater):
        poll(store, desk, engine)
    assert (cursor(store), backlog(store)) == ("c1", 1)
    pages["c1"] = a_page(a_ticket("2"), cursor="c2")
    assert poll(store, desk, engine).woken == 1
    assert desk.asked[-1] == ("c1", 700)


def test_a_crash_between_page_and_cursor_keeps_neither(
    store: Store, engine: QuietEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = FeedDesk({None: a_page(a_ticket("1"), cursor="c1")})
    save = accounts.save_cursor

    def crash(connection: Connection, account: str, feed: str, value: str, now: int) -> None:
        if feed == "poll":
            raise ZeroDivisionError
        save(connection, account, feed, value, now)

    with monkeypatch.context() as patch:
        patch.setattr("connector.store.accounts.save_cursor", crash)
        with pytest.raises(ZeroDivisionError):
            poll(store, desk, engine)
    assert (cursor(store), backlog(store), engine.woken) == (None, 0, [])
    assert poll(store, desk, engine).woken == 1


def test_a_row_told_twice_is_kept_once(store: Store, engine: QuietEngine) -> None:
    desk = FeedDesk({None: a_page(a_ticket(), cursor="c1"), "c1": a_page(a_ticket(), cursor="c2")})
    poll(store, desk, engine)
    assert poll(store, desk, engine).woken == 0
    assert backlog(store) == 1


def test_a_revision_as_young_as_its_stamp_is_told_again(store: Store, engine: QuietEngine) -> None:
    """Two changes in one second carry the same stamp; the second must not pass for a redelivery."""
    young = a_ticket(updated=100, read_at=100)
    later = a_ticket(updated=100, read_at=110, subject="Changed in the same second")
    desk = FeedDesk({None: a_page(young, cursor="c1"), "c1": a_page(later, cursor="c2")})
    poll(store, desk, engine)
    assert poll(store, desk, engine).woken == 1


def test_what_cannot_matter_is_recorded_and_wakes_nobody(store: Store, engine: QuietEngine) -> None:
    desk = FeedDesk({None: a_page(a_ticket(), cursor="c1")})
    assert poll(store, desk, engine, never) == Polled(pages=1, rows=1, woken=0)
    assert (backlog(store), engine.woken) == (0, [])
    with store.reading() as connection:
        known = tickets.known(connection, REF)
    assert known is not None
    assert known.ticket == a_ticket()


def test_a_ticket_that_is_gone_wakes_always_and_again_after_it_was_here(
    store: Store, engine: QuietEngine
) -> None:
    pages = {None: a_page(a_ticket(), cursor="c1"), "c1": a_page(a_ticket(gone="deleted"), cursor="c2")}
    desk = FeedDesk(pages)
    poll(store, desk, engine, never)
    assert poll(store, desk, engine, never).woken == 1


def test_the_question_is_asked_with_what_is_remembered(store: Store, engine: QuietEngine) -> None:
    remembered = (Standing(policy="p", matched=True),)
    with store.writing() as connection:
        remember_standings(connection, TicketRef("acme", "2"), remembered, before=())
    asked: dict[str, tuple[Standing, ...]] = {}

    def could_matter(ticket: Ticket, known: tuple[Standing, ...]) -> bool:
        asked[ticket.ref.id] = known
        return bool(known)

    poll(store, FeedDesk({None: a_page(a_ticket("1"), a_ticket("2"))}), engine, could_matter)
    assert asked == {"1": (), "2": remembered}
    assert engine.woken == [("acme/2", False)]


def test_of_two_rows_of_a_ticket_in_a_page_the_one_that_matters_counts(
    store: Store, engine: QuietEngine
) -> None:
    newer = a_ticket(updated=200, read_at=210, revision="r200", tags=frozenset({"outage"}))
    desk = FeedDesk({None: a_page(a_ticket(), newer)})
    assert poll(store, desk, engine, lambda ticket, _known: "outage" in ticket.tags).woken == 1


def look(connection: Connection, ticket: Ticket) -> None:
    tickets.record_look(
        connection, ticket, (), now=NOW, next_look=None, matched=True, owner=None, policy_hash="h"
    )


def test_a_revision_that_was_looked_at_is_not_looked_at_again(store: Store, engine: QuietEngine) -> None:
    with store.writing() as connection:
        look(connection, a_ticket())
    newer = a_ticket(updated=200, read_at=210, revision="r200")
    desk = FeedDesk({None: a_page(a_ticket(), cursor="c1"), "c1": a_page(newer, cursor="c2")})
    assert poll(store, desk, engine) == Polled(pages=1, rows=0, woken=0)
    assert poll(store, desk, engine).woken == 1


def test_a_feed_that_stands_still_is_left_for_the_next_time(store: Store, engine: QuietEngine) -> None:
    desk = FeedDesk({None: a_page(cursor="c1", more=True), "c1": a_page(cursor="c1", more=True)})
    assert poll(store, desk, engine).pages == 2
    assert poll(store, desk, engine).pages == 1
