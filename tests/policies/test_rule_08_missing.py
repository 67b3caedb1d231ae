"""Rule 8: missing values, and what the helpdesk does not show."""

from dataclasses import replace
from typing import Any

import pytest

from policies.evaluate import could_matter
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.model import Counts, Priority, Status
from policies.plan import Assign, RaisePriority
from policies.present.explain import explain, traced
from policies.rules.observe import reads_of, verdict_of
from tests.policies.lives import AFTER_30, AFTER_120, BEN, CLEO, HEAD, NEWBORN, TIER2, Life, at, policy, rules

FIELDS = HEAD + "[accounts.acme.fields]\ntier = 1\n[accounts.other.fields]\ntier = 1\n"


def holds(line: str, **fields: Any) -> bool:
    """Whether a line holds on a ticket with these fields."""
    (found,) = rules(policy(when=line), FIELDS).policies
    return verdict_of(found, replace(NEWBORN, status=Status.OPEN, **fields)).holds


def warnings(text: str) -> list[str]:
    """The codes of what `check` warns about."""
    document = read("uptier.toml", FIELDS + text)
    assert isinstance(document, Document)
    return [each.code for each in parse([document]).problems if each.severity == "warning"]


@pytest.mark.parametrize(
    "line",
    [
        'priority = "high"',
        'priority = ["high", "low"]',
        'priority = { not = "high" }',
        'priority = { in = ["high"] }',
        'priority = { not_in = ["high"] }',
        'priority = { at_least = "low" }',
        'priority = { at_most = "urgent" }',
        "priority = { known = true }",
    ],
)
def test_a_missing_value_matches_no_operator_not_and_not_in_included(line: str) -> None:
    assert not holds(line, priority=None)


@pytest.mark.parametrize(
    "line",
    [
        "replies = 0",
        "replies = { not = 1 }",
        "replies = { not_in = [1] }",
        "replies = { at_least = 0 }",
        "replies = { at_most = 9 }",
        "replies = { over = -1 }",
        "replies = { under = 9 }",
    ],
)
def test_neither_does_a_number_that_the_helpdesk_does_not_tell(line: str) -> None:
    assert not holds(line, counts=Counts())
    assert holds("replies = { known = false }", counts=Counts())


@pytest.mark.parametrize(
    "line",
    [
        'subject = { not = "a" }',
        'subject = { not_in = ["a"] }',
        'subject = { contains = "a" }',
        'subject = { matches = "" }',
        "subject = { known = true }",
    ],
)
def test_an_empty_text_is_a_missing_value(line: str) -> None:
    if 'matches = ""' in line:
        line = 'subject = { matches = ".*" }'
    assert not holds(line, subject="")
    assert holds("subject = { known = false }", subject="")


def test_known_false_asks_for_a_missing_value() -> None:
    assert holds("priority = { known = false }", priority=None)
    assert not holds("priority = { known = false }", priority=Priority.LOW)
    assert holds("assignee = { known = false }", assignee=None)
    assert holds("custom.tier = { known = false }", custom={})
    assert holds("custom.tier = { known = false }", custom={"tier": ""})
    assert not holds("custom.tier = { known = false }", custom={"tier": 0})


def test_a_list_is_never_missing() -> None:
    assert holds('tags = { lacks = "a" }', tags=frozenset())
    assert holds('requester.tags = { lacks = "a" }', requester=None)
    assert holds('custom.tier = { lacks = "a" }', custom={})
    with pytest.raises(AssertionError, match="wrong-operator"):
        holds("tags = { known = false }")


def test_a_yes_or_no_of_nobody_is_missing() -> None:
    assert not holds("requester.vip = false", requester=None)
    assert holds("requester.vip = { known = false }", requester=None)
    assert not holds("requester.vip = { known = false }", requester=CLEO)


def test_no_priority_ranks_lowest_for_at_least_as_an_action() -> None:
    life = Life(policy('after = "30m"\npriority = { at_least = "low" }')).customer(0)
    life.change(1, "priority", None)
    plan = life.look(30)
    assert [each.action for each in plan.wanted] == [RaisePriority(at_least=Priority.LOW)]
    assert life.ticket.priority is Priority.LOW


@pytest.mark.parametrize("name", ["priority", "type", "channel", "assignee", "group", "organization"])
@pytest.mark.parametrize("operator", ["{ not = %s }", "{ not_in = [%s] }"])
def test_check_warns_on_a_negation_of_a_nullable_field(name: str, operator: str) -> None:
    value = '"low"' if name == "priority" else '"a"'
    assert warnings(policy(when=f"{name} = {operator % value}")) == ["nullable-negation"]


def test_check_warns_of_a_custom_field_too_and_in_unless() -> None:
    assert warnings(policy(when="custom.tier = { not = 2 }")) == ["nullable-negation"]
    assert warnings(policy(unless="custom.tier = { not = 2 }")) == ["nullable-negation"]


def test_check_does_not_warn_where_a_value_is_always_there() -> None:
    assert warnings(policy(when='status = { not = "new" }')) == []
    assert warnings(policy(when='priority = "low"')) == []


# --- what the helpdesk does not show is unknown, not missing -------------------------------------------------


def hidden(text: str, *names: str) -> Life:
    """A ticket that a customer wrote, of which the helpdesk does not show this."""
    return Life(text).customer(0).with_fields(hidden=frozenset(names))


@pytest.mark.parametrize(
    "line",
    [
        'priority = "high"',
        'priority = { not = "low" }',
        "priority = { known = true }",
        "priority = { known = false }",
        'any = [{ priority = "high" }, { type = "task" }]',
        'all = [{ priority = "high" }]',
    ],
)
def test_no_line_on_it_holds_or_fails(line: str) -> None:
    life = hidden(policy(when=line), "priority")
    plan = life.look(60)
    assert life.standing().episode is None
    assert traced(plan)[0].verdict.startswith("cannot be judged")
    assert "hidden from this user" in explain(traced(plan))
    life.with_fields(hidden=frozenset()).look(61)
    assert bool(life.fired()) == (line != "priority = { known = false }")


def test_a_line_that_can_be_read_may_decide() -> None:
    either = policy(when='any = [{ priority = "high" }, { status = "new" }]')
    assert hidden(either, "priority").look(30).wanted
    both = policy(when='priority = "high"\nstatus = "pending"')
    assert traced(hidden(both, "priority").look(30))[0].verdict.startswith("does not match")


def test_a_running_episode_neither_ends_nor_fires_asks_or_repeats() -> None:
    level = AFTER_30 + '\nrepeat = { every = "10m", times = 9 }'
    life = Life(policy(level, AFTER_120, when='priority = "high"')).customer(0)
    life.look(30)
    life.with_fields(hidden=frozenset({"priority"}))
    for minute in (40, 120, 130):
        plan = life.look(minute)
        assert (plan.wanted, plan.ended) == ((), ())
    assert plan.next_look == at(130 + 60), "an overdue level is worth another look"
    life.with_fields(hidden=frozenset()).look(131)
    assert life.fired() == ["one", "two"]


EXCLUDING = policy(
    AFTER_30 + '\nowner = "Duty"\nassign = { group = "Duty" }\nreply = "handoff"\ntags = ["up"]',
    AFTER_120,
    unless='priority = "low"',
)


def test_while_unless_is_unknown_a_level_does_only_what_harms_nobody() -> None:
    life = hidden(EXCLUDING, "priority")
    plan = life.look(30)
    assert [each.action.kind for each in plan.wanted] == ["tags", "say"]
    assert [each.what for each in plan.left_out] == ["assign", "reply"]
    assert life.fired() == ["one"]
    assert life.lines("left out") == 2


def test_what_was_left_out_is_made_up_once_it_can_be_read() -> None:
    life = hidden(EXCLUDING, "priority")
    life.look(30)
    life.with_fields(hidden=frozenset())
    plan = life.look(40)
    assert [each.action.kind for each in plan.wanted] == ["assign", "say"]
    assert life.lines("made up") == 1
    assert life.look(41).wanted == ()


def test_a_write_that_was_not_applied_is_made_up_again() -> None:
    life = hidden(EXCLUDING, "priority")
    life.look(30)
    life.with_fields(hidden=frozenset()).look(40, "stale")
    assert [each.action.kind for each in life.look(41).wanted] == ["assign", "say"]


def test_but_not_once_a_later_level_has_passed_nor_if_it_is_excluded_after_all() -> None:
    life = hidden(EXCLUDING, "priority")
    life.look(30)
    life.look(120)
    assert life.with_fields(hidden=frozenset()).look(121).wanted == ()
    other = hidden(EXCLUDING, "priority")
    other.look(30)
    other.with_fields(hidden=frozenset(), priority=Priority.LOW)
    plan = other.look(40)
    assert plan.wanted == ()
    assert [each.reason for each in plan.ended] == ["unless"]


@pytest.mark.parametrize(
    ("clock", "name"),
    [
        ("created", "created"),
        ("customer_waiting", "messages"),
        ("since_agent_reply", "messages"),
        ("assignee_silent", "assignee"),
        ("assignee_silent", "changes"),
        ("untouched", "changes"),
        ("first_reply", "targets"),
    ],
)
def test_a_clock_on_it_is_absent(clock: str, name: str) -> None:
    life = hidden(
        policy('after = "0m"\nnote = "handoff"', clock=clock, when='subject = { contains = "log" }'), name
    )
    trace = traced(life.look(6000))[0].clock
    assert trace is not None
    assert trace.why_absent is not None
    assert "hidden from this user" in trace.why_absent
    assert life.fired() == []


@pytest.mark.parametrize(
    ("action", "name", "what"),
    [
        ('priority = { at_least = "urgent" }', "priority", "priority"),
        ('tags = ["up"]', "tags", "tags"),
        ('assign = { group = "Duty" }', "assignee", "assign"),
        ('assign = { agent = "ben@acme.test" }', "group", "assign"),
        ('assign = { group = "Duty", agent = "least_loaded" }', "assignee", "assign"),
    ],
)
def test_an_action_that_needs_it_is_left_out_and_said(action: str, name: str, what: str) -> None:
    life = hidden(policy(AFTER_30 + "\n" + action, when='subject = { contains = "log" }'), name)
    plan = life.look(30)
    assert [each.action.kind for each in plan.wanted] == ["say"]
    assert [(each.what, name in each.why) for each in plan.left_out] == [(what, True)]
    assert life.with_fields(hidden=frozenset()).look(31).wanted == ()


def test_an_action_that_does_not_need_it_is_done() -> None:
    named = AFTER_30 + '\nassign = { group = "Tier 2", agent = "ben@acme.test" }'
    plan = hidden(policy(named, when='subject = { contains = "log" }'), "assignee", "group").look(30)
    assert plan.wanted[0].action == Assign(group=TIER2, assignee=BEN)


@pytest.mark.parametrize("name", ["priority", "messages", "changes", "requester", "custom.tier", "status"])
def test_a_row_is_not_ruled_out_by_what_it_does_not_show(name: str) -> None:
    asks = {
        "priority": 'priority = "urgent"',
        "messages": "replies = { at_least = 3 }",
        "changes": "bounces = { at_least = 3 }",
        "requester": "requester.vip = true",
        "custom.tier": 'custom.tier = "gold"',
        "status": 'status = "pending"',
    }
    policies = rules(policy(when=asks[name]), FIELDS)
    assert could_matter(replace(NEWBORN, hidden=frozenset({name})), policies, ())


def test_what_the_policies_of_an_account_need_to_see_is_told() -> None:
    level = AFTER_30 + '\nassign = { group = "Duty" }\ntags = ["up"]\nset = { "custom.tier" = "gold" }'
    text = policy(
        level, clock="customer_waiting", when='any = [{ priority = "high" }, { requester.vip = true }]'
    )
    found = reads_of(rules(text, FIELDS), "acme")
    assert found == {
        *("priority", "requester", "requester.vip", "status", "messages"),
        *("group", "assignee", "tags", "custom.tier"),
    }
    assert reads_of(rules(policy(more='accounts = ["other"]'), FIELDS), "acme") == frozenset()
