"""Rule 7: conditions."""

from dataclasses import replace
from typing import Any

import pytest

from policies.model import Counts, Person, Priority, Status, Ticket
from policies.present.explain import LineTrace, line_trace, traced
from policies.rules.judgement import judged_line
from policies.rules.observe import verdict_of
from tests.policies.lives import CLEO, HEAD, NEWBORN, TIER1, Life, policy, rules

MAPPED = (
    HEAD
    + "[accounts.acme.fields]\ntier = 1\nplan = 2\n'long wait' = 3\n"
    + "[accounts.other.fields]\ntier = 1\nplan = 2\n'long wait' = 3\n"
)


def holds(when: str, unless: str = "", **fields: Any) -> bool:
    """Whether a policy with these conditions holds on an open ticket with these fields."""
    (found,) = rules(policy(when=when, unless=unless), MAPPED).policies
    return verdict_of(found, replace(NEWBORN, status=Status.OPEN, **fields)).holds


def refused(when: str, unless: str = "") -> str:
    """Why `check` refuses these conditions."""
    with pytest.raises(AssertionError) as caught:
        rules(policy(when=when, unless=unless), MAPPED)
    return str(caught.value)


# --- when and unless -----------------------------------------------------------------------------------------


def test_when_is_required() -> None:
    with pytest.raises(AssertionError, match="`when` is missing"):
        rules(policy().replace("[policy.when]\n", "").replace('status = ["new", "open", "pending"]\n', ""))


def test_when_is_an_and_of_its_lines() -> None:
    both = 'status = "open"\npriority = "high"'
    assert holds(both, priority=Priority.HIGH)
    assert not holds(both, priority=Priority.LOW)


def test_any_is_an_or_of_tables_each_of_which_is_an_and() -> None:
    text = 'any = [{ type = "task", priority = "low" }, { tags = { has = "vip" } }]'
    assert holds(text, type="task", priority=Priority.LOW)
    assert not holds(text, type="task", priority=Priority.HIGH)
    assert holds(text, tags=frozenset({"vip"}))


def test_all_is_an_and_of_tables() -> None:
    text = 'all = [{ type = "task" }, { tags = { has = "vip" } }]'
    assert not holds(text, type="task")
    assert holds(text, type="task", tags=frozenset({"vip"}))


def test_any_and_all_go_into_one_another() -> None:
    text = 'any = [{ all = [{ type = "task" }, { any = [{ priority = "low" }, { priority = "high" }] }] }]'
    assert holds(text, type="task", priority=Priority.HIGH)
    assert not holds(text, type="task", priority=Priority.URGENT)


@pytest.mark.parametrize("text", ["any = []", "all = []", "any = [{}]", "", "any = [{ all = [] }]"])
def test_empty_is_an_error(text: str) -> None:
    assert "empty" in refused(text)


def test_several_operators_in_one_table_are_an_and() -> None:
    text = "replies = { at_least = 2, under = 4 }"
    assert [holds(text, counts=Counts(replies=n)) for n in (1, 2, 3, 4)] == [False, True, True, False]


def test_unless_excludes_if_any_of_its_lines_holds() -> None:
    unless = 'type = "task"\npriority = "low"'
    assert not holds('status = "open"', unless, type="task")
    assert not holds('status = "open"', unless, priority=Priority.LOW)
    assert holds('status = "open"', unless, type="question")


def test_an_any_in_unless_is_one_line_and_so_are_several_operators() -> None:
    unless = 'any = [{ type = "task", priority = "low" }]'
    assert holds('status = "open"', unless, type="task")
    assert not holds('status = "open"', unless, type="task", priority=Priority.LOW)
    range_of = "replies = { at_least = 2, under = 4 }"
    assert holds('status = "open"', range_of, counts=Counts(replies=7))
    assert not holds('status = "open"', range_of, counts=Counts(replies=3))


def test_dotted_and_nested_spellings_are_the_same() -> None:
    spellings = (
        'requester.vip = true\nrequester.name = "Cleo"',
        'requester = { vip = true, name = "Cleo" }',
        '[policy.when.requester]\nvip = true\nname = "Cleo"',
    )
    for person in (CLEO, replace(CLEO, vip=True), replace(CLEO, vip=True, name="Max")):
        found = {holds(text, requester=person) for text in spellings}
        excluded = {holds('status = "open"', text, requester=person) for text in spellings[:2]}
        assert len(found) == 1
        assert len(excluded) == 1


def test_without_accounts_a_policy_serves_all() -> None:
    found = rules(policy() + policy(name="q", more='accounts = ["other"]'))
    assert [each.name for each in found.serving("acme")] == ["p"]
    assert [each.name for each in found.serving("other")] == ["p", "q"]


def test_a_policy_does_not_judge_tickets_of_other_accounts() -> None:
    life = Life(policy(more='accounts = ["other"]')).customer(0)
    assert traced(life.plan(60)) == ()


# --- custom fields -------------------------------------------------------------------------------------------


def test_custom_fields_are_custom_name() -> None:
    assert holds("custom.tier = 2", custom={"tier": 2})
    assert holds("custom = { tier = 2 }", custom={"tier": 2})
    assert holds('custom."long wait" = true', custom={"long wait": True})


def test_an_unmapped_one_is_an_error() -> None:
    assert "unmapped-field" in refused("custom.teir = 2")
    assert 'Did you mean "tier"' in refused("custom.teir = 2")


@pytest.mark.parametrize("word", ["has", "not", "in", "known", "at_least"])
def test_operator_words_cannot_be_custom_names(word: str) -> None:
    head = HEAD + f"[accounts.acme.fields]\n{word} = 1\n[accounts.other.fields]\n{word} = 1\n"
    with pytest.raises(AssertionError, match="operator"):
        rules(policy(when=f'custom.{word} = "x"'), head)


@pytest.mark.parametrize(
    ("when", "values", "held"),
    [
        ('custom.plan = "gold"', ("gold", "Gold", "", None, ("gold",)), [True, False, False, False, False]),
        ("custom.plan = 3", (3, "3", "x", None, True), [True, True, False, False, False]),
        ("custom.plan = true", (True, "true", False, 1, None), [True, True, False, False, False]),
        ('custom.plan = { over = "1h" }', (3601, 3600, "4000", None), [True, False, True, False]),
        ('custom.plan = { has = "a" }', (("a", "b"), "a", ("b",), None), [True, True, False, False]),
        ('custom.plan = { lacks = "a" }', (("b",), None, ("a",)), [True, True, False]),
    ],
)
def test_a_line_reads_a_custom_field_as_the_kind_it_asks_for(
    when: str, values: tuple[Any, ...], held: list[bool]
) -> None:
    assert [holds(when, custom={"plan": value}) for value in values] == held


# --- operators by field type ---------------------------------------------------------------------------------

TAKES = {
    "subject": {"value", "list", "not", "in", "not_in", "contains", "matches", "known"},
    "type": {"value", "list", "not", "in", "not_in", "known"},
    "priority": {"value", "list", "not", "in", "not_in", "at_least", "at_most", "known"},
    "replies": {"value", "list", "not", "in", "not_in", "at_least", "at_most", "over", "under", "known"},
    "requester.vip": {"value", "known"},
    "tags": {"has", "has_all", "lacks"},
}
WORDS = (
    "value", "list", "not", "in", "not_in", "contains", "matches", "known",
    "at_least", "at_most", "over", "under", "has", "has_all", "lacks",
)  # fmt: skip


@pytest.mark.parametrize("field", list(TAKES))
@pytest.mark.parametrize("word", WORDS)
def test_each_field_type_takes_its_operators_and_no_other(field: str, word: str) -> None:
    one = {"replies": "2", "requester.vip": "true", "priority": '"high"'}.get(field, '"a"')
    operand = {"known": "true", "list": f"[{one}]", "in": f"[{one}]", "not_in": f"[{one}]"}.get(word, one)
    if word == "has_all":
        operand = f"[{one}]"
    line = f"{field} = {operand}" if word in ("value", "list") else f"{field} = {{ {word} = {operand} }}"
    if word in TAKES[field]:
        rules(policy(when=line))
    else:
        assert refused(line) != ""


TEXT = "Refund for order 12"


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ('subject = "Refund for order 12"', True),
        ('subject = "refund for order 12"', False),
        ('subject = ["a", "Refund for order 12"]', True),
        ('subject = { not = "a" }', True),
        ('subject = { in = ["a", "b"] }', False),
        ('subject = { not_in = ["a", "b"] }', True),
        ('subject = { contains = "REFUND" }', True),
        ('subject = { contains = "refunds" }', False),
        ('subject = { matches = "order \\\\d+$" }', True),
        ('subject = { matches = "^order" }', False),
        ('subject = { matches = "refund" }', False),
        ('subject = { matches = "(?i)refund" }', True),
        ("subject = { known = true }", True),
        ("subject = { known = false }", False),
    ],
)
def test_texts(line: str, held: bool) -> None:
    assert holds(line, subject=TEXT) is held


@pytest.mark.parametrize(
    ("line", "ranks"),
    [
        ('priority = "high"', "h"),
        ('priority = ["low", "urgent"]', "lu"),
        ('priority = { not = "high" }', "lnu"),
        ('priority = { not_in = ["high", "low"] }', "nu"),
        ('priority = { at_least = "high" }', "hu"),
        ('priority = { at_most = "normal" }', "ln"),
        ("priority = { known = true }", "lnhu"),
        ("priority = { known = false }", "-"),
    ],
)
def test_priorities(line: str, ranks: str) -> None:
    held = [each.value[0] if each else "-" for each in (*Priority, None) if holds(line, priority=each)]
    assert "".join(held) == ranks


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("replies = 2", [2]),
        ("replies = [1, 3]", [1, 3]),
        ("replies = { not = 2 }", [1, 3]),
        ("replies = { in = [1, 2] }", [1, 2]),
        ("replies = { not_in = [1, 2] }", [3]),
        ("replies = { at_least = 2 }", [2, 3]),
        ("replies = { at_most = 2 }", [1, 2]),
        ("replies = { over = 2 }", [3]),
        ("replies = { under = 2 }", [1]),
        ("replies = { known = true }", [1, 2, 3]),
        ("replies = { over = 1.5 }", [2, 3]),
    ],
)
def test_numbers(line: str, numbers: list[int]) -> None:
    assert [n for n in (1, 2, 3) if holds(line, counts=Counts(replies=n))] == numbers


def test_yes_and_no() -> None:
    vip = replace(CLEO, vip=True)
    assert holds("requester.vip = true", requester=vip)
    assert not holds("requester.vip = true", requester=CLEO)
    assert holds("requester.vip = false", requester=CLEO)


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ('tags = { has = "a" }', True),
        ('tags = { has = ["x", "b"] }', True),
        ('tags = { has = ["x", "y"] }', False),
        ('tags = { has = "A" }', False),
        ('tags = { has_all = ["a", "b"] }', True),
        ('tags = { has_all = ["a", "x"] }', False),
        ('tags = { lacks = ["x", "y"] }', True),
        ('tags = { lacks = ["x", "b"] }', False),
        ('tags = { lacks = "x" }', True),
    ],
)
def test_lists(line: str, held: bool) -> None:
    assert holds(line, tags=frozenset({"a", "b"})) is held


def test_a_pattern_that_only_backtracking_engines_take_is_refused() -> None:
    assert "bad-pattern" in refused("subject = { matches = '(a)\\1' }")


def test_a_trace_says_what_each_line_read() -> None:
    (found,) = rules(policy(when='status = "open"\ntype = "task"')).policies
    ticket = replace(NEWBORN, status=Status.OPEN, type="question")
    lines = [line_trace(judged_line(each, ticket), "when") for each in found.when.lines]
    assert [(line.text, line.read, line.held) for line in lines] == [
        ("status is open", "open", True),
        ("type is task", "question", False),
        ("status is not solved or closed", "open", True),
    ]
    assert all(isinstance(line, LineTrace) for line in lines)


def test_the_fields_read_what_their_names_say() -> None:
    ticket: Ticket = replace(NEWBORN, status=Status.OPEN, group=TIER1, assignee=Person(id="1", name="Zed"))
    (found,) = rules(policy(when='group = "Tier 1"\nassignee = "Zed"\naccount = "acme"')).policies
    assert verdict_of(found, ticket).holds
