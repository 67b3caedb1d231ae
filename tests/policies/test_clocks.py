"""The clocks of the rules page: where each starts, what restarts it, when it is absent."""

import pytest

from policies.model import Metric, Priority, Stage, Status, Target, Who
from policies.present.explain import ClockTrace, traced
from tests.policies.lives import (
    AFTER_30,
    AFTER_120,
    ANN,
    BEN,
    CLEO,
    HEAD,
    START,
    Life,
    at,
    policy,
)

EVERY = 'status = ["new", "open", "pending", "on_hold"]'
SLA = """[sla.standard]
first_reply = { urgent = "1h", high = "4h" }
next_reply  = { urgent = "2h", high = "5h" }
resolution  = { urgent = "3h", high = "8h" }
"""


def life(clock: str, *levels: str, sla: str = "", when: str = EVERY, more: str = "") -> Life:
    """A ticket under a policy on this clock."""
    return Life(sla + policy(*levels, clock=clock, when=when, more=more))


def trace(found: Life, minutes: float = 600) -> ClockTrace:
    """The clock as a look shows it."""
    clock = traced(found.plan(minutes))[0].clock
    assert clock is not None
    return clock


def start(found: Life, minutes: float = 600) -> float | None:
    """The minute at which the clock started."""
    instant = trace(found, minutes).start
    return None if instant is None else (instant - START) / 60


def absent(found: Life, minutes: float = 600) -> str | None:
    """Why the clock is absent."""
    return trace(found, minutes).why_absent


def due(found: Life, minutes: float = 0) -> float | None:
    """The minute at which level one is due."""
    instant = traced(found.plan(minutes))[0].levels[0].due
    return None if instant is None else (instant - START) / 60


# --- created -------------------------------------------------------------------------------------------------


def test_created_starts_at_the_creation_and_never_again() -> None:
    found = life("created")
    assert start(found) == 0
    found.customer(1).agent(2).change(3, "status", "solved").change(4, "status", "open")
    assert start(found.change(5, "assignee", "ann")) == 0


# --- customer_waiting (rule 2 has the rest) ------------------------------------------------------------------


def test_a_customer_waits_from_the_first_message_that_nobody_answered() -> None:
    assert start(life("customer_waiting").customer(3)) == 3
    assert start(life("customer_waiting").customer(3).agent(4).customer(5)) == 5


def test_on_a_ticket_made_by_an_agent_from_the_customers_first_message() -> None:
    assert absent(life("customer_waiting").agent(0)) == "no customer is waiting for a reply"
    assert start(life("customer_waiting").agent(0).customer(7)) == 7


def test_a_wait_once_begun_is_not_moved() -> None:
    found = life("customer_waiting").customer(3).customer(5).change(6, "status", "open")
    assert start(found.change(7, "assignee", "ben").agent(8, public=False)) == 3


def test_it_is_absent_while_nothing_waits_and_restarts_with_the_next_wait() -> None:
    found = life("customer_waiting", AFTER_30, AFTER_120).customer(0)
    found.look(30)
    found.agent(40)
    assert absent(found) is not None
    assert found.look(41).ended == (), "an absent clock suspends the episode"
    found.customer(50)
    assert [each.reason for each in found.look(51).ended] == ["clock"]
    found.look(80)
    assert found.fired() == ["one", "one"]


def test_a_wait_that_came_and_went_unseen_restarts_it_all_the_same() -> None:
    found = life("customer_waiting", AFTER_30, AFTER_120).customer(0)
    found.look(30)
    found.agent(40).customer(41)
    assert [each.reason for each in found.look(42).ended] == ["clock"]


# --- since_agent_reply ---------------------------------------------------------------------------------------


def test_since_agent_reply_is_absent_before_the_first_reply() -> None:
    found = life("since_agent_reply").customer(0).agent(1, public=False)
    assert absent(found) == "no agent has replied yet"


def test_it_starts_with_the_last_reply_and_restarts_with_each() -> None:
    found = life("since_agent_reply").customer(0).agent(5)
    assert start(found) == 5
    assert start(found.agent(9, "ben")) == 9


def test_it_runs_on_when_the_customer_answers() -> None:
    assert start(life("since_agent_reply").customer(0).agent(5).customer(9)) == 5


def test_each_reply_ends_the_episode_with_the_clock() -> None:
    found = life("since_agent_reply", AFTER_30, AFTER_120).customer(0).agent(5)
    found.look(35)
    found.agent(40)
    assert [each.reason for each in found.look(41).ended] == ["clock"]
    found.look(70)
    assert found.fired() == ["one", "one"]


# --- assignee_silent -----------------------------------------------------------------------------------------


def test_assignee_silent_is_absent_if_unassigned() -> None:
    found = life("assignee_silent").customer(0)
    assert absent(found) == "nobody is assigned"
    found.change(5, "assignee", "ann").change(6, "assignee", None)
    assert absent(found) == "nobody is assigned"


def test_it_starts_with_the_present_assignment() -> None:
    assert start(life("assignee_silent").customer(0).change(5, "assignee", "ann", by="cat")) == 5


def test_or_with_the_creation_if_the_assignee_was_there_from_the_start() -> None:
    assert start(life("assignee_silent").with_fields(assignee=ANN).customer(0)) == 0


def test_each_change_of_the_assignee_restarts_it_also_back_to_the_same_person() -> None:
    found = life("assignee_silent", AFTER_30, AFTER_120).with_fields(assignee=ANN).customer(0)
    found.look(30)
    found.change(40, "assignee", "ben", by="cat")
    assert start(found) == 40
    found.change(50, "assignee", "ann", by="cat")
    assert start(found) == 50
    assert [each.reason for each in found.look(51).ended] == ["clock"]


def test_the_same_assignee_again_is_no_change() -> None:
    found = life("assignee_silent").with_fields(assignee=ANN).customer(0)
    assert start(found.change(5, "assignee", "ann", by="cat")) == 0


def test_any_act_of_the_assignee_restarts_it() -> None:
    found = life("assignee_silent").with_fields(assignee=ANN).customer(0)
    assert start(found.agent(5)) == 5
    assert start(found.agent(6, public=False)) == 6
    assert start(found.change(7, "priority", "low")) == 7
    assert start(found.change(8, "status", "pending")) == 8
    assert start(found.change(9, "tags", ("a",))) == 9


def test_the_acts_of_others_do_not() -> None:
    found = life("assignee_silent").with_fields(assignee=ANN).customer(0)
    assert start(found.agent(5, "ben").customer(6).change(7, "priority", "low", by="ben")) == 0


def test_what_somebody_did_before_they_had_the_ticket_does_not() -> None:
    found = life("assignee_silent").with_fields(assignee=BEN).customer(0).agent(5, "ann")
    assert start(found) == 0
    assert start(found.change(7, "assignee", "ann", by="cat")) == 7


def test_an_auto_reply_in_their_name_does_not() -> None:
    found = life("assignee_silent").with_fields(assignee=ANN).customer(0)
    assert start(found.says(5, Who.AGENT, "ann", auto=True)) == 0


# --- in_status -----------------------------------------------------------------------------------------------


def test_in_status_starts_with_entering_the_present_status() -> None:
    found = life("in_status").customer(0)
    assert start(found) == 0
    assert start(found.change(5, "status", "open")) == 5
    found.change(6, "status", "pending").change(7, "status", "open")
    assert start(found) == 7


def test_the_same_status_set_again_does_not_restart_it() -> None:
    found = life("in_status").customer(0).change(5, "status", "open").change(6, "status", "open")
    assert start(found) == 5


def test_a_history_that_tells_goes_before_the_helpdesks_own_word() -> None:
    found = life("in_status").customer(0).with_fields(status_since=at(3))
    assert start(found) == 3
    assert start(found.change(5, "status", "open")) == 5


# --- untouched -----------------------------------------------------------------------------------------------


def test_untouched_starts_with_the_newest_act_of_a_person() -> None:
    found = life("untouched")
    assert start(found) == 0, "nobody yet: the creation"
    assert start(found.customer(2)) == 2
    assert start(found.agent(3, public=False)) == 3
    assert start(found.change(4, "priority", "low")) == 4


def test_machines_do_not_touch() -> None:
    found = life("untouched").customer(2).says(3, Who.AUTOMATION, None)
    assert start(found.change(4, "priority", "low", by="x", who=Who.AUTOMATION)) == 2
    assert start(found.says(5, Who.CUSTOMER, "cleo", auto=True)) == 2


def test_each_touch_ends_the_episode_with_the_clock() -> None:
    found = life("untouched", AFTER_30, AFTER_120).customer(0)
    found.look(30)
    found.agent(40, public=False)
    assert [each.reason for each in found.look(41).ended] == ["clock"]


# --- matching ------------------------------------------------------------------------------------------------

TAGGED = 'tags = { has = "vip" }'


def test_matching_starts_with_the_revision_that_was_first_seen_to_match() -> None:
    found = life("matching", when=TAGGED).customer(0)
    found.look(1)
    found.change(5, "tags", ("vip",))
    found.look(9)
    assert start(found, 9) == 5, "the vendor's stamp of the revision, not the look's"


def test_it_can_only_be_late_never_early() -> None:
    found = life("matching", when=TAGGED).customer(0).change(5, "tags", ("vip",)).agent(8, public=False)
    found.look(9)
    assert start(found, 9) == 8, "of two revisions since, the one that was read"


def test_later_revisions_do_not_move_it() -> None:
    found = life("matching", when=TAGGED).customer(0).change(5, "tags", ("vip",))
    found.look(5)
    found.agent(20, public=False)
    found.look(20)
    assert start(found, 20) == 5
    found.look(35)
    assert found.fired() == ["one"]


def test_one_snapshot_that_does_not_match_ends_it() -> None:
    found = life("matching", when=TAGGED).customer(0).change(5, "tags", ("vip",))
    found.look(5)
    found.change(10, "tags", ())
    found.look(10)
    found.change(20, "tags", ("vip",))
    found.look(20)
    assert start(found, 20) == 20
    found.look(49)
    assert found.fired() == []
    found.look(50)
    assert found.fired() == ["one"]


def test_one_that_was_never_seen_not_to_match_goes_on() -> None:
    found = life("matching", when=TAGGED).customer(0).change(5, "tags", ("vip",))
    found.look(5)
    found.change(10, "tags", ()).change(20, "tags", ("vip",))
    found.look(20)
    assert start(found, 20) == 5


# --- deadlines of the helpdesk -------------------------------------------------------------------------------

METRICS = list(Metric)
BEFORE_10 = 'before = "10m"\nnote = "handoff"'


def active(metric: Metric, due_at: float, since: float | None = None) -> Target:
    """A running target."""
    started = None if since is None else at(since)
    return Target(metric=metric, stage=Stage.ACTIVE, due=at(due_at), start=started)


@pytest.mark.parametrize("metric", METRICS)
def test_a_deadline_is_the_helpdesks_target_of_that_metric(metric: Metric) -> None:
    others = [active(each, 1) for each in METRICS if each is not metric]
    found = life(metric, BEFORE_10).customer(0).target(*others, active(metric, 60))
    assert due(found) == 50


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stage", [Stage.PAUSED, Stage.ACHIEVED, Stage.UNKNOWN])
def test_it_is_absent_when_paused_achieved_or_unknown(metric: Metric, stage: Stage) -> None:
    found = life(metric, BEFORE_10).customer(0)
    found.target(Target(metric=metric, stage=stage, due=at(60)))
    assert absent(found) is not None
    assert found.plan(600).wanted == ()


@pytest.mark.parametrize("metric", METRICS)
def test_it_is_absent_without_any_target(metric: Metric) -> None:
    assert absent(life(metric, BEFORE_10).customer(0)) == f"there is no {metric} target"


def test_a_target_that_is_null_right_after_a_write_is_read_again_after_15_30_and_60_seconds() -> None:
    found = life("resolution", BEFORE_10).customer(0)
    found.target(Target(metric=Metric.RESOLUTION, stage=Stage.UNKNOWN, due=None))
    looks = [found.plan(seconds / 60).next_look for seconds in (0, 14, 15, 29, 30, 59, 60, 600)]
    assert [None if each is None else each - START for each in looks] == [15, 15, 30, 30, 60, 60, None, None]


def test_while_it_is_unknown_the_episode_waits_and_then_goes_on() -> None:
    found = life("resolution", BEFORE_10).customer(0).target(active(Metric.RESOLUTION, 60))
    found.look(1)
    found.target(Target(metric=Metric.RESOLUTION, stage=Stage.UNKNOWN, due=None))
    assert found.look(55).ended == ()
    assert found.fired() == []
    found.target(active(Metric.RESOLUTION, 60)).look(56)
    assert found.fired() == ["one"]
    assert found.lines("started") == 1


# --- deadlines of [sla] --------------------------------------------------------------------------------------

MISSED = 'after = "0m"\nnote = "handoff"'


def test_first_reply_runs_from_the_first_customer_message() -> None:
    assert due(life("first_reply", MISSED, sla=SLA).customer(5).customer(9)) == 5 + 240
    assert absent(life("first_reply", MISSED, sla=SLA).agent(0)) == "no customer has written yet"


def test_to_the_first_qualifying_reply() -> None:
    found = life("first_reply", MISSED, sla=SLA).customer(5).agent(6, public=False)
    assert due(found) == 245
    assert absent(found.agent(7)) == "the first reply is given"
    assert absent(found.customer(8)) == "the first reply is given"


def test_next_reply_runs_as_the_customer_waits_after_the_first_reply() -> None:
    found = life("next_reply", MISSED, sla=SLA).customer(0)
    assert absent(found) == "the first reply is not given yet"
    assert absent(found.agent(5)) == "no customer is waiting for a reply"
    assert due(found.customer(7).customer(9)) == 7 + 300
    assert due(found.agent(10).customer(20)) == 20 + 300


def test_resolution_runs_from_the_creation() -> None:
    found = life("resolution", MISSED, sla=SLA).customer(5).agent(6)
    assert due(found) == 480


def test_it_is_absent_while_solved_and_has_the_same_start_after_a_reopening() -> None:
    found = life("resolution", MISSED, sla=SLA, when='status = ["new", "open", "solved"]').customer(0)
    found.change(5, "status", "solved")
    assert absent(found) == "the ticket is solved"
    assert due(found.change(9, "status", "open")) == 480


def test_no_priority_no_target() -> None:
    found = life("resolution", MISSED, sla=SLA).customer(0).with_fields(priority=None)
    assert absent(found) is not None
    found.with_fields(priority=Priority.LOW)
    assert absent(found) is not None, "nor one for a priority that the table leaves out"
    assert due(found.with_fields(priority=Priority.URGENT)) == 180


def test_the_priority_is_the_one_before_our_own_write() -> None:
    raising = 'before = "7h"\npriority = { at_least = "urgent" }'
    found = life("resolution", raising, MISSED, sla=SLA).customer(0)
    found.look(60)
    assert found.ticket.priority is Priority.URGENT
    found.look(200)
    assert found.fired() == ["one"], "the three hours of urgent are not asked"
    found.look(480)
    assert found.fired() == ["one", "two"]


def test_a_priority_that_a_person_changes_moves_the_deadline() -> None:
    found = life("resolution", MISSED, sla=SLA).customer(0)
    found.look(1)
    found.change(2, "priority", "urgent")
    assert due(found, 3) == 180


def test_a_vendors_own_target_wins_by_metric() -> None:
    found = life("resolution", MISSED, sla=SLA).customer(0).target(active(Metric.RESOLUTION, 60))
    assert due(found) == 60
    other = life("first_reply", MISSED, sla=SLA).customer(0).target(active(Metric.RESOLUTION, 60))
    assert due(other) == 240


@pytest.mark.parametrize("stage", [Stage.ACHIEVED, Stage.PAUSED, Stage.UNKNOWN])
def test_also_when_it_is_achieved(stage: Stage) -> None:
    found = life("resolution", MISSED, sla=SLA).customer(0)
    found.target(Target(metric=Metric.RESOLUTION, stage=stage, due=None))
    assert due(found) is None
    assert found.plan(600).wanted == ()


def test_the_first_table_that_names_the_account_or_names_none_serves_it() -> None:
    def table(name: str, hours: int, accounts: str = "") -> str:
        said = f'accounts = ["{accounts}"]\n' if accounts else ""
        return f'[sla.{name}]\n{said}resolution = {{ high = "{hours}h" }}\n'

    def found(*tables: str) -> float | None:
        return due(life("resolution", MISSED, sla="".join(tables)).customer(0))

    assert found(table("a", 1, "other"), table("b", 2), table("c", 3, "acme")) == 120
    assert found(table("a", 1, "other"), table("b", 2, "acme"), table("c", 3)) == 120
    assert found(table("a", 1, "other")) is None


def test_the_due_is_reached_on_the_tables_calendar() -> None:
    sla = SLA.replace("[sla.standard]\n", '[sla.standard]\ncalendar = "office"\n')
    assert due(life("resolution", MISSED, sla=sla).customer(0)) == 540 + 480


def test_levels_count_on_the_policys() -> None:
    sla = SLA.replace("[sla.standard]\n", '[sla.standard]\ncalendar = "office"\n')
    later = 'after = "30m"\nnote = "handoff"'
    assert due(life("resolution", later, sla=sla).customer(0)) == 540 + 480 + 30
    office = life("resolution", later, sla=sla, more='calendar = "office"')
    assert due(office.customer(0)) == 1_440 + 540 + 30, "the office closed when it was due"


def test_sla_never_pauses() -> None:
    found = life("resolution", MISSED, sla=SLA).customer(0)
    assert due(found.change(5, "status", "pending"), 600) == 480
    assert due(found.change(6, "status", "on_hold"), 600) == 480


# --- instants ------------------------------------------------------------------------------------------------


def test_a_thing_is_due_when_now_is_the_due() -> None:
    found = life("created").customer(0)
    assert found.plan(30 - 1 / 60).wanted == ()
    assert found.plan(30).wanted != ()
    assert found.plan(0).next_look == at(30)


def test_facts_are_ordered_by_sequence_never_by_the_stamp_alone() -> None:
    found = life("customer_waiting").customer(10).agent(9)
    assert start(found) is None, "the reply came after, whatever its stamp says"
    found = life("customer_waiting").agent(10).customer(9)
    assert start(found) == 9


def test_a_fact_whose_time_is_the_due_time_comes_before_the_firing() -> None:
    found = life("customer_waiting").customer(0).agent(30)
    assert found.look(30).wanted == ()
    stopped = life("created", more='stop_on = ["agent_reply"]').customer(0)
    stopped.look(1)
    stopped.agent(30)
    plan = stopped.look(30)
    assert plan.wanted == ()
    assert [each.reason for each in plan.ended] == ["stop_on agent_reply"]


# --- calendars measure, they do not restrict -----------------------------------------------------------------


def test_a_level_is_reached_at_a_closing_time() -> None:
    found = life("created", 'after = "8h"\nnote = "handoff"', more='calendar = "office"').customer(0)
    assert due(found) == 540 + 480
    found.look(540 + 480)
    assert found.fired() == ["one"], "at five, when the office closes"


def test_after_nothing_is_reached_at_the_clocks_start_open_or_closed() -> None:
    found = life("created", MISSED, more='calendar = "office"').customer(0)
    found.look(0)
    assert found.fired() == ["one"]


def test_what_was_reached_in_hours_is_sent_at_night() -> None:
    found = life("created", 'after = "8h"\nnote = "handoff"', more='calendar = "office"').customer(0)
    found.look(540 + 480 + 300)
    assert found.fired() == ["one"]


def test_without_a_calendar_time_runs_day_and_night() -> None:
    assert due(life("created", AFTER_120).customer(0)) == 120


# --- the helpdesk's word, the config's head ------------------------------------------------------------------


def test_the_fixtures_are_what_these_tests_take_for_granted() -> None:
    assert 'mon-fri = "09:00-17:00"' in HEAD
    found = life("created").customer(0)
    assert (found.ticket.status, found.ticket.priority) == (Status.NEW, Priority.HIGH)
    assert found.ticket.requester == CLEO
