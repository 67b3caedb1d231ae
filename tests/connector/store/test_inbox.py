"""News is kept once, and open until its look is stored."""

from sqlalchemy import Connection

from connector.store import inbox
from policies.model import TicketRef
from tests.connector.store.samples import REF, an_arrival


def test_a_redelivery_is_kept_once_and_wakes_nobody(connection: Connection) -> None:
    assert inbox.put_news(connection, [an_arrival("d1"), an_arrival("d2"), an_arrival("d1")]) == (REF,)
    assert inbox.put_news(connection, [an_arrival("d2")]) == ()
    assert inbox.backlog(connection) == 2


def test_the_same_delivery_of_another_account_is_another(connection: Connection) -> None:
    woken = inbox.put_news(connection, [an_arrival(), an_arrival(account="acme-it")])
    assert set(woken) == {REF, TicketRef("acme-it", "1")}


def test_a_redelivery_of_what_was_looked_at_stays_closed(connection: Connection) -> None:
    inbox.put_news(connection, [an_arrival()])
    inbox.close(connection, [row.id for row in inbox.open_rows(connection, REF)], 120)
    assert inbox.put_news(connection, [an_arrival()]) == ()
    assert inbox.open_rows(connection, REF) == ()


def test_what_needs_no_look_is_kept_closed(connection: Connection) -> None:
    assert inbox.put_news(connection, [an_arrival(done_at=100), an_arrival("d2", ticket="2")]) == (
        TicketRef("acme", "2"),
    )
    assert inbox.backlog(connection) == 1


def test_only_the_rows_that_were_read_are_closed(connection: Connection) -> None:
    inbox.put_news(connection, [an_arrival("d1", hint="updated")])
    read = inbox.open_rows(connection, REF)
    inbox.put_news(connection, [an_arrival("d2", kind="poll", received_at=105)])
    inbox.close(connection, [row.id for row in read], 110)
    (left,) = inbox.open_rows(connection, REF)
    assert (left.kind, left.received_at) == ("poll", 105)
    assert [row.hint for row in read] == ["updated"]


def test_rows_come_oldest_first_and_only_the_tickets_own(connection: Connection) -> None:
    inbox.put_news(connection, [an_arrival(d, received_at=int(d)) for d in ("3", "1", "2")])
    inbox.put_news(connection, [an_arrival("other", ticket="2")])
    assert [row.received_at for row in inbox.open_rows(connection, REF)] == [3, 1, 2]


def test_the_oldest_open_row_tells_how_far_behind_we_are(connection: Connection) -> None:
    assert inbox.oldest_open(connection) is None
    inbox.put_news(
        connection, [an_arrival("d1", received_at=90, done_at=95), an_arrival("d2", received_at=100)]
    )
    assert inbox.oldest_open(connection) == 100


def test_forgetting_leaves_open_and_recent_rows(connection: Connection) -> None:
    inbox.put_news(
        connection,
        [an_arrival("old", done_at=10), an_arrival("recent", done_at=20), an_arrival("open", received_at=1)],
    )
    assert inbox.forget_done(connection, before=20) == 1
    assert inbox.put_news(connection, [an_arrival("recent"), an_arrival("old")]) == (REF,)
    assert inbox.backlog(connection) == 2


def test_nothing_to_put_or_close_is_nothing(connection: Connection) -> None:
    assert inbox.put_news(connection, []) == ()
    inbox.close(connection, [], 1)
