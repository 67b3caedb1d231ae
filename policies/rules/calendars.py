"""Business time: how much of it lies between two instants, and which instant lies so much of it away, in UTC; and how
much of it counts on a ticket, pauses left out (rule 1).

A calendar measures; it never says when Uptier may act. All arithmetic is on UTC seconds and half-open
intervals. An instant is open exactly if its local wall-clock reading lies in an interval of its local date,
so a repeated hour counts twice and a skipped one not at all.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from policies.history import History
from policies.language.policy import CalendarSpec
from policies.language.vocabulary import DAYS
from policies.model import Instant, Seconds, Ticket

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
    for start, end, offset in of_one_offset(year_start(year), year_start(year + 1), zone):
        day, last = local_day(start + offset), local_day(end - 1 + offset)
        while day <= last:
            midnight = (day - EPOCH).days * DAY - offset
            for opens, closes in windows(day):
                piece = max(start, midnight + opens * 60), min(end, midnight + closes * 60)
                if piece[0] < piece[1]:
                    yield piece
            day += timedelta(days=1)


def of_one_offset(begin: Instant, end: Instant, zone: tzinfo) -> Iterator[tuple[Instant, Instant, Seconds]]:
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


@lru_cache(maxsize=4096)
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


def next_in_week(on: Seconds, since: Instant, zone: tzinfo) -> Instant:
    """The first instant at or after `since` at which the local time of the week is `on`, in seconds from the beginning
    of Monday. A time that is skipped is the first instant after the gap, one that is repeated the first of the two."""
    today = local_day(since + offset_at(since, zone))
    day = today - timedelta(days=(today.weekday() - on // DAY) % 7 + 7)
    while True:
        local = datetime.combine(day, time.min) + timedelta(seconds=on % DAY)
        first, second = (int(local.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
        at = first if first <= second else change_between(second, first, zone)
        if at >= since:
            return at
        day += timedelta(days=7)


def time_of_week(on: Seconds) -> str:
    """As a policy writes it: `fri 17:00`."""
    minute = on % DAY // 60
    return f"{DAYS[on // DAY]} {minute // 60:02}:{minute % 60:02}"


def year_start(year: int) -> Instant:
    """The first instant of a UTC year."""
    return (date(year, 1, 1) - EPOCH).days * DAY


FIRST_YEAR = 1990
LAST_YEAR = 2099
"""Outside these years every second counts: nobody waits that long, and no odd date makes a table grow."""

DayKind = Literal["", "holiday", "closed", "open"]


@dataclass(frozen=True, slots=True)
class Day:
    """One local date of a sum: how much of it was counted, and whether it is out of the ordinary."""

    date: date
    counted: Seconds
    kind: DayKind = ""


class Calendar(Protocol):
    """What counts as time. `timezone` is for printing instants."""

    name: str
    timezone: tzinfo

    def between(self, start: Instant, end: Instant) -> Seconds:
        """The counted seconds from `start` to `end`; negative if `end` is earlier."""

    def add(self, start: Instant, span: Seconds) -> Instant:
        """The first instant at which `span` has been counted since `start`; `start` itself for 0."""

    def back(self, end: Instant, span: Seconds) -> Instant:
        """The latest instant from which `span` remains until `end`; `end` itself for 0."""

    def is_open(self, at: Instant) -> bool:
        """Whether time counts at this instant."""

    def days(self, start: Instant, end: Instant) -> tuple[Day, ...]:
        """The counted seconds from `start` to `end` by local date; empty without a calendar."""


class DayAndNight:
    """No calendar: every second counts."""

    name = ""
    timezone: tzinfo = UTC

    def between(self, start: Instant, end: Instant) -> Seconds:
        return end - start

    def add(self, start: Instant, span: Seconds) -> Instant:
        return start + span

    def back(self, end: Instant, span: Seconds) -> Instant:
        return end - span

    def is_open(self, at: Instant) -> bool:
        del at
        return True

    def days(self, start: Instant, end: Instant) -> tuple[Day, ...]:
        del start, end
        return ()


ALWAYS: Calendar = DayAndNight()


@dataclass(frozen=True, slots=True)
class Table:
    """Open intervals from `begin` to `end`, ascending, with how much was counted before and through each.

    Beyond its ends every second counts, so it must reach to what is asked, or to the outermost year.
    """

    begin: Instant
    end: Instant
    starts: tuple[Instant, ...]
    ends: tuple[Instant, ...]
    before: tuple[Seconds, ...]
    through: tuple[Seconds, ...]

    @classmethod
    def of(cls, begin: Instant, end: Instant, intervals: Iterable[Interval]) -> "Table":
        """The table of these open intervals."""
        starts, ends = zip(*intervals, strict=True)
        through = tuple(accumulate(end - start for start, end in zip(starts, ends, strict=True)))
        return cls(begin, end, starts, ends, (0, *through[:-1]), through)

    def counted(self, at: Instant) -> Seconds:
        """The counted seconds from `begin` to this instant."""
        if at <= self.begin:
            return at - self.begin
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.ends[index]) - self.starts[index] + max(at - self.end, 0)

    def first(self, counted: Seconds) -> Instant:
        """The first instant at which so much was counted."""
        if counted <= 0:
            return self.begin + counted
        if counted > self.through[-1]:
            return self.end + counted - self.through[-1]
        index = bisect_left(self.through, counted)
        return self.ends[index] - (self.through[index] - counted)

    def latest(self, counted: Seconds) -> Instant:
        """The latest instant at which no more than so much was counted."""
        if counted < 0:
            return self.begin + counted
        if counted >= self.through[-1]:
            return self.end + counted - self.through[-1]
        index = bisect_right(self.before, counted) - 1
        return self.starts[index] + counted - self.before[index]


class OpeningHours:
    """Opening hours in one timezone. Years are worked out when first asked for, and always the same way."""

    def __init__(self, spec: CalendarSpec, holidays: frozenset[str], years: range) -> None:
        self.name = spec.name
        self.timezone: tzinfo = ZoneInfo(spec.timezone)
        self._spec = spec
        self._holidays = holidays
        self._worked_out: dict[int, tuple[Interval, ...]] = {}
        self._years = range(clamped(years.start), clamped(years.stop - 1) + 1)
        self._table = self._tabulated(self._years)

    def between(self, start: Instant, end: Instant) -> Seconds:
        table = self._covering(min(start, end), max(start, end))
        return table.counted(end) - table.counted(start)

    def add(self, start: Instant, span: Seconds) -> Instant:
        if span <= 0:
            return start
        table = self._covering(start, start)
        while table.through[-1] < table.counted(start) + span and self._years.stop <= LAST_YEAR:
            table = self._widened(self._years.start, self._years.stop)
        return table.first(table.counted(start) + span)

    def back(self, end: Instant, span: Seconds) -> Instant:
        if span <= 0:
            return end
        table = self._covering(end, end)
        while table.counted(end) < span and self._years.start > FIRST_YEAR:
            table = self._widened(self._years.start - 1, self._years.stop - 1)
        return table.latest(table.counted(end) - span)

    def is_open(self, at: Instant) -> bool:
        return self.between(at, at + 1) == 1

    def days(self, start: Instant, end: Instant) -> tuple[Day, ...]:
        return tuple(self._each_day(start, end))

    def _each_day(self, start: Instant, end: Instant) -> Iterator[Day]:
        at = start
        while at < end:
            today = datetime.fromtimestamp(at, self.timezone).date()
            midnight = min(day_end(today, self.timezone), end)
            yield Day(today, self.between(at, midnight), self._kind(today))
            at = midnight

    def _kind(self, day: date) -> DayKind:
        iso = day.isoformat()
        if iso in self._spec.open:
            return "open"
        if iso in self._spec.closed:
            return "closed"
        return "holiday" if iso in self._holidays else ""

    def _windows(self, day: date) -> tuple[Window, ...]:
        kind = self._kind(day)
        if kind == "open":
            return self._spec.open[day.isoformat()]
        return () if kind else self._spec.hours[day.weekday()]

    def _covering(self, start: Instant, end: Instant) -> Table:
        table = self._table
        if table.begin <= start and end < table.end:
            return table
        first, last = year_of(start), year_of(end)
        if first in self._years and last in self._years:
            return self._table
        return self._widened(min(self._years.start, first), max(self._years.stop - 1, last))

    def _widened(self, first: int, last: int) -> Table:
        years = range(first, last + 1)
        self._table, self._years = self._tabulated(years), years
        return self._table

    def _tabulated(self, years: range) -> Table:
        for year in years:
            if year not in self._worked_out:
                self._worked_out[year] = intervals_of_year(year, self.timezone, self._windows)
        intervals = [each for year in years for each in self._worked_out[year]]
        return Table.of(year_start(years.start), year_start(years.stop), intervals)


def build(spec: CalendarSpec, holidays: frozenset[str], years: range) -> Calendar:
    """The calendar as written. `holidays` are ISO dates; `years` are worked out now.

    ValueError if no day of the week is open.
    """
    if not any(spec.hours):
        raise ValueError(
            f"calendars.{spec.name} has no open hours on any day of the week, so nothing would ever be due; "
            'give hours, for example hours = { mon-fri = "09:00-17:00" }'
        )
    return OpeningHours(spec, holidays, years)


def clamped(year: int) -> int:
    """The nearest year that a table may reach."""
    return max(FIRST_YEAR, min(year, LAST_YEAR))


def year_of(at: Instant) -> int:
    """The UTC year of an instant, or the nearest year that a table may reach."""
    within = max(year_start(FIRST_YEAR), min(at, year_start(LAST_YEAR + 1) - 1))
    return datetime.fromtimestamp(within, UTC).year


def opening(calendar: Calendar, at: Instant) -> Instant:
    """`at` if the calendar is open then, else when it next opens."""
    return calendar.add(at, 1) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Time that counts on a calendar, except while the ticket was paused. `paused` are ascending; the last
    ends at `now` while the ticket is still paused. `calendars` are all there are, by name."""

    calendar: Calendar
    paused: tuple[Interval, ...]
    now: Instant
    is_paused: bool
    calendars: Mapping[str, Calendar]

    def opens(self, name: str, at: Instant) -> Instant:
        """`at` if this calendar is open then, else when it next opens."""
        return opening(self.calendars[name], at)

    def is_open(self, name: str) -> bool:
        """Whether this calendar is open now."""
        return self.calendars[name].is_open(self.now)

    def elapsed(self, start: Instant) -> Seconds:
        """What has been counted from `start` to now."""
        return sum(self.calendar.between(*stretch) for stretch in self.running(start))

    def due(self, start: Instant, span: Seconds) -> Instant | None:
        """The first instant at which `span` has been counted; None while a pause keeps it from being known."""
        if span <= 0:
            return start
        if not self.paused and not self.is_paused:
            return self.calendar.add(start, span)
        for at, end in self.running(start):
            counted = self.calendar.between(at, end)
            if counted >= span:
                return self.calendar.add(at, span)
            span -= counted
        return None if self.is_paused else self.calendar.add(max(start, self.now), span)

    def running(self, start: Instant) -> list[Interval]:
        """The stretches from `start` to now in which nothing was paused."""
        stretches: list[Interval] = []
        at = start
        for pause, resume in self.paused:
            if at < pause:
                stretches.append((at, pause))
            at = max(at, resume)
        return [*stretches, (at, self.now)] if at < self.now else stretches


def pauses(ticket: Ticket, history: History, pause_on: frozenset[str], now: Instant) -> tuple[Interval, ...]:
    """The stretches in which the ticket stood in one of these statuses, up to now."""
    if not pause_on:
        return ()
    changes = [(each.act.at, each.before, each.after) for each in history.changes("status")]
    status = changes[0][1] if changes else ticket.status.value
    at, stretches = ticket.created, list[Interval]()
    for change_at, _, after in (*changes, (now, None, None)):
        if status in pause_on and at < change_at:
            stretches.append((at, change_at))
        at, status = max(at, change_at), after
    return tuple(stretches)
