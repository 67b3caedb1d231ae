"""Rule 1: when a level is due. Deadlines are the helpdesk's, or those of `[sla]`."""

from dataclasses import replace

import pytest

from policies.model import Metric, Stage, Status, Target
from policies.plan import Plan
from policies.present.explain import traced
from tests.policies.lives import HEAD, LADDER, Life, at


def deadline_policy(due: str, metric: str = "resolution", calendar: str = "") -> str:
    """One level on a deadline clock."""
    return f"""
[[policy]]
name = "p"
clock = "{metric}"
{calendar}
[policy.when]
status = ["new", "open", "pending"]
[[policy.level]]
name = "one"
{due}
note = "handoff"
"""


def due(plan: Plan, level: int = 0) -> int | None:
    return traced(plan)[0].levels[level].due


def active(minutes: float, start: float | None = None, metric: Metric = Metric.RESOLUTION) -> Target:
    return Target(
        metric=metric, stage=Stage.ACTIVE, due=at(minutes), start=None if start is None else at(start)
    )


def test_after_counts_from_the_clocks_start() -> None:
    life = Life().customer(3)
    assert due(life.plan(5)) == at(33)
    assert life.plan(32.98).wanted == ()
    assert life.plan(33).wanted != (), "a thing is due when now is the due instant"


def test_since_last_level_counts_from_the_instant_the_level_before_was_passed() -> None:
    text = LADDER.replace('after = "2h"', 'after = "10m"\nclock = "since_last_level"')
    life = Life(text).customer(0)
    life.look(45)
    assert life.fired() == ["one"]
    assert due(life.plan(46), 1) == at(55)


def test_since_last_level_is_an_error_on_the_first_level() -> None:
    with pytest.raises(AssertionError, match="no level before it"):
        Life(LADDER.replace('after = "30m"', 'after = "10m"\nclock = "since_last_level"'))


def test_before_is_the_latest_instant_from_which_that_much_time_remains() -> None:
    life = Life(deadline_policy('before = "20m"')).target(active(100))
    assert due(life.plan(1)) == at(80)
    assert life.plan(79.98).wanted == ()
    assert life.plan(80).wanted != ()


def test_after_on_a_deadline_counts_on_from_it() -> None:
    assert due(Life(deadline_policy('after = "15m"')).target(active(100)).plan(1)) == at(115)


def test_at_is_the_share_between_start_and_due() -> None:
    assert due(Life(deadline_policy("at = 75")).target(active(100, start=20)).plan(1)) == at(80)


def test_at_is_the_first_whole_second_at_or_above_the_share() -> None:
    target = Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, start=at(0), due=at(0) + 101)
    assert due(Life(deadline_policy("at = 50")).target(target).plan(0)) == at(0) + 51


def test_at_is_never_due_on_a_ticket_without_a_start_and_that_is_said() -> None:
    plan = Life(deadline_policy("at = 75")).target(active(100)).plan(99)
    assert due(plan) is None
    assert "never due" in traced(plan)[0].levels[0].text


def test_the_calendar_only_walks_from_the_deadline() -> None:
    calendar = 'calendar = "office"'
    monday_10 = 10 * 60
    assert due(
        Life(deadline_policy('before = "2h"', calendar=calendar)).target(active(monday_10)).plan(1)
    ) == at((10 - 24 * 3 + 7 - 1) * 60 + 0), "one hour on Monday, one on Friday before 17:00"


def test_without_business_time_between_start_and_due_it_is_due_at_the_start() -> None:
    calendar = 'calendar = "office"'
    night = active(6 * 60, start=60)
    assert due(Life(deadline_policy('before = "1h"', calendar=calendar)).target(night).plan(61)) == at(60)
    assert due(Life(deadline_policy("at = 50", calendar=calendar)).target(night).plan(61)) == at(60)


def test_a_moved_target_recomputes_only_levels_not_yet_passed() -> None:
    two = (
        deadline_policy('before = "60m"')
        + '[[policy.level]]\nname = "two"\nbefore = "10m"\nnote = "handoff"\n'
    )
    life = Life(two).target(active(100, start=0))
    life.look(40)
    assert life.fired() == ["one"]
    life.target(active(300, start=0))
    life.look(95)
    assert life.fired() == ["one"], "the same start is the same target"
    assert due(life.plan(95), 1) == at(290)


def test_a_changed_start_is_a_new_target_and_restarts_the_clock() -> None:
    life = Life(deadline_policy('before = "60m"')).target(active(100, start=0))
    life.look(40)
    life.target(active(300, start=50))
    life.look(60)
    life.look(240)
    assert life.fired() == ["one", "one"]


def test_a_target_set_after_achievement_is_a_new_one() -> None:
    life = Life(deadline_policy('before = "60m"')).target(active(100, start=0))
    life.look(40)
    life.target(Target(metric=Metric.RESOLUTION, stage=Stage.ACHIEVED, due=None, start=at(0)))
    life.look(50)
    life.target(active(100, start=0))
    life.look(60)
    assert life.fired() == ["one", "one"]


def test_an_absent_clock_fires_nothing_and_suspends_the_episode() -> None:
    life = Life(deadline_policy('before = "60m"')).target(active(100, start=0))
    life.look(1)
    paused = Target(metric=Metric.RESOLUTION, stage=Stage.PAUSED, due=at(100), start=at(0))
    life.target(paused)
    assert life.plan(99).wanted == ()
    life.look(99)
    assert life.standing().episode is not None
    assert life.reasons() == []
    life.target(active(150, start=0))
    life.look(120)
    assert life.fired() == ["one"]


def test_a_target_that_is_null_right_after_a_write_is_read_again() -> None:
    life = Life(deadline_policy('before = "60m"')).target(
        Target(metric=Metric.RESOLUTION, stage=Stage.UNKNOWN, due=None)
    )
    plan = life.plan(0)
    assert plan.next_look == at(0) + 15
    life.standings = plan.standings
    assert life.plan(0.25).next_look == at(0) + 30
    assert life.plan(0.5).next_look == at(0) + 60


SLA = (
    HEAD
    + """
[sla.standard]
calendar = "office"
first_reply = { urgent = "1h", high = "4h" }
next_reply = { high = "2h" }
resolution = { high = "8h" }
"""
)


def test_sla_tables_serve_where_the_helpdesk_gives_no_target() -> None:
    life = Life(deadline_policy('before = "1h"', "first_reply"), SLA).customer(0)
    assert due(life.plan(1)) == at(12 * 60), "four office hours from 09:00 are due at 13:00"


def test_a_vendors_own_target_wins_also_when_achieved() -> None:
    life = Life(deadline_policy('before = "1h"'), SLA).customer(0)
    assert due(life.plan(1)) == at(16 * 60)
    life.target(Target(metric=Metric.RESOLUTION, stage=Stage.ACHIEVED, due=None))
    assert due(life.plan(1)) is None


def test_no_priority_no_target() -> None:
    life = Life(deadline_policy('before = "1h"', "first_reply"), SLA).customer(0).with_fields(priority=None)
    assert due(life.plan(1)) is None


def test_first_reply_ends_with_the_first_qualifying_reply() -> None:
    life = Life(deadline_policy('before = "1h"', "first_reply"), SLA).customer(0).agent(10)
    assert due(life.plan(11)) is None


def test_next_reply_runs_after_the_first_reply() -> None:
    life = Life(deadline_policy('before = "1h"', "next_reply"), SLA).customer(0)
    assert due(life.plan(1)) is None
    life.agent(600).customer(660)
    assert due(life.plan(661)) == at(12 * 60), "two hours from 11:00, one hour before"


def test_resolution_has_the_same_start_after_a_reopen() -> None:
    life = Life(deadline_policy('before = "1h"'), SLA).customer(0)
    life.change(60, "status", "solved").change(120, "status", "open")
    assert due(life.plan(121)) == at(16 * 60)


def test_the_priority_of_a_target_is_the_one_before_our_own_write() -> None:
    text = (
        deadline_policy('before = "1h"') + '[[policy.level]]\nname = "two"\nafter = "0m"\nnote = "handoff"\n'
    )
    text = text.replace(
        'note = "handoff"\n[[policy.level]]', 'priority = { at_least = "urgent" }\n[[policy.level]]', 1
    )
    head = SLA.replace('resolution = { high = "8h" }', 'resolution = { high = "8h", urgent = "1h" }')
    life = Life(text, head).customer(0)
    life.look(16 * 60)
    assert life.fired() == ["one"]
    assert due(life.plan(16 * 60 + 1), 1) == at(17 * 60), "eight office hours, though it is urgent now"


def test_a_solved_ticket_has_no_resolution_target() -> None:
    life = Life(deadline_policy('before = "1h"'), SLA).customer(0)
    life.ticket = replace(life.ticket, status=Status.PENDING)
    assert due(life.plan(1)) is not None
