"""What `uptier explain` says: every policy, its lines, its clock, its levels, in words."""

import pytest

from policies.evaluate import evaluate
from policies.model import Metric, Stage, Status, Target, Who
from policies.plan import Say
from policies.present.explain import explain, traced, worded
from policies.rules.observe import UNREAD
from tests.policies.lives import AFTER_30, AFTER_120, ANN, Life, at, policy


def said(life: Life, minutes: float) -> str:
    """The explanation as of this minute."""
    return explain(traced(life.plan(minutes)))


def verdict(life: Life, minutes: float) -> str:
    """Its first line, without the policy's name."""
    return said(life, minutes).splitlines()[0].removeprefix('Policy "p" (enforce): ')


def clock(life: Life, minutes: float) -> list[str]:
    """The lines about the clock."""
    lines = said(life, minutes).splitlines()
    begin = next(i for i, each in enumerate(lines) if each.startswith("  clock"))
    end = next((i for i, each in enumerate(lines) if each == "  levels"), len(lines))
    return [each.strip() for each in lines[begin:end]]


# --- the whole ------------------------------------------------------------------------------------------------


def test_a_policy_that_waits() -> None:
    assert said(Life().customer(0), 29.5) == (
        'Policy "p" (enforce): waits for level "one": due 2026-09-28 00:30 UTC, 30m after the clock\'s start\n'
        "  when\n"
        "    yes status is new or open (it is new)\n"
        "    yes status is not solved or closed (it is new)\n"
        "  clock customer_waiting\n"
        "    counts from 2026-09-28 00:00 UTC: the customer wrote\n"
        "    counted until 2026-09-28 00:29:30 UTC: 29m30s\n"
        "  levels\n"
        "    one: waiting; due 2026-09-28 00:30 UTC, 30m after the clock's start\n"
        "    two: waiting; due 2026-09-28 02:00 UTC, 2h after the clock's start"
    )


def test_a_policy_that_does_not_match() -> None:
    text = policy(
        clock="since_agent_reply",
        when='any = [{ type = "task", priority = "low" }, { tags = { has = "vip" } }]\nrequester.vip = false',
        unless='subject = { contains = "x" }',
    )
    assert said(Life(text).customer(0), 5) == (
        'Policy "p" (enforce): does not match: any of 2 conditions, of which none hold\n'
        "  when\n"
        "    no  any of 2 conditions\n"
        "        no  type is task and priority is low\n"
        "            no  type is task (it is missing)\n"
        "            no  priority is low (it is high)\n"
        "        no  tags has vip (it is empty)\n"
        "    yes requester.vip is no (it is no)\n"
        "    yes status is not solved or closed (it is new)\n"
        "  unless\n"
        "    no  subject contains x (it is Nobody can log in)\n"
        "  clock since_agent_reply: absent, no agent has replied yet"
    )


def test_every_policy_is_said_in_order() -> None:
    text = said(Life(policy() + policy(name="q")).customer(0), 5)
    assert [each.splitlines()[0][:10] for each in text.split("\n\n")] == ['Policy "p"', 'Policy "q"']


def test_no_policy_is_said_too() -> None:
    assert explain(()) == "No policy serves this account."


def test_a_trace_decides_nothing_and_says_what_the_plan_does() -> None:
    life = Life().customer(0)
    plan = life.plan(30)
    assert explain(traced(plan)) == explain(traced(life.plan(30)))
    assert plan.wanted != ()
    assert verdict(life, 30) == 'fires level "one"'


# --- verdicts -------------------------------------------------------------------------------------------------


def test_what_a_line_read_is_in_the_verdict() -> None:
    life = Life(policy(when='priority = "low"')).customer(0)
    assert verdict(life, 5) == "does not match: priority is low, but it is high"
    assert verdict(life.with_fields(priority=None), 5) == "does not match: priority is low, but it is missing"
    tagged = Life(policy(when='tags = { has = "vip" }')).customer(0).with_fields(tags=frozenset({"b", "a"}))
    assert verdict(tagged, 5) == "does not match: tags has vip, but it is a, b"
    asked = Life(policy(when="requester.vip = true")).customer(0)
    assert verdict(asked, 5) == "does not match: requester.vip is yes, but it is no"


def test_all_is_said_like_any() -> None:
    life = Life(policy(when='all = [{ priority = "low" }, { status = "new" }]')).customer(0)
    assert verdict(life, 5) == "does not match: all of 2 conditions, of which not all hold"


def test_several_operators_of_one_field_are_said_as_they_stand() -> None:
    life = Life(policy(when="replies = { over = 1, under = 9 }")).customer(0)
    assert (
        verdict(life, 5) == "does not match: replies is over 1 and replies is under 9, of which not all hold"
    )


def test_the_line_that_excludes() -> None:
    assert verdict(Life(policy(unless='status = "new"')).customer(0), 5) == "excluded: status is new"


def test_a_level_that_fires_is_observed_skipped_or_said_again() -> None:
    assert verdict(Life(policy()).customer(0), 30) == 'fires level "one"'
    observed = said(Life(policy(more='mode = "observe"')).customer(0), 30)
    assert observed.startswith('Policy "p" (observe): would fire level "one"')
    skipped = Life(policy(more='backlog = "skip"')).customer(0)
    assert verdict(skipped, 30) == 'skips, as part of the backlog, level "one"'
    repeating = Life(policy(AFTER_30 + '\nrepeat = { every = "10m", times = 1 }')).customer(0)
    repeating.look(30)
    assert verdict(repeating, 40) == 'says level "one" again'
    repeating.look(40)
    assert verdict(repeating, 50) == "every level is passed"


def test_a_policy_whose_episode_ended() -> None:
    life = Life(policy(more='stop_on = ["agent_reply"]')).customer(0)
    life.look(1)
    life.agent(2)
    life.look(2)
    assert verdict(life, 3) == (
        "matches, but its last episode ended (stop_on agent_reply), "
        "and neither `when` nor the clock has started anew"
    )


def test_an_end_is_noted_at_the_look_that_sees_it() -> None:
    life = Life().customer(0)
    life.look(30)
    life.agent(50, public=False)
    assert said(life, 51).endswith("\n  note: episode 1 ended at 2026-09-28 00:51 UTC: stop_on acknowledged")
    life.look(51)
    assert "note:" not in said(life, 52)


def test_an_absent_clock_is_what_a_policy_waits_for() -> None:
    life = Life(policy(clock="assignee_silent")).customer(0)
    assert verdict(life, 5) == "waits: nobody is assigned"
    assert clock(life, 5) == ["clock assignee_silent: absent, nobody is assigned"]


# --- the arithmetic -------------------------------------------------------------------------------------------

OFFICE = 'calendar = "office"'


def test_after_an_acknowledgement_it_counts_from_there() -> None:
    life = Life().customer(0)
    life.look(30)
    life.agent(50, public=False)
    assert clock(life, 51) == [
        "clock customer_waiting",
        "counts from 2026-09-28 00:50 UTC: the ticket was acknowledged",
        "counted until 2026-09-28 00:51 UTC: 1m",
    ]


def test_on_a_calendar_each_day_is_said_and_each_pause() -> None:
    life = Life(policy(AFTER_120, more=f'{OFFICE}\npause_on = ["pending"]')).customer(0)
    life.change(600, "status", "pending").change(630, "status", "open")
    assert clock(life, 700) == [
        "clock created",
        "counts from 2026-09-28 00:00 UTC: the ticket was created",
        "2026-09-28: 1h",
        "2026-09-28: 1h10m",
        "paused from 2026-09-28 10:00 UTC to 2026-09-28 10:30 UTC",
        "counted until 2026-09-28 11:40 UTC: 2h10m on calendar office",
    ]


def test_the_middle_of_a_long_sum_is_one_line() -> None:
    lines = clock(Life(policy(more=OFFICE)).customer(0), 60 * 24 * 30)
    assert lines[9] == "2026-10-05 to 2026-10-20: 96h in 16 days"
    assert lines[-1] == "counted until 2026-10-28 00:00 UTC: 176h on calendar office"
    assert len(lines) == 18


def test_dates_out_of_the_ordinary_are_said() -> None:
    calendar = """[calendars.odd]
timezone = "UTC"
hours = { mon-fri = "09:00-17:00" }
closed = ["2026-09-29"]
open = { 2026-09-30 = "10:00-12:00" }
"""
    life = Life(calendar + policy('after = "9h"\nnote = "handoff"', more='calendar = "odd"')).customer(0)
    assert clock(life, 60 * 24 * 3)[2:5] == [
        "2026-09-28: 8h",
        "2026-09-29: 0m (closed by the calendar)",
        "2026-09-30: 2h (special hours)",
    ]


def test_a_deadline_says_how_much_is_left_or_by_how_much_it_is_missed() -> None:
    life = Life(policy('before = "20m"\nnote = "handoff"', 'at = 50\nnote = "handoff"', clock="resolution"))
    life.customer(0).target(Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=at(60)))
    assert clock(life, 5) == ["clock resolution", "the deadline is 2026-09-28 01:00 UTC: 55m left"]
    assert clock(life, 70) == ["clock resolution", "the deadline is 2026-09-28 01:00 UTC: missed by 10m"]


def levels(life: Life, minutes: float) -> list[str]:
    """The lines about levels."""
    _, _, rest = said(life, minutes).partition("  levels\n")
    return [each.strip() for each in rest.splitlines() if each.startswith("    ")]


def test_each_level_says_when_it_is_due_and_how_it_was_passed() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0)
    assert levels(life, 120) == [
        "one: overtaken; due 2026-09-28 00:30 UTC, 30m after the clock's start",
        "two: due 2026-09-28 02:00 UTC, 2h after the clock's start",
    ]
    life.look(120)
    assert levels(life, 121) == [
        "one: overtaken at 2026-09-28 02:00 UTC",
        "two: fired at 2026-09-28 02:00 UTC",
    ]


def test_a_level_that_is_not_due_says_why() -> None:
    later = 'clock = "since_last_level"\nafter = "1h"\nnote = "handoff"'
    life = Life(policy(AFTER_30, later)).customer(0)
    assert levels(life, 5)[1] == 'two: waiting; not due: it counts from "one", which is not passed'
    life.look(30)
    assert levels(life, 31)[1] == 'two: waiting; due 2026-09-28 01:30 UTC, 1h after "one"'
    paused = Life(policy(more='pause_on = ["pending"]')).customer(0).change(1, "status", "pending")
    assert levels(paused, 5) == ["one: waiting; not due while paused: 30m after the clock's start"]


def test_each_level_has_its_sum() -> None:
    def sums(life: Life, minutes: float) -> list[tuple[str, ...]]:
        return [level.steps for level in traced(life.plan(minutes))[0].levels]

    waits = Life().customer(0)
    starts = "counts from 2026-09-28 00:00 UTC: the customer wrote"
    assert sums(waits, 20) == [
        (starts, "counted until 2026-09-28 00:20 UTC: 20m", "wanted are 30m: 10m left",
         "that is 2026-09-28 00:30 UTC"),
        (starts, "counted until 2026-09-28 00:20 UTC: 20m", "wanted are 2h: 1h40m left",
         "that is 2026-09-28 02:00 UTC"),
    ]  # fmt: skip
    waits.look(35)
    assert sums(waits, 40)[0] == (
        "it was due 2026-09-28 00:30 UTC",
        "fired at 2026-09-28 00:35 UTC, 5m later",
    )
    target = Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, start=at(0), due=at(60))
    half = policy('at = 50\nnote = "handoff"', 'before = "20m"\nnote = "handoff"', clock="resolution")
    share, before = sums(Life(half).customer(0).target(target), 5)
    deadline = "the deadline is 2026-09-28 01:00 UTC"
    assert share == (
        deadline,
        "the time to it, from 2026-09-28 00:00 UTC: 1h",
        "50% of that: 30m",
        "that is 2026-09-28 00:30 UTC",
    )
    assert before == (deadline, "wanted are 20m before it", "that is 2026-09-28 00:40 UTC")


def test_a_share_of_a_deadline_says_of_how_much() -> None:
    target = Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=at(60), start=at(0))
    life = Life(policy('at = 50\nnote = "handoff"', clock="resolution")).customer(0).target(target)
    said_so = "due 2026-09-28 00:30 UTC, 50% of the 1h to the deadline, 2026-09-28 01:00 UTC"
    assert levels(life, 5) == [f"one: waiting; {said_so}"]
    startless = life.target(Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=at(60)))
    assert "never due: the helpdesk does not tell when the target started" in levels(startless, 5)[0]


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("created", "the ticket was created"),
        ("customer_waiting", "the customer wrote"),
        ("since_agent_reply", None),
        ("assignee_silent", "the ticket was created with its assignee"),
        ("in_status", "the ticket was created as new"),
        ("untouched", "a person last acted"),
        ("matching", "the ticket was first seen to match"),
    ],
)
def test_each_clock_says_what_started_it(name: str, because: str | None) -> None:
    life = Life(policy(clock=name)).customer(0).with_fields(assignee=ANN)
    lines = clock(life, 5)
    if because is None:
        assert lines == ["clock since_agent_reply: absent, no agent has replied yet"]
    else:
        assert lines[1] == f"counts from 2026-09-28 00:00 UTC: {because}"


def test_and_what_restarted_it() -> None:
    life = Life(policy(clock="assignee_silent")).customer(0).change(5, "assignee", "ann", by="cat")
    assert clock(life, 9)[1].endswith("00:05 UTC: the assignee changed")
    assert clock(life.agent(6), 9)[1].endswith("00:06 UTC: the assignee last acted")
    reopened = Life(policy(clock="customer_waiting")).customer(0).change(5, "status", "solved")
    reopened.change(6, "status", "open", who=Who.CUSTOMER, by="cleo")
    assert clock(reopened, 9)[1].endswith("00:06 UTC: the ticket was reopened")
    entered = Life(policy(clock="in_status")).customer(0).change(5, "status", Status.OPEN)
    assert clock(entered, 9)[1].endswith("00:05 UTC: the status became open")


def test_deciding_stops_at_the_line_that_refuses_and_explaining_asks_the_rest() -> None:
    text = policy(when='status = "pending"\ntype = "incident"')
    life = Life(text).customer(0)
    plan = life.plan(5)
    (one,) = plan.considered
    assert one.seen.verdict.by is not None
    assert one.seen.verdict.by.text == "status is pending"
    assert one.seen.reading is UNREAD
    (told,) = traced(plan)
    assert [line.read for line in told.lines] == ["new", None, "new"]
    assert told.clock is not None
    assert told.clock.start == at(0)


def test_a_look_at_which_nothing_fires_is_worded_as_it_is() -> None:
    life = Life().customer(0)
    inputs = (life.policies, life.standings, life.directory, life.calendars)
    plan = evaluate(life.ticket, *inputs, at(5))
    assert worded(plan) is plan
    due = evaluate(life.ticket, *inputs, at(30))
    ((said, waits), (told, _)) = (
        ([each.action.reasons for each in done.wanted if isinstance(each.action, Say)], done.standings)
        for done in (due, worded(due))
    )
    assert said == [()]
    assert told == [("customer waiting for 30m (limit 30m)",)]
    assert waits[0].running is not None
    assert waits[0].running.under_way is not None
    assert waits[0].running.under_way.why == ""
