"""What was handed in together is committed together, and told apart from what was not kept."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from connector.app.supervision import Ailments
from connector.intake.inbox import GroupCommit, NotKept
from connector.store import inbox
from connector.store.database import BrokenRow, Store
from tests.connector.intake.desks import QuietEngine
from tests.connector.store.samples import REF, an_arrival
from tests.patience import PATIENCE

ROOM = 50
NOW = [0]


@pytest.fixture
def engine() -> QuietEngine:
    return QuietEngine()


@pytest.fixture
def group(store: Store, engine: QuietEngine) -> Iterator[GroupCommit]:
    group = GroupCommit(store, engine, Ailments(lambda: 0), room=ROOM)
    group.start()
    yield group
    assert group.stop(10)


def open_deliveries(store: Store) -> int:
    with store.reading() as connection:
        return inbox.backlog(connection)


def test_what_is_kept_is_in_the_inbox_and_wakes_its_tickets(
    store: Store, group: GroupCommit, engine: QuietEngine
) -> None:
    group.put([an_arrival("d1"), an_arrival("d2", ticket="2")]).result(10)
    assert open_deliveries(store) == 2
    assert engine.woken == [("acme/1", True), ("acme/2", True)]


def test_a_redelivery_is_kept_and_wakes_nobody(store: Store, group: GroupCommit, engine: QuietEngine) -> None:
    group.put([an_arrival("d1")]).result(10)
    group.put([an_arrival("d1")]).result(10)
    assert open_deliveries(store) == 1
    assert engine.woken == [("acme/1", True)]


def test_what_gathers_during_a_commit_shares_the_next_one(store: Store, group: GroupCommit) -> None:
    commits: list[int] = []
    event.listen(store._writes, "commit", lambda _connection: commits.append(1))
    with store.writing():
        waiting = [group.put([an_arrival(f"d{number}")]) for number in range(20)]
        assert not any(future.done() for future in waiting)
        commits.clear()
    for future in waiting:
        future.result(10)
    assert open_deliveries(store) == 20
    assert len(commits) <= 3, "the transaction of this test, the request that came first, all the others"


def test_nothing_is_kept_before_its_commit(store: Store, group: GroupCommit) -> None:
    at_commit, go_on = threading.Event(), threading.Event()

    def slow(_connection: object) -> None:
        at_commit.set()
        assert go_on.wait(10)

    event.listen(store._writes, "commit", slow)
    future = group.put([an_arrival()])
    assert at_commit.wait(10)
    assert not future.done()
    go_on.set()
    future.result(10)


def test_a_failed_commit_is_told_and_the_next_one_succeeds(
    store: Store, group: GroupCommit, engine: QuietEngine
) -> None:
    broken = True

    def fail(_connection: object) -> None:
        if broken:
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    event.listen(store._writes, "commit", fail)
    with capture_logs() as lines:
        with pytest.raises(NotKept, match="did not keep"):
            group.put([an_arrival("d1")]).result(10)
        with pytest.raises(NotKept, match="did not keep"):
            group.put([an_arrival("d2")]).result(10)
    assert [line["event"] for line in lines] == ["failing"]  # once, however many requests are refused
    assert (open_deliveries(store), engine.woken) == (0, [])
    broken = False
    group.put([an_arrival("d1")]).result(10)
    assert (open_deliveries(store), engine.woken) == (1, [("acme/1", True)])


def test_a_full_queue_refuses_at_once(store: Store, group: GroupCommit) -> None:
    waiting: list[Future[None]] = []
    with store.writing(), pytest.raises(NotKept):
        # one batch of at most ROOM may have left the queue meanwhile
        waiting.extend(group.put([an_arrival(f"d{number}")]) for number in range(2 * ROOM + 1))
    assert len(waiting) >= ROOM
    for future in waiting:
        future.result(10)
    assert open_deliveries(store) == len(waiting)


def test_stopping_commits_what_waits_and_refuses_what_comes(store: Store, engine: QuietEngine) -> None:
    group = GroupCommit(store, engine, Ailments(lambda: 0))
    with pytest.raises(NotKept):
        group.put([an_arrival("early")])
    group.start()
    with store.writing():
        waiting = [group.put([an_arrival(f"d{number}")]) for number in range(5)]
        assert not group.stop(0)
        with pytest.raises(NotKept):
            group.put([an_arrival("late")])
    assert group.stop(10)
    for future in waiting:
        future.result(0)
    assert open_deliveries(store) == 5
    assert not group.well()


class Broken(QuietEngine):
    """Fails so often at what nobody foresaw, or at nothing that an exception's name could tell."""

    def __init__(self, error: BaseException, times: int) -> None:
        super().__init__()
        self.error, self.times = error, times

    def wake(self, *args: Any, **kwargs: Any) -> None:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        super().wake(*args, **kwargs)


@pytest.mark.parametrize("error", [RuntimeError("once"), SystemExit("once"), MemoryError()])
def test_an_error_nobody_expected_leaves_no_client_waiting_and_ends_no_thread(
    store: Store, error: BaseException
) -> None:
    ailments = Ailments(lambda: NOW[0])
    NOW[0] = 0
    engine = Broken(error, 1)
    group = GroupCommit(store, engine, ailments)
    group.start()
    with capture_logs() as lines:
        with pytest.raises(NotKept):
            group.put([an_arrival("d1")]).result(PATIENCE)
        assert group.well()
        group.put([an_arrival("d2")]).result(PATIENCE)
    assert [(line["event"], line["what"]) for line in lines] == [("failing", "group-commit")]
    (ailment,) = ailments.current()
    assert (ailment.name, ailment.times) == ("group-commit", 1)
    NOW[0] = 61
    assert ailments.current() == ()
    assert group.stop(10)
    assert engine.woken == [("acme/1", True)]


def test_one_broken_request_is_refused_alone(store: Store, engine: QuietEngine) -> None:
    group = GroupCommit(store, engine, Ailments(lambda: 0))
    group.start()
    with store.writing():  # so that all gather in one batch behind the first
        good = [group.put([an_arrival(f"d{number}", ticket=str(number))]) for number in (1, 2, 3)]
        bad = [
            group.put([replace(an_arrival("late"), received_at=10**30)]),
            group.put([an_arrival("slash", ticket="1/2")]),
            group.put([an_arrival("none", ticket="")]),
            group.put([an_arrival("long", ticket="9" * 5000)]),
            group.put([an_arrival("long " * 5000 + "".join(map(chr, range(200, 9000))), ticket="7")]),
        ]
        more = [group.put([an_arrival(f"e{number}", ticket=str(number))]) for number in (4, 5)]
    for future in (*good, *more):
        future.result(PATIENCE)
    for future in bad[:4]:
        with pytest.raises(BrokenRow):
            future.result(PATIENCE)
    if store.path is None:  # PostgreSQL indexes no text of that length
        with pytest.raises(BrokenRow, match="index row"):
            bad[4].result(PATIENCE)
    assert group.stop(10)
    assert {ref for ref, _ in engine.woken} >= {f"acme/{number}" for number in (1, 2, 3, 4, 5)}


@pytest.mark.parametrize("odd", ["\ud83d", "a\0b", "\ude00\ud83d"])
def test_half_characters_and_nul_are_kept_as_what_they_can_be(
    store: Store, engine: QuietEngine, odd: str
) -> None:
    group = GroupCommit(store, engine, Ailments(lambda: 0))
    group.start()
    group.put([replace(an_arrival(f"d{odd}"), hint=odd)]).result(PATIENCE)
    with store.reading() as connection:
        (row,) = inbox.open_rows(connection, REF)
    assert "\ufffd" in row.hint
    assert group.stop(10)
