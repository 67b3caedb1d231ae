"""No input and no error ends a thread or a timed job; what is wrong is said once, counted, and gone when well."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from connector.app.scheduler import Scheduler
from connector.app.supervision import LONGEST_PAUSE, PROVEN_AFTER, SAID_EVERY, Ailments, SupervisedWorker
from connector.store.trouble import StoreTrouble
from tests.connector.each import each
from tests.patience import PATIENCE, until


def fails(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_what_lasts_is_said_once_counted_and_gone_when_well() -> None:
    now = [0]
    ailments = Ailments(lambda: now[0])
    with capture_logs() as lines:
        for _ in range(100):
            assert not ailments.attempt("tick", fails(ValueError("odd")))
        now[0] = SAID_EVERY
        ailments.attempt("tick", fails(ValueError("odd")))
    assert [(line["event"], line["what"], line["times"]) for line in lines] == [
        ("failing", "tick", 1),
        ("failing", "tick", 101),
    ]
    (ailment,) = ailments.current()
    assert (ailment.name, ailment.why, ailment.since, ailment.times) == ("tick", "ValueError: odd", 0, 101)
    with capture_logs() as lines:
        assert ailments.attempt("tick", lambda: None)
        assert ailments.attempt("tick", lambda: None)
    assert [(line["event"], line["times"]) for line in lines] == [("works_again", 101)]
    assert ailments.current() == ()


def test_trouble_with_the_database_comes_without_a_traceback() -> None:
    with capture_logs() as lines:
        Ailments(lambda: 0).attempt("sweep", fails(StoreTrouble("the disk is full")))
    assert (lines[0]["reason"], lines[0]["exc_info"]) == ("the disk is full", None)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(), MemoryError(), GeneratorExit()])
def test_a_thread_that_ends_is_begun_again(error: BaseException) -> None:
    now, begun, go_on = [0], list[int](), threading.Event()
    ailments = Ailments(lambda: now[0])

    def work() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise error
        go_on.wait(PATIENCE)

    worker = SupervisedWorker("looks", work, ailments)
    assert not worker.well()
    with capture_logs():
        worker.start()
        until(lambda: len(begun) == 3)
    assert worker.well()
    assert [(one.name, one.times) for one in ailments.current()] == [("looks", 2)]
    now[0] = PROVEN_AFTER
    with capture_logs():
        assert ailments.current() == ()
    worker.end()
    go_on.set()
    assert worker.join(PATIENCE)
    assert len(begun) == 3


def test_one_that_returns_before_its_end_is_begun_again_too_after_a_pause_that_grows() -> None:
    ailments = Ailments(lambda: 0)
    begun = list[int]()
    worker = SupervisedWorker("looks", lambda: begun.append(1), ailments)
    pauses = list[float]()

    def waited(seconds: float = 0) -> bool:
        pauses.append(seconds)
        if len(pauses) == 12:
            worker.end()
        return worker._ended.is_set()

    worker._ended.wait = waited  # type: ignore[method-assign,assignment]
    with capture_logs():
        worker.start()
        assert worker.join(PATIENCE)
    assert pauses[:4] == [0.0, 0.1, 0.2, 0.4]
    assert pauses[-2] == LONGEST_PAUSE
    assert "ended by itself" in ailments.current()[0].why


def test_even_an_error_of_the_edge_itself_ends_nothing() -> None:
    class Broken(Ailments):
        times = 0

        def current(self) -> tuple[()]:
            self.times += 1
            if self.times == 1:
                raise RuntimeError("the edge itself")
            return ()

    begun, go_on = list[int](), threading.Event()

    def work() -> None:
        begun.append(1)
        if len(begun) < 2:
            raise ValueError
        go_on.wait(PATIENCE)

    died: list[object] = []
    before, threading.excepthook = threading.excepthook, died.append
    try:
        worker = SupervisedWorker("looks", work, Broken(lambda: 0))
        worker.start()
        until(lambda: len(begun) == 2)
        until(lambda: len(died) == 1)
    finally:
        threading.excepthook = before
    worker.end()
    go_on.set()
    assert worker.join(PATIENCE)


def test_the_schedulers_own_thread_goes_on() -> None:
    broken, done = [True], threading.Event()

    class Odd(Scheduler):
        def _process_jobs(self) -> object:
            if broken[0]:
                broken[0] = False
                raise ZeroDivisionError
            return super()._process_jobs()

    ailments = Ailments(lambda: 0)
    scheduler = Odd(ailments, job_defaults={"misfire_grace_time": None})
    with capture_logs():
        scheduler.add_job(done.set, id="once")
        scheduler.start()
        assert done.wait(PATIENCE)
    assert [one.name for one in ailments.current()] == ["scheduler"]
    scheduler.shutdown()


@pytest.mark.parametrize("job", ["tick", "sweep", "notify", "health", "leases", "follow acme", "list acme"])
def test_each_timed_job_that_raises_goes_on_at_its_next_time(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every job is handed to the scheduler through the same gate; here each is broken once, and called by it."""
    with each("zendesk", tmp_path) as one:
        monkeypatch.setattr(one.service._scheduler, "start", lambda: None)
        one.service.start()
        called = one.service._scheduler.get_job(job).func
        name, call = called.args
        calls = iter([fails(KeyError("odd")), call])
        with capture_logs() as lines:
            assert not called.func(name, next(calls))
            assert [each_one.name for each_one in one.service.parts.ailments.current()] == [job]
            assert called.func(name, next(calls))
        assert [line["event"] for line in lines if line.get("what") == job] == ["failing", "works_again"]
        one.service.stop()
