"""Rule 8: missing values."""

from dataclasses import replace
from typing import Any

import pytest

from policies.document import Document, read
from policies.model import Counts, Priority, Status
from policies.parse import parse
from policies.plan import RaisePriority
from policies.verdict import judged
from tests.policies.lives import CLEO, HEAD, NEWBORN, Life, policy, rules

FIELDS = HEAD + "[accounts.acme.fields]\ntier = 1\n[accounts.other.fields]\ntier = 1\n"


def holds(line: str, **fields: Any) -> bool:
    """Whether a line holds on a ticket with these fields."""
    (found,) = rules(policy(when=line), FIELDS).policies
    return judged(found, replace(NEWBORN, status=Status.OPEN, **fields)).holds


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
