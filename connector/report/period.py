"""The days that a report covers, in a named timezone, and the days, weeks or months a trend is made of. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies.model import Instant
from policies.rules.calendars import day_end

Grain = Literal["day", "week", "month"]

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Local dates, both inclusive. `begin` is the first instant of `first`, `end` the first after `last`."""

    first: date
    last: date
    timezone: tzinfo
    begin: Instant = field(init=False)
    end: Instant = field(init=False)

    def __post_init__(self) -> None:
        # reckoned once: every figure asks for them about every ticket
        object.__setattr__(self, "begin", day_end(self.first - ONE_DAY, self.timezone))
        object.__setattr__(self, "end", day_end(self.last, self.timezone))

    @property
    def name(self) -> str:
        """`2026-03-01 to 2026-03-31 (Europe/Vienna)`."""
        return f"{self.first} to {self.last} ({self.timezone})"


def zone_asked(text: str) -> tzinfo:
    """The timezone of this name. ValueError if there is none."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'{text!r} is no timezone; write a place, for example "Europe/Vienna"') from None


def period_asked(first: str, last: str, timezone: tzinfo) -> Period:
    """The period from one ISO date to another. ValueError says what is wrong."""
    period = Period(first=day_asked("--from", first), last=day_asked("--to", last), timezone=timezone)
    if period.last < period.first:
        raise ValueError(f"the period ends on {last}, before it begins on {first}")
    return period


def day_asked(option: str, text: str) -> date:
    """An ISO date. ValueError names the option."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{option}: {text!r} is no date; write for example "2026-03-31"') from None
    if not 1990 <= day.year <= 2099:
        raise ValueError(f"{option}: {text} is too far away; years from 1990 to 2099 are understood")
    return day


def grain_of(period: Period) -> Grain:
    """Days up to a month, weeks up to half a year, else months."""
    days = (period.last - period.first).days + 1
    return "day" if days <= 31 else "week" if days <= 184 else "month"


def parts(period: Period, grain: Grain) -> Iterator[Period]:
    """The period in days, weeks (from Monday) or calendar months; the first and last may be cut short."""
    first = period.first
    while first <= period.last:
        last = min(last_day(first, grain), period.last)
        yield Period(first=first, last=last, timezone=period.timezone)
        first = last + ONE_DAY


def last_day(day: date, grain: Grain) -> date:
    """The last day of the day, week or month that this day is in."""
    if grain == "day":
        return day
    if grain == "week":
        return day + timedelta(days=6 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY


def hour_of_week(at: Instant, timezone: tzinfo) -> tuple[int, int]:
    """The local weekday (0 is Monday) and hour of an instant."""
    local = datetime.fromtimestamp(at, timezone)
    return local.weekday(), local.hour
