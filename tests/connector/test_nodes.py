"""What processes of a fleet leave word of, and what the one that shows the console makes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.app.compose import roles_named
from connector.app.service import Service
from connector.app.supervision import Ailments
from connector.clock import ManualClock
from connector.demo import CONFIG
from connector.store import fleet
from connector.store.database import Store
from connector.store.fleet import SHOWN_FOR, SILENT, Failing, Node
from tests.connector.beside import START, composed
from tests.connector.console.conftest import PASSWORD, Shown
from tests.connector.each import Each, each
from tests.connector.stores import fresh_store
from tests.patience import until
from tests.postgres import database

WORKER = Node(
    name="host-1:7:a",
    roles=("poller", "worker"),
    at=1000,
    failing=(Failing(name="tick", why="KeyError: 'odd'", since=900, times=3),),
    skews={"acme": 600, "": -2},
)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with fresh_store(request.param, tmp_path) as store:
        yield store


def test_the_last_word_of_each_process_counts_and_none_is_its_own_news(store: Store) -> None:
    with store.writing() as connection:
        fleet.keep(connection, Node(name=WORKER.name, roles=(), at=1, failing=(), skews={}))
        fleet.keep(connection, WORKER)
        assert fleet.others(connection, "me", 1010) == (WORKER,)
        assert fleet.others(connection, WORKER.name, 1010) == ()
        (late,) = fleet.others(connection, "me", WORKER.at + SILENT + 1)
        assert late.silent
        assert fleet.others(connection, "me", WORKER.at + SHOWN_FOR + 1) == ()
        fleet.forget(connection, WORKER.name)
        assert fleet.others(connection, "me", 1010) == ()
        fleet.keep(connection, WORKER)
        fleet.forget_silent(connection, WORKER.at)
        assert fleet.others(connection, "me", 1010) == (WORKER,)
        fleet.forget_silent(connection, WORKER.at + 1)
        assert fleet.others(connection, "me", 1010) == ()


def test_what_fails_is_told_by_the_wall_clock() -> None:
    """Within a process it is known by a clock that nobody sets, which says nothing to a reader."""
    clock = ManualClock(START)
    ailments = Ailments(lambda: 40)
    ailments.found("tick", KeyError("odd"))
    ailments._now = lambda: 70
    assert ailments.told(clock.now()) == (
        Failing(name="tick", why="KeyError: 'odd'", since=START - 30, times=1),
    )


def beside(here: Each, folder: Path, roles: str) -> Service:
    """Another process on the same database."""
    return composed(folder / "uptier.toml", here.clock, here.desk.secrets(), roles_named(roles))


def test_a_console_of_its_own_shows_what_the_workers_know(tmp_path: Path) -> None:
    with (
        database() as url,
        each("zendesk", tmp_path, config=CONFIG.replace("sqlite:///uptier.db", url)) as here,
        beside(here, tmp_path, "console") as showing,
        beside(here, tmp_path, "worker,poller") as working,
    ):
        parts = working.parts
        parts.skews.note(here.desk.account, 600)
        parts.skews.note("", -45)
        parts.ailments.found("looks", KeyError("odd"))
        here.clock.advance(20)
        working._tell_others()
        showing._tell_others()
        shown = Shown(here=here, url=showing._listen())
        shown.user("dana", "viewer")
        with shown.client() as client:
            client.post("/login", data={"name": "dana", "password": PASSWORD})
            page = client.get("/health").text
            for word in (
                parts.name,
                "poller, worker",
                "looks: KeyError",
                "acme: its clock is 600 s ahead of ours",
                "the database: its clock is 45 s behind ours",
            ):
                assert word in page, word
            assert showing.parts.name not in page
            assert "silent" not in page
            here.clock.advance(SILENT + 1)
            assert "silent" in client.get("/health").text
        working.stop()
        with showing.parts.store.reading() as connection:
            left = fleet.others(connection, "", here.clock.now())
        assert [one.name for one in left] == [showing.parts.name]
        showing.stop()


def test_a_process_of_a_fleet_speaks_by_itself(tmp_path: Path) -> None:
    with (
        database() as url,
        each("zendesk", tmp_path, config=CONFIG.replace("sqlite:///uptier.db", url)) as here,
        beside(here, tmp_path, "console") as showing,
    ):
        showing.start()

        def heard() -> list[str]:
            with here.service.parts.store.reading() as connection:
                known = fleet.others(connection, here.service.parts.name, here.clock.now())
            return [one.name for one in known]

        until(lambda: heard() == [showing.parts.name])
        assert showing.stop()


def test_a_single_process_has_nobody_to_tell(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as here:
        here.service.start()
        jobs = {job.id for job in here.service._scheduler.get_jobs()}
        here.service.stop()
        assert "health" in jobs
        assert "node" not in jobs


def test_the_scheduler_that_hangs_is_told_by_others_than_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each("zendesk", tmp_path) as here:
        assert here.service._failing() == ()
        monkeypatch.setattr(here.service._scheduler, "silent_for", lambda: 20.0)
        (found,) = here.service._failing()
        assert (found.name, found.since) == ("scheduler", here.clock.now() - 20)
        assert "restart this process" in found.why
