"""From local opening hours to open intervals in UTC, a year at a time, right across each clock change."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, tzinfo

from policies.model import Instant, Seconds

Window = tuple[int, int]
"""Local minutes of a day, half-open."""

Interval = tuple[Instant, Instant]
"""UTC, half-open."""

DAY = 86_400
STRIDE = 6 * 3_600
"""How far apart the offset is probed for changes; no zone changes it twice within that time."""

EPOCH = date(1970, 1, 1)


def intervals_of_year(
    year: int, zone: tzinfo, windows: Callable[[date], tuple[Window, ...]]
) -> tuple[Interval, ...]:
    """The open intervals of a UTC year, ascending and clipped to it. Neighbours that touch are one."""
    merged: list[Interval] = []
    for start, end in sorted(pieces(year, zone, windows)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def pieces(year: int, zone: tzinfo, windows: Callable[[date], tuple[Window, ...]]) -> Iterator[Interval]:
    """Each window of each date, cut where the offset changes: inside a stretch of one offset, local time is
    UTC plus a constant, so the cut is exact."""
    for start, end, offset in stretches(year_start(year), year_start(year + 1), zone):
        day, last = local_day(start + offset), local_day(end - 1 + offset)
        while day <= last:
            midnight = (day - EPOCH).days * DAY - offset
            for opens, closes in windows(day):
                piece = max(start, midnight + opens * 60), min(end, midnight + closes * 60)
                if piece[0] < piece[1]:
                    yield piece
            day += timedelta(days=1)


def stretches(begin: Instant, end: Instant, zone: tzinfo) -> Iterator[tuple[Instant, Instant, Seconds]]:
    """The time from `begin` to `end` cut into stretches of one UTC offset, with that offset."""
    start, offset = begin, offset_at(begin, zone)
    for probe in range(begin + STRIDE, end + STRIDE, STRIDE):
        if offset_at(probe, zone) != offset:
            change = change_between(probe - STRIDE, probe, zone)
            if change >= end:
                break
            yield start, change, offset
            start, offset = change, offset_at(probe, zone)
    yield start, end, offset


def change_between(low: Instant, high: Instant, zone: tzinfo) -> Instant:
    """The first instant with the offset of `high`; `low` has another."""
    wanted = offset_at(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(middle, zone) == wanted:
            high = middle
        else:
            low = middle
    return high


def offset_at(at: Instant, zone: tzinfo) -> Seconds:
    """Local time minus UTC at this instant."""
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def day_end(day: date, zone: tzinfo) -> Instant:
    """The first instant whose local date is later: midnight, or what stands there if it is skipped."""
    midnight = (day - EPOCH).days * DAY + DAY
    low, high = midnight - 15 * 3_600, midnight + 15 * 3_600
    while high - low > 1:
        middle = (low + high) // 2
        if local_day(middle + offset_at(middle, zone)) > day:
            high = middle
        else:
            low = middle
    return high


def local_day(local: Seconds) -> date:
    """The date of a local reading given in seconds since 1970-01-01 00:00 local."""
    return EPOCH + timedelta(days=local // DAY)


def year_start(year: int) -> Instant:
    """The first instant of a UTC year."""
    return (date(year, 1, 1) - EPOCH).days * DAY
