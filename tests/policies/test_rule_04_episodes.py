"""Rule 4: episodes, how they begin, end and begin again."""

from dataclasses import replace

import pytest

from policies.model import Change, Message, Metric, Stage, Target, Who
from policies.plan import Plan
from tests.policies.lives import AFTER_30, AFTER_120, CLEO, HEAD, LADDER, Life, at, policy


def ends(plan: Plan) -> list[str | None]:
    """Why episodes ended at this look."""
    return [each.reason for each in plan.ended]


def both(**fields: object) -> str:
    """Two levels that write a note each."""
    return policy(AFTER_30, AFTER_120, **fields)  # type: ignore[arg-type]


def due(minutes: float, start: float | None = 0) -> Target:
    """An active resolution target."""
    begun = None if start is None else at(start)
    return Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=at(minutes), start=begun)


DEADLINE = policy(
    'before = "60m"\nowner = "Tier 2"\nnote = "handoff"',
    'before = "10m"\nowner = "Duty"\nnote = "handoff"',
    clock="resolution",
    more='stop_on = ["acknowledged"]',
)

# --- the silent line -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["solved", "closed"])
def test_every_when_has_the_silent_line_not_solved_or_closed(status: str) -> None:
    life = Life(policy(when='subject = { contains = "log" }')).customer(0)
    life.change(1, "status", status).look(60)
    assert life.writes == []


@pytest.mark.parametrize(
    "when",
    [
        'status = "solved"',
        'status = ["open", "solved"]',
        'status = { in = ["solved"] }',
        'any = [{ status = "solved" }, { priority = "low" }]',
        'all = [{ any = [{ status = { in = ["open", "solved"] } }] }]',
    ],
)
def test_a_when_that_asks_for_solved_anywhere_only_refuses_closed(when: str) -> None:
    life = Life(policy(when=when)).customer(0).change(1, "status", "solved")
    assert life.plan(60).wanted != ()
    life.change(61, "status", "closed")
    assert life.plan(62).wanted == ()


def test_a_status_that_may_not_be_solved_does_not_ask_for_it() -> None:
    life = Life(policy(when='status = { not = "open" }')).customer(0).change(1, "status", "solved")
    assert life.plan(60).wanted == ()


def test_where_solved_is_asked_for_the_reason_solved_does_not_apply() -> None:
    life = Life(both(when='status = ["new", "open", "solved"]')).customer(0)
    life.look(30)
    life.change(40, "status", "solved").look(41)
    life.look(120)
    assert (life.fired(), life.reasons()) == (["one", "two"], [])


@pytest.mark.parametrize(
    "when",
    [
        'status = "closed"',
        'status = ["open", "closed"]',
        'status = { in = ["closed"] }',
        'any = [{ status = "closed" }]',
    ],
)
def test_asking_for_closed_is_an_error(when: str) -> None:
    with pytest.raises(AssertionError, match="asks-closed"):
        Life(policy(when=when))


# --- how an episode ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["deleted", "spam", "merged"])
def test_a_ticket_that_is_gone_ends_it(gone: str) -> None:
    life = Life(both()).customer(0)
    life.look(30)
    assert ends(life.with_fields(gone=gone).look(31)) == ["gone"]


def test_a_policy_that_is_removed_ends_it() -> None:
    life = Life(both()).customer(0)
    life.look(30)
    assert ends(life.under(policy(name="other")).look(31)) == ["removed"]


@pytest.mark.parametrize("status", ["solved", "closed"])
def test_solving_and_closing_end_it(status: str) -> None:
    life = Life(both()).customer(0)
    life.look(30)
    assert ends(life.change(31, "status", status).look(32)) == [status]
    life.look(200)
    assert life.fired() == ["one"]


def test_a_stop_ends_it() -> None:
    life = Life(both(more='stop_on = ["agent_reply"]')).customer(0)
    life.look(30)
    assert ends(life.agent(31).look(32)) == ["stop_on agent_reply"]


def test_a_line_of_when_that_fails_ends_it() -> None:
    life = Life(both(when='priority = "high"')).customer(0)
    life.look(30)
    assert ends(life.change(31, "priority", "low").look(32)) == ["when"]


def test_a_line_of_unless_that_holds_ends_it() -> None:
    life = Life(both(unless='tags = { has = "calm" }')).customer(0)
    life.look(30)
    assert ends(life.change(31, "tags", ("calm",)).look(32)) == ["unless"]


def test_a_restarted_clock_ends_it() -> None:
    life = Life(both(clock="untouched")).customer(0)
    life.look(30)
    assert ends(life.customer(31).look(32)) == ["clock"]


def test_of_several_reasons_the_first_that_applies_is_given() -> None:
    text = both(
        clock="untouched",
        when='priority = "high"',
        unless='tags = { has = "calm" }',
        more='stop_on = ["agent_reply"]',
    )

    def reason(life: Life) -> list[str | None]:
        return ends(life.look(50))

    def begun() -> Life:
        life = Life(text).customer(0)
        life.look(30)
        return life

    assert reason(begun().change(40, "tags", ("calm",))) == ["unless"], "before clock"
    assert reason(begun().change(40, "tags", ("calm",)).change(41, "priority", "low")) == ["when"]
    assert reason(begun().change(40, "priority", "low").agent(41)) == ["stop_on agent_reply"]
    assert reason(begun().agent(40).change(41, "status", "solved")) == ["solved"]
    assert reason(begun().change(40, "status", "solved").change(41, "status", "closed")) == ["closed"]
    assert reason(begun().change(40, "status", "closed").with_fields(gone="deleted")) == ["gone"]
    removed = begun().change(40, "status", "closed").under(policy(name="other"))
    assert reason(removed) == ["removed"]


def test_an_episode_in_which_no_level_was_passed_ends_without_a_ledger_line() -> None:
    life = Life(both()).customer(0)
    life.look(1)
    life.change(2, "status", "solved").look(3)
    assert (life.reasons(), life.lines("ended")) == (["solved"], 0)
    other = Life(both()).customer(0)
    other.look(30)
    other.change(31, "status", "solved").look(32)
    assert other.lines("ended") == 1


# --- what is taken from the history --------------------------------------------------------------------------


def test_when_is_judged_on_snapshots() -> None:
    life = Life(both(when='priority = "high"')).customer(0)
    life.look(30)
    life.change(40, "priority", "low").change(41, "priority", "high")
    assert ends(life.look(42)) == []


@pytest.mark.parametrize("status", ["solved", "closed"])
def test_solved_and_closed_end_it_even_if_undone_and_count_as_when_having_been_false(status: str) -> None:
    life = Life(both()).customer(0)
    life.look(30)
    life.change(40, "status", status).change(41, "status", "open")
    assert ends(life.look(42)) == [status]
    assert life.standing().episodes == 2
    life.look(125)
    assert life.fired() == ["one", "one", "two"], "the clock still runs from the creation, judged at once"


def test_a_ticket_solved_and_reopened_between_looks_begins_anew_also_where_no_episode_ran() -> None:
    life = Life(both(more='stop_on = ["agent_reply"]')).customer(0)
    life.look(10)
    life.agent(12).look(13)
    life.change(14, "status", "solved").change(15, "status", "open").look(16)
    life.look(30)
    assert life.fired() == ["one"]


def test_a_stop_ends_it_even_if_undone_and_does_not_count_as_when_having_been_false() -> None:
    life = Life(both(more='stop_on = ["assigned"]')).customer(0).with_fields(assignee=ann())
    life.look(30)
    life.change(40, "assignee", "ben").change(41, "assignee", "ann")
    assert ends(life.look(42)) == ["stop_on assigned"]
    life.look(200)
    assert life.fired() == ["one"]


def ann() -> object:
    return Life().directory.agents[0].person


def test_stops_are_agent_reply_acknowledged_assigned_and_customer_message() -> None:
    def stopped(word: str, fact: str) -> bool:
        life = Life(both(more=f'stop_on = ["{word}"]')).customer(0)
        life.look(30)
        {
            "reply": lambda: life.agent(40),
            "note": lambda: life.agent(40, public=False),
            "dispatch": lambda: life.change(40, "assignee", "ben", by="ann"),
            "customer": lambda: life.customer(40),
        }[fact]()
        return ends(life.look(41)) == [f"stop_on {word}"]

    facts = ("reply", "note", "dispatch", "customer")
    assert [stopped("agent_reply", each) for each in facts] == [True, False, False, False]
    assert [stopped("acknowledged", each) for each in facts] == [True, True, False, False]
    assert [stopped("assigned", each) for each in facts] == [False, False, True, False]
    assert [stopped("customer_message", each) for each in facts] == [False, False, False, True]


@pytest.mark.parametrize("who", [Who.AUTOMATION, Who.BOT])
def test_only_a_human_change_of_the_assignee_is_assigned(who: Who) -> None:
    life = Life(both(more='stop_on = ["assigned"]')).customer(0)
    life.look(30)
    life.change(40, "assignee", "ben", by="bot", who=who)
    assert ends(life.look(41)) == []


def test_a_stop_is_newer_than_the_episodes_start() -> None:
    life = Life(both(when='priority = "high"', more='stop_on = ["agent_reply"]')).customer(0)
    life.look(1)
    life.change(2, "priority", "low").look(3)
    life.agent(4).change(5, "priority", "high")
    assert ends(life.look(6)) == []
    life.look(30)
    assert life.fired() == ["one"]
    life.agent(40)
    assert ends(life.look(41)) == ["stop_on agent_reply"]


def test_in_the_first_episode_of_a_ticket_a_stop_is_newer_than_the_clocks_start() -> None:
    life = Life(both(more='stop_on = ["agent_reply"]')).customer(0).agent(5)
    life.look(40)
    assert (life.fired(), life.reasons()) == ([], ["stop_on agent_reply"])
    waiting = Life(both(clock="customer_waiting", more='stop_on = ["agent_reply"]'))
    waiting.customer(0).agent(5).customer(7).look(40)
    assert waiting.fired() == ["one"], "the reply is older than the wait"


def test_the_opening_message_belongs_to_the_creation() -> None:
    life = Life(both(more='stop_on = ["customer_message"]')).customer(0)
    life.look(30)
    assert life.fired() == ["one"]


def test_without_a_known_start_a_first_stop_is_newer_than_the_episodes_start() -> None:
    text = policy('before = "60m"\nnote = "handoff"', clock="resolution", more='stop_on = ["agent_reply"]')
    life = Life(text).customer(0).agent(5).target(due(100, start=None))
    life.look(50)
    assert life.fired() == ["one"]
    known = Life(text).customer(0).agent(5).target(due(100))
    known.look(50)
    assert known.fired() == []


def together(life: Life, minutes: float, person: str) -> Life:
    """One audit in which an agent replies and takes the ticket."""
    act = life.act(minutes, Who.AGENT, person)
    message = Message(act=act, public=True, body="…")
    change = Change(act=act, field="assignee", before=None, after=person)
    life.ticket = replace(
        life.ticket,
        messages=(*life.ticket.messages, message),
        changes=(*life.ticket.changes, change),
        assignee=next(a.person for a in life.directory.agents if a.person.id == person),
    )
    return life


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('"acknowledged", "assigned", "agent_reply"', "agent_reply"),
        ('"acknowledged", "assigned"', "assigned"),
        ('"acknowledged"', "acknowledged"),
    ],
)
def test_a_fact_that_is_several_of_these_counts_as_the_first(words: str, reason: str) -> None:
    life = Life(both(more=f"stop_on = [{words}]")).customer(0)
    life.look(30)
    assert ends(together(life, 40, "ben").look(41)) == [f"stop_on {reason}"]


def test_a_customer_message_by_an_agent_who_asked_is_no_acknowledgement() -> None:
    text = both(more='stop_on = ["customer_message", "acknowledged"]')
    life = Life(text).with_fields(requester=ann()).says(0, Who.AGENT, "ann")
    life.look(30)
    assert ends(life.says(40, Who.AGENT, "ann").look(41)) == ["stop_on customer_message"]


# --- how the next one begins ---------------------------------------------------------------------------------


def test_after_a_stop_nothing_fires_while_when_keeps_holding() -> None:
    life = Life(both(more='stop_on = ["agent_reply"]')).customer(0)
    life.look(30)
    life.agent(40).look(41)
    life.look(500)
    assert life.fired() == ["one"]


def test_a_new_episode_needs_when_to_have_been_false_and_true_again() -> None:
    life = Life(both(when='priority = "high"')).customer(0)
    life.look(30)
    life.change(40, "priority", "low").look(41)
    life.look(200)
    life.change(210, "priority", "high").look(211)
    assert life.fired() == ["one", "two"], "the new episode is judged at once"
    assert life.passed() == {"one": "overtaken", "two": "fired"}, "no level of it was passed before"


def test_a_new_episode_begins_with_a_restarted_clock() -> None:
    life = Life(both(clock="customer_waiting", more='stop_on = ["agent_reply"]')).customer(0)
    life.look(30)
    life.agent(40).look(41)
    life.customer(50).look(51)
    life.look(80)
    assert life.fired() == ["one", "one"]


# --- acknowledged --------------------------------------------------------------------------------------------

ACKNOWLEDGED = both(more='stop_on = ["acknowledged"]')


def test_an_acknowledged_ticket_that_is_then_forgotten_climbs_again() -> None:
    life = Life(ACKNOWLEDGED).customer(0)
    life.look(30)
    life.agent(40, public=False)
    assert ends(life.look(41)) == ["stop_on acknowledged"]
    assert life.standing().episodes == 2, "the new one begins at once"
    for minute in (69, 70, 159, 160):
        life.look(minute)
    assert [minute for minute, _ in life.writes] == [30, 70, 160], "it counts from the acknowledgement"


def test_its_clock_is_the_later_of_its_own_start_and_the_acknowledgement() -> None:
    life = Life(both(clock="untouched", more='stop_on = ["acknowledged"]')).customer(0)
    life.look(30)
    life.agent(40, public=False).customer(45).look(46)
    life.look(74)
    assert life.fired() == ["one"]
    life.look(75)
    assert life.fired() == ["one", "one"]


def test_the_acknowledgement_is_remembered_until_the_clock_restarts() -> None:
    life = Life(both(clock="customer_waiting", more='stop_on = ["acknowledged"]')).customer(0)
    life.look(30)
    life.agent(40, public=False).look(41)
    assert life.standing().acknowledged == at(40)
    life.agent(50).look(51)
    life.customer(55).look(56)
    assert life.standing().acknowledged is None
    life.look(85)
    assert life.fired() == ["one", "one"], "30 minutes after the new message"


def test_a_clock_that_restarted_after_the_acknowledgement_counts_from_there_however_late_it_is_seen() -> None:
    life = Life().customer(0)
    life.look(30)
    life.agent(45, "ben", public=False).agent(75).customer(76)
    life.look(100)
    assert life.fired() == ["one"]
    life.look(106)
    assert life.fired() == ["one", "one"], "as if the note, the reply and the message had been seen in turn"


def test_the_clock_after_an_acknowledgement_is_absent_while_its_own_is() -> None:
    life = Life(both(clock="customer_waiting", more='stop_on = ["acknowledged"]')).customer(0)
    life.look(30)
    life.agent(40)
    assert ends(life.look(41)) == ["stop_on acknowledged"]
    life.look(200)
    assert life.fired() == ["one"]


def test_the_new_episode_takes_over_what_the_stopped_one_wrote() -> None:
    raising = 'after = "30m"\npriority = { at_least = "urgent" }\nnote = "handoff"'
    life = Life(policy(raising, when='priority = "high"', more='stop_on = ["acknowledged"]')).customer(0)
    life.look(30)
    life.agent(40, public=False).look(41)
    life.look(70)
    assert life.fired() == ["one", "one"], "what it raised to urgent is high in its own eyes"


def test_it_takes_the_writes_over_also_where_the_acknowledgement_restarts_the_clock() -> None:
    raising = 'after = "30m"\npriority = { at_least = "urgent" }\nnote = "handoff"'
    text = policy(raising, clock="untouched", when='priority = "high"', more='stop_on = ["acknowledged"]')
    life = Life(text).customer(0)
    life.look(30)
    life.agent(40, public=False)
    assert ends(life.look(41)) == ["stop_on acknowledged"]
    life.look(70)
    assert life.fired() == ["one", "one"]


def test_a_stop_that_is_newer_than_the_acknowledgement_stops_the_new_episode_too() -> None:
    text = both(more='stop_on = ["acknowledged", "agent_reply"]')
    seen_late = Life(text).customer(0)
    seen_late.look(30)
    seen_late.agent(40, public=False).agent(45).look(100)
    assert seen_late.fired() == ["one"]
    seen_at_once = Life(text).customer(0)
    seen_at_once.look(30)
    seen_at_once.agent(40, public=False).look(40)
    seen_at_once.agent(45).look(45)
    seen_at_once.look(100)
    assert seen_at_once.fired() == ["one"]


def test_on_a_deadline_it_starts_behind_the_levels_already_passed() -> None:
    life = Life(DEADLINE).customer(0).target(due(100))
    life.look(40)
    before = life.standing().episode
    life.agent(45, public=False).look(46)
    after = life.standing().episode
    assert before is not None
    assert after is not None
    assert (after.number, after.passed, after.owner) == (2, before.passed, before.owner)
    life.look(89)
    assert life.fired() == ["one"]
    life.look(90)
    assert life.fired() == ["one", "two"]


def test_if_when_does_not_hold_then_a_later_episode_also_counts_from_the_acknowledgement() -> None:
    life = Life(both(when='priority = "high"', more='stop_on = ["acknowledged"]')).customer(0)
    life.look(30)
    life.agent(40, public=False).change(41, "priority", "low")
    assert ends(life.look(42)) == ["stop_on acknowledged"]
    life.change(50, "priority", "high").look(51)
    life.look(69)
    assert life.fired() == ["one"]
    life.look(70)
    assert life.fired() == ["one", "one"]


def test_and_on_a_deadline_it_starts_behind_those_levels() -> None:
    text = DEADLINE.replace('status = ["new", "open", "pending"]', 'priority = "high"')
    life = Life(text).customer(0).target(due(100))
    life.look(40)
    life.agent(45, public=False).change(46, "priority", "low").look(47)
    life.change(50, "priority", "high").look(51)
    assert life.passed() == {"one": "fired"}
    life.look(90)
    assert life.fired() == ["one", "two"]


def test_a_later_episode_takes_over_no_writes() -> None:
    tagging = 'after = "30m"\ntags = ["l1"]\nnote = "handoff"'
    text = policy(
        tagging, when='priority = "high"', unless='tags = { has = "l1" }', more='stop_on = ["acknowledged"]'
    )
    life = Life(text).customer(0)
    life.look(30)
    life.agent(40, public=False).change(41, "priority", "low").look(42)
    life.change(50, "priority", "high").look(51)
    life.look(200)
    assert life.fired() == ["one"], "its own tag is a real one to an episode that begins later"


def test_an_episode_that_only_began_behind_passed_levels_ends_without_a_ledger_line() -> None:
    life = Life(DEADLINE).customer(0).target(due(100))
    life.look(40)
    life.agent(45, public=False).look(46)
    assert life.lines("ended") == 1, "the one that was stopped"
    life.change(50, "status", "solved").look(51)
    assert (life.reasons(), life.lines("ended")) == (["solved"], 1)


# --- restored ------------------------------------------------------------------------------------------------


def test_a_restored_ticket_is_first_seen() -> None:
    life = Life(both()).customer(0)
    life.look(30)
    life.with_fields(gone="deleted").look(31)
    life.with_fields(gone=None).look(32)
    assert life.fired() == ["one", "one"]


def test_a_restored_ticket_has_a_first_look_again_for_the_backlog() -> None:
    life = Life(both(more='backlog = "skip"'), first_ran={"p": at(50)}).customer(0)
    life.look(60)
    life.with_fields(gone="deleted").look(61)
    life.with_fields(gone=None).look(62)
    assert life.passed() == {"one": "skipped"}


def test_an_episode_without_any_message_begins_too() -> None:
    life = Life(LADDER, HEAD).with_fields(requester=CLEO)
    life.look(1)
    assert life.standing().episode is not None
