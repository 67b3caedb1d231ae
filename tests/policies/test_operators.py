"""Every operator: for which values it holds, and how it reads in a sentence."""

import pytest

from policies.language.fields import FIELDS, Field, custom
from policies.language.operators import IS, OPERATORS, Operator, fits
from policies.model import Value, Wanted

SUBJECT, PRIORITY, REPLIES, VIP, TAGS = (
    FIELDS[name] for name in ("subject", "priority", "replies", "requester.vip", "tags")
)

CASES: list[tuple[str, Field, Wanted, str, tuple[Value, ...], tuple[Value, ...]]] = [
    ("value", SUBJECT, "a b", 'is "a b"', ("a b",), ("a", "A B", "", None)),
    ("value", SUBJECT, ("a", "b", "c"), "is a, b or c", ("a", "c"), ("d", None)),
    ("value", VIP, True, "is yes", (True,), (False, None)),
    ("value", VIP, False, "is no", (False,), (True, None)),
    ("value", REPLIES, 2, "is 2", (2, 2.0), (3, "2", None)),
    ("not", SUBJECT, "a", "is not a", ("b", "A", ""), ("a", None)),
    ("not", REPLIES, 2, "is not 2", (1, 3), (2, None)),
    ("in", SUBJECT, ("a", "b"), "is a or b", ("a", "b"), ("c", None)),
    ("not_in", SUBJECT, ("a", "b"), "is not a or b", ("c",), ("a", "b", None)),
    ("contains", SUBJECT, "Straße", "contains Straße", ("in der STRASSE 3", "straße"), ("strasz", None, 3)),
    ("matches", SUBJECT, r"^a+\d", r"matches ^a+\d", ("aa1b", "a1"), ("ba1", "A1", None, 3)),
    ("known", SUBJECT, True, "is known", ("", "a", 0, False), (None,)),
    ("known", SUBJECT, False, "is missing", (None,), ("", "a", 0, False)),
    ("at_least", PRIORITY, "high", "is at least high", ("high", "urgent"), ("normal", "low", None)),
    ("at_least", REPLIES, 2, "is at least 2", (2, 3, 2.5), (1, 1.9, None, "3")),
    ("at_most", PRIORITY, "normal", "is at most normal", ("low", "normal"), ("high", None)),
    ("at_most", REPLIES, 2, "is at most 2", (2, 0, -1), (2.1, None, "1")),
    ("over", REPLIES, 2, "is over 2", (3, 2.1), (2, 1, None, "3")),
    ("under", REPLIES, 2, "is under 2", (1, 1.9, 0), (2, 3, None, "1")),
    ("over_limit_of", custom("x"), "group", "is over the limit of the group", (1, 0.01), (0, -1, None, "1")),
    ("has", TAGS, "a", "has a", (("a",), ("a", "b")), (("A",), (), ("b",), None)),
    ("has", TAGS, ("a", "b"), "has a or b", (("b", "c"),), (("c",), ())),
    ("has_all", TAGS, ("a", "b"), "has a and b", (("a", "b", "c"),), (("a",), (), None)),
    ("lacks", TAGS, "a", "has no a", ((), ("b",)), (("a", "b"), None)),
    ("lacks", TAGS, ("a", "b"), "has no a or b", ((), ("c",)), (("a",), ("c", "b"))),
]


def operator(name: str) -> Operator:
    """The operator of that name; a plain value has none of its own."""
    return IS if name == "value" else OPERATORS[name]


def ids(case: object) -> str:
    return str(case) if isinstance(case, str) else ""


@pytest.mark.parametrize(("name", "field", "wanted", "said", "held", "refused"), CASES, ids=ids)
def test_it_holds_for_these_and_not_for_those(
    name: str, field: Field, wanted: Wanted, said: str, held: tuple[Value, ...], refused: tuple[Value, ...]
) -> None:
    test = operator(name).build(wanted, field)
    assert [value for value in held if not test(value)] == []
    assert [value for value in refused if test(value)] == []
    assert operator(name).says(wanted) == said


def test_every_operator_is_here() -> None:
    assert {name for name, *_ in CASES} == {"value", *OPERATORS}


@pytest.mark.parametrize("name", [*OPERATORS, "value"])
def test_a_missing_value_matches_no_operator_but_known_false(name: str) -> None:
    for _, field, wanted, *_ in (case for case in CASES if case[0] == name):
        assert operator(name).build(wanted, field)(None) is (name == "known" and wanted is False)


def test_those_that_a_missing_value_may_surprise_with_are_marked() -> None:
    assert {each.name for each in OPERATORS.values() if each.negates} == {"not", "not_in"}


@pytest.mark.parametrize("each", OPERATORS.values(), ids=lambda each: each.name)
def test_a_custom_field_takes_every_operator_and_each_has_a_sentence(each: Operator) -> None:
    assert fits(each, custom("x"))
    assert each.meaning.endswith(".")


def test_ranks_belong_to_priorities_alone() -> None:
    assert fits(OPERATORS["at_least"], PRIORITY)
    assert not fits(OPERATORS["at_least"], FIELDS["status"])
    assert not fits(OPERATORS["over"], PRIORITY)
