"""The wall clock is set back and forth under running processes that have work to do: what comes in around each step is
found, written, and written once. Judged by the helpdesk's log."""

from functools import partial
from pathlib import Path

import pytest

from tests.crash.fleet import DUE_IN, Fleet, alone, fleet, until
from tests.wall import DAY, HOUR

HALF = 3
AHEAD = (HOUR, 0, -DAY, DAY, -HOUR, 0)
"""How far the processes' clock is from the helpdesk's, one after the other."""


def set_back_and_forth(many: Fleet, wall: Path, *roles: str) -> None:
    """Some tickets come in before each step and some after it, overdue by any of these clocks. The clock is set while
    the first of them are looked at."""
    wall.write_text("0", encoding="utf-8")
    for number, role in enumerate(roles):
        many.start(f"node-{number}", role, "--brisk", f"--wall={wall}")
    until("the directory", partial(heard, many, len(roles), "directory_read"), 60)
    for number, ahead in enumerate(AHEAD, 1):
        before = many.here.applied()
        first = come_in(many)
        until(f"work before step {number}", lambda word=first: many.here.looks(word) > 0, 60)
        wall.with_suffix(".new").write_text(str(ahead), encoding="utf-8")
        wall.with_suffix(".new").replace(wall)
        come_in(many)
        until(f"step {number} to be noticed", partial(noticed, many, len(roles), number), 30)
        until(f"what came around step {number}", partial(written, many, before + 2 * HALF), 60)
    assert many.here.notes() == [1] * len(AHEAD) * 2 * HALF
    assert many.here.applied() == len(AHEAD) * 2 * HALF
    assert noticed(many, len(roles), len(AHEAD))


def come_in(many: Fleet) -> str:
    """Tickets that have waited for two days, and whose customers write again, so that the feed of changes has them. The
    word for the first of them."""
    (desk,) = many.here.desks.values()
    since = len(desk.tickets)
    many.here.open(HALF, since=since, overdue=DUE_IN + 2 * DAY)
    for number in range(since + 1, since + HALF + 1):
        desk.desk.customer_says(desk.tickets[f"t{number}"], "Still broken")
    return f"t{since + 1}"


def heard(many: Fleet, nodes: int, action: str) -> bool:
    return any(action in many.said(f"node-{number}") for number in range(nodes))


def noticed(many: Fleet, nodes: int, steps: int) -> bool:
    """Whether each process has said so many steps, and no more."""
    return all(many.said(f"node-{number}").count("clock_was_set") == steps for number in range(nodes))


def written(many: Fleet, tickets: int) -> bool:
    return many.here.applied() >= tickets


@pytest.mark.timeout(300)
def test_one_process_on_sqlite(tmp_path: Path) -> None:
    with alone(tmp_path, "zendesk", export_lag=0) as one:
        set_back_and_forth(one, tmp_path / "wall", "receiver,worker,poller,console")


@pytest.mark.timeout(300)
def test_a_fleet_on_postgresql(tmp_path: Path) -> None:
    with fleet(tmp_path, "zendesk", quick=True, export_lag=0) as many:
        set_back_and_forth(many, tmp_path / "wall", "poller,worker", "poller,worker")
