"""Opening hours as helpdesks keep them, and the names that they have for time zones."""

from typing import Any
from zoneinfo import available_timezones

import pytest

from adapters.freshdesk import probe as freshdesk
from adapters.zendesk import probe as zendesk
from adapters.zones import PLACES, place_of


def test_every_name_of_a_zone_means_a_place_that_there_is() -> None:
    assert sorted(set(PLACES.values()) - available_timezones()) == []


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("Chennai", "Asia/Kolkata"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("A zone of next year", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_zone_that_nobody_knows_is_none(zone: Any, place: str) -> None:
    assert place_of(zone) == place


def test_zendesk_counts_minutes_since_sunday_and_spans_may_pass_midnight() -> None:
    intervals: list[Any] = [
        {"start_time": 0, "end_time": 60},
        {"start_time": 1980, "end_time": 2460},
        {"start_time": 7 * 1440 - 120, "end_time": 7 * 1440},
        {"start_time": 2 * 1440 + 1380, "end_time": 3 * 1440 + 60},
        {"start_time": 5, "end_time": 5},
        {"start_time": None},
        "nothing",
    ]
    row: Any = {"name": "Day", "time_zone": "London", "intervals": intervals}
    (hours,) = zendesk.opening_hours([row, {"name": "empty", "intervals": None}])
    assert (hours.name, hours.timezone) == ("Day", "Europe/London")
    assert hours.hours == {
        "sun": ("00:00-01:00",),
        "mon": ("09:00-17:00",),
        "sat": ("22:00-24:00",),
        "tue": ("23:00-24:00",),
        "wed": ("00:00-01:00",),
    }


@pytest.mark.parametrize(
    ("told", "ends", "clock"),
    [
        ("08:00:00 am", False, "08:00"),
        ("12:00:00 am", False, "00:00"),
        ("12:30:00 pm", False, "12:30"),
        ("11:59:59 pm", True, "24:00"),
        ("11:59:59 pm", False, "23:59"),
        ("nine", False, ""),
        (None, True, ""),
    ],
)
def test_freshdesk_says_twelve_hours(told: object, ends: bool, clock: str) -> None:
    assert freshdesk.clock(told, ends=ends) == clock


def test_freshdesk_begins_with_the_default_hours_and_leaves_closed_days_out() -> None:
    day = {"start_time": "08:00:00 am", "end_time": "05:00:00 pm"}
    rows: list[Any] = [
        {"name": "Other", "time_zone": "London", "business_hours": {"monday": day}},
        {
            "name": "Own",
            "time_zone": "Paris",
            "is_default": True,
            "business_hours": {"friday": day, "sunday": None},
        },
        {"name": "Never", "business_hours": {}},
        "nothing",
    ]
    own, other = freshdesk.opening_hours(rows)
    assert (own.name, dict(own.hours)) == ("Own", {"fri": ("08:00-17:00",)})
    assert other.name == "Other"
