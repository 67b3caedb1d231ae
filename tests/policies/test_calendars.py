"""Calendars, against an oracle that reads the wall clock of every minute and knows no arithmetic at all."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policies.language.policy import CalendarSpec
from policies.rules.calendars import ALWAYS, Calendar, build

Windows = tuple[tuple[int, int], ...]

MINUTE = 60
HOUR = 3_600
REACH = 6
"""How many days to either side of its date the oracle looks."""

CHANGES = (
    ("America/New_York", date(2026, 3, 8)),  # 02:00 to 03:00
    ("America/New_York", date(2026, 11, 1)),  # 02:00 to 01:00
    ("Europe/London", date(2026, 3, 29)),  # 01:00 to 02:00
    ("Europe/London", date(2026, 10, 25)),  # 02:00 to 01:00
    ("Australia/Lord_Howe", date(2026, 10, 4)),  # 02:00 to 02:30
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # 02:00 to 01:30
    ("America/Santiago", date(2026, 9, 6)),  # 00:00 to 01:00
    ("America/Santiago", date(2026, 4, 5)),  # 00:00 to 23:00 the day before
)
PLACES = (*CHANGES, ("Asia/Kathmandu", date(2026, 12, 31)), ("UTC", date(2028, 2, 29)))

PROVEN = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A calendar as written, and the place and date around which it is asked."""

    zone: str
    day: date
    hours: tuple[Windows, ...]
    closed: frozenset[str]
    holidays: frozenset[str]
    opened: Mapping[str, Windows]

    @property
    def calendar(self) -> Calendar:
        """The calendar under test."""
        spec = CalendarSpec(
            name="c", timezone=self.zone, hours=self.hours, closed=self.closed, open=self.opened
        )
        return build(spec, self.holidays, range(self.day.year, self.day.year + 1))


class Oracle:
    """Which minutes around the date are open, one by one, by what a clock on the wall shows."""

    def __init__(self, case: Case) -> None:
        self.begin, readings = wall_clock(case.zone, case.day)
        self.end = self.begin + len(readings) * MINUTE
        shapes = {day: minutes_of(hours_of(day, case)) for day in {day for day, _ in readings}}
        self.open = [minute in shapes[day] for day, minute in readings]
        self.sums = [0, *accumulate(MINUTE if each else 0 for each in self.open)]

    def is_open(self, at: int) -> bool:
        return self.open[(at - self.begin) // MINUTE]

    def counted(self, at: int) -> int:
        """The open seconds from the beginning to this instant."""
        minute, rest = divmod(at - self.begin, MINUTE)
        return self.sums[minute] + (rest if rest and self.open[minute] else 0)

    def add(self, start: int, span: int) -> int:
        """The first instant at which so much was counted, minute by minute."""
        if span == 0:
            return start
        wanted = self.counted(start) + span
        minute = bisect_left(self.sums, wanted)
        return self.begin + minute * MINUTE - (self.sums[minute] - wanted)

    def back(self, end: int, span: int) -> int:
        """The latest instant from which so much remains."""
        if span == 0:
            return end
        wanted = self.counted(end) - span
        minute = max(i for i, total in enumerate(self.sums) if total <= wanted)
        return self.begin + minute * MINUTE + (wanted - self.sums[minute])


@cache
def wall_clock(zone: str, day: date) -> tuple[int, tuple[tuple[date, int], ...]]:
    """The local date and minute of the day of each minute around this date, and the first one's instant."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
    begin = noon - REACH * 24 * HOUR
    local = (datetime.fromtimestamp(begin + i * MINUTE, ZoneInfo(zone)) for i in range(2 * REACH * 24 * 60))
    return begin, tuple((each.date(), each.hour * 60 + each.minute) for each in local)


def minutes_of(windows: Windows) -> frozenset[int]:
    """The open minutes of a day, one by one."""
    return frozenset(minute for opens, closes in windows for minute in range(opens, closes))


def hours_of(day: date, case: Case) -> Windows:
    """The hours of one date: its own, none, or those of its weekday."""
    iso = day.isoformat()
    if iso in case.opened:
        return case.opened[iso]
    return () if iso in case.closed | case.holidays else case.hours[day.weekday()]


# --- what is drawn -------------------------------------------------------------------------------------------

edges = st.sampled_from((0, 30, 60, 90, 120, 150, 180, 539, 540, 720, 1_020, 1_380, 1_410, 1_440))
cuts = st.lists(edges | st.integers(0, 1_440), min_size=2, max_size=6, unique=True)
SPECIAL: tuple[Windows, ...] = (((0, 1_440),), ((0, 720), (720, 1_440)), ((540, 720), (780, 1_020)))


def paired(minutes: list[int]) -> Windows:
    """Ascending hours that begin and end at these minutes."""
    ordered = sorted(minutes)
    return tuple(zip(ordered[::2], ordered[1::2], strict=False))


hours = st.sampled_from(SPECIAL) | cuts.map(paired)
dates = st.integers(-REACH, REACH)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any calendar, at one of the places."""
    zone, day = draw(st.sampled_from(PLACES))
    week = tuple(draw(st.lists(st.just(()) | hours, min_size=7, max_size=7)))
    assume(any(week))

    def some() -> frozenset[str]:
        days = draw(st.sets(dates, max_size=3))
        return frozenset((day + timedelta(days=each)).isoformat() for each in days)

    return Case(
        zone=zone,
        day=day,
        hours=week,
        closed=some(),
        holidays=some(),
        opened={each: draw(hours) for each in sorted(some())},
    )


fractions = st.floats(0, 1, exclude_max=True)


def instant(oracle: Oracle, part: float) -> int:
    """An instant within what the oracle knows."""
    return oracle.begin + int(part * (oracle.end - oracle.begin))


# --- against the oracle --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_the_clocks_do_change_at_these_dates(zone: str, day: date) -> None:
    _, readings = wall_clock(zone, day)
    jumps = [later[1] - minute for (_, minute), later in pairwise(readings) if later[1] - minute != 1]
    assert len([each for each in jumps if each != -1_439]) == 1


@PROVEN
@given(cases(), fractions)
def test_an_instant_is_open_exactly_if_its_wall_clock_reading_lies_in_the_hours_of_its_date(
    case: Case, part: float
) -> None:
    oracle = Oracle(case)
    at = instant(oracle, part)
    assert case.calendar.is_open(at) is oracle.is_open(at)


@PROVEN
@given(cases(), fractions, fractions)
def test_between_is_the_sum_of_the_open_seconds(case: Case, one: float, other: float) -> None:
    oracle = Oracle(case)
    start, end = sorted((instant(oracle, one), instant(oracle, other)))
    expected = oracle.counted(end) - oracle.counted(start)
    assert case.calendar.between(start, end) == expected
    assert case.calendar.between(end, start) == -expected


@PROVEN
@given(cases(), fractions, fractions)
def test_add_is_the_first_instant_at_which_so_much_was_counted(case: Case, one: float, share: float) -> None:
    oracle = Oracle(case)
    start = instant(oracle, one)
    span = int(share * (oracle.sums[-1] - oracle.counted(start)))
    assert case.calendar.add(start, span) == oracle.add(start, span)


@PROVEN
@given(cases(), fractions, fractions)
def test_back_is_the_latest_instant_from_which_so_much_remains(case: Case, one: float, share: float) -> None:
    oracle = Oracle(case)
    end = instant(oracle, one)
    span = int(share * oracle.counted(end))
    assert case.calendar.back(end, span) == oracle.back(end, span)


@PROVEN
@given(cases(), fractions, st.integers(0, 40 * 24 * HOUR))
def test_what_is_added_lies_between_and_so_does_what_is_taken_back(
    case: Case, part: float, span: int
) -> None:
    calendar, at = case.calendar, instant(Oracle(case), part)
    later, earlier = calendar.add(at, span), calendar.back(at, span)
    assert calendar.between(at, later) == span
    assert calendar.between(earlier, at) == span
    assert earlier <= at <= later
    assert calendar.add(earlier, span) <= at <= calendar.back(later, span) or span == 0


@PROVEN
@given(cases(), fractions, st.integers(1, 40 * 24 * HOUR))
def test_a_second_less_is_too_early_and_a_second_more_too_late(case: Case, part: float, span: int) -> None:
    calendar, at = case.calendar, instant(Oracle(case), part)
    assert calendar.between(at, calendar.add(at, span) - 1) < span
    assert calendar.between(calendar.back(at, span) + 1, at) < span


@PROVEN
@given(cases(), fractions, st.integers(0, 10 * 24 * HOUR), st.integers(0, 10 * 24 * HOUR))
def test_two_steps_lead_as_far_as_one(case: Case, part: float, one: int, other: int) -> None:
    calendar, at = case.calendar, instant(Oracle(case), part)
    assert calendar.add(at, one + other) == calendar.add(calendar.add(at, one), other)


@PROVEN
@given(cases(), fractions, fractions)
def test_days_add_up_to_the_whole(case: Case, one: float, other: float) -> None:
    oracle = Oracle(case)
    start, end = sorted((instant(oracle, one), instant(oracle, other)))
    days = case.calendar.days(start, end)
    assert sum(day.counted for day in days) == case.calendar.between(start, end)
    assert all(later.date > day.date for day, later in pairwise(days))


@settings(PROVEN, max_examples=15)
@given(cases(), fractions, st.integers(1, 900 * 24 * HOUR))
def test_the_years_worked_out_beforehand_change_nothing(case: Case, part: float, span: int) -> None:
    at = instant(Oracle(case), part)
    spec = CalendarSpec(name="c", timezone=case.zone, hours=case.hours, closed=case.closed, open=case.opened)
    wide = build(spec, case.holidays, range(case.day.year - 4, case.day.year + 5))
    narrow = case.calendar
    assert narrow.between(at, at + span) == wide.between(at, at + span)
    assert narrow.add(at, span // 8) == wide.add(at, span // 8)
    assert narrow.back(at, span // 8) == wide.back(at, span // 8)


# --- by hand -------------------------------------------------------------------------------------------------


def calendar(zone: str, *windows: tuple[int, int], **more: frozenset[str]) -> Calendar:
    """A calendar with the same hours every day, given in minutes."""
    holidays = more.pop("holidays", frozenset())
    spec = CalendarSpec(name="c", timezone=zone, hours=(windows,) * 7, **more)  # type: ignore[arg-type]
    return build(spec, holidays, range(2026, 2027))


def local(text: str, zone: str) -> int:
    """The instant of a local reading, the first one where there are two."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def whole_day(day: str, zone: str, *windows: tuple[int, int]) -> int:
    """The seconds counted on a local date."""
    begin = local(f"{day}T12:00", zone)
    found = calendar(zone, *windows).days(begin - 30 * HOUR, begin + 30 * HOUR)
    return next(each.counted for each in found if each.date == date.fromisoformat(day))


@pytest.mark.parametrize(
    ("zone", "day", "hours_long"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Santiago", "2026-09-06", 23),
        ("America/Santiago", "2026-04-04", 25),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_a_day_that_is_open_all_day_is_as_long_as_it_is(zone: str, day: str, hours_long: float) -> None:
    assert whole_day(day, zone, (0, 1_440)) == hours_long * HOUR


def test_a_skipped_hour_counts_not_at_all() -> None:
    assert whole_day("2026-03-08", "America/New_York", (120, 180)) == 0
    assert whole_day("2026-03-08", "America/New_York", (90, 210)) == HOUR


def test_a_repeated_hour_counts_twice() -> None:
    assert whole_day("2026-11-01", "America/New_York", (60, 120)) == 2 * HOUR
    assert whole_day("2026-11-01", "America/New_York", (90, 120)) == HOUR


def test_a_skipped_midnight_opens_where_the_day_begins() -> None:
    zone = "America/Santiago"
    night = calendar(zone, (0, 120))
    assert night.between(local("2026-09-05T20:00", zone), local("2026-09-06T12:00", zone)) == HOUR


def test_a_repeated_hour_before_midnight_belongs_to_the_day_before() -> None:
    assert whole_day("2026-04-04", "America/Santiago", (1_380, 1_440)) == 2 * HOUR
    assert whole_day("2026-04-05", "America/Santiago", (0, 60)) == HOUR


def test_hours_that_touch_are_one() -> None:
    split = calendar("UTC", (540, 720), (720, 1_020))
    first = local("2026-06-01T00:00", "UTC")
    assert split.between(first, first + 30 * 24 * HOUR) == 30 * 8 * HOUR


def test_nothing_is_due_at_a_closing_time_but_what_is_reached_there() -> None:
    office = calendar("UTC", (540, 1_020))
    nine = local("2026-06-01T09:00", "UTC")
    assert office.add(nine, 8 * HOUR) == local("2026-06-01T17:00", "UTC"), "a closing time will do"
    assert office.add(nine, 8 * HOUR + 1) == local("2026-06-02T09:00:01", "UTC")
    assert office.add(local("2026-06-01T20:00", "UTC"), 0) == local("2026-06-01T20:00", "UTC")


def test_back_stops_at_an_opening_time() -> None:
    office = calendar("UTC", (540, 1_020))
    nine = local("2026-06-02T09:00", "UTC")
    assert office.back(nine, HOUR) == local("2026-06-01T16:00", "UTC")
    assert office.back(local("2026-06-02T10:00", "UTC"), HOUR) == nine


def test_for_a_date_open_replaces_the_hours_and_wins_over_closed_and_holidays() -> None:
    day = "2026-06-01"
    spec = CalendarSpec(
        name="c",
        timezone="UTC",
        hours=(((540, 1_020),),) * 7,
        closed=frozenset({day, "2026-06-02"}),
        open={day: ((600, 660),)},
    )
    found = build(spec, frozenset({day, "2026-06-03"}), range(2026, 2027))
    days = found.days(local(f"{day}T00:00", "UTC"), local("2026-06-05T00:00", "UTC"))
    assert [(each.counted // HOUR, each.kind) for each in days] == [
        (1, "open"),
        (0, "closed"),
        (0, "holiday"),
        (8, ""),
    ]


def test_an_empty_week_is_an_error() -> None:
    with pytest.raises(ValueError, match="no open hours on any day"):
        build(CalendarSpec(name="c", timezone="UTC", hours=((),) * 7), frozenset(), range(2026, 2027))


def test_without_a_calendar_time_runs_day_and_night() -> None:
    assert ALWAYS.between(5, 3) == -2
    assert (ALWAYS.add(5, 3), ALWAYS.back(5, 3)) == (8, 2)
    assert ALWAYS.is_open(7)
    assert ALWAYS.days(0, 10**9) == ()


def test_a_year_that_begins_closed_begins_at_nothing() -> None:
    office = calendar("UTC", (540, 1_020))
    assert office.between(local("2026-01-01T00:00", "UTC"), local("2026-01-01T08:00", "UTC")) == 0


@pytest.mark.parametrize("at", [-(10**9), 0, 10**10])
def test_an_odd_date_is_answered_at_once(at: int) -> None:
    office = calendar("Europe/London", (540, 1_020))
    assert office.between(at, office.add(at, HOUR)) == HOUR
    assert office.between(office.back(at, HOUR), at) == HOUR
