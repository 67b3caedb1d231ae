"""An undo that is killed again and again, on both databases: judged by what the helpdesks were asked."""

import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import tests.crash.undoing
from connector.app.undoing import left
from connector.clock import SystemClock
from connector.demo import CONFIG
from connector.work import undoing
from tests.connector.beside import composed
from tests.connector.each import EACH
from tests.crash.mortal import Ended, Mortal
from tests.crash.town import PATIENCE, Town, town
from tests.postgres import database

POLICY = "urgent-unanswered"
TICKETS = 4
KILLS = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest) -> Iterator[str]:
    """The demo's, on either database."""
    if request.param == "sqlite":
        yield CONFIG
        return
    with database() as url:
        yield CONFIG.replace("sqlite:///uptier.db", url)


def carrying_out(here: Town, *death: str | int) -> Ended:
    """Go on with it in a process of its own, to its end or its death."""
    return Mortal(tests.crash.undoing.main, (here.config, *death), here.environment()).end(PATIENCE)


def ordered(here: Town) -> list[undoing.Line]:
    """Everything that the policy did is to be undone."""
    with composed(here.config, SystemClock(), here.environment()) as service:
        store, now = service.parts.store, service.parts.clock.now()
        lines = list(undoing.of_many(store, POLICY, now - 86400))
        assert undoing.submit(store, lines, who="dana", reason="a storm", now=now) == len(lines)
        return lines


@pytest.mark.timeout(300)
def test_killed_at_random_points_each_ticket_is_restored_once(tmp_path: Path, config: str) -> None:
    with town(tmp_path, *EACH, tickets=TICKETS, config=config) as here:
        assert here.work().returncode == 0
        words = [(desk, word) for desk in here.desks.values() for word in desk.tickets]
        assert {desk.show(word).group for desk, word in words} == {"Tier 2"}
        fired = here.applied()
        assert len(ordered(here)) == len(words)
        chance, killed = Random(18), 0  # noqa: S311 - the same on every run
        for _ in range(KILLS):
            done = carrying_out(here, chance.choice(("before", "after")), chance.randrange(1, 9))
            killed += done.returncode == -signal.SIGKILL
        assert killed > KILLS // 2
        done = carrying_out(here)
        assert done.returncode == 0, done.stdout
        assert {(desk.show(word).group, desk.show(word).tags) for desk, word in words} == {
            ("Tier 1", frozenset({"eu"}))
        }
        assert here.applied() == fired + len(words), "one write restores a ticket"
        with composed(here.config, SystemClock(), here.environment()) as service:
            refs = [line.ref for line in undoing.of_many(service.parts.store, POLICY, 0)]
            assert left(service.parts.store, refs) == ()
            assert service.once(lambda _: None).needs_human == ()
        assert here.applied() == fired + len(words), "and nothing fires again"
