"""Rule 11: who did it."""

from dataclasses import replace

import pytest

from policies.history import History, by_revision, recognise
from policies.model import Act, Change, Message, Ticket, Who
from policies.present.explain import traced
from tests.policies.lives import AFTER_30, AFTER_120, ANN, BEN, NEWBORN, START, Life, at, policy

RECEIPTS = {"f1": frozenset({"acme/1:p:1"}), "mark-7": frozenset({"acme/1:q:1"})}


def act(who: Who, ident: str = "x", mark: str | None = None) -> Act:
    """An act of somebody at minute 5."""
    return Act(sequence=5, id=ident, at=at(5), who=who, person="bot", mark=mark)


def ticket(*acts: Act) -> Ticket:
    """A ticket with a note and a change of status by each of these."""
    return replace(
        NEWBORN,
        messages=tuple(Message(act=each, public=False, body="") for each in acts),
        changes=tuple(Change(act=each, field="status", before="new", after="open") for each in acts),
    )


def settled(each: Act) -> tuple[Who, frozenset[str]]:
    """Who did it, and for which episodes, as rules see it; a message and a change are settled alike."""
    found = recognise(ticket(each), RECEIPTS)
    (message,), (change,) = found.messages, found.changes
    assert message.act == change.act
    return message.act.who, message.act.episodes


def clock(life: Life) -> int | None:
    """When the clock started, by the trace of a look at minute 20."""
    trace = traced(life.plan(20))[0].clock
    assert trace is not None
    return trace.start


# --- whose act -----------------------------------------------------------------------------------------------


def test_ours_is_the_bots_user_with_our_receipt() -> None:
    assert settled(act(Who.BOT, "f1")) == (Who.OURS, frozenset({"acme/1:p:1"}))


def test_the_receipt_may_name_our_mark_on_the_fact() -> None:
    assert settled(act(Who.BOT, "f9", mark="mark-7")) == (Who.OURS, frozenset({"acme/1:q:1"}))


def test_the_bots_user_without_a_receipt_is_foreign_automation() -> None:
    assert settled(act(Who.BOT, "f2")) == (Who.AUTOMATION, frozenset())
    assert settled(act(Who.BOT, "f2", mark="mark-8")) == (Who.AUTOMATION, frozenset())


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.AGENT, Who.CUSTOMER])
def test_nobody_else_is_ever_taken_for_us(who: Who) -> None:
    assert settled(act(who, "f1", mark="mark-7")) == (who, frozenset())


def test_unknown_use_of_the_bots_user_is_told_for_an_alert() -> None:
    found = ticket(
        act(Who.BOT, "f1"), act(Who.BOT, "f9", mark="mark-7"), act(Who.AGENT, "f3"), act(Who.BOT, "f2")
    )
    told = [each.act.id for each in recognise(found, RECEIPTS).messages if each.act.unreceipted]
    assert told == ["f2"]
    life = Life().customer(0).says(10, Who.BOT, "bot")
    (warning,) = life.look(11).warnings
    assert "the bot's user" in warning
    assert life.look(12).warnings == (warning,)  # the same words: the ledger says them once


# --- who cannot be told --------------------------------------------------------------------------------------


def test_an_act_of_nobody_known_is_ours_by_the_receipt_of_its_revision() -> None:
    mine = {by_revision("7"): frozenset({"acme/1:p:1"})}
    found = recognise(ticket(act(Who.UNKNOWN, by_revision("7")), act(Who.UNKNOWN, by_revision("8"))), mine)
    assert [each.act.who for each in found.changes] == [Who.OURS, Who.UNKNOWN]


@pytest.mark.parametrize(("revision", "touched"), [("7", None), ("8", START)])
def test_where_actors_are_hidden_a_revision_without_our_receipt_touches(
    revision: str, touched: int | None
) -> None:
    mine = {by_revision("7"): frozenset({"acme/1:p:1"})}
    hidden = replace(NEWBORN, revision=revision, actors_hidden=True)
    assert recognise(hidden, mine).touched == touched
    assert recognise(replace(hidden, actors_hidden=False), mine).touched is None


# --- foreign automation is nobody's act ----------------------------------------------------------------------


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_it_replies_to_nobody(who: Who) -> None:
    life = Life(policy(clock="customer_waiting")).customer(0).says(10, who, "bot")
    assert clock(life) == at(0)


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_it_does_not_touch(who: Who) -> None:
    life = Life(policy(clock="untouched")).customer(0).says(10, who, "bot")
    assert clock(life.change(11, "priority", "low", by="bot", who=who)) == at(0)


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
@pytest.mark.parametrize("stop", ["agent_reply", "assigned", "customer_message"])
def test_it_stops_nothing(who: Who, stop: str) -> None:
    life = Life(policy(more=f'stop_on = ["{stop}"]')).customer(0)
    life.look(1)
    life.says(10, who, "bot").change(11, "assignee", "ben", by="bot", who=who)
    assert life.look(12).ended == ()


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_it_acknowledges_nothing(who: Who) -> None:
    life = Life(policy(AFTER_30, AFTER_120, more='stop_on = ["acknowledged"]')).customer(0)
    life.look(30)
    life.says(40, who, "bot", public=False)
    assert life.look(41).ended == ()


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_it_is_no_act_of_the_assignee_even_in_their_name(who: Who) -> None:
    life = Life(policy(clock="assignee_silent")).with_fields(assignee=ANN).customer(0)
    assert clock(life.says(10, who, "ann")) == at(0)


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_it_counts_for_nothing(who: Who) -> None:
    life = Life().with_fields(assignee=ANN).customer(0).says(1, who, "bot")
    life.change(2, "assignee", "ben", by="bot", who=who).change(3, "assignee", "ann", by="bot", who=who)
    life.change(4, "status", "solved", by="bot", who=who).change(5, "status", "open", by="bot", who=who)
    assert life.ticket.counts == NEWBORN.counts


# --- but the values it leaves are real -----------------------------------------------------------------------


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_conditions_see_them(who: Who) -> None:
    life = Life(policy(when='tags = { has = "vip" }')).customer(0)
    assert not life.plan(30).wanted
    life.change(31, "tags", ("vip",), by="bot", who=who)
    assert life.plan(31).wanted


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_solving_ends_an_episode_whoever_solves(who: Who) -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0)
    life.look(30)
    life.change(40, "status", "solved", by="bot", who=who)
    assert [each.reason for each in life.look(41).ended] == ["solved"]


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_solving_ends_the_customers_wait(who: Who) -> None:
    life = Life(policy(clock="customer_waiting", when='status = "solved"')).customer(0)
    assert clock(life.change(10, "status", "solved", by="bot", who=who)) is None


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_an_assignee_is_silent_from_any_assignment_on(who: Who) -> None:
    life = Life(policy(clock="assignee_silent")).with_fields(assignee=ANN).customer(0)
    assert clock(life.change(10, "assignee", "ben", by="bot", who=who)) == at(10)


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_a_status_is_entered_by_anyone(who: Who) -> None:
    life = Life(policy(clock="in_status")).customer(0).change(10, "status", "open", by="bot", who=who)
    assert clock(life) == at(10)


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_a_pause_begins_by_anyone(who: Who) -> None:
    life = Life(policy(more='pause_on = ["pending"]')).customer(0)
    life.change(10, "status", "pending", by="bot", who=who)
    assert life.plan(60).wanted == ()


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_it_ends_the_hiding_of_what_we_wrote(who: Who) -> None:
    text = policy(AFTER_30 + '\ntags = ["l1"]', AFTER_120, when='tags = { lacks = "l1" }')
    life = Life(text).customer(0)
    life.look(30)
    assert life.look(31).ended == ()
    life.change(40, "tags", (), by="bot", who=who).change(41, "tags", ("l1",), by="bot", who=who)
    assert [each.reason for each in life.look(42).ended] == ["when"]


# --- everything else that is not an auto-reply is a human ----------------------------------------------------


@pytest.mark.parametrize("who", [Who.AGENT, Who.CUSTOMER])
def test_agents_and_customers_are_humans(who: Who) -> None:
    life = Life(policy(clock="untouched")).customer(0)
    assert clock(life.says(10, who, "max")) == at(10)
    assert clock(life.change(11, "priority", "low", by="max", who=who)) == at(11)


@pytest.mark.parametrize("who", [Who.AGENT, Who.CUSTOMER])
def test_an_auto_reply_is_nobodys_act(who: Who) -> None:
    life = Life(policy(clock="untouched")).customer(0).says(10, who, "max", auto=True)
    assert clock(life) == at(0)


def test_our_own_doings_are_no_humans() -> None:
    life = Life(policy(AFTER_30 + '\nassign = { agent = "ben@acme.test" }', AFTER_120, clock="untouched"))
    life.customer(0).look(30)
    assert life.ticket.assignee == BEN
    history = History.of(recognise(life.ticket, life.receipts), frozenset({"public"}))
    assert [fact.act.who for fact in history.facts if history.is_human(fact)] == [Who.CUSTOMER]
    assert clock(life) == at(0)
