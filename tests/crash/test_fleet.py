"""Three worker processes over one PostgreSQL: one is killed, one stands still and comes back, the database
crashes and
is started again. Judged by what the helpdesk was asked."""

import time
from pathlib import Path

import pytest

from tests.crash.fleet import DUE_IN, fleet, until
from tests.postgres import crash_and_restart

TICKETS = 24


@pytest.mark.timeout(240)
def test_killed_paused_and_cut_off_each_ticket_is_written_once(tmp_path: Path) -> None:
    with fleet(tmp_path, "zendesk", quick=True) as many:
        many.here.open(TICKETS, overdue=DUE_IN + 60)
        many.start("poller", "poller")
        for name in ("one", "two", "three"):
            many.start(name, "worker")
        until("some", lambda: many.here.applied() >= TICKETS // 8, 90)
        many.kill("one")
        many.pause("two")
        crash_and_restart()
        many.start("four", "worker")
        time.sleep(4)  # longer than a look may stand still here, so that others have taken its tickets over
        many.go_on("two")
        until("the last", lambda: many.here.notes().count(1) == TICKETS, 90)
        time.sleep(3)  # time enough for a second write, if there were to be one
        assert many.here.notes() == [1] * TICKETS
        assert many.here.applied() == TICKETS
