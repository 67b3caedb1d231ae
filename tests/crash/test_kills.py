"""SIGKILL to a real process, beside each helpdesk. Judged by what the helpdesk was asked, not by our database."""

import signal
from pathlib import Path

import pytest

from tests.connector.each import DESKS
from tests.crash.town import town

WRITES = {"zendesk": 1, "freshdesk": 2, "servicenow": 1}
"""How many requests one level takes."""

pytestmark = pytest.mark.parametrize("vendor", DESKS)


def test_killed_at_every_commit_each_write_arrives_once(vendor: str, tmp_path: Path) -> None:
    """Each process dies one COMMIT later than the one before, until one lives through its round."""
    with town(tmp_path, vendor, tickets=1 if vendor == "freshdesk" else 2) as here:
        at = 1
        while (ended := here.work("before" if at % 2 else "after", at)).returncode:
            assert ended.returncode == -signal.SIGKILL, ended.stdout
            at += 1 if vendor == "zendesk" else 4
            assert at < 60
        assert at > 5
        here.work()
        assert set(here.notes()) == {1}
        assert here.applied() == 2


def test_killed_after_a_write_left_it_is_not_sent_again(vendor: str, tmp_path: Path) -> None:
    """The helpdesk has carried the write out and holds the answer back; then the process dies."""
    with town(tmp_path, vendor) as here:
        here.fault("hang", applied=True)
        process = here.start()
        here.await_one(here.applied)
        process.kill()
        assert process.end(60).returncode == -signal.SIGKILL
        assert here.work().returncode == 0
        assert here.work().returncode == 0
        assert here.notes() == [1]
        assert here.sent() == WRITES[vendor]


def test_killed_while_a_write_was_lost_it_is_sent_again_once(vendor: str, tmp_path: Path) -> None:
    """The write left and never arrived."""
    with town(tmp_path, vendor) as here:
        here.fault("hang", applied=False)
        process = here.start()
        here.await_one(here.sent)
        process.kill()
        assert process.end(60).returncode == -signal.SIGKILL
        here.work()
        here.work()
        assert here.notes() == [1]
        assert here.applied() == WRITES[vendor]
