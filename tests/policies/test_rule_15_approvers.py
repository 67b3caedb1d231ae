"""Who approves a level, and what becomes of it where nobody does in time (rule 15)."""

from dataclasses import replace

import pytest

from policies.language.document import Document, read
from policies.language.parse import parse
from policies.model import Order
from policies.plan import Assign, Notify, Plan, Say
from policies.present.explain import explain, traced
from tests.policies.lives import DIRECTORY, HEAD, Life, at, policy

FULL = (
    HEAD + '[channels.leads]\nurl = "secret:leads"\n[people."dan@acme.test"]\nsubstitute = "cat@acme.test"\n'
)
AFTER = 'after = "30m"\nassign = { group = "Tier 2" }\n'


def refund(approval: str, after: str = AFTER, more: str = "") -> Life:
    """A ticket whose level asks for approval after half an hour."""
    text = policy(f"{after}approval = {{ {approval} }}", more=more)
    return Life(text, head=FULL, directory=replace(DIRECTORY, substitutes={"dan@acme.test": "cat@acme.test"}))


def order(verb: str, who: str, minutes: float, *, admin: bool = False, reason: str = "") -> Order:
    return Order(verb=verb, who=who, at=at(minutes), admin=admin, reason=reason)  # type: ignore[arg-type]


def said(plan: Plan) -> list[tuple[str, str]]:
    """What is said, and to whom."""
    return [
        ("note" if isinstance(each.action, Say) else each.action.channel, each.action.owner)
        for each in plan.wanted
        if isinstance(each.action, Say | Notify)
    ]


def assigns(plan: Plan) -> bool:
    return any(isinstance(each.action, Assign) for each in plan.wanted)


DAN = 'owner = "dan@acme.test", note = "handoff"'


# --- who -----------------------------------------------------------------------------------------------------------


def test_who_decides_is_asked_by_name() -> None:
    assert said(refund(DAN).look(30)) == [("note", "dan@acme.test")]


@pytest.mark.parametrize("who", ["dan@acme.test", "Dan", "DAN@ACME.TEST", "cat@acme.test"])
def test_they_and_who_stands_in_for_them_approve(who: str) -> None:
    life = refund(DAN)
    life.look(30)
    assert assigns(life.look(31, orders=(order("approve", who, 31),)))


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_nobody_else_does(verb: str) -> None:
    life = refund(DAN)
    life.look(30)
    plan = life.look(31, orders=(order(verb, "ann@acme.test", 31),))
    assert not assigns(plan)
    assert [each.text for each in plan.occurrences if each.what == "order refused"] == [
        (
            f"{verb} by ann@acme.test; dan@acme.test was asked: they, who stands in for them, or an admin with a "
            f"reason can {verb} it"
        )
    ]
    assert assigns(life.look(32, orders=(order("approve", "dan@acme.test", 32),))), "it still waits"


@pytest.mark.parametrize(("reason", "does"), [("Dan is ill", True), ("", False)])
def test_an_admin_does_with_a_reason(reason: str, does: bool) -> None:
    life = refund(DAN)
    life.look(30)
    assert assigns(life.look(31, orders=(order("approve", "root", 31, admin=True, reason=reason),))) is does


def test_of_a_group_each_of_its_people_does() -> None:
    life = refund('owner = "Duty"')
    life.look(30)
    assert assigns(life.look(31, orders=(order("approve", "cat@acme.test", 31),)))


def test_a_level_that_is_ordered_asks_first_and_not_who_ordered_it() -> None:
    life = refund(DAN)
    plan = life.look(1, orders=(order("escalate", "dan@acme.test", 1),))
    assert (said(plan), assigns(plan)) == ([("note", "dan@acme.test")], False)
    own = order("approve", "dan@acme.test", 2, admin=True, reason="I know")
    assert not assigns(life.look(2, orders=(own,)))
    assert assigns(life.look(3, orders=(order("approve", "cat@acme.test", 3),)))
    assert life.fired() == ["one"]


def test_without_a_named_one_everybody_does_and_an_order_needs_no_approval() -> None:
    life = refund('note = "handoff"')
    life.look(30)
    assert assigns(life.look(31, orders=(order("approve", "ann@acme.test", 31),)))
    assert assigns(refund('note = "handoff"').look(1, orders=(order("escalate", "ann@acme.test", 1),)))


# --- until when ------------------------------------------------------------------------------------------------------


def test_what_nobody_approves_in_time_is_rejected_and_the_default_owner_told() -> None:
    life = refund(f'{DAN}, notify = ["leads"], within = "2h"')
    assert life.look(30).next_look == at(150)
    assert life.look(149).wanted == ()
    plan = life.look(150)
    assert said(plan) == [("note", "Escalations"), ("leads", "Escalations")]
    assert (life.passed(), assigns(plan)) == ({"one": "rejected"}, False)
    (line,) = [each for each in plan.occurrences if each.what == "rejected"]
    assert (line.who, line.owner, line.text) == ("uptier", "Escalations", "nobody approved it within 2h")
    assert life.look(151).wanted == ()


def test_a_telling_that_was_stale_is_told_again() -> None:
    life = refund(f'{DAN}, within = "2h"')
    life.look(30)
    life.look(150, result="stale")
    assert said(life.look(151)) == [("note", "Escalations")]
    assert life.look(152).wanted == ()


def test_it_may_fire_instead() -> None:
    life = refund(f'{DAN}, within = "2h", then = "fire"')
    life.look(30)
    assert not assigns(life.look(149))
    assert assigns(life.look(150))
    assert life.fired() == ["one"]


def test_or_another_is_asked_once_and_then_it_is_rejected() -> None:
    life = refund(f'{DAN}, within = "2h", then = {{ owner = "ben@acme.test" }}')
    life.look(30)
    assert said(life.look(150)) == [("note", "ben@acme.test")]
    refused = life.look(151, orders=(order("approve", "dan@acme.test", 151),))
    assert not assigns(refused)
    assert life.look(269).wanted == ()
    assert said(life.look(270)) == [("note", "Escalations")]
    assert life.passed() == {"one": "rejected"}


def test_the_other_one_approves() -> None:
    life = refund(f'{DAN}, within = "2h", then = {{ owner = "ben@acme.test" }}')
    life.look(30)
    life.look(150)
    assert assigns(life.look(160, orders=(order("approve", "ben@acme.test", 160),)))


def test_a_stale_second_question_is_asked_again() -> None:
    life = refund(f'{DAN}, within = "2h", then = {{ owner = "ben@acme.test" }}')
    life.look(30)
    life.look(150, result="stale")
    assert said(life.look(151)) == [("note", "ben@acme.test")]


def test_it_counts_on_the_policys_calendar_from_the_asking() -> None:
    life = refund(
        f'{DAN}, within = "2h"',
        after='after = "8h"\nassign = { group = "Tier 2" }\n',
        more='calendar = "office"',
    )
    assert life.look(17 * 60).next_look == at(24 * 60 + 11 * 60)


def test_while_a_ticket_is_snoozed_the_time_runs_and_nothing_comes_of_it() -> None:
    life = refund(f'{DAN}, within = "2h"')
    life.look(30)
    life.look(40, orders=(Order(verb="snooze", who="ann", at=at(40), until=at(300)),))
    assert life.look(200).wanted == ()
    assert said(life.look(300)) == [("note", "Escalations")]


def test_in_observe_it_is_passed_over_without_a_word_to_anybody() -> None:
    life = refund(f'{DAN}, within = "2h"', more='mode = "observe"')
    life.look(30)
    assert life.look(150).wanted == ()
    assert life.passed() == {"one": "rejected"}


def test_explain_says_who_decides_until_when_and_what_then() -> None:
    life = refund(f'{DAN}, within = "2h"')
    life.look(30)
    told = explain(traced(life.plan(31)))
    assert "dan@acme.test decides until 2026-09-28 02:30 UTC, else it is rejected" in told


# --- what check says -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approval", "code"),
    [
        ('then = "fire"', "no-within"),
        ('within = "2h", then = "shrug"', "unknown-value"),
        ('within = "2h", then = { group = "Duty" }', "unknown-key"),
        ('within = "0m"', "out-of-range"),
        ('owner = "boss_of(group)"', "unknown-function"),
    ],
)
def test_what_cannot_be_meant_is_refused(approval: str, code: str) -> None:
    document = read("uptier.toml", FULL + policy(f"{AFTER}approval = {{ {approval} }}"))
    assert isinstance(document, Document)
    assert code in {each.code for each in parse([document]).problems if each.severity == "error"}
