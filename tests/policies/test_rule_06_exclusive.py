"""An exclusive policy (rule 6): while it runs, no other replies, assigns or sets fields on the ticket."""

import pytest

from policies.plan import Assign, Plan, Say
from tests.policies.lives import AFTER_120, HEAD, Life, policy

SECURITY = 'after = "10m"\nowner = "Duty"\nassign = { group = "Duty" }\nnote = "handoff"'
LOUD = (
    'after = "30m"\nassign = { group = "Tier 2" }\nset = { custom.tier = 2 }\nreply = "handoff"\n'
    'note = "handoff"\ntags = ["l1"]\npriority = { at_least = "urgent" }'
)
FULL = HEAD.replace("[accounts.acme]", '[accounts.acme]\nfields = { tier = "1" }').replace(
    "[accounts.other]", '[accounts.other]\nfields = { tier = "1" }'
)


def security(
    name: str = "security", more: str = "exclusive = true", when: str = 'tags = { has = "breach" }'
) -> str:
    return policy(SECURITY, name=name, when=when, more=more)


def life(*texts: str, **fields: object) -> Life:
    """A ticket on which these policies live."""
    return Life("".join(texts), head=FULL).with_fields(tags=frozenset({"breach"}), **fields)


def kinds(plan: Plan) -> set[str]:
    """What the plan does, in words; a reply and a note apart."""
    says = {"reply" if each.action.public else "note" for each in plan.wanted if isinstance(each.action, Say)}
    return says | {each.action.kind for each in plan.wanted if not isinstance(each.action, Say)}


def lost(plan: Plan) -> list[tuple[str, str]]:
    return [(each.policy, each.what) for each in plan.left_out]


@pytest.mark.parametrize("first", [True, False], ids=["before it", "behind it"])
def test_wherever_it_stands_no_other_replies_assigns_or_sets_fields(first: bool) -> None:
    other = policy(LOUD, name="q")
    one = life(*((security(), other) if first else (other, security())))
    one.look(10)
    plan = one.look(30)
    assert kinds(plan) == {"note", "tags", "priority"}
    assert lost(plan) == [("q", "set custom.tier"), ("q", "assign"), ("q", "reply")]
    assert one.fired("q") == ["one"], "it has fired, without those parts"
    assert [each for each in one.ledger if each[0] == "overruled"] == [("overruled", "q", "one")] * 3


def test_it_silences_from_the_plan_in_which_it_begins_before_any_level_of_it_is_due() -> None:
    late = policy(AFTER_120, name="security", when='tags = { has = "breach" }', more="exclusive = true")
    plan = life(policy(LOUD, name="q"), late).look(30)
    assert kinds(plan) == {"note", "tags", "priority"}


def test_without_it_the_same_plan_does_all() -> None:
    plan = life(policy(LOUD, name="q"), security(more="")).look(30)
    assert {"reply", "set", "assign"} <= kinds(plan)


def test_once_it_has_ended_the_others_act_again() -> None:
    one = life(security(), policy(LOUD, AFTER_120.replace("note", "reply"), name="q"))
    one.look(30)
    one.with_fields(tags=frozenset())
    assert "reply" in kinds(one.look(120))


def test_of_several_the_first_in_the_file_is_the_one() -> None:
    two = security(name="legal").replace("Duty", "Tier 2")
    plan = life(security(), two).look(10)
    (assign,) = (each.action for each in plan.wanted if isinstance(each.action, Assign))
    assert assign.group is not None
    assert assign.group.name == "Duty"
    assert lost(plan) == [("legal", "assign")]


def test_in_observe_it_silences_nobody_and_says_what_it_would() -> None:
    one = life(security(more='exclusive = true\nmode = "observe"'), policy(LOUD, name="q"))
    plan = one.look(30)
    assert {"reply", "set", "assign"} <= kinds(plan)
    assert [each.text for each in plan.occurrences if each.what == "would overrule"] == [
        'reply of policy "q", level "one"',
        'assign of policy "q", level "one"',
        'set of policy "q", level "one"',
    ]


def test_a_policy_that_could_not_be_judged_still_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    import policies.evaluate as module

    one = life(security(), policy(LOUD, name="q"))
    one.look(10)
    whole = module.observe

    def broken(scene, policy, before):  # type: ignore[no-untyped-def]
        if policy.name == "security":
            raise RuntimeError("broken")
        return whole(scene, policy, before)

    monkeypatch.setattr(module, "observe", broken)
    plan = one.look(30)
    assert plan.failed
    assert kinds(plan) == {"note", "tags", "priority"}
