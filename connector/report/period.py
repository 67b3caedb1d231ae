"""The days that a report covers, in a named timezone, what a trend is made of, and what a report is made
with. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies.language.policy import Policy, PolicySet
from policies.language.vocabulary import ACTIONS
from policies.model import Directory, Instant, Seconds
from policies.rules.calendars import Calendar, day_end

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


WINDOW: Seconds = 7 * 86_400
"""How long after a solving a reopening counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`business` is the calendar of business times, None without one. `window` is how long, in
    seconds, a reopening counts."""

    period: Period
    now: Instant
    policies: PolicySet
    calendars: Mapping[str, Calendar]
    business: Calendar | None = None
    window: Seconds = WINDOW

    def policy(self, name: str) -> Policy | None:
        """The policy of this name as it is now; None if it was removed or renamed."""
        return next((each for each in self.policies.policies if each.name == name), None)

    def only_notifies(self, policy: str, level: str) -> bool:
        """Whether the level, as it is written now, does nothing but tell a channel. Such a level is no escalation."""
        known = self.policy(policy)
        found = next((each for each in known.levels if each.name == level), None) if known else None
        if found is None:
            return False
        return all(
            each.owner is None and not any(getattr(each, key) for key in ACTIONS if key != "notify")
            for each in found.variants
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Groups of one account: names by id, and the ids of each group's members; both empty if never read."""

    names: Mapping[str, str]
    members: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, directory: Directory | None) -> "People":
        """The groups as the directory tells them."""
        if directory is None:
            return cls(names={}, members={})
        members = {
            group.id: frozenset(each.person.id for each in directory.agents if group.id in each.groups)
            for group in directory.groups
        }
        return cls(names={group.id: group.name for group in directory.groups}, members=members)

    def name(self, group: object) -> str:
        """The group's name; its id where nobody knows the name."""
        return "no group" if group is None else self.names.get(str(group), str(group))
