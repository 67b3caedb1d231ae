"""Rule 6: several policies in one plan. File order decides, and files are read in name order."""

from typing import Any

import pytest

from policies import evaluate as engine
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.model import Priority
from policies.plan import Assign, ChangeTags, Follow, Plan, RaisePriority, Say, SetField
from policies.present import explain
from policies.present.explain import traced
from policies.rules import judgement
from tests.policies.lives import AFTER_120, HEAD, Life, policy

FIELDS = HEAD + "[accounts.acme.fields]\ntier = 1\nteam = 2\n[accounts.other.fields]\ntier = 1\nteam = 2\n"


def level(actions: str, after: str = "30m") -> str:
    """A level with these actions."""
    return f'after = "{after}"\n{actions}'


def pair(first: str, second: str, head: str = FIELDS, mode: str = "enforce") -> Life:
    """Two policies on one ticket, `p` before `q`, both due after 30 minutes."""
    text = policy(level(first), AFTER_120) + policy(
        level(second), AFTER_120, name="q", more=f'mode = "{mode}"'
    )
    return Life(text, head).customer(0)


def actions(plan: Plan, kind: type) -> list[Any]:
    """The actions of one kind."""
    return [each.action for each in plan.wanted if isinstance(each.action, kind)]


def lost(plan: Plan) -> list[tuple[str, str]]:
    """What was overruled, and whose it was."""
    return [(each.policy, each.what) for each in plan.left_out]


# --- order ---------------------------------------------------------------------------------------------------


def test_policies_stand_in_file_order() -> None:
    assert [each.policy for each in traced(pair("tags = ['a']", "tags = ['b']").plan(30))] == ["p", "q"]


def test_files_are_read_in_the_order_given_the_main_one_first() -> None:
    documents = [
        read("uptier.toml", HEAD + policy(name="main")),
        read("policies.d/10.toml", policy(name="ten")),
        read("policies.d/20.toml", policy(name="twenty")),
    ]
    parsed = parse([each for each in documents if isinstance(each, Document)])
    assert parsed.policies is not None
    assert [each.name for each in parsed.policies.policies] == ["main", "ten", "twenty"]


def test_a_plan_is_made_from_one_snapshot() -> None:
    text = policy(level("tags = ['l1']")) + policy(
        level("tags = ['l2']"), name="q", when='tags = { has = "l1" }'
    )
    life = Life(text).customer(0)
    (wanted,) = life.look(30).wanted
    assert wanted.action == ChangeTags(add=frozenset({"l1"}))


def test_our_own_writes_wake_the_ticket_again_for_the_others() -> None:
    text = policy(level("tags = ['l1']")) + policy(
        level("tags = ['l2']"), name="q", when='tags = { has = "l1" }'
    )
    life = Life(text).customer(0)
    life.look(30)
    life.look(30)
    assert life.ticket.tags == {"l1", "l2"}


# --- assignment and fields -----------------------------------------------------------------------------------


def test_of_the_whole_assignment_the_first_policy_wins_and_a_different_one_is_overruled() -> None:
    life = pair('assign = { group = "Tier 2" }', 'assign = { group = "Duty", agent = "dan@acme.test" }')
    plan = life.look(30)
    (assign,) = actions(plan, Assign)
    assert (assign.group.name, assign.assignee) == ("Tier 2", None)
    assert lost(plan) == [("q", "assign")]
    assert ("overruled", "q", "one") in life.ledger


def test_the_same_assignment_is_shared() -> None:
    plan = pair('assign = { group = "Tier 2" }', 'assign = { group = "Tier 2" }').look(30)
    (wanted,) = [each for each in plan.wanted if isinstance(each.action, Assign)]
    assert (len(wanted.episodes), lost(plan)) == (2, [])


def test_what_is_overruled_has_fired() -> None:
    life = pair('assign = { group = "Tier 2" }', 'assign = { group = "Duty" }')
    life.look(30)
    assert life.fired("q") == ["one"]


def test_its_episode_is_then_judged_on_the_ticket_as_the_winner_left_it() -> None:
    text = policy(level('assign = { group = "Tier 2" }'), AFTER_120)
    text += policy(level('assign = { group = "Duty" }'), AFTER_120, name="q", when='group = "Tier 1"')
    life = Life(text).customer(0)
    life.look(30)
    life.look(31)
    assert life.reasons() == ["when"], "the group is a real change to the one that lost"


def test_each_set_field_is_decided_for_itself() -> None:
    life = pair("set = { custom.tier = 2 }", "set = { custom.tier = 3, custom.team = 7 }")
    plan = life.look(30)
    assert [(each.field, each.value) for each in actions(plan, SetField)] == [
        ("custom.tier", 2),
        ("custom.team", 7),
    ]
    assert lost(plan) == [("q", "set custom.tier")]


def test_the_same_value_is_shared() -> None:
    plan = pair("set = { custom.tier = 2 }", "set = { custom.tier = 2 }").look(30)
    ((wanted,), left_out) = plan.wanted, plan.left_out
    assert (len(wanted.episodes), left_out) == (2, ())


# --- what adds up --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [("normal", "urgent"), ("urgent", "normal")])
def test_of_priorities_the_maximum(first: str, second: str) -> None:
    plan = pair(f'priority = {{ at_least = "{first}" }}', f'priority = {{ at_least = "{second}" }}').look(30)
    assert actions(plan, RaisePriority) == [RaisePriority(at_least=Priority.URGENT)]
    assert lost(plan) == []


def test_of_tags_the_union_and_add_beats_remove() -> None:
    life = pair("tags = ['a']\nuntag = ['b', 'c']", "tags = ['b']\nuntag = ['a']")
    life.with_fields(tags=frozenset({"c"}))
    assert actions(life.look(30), ChangeTags) == [
        ChangeTags(add=frozenset({"a", "b"}), remove=frozenset({"c"}))
    ]


def test_notes_of_all_policies_stand_in_one_plan_in_their_order() -> None:
    plan = pair('note = "handoff"', 'note = "handoff"').look(30)
    assert [each.policy for each in actions(plan, Say)] == ["p", "q"]


def test_of_followers_the_union() -> None:
    plan = pair("follow = ['ann@acme.test', 'ben@acme.test']", "follow = ['ben@acme.test']").look(30)
    assert [each.person.id for each in actions(plan, Follow)] == ["ann", "ben"]


def test_at_most_one_public_reply_the_first_policys_and_a_dropped_one_is_overruled() -> None:
    life = pair('reply = "handoff"', 'reply = "handoff"\nnote = "handoff"')
    plan = life.look(30)
    assert [(each.policy, each.public) for each in actions(plan, Say)] == [("p", True), ("q", False)]
    assert lost(plan) == [("q", "reply")]


def test_a_reply_is_kept_where_the_first_policy_has_none() -> None:
    plan = pair('note = "handoff"', 'reply = "handoff"').look(30)
    assert [(each.policy, each.public) for each in actions(plan, Say)] == [("p", False), ("q", True)]


# --- set, modes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["group", "assignee", "priority", "tags", "status", "subject"])
def test_set_takes_only_fields_without_an_action_of_their_own(name: str) -> None:
    with pytest.raises(AssertionError, match="not-settable"):
        Life(policy(level(f'set = {{ {name} = "x" }}')))


def test_only_enforced_policies_compete() -> None:
    observed = policy(level('assign = { group = "Tier 2" }'), more='mode = "observe"')
    life = Life(observed + policy(level('assign = { group = "Duty" }'), name="q")).customer(0)
    plan = life.look(30)
    assert [each.group.name for each in actions(plan, Assign)] == ["Duty"]
    assert plan.left_out == ()
    assert life.passed() == {"one": "observed"}


def test_a_policy_that_has_nothing_due_does_not_compete() -> None:
    text = policy(level('assign = { group = "Tier 2" }', "2h"))
    life = Life(text + policy(level("assign = { group = 'Duty' }"), name="q")).customer(0)
    assert [each.group.name for each in actions(life.look(30), Assign)] == ["Duty"]


# --- a policy that raises ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    ["observe", "advance", "decide", "propose", "next_owner", "spoken", "next_state", "next_time"],
)
def test_a_policy_that_raises_is_taken_out_said_by_name_and_the_others_work(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = pair('note = "handoff"', 'tags = ["q"]')
    life.look(10)
    monkeypatch.setattr(engine, place, broken_for("p", getattr(engine, place)))
    before = life.standing("p")
    plan = life.look(30)
    assert [(each.policy, each.error) for each in plan.failed] == [
        ("p", "ZeroDivisionError: nobody thought of this")
    ]
    assert any('policy "p" failed' in each for each in plan.warnings)
    assert life.fired("q") == ["one"]
    assert life.standing("p") == before
    assert plan.next_look is not None
    monkeypatch.undo()
    life.look(31)
    assert life.fired("p") == ["one"]


@pytest.mark.parametrize("place", ["cause_of", "next_step"])
def test_words_that_fail_keep_no_level_from_firing(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    life = pair('note = "handoff"', 'note = "handoff"')
    life.look(10)
    monkeypatch.setattr(explain, place, broken_for("p", getattr(explain, place)))
    plan = life.look(30)
    assert [life.fired("p"), life.fired("q")] == [["one"], ["one"]]
    ours, theirs = actions(plan, Say)
    assert "nobody thought of this" in str([ours.reasons, life.standing("p").episode])
    assert "nobody thought of this" not in str([theirs.reasons, life.standing("q").episode])


def test_a_trace_that_fails_keeps_nobody_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = pair('note = "handoff"', 'tags = ["q"]').plan(30)
    monkeypatch.setattr(judgement, "judgement_of", broken_for("p", judgement.judgement_of))
    first, second = traced(plan)
    assert first.verdict == "cannot be explained: ZeroDivisionError: nobody thought of this"
    assert second.verdict == 'fires level "one"'


def broken_for(policy: str, real: Any) -> Any:
    """The function, which raises for this policy."""

    def broken(*given: Any, **more: Any) -> Any:
        if any(name_of(each) == policy for each in given):
            raise ZeroDivisionError("nobody thought of this")
        return real(*given, **more)

    return broken


def name_of(given: Any) -> str:
    """The policy that one of the engine's values belongs to."""
    for path in ((), ("seen",), ("decision", "seen")):
        found = given
        for name in path:
            found = getattr(found, name, None)
        policy_of = getattr(found, "policy", found)
        name = policy_of if isinstance(policy_of, str) else getattr(policy_of, "name", "")
        if isinstance(name, str) and name in ("p", "q"):
            return name
    return ""
