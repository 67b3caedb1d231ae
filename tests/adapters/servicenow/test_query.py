"""Encoded queries: no value ever becomes a part of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.servicenow.profile import any_of, batches, behind, equals, every_of, is_safe, ordered, term
from adapters.servicenow.simulator.reads import parse

VALUES = st.text(st.characters(codec="utf-8"), min_size=1).filter(is_safe)
NASTY = [
    "a^active=false",
    "a^ORactive=true",
    "x^NQactive=true",
    "^",
    "^^",
    "a^^b",
    "a^ORDERBYname",
    "a=b",
    "50%&+#",
]


def no_scripts(_: str) -> str:
    raise AssertionError("a script was run")


@given(VALUES)
def test_a_value_stays_one_value(value: str) -> None:
    query = parse(every_of(equals("name", value), "active=true"), no_scripts)
    first, second = query.queries[0]
    assert [(each.column, each.operator, each.value) for each in first] == [("name", "=", value)]
    assert [each.column for each in second] == ["active"]
    assert query.order == []


@pytest.mark.parametrize("value", NASTY)
def test_marks_of_the_language_are_escaped(value: str) -> None:
    (query,) = parse(equals("name", value), no_scripts).queries
    assert [[(each.column, each.value) for each in either] for either in query] == [[("name", value)]]


@pytest.mark.parametrize("value", ["javascript:gs.getUserID()", "  JavaScript:1", "a\nb", "a\x00", ""])
def test_what_the_instance_would_run_or_misread_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a query"):
        term(value)
    assert list(batches([value, "fine"])) == [["fine"]]


def test_batches_hold_fifty_different_values() -> None:
    values = [f"user{number}" for number in range(120)]
    assert [len(batch) for batch in batches(values * 2)] == [50, 50, 20]


def test_alternatives_bind_to_their_own_column_only() -> None:
    text = every_of(any_of("element", ["comments", "work_notes"]), equals("element_id", "1"))
    assert [len(either) for either in parse(text, no_scripts).queries[0]] == [2, 1]


@pytest.mark.parametrize(
    ("stamp", "sys_id", "named"),
    [
        ("2026-11-25 10:00:00", "a", True),
        ("2026-11-25 10:00:00", "b", False),
        ("2026-11-25 10:00:00", "B", False),
        ("2026-11-25 09:59:59", "z", False),
        ("2026-11-25 10:00:01", "0", True),
        ("2026-11-25 10:00:00", "c", True),
    ],
)
def test_the_keyset_is_exact(stamp: str, sys_id: str, named: bool) -> None:
    row = {"sys_updated_on": stamp, "sys_id": sys_id, "active": "true"}
    place = "0" if sys_id == "a" else "b"
    text = ordered(every_of("active=true", behind("2026-11-25 10:00:00", place)), "sys_updated_on", "sys_id")
    query = parse(text, no_scripts)
    assert "^NQ" not in text
    assert query.holds(row.__getitem__) is named
    assert query.order == [("sys_updated_on", False), ("sys_id", False)]
    assert not query.holds((row | {"active": "false"}).__getitem__)
