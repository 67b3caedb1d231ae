"""Durations: `Nd Nh Nm Ns`, and how a span is spelled."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.model import LONGEST, says_days, seconds, spell

PROVEN = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", 90),
        ("30m", 1_800),
        ("1h30m", 5_400),
        ("2d", 172_800),
        ("1d1h1m1s", 90_061),
        ("90m", 5_400),
        ("0m", 0),
        ("3660d", LONGEST),
    ],
)
def test_units_combine_and_a_day_is_24_hours(text: str, span: int) -> None:
    assert seconds(text) == span


@pytest.mark.parametrize(
    "text", ["", " ", "30", "m", "1.5h", "-5m", "5m1h", "1h1h", "1 h", "1H", "1w", "h1", "1h 30m", "1h30"]
)
def test_anything_else_is_an_error_that_shows_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match='is not a duration; write for example "30m"'):
        seconds(text)


def test_more_than_ten_years_is_an_error() -> None:
    with pytest.raises(ValueError, match="longer than ten years"):
        seconds("3660d1s")


def test_days_are_noticed() -> None:
    assert says_days("1d")
    assert says_days("1d4h")
    assert not says_days("24h")


@pytest.mark.parametrize(
    ("span", "text"), [(0, "0m"), (59, "59s"), (1_800, "30m"), (5_400, "1h30m"), (90_061, "25h1m1s")]
)
def test_a_span_is_spelled_in_hours_minutes_and_seconds(span: int, text: str) -> None:
    assert spell(span) == text


@PROVEN
@given(st.integers(0, LONGEST))
def test_what_is_spelled_reads_as_it_was(span: int) -> None:
    assert seconds(spell(span)) == span


@PROVEN
@given(*(st.none() | st.integers(0, 900) for _ in range(4)))
def test_the_sum_of_its_units(
    days: int | None, hours: int | None, minutes: int | None, rest: int | None
) -> None:
    units = [(days, "d", 86_400), (hours, "h", 3_600), (minutes, "m", 60), (rest, "s", 1)]
    said = [(count, unit, each) for count, unit, each in units if count is not None]
    text = "".join(f"{count}{unit}" for count, unit, _ in said)
    if said:
        assert seconds(text) == sum(count * each for count, _, each in said)


def test_a_number_that_nobody_means_is_refused_in_our_words() -> None:
    with pytest.raises(ValueError, match="is too long for a duration"):
        seconds("9" * 5000 + "h")
