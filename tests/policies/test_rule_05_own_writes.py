"""Rule 5: an episode does not see what it wrote itself, and counts are of people's doings only."""

from dataclasses import replace

import pytest

from policies.history import History, counted
from policies.model import Status, Who
from policies.present.explain import traced
from policies.rules.own_writes import as_before
from policies.state import Episode, Wrote
from tests.policies.lives import AFTER_30, AFTER_120, ANN, BEN, DIRECTORY, NEWBORN, Life, policy

RAISE = 'after = "30m"\npriority = { at_least = "urgent" }'
TAG = 'after = "30m"\ntags = ["l1"]'
MOVE = 'after = "30m"\nassign = { group = "Tier 2", agent = "ben@acme.test" }'


def reason(life: Life) -> str | None:
    """Why the policy's latest episode ended, None while it runs."""
    episode = life.standing().episode
    assert episode is not None
    return episode.reason


def raised() -> Life:
    """A policy for high tickets has raised one to urgent."""
    life = Life(policy(RAISE, AFTER_120, when='priority = "high"')).customer(0)
    life.look(30)
    assert life.ticket.priority == "urgent"
    return life


def tagged(unless: str = 'tags = { has = "l1" }') -> Life:
    """A policy has set a tag that leaves tickets out of it."""
    life = Life(policy(TAG, AFTER_120, unless=unless)).customer(0)
    life.look(30)
    assert life.ticket.tags == {"l1"}
    return life


# --- fields --------------------------------------------------------------------------------------------------


def test_a_field_that_still_holds_what_the_episode_wrote_is_tested_with_its_value_from_before() -> None:
    life = raised()
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_a_custom_field_too() -> None:
    head = Life().head + "[accounts.acme.fields]\ntier = 1\n[accounts.other.fields]\ntier = 1\n"
    text = policy('after = "30m"\nset = { custom.tier = 2 }', AFTER_120, when="custom.tier = 1")
    life = Life(text, head).with_fields(custom={"tier": 1}).customer(0)
    life.look(30)
    assert life.ticket.custom == {"tier": 2}
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_a_group_and_an_assignee_too() -> None:
    life = Life(policy(MOVE, AFTER_120, when='group = "Tier 1"\nassignee = { known = false }')).customer(0)
    life.look(30)
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_a_tag_it_added_is_hidden_and_one_it_removed_shows() -> None:
    life = tagged()
    life.look(120)
    assert life.fired() == ["one", "two"]
    text = policy('after = "30m"\nuntag = ["new"]', AFTER_120, when='tags = { has = "new" }')
    other = Life(text).with_fields(tags=frozenset({"new"})).customer(0)
    other.look(30)
    assert other.ticket.tags == set()
    other.look(120)
    assert other.fired() == ["one", "two"]


def test_several_writes_over_one_another_show_the_value_from_before_the_first() -> None:
    text = policy(
        'after = "30m"\npriority = { at_least = "high" }',
        'after = "1h"\npriority = { at_least = "urgent" }',
        'after = "2h"\nnote = "handoff"',
        when='priority = "normal"',
    )
    life = Life(text).customer(0).change(1, "priority", "normal")
    for minute in (30, 60, 120):
        life.look(minute)
    assert life.fired() == ["one", "two", "three"]


# --- clocks --------------------------------------------------------------------------------------------------


def test_our_reassignment_does_not_restart_assignee_silent_and_the_new_assignees_first_act_does() -> None:
    life = Life(policy(MOVE, AFTER_120, clock="assignee_silent")).with_fields(assignee=ANN).customer(0)
    life.look(30)
    assert life.ticket.assignee == BEN
    assert reason(life) is None
    clock = traced(life.plan(50))[0].clock
    assert clock is not None
    assert clock.start == life.ticket.created
    life.agent(60, "ben", public=False).look(61)
    assert life.standing().episodes == 2, "a restarted clock"
    life.look(120)
    assert life.fired() == ["one", "one"]


def test_another_policys_reassignment_restarts_it() -> None:
    life = Life(
        policy(AFTER_120, clock="assignee_silent") + policy(MOVE, name="q", when='status = "new"')
    ).with_fields(assignee=ANN)
    life.customer(0).look(30)
    life.look(120)
    assert life.fired() == []
    life.look(150)
    assert life.fired() == ["one"]


def test_a_note_of_ours_is_no_touch() -> None:
    life = Life(policy(AFTER_30, AFTER_120, clock="untouched")).customer(0)
    life.look(30)
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_a_clock_is_not_silenced_by_what_the_episode_wrote() -> None:
    text = policy('after = "30m"\nassign = { group = "Tier 2" }', AFTER_120, clock="assignee_silent")
    life = Life(text).with_fields(assignee=ANN).customer(0)
    life.look(30)
    assert life.ticket.assignee is None, "Ann is no member of Tier 2"
    life.look(120)
    assert life.fired() == ["one", "two"]


# --- where hiding ends ---------------------------------------------------------------------------------------


def test_the_hiding_ends_with_the_next_change_by_a_human() -> None:
    life = raised()
    life.change(40, "priority", "low")
    life.look(41)
    assert reason(life) == "when"


def test_the_hiding_ends_whatever_the_value() -> None:
    life = raised()
    life.change(40, "priority", "low").change(41, "priority", "urgent")
    life.look(42)
    assert reason(life) == "when", "urgent is a human's now"


def test_the_hiding_ends_with_a_change_by_an_automation() -> None:
    life = raised()
    life.change(40, "priority", "low", who=Who.AUTOMATION).change(41, "priority", "urgent")
    life.look(42)
    assert reason(life) == "when"


def test_a_human_who_sets_it_back_to_what_it_was_ends_nothing() -> None:
    life = raised()
    life.change(40, "priority", "high")
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_the_hiding_of_a_tag_ends_with_the_next_change_of_that_tag() -> None:
    life = tagged()
    life.change(40, "tags", ()).change(41, "tags", ("l1",))
    life.look(42)
    assert reason(life) == "unless"


def test_a_change_of_another_tag_leaves_it_hidden() -> None:
    life = tagged()
    life.change(40, "tags", ("l1", "other"))
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_nothing_we_wrote_is_put_back_if_a_human_removes_it() -> None:
    life = tagged()
    life.change(40, "tags", ())
    life.look(41)
    life.look(120)
    assert life.ticket.tags == set()


# --- other policies ------------------------------------------------------------------------------------------


def test_other_policies_writes_are_real_changes() -> None:
    text = policy(AFTER_30, AFTER_120, when='priority = "high"')
    text += policy(RAISE.replace("30m", "40m"), name="q", when='status = "new"')
    life = Life(text).customer(0)
    for minute in (30, 40, 41):
        life.look(minute)
    assert reason(life) == "when"


def test_a_merged_write_belongs_to_every_episode_that_asked_for_it() -> None:
    text = policy(RAISE, AFTER_120, when='priority = "high"')
    text += policy(RAISE, AFTER_120, name="q", when='priority = "high"')
    life = Life(text).customer(0)
    life.look(30)
    assert len(life.writes) == 1
    life.look(120)
    assert (life.fired(), life.fired("q")) == (["one", "two"], ["one", "two"])


def test_of_a_merged_write_a_policy_sees_what_it_did_not_ask_for() -> None:
    text = policy(TAG, AFTER_120, unless='tags = { has = "q1" }')
    text += policy(TAG.replace("l1", "q1"), name="q", when='status = "new"')
    life = Life(text).customer(0)
    life.look(30)
    assert life.ticket.tags == {"l1", "q1"}
    life.look(31)
    assert reason(life) == "unless"


# --- beginning, ending ---------------------------------------------------------------------------------------


def test_to_start_an_episode_when_is_read_on_the_real_values() -> None:
    life = tagged()
    life.change(40, "status", "solved").look(41)
    life.change(50, "status", "open").look(51)
    assert life.standing().episodes == 1, "its own tag leaves the ticket out now"
    life.change(60, "tags", ()).look(61)
    assert life.standing().episodes == 2


def test_so_what_we_wrote_ourselves_never_makes_it_true_again() -> None:
    either = 'any = [{ status = "open" }, { priority = "urgent" }]'
    life = Life(policy(RAISE, AFTER_120, when=either)).with_fields(status=Status.OPEN).customer(0)
    life.look(30)
    life.change(40, "status", "pending")
    life.look(40)
    assert reason(life) == "when", "the episode does not see that it raised the priority"
    life.look(41)
    life.look(200)
    assert life.lines("started") == 1, "and on the real values `when` was never false"
    life.change(201, "priority", "high").look(201)
    life.change(202, "priority", "urgent").look(202)
    assert life.lines("started") == 2


def test_a_status_we_set_to_solved_is_never_hidden() -> None:
    solved = replace(NEWBORN, status=Status.SOLVED)
    wrote = Wrote(field="status", before="open", after="solved", fact="f1")
    episode = Episode(key="k", policy="p", number=1, started=0, clock_start=0, wrote=(wrote,))
    seen = as_before(solved, History.of(solved, frozenset()), episode, DIRECTORY)
    assert seen.status is Status.SOLVED


# --- counts --------------------------------------------------------------------------------------------------


def test_reopens_count_people_only() -> None:
    life = Life().customer(0).change(1, "status", "solved")
    life.change(2, "status", "open").change(3, "status", "closed")
    life.change(4, "status", "open", who=Who.AUTOMATION)
    life.change(5, "status", "solved").change(6, "status", "pending", by="cleo", who=Who.CUSTOMER)
    assert life.ticket.counts.reopens == 2


def test_a_reassignment_is_a_persons_change_from_one_assignee_to_another() -> None:
    life = Life().customer(0).change(1, "assignee", "ann")
    assert life.ticket.counts.reassignments == 0, "from nobody"
    life.change(2, "assignee", "ben")
    life.change(3, "assignee", "cat", who=Who.AUTOMATION)
    life.change(4, "assignee", None)
    assert life.ticket.counts.reassignments == 1


def test_the_same_assignee_set_again_is_no_reassignment() -> None:
    life = Life().customer(0).change(1, "assignee", "ann").change(2, "assignee", "ben")
    life.change(3, "assignee", "ben").change(4, "assignee", "ann")
    assert (life.ticket.counts.reassignments, life.ticket.counts.bounces) == (2, 1)


@pytest.mark.parametrize(
    ("people", "by", "bounces"),
    [
        (("ann", "ben", "ann"), (Who.AGENT, Who.AGENT), 1),
        (("ann", "ben", "ann", "ben"), (Who.AGENT, Who.AGENT, Who.AGENT), 2),
        (("ann", "ben", "cat"), (Who.AGENT, Who.AGENT), 0),
        (("ann", "ben", "cat", "ann"), (Who.AGENT, Who.AGENT, Who.AGENT), 0),
        (("ann", "ben", "ann"), (Who.AGENT, Who.AUTOMATION), 0),
        (("ann", "ben", "ann"), (Who.BOT, Who.AGENT), 0),
    ],
)
def test_a_bounce_returns_to_the_one_before_last_both_moves_by_people(
    people: tuple[str, ...], by: tuple[Who, ...], bounces: int
) -> None:
    life = Life().customer(0).change(1, "assignee", people[0])
    for minute, (person, who) in enumerate(zip(people[1:], by, strict=True), start=2):
        life.change(minute, "assignee", person, who=who)
    assert life.ticket.counts.bounces == bounces


def test_replies_count_public_ones_by_agents() -> None:
    life = Life().customer(0).agent(1).agent(2, public=False).customer(3)
    life.says(4, Who.AUTOMATION, None).says(5, Who.AGENT, "ann", auto=True).says(6, Who.BOT, "bot")
    life.agent(7, "ben")
    assert life.ticket.counts.replies == 2


def test_the_opening_message_of_an_agent_is_no_reply_but_a_first_message_that_comes_later_is() -> None:
    assert Life().agent(0).ticket.counts.replies == 0
    assert Life().agent(9).ticket.counts.replies == 1


def test_what_we_wrote_changes_no_count() -> None:
    life = Life(policy(MOVE + '\nreply = "handoff"')).with_fields(assignee=ANN).customer(0)
    life.look(30)
    assert life.ticket.assignee == BEN
    assert counted(life.ticket) == NEWBORN.counts
