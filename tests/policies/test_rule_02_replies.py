"""Rule 2: replies, customers, pauses."""

import pytest

from policies.model import Who
from policies.present.explain import traced
from tests.policies.lives import LADDER, Life, at

PAUSING = LADDER.replace('clock = "customer_waiting"', 'clock = "created"\npause_on = ["pending"]')


def start(life: Life) -> int | None:
    """When the wait began, by the trace of a look."""
    clock = traced(life.plan(600))[0].clock
    assert clock is not None
    return clock.start


def test_the_wait_begins_with_the_first_customer_message() -> None:
    assert start(Life().customer(0).customer(10)) == at(0)


def test_a_public_reply_by_a_human_agent_ends_it() -> None:
    assert start(Life().customer(0).agent(5)) is None


def test_a_wait_after_a_reply_begins_with_the_next_message() -> None:
    assert start(Life().customer(0).agent(5).customer(7).customer(9)) == at(7)


def test_a_note_is_no_reply() -> None:
    assert start(Life().customer(0).agent(5, public=False)) == at(0)


def test_a_note_is_one_where_the_policy_says_so() -> None:
    widened = LADDER.replace("stop_on", 'counts_as_reply = ["public", "internal"]\nstop_on')
    assert start(Life(widened).customer(0).agent(5, public=False)) is None


def test_an_auto_reply_stops_and_starts_nothing() -> None:
    assert start(Life().customer(0).says(5, Who.AGENT, "ann", auto=True)) == at(0)
    assert start(Life().customer(0).agent(5).says(7, Who.CUSTOMER, "cleo", auto=True)) is None


def test_an_automation_is_no_agent() -> None:
    assert start(Life().customer(0).says(5, Who.AUTOMATION, None)) == at(0)


def test_the_opening_message_of_an_agent_is_not_a_reply_and_starts_no_wait() -> None:
    assert start(Life().agent(0)) is None
    assert start(Life().agent(0).customer(9)) == at(9)


def test_a_message_by_the_requester_is_a_customer_message_even_from_an_agent() -> None:
    life = Life().with_fields(requester=Life().directory.agents[0].person)
    assert start(life.says(0, Who.AGENT, "ann").says(4, Who.AGENT, "ann")) == at(0)


def test_solving_ends_the_wait() -> None:
    assert start(Life().customer(0).change(5, "status", "solved")) is None


def test_a_message_after_the_solving_starts_it_again() -> None:
    life = Life().customer(0).change(5, "status", "solved").customer(9).change(9, "status", "open")
    assert start(life) == at(9)


def test_a_reopening_starts_it_if_a_message_was_unanswered_when_it_was_solved() -> None:
    life = Life().customer(0).change(5, "status", "solved").change(9, "status", "open")
    assert start(life) == at(9)


def test_a_reopening_of_an_answered_ticket_starts_nothing() -> None:
    life = Life().customer(0).agent(2).change(5, "status", "solved").change(9, "status", "open")
    assert start(life) is None


def test_the_customers_clock_runs_on_through_hand_offs() -> None:
    life = (
        Life().customer(0).change(5, "group", "g2").change(6, "assignee", "ben").change(7, "status", "open")
    )
    assert start(life) == at(0)


def test_nothing_pauses_by_default() -> None:
    life = Life(LADDER.replace("customer_waiting", "created").replace('"open"]', '"open", "pending"]'))
    life.customer(0).change(1, "status", "pending").look(30)
    assert life.fired() == ["one"]


def test_a_pause_stops_the_count_and_not_a_level_already_reached() -> None:
    life = Life(PAUSING.replace('"open"]', '"open", "pending"]')).customer(0)
    life.change(10, "status", "pending").change(40, "status", "open")
    assert life.plan(59).wanted == ()
    assert life.plan(60).wanted != ()
    late = Life(PAUSING.replace('"open"]', '"open", "pending"]')).customer(0).change(31, "status", "pending")
    assert late.plan(50).wanted != (), "it was reached at 30 and a pause takes nothing back"


@pytest.mark.parametrize("clock", ["customer_waiting", "first_reply", "next_reply", "resolution"])
def test_deadlines_and_the_customers_clock_know_no_pause(clock: str) -> None:
    text = PAUSING.replace('clock = "created"', f'clock = "{clock}"')
    with pytest.raises(AssertionError, match="cannot be paused"):
        Life(text)
