"""The engine, both fillings: looks happen once at a time, and nothing owed is forgotten."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from connector.engine import Engine
from connector.store import holds, inbox
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from policies.model import TicketRef
from tests.connector.engine.engines import NOW, engine_over
from tests.connector.store.samples import REF, an_arrival
from tests.patience import PATIENCE, until

OTHER = TicketRef("beta", "1")


class Looks:
    """A `work` that closes the ticket's rows, like the real one, and remembers what it looked at."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[TicketRef] = []
        self.at_once: Counter[TicketRef] = Counter()
        self.most_at_once = 0
        self.during: Callable[[TicketRef], None] = lambda _ref: None
        self.lock = threading.Lock()

    def __call__(self, ref: TicketRef) -> None:
        with self.lock:
            self.seen.append(ref)
            self.at_once[ref] += 1
            self.most_at_once = max(self.most_at_once, self.at_once[ref])
        with self.store.reading() as connection:
            rows = [row.id for row in inbox.open_rows(connection, ref)]
        self.during(ref)
        with self.store.writing() as connection:
            inbox.close(connection, rows, NOW)
            inbox.stop_timer(connection, ref)
            holds.clear_aside(connection, ref.account, ref.id, holds.LOOK, NOW)
        with self.lock:
            self.at_once[ref] -= 1


@pytest.fixture
def engine(store: Store) -> Iterator[Engine]:
    engine = engine_over(store, per_account=2)
    yield engine
    assert engine.stop(10)


@pytest.fixture
def looks(store: Store) -> Looks:
    return Looks(store)


def arrive(store: Store, engine: Engine | None, delivery: str, ref: TicketRef = REF) -> None:
    """News, with or without (another process) its wake-up."""
    with store.writing() as connection:
        woken = inbox.put_news(connection, [an_arrival(delivery, account=ref.account, ticket=ref.id)])
        if engine is not None:
            engine.wake(connection, woken)


def backlog(store: Store) -> int:
    with store.reading() as connection:
        return inbox.backlog(connection)


def test_a_wake_up_counts_once_its_transaction_is_committed(
    store: Store, engine: Engine, looks: Looks
) -> None:
    engine.run(looks)
    with store.writing() as connection:
        engine.wake(connection, inbox.put_news(connection, [an_arrival()]))
        assert engine.idle()
    assert engine.idle(PATIENCE)
    assert looks.seen == [REF]
    assert backlog(store) == 0


def test_a_wake_up_that_is_undone_wakes_nobody(store: Store, engine: Engine, looks: Looks) -> None:
    def fail() -> None:
        with store.writing() as connection:
            engine.wake(connection, [REF])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    engine.run(looks)
    assert engine.idle(PATIENCE)
    assert looks.seen == []


def test_news_during_a_look_gets_a_look_of_its_own(store: Store, engine: Engine, looks: Looks) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def during(_ref: TicketRef) -> None:
        inside.set()
        assert go_on.wait(PATIENCE)

    looks.during = during
    engine.run(looks)
    arrive(store, engine, "d1")
    assert inside.wait(PATIENCE)
    arrive(store, engine, "d2")
    arrive(store, engine, "d3")
    go_on.set()
    assert engine.idle(PATIENCE)
    assert looks.seen == [REF, REF]
    assert looks.most_at_once == 1
    assert backlog(store) == 0


def test_never_twice_at_once_under_a_storm(store: Store, engine: Engine, looks: Looks) -> None:
    engine.run(looks)
    for number in range(40):
        arrive(store, engine, f"d{number}", TicketRef("acme", str(number % 3)))
    assert engine.idle(PATIENCE)
    assert looks.most_at_once == 1
    assert backlog(store) == 0


def test_a_slow_account_does_not_delay_another(store: Store, engine: Engine, looks: Looks) -> None:
    go_on, other_done = threading.Event(), threading.Event()

    def during(ref: TicketRef) -> None:
        if ref.account == "acme":
            assert go_on.wait(PATIENCE)
        else:
            other_done.set()

    looks.during = during
    engine.run(looks)
    for number in range(8):
        arrive(store, engine, f"d{number}", TicketRef("acme", str(number)))
    arrive(store, engine, "d", OTHER)
    assert other_done.wait(PATIENCE)
    until(lambda: sum(ref.account == "acme" for ref in looks.seen) >= 2)
    assert sum(ref.account == "acme" for ref in looks.seen) == 2
    go_on.set()
    assert engine.idle(PATIENCE)


def test_stop_lets_what_is_under_way_end_and_takes_nothing_new(store: Store, looks: Looks) -> None:
    engine = engine_over(store, per_account=1)
    inside, go_on = threading.Event(), threading.Event()

    def during(_ref: TicketRef) -> None:
        inside.set()
        assert go_on.wait(PATIENCE)

    looks.during = during
    engine.run(looks)
    arrive(store, engine, "d1")
    assert inside.wait(PATIENCE)
    arrive(store, engine, "d2", TicketRef(REF.account, "2"))
    assert not engine.stop(0)
    go_on.set()
    assert engine.stop(10)
    assert looks.seen == [REF]
    assert backlog(store) == 1


def test_a_sweep_finds_news_of_another_process_due_timers_and_open_writes(
    store: Store, engine: Engine, looks: Looks
) -> None:
    arrive(store, None, "d1")
    with store.writing() as connection:
        inbox.start_timer(connection, OTHER, NOW, "level")
        inbox.start_timer(connection, TicketRef("beta", "2"), NOW + 1, "level")
    engine.sweep()
    engine.run(looks)
    assert engine.idle(PATIENCE)
    assert Counter(looks.seen) == {REF: 1, OTHER: 1}


def test_a_tick_and_a_sweep_during_a_look_do_not_ask_for_another(
    store: Store, engine: Engine, looks: Looks
) -> None:
    def during(_ref: TicketRef) -> None:
        engine.tick()
        engine.sweep()

    looks.during = during
    with store.writing() as connection:
        inbox.start_timer(connection, REF, NOW, "level")
    engine.tick()
    engine.run(looks)
    assert engine.idle(PATIENCE)
    assert looks.seen == [REF]


def test_a_tick_leaves_alone_what_is_not_due(store: Store, engine: Engine, looks: Looks) -> None:
    with store.writing() as connection:
        inbox.start_timer(connection, REF, NOW + 1, "level")
    engine.tick()
    assert engine.idle()


@pytest.fixture(autouse=True)
def said() -> Iterator[list[Any]]:
    """What the engine logged; left to itself structlog spends a second on drawing a traceback."""
    with capture_logs() as lines:
        yield lines


def fails(_ref: TicketRef) -> None:
    raise ZeroDivisionError


def test_a_failed_look_keeps_its_news_and_waits_longer_each_time(store: Store, engine: Engine) -> None:
    waits: list[int] = []
    for number in range(3):
        arrive(store, engine, f"d{number}")
        assert engine.drain(fails) == 1
        with store.reading() as connection:
            timer = inbox.timer_of(connection, REF)
        assert timer is not None
        assert timer.holds
        waits.append(timer.due - NOW)
    assert waits == [15, 30, 60]
    assert backlog(store) == 3
    engine.sweep()
    assert engine.idle(), "held back"


def test_a_good_look_ends_the_row_of_failures(store: Store, engine: Engine, looks: Looks) -> None:
    arrive(store, engine, "d1")
    engine.drain(fails)
    arrive(store, engine, "d2")
    engine.drain(looks)
    arrive(store, engine, "d3")
    engine.drain(fails)
    with store.reading() as connection:
        timer = inbox.timer_of(connection, REF)
    assert timer is not None
    assert timer.due == NOW + 15


def test_a_failed_look_does_not_take_the_others_down(store: Store, engine: Engine, looks: Looks) -> None:
    def during(ref: TicketRef) -> None:
        if ref == REF:
            raise ZeroDivisionError

    looks.during = during
    engine.run(looks)
    for number in range(6):
        arrive(store, engine, f"bad{number}")
    arrive(store, engine, "good", OTHER)
    assert engine.idle(PATIENCE)
    assert OTHER in looks.seen
    with store.reading() as connection:
        assert inbox.open_rows(connection, OTHER) == ()


def test_a_failed_look_on_a_failing_database_leaves_the_thread_alive(
    store: Store, engine: Engine, looks: Looks, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise StoreTrouble("database or disk is full")

    arrive(store, None, "d1")
    with monkeypatch.context() as patch:
        patch.setattr("connector.store.inbox.start_timer", full)
        assert engine.drain(fails) == 1
    assert [line["event"] for line in said] == ["look_failed", "failing"]
    assert engine.drain(looks) == 1


def test_what_the_database_fails_of_is_said_once_for_all_tickets(
    store: Store, engine: Engine, said: list[Any]
) -> None:
    def full(_ref: TicketRef) -> None:
        raise StoreTrouble("database or disk is full")

    for number in range(5):
        arrive(store, None, f"d{number}", TicketRef("acme", str(number)))
    assert engine.drain(full) == 5
    assert [(line["event"], line["what"]) for line in said] == [("failing", "looking")]


def test_drain_does_all_that_can_be_done_now(store: Store, engine: Engine, looks: Looks) -> None:
    def during(ref: TicketRef) -> None:
        if ref == REF:
            arrive(store, engine, "d2", OTHER)

    looks.during = during
    arrive(store, None, "d1")
    assert engine.drain(looks) == 2
    assert looks.seen == [REF, OTHER]
    assert backlog(store) == 0
    assert engine.drain(looks) == 0


def test_drain_ends_even_if_a_look_leaves_its_news_open(store: Store, engine: Engine) -> None:
    arrive(store, None, "d1")
    assert engine.drain(lambda _ref: None) == 1
    assert backlog(store) == 1


def test_drain_goes_beyond_what_one_sweep_brings(
    store: Store, engine: Engine, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.store.inbox.SWEEP_PER_ACCOUNT", 2)
    for number in range(5):
        arrive(store, None, f"d{number}", TicketRef("acme", str(number)))
    assert engine.drain(looks) == 5
