"""Which tickets are owed a look, in which order, and which are left in peace."""

from sqlalchemy import Connection

from connector.store import accounts, inbox, writes
from connector.store.inbox import Waiting
from policies.model import TicketRef
from tests.connector.store.samples import REF, a_write, an_arrival

NOW = 1000


def named(found: tuple[Waiting, ...]) -> list[str]:
    return [str(one.ref) for one in found]


def plan(connection: Connection, key: str = "k:1") -> None:
    writes.plan(connection, a_write(key), episodes=frozenset(), policy="p", level="L1", place=1, now=NOW)


def test_urgent_news_comes_before_older_back_fill(connection: Connection) -> None:
    inbox.put_news(
        connection,
        [
            an_arrival("c", ticket="1", kind="census"),
            an_arrival("p", ticket="2", kind="poll"),
            an_arrival("w", ticket="3", kind="webhook"),
            an_arrival("t", ticket="4", kind="timer"),
        ],
    )
    found = inbox.with_news(connection, NOW, 10)
    assert named(found) == ["acme/3", "acme/4", "acme/1", "acme/2"]
    assert [one.urgent for one in found] == [True, True, False, False]


def test_a_ticket_with_both_kinds_of_news_is_urgent_and_named_once(connection: Connection) -> None:
    inbox.put_news(connection, [an_arrival("p", kind="poll"), an_arrival("w")])
    assert inbox.with_news(connection, NOW, 10) == (
        Waiting(ref=REF, urgent=True, due=an_arrival("p").received_at),
    )


def test_the_longest_due_of_the_news_comes_first_however_late_it_was_heard_of(connection: Connection) -> None:
    quiet = [an_arrival(f"q{n}", ticket=f"q{n}", kind="census", due=NOW + 60) for n in range(3)]
    inbox.put_news(connection, [*quiet, an_arrival("u", ticket="u", kind="census", due=NOW - 600)])
    assert named(inbox.with_news(connection, NOW, 2)) == ["acme/u", "acme/q0"]
    assert inbox.due_instants(connection, [REF, TicketRef("acme", "u")]) == {
        TicketRef("acme", "u"): NOW - 600
    }


def test_each_account_has_its_share(connection: Connection) -> None:
    inbox.put_news(connection, [an_arrival(f"a{n}", ticket=str(n)) for n in range(5)])
    inbox.put_news(connection, [an_arrival("b", account="beta", ticket="9")])
    assert named(inbox.with_news(connection, NOW, 2)) == ["acme/0", "beta/9", "acme/1"]


def test_news_waits_for_a_timer_that_holds_and_for_no_other(connection: Connection) -> None:
    inbox.put_news(connection, [an_arrival()])
    inbox.start_timer(connection, REF, NOW + 1, "next level")
    assert named(inbox.with_news(connection, NOW, 10)) == ["acme/1"]
    inbox.start_timer(connection, REF, NOW + 1, "failed once", holds=True)
    assert inbox.with_news(connection, NOW, 10) == ()
    assert named(inbox.with_news(connection, NOW + 1, 10)) == ["acme/1"]


def test_a_paused_account_is_left_in_peace_until_it_is_resumed(connection: Connection) -> None:
    accounts.ensure(connection, "acme", 1)
    inbox.put_news(connection, [an_arrival()])
    inbox.start_timer(connection, REF, NOW, "level")
    plan(connection)

    def all_three() -> list[str]:
        return [
            *named(inbox.with_news(connection, NOW, 10)),
            *named(inbox.with_due_timer(connection, NOW, 10)),
            *named(inbox.with_open_write(connection, NOW, 10)),
        ]

    accounts.pause(connection, "acme", "401", NOW)
    assert all_three() == []
    accounts.resume(connection, "acme")
    assert all_three() == ["acme/1"] * 3


def test_timers_are_due_at_their_second_the_longest_overdue_first(connection: Connection) -> None:
    for number, due in (("1", NOW), ("2", NOW - 5), ("3", NOW + 1)):
        inbox.start_timer(connection, TicketRef("acme", number), due, "level")
    inbox.start_timer(connection, TicketRef("beta", "4"), NOW - 1, "level")
    found = inbox.with_due_timer(connection, NOW, 10)
    assert named(found) in (["acme/2", "beta/4", "acme/1"], ["beta/4", "acme/2", "acme/1"])
    assert all(one.urgent for one in found)
    assert set(named(inbox.with_due_timer(connection, NOW, 1))) == {"acme/2", "beta/4"}


def test_a_timer_that_holds_is_due_like_any_other(connection: Connection) -> None:
    inbox.start_timer(connection, REF, NOW, "failed once", holds=True)
    assert named(inbox.with_due_timer(connection, NOW, 10)) == ["acme/1"]


def test_open_writes_are_owed_a_look_until_they_end(connection: Connection) -> None:
    plan(connection)
    plan(connection, "k:2")
    assert named(inbox.with_open_write(connection, NOW, 10)) == ["acme/1"]
    for key in ("k:1", "k:2"):
        assert writes.begin(connection, key, 0, NOW) is not None
        assert named(inbox.with_open_write(connection, NOW, 10)) == ["acme/1"]
        begun = writes.get(connection, key)
        assert begun is not None
        writes.settle(connection, begun, writes.State.UNKNOWN, NOW)
        assert named(inbox.with_open_write(connection, NOW, 10)) == ["acme/1"]
        writes.settle(connection, begun, writes.State.DONE, NOW)
    assert inbox.with_open_write(connection, NOW, 10) == ()


def test_an_open_write_waits_for_a_timer_that_holds(connection: Connection) -> None:
    plan(connection)
    inbox.start_timer(connection, REF, NOW + 1, "find out", holds=True)
    assert inbox.with_open_write(connection, NOW, 10) == ()
    assert named(inbox.with_open_write(connection, NOW + 1, 10)) == ["acme/1"]
