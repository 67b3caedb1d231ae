"""Reads `[calendars.NAME]`: a time zone, hours by weekday, holidays, and dates that differ."""

import re
from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from policies.document import Path
from policies.policy import CalendarSpec
from policies.problems import did_you_mean
from policies.table import Table

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
CALENDAR_KEYS = ("timezone", "hours", "holidays", "closed", "open")

Intervals = tuple[tuple[int, int], ...]

FIXED = frozenset({"EST", "MST", "HST", "GMT0", "GMT+0", "GMT-0"})
"""Zones outside `Etc/` that know no summer time and are no place."""


def read_calendar(name: str, table: Table) -> CalendarSpec | None:
    """One calendar, or None if something that it cannot do without is wrong."""
    table.only(CALENDAR_KEYS)
    timezone, week = read_timezone(table), read_week(table)
    opened, closed = read_open(table), read_closed(table)
    for each in sorted(closed & opened.keys()):
        table.report(("open", each), "open-and-closed", f"{each} is in both `open` and `closed`; remove one.")
    if timezone is None or week is None:
        return None
    return CalendarSpec(
        name=name, timezone=timezone, hours=week, holidays=read_holidays(table), closed=closed, open=opened
    )


def read_timezone(table: Table) -> str | None:
    """A zone of the tz database."""
    if not table.require("timezone", '"Europe/London"'):
        return None
    name = table.text("timezone", '"Europe/London"')
    if name is None:
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones()) or ' Write for example "Europe/London".'
        table.report("timezone", "bad-timezone", f'there is no time zone "{name}".{hint}')
        return None
    if name in FIXED or (name.startswith("Etc/") and name not in ("Etc/UTC", "Etc/UCT")):
        text = f"{name} knows no summer time; write a place, for example Europe/London, if it has one."
        table.report("timezone", "fixed-offset", text, "warning")
    return name


def read_week(table: Table) -> tuple[Intervals, ...] | None:
    """Hours from Monday to Sunday; a day that is not named is closed."""
    if not table.require("hours", '{ mon-fri = "09:00-17:00" }'):
        return None
    hours = table.table("hours")
    if hours is None:
        return None
    week: dict[int, Intervals] = {}
    for key in hours.values:
        read_days(hours, key, week)
    if not hours.values:
        table.report("hours", "empty", 'no day is named; write for example mon-fri = "09:00-17:00".')
    return tuple(week.get(day, ()) for day in range(7))


def read_days(hours: Table, key: str, week: dict[int, Intervals]) -> None:
    """Put the hours of one day or range into the week."""
    first, dash, last = key.partition("-")
    last = last if dash else first
    if first not in DAYS or last not in DAYS:
        hours.report(key, "bad-day", f"`{key}` is not a day or range; write for example mon, sat or mon-fri.")
        return
    days = range(DAYS.index(first), DAYS.index(last) + 1)
    if not days:
        hours.report(key, "bad-day", f"`{key}` runs backwards; ranges run from mon to sun, so write two.")
    intervals = read_intervals(hours, key)
    for day in days:
        if day in week:
            hours.report(key, "duplicate", f"`{key}` names {DAYS[day]} again; name each day once.")
        week[day] = intervals


def read_intervals(table: Table, key: str) -> Intervals:
    """One `"09:00-17:00"` or a list of them, ascending, in minutes of the day."""
    value = table.values[key]
    if not isinstance(value, str | list):
        table.wrong_type(key, value, 'hours, for example "09:00-17:00"')
        return ()
    if not value:
        table.report(key, "empty", f'`{key}` has no hours; write for example "09:00-17:00", or remove it.')
    listed = (
        [((key,), value)] if isinstance(value, str) else [((key, i), each) for i, each in enumerate(value)]
    )
    intervals: list[tuple[int, int]] = []
    for path, each in listed:
        interval = read_interval(table, path, each)
        if interval and intervals and interval[0] < intervals[-1][1]:
            table.report(
                path, "bad-hours", f'"{each}" begins before the hours in front of it end; sort them.'
            )
        elif interval:
            intervals.append(interval)
    return tuple(intervals)


def read_interval(table: Table, path: Path, value: object) -> tuple[int, int] | None:
    """`"09:00-17:00"` in minutes of the day."""
    start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash or not CLOCK.fullmatch(start) or not CLOCK.fullmatch(end):
        table.report(path, "bad-hours", f'{value!r} is not hours; write for example "09:00-17:00".')
        return None
    interval = (minutes(start), minutes(end))
    if interval[0] >= interval[1]:
        table.report(
            path,
            "bad-hours",
            f'"{value}" does not end after it begins; hours stay within a day, split them at 24:00.',
        )
        return None
    return interval


def minutes(clock: str) -> int:
    """`13:30` as minutes of the day."""
    return int(clock[:2]) * 60 + int(clock[3:])


def read_holidays(table: Table) -> tuple[str, ...]:
    """Countries and states whose public holidays are closed; the connector knows which exist."""
    regions = table.texts("holidays", '["US-NY"]') or ()
    for index, region in enumerate(regions):
        if not REGION.fullmatch(region):
            table.report(
                ("holidays", index),
                "bad-region",
                f'"{region}" is not a country or state; write "US" or "US-NY".',
            )
    return regions


def read_closed(table: Table) -> frozenset[str]:
    """Dates without hours."""
    value = table.values.get("closed", [])
    if not isinstance(value, list):
        table.wrong_type("closed", value, 'a list of dates, for example ["2026-12-24"]')
        return frozenset()
    dates = (read_date(table, ("closed", index), each) for index, each in enumerate(value))
    return frozenset(each for each in dates if each)


def read_open(table: Table) -> Mapping[str, Intervals]:
    """Dates with hours of their own."""
    opened = table.table("open")
    if opened is None:
        return {}
    return {
        day: read_intervals(opened, day)
        for day in opened.values
        if read_date(opened, (day,), day) is not None
    }


def read_date(table: Table, path: Path, value: object) -> str | None:
    """A date of the calendar as ISO text; TOML's own dates will do."""
    text = value.isoformat() if type(value) is date else value
    try:
        if isinstance(text, str) and date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    table.report(path, "bad-date", f'{value!r} is not a date; write for example "2026-12-24".')
    return None
