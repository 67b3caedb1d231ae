"""A census lists every open ticket once, survives being cut short, and leaves no gap before the feed."""

from typing import Any

import pytest

from adapters.base import Page, TryLater
from connector.intake.inbox import CouldMatter
from connector.intake.polling import Polled, census_due, poll_account, take_census
from connector.store import accounts, inbox, tickets
from connector.store.database import Store
from policies.model import Ticket
from tests.connector.intake.desks import FeedDesk, QuietEngine, always, listed, never
from tests.connector.store.samples import REF, a_ticket

NOW = 100_000
DAY = 86400


@pytest.fixture
def engine() -> QuietEngine:
    return QuietEngine()


def a_page(*rows: Ticket, cursor: str = "c1", more: bool = False) -> Page:
    return Page(tickets=rows, cursor=cursor, more=more)


def take(
    store: Store, desk: Any, engine: QuietEngine, could_matter: CouldMatter = always, now: int = NOW
) -> Polled:
    return take_census(listed(store, desk, engine, now, could_matter))


def due(store: Store, now: int) -> bool:
    with store.reading() as connection:
        return census_due(connection, "acme", now)


def test_all_pages_wake_as_back_fill_and_the_day_is_noted(store: Store, engine: QuietEngine) -> None:
    desk = FeedDesk({None: a_page(a_ticket("1"), more=True), "c1": a_page(a_ticket("2"), cursor="c2")})
    assert take(store, desk, engine) == Polled(pages=2, rows=2, woken=2)
    assert engine.woken == [("acme/1", False), ("acme/2", False)]
    with store.reading() as connection:
        known = accounts.get(connection, "acme")
        assert [row.kind for row in inbox.open_rows(connection, REF)] == ["census"]
    assert known is not None
    assert known.census_at == NOW


def test_what_cannot_matter_is_recorded_only(store: Store, engine: QuietEngine) -> None:
    take(store, FeedDesk({None: a_page(a_ticket())}), engine, never)
    with store.reading() as connection:
        assert inbox.backlog(connection) == 0
        assert tickets.known(connection, REF) is not None


def test_a_census_cut_short_goes_on_from_its_last_page(store: Store, engine: QuietEngine) -> None:
    pages: dict[str | None, Page | Exception] = {
        None: a_page(a_ticket("1"), more=True),
        "c1": TryLater("busy", 30),
    }
    desk = FeedDesk(pages)
    with pytest.raises(TryLater):
        take(store, desk, engine)
    assert due(store, NOW + 1)
    pages["c1"] = a_page(a_ticket("2"), cursor="c2")
    assert take(store, desk, engine, now=NOW + 60) == Polled(pages=1, rows=1, woken=1)
    assert not due(store, NOW + 61)


def test_each_census_asks_for_unchanged_tickets_again(store: Store, engine: QuietEngine) -> None:
    desk = FeedDesk({None: a_page(a_ticket())})
    take(store, desk, engine)
    assert take(store, desk, engine, now=NOW + DAY).woken == 1
    assert desk.asked == [(None, None), (None, None)]


def test_a_census_is_due_at_first_and_after_a_day(store: Store, engine: QuietEngine) -> None:
    assert due(store, NOW)
    take(store, FeedDesk({None: a_page()}), engine)
    assert not due(store, NOW + DAY - 1)
    assert due(store, NOW + DAY)


def test_the_feed_begins_before_the_census(store: Store, engine: QuietEngine) -> None:
    take(store, FeedDesk({None: a_page()}), engine)
    feed = FeedDesk({None: a_page()})
    poll_account(listed(store, feed, engine, NOW + 3600))
    assert feed.asked == [(None, NOW - 300)]
