"""From a priority wanted to an impact and an urgency."""

import pytest

from adapters.servicenow.profile import DEFAULT, pair, read

CUSTOM = {(1, 1): 1, (1, 2): 1, (2, 1): 3, (2, 2): 4}


@pytest.mark.parametrize(
    ("impact", "urgency", "wanted", "expected"),
    [
        ("3", "3", 4, (3, 2)),
        ("3", "3", 3, (3, 1)),
        ("3", "3", 2, (2, 1)),
        ("3", "3", 1, (1, 1)),
        ("2", "3", 2, (2, 1)),
        ("1", "3", 2, (1, 2)),
        ("2", "2", 1, (1, 1)),
        ("", "", 4, (3, 2)),
        ("5", "3", 3, (3, 1)),
    ],
)
def test_urgency_moves_first_and_impact_only_if_it_must(
    impact: str, urgency: str, wanted: int, expected: tuple[int, int]
) -> None:
    assert pair(DEFAULT, impact, urgency, wanted) == expected


def test_the_default_is_the_sum_less_one() -> None:
    assert DEFAULT[(1, 1)] == 1
    assert DEFAULT[(2, 2)] == 3
    assert DEFAULT[(3, 3)] == 5


def test_more_than_wanted_is_better_than_nothing() -> None:
    assert pair(CUSTOM, "2", "2", 2) == (1, 2)
    assert pair({(1, 1): 3}, "1", "1", 2) is None


def test_a_lookup_that_cannot_be_read_gives_way_to_the_default() -> None:
    assert read([]) == DEFAULT
    assert read([{"impact": "", "urgency": "1", "priority": "1"}, {"odd": "1"}]) == DEFAULT
    assert read([{"impact": "1", "urgency": "2", "priority": "4"}]) == {(1, 2): 4}
