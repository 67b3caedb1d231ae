"""Rule 10: what acknowledges an escalation, and what does not."""

from dataclasses import replace

import pytest

from policies.model import Who
from tests.policies.lives import AFTER_30, AFTER_120, ANN, Life, at, policy


def escalated(*levels: str, more: str = "", result: str = "done") -> Life:
    """A ticket whose level one fired, or was observed, after 30 minutes. Nothing of it stops the episode."""
    life = Life(policy(*(levels or (AFTER_30, AFTER_120)), more=more)).customer(0)
    life.look(30, result)
    return life


def acknowledged(life: Life, minutes: float = 60) -> bool:
    """Whether a look finds the running episode acknowledged."""
    life.look(minutes)
    episode = life.standing().episode
    assert episode is not None
    assert episode.ended is None
    return episode.acknowledged is not None


# --- what does -----------------------------------------------------------------------------------------------


def test_a_human_agent_who_assigns_the_ticket_to_themselves() -> None:
    assert acknowledged(escalated().change(40, "assignee", "ann", by="ann"))


def test_a_human_agent_who_replies() -> None:
    assert acknowledged(escalated().agent(40))


def test_a_human_agent_who_notes() -> None:
    assert acknowledged(escalated().agent(40, public=False))


def test_any_human_agent_of_any_group_will_do() -> None:
    assert acknowledged(escalated().agent(40, "dan", public=False))


def test_after_a_level_that_was_observed_too() -> None:
    assert acknowledged(escalated(more='mode = "observe"').agent(40, public=False))


def test_it_is_kept_with_who_and_when_and_said_once() -> None:
    life = escalated().agent(40, "ben", public=False).agent(50, "cat", public=False)
    assert acknowledged(life)
    assert acknowledged(life, 61)
    episode = life.standing().episode
    assert episode is not None
    assert (episode.acknowledged, episode.acknowledged_by) == (at(40), "ben@acme.test")
    assert life.lines("acknowledged") == 1


def test_without_stop_on_it_ends_nothing() -> None:
    life = escalated().agent(40, public=False)
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_with_stop_on_it_ends_the_episode() -> None:
    life = escalated(more='stop_on = ["acknowledged"]').agent(40, public=False)
    plan = life.look(41)
    assert [each.reason for each in plan.ended] == ["stop_on acknowledged"]


# --- when ----------------------------------------------------------------------------------------------------


def test_not_before_a_level_fired() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0).agent(20, public=False)
    life.look(30)
    assert not acknowledged(life)


def test_after_is_the_order_of_events_whatever_the_stamps_say() -> None:
    assert acknowledged(escalated().agent(30, public=False))
    assert acknowledged(escalated().agent(29, public=False)), "behind our note, by a clock that runs late"
    before = Life(policy(AFTER_30, AFTER_120)).customer(0).agent(31, public=False)
    before.look(30)
    assert not acknowledged(before), "stamped after the firing, but read by the look that fired"


def test_where_nothing_was_written_it_is_behind_the_newest_fact_that_the_firing_look_read() -> None:
    life = Life(policy('after = "30m"\nowner = "Duty"', AFTER_120)).customer(0).agent(20, public=False)
    life.look(30)
    assert life.passed() == {"one": "fired"}
    assert not acknowledged(life)
    assert acknowledged(life.agent(30, public=False))


def test_a_note_that_came_between_the_reading_and_our_write_does_not() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0)
    life.sequence += 1  # the note's place, which the look does not know yet
    life.look(30)
    note = replace(
        life.ticket.messages[0], act=replace(life.ticket.messages[0].act, sequence=2, who=Who.AGENT)
    )
    note = replace(note, act=replace(note.act, id="late", person="ann"), public=False)
    life.ticket = replace(life.ticket, messages=(*life.ticket.messages, note))
    assert not acknowledged(life)


def test_a_level_that_was_skipped_does_not_count() -> None:
    life = escalated(more='backlog = "skip"').agent(40, public=False)
    assert life.passed() == {"one": "skipped"}
    assert not acknowledged(life)


def test_nor_one_that_was_refused() -> None:
    life = escalated(result="refused").agent(40, public=False)
    assert life.passed() == {"one": "refused"}
    assert not acknowledged(life)


def test_nor_one_that_is_under_way() -> None:
    life = escalated(result="stale").agent(40, public=False)
    life.standings = life.plan(35).standings
    assert not acknowledged(life)


def test_the_first_fired_level_counts_not_the_latest() -> None:
    life = escalated().agent(40, public=False)
    life.look(120)
    assert life.fired() == ["one", "two"]
    assert acknowledged(life, 121)


def test_a_level_of_an_earlier_episode_does_not_count() -> None:
    life = escalated().change(31, "status", "solved")
    life.look(31)
    life.change(32, "status", "open").agent(40, public=False)
    text = policy('after = "9h"\nnote = "handoff"')
    life.under(text)
    assert not acknowledged(life)


# --- what does not -------------------------------------------------------------------------------------------


def test_a_dispatchers_assignment_does_not() -> None:
    assert not acknowledged(escalated().change(40, "assignee", "ben", by="ann"))


def test_a_customers_message_does_not() -> None:
    assert not acknowledged(escalated().customer(40))


def test_a_message_of_an_agent_who_is_the_requester_does_not() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).with_fields(requester=ANN).says(0, Who.CUSTOMER, "ann")
    life.look(30)
    assert not acknowledged(life.agent(40, "ann"))


@pytest.mark.parametrize(
    ("name", "value"), [("status", "open"), ("status", "pending"), ("priority", "urgent"), ("group", "g2")]
)
def test_a_change_of_status_or_another_field_does_not(name: str, value: str) -> None:
    assert not acknowledged(escalated().change(40, name, value))


def test_giving_the_ticket_back_does_not() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).with_fields(assignee=ANN).customer(0)
    life.look(30)
    assert not acknowledged(life.change(40, "assignee", None, by="ann"))


def test_setting_the_same_assignee_again_does_not() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).with_fields(assignee=ANN).customer(0)
    life.look(30)
    assert not acknowledged(life.change(40, "assignee", "ann", by="ann"))


def test_an_auto_reply_does_not() -> None:
    assert not acknowledged(escalated().says(40, Who.AGENT, "ann", auto=True))


def test_an_automation_does_not() -> None:
    assert not acknowledged(escalated().says(40, Who.AUTOMATION, None, public=False))
    assert not acknowledged(escalated().change(40, "assignee", "ann", by="ann", who=Who.AUTOMATION))


def test_our_own_writes_do_not() -> None:
    life = escalated(AFTER_30 + '\nassign = { agent = "ann@acme.test" }', AFTER_120)
    assert life.ticket.assignee == ANN
    assert not acknowledged(life)
