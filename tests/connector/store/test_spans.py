"""Pauses, holds, backoffs, leases and failed logins of the time before the clock was set back last no longer than
their own length."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from connector.clock import ManualClock
from connector.store import fleet, holds, inbox, notices, users
from connector.store.database import SLACK, Store, mend_spans, server_now, shared_now
from connector.store.schema import lease, pause, spent, timer
from connector.work.budget import Allowance, SharedTally
from policies.model import Instant, TicketRef
from tests.connector.stores import fresh_store

NOW = 1_790_000_000
DAY = 86400
REF = TicketRef("acme", "1")


def seeded(store: Store, at: Instant) -> None:
    """One of each, begun at this time."""
    with store.writing() as connection:
        fleet.pause_until(connection, "acme", "account", at + 90, at)
        inbox.start_timer(connection, REF, at + 15, "failed", holds=True, since=at)
        holds.set_aside(connection, "acme", "2", "row", "odd", at)
        users.begin_login(connection, ("name dana",), "1", at, at - 900)


def ends(connection: Connection) -> dict[str, Instant]:
    kept = holds.aside_of(connection, "acme", "2", "row")
    held = inbox.timer_of(connection, REF)
    assert kept is not None
    assert held is not None
    return {
        "pause": connection.execute(select(pause.c.until)).scalar_one(),
        "timer": held.due,
        "aside": kept.next_try,
    }


@pytest.mark.parametrize("step", [3600, DAY])
def test_what_begins_in_the_future_is_cut_to_its_length_once(store: Store, step: int) -> None:
    seeded(store, NOW + step)
    clock = ManualClock(NOW)
    with store.reading() as connection:
        assert ends(connection)["pause"] == NOW + step + 90
    for _ in range(2):
        mend_spans(store, clock)
        with store.reading() as connection:
            assert ends(connection) == {"pause": NOW + 90, "timer": NOW + 15, "aside": NOW + 15}
            assert users.failed_logins(connection, ("name dana",), NOW - 1) == 1
            assert users.failed_logins(connection, ("name dana",), NOW) == 0, "it is over when its window is"
        clock.advance(10)


def test_set_back_a_process_cuts_what_it_stamped_and_nothing_that_is_judged_by_the_database(
    store: Store,
) -> None:
    seeded(store, NOW + DAY)
    mend_spans(store, ManualClock(NOW), own=True)
    with store.reading() as connection:
        assert ends(connection) == {"pause": NOW + DAY + 90, "timer": NOW + 15, "aside": NOW + 15}


def test_what_began_is_left_alone_and_so_is_what_clocks_of_a_fleet_may_differ_by(store: Store) -> None:
    seeded(store, NOW + SLACK)
    with store.reading() as connection:
        before = ends(connection)
    mend_spans(store, ManualClock(NOW))
    with store.reading() as connection:
        assert ends(connection) == before


def test_a_due_time_is_a_wall_time_and_is_not_touched(store: Store) -> None:
    with store.writing() as connection:
        inbox.start_timer(connection, REF, NOW + DAY, "a level is due")
        assert connection.execute(select(timer.c.since)).scalar() is None
    mend_spans(store, ManualClock(NOW))
    with store.reading() as connection:
        known = inbox.timer_of(connection, REF)
    assert known is not None
    assert known.due == NOW + DAY


def test_a_lease_of_before_the_step_lasts_a_term_and_no_longer(connection: Connection) -> None:
    assert fleet.take_lease(connection, "poll acme", "dead", 20, NOW + DAY)
    assert not fleet.take_lease(connection, "poll acme", "next", 20, NOW), "cut to its term"
    assert connection.execute(select(lease.c.until)).scalar_one() == NOW + 20
    assert fleet.take_lease(connection, "poll acme", "next", 20, NOW + 20)


def test_requests_of_before_the_step_count_for_one_window_more(store: Store) -> None:
    clock = ManualClock(NOW + DAY)
    tally = SharedTally(store, "acme", clock)
    allowances = {"account": Allowance(at_most=3, window=60)}

    def take() -> int:
        return tally.take(("account",), allowances, int(clock.monotonic()))

    assert [take() for _ in range(3)] == [0, 0, 0]
    later = ManualClock(NOW)
    tally = SharedTally(store, "acme", later)
    clock = later
    assert take() == 61
    with store.reading() as connection:
        assert connection.execute(select(spent.c.at, spent.c.requests)).all() == [(NOW, 3)]
    clock.advance(61)
    assert take() == 0


class AskedServer(ManualClock):
    """A machine whose clock is wrong by far."""

    def of_server(self, server: Callable[[], Instant]) -> Instant:
        return server()


def test_what_is_shared_is_stamped_by_the_server_and_not_by_a_machine_whose_clock_is_wrong(
    tmp_path: Path,
) -> None:
    with fresh_store("postgresql", tmp_path) as store, store.writing() as connection:
        for wrong in (NOW - DAY, NOW + DAY):
            assert abs(shared_now(connection, AskedServer(wrong)) - server_now(connection)) <= 1
    with fresh_store("sqlite", tmp_path) as store, store.reading() as connection:
        assert shared_now(connection, AskedServer(NOW)) == NOW


def test_a_message_of_before_the_step_fills_no_channel(connection: Connection) -> None:
    assert notices.messages_since(connection, "leads", NOW - 600, NOW) == ()
