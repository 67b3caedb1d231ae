"""The traps of many machines, each on a real PostgreSQL: what must not be lost, stuck, or done twice at once."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy import text
from structlog.testing import capture_logs

from connector.app.supervision import Ailments
from connector.engine.fleet import FleetEngine
from connector.store import inbox, postgres
from connector.store.database import Store
from policies.model import TicketRef
from tests.connector.engine.engines import NOW, fleet
from tests.connector.engine.test_engine import Looks, arrive, backlog
from tests.connector.store.samples import REF, an_arrival
from tests.connector.stores import fresh_store
from tests.patience import PATIENCE, until
from tests.postgres import drop_connections


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store("postgresql", tmp_path) as store:
        yield store


@pytest.fixture
def engines(store: Store) -> Iterator[list[FleetEngine]]:
    """Two processes of a fleet, played by two engines."""
    both = [fleet(store), fleet(store)]
    yield both
    for engine in both:
        assert engine.stop(10)


@pytest.fixture(autouse=True)
def said() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def jobs(store: Store) -> list[tuple[str, str, str]]:
    """Ticket, queue and state of every wake-up."""
    with store.reading() as connection:
        rows = connection.execute(
            text("SELECT lock, queue_name, status::text FROM procrastinate_jobs ORDER BY id")
        )
        return [tuple(row) for row in rows]


def die(store: Store, ref: TicketRef = REF) -> None:
    """A wake-up is under way in a process that has died."""
    with store.writing() as connection:
        postgres.wake(connection, [ref], urgent=True)
        worker = "SELECT worker_id FROM procrastinate_register_worker_v1() AS worker_id"
        dead = connection.execute(text(worker)).scalar_one()
        connection.execute(
            text("SELECT procrastinate_fetch_job_v2(CAST(:queues AS varchar[]), :worker)"),
            {"queues": [postgres.queue_of(ref.account, urgent=True)], "worker": dead},
        )
        connection.execute(
            text(
                "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' WHERE id = :id"
            ),
            {"id": dead},
        )


def test_one_look_at_a_time_for_each_ticket_across_processes(
    store: Store, engines: list[FleetEngine]
) -> None:
    looks = Looks(store)
    for engine in engines:
        engine.run(looks)
    for number in range(60):
        arrive(store, engines[number % 2], f"d{number}", TicketRef("acme", str(number % 4)))
    assert engines[0].idle(PATIENCE)
    assert looks.most_at_once == 1
    assert backlog(store) == 0
    assert jobs(store) == []


def test_a_redelivered_page_wakes_each_ticket_once(store: Store, engines: list[FleetEngine]) -> None:
    """The library's own way to add jobs would abort the whole transaction here."""
    refs = [TicketRef("acme", str(number)) for number in (3, 1, 3, 2, 1)]
    with store.writing() as connection:
        postgres.wake(connection, refs, urgent=True)
        postgres.wake(connection, refs, urgent=True)
    assert [job[0] for job in jobs(store)] == ["acme/1", "acme/2", "acme/3"]


def test_a_deadline_overtakes_back_fill_and_is_not_put_back(store: Store, engines: list[FleetEngine]) -> None:
    for urgent, queue in ((False, "acme:backfill"), (True, "acme:urgent"), (False, "acme:urgent")):
        with store.writing() as connection:
            postgres.wake(connection, [REF], urgent=urgent)
        assert jobs(store) == [(str(REF), queue, "todo")]


def test_a_wake_up_that_finds_another_holds_it_until_the_commit(
    store: Store, engines: list[FleetEngine]
) -> None:
    """Otherwise the other could be fetched and finished before our news can be seen, and nobody would be woken."""
    looks = Looks(store)
    with store.writing() as connection:
        postgres.wake(connection, [REF], urgent=True)
    with store.writing() as connection:
        postgres.wake(connection, inbox.put_news(connection, [an_arrival()]), urgent=True)
        engines[0].run(looks)
        assert not engines[0].idle(0.5)
        assert looks.seen == []
    assert engines[0].idle(PATIENCE)
    assert backlog(store) == 0


def test_a_stalled_look_is_rescued_beside_a_wake_up_that_waits(
    store: Store, engines: list[FleetEngine]
) -> None:
    """The library's retry would fail on the waiting one, and the stalled one would block the ticket for good."""
    looks = Looks(store)
    die(store)
    arrive(store, engines[0], "d1")
    engines[0].run(looks)
    assert not engines[0].idle(0.5)
    assert looks.seen == []
    engines[1].rescue()
    assert engines[0].idle(PATIENCE)
    assert looks.seen == [REF]
    assert backlog(store) == 0


def test_a_stalled_look_is_rescued_though_its_news_was_lost(store: Store, engines: list[FleetEngine]) -> None:
    looks = Looks(store)
    die(store)
    engines[0].rescue()
    engines[0].run(looks)
    assert engines[0].idle(PATIENCE)
    assert looks.seen == [REF]


def test_a_rescued_look_overtakes_all_others(store: Store) -> None:
    """It has waited longest, and behind a burst of deadlines it would wait once more."""
    looks, engine = Looks(store), fleet(store, per_account=1)
    die(store)
    for number in range(2, 6):
        arrive(store, engine, f"d{number}", TicketRef("acme", str(number)))
    engine.rescue()
    engine.run(looks)
    assert engine.idle(PATIENCE)
    assert engine.stop(PATIENCE)
    assert [ref.id for ref in looks.seen] == ["1", "2", "3", "4", "5"]


def test_the_look_of_a_living_process_is_not_rescued(store: Store, engines: list[FleetEngine]) -> None:
    inside, go_on = threading.Event(), threading.Event()
    looks = Looks(store)

    def during(_ref: TicketRef) -> None:
        inside.set()
        assert go_on.wait(PATIENCE)

    looks.during = during
    engines[0].run(looks)
    arrive(store, engines[0], "d1")
    assert inside.wait(PATIENCE)
    engines[1].rescue()
    assert [job[2] for job in jobs(store)] == ["doing"]
    go_on.set()
    assert engines[0].idle(PATIENCE)
    assert looks.seen == [REF]


def test_a_process_that_ends_a_look_taken_from_it_goes_on(
    store: Store, engines: list[FleetEngine], said: list[Any]
) -> None:
    """There is no fence around the queue's rows: ending one that is gone is an error, and no more than that."""
    inside, go_on = threading.Event(), threading.Event()
    looks = Looks(store)

    def during(ref: TicketRef) -> None:
        if ref == REF:
            inside.set()
            assert go_on.wait(PATIENCE)

    looks.during = during
    engines[0].run(looks)
    arrive(store, engines[0], "d1")
    assert inside.wait(PATIENCE)
    with store.writing() as connection:
        assert [job.ref for job in postgres.finish_stalled(connection, -1)] == [REF]
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    go_on.set()
    arrive(store, engines[0], "d2", TicketRef("acme", "2"))
    assert engines[0].idle(PATIENCE)
    assert Counter(looks.seen) == {REF: 1, TicketRef("acme", "2"): 1}


def test_a_tick_and_a_sweep_of_many_processes_wake_once(store: Store, engines: list[FleetEngine]) -> None:
    with store.writing() as connection:
        inbox.start_timer(connection, REF, NOW, "level")
    for engine in engines:
        engine.tick()
        engine.sweep()
        engine.tick()
    assert jobs(store) == [(str(REF), "acme:urgent", "todo")]


def test_a_wake_up_that_was_lost_is_made_good_by_the_sweep(store: Store, engines: list[FleetEngine]) -> None:
    looks = Looks(store)
    arrive(store, engines[0], "d1")
    with store.writing() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    engines[1].sweep()
    engines[1].run(looks)
    assert engines[1].idle(PATIENCE)
    assert looks.seen == [REF]


def test_workers_come_back_when_the_server_has_dropped_them(store: Store, engines: list[FleetEngine]) -> None:
    looks = Looks(store)
    engines[0].run(looks)
    arrive(store, engines[0], "d1")
    assert engines[0].idle(PATIENCE)
    with store.reading() as connection:
        drop_connections(connection)
    arrive(store, engines[0], "d2")
    assert engines[0].idle(PATIENCE)
    assert looks.seen == [REF, REF]


def test_an_account_at_rest_holds_up_its_own_lane_only(store: Store) -> None:
    rests = {("acme", True)}
    engine = FleetEngine(
        store,
        fleet(store)._clock,
        Ailments(lambda: 0),
        address=store.name,
        accounts=("acme", "beta"),
        rests=lambda account, urgent: (account, urgent) in rests,
        fetch_every=0.05,
    )
    looks = Looks(store)
    engine.run(looks)
    arrive(store, engine, "d1")
    arrive(store, engine, "d2", TicketRef("beta", "1"))
    with store.writing() as connection:
        engine.wake(connection, [TicketRef("acme", "2")], urgent=False)
    assert not engine.idle(1.5)
    assert set(looks.seen) == {TicketRef("beta", "1"), TicketRef("acme", "2")}
    assert engine.stop(10)
    assert jobs(store) == [(str(REF), "acme:urgent", "todo")], "left to another process"


def test_a_queue_that_does_not_answer_at_first_is_opened_again(
    store: Store, engines: list[FleetEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that could not be opened stays closed; there must be another."""
    opens, tries = AsyncConnectionPool.open, []

    async def open_at_the_second_try(pool: Any, *args: Any, **words: Any) -> None:
        tries.append(pool)
        if len(tries) == 1:
            await pool.close()
            raise PoolTimeout
        await opens(pool, *args, **words)

    monkeypatch.setattr(AsyncConnectionPool, "open", open_at_the_second_try)
    looks = Looks(store)
    engines[0].run(looks)
    arrive(store, engines[0], "d1")
    assert engines[0].idle(PATIENCE)
    assert looks.seen == [REF]


def test_a_look_under_way_at_a_stop_is_finished_in_the_queue_too(
    store: Store, engines: list[FleetEngine]
) -> None:
    """The lanes with nothing to do end first; the one that works still needs the connections."""
    begun, may_end = threading.Event(), threading.Event()

    def look(_ref: TicketRef) -> None:
        begun.set()
        assert may_end.wait(PATIENCE)

    engines[0].run(look)
    arrive(store, engines[0], "d1")
    assert begun.wait(PATIENCE)
    until(lambda: workers(store) == 4)
    stop = threading.Thread(target=engines[0].stop, args=(PATIENCE,))
    stop.start()
    until(lambda: workers(store) == 1)
    may_end.set()
    stop.join(PATIENCE)
    assert jobs(store) == []


def test_a_stop_right_after_the_start_and_another_after_the_end(
    store: Store, engines: list[FleetEngine]
) -> None:
    engines[0].run(Looks(store))
    assert engines[0].stop(PATIENCE)
    assert engines[0].stop(PATIENCE)


def workers(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM procrastinate_workers")).scalar_one())
