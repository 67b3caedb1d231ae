"""Rule 9: owners and targets. Ann is in Tier 1, Ben in Tier 2, Cat in Tier 2 and Duty, Dan in Duty."""

from dataclasses import replace
from typing import Any

import pytest

from policies.model import Agent, Directory, Person, Who
from policies.plan import Assign, Follow, Plan
from policies.state import Owner
from tests.policies.lives import (
    AFTER_120,
    ANN,
    BEN,
    CAT,
    DAN,
    DIRECTORY,
    DUTY,
    HEAD,
    TIER1,
    TIER2,
    Life,
    policy,
)

LED = replace(
    DIRECTORY,
    leads={"Tier 1": "ann@acme.test", "Tier 2": "cat@acme.test", "Duty": "dan@acme.test"},
    managers={"ann@acme.test": "cat@acme.test", "cat@acme.test": "dan@acme.test", "ben@acme.test": "Zoe"},
    on_call={"Duty": "dan@acme.test"},
)


def level(actions: str, after: str = "30m") -> str:
    """A level with these actions."""
    return f'after = "{after}"\nnote = "handoff"\n{actions}'


def life(*levels: str, directory: Directory = LED, clock: str = "created", more: str = "") -> Life:
    """A ticket of a customer, with these levels."""
    return Life(policy(*levels, clock=clock, more=more), directory=directory).customer(0)


def person(who: Person) -> Owner:
    """A person as an owner."""
    return Owner(name=who.label, kind="person")


def group(name: str) -> Owner:
    """A group as an owner."""
    return Owner(name=name, kind="group")


def owner(asked: str, directory: Directory = LED, more: str = "", **fields: Any) -> Owner | None:
    """Who owns a ticket with these fields once a level that says so has fired."""
    found = life(level(f'owner = "{asked}"\n{more}'), directory=directory).with_fields(**fields)
    found.look(30)
    return found.plan(30).owner


def assigned(agent: str, directory: Directory = DIRECTORY, clock: str = "created", **fields: Any) -> Plan:
    """The plan of a level that assigns to Tier 2 in this way."""
    text = level(f'assign = {{ group = "Tier 2", agent = "{agent}" }}')
    return life(text, directory=directory, clock=clock).with_fields(**fields).plan(30)


def target(plan: Plan) -> tuple[str | None, str | None]:
    """The group and the person a plan assigns to."""
    (made,) = [each.action for each in plan.wanted if isinstance(each.action, Assign)]
    return (made.group.name if made.group else None, made.assignee.id if made.assignee else None)


def changed(who: Person, **fields: Any) -> Directory:
    """The directory with one agent's fields changed."""
    agents = (replace(a, **fields) if a.person == who else a for a in DIRECTORY.agents)
    return replace(DIRECTORY, agents=tuple(agents))


# --- whose it is ---------------------------------------------------------------------------------------------


def test_before_the_first_passed_level_there_is_no_owner() -> None:
    assert life(level('owner = "Duty"')).plan(29).owner is None


def test_an_episodes_owner_is_that_of_its_latest_passed_level() -> None:
    found = life(level('owner = "Duty"'), level('owner = "Tier 2"', "2h"))
    owners = []
    for minute in (30, 31, 120, 121):
        found.look(minute)
        episode = found.standing().episode
        assert episode is not None
        owners.append(episode.owner)
    assert owners == [group("Duty"), group("Duty"), group("Tier 2"), group("Tier 2")]


def test_the_tickets_owner_is_that_of_the_latest_passing_of_any_policy() -> None:
    text = policy(level('owner = "Duty"'), AFTER_120) + policy(level('owner = "Tier 2"', "1h"), name="q")
    found = Life(text).customer(0)
    owners = []
    for minute in (30, 60, 120):
        found.look(minute)
        owners.append(found.plan(minute).owner)
    assert owners == [group("Duty"), group("Tier 2"), group("Duty")], (
        "the last note kept Duty, and passed last"
    )


def test_within_one_plan_it_is_that_of_the_first_policy() -> None:
    text = policy(level('owner = "Duty"')) + policy(level('owner = "Tier 2"'), name="q")
    found = Life(text).customer(0)
    found.look(30)
    assert found.plan(30).owner == group("Duty")


def test_the_owner_stays_when_the_episode_has_ended() -> None:
    found = life(level('owner = "Duty"'))
    found.look(30)
    found.change(31, "status", "solved")
    found.look(31)
    assert found.plan(31).owner == group("Duty")


def test_a_change_of_the_owner_is_said_in_the_ledger_once() -> None:
    found = life(level('owner = "Duty"'), level('owner = "Tier 2"', "2h"))
    for minute in (30, 31, 120, 121):
        found.look(minute)
    assert found.lines("owner") == 2


def test_a_level_seen_in_observe_never_changes_the_owner_of_an_enforced_one() -> None:
    enforced = policy(level('owner = "Duty"'))
    observed = policy(level('owner = "Tier 2"', "1h"), name="q", more='mode = "observe"')
    found = Life(enforced + observed).customer(0)
    found.look(30)
    found.look(60)
    assert found.passed("q") == {"one": "observed"}
    assert found.plan(60).owner == group("Duty")


def test_not_even_within_one_policy() -> None:
    levels = (level('owner = "Duty"'), level('owner = "Tier 2"', "2h"))
    found = Life(policy(*levels)).customer(0)
    found.look(30)
    found.under(policy(*levels, more='mode = "observe"')).look(120)
    assert found.passed() == {"one": "fired", "two": "observed"}
    assert found.plan(120).owner == group("Duty")


def test_what_was_observed_is_the_owner_as_long_as_nothing_was_enforced() -> None:
    found = life(level('owner = "Duty"'), more='mode = "observe"')
    found.look(30)
    assert found.plan(30).owner == group("Duty")


# --- `owner` as written --------------------------------------------------------------------------------------


def test_a_group_or_person_by_name() -> None:
    assert owner("Duty") == group("Duty")
    assert owner("dan@acme.test") == person(DAN)
    assert owner("Dan") == person(DAN)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("assignee", person(ANN)),
        ("lead_of(group)", person(ANN)),
        ("lead_of(assignee)", person(ANN)),
        ("manager_of(assignee)", person(CAT)),
        ("on_call(Duty)", person(DAN)),
    ],
)
def test_functions(asked: str, expected: Owner) -> None:
    assert owner(asked, assignee=ANN) == expected


def test_manager_of_owner_is_of_the_episodes_owner_before_this_level() -> None:
    found = life(level('owner = "ann@acme.test"'), level('owner = "manager_of(owner)"', "2h"))
    found.look(30)
    found.look(120)
    assert found.plan(120).owner == person(CAT)


def test_another_policys_owner_is_not_meant() -> None:
    first = policy(level('owner = "ben@acme.test"'))
    second = policy(level('owner = "manager_of(owner)"', "1h"), name="q")
    found = Life(first + second, directory=LED).customer(0)
    found.look(30)
    found.look(60)
    assert found.plan(60).owner == group("Escalations"), "in its own episode nobody was owner before"


def test_inside_a_function_a_group_stands_for_its_lead() -> None:
    found = life(level('owner = "Tier 2"'), level('owner = "manager_of(owner)"', "2h"))
    found.look(30)
    found.look(120)
    assert found.plan(120).owner == person(DAN), "Cat leads Tier 2, and Dan is above Cat"


def test_lead_of_assignee_means_the_tickets_group_if_the_assignee_is_in_it() -> None:
    assert owner("lead_of(assignee)", assignee=CAT, group=TIER2) == person(CAT)
    assert owner("lead_of(assignee)", assignee=CAT, group=DUTY) == person(DAN)


def test_else_their_first_group_by_name() -> None:
    assert owner("lead_of(assignee)", assignee=CAT, group=TIER1) == person(DAN), "Duty comes before Tier 2"


def test_someone_whom_only_the_config_knows_can_be_owner() -> None:
    assert owner("manager_of(assignee)", assignee=BEN) == Owner(name="Zoe", kind="name")


def test_group_and_assignee_are_read_after_the_plans_assignment() -> None:
    assign = 'assign = { group = "Tier 2", agent = "ben@acme.test" }'
    assert owner("assignee", more=assign, assignee=ANN) == person(BEN)
    assert owner("lead_of(group)", more=assign, assignee=ANN) == person(CAT)


def test_the_plans_assignment_may_be_another_policys() -> None:
    first = policy(level('assign = { group = "Duty", agent = "dan@acme.test" }'))
    second = policy(level('owner = "assignee"\nassign = { agent = "ben@acme.test" }'), name="q")
    found = Life(first + second).customer(0)
    found.look(30)
    episode = found.standing("q").episode
    assert episode is not None
    assert episode.owner == person(DAN)


def test_in_observe_they_are_read_after_the_levels_own() -> None:
    first = policy(level('assign = { group = "Duty", agent = "dan@acme.test" }'))
    second = policy(
        level('owner = "assignee"\nassign = { agent = "ben@acme.test" }'), name="q", more='mode = "observe"'
    )
    found = Life(first + second).customer(0)
    found.look(30)
    episode = found.standing("q").episode
    assert episode is not None
    assert episode.owner == person(BEN)


# --- not given -----------------------------------------------------------------------------------------------


def test_not_given_and_the_level_assigns_it_is_the_assignee_after_the_plan() -> None:
    found = life(level('assign = { agent = "ben@acme.test" }'))
    found.look(30)
    assert found.plan(30).owner == person(BEN)


def test_or_the_assignee_who_is_kept() -> None:
    found = life(level('assign = { group = "Tier 2" }')).with_fields(assignee=CAT)
    found.look(30)
    assert found.plan(30).owner == person(CAT)


def test_else_the_group() -> None:
    found = life(level('assign = { group = "Tier 2" }'))
    found.look(30)
    assert found.plan(30).owner == group("Tier 2")


def test_otherwise_the_owner_before() -> None:
    found = life(level('owner = "Duty"'), AFTER_120)
    found.look(30)
    found.look(120)
    assert found.plan(120).owner == group("Duty")


def test_else_default_owner() -> None:
    found = life(level("")).with_fields(assignee=ANN)
    found.look(30)
    assert found.plan(30).owner == group("Escalations"), "without a word the assignee is not asked"
    assert found.plan(30).warnings == ()


def test_without_a_default_owner_in_observe_there_is_an_owner_all_the_same() -> None:
    head = HEAD.replace('default_owner = "Escalations"\nmode = "enforce"', "")
    found = Life(policy(level("")), head).customer(0)
    found.look(30)
    assert found.plan(30).owner == Owner(name="nobody", kind="name")


# --- overtaken owners ----------------------------------------------------------------------------------------


def test_overtaken_owners_are_resolved_in_order_to_answer_owner_in_the_levels_after() -> None:
    found = life(
        level('owner = "ann@acme.test"'),
        level('owner = "manager_of(owner)"', "1h"),
        level('owner = "manager_of(owner)"', "2h"),
    )
    found.look(120)
    assert found.passed() == {"one": "overtaken", "two": "overtaken", "three": "fired"}
    assert found.plan(120).owner == person(DAN), "above Ann is Cat, above Cat is Dan"


def test_only_for_that() -> None:
    found = life(level('owner = "ann@acme.test"'), level('owner = "Duty"', "1h"))
    found.look(60)
    episode = found.standing().episode
    assert episode is not None
    assert [(each.level, each.owner) for each in episode.passed] == [("one", None), ("two", group("Duty"))]


def test_on_the_ticket_as_it_would_be_after_their_own_assign() -> None:
    found = life(
        level('owner = "lead_of(group)"\nassign = { group = "Tier 2" }'),
        level('owner = "manager_of(owner)"', "1h"),
    )
    plan = found.look(60)
    assert not [each for each in plan.wanted if isinstance(each.action, Assign)]
    assert found.plan(60).owner == person(DAN), "Cat would have led, and Dan is above Cat"


# --- unresolved ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        "assignee",
        "lead_of(assignee)",
        "manager_of(assignee)",
        "manager_of(owner)",
        "lead_of(group)",
        "on_call(Tier 1)",
        "Nobody at all",
    ],
)
def test_who_cannot_be_found_is_replaced_by_default_owner_with_a_warning(asked: str) -> None:
    found = life(level(f'owner = "{asked}"'), directory=DIRECTORY)
    plan = found.look(30)
    assert found.plan(30).owner == group("Escalations")
    (warning,) = plan.warnings
    assert warning == f'policy "p": owner "{asked}" leads to nobody; Escalations owns it instead'


# --- assigning a group, a person -----------------------------------------------------------------------------


def test_assigning_a_group_alone_keeps_the_assignee_if_a_member_of_it() -> None:
    text = level('assign = { group = "Tier 2" }')
    assert target(life(text).with_fields(assignee=CAT).plan(30)) == ("Tier 2", "cat")


def test_else_none() -> None:
    text = level('assign = { group = "Tier 2" }')
    assert target(life(text).with_fields(assignee=ANN).plan(30)) == ("Tier 2", None)


def test_a_person_alone_keeps_the_group_if_they_are_in_it() -> None:
    text = level('assign = { agent = "cat@acme.test" }')
    assert target(life(text).with_fields(group=DUTY).plan(30)) == ("Duty", "cat")


def test_else_their_default_group() -> None:
    text = level('assign = { agent = "cat@acme.test" }')
    assert target(life(text).with_fields(group=TIER1).plan(30)) == ("Tier 2", "cat")


def test_a_person_and_a_group_are_taken_as_said() -> None:
    text = level('assign = { group = "Duty", agent = "cat@acme.test" }')
    assert target(life(text).plan(30)) == ("Duty", "cat")


def test_an_assignment_that_the_ticket_has_already_is_not_written() -> None:
    plan = assigned("ben@acme.test", group=TIER2, assignee=BEN)
    assert [each.action.kind for each in plan.wanted] == ["say"]


@pytest.mark.parametrize("spec", ['group = "Tier 9"', 'agent = "zed@acme.test"'])
def test_what_the_directory_does_not_know_is_left_out_and_said(spec: str) -> None:
    plan = life(level(f"assign = {{ {spec} }}")).plan(30)
    assert [each.action.kind for each in plan.wanted] == ["say"]
    assert [each.what for each in plan.left_out] == ["assign"]
    assert len(plan.warnings) >= 1


# --- round_robin and least_loaded ----------------------------------------------------------------------------


def loads(**by_name: int | None) -> Directory:
    """The directory with these open loads."""
    agents = (replace(a, open_load=by_name.get(a.person.id, a.open_load)) for a in DIRECTORY.agents)
    return replace(DIRECTORY, agents=tuple(agents))


def served(**by_name: int) -> Directory:
    """The directory with the minutes at which round robin last served whom in Tier 2."""
    return replace(DIRECTORY, served={("g2", name): minute for name, minute in by_name.items()})


def test_least_loaded_is_the_member_with_the_least_open_load() -> None:
    assert target(assigned("least_loaded", loads(ann=0, ben=5, cat=4))) == ("Tier 2", "cat")


def test_of_equals_the_first_by_address() -> None:
    assert target(assigned("least_loaded", loads(ben=4, cat=4))) == ("Tier 2", "ben")


def test_a_load_that_is_not_known_comes_last() -> None:
    assert target(assigned("least_loaded", loads(ben=None, cat=40))) == ("Tier 2", "cat")


def test_round_robin_is_whom_it_served_longest_ago_in_that_group() -> None:
    assert target(assigned("round_robin", served(ben=5, cat=9))) == ("Tier 2", "ben")
    assert target(assigned("round_robin", served(ben=9, cat=5))) == ("Tier 2", "cat")


def test_never_comes_first_and_ties_go_by_address() -> None:
    assert target(assigned("round_robin", served(ben=5))) == ("Tier 2", "cat")
    assert target(assigned("round_robin", served())) == ("Tier 2", "ben")
    elsewhere = replace(DIRECTORY, served={("g3", "cat"): 1, ("g2", "ben"): 9})
    assert target(assigned("round_robin", elsewhere)) == ("Tier 2", "cat")


def test_a_plan_says_whose_turn_it_uses_up() -> None:
    assert assigned("round_robin").served == (("g2", "ben"),)
    assert assigned("least_loaded").served == ()
    assert assigned("ben@acme.test").served == ()


def test_observe_does_not_move_the_turn() -> None:
    text = level('assign = { group = "Tier 2", agent = "round_robin" }')
    assert life(text, more='mode = "observe"').plan(30).served == ()


def test_whoever_keeps_the_ticket_uses_up_no_turn() -> None:
    plan = assigned("round_robin", served(cat=9), assignee=CAT, group=TIER1)
    assert (target(plan), plan.served) == (("Tier 2", "cat"), ())


@pytest.mark.parametrize("strategy", ["round_robin", "least_loaded"])
def test_away_or_inactive_people_are_excluded(strategy: str) -> None:
    assert target(assigned(strategy, changed(BEN, available=False))) == ("Tier 2", "cat")
    assert target(assigned(strategy, changed(BEN, active=False))) == ("Tier 2", "cat")
    assert target(assigned(strategy, changed(BEN, available=None))) == ("Tier 2", "ben")


@pytest.mark.parametrize("strategy", ["round_robin", "least_loaded"])
def test_a_present_available_assignee_of_the_group_keeps_the_ticket(strategy: str) -> None:
    assert target(assigned(strategy, loads(ben=0, cat=9), assignee=CAT)) == ("Tier 2", "cat")
    assert target(assigned(strategy, changed(CAT, available=False), assignee=CAT)) == ("Tier 2", "ben")
    assert target(assigned(strategy, assignee=ANN)) == ("Tier 2", "ben")


@pytest.mark.parametrize("strategy", ["round_robin", "least_loaded"])
def test_except_on_assignee_silent_where_the_present_assignee_is_excluded(strategy: str) -> None:
    assert target(assigned(strategy, clock="assignee_silent", assignee=BEN)) == ("Tier 2", "cat")
    alone = replace(DIRECTORY, agents=tuple(a for a in DIRECTORY.agents if a.person != CAT))
    assert target(assigned(strategy, alone, clock="assignee_silent", assignee=BEN)) == ("Tier 2", None)


@pytest.mark.parametrize("strategy", ["round_robin", "least_loaded"])
def test_nobody_available_the_group_unassigned_and_said(strategy: str) -> None:
    away = tuple(replace(each, available=False) for each in DIRECTORY.agents)
    plan = assigned(strategy, replace(DIRECTORY, agents=away))
    assert target(plan) == ("Tier 2", None)
    assert plan.warnings == ('policy "p", level "one": nobody in Tier 2 is available; nobody is assigned',)


def test_a_strategy_without_a_group_picks_in_the_tickets_own() -> None:
    text = level('assign = { agent = "least_loaded" }')
    assert target(life(text).with_fields(group=TIER2).plan(30)) == ("Tier 2", "ben")
    plan = life(text).with_fields(group=None).plan(30)
    assert [each.what for each in plan.left_out] == ["assign"]


# --- on_call and people by name ------------------------------------------------------------------------------

CALLED = replace(DIRECTORY, on_call={"Tier 2": "ann@acme.test"})


@pytest.mark.parametrize("clock", ["created", "assignee_silent"])
def test_on_call_and_a_named_person_are_taken_as_said(clock: str) -> None:
    held: dict[str, Any] = {"clock": clock, "assignee": ANN}
    assert target(assigned("on_call", CALLED, **held)) == ("Tier 2", "ann"), "member or not, silent or not"
    assert target(assigned("ann@acme.test", **held)) == ("Tier 2", "ann")
    assert target(assigned("Ann", **held)) == ("Tier 2", "ann")


@pytest.mark.parametrize("away", [{"available": False}, {"active": False}])
@pytest.mark.parametrize("agent", ["on_call", "ann@acme.test"])
def test_unless_away_then_nobody_is_available(agent: str, away: dict[str, bool]) -> None:
    directory = replace(changed(ANN, **away), on_call=CALLED.on_call)
    plan = assigned(agent, directory, assignee=BEN)
    assert target(plan) == ("Tier 2", None)
    (warning,) = plan.warnings
    assert "is away; nobody is assigned" in warning


def test_nobody_on_call_is_nobody_available() -> None:
    plan = assigned("on_call", assignee=BEN)
    assert target(plan) == ("Tier 2", None)
    assert "nobody is on call for Tier 2" in plan.warnings[0]


def test_a_person_alone_who_is_away_leaves_their_group_unassigned() -> None:
    text = level('assign = { agent = "ben@acme.test" }')
    plan = life(text, directory=changed(BEN, available=False)).with_fields(assignee=ANN).plan(30)
    assert target(plan) == ("Tier 2", None)


def test_an_agent_without_an_address_goes_by_name() -> None:
    nameless = Agent(person=Person(id="eve", name="Eve"), groups=frozenset({"g2"}), default_group="g2")
    directory = replace(DIRECTORY, agents=(*DIRECTORY.agents, nameless))
    assert target(assigned("Eve", directory)) == ("Tier 2", "eve")


# --- actions -------------------------------------------------------------------------------------------------


CHANNEL = "[channels.leads]\nurl = 'secret:leads'\n"


def test_the_actions_are_these() -> None:
    head = HEAD + CHANNEL + "[accounts.acme.fields]\ntier = 1\n[accounts.other.fields]\ntier = 1\n"
    every = """assign = { group = "Tier 2" }
priority = { at_least = "urgent" }
tags = ["a"]
untag = ["b"]
set = { custom.tier = 2 }
reply = "handoff"
follow = ["dan@acme.test"]
notify = ["leads"]"""
    found = Life(policy(level(every)), head).customer(0).with_fields(tags=frozenset({"b"}))
    kinds = [each.action.kind for each in found.look(30).wanted]
    assert kinds == ["assign", "priority", "tags", "set", "follow", "say", "say", "notify"]


def test_a_follower_whom_the_directory_does_not_know_is_left_out_with_a_warning() -> None:
    plan = life(level('follow = ["zed@acme.test", "dan@acme.test"]')).plan(30)
    assert [each.action.person for each in plan.wanted if isinstance(each.action, Follow)] == [DAN]
    assert plan.warnings == ('level "one": follower "zed@acme.test" leads to nobody in the directory',)


def test_a_priority_that_is_high_enough_is_left() -> None:
    plan = life(level('priority = { at_least = "low" }')).says(1, Who.AGENT, "ann").plan(30)
    assert [each.action.kind for each in plan.wanted] == ["say"]
