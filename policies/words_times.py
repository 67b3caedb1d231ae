"""Spans, clocks, calendars and when a level is due, in plain English."""

from collections.abc import Iterator

from policies.durations import UNITS
from policies.model import Seconds
from policies.parse_calendar import DAYS, Intervals
from policies.parse_policy import CLOCKS
from policies.policy import DEADLINES, CalendarSpec, Level, Policy
from policies.problems import listed

DATES_SHOWN = 6
"""How many dates of a calendar are named; the rest is counted."""


def span(seconds: Seconds, *, days: bool = True) -> str:
    """`30 min`, `1 h 30 min`, `2 days`. Days only where they are allowed: on a calendar they have no length."""
    if days and seconds >= 2 * UNITS["d"] and seconds % UNITS["d"] == 0:
        return f"{seconds // UNITS['d']} days"
    hours, rest = divmod(seconds, UNITS["h"])
    parts = ((hours, "h"), (rest // UNITS["m"], "min"), (rest % UNITS["m"], "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def clock(policy: Policy) -> str:
    """What the levels count from: `from the creation of the ticket`."""
    said = CLOCKS[policy.clock].removesuffix(".")
    paused = f"; it stands still while {listed(sorted(policy.pause_on))}" if policy.pause_on else ""
    return said[0].lower() + said[1:] + paused


def due(policy: Policy, index: int) -> str:
    """When a level of the policy is due, the calendar by name: `after 30 min of business time (support)`."""
    level = policy.levels[index]
    if level.at is not None:
        return f"at {level.at}% of the {business(policy)}time to the deadline"
    if level.before is not None:
        return f"{length(policy, level.before)} before the deadline"
    after = level.after or 0
    if level.clock == "since_last_level":
        before = policy.levels[index - 1].name
        return f'{length(policy, after)} after "{before}"' if after else f'together with "{before}"'
    if policy.clock in DEADLINES:
        return f"{length(policy, after)} after the deadline" if after else "at the deadline"
    return f"after {length(policy, after)}" if after else "at once"


def length(policy: Policy, seconds: Seconds) -> str:
    """A span on the policy's calendar."""
    return f"{span(seconds, days=policy.calendar is None)}{counted(policy)}"


def counted(policy: Policy) -> str:
    """What is said behind a span if only open hours count."""
    return f" of business time ({policy.calendar})" if policy.calendar else ""


def business(policy: Policy) -> str:
    """What kind of time it is, if only open hours count."""
    return f"business ({policy.calendar}) " if policy.calendar else ""


def repeated(policy: Policy, level: Level) -> str:
    """How often the note and the notifications are said again; nothing if they are not."""
    if level.repeat is None:
        return ""
    times = "once more" if level.repeat.times == 1 else f"{level.repeat.times} times more"
    return f"{times}, every {length(policy, level.repeat.every)}"


def calendar(spec: CalendarSpec | None) -> str:
    """The hours of a calendar: `Mon-Fri 09:00-17:00; New York time; closed on public holidays of US-NY`."""
    if spec is None:
        return "day and night"
    parts = [*week(spec.hours), place(spec.timezone)]
    if spec.holidays:
        parts.append(f"closed on public holidays of {listed(spec.holidays, 'and')}")
    if spec.closed:
        parts.append(f"closed on {dates(sorted(spec.closed))}")
    if spec.open:
        parts.append(f"open on {dates([f'{day} {hours(spec.open[day])}' for day in sorted(spec.open)])}")
    return "; ".join(parts)


def week(days: tuple[Intervals, ...]) -> Iterator[str]:
    """The open days, those in a row with the same hours together."""
    first = 0
    for day in range(1, len(days) + 1):
        if day < len(days) and days[day] == days[first]:
            continue
        if days[first]:
            names = DAYS[first].title() if day - 1 == first else f"{DAYS[first]}-{DAYS[day - 1]}".title()
            yield f"{names} {hours(days[first])}"
        first = day


def hours(intervals: Intervals) -> str:
    """`08:00-12:00 and 13:00-18:00`; `closed` for none."""
    if not intervals:
        return "closed"
    return listed([f"{reading(start)}-{reading(end)}" for start, end in intervals], "and")


def reading(minutes: int) -> str:
    """A minute of the day as a clock shows it."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def place(timezone: str) -> str:
    """Whose time it is: the city of the zone."""
    city = timezone.rpartition("/")[2].replace("_", " ")
    return f"{city} time" if "/" in timezone else city


def dates(days: list[str]) -> str:
    """The first few of these dates, and how many more there are."""
    more = len(days) - DATES_SHOWN
    return f"{', '.join(days[:DATES_SHOWN])} and {more} more" if more > 0 else listed(days, "and")
