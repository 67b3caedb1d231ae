"""The main job on each helpdesk: found, decided, written once, and nothing else."""

from pathlib import Path

import pytest

from connector.demo import CONFIG
from tests.connector.each import EACH, each

pytestmark = pytest.mark.parametrize("vendor", EACH)

WEEKS = 3 * 7 * 24 * 60


def test_each_level_is_written_once(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        assert one.applied() == 0
        one.round(31)
        shown = one.show()
        assert (shown.group, shown.notes) == ("Tier 2", 1)
        assert shown.tags == {"eu", "escalated"}
        written = one.applied()
        one.rounds(until=60, every=10)
        assert one.applied() == written
        one.round(30)
        assert (one.show().group, one.show().notes) == ("Duty managers", 2)
        one.rounds(until=180, every=30)
        assert one.show().notes == 2
        assert one.whats().count("fired") == 2


def test_tickets_idle_for_weeks_before_the_first_start_are_found(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one", "two")
        one.opened("left", tag="no-escalation")
        one.clock.advance(WEEKS * 60)
        one.round()
        one.rounds(until=3, every=1)
        assert [one.show(word).notes for word in ("one", "two", "left")] == [1, 1, 0]
        assert one.show("one").group == "Duty managers"
        assert "overtaken" in one.whats("one")


def test_a_second_run_writes_nothing(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        one.round(31)
        written = len(one.log())
        one.rounds(until=4, every=1)
        assert len(one.log()) == written


def test_nothing_is_written_in_observe(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=CONFIG.replace('"enforce"', '"observe"')) as one:
        one.opened("one")
        one.round()
        one.round(31)
        one.round(120)
        assert one.log() == []
        assert "observed" in one.whats()


def test_an_answer_ends_the_ladder(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        one.round(31)
        one.desk.answer("one", "Ann", "Try again, please.")
        one.round(1)
        written = one.applied()
        one.rounds(until=240, every=60)
        assert one.applied() == written
        assert one.whats()[-1] == "ended"


def test_a_human_in_the_moment_of_the_write_wins(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        one.desk.answer_in_the_moment_of_the_write("one", "Ann", "I am on it.")
        one.round(31)
        one.rounds(until=3, every=1)
        assert one.applied() == 0
        assert one.show().tags == {"eu"}


def test_many_at_once_are_each_written_once(vendor: str, tmp_path: Path) -> None:
    words = [f"t{number}" for number in range(8)]
    with each(vendor, tmp_path) as one:
        one.opened(*words)
        one.round()
        one.round(31)
        one.rounds(until=4, every=1)
        assert {word: one.show(word).notes for word in words} == dict.fromkeys(words, 1)


AGAIN = """
[[policy]]
name = "again"
clock = "created"
[policy.when]
requester = { recent_tickets = { at_least = 3 } }
[[policy.level]]
name = "together"
after = "0m"
tags = ["again"]
"""


def test_the_third_ticket_of_a_customer_in_a_week_is_noticed(vendor: str, tmp_path: Path) -> None:
    config = CONFIG[: CONFIG.index("[[policy]]")] + AGAIN
    with each(vendor, tmp_path, config=config) as one:
        one.opened("one")
        one.round()
        one.clock.advance(7 * 24 * 3600)
        one.opened("two", "three")
        one.round()
        assert not any("again" in one.show(word).tags for word in ("one", "two", "three"))
        one.opened("four")
        one.rounds(until=3, every=1)
        assert "again" in one.show("four").tags
        assert "again" not in one.show("one").tags, "nothing woke it"
