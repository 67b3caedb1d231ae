"""Rule 3: firing."""

import pytest

from policies.model import Priority
from policies.plan import Assign, ChangeTags, Notify, RaisePriority, Say
from tests.policies.lives import ANN, HEAD, LADDER, TIER2, Life, at, policy


def kinds(life: Life) -> list[tuple[float, list[str]]]:
    return [(minute, [action.kind for action in actions]) for minute, actions in life.writes]


def test_of_the_levels_due_only_the_highest_fires() -> None:
    life = Life().customer(0)
    life.look(500)
    assert life.fired() == ["two"]
    assert life.passed() == {"one": "overtaken", "two": "fired"}


def test_tags_and_priority_of_overtaken_levels_are_merged_and_nothing_else() -> None:
    life = Life().customer(0)
    life.look(500)
    ((_, actions),) = life.writes
    tags = next(action for action in actions if isinstance(action, ChangeTags))
    assert tags.add == {"l1", "l2"}
    assert [action.group.name for action in actions if isinstance(action, Assign)] == ["Duty"]
    assert [action.level for action in actions if isinstance(action, Say)] == ["two"]


def test_the_higher_level_wins_a_contradiction_of_tags() -> None:
    life = Life(LADDER.replace('tags = ["l2"]', 'tags = ["l2"]\nuntag = ["l1"]')).customer(0)
    life.look(500)
    ((_, actions),) = life.writes
    tags = next(action for action in actions if isinstance(action, ChangeTags))
    assert (tags.add, "l1" in tags.add) == ({"l2"}, False)


def test_a_priority_of_an_overtaken_level_is_taken_over() -> None:
    text = LADDER.replace('tags = ["l1"]', 'tags = ["l1"]\npriority = { at_least = "urgent" }')
    text = text.replace('}\npriority = { at_least = "urgent" }\ntags = ["l2"]', '}\ntags = ["l2"]')
    life = Life(text).customer(0)
    life.look(500)
    raised = [action for action in life.writes[0][1] if isinstance(action, RaisePriority)]
    assert [action.at_least for action in raised] == [Priority.URGENT]


def test_every_level_before_it_in_the_file_counts_as_overtaken_due_or_not() -> None:
    text = LADDER.replace('after = "30m"', 'after = "9h"')
    life = Life(text).customer(0)
    life.look(121)
    assert life.passed() == {"one": "overtaken", "two": "fired"}
    life.look(600)
    assert life.fired() == ["two"]


def test_levels_never_go_back() -> None:
    life = Life().customer(0)
    life.look(121)
    life.look(122)
    life.look(400)
    assert life.fired() == ["two"]


def test_a_ticket_first_seen_overdue_fires() -> None:
    life = Life().customer(0)
    assert life.plan(60 * 24 * 20).wanted != ()


def test_a_new_episode_is_judged_at_once_by_its_clock_however_late_when_became_true() -> None:
    life = Life(LADDER.replace('"open"]', '"open"]\npriority = "urgent"')).customer(0)
    life.look(60)
    life.change(61, "priority", "urgent")
    life.look(61)
    assert life.fired() == ["one"]


def test_sending_marks_a_level_only_as_under_way() -> None:
    life = Life().customer(0)
    plan = life.plan(31)
    (standing,) = plan.standings
    assert standing.episode is not None
    assert standing.episode.passed == ()
    assert standing.episode.under_way is not None
    assert plan.owner is None


def test_it_has_fired_at_the_instant_of_its_plan() -> None:
    life = Life().customer(0)
    life.look(31)
    episode = life.standing().episode
    assert episode is not None
    assert [(each.level, each.at, each.due) for each in episode.passed] == [("one", at(31), at(30))]


def test_a_stale_first_write_leaves_it_due() -> None:
    life = Life().customer(0)
    life.look(31, result="stale")
    assert life.passed() == {}
    life.look(32)
    assert life.fired() == ["one"]


def test_a_refused_first_write_passes_the_level_without_repeats() -> None:
    text = LADDER.replace('tags = ["l1"]', 'tags = ["l1"]\nrepeat = { every = "5m", times = 3 }')
    life = Life(text).customer(0)
    life.look(31, result="refused")
    assert life.passed() == {"one": "refused"}
    life.look(60)
    assert life.writes == []


def test_a_write_of_unknown_fate_has_fired() -> None:
    life = Life().customer(0)
    life.look(31, result="unknown")
    assert life.passed() == {"one": "fired"}


def test_repeats_say_notes_again_and_nothing_else() -> None:
    text = LADDER.replace('tags = ["l1"]', 'tags = ["l1"]\nrepeat = { every = "10m", times = 2 }')
    life = Life(text).customer(0).look_through(110)
    assert kinds(life) == [(30, ["assign", "tags", "say"]), (40, ["say"]), (50, ["say"])]


def test_repeats_end_with_the_next_level() -> None:
    text = LADDER.replace('tags = ["l1"]', 'tags = ["l1"]\nrepeat = { every = "60m", times = 9 }')
    life = Life(text).customer(0).look_through(300, every=10)
    assert [minute for minute, _ in life.writes] == [30, 90, 120]


def test_missed_repeats_are_sent_once_and_count_once() -> None:
    text = LADDER.replace('tags = ["l1"]', 'tags = ["l1"]\nrepeat = { every = "10m", times = 3 }')
    life = Life(text).customer(0)
    for minute in (30, 75, 84, 85, 95, 105, 115):
        life.look(minute)
    assert [minute for minute, _ in life.writes] == [30, 75, 85, 95]


@pytest.mark.parametrize(("backlog", "levels"), [("fire", ["one"]), ("skip", [])])
def test_backlog_skip_records_as_passed_what_was_due_before_the_policy_ran(
    backlog: str, levels: list[str]
) -> None:
    text = LADDER.replace('name = "p"', f'name = "p"\nbacklog = "{backlog}"')
    life = Life(text, first_ran={"p": at(50)}).customer(0)
    life.look(60)
    assert life.fired() == levels
    life.look(125)
    assert life.fired()[-1:] == ["two"], "what comes due later fires in either case"


def test_backlog_skip_leaves_tickets_created_later_alone() -> None:
    text = LADDER.replace('name = "p"', 'name = "p"\nbacklog = "skip"')
    life = Life(text, first_ran={"p": at(-5)}).customer(0)
    life.look(60)
    assert life.fired() == ["one"]


def test_a_level_that_only_notifies_has_nothing_to_write_and_repeats_its_notification() -> None:
    head = HEAD + "[channels.leads]\nurl = 'secret:leads'\n"
    level = """after = "30m"
notify = ["leads"]
repeat = { every = "1h", times = 2 }
"""
    life = Life(policy(level), head).customer(0)
    plan = life.plan(30)
    episode = plan.standings[0].episode
    assert episode is not None
    assert (episode.under_way, [each.level for each in episode.passed]) == (None, ["one"])
    assert [line.what for line in plan.occurrences] == ["started", "fired", "owner"]
    (said,) = (each.action for each in plan.wanted)
    assert isinstance(said, Notify)
    assert (said.reasons, said.next_step) == (
        ("open for 30m (limit 30m)",),
        "said again at 2026-09-28 01:30 UTC",
    )
    life.look_through(300)
    assert life.lines("repeated") == 2


def test_with_nothing_to_write_it_has_fired_when_its_plan_is_committed() -> None:
    text = LADDER.replace('assign = { group = "Tier 2" }\ntags = ["l1"]\nnote = "handoff"', 'owner = "Duty"')
    life = Life(text).customer(0)
    plan = life.look(31)
    assert plan.wanted == ()
    assert life.passed() == {"one": "fired"}


def test_assigning_a_group_alone_keeps_a_member_and_drops_another() -> None:
    life = Life().customer(0).with_fields(assignee=ANN)
    life.look(31)
    assert (life.ticket.group, life.ticket.assignee) == (TIER2, None)
    ben = life.directory.agents[1].person
    other = Life().customer(0).with_fields(assignee=ben)
    other.look(31)
    assert other.ticket.assignee == ben
