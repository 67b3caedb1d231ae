"""A plan whose applying is killed again and again, and one that meets a service: judged by what the helpdesks were
asked."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from connector.app.applying import leave_and_wait
from connector.clock import Clock, SystemClock
from connector.config.settings import Caps
from connector.demo import CONFIG
from connector.store.opening import open_store
from connector.work.planning import Maker
from connector.work.plans import ManyPlan, as_file, give
from tests.connector.beside import composed
from tests.connector.each import EACH
from tests.crash import applying
from tests.crash.hasty import BEGAN, RATE, HastyClock
from tests.crash.mortal import Ended, Mortal
from tests.crash.town import PATIENCE, ROOT, Town, town

KILLS = 20
OBSERVED = CONFIG.replace('"enforce"', '"observe"')


def planned(here: Town, clock: Clock) -> ManyPlan:
    """What is due on all helpdesks, seen in observe and enforced since."""
    with composed(here.config, clock, here.environment()) as service:
        service.once(lambda _: None)
    text = here.config.read_text(encoding="utf-8")
    here.config.write_text(text.replace('"observe"', '"enforce"'), encoding="utf-8")
    with composed(here.config, clock, here.environment()) as service:
        parts, now = service.parts, service.parts.clock.now()
        maker = Maker(
            store=parts.store,
            desks=parts.desks,
            rules=parts.rules(),
            caps=Caps(),
            clock=parts.clock,
            progress=lambda _: None,
        )
        plan = maker.make(None, None, now)
    here.config.with_name("plan.json").write_text(as_file(plan), encoding="utf-8")
    return plan


def applied(here: Town, *death: str | int) -> Ended:
    """Apply the plan in a process of its own, to its end or its death."""
    plan = here.config.with_name("plan.json")
    return Mortal(applying.main, (here.config, plan, *death), here.environment()).end(PATIENCE)


@contextmanager
def serving(here: Town, clock: HastyClock) -> Iterator[None]:
    """`uptier run` on this clock, until the block is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.serving", str(here.config)],
        cwd=ROOT,
        env=here.environment() | {BEGAN: repr(clock.began)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(300)
def test_killed_at_twenty_random_points_each_line_is_applied_once(tmp_path: Path) -> None:
    with town(tmp_path, *EACH, tickets=4, config=OBSERVED) as here:
        plan = planned(here, SystemClock())
        assert len(plan.lines) == 12
        assert here.sent() == 0
        chance, killed = Random(18), 0  # noqa: S311 - the same on every run
        for _ in range(KILLS):
            done = applied(here, chance.choice(("before", "after")), chance.randrange(2, 10))
            killed += done.returncode == -signal.SIGKILL
        assert killed == KILLS, here.applied()
        assert 0 < here.applied() < sum(line.writes for line in plan.lines)
        done = applied(here)
        ended = json.loads(done.stdout.splitlines()[-1])
        assert ended["fates"] == {line.ticket: "plan applied" for line in plan.lines}, done.stdout
        assert here.notes() == [1] * 12
        assert here.applied() == sum(line.writes for line in plan.lines)


def test_with_a_service_beside_it_each_line_is_applied_once(tmp_path: Path) -> None:
    """Half of its lines were ordered by a call that died before the service started, the rest while it starts to do the
    same by itself."""
    clock = HastyClock(time.time())
    with town(tmp_path, *EACH, tickets=4, config=OBSERVED, now=clock.monotonic) as here:
        plan = planned(here, clock)
        assert (len(plan.lines), here.sent()) == (12, 0)
        with closing(open_store(f"sqlite:///{tmp_path}/uptier.db")) as store:
            half = replace(plan, lines=plan.lines[::2])
            with store.writing() as connection:
                give(connection, half, "eli", clock.now())
            with serving(here, clock):
                done = leave_and_wait(store, clock, plan, "eli", 60 * RATE, lambda _: None)
                with store.writing() as connection:
                    give(connection, plan, "eli", clock.now())
                clock.sleep(60)
        assert done.waiting == {}
        assert {done.fates[line.ticket][0] for line in half.lines} == {"plan applied"}
        assert {fate for fate, _ in done.fates.values()} <= {"plan applied", "plan drifted"}
        assert here.notes() == [1] * 12
        assert here.applied() == sum(line.writes for line in plan.lines)
