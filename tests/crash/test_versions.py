"""A newer and an older node on one database: while the tables go with both, each ticket is written once, whoever does
it; once they do not, the older one takes nothing more within seconds, and the newer goes on alone."""

from pathlib import Path

import pytest

from connector.store.revision import OLDEST
from tests.crash.fleet import DUE_IN, fleet, until
from tests.crash.node import NEWER

TICKETS = 24
GOES_ON = (
    "ALTER TABLE ticket ADD COLUMN of_a_later_release TEXT; UPDATE alembic_version SET version_num = '{}'"
)
AND_LEAVES_BEHIND = "UPDATE cursor SET value = '{}' WHERE feed = '{}'"


@pytest.mark.timeout(240)
def test_nodes_are_changed_one_by_one_and_one_that_is_left_behind_stops(tmp_path: Path) -> None:
    with fleet(tmp_path, "zendesk", quick=True) as many:
        many.here.open(TICKETS, overdue=DUE_IN + 60)
        many.start("poller", "poller")
        many.start("older", "worker")
        until("some by the older", lambda: many.here.applied() >= TICKETS // 8, 90)
        many.told(GOES_ON.format(NEWER))
        many.start("newer", "worker", "--newer")
        until("half", lambda: many.here.applied() >= TICKETS // 2, 90)
        assert "version_outgrown" not in many.said("older") + many.said("newer")
        many.told(AND_LEAVES_BEHIND.format(NEWER, OLDEST))
        until("the older's last word", lambda: "version_outgrown" in many.said("older"), 10)
        until("the last", lambda: many.here.notes().count(1) == TICKETS, 90)
        assert many.here.applied() == TICKETS
        many.start("late", "worker")
        until("its end", lambda: many.processes["late"].poll() is not None, 30)
        assert f"written by a newer Uptier ({NEWER})" in many.said("late")
