"""The wall clock is set back and forth under running processes: what comes in meanwhile is found, written,
and written
once. Judged by the helpdesk's log."""

from functools import partial
from pathlib import Path

import pytest

from tests.crash.fleet import DUE_IN, Fleet, alone, fleet, until
from tests.wall import DAY, HOUR

AT_ONCE = 6
AHEAD = (0, -HOUR, DAY, 0)
"""How far the processes' clock is from the helpdesk's, one after the other."""


def set_back_and_forth(many: Fleet, wall: Path, *roles: str) -> None:
    """Some tickets come in after each step, overdue by any of these clocks."""
    wall.write_text("0", encoding="utf-8")
    for number, role in enumerate(roles):
        many.start(f"node-{number}", role, f"--wall={wall}")
    until("the directory", partial(heard, many, len(roles), "directory_read"), 60)
    for number, ahead in enumerate(AHEAD, 1):
        wall.with_suffix(".new").write_text(str(ahead), encoding="utf-8")
        wall.with_suffix(".new").replace(wall)
        come_in(many, (number - 1) * AT_ONCE)
        until(f"what came after step {number}", partial(written, many, number * AT_ONCE), 60)
    assert many.here.notes() == [1] * len(AHEAD) * AT_ONCE
    assert many.here.applied() == len(AHEAD) * AT_ONCE
    for number in range(len(roles)):
        assert many.said(f"node-{number}").count("clock_was_set") == len(AHEAD) - 1


def come_in(many: Fleet, since: int) -> None:
    """Tickets that have waited for two days, and whose customers write again, so that the feed of changes has them."""
    many.here.open(AT_ONCE, since=since, overdue=DUE_IN + 2 * DAY)
    (desk,) = many.here.desks.values()
    for number in range(since + 1, since + AT_ONCE + 1):
        desk.desk.customer_says(desk.tickets[f"t{number}"], "Still broken")


def heard(many: Fleet, nodes: int, action: str) -> bool:
    return any(action in many.said(f"node-{number}") for number in range(nodes))


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
