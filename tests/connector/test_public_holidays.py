"""Public holidays are data with a version; calendars are made with them."""

from dataclasses import replace

import pytest

from connector.config import holidays
from policies.language.conditions import Conditions
from policies.language.document import Document, read
from policies.language.policy import CalendarSpec, Policy, PolicySet

NOON_NEW_YORK = 17 * 3600
JULY_3_2026 = 1_783_036_800  # midnight UTC


def spec(*regions: str) -> CalendarSpec:
    day = ((9 * 60, 17 * 60),)
    return CalendarSpec(
        name="support", timezone="America/New_York", hours=(day,) * 5 + ((), ()), holidays=regions
    )


def policies(*regions: str, calendar: str | None = "support") -> PolicySet:
    policy = Policy(
        name="p",
        accounts=None,
        mode=None,
        clock="created",
        calendar=calendar,
        stop_on=frozenset(),
        pause_on=frozenset(),
        counts_as_reply=frozenset({"public"}),
        acknowledge_tags=frozenset(),
        backlog="fire",
        when=Conditions(lines=()),
        unless=Conditions(lines=()),
        levels=(),
        hash="text",
        text="{}",
        file="p.toml",
        line=1,
    )
    return PolicySet(
        policies=(policy,),
        default_owner=None,
        modes={},
        calendars={"support": spec(*regions)},
        templates={},
        hash="set",
    )


def document(text: str) -> Document:
    found = read("c.toml", text)
    assert isinstance(found, Document)
    return found


def test_observed_days_and_days_of_a_state_are_in() -> None:
    assert {"2026-07-03", "2026-07-04", "2026-02-12"} <= holidays.dates(["US-NY"], range(2026, 2027))
    assert "2026-02-12" not in holidays.dates(["US"], range(2026, 2027))


def test_regions_are_united() -> None:
    both = holidays.dates(["US", "DE-BY"], range(2026, 2027))
    assert {"2026-07-04", "2026-01-06"} <= both


def test_an_unknown_region_has_no_dates() -> None:
    with pytest.raises(ValueError, match="XX"):
        holidays.dates(["XX"], range(2026, 2027))


def test_a_calendar_is_closed_on_an_observed_holiday() -> None:
    noon = JULY_3_2026 + NOON_NEW_YORK
    closed = holidays.calendars(policies("US-NY"), noon)["support"]
    plain = holidays.calendars(policies(), noon)["support"]
    assert not closed.is_open(noon)
    assert plain.is_open(noon)


def test_holidays_reach_back_for_old_tickets() -> None:
    three_years_on = JULY_3_2026 + 3 * 365 * 86_400
    calendar = holidays.calendars(policies("US-NY"), three_years_on)["support"]
    assert not calendar.is_open(JULY_3_2026 + NOON_NEW_YORK)


@pytest.mark.parametrize(
    ("region", "says"),
    [("US-NZ", 'Did you mean "US-'), ("XX", "`closed`"), ("FR-ZZ", '"FR" as a whole')],
)
def test_an_unknown_region_is_a_problem_with_its_line(region: str, says: str) -> None:
    text = f'[calendars.support]\ntimezone = "UTC"\nholidays = ["US",\n  "{region}"]\n'
    (problem,) = holidays.check_regions([document(text)])
    assert (problem.file, problem.line, problem.code) == ("c.toml", 4, "unknown-region")
    assert region in problem.message
    assert says in problem.message


@pytest.mark.parametrize(
    "text", ["", "calendars = 1", "[calendars]\nx = 1", '[calendars.x]\nholidays = "US"']
)
def test_other_faults_are_not_judged_here(text: str) -> None:
    assert holidays.check_regions([document(text)]) == ()


def test_the_hash_covers_the_version_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    first = holidays.stamp(policies("US"))
    assert first.policies[0].hash != "text"
    assert holidays.stamp(policies("US")) == first
    monkeypatch.setattr(holidays, "version", lambda: "next")
    second = holidays.stamp(policies("US"))
    assert second.policies[0].hash != first.policies[0].hash
    assert second.hash != first.hash


@pytest.mark.parametrize("without", [policies(), policies("US", calendar=None)])
def test_a_policy_without_holidays_keeps_its_hash(without: PolicySet) -> None:
    assert holidays.stamp(without).policies == without.policies
    assert replace(holidays.stamp(without), hash="", decides="") == replace(without, hash="", decides="")
