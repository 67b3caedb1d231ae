"""Reads the tables beside the policies: calendars, channels, people, groups, phrases, SLA targets and staff."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import re2

from policies.language.conditions import Limits
from policies.language.document import Path, did_you_mean
from policies.language.phrases import Pack, fault, made, pattern, shipped
from policies.language.policy import Absence, CalendarSpec, ChannelSpec, SlaSpec, Staff
from policies.language.reader import Table
from policies.language.references import References
from policies.language.vocabulary import CHANNEL_KEYS, DAYS, GROUP_KEYS, OWNERS_OWN, PERSON_KEYS
from policies.model import Metric, Priority, Seconds

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
CALENDAR_KEYS = ("timezone", "hours", "holidays", "closed", "open")

Intervals = tuple[tuple[int, int], ...]
Pairs = Sequence[tuple[str, Table]]
"""Tables by name."""

Owned = Sequence[tuple[str, tuple[str, ...]]]
"""Channels by whom they belong to."""

FIXED = frozenset({"EST", "MST", "HST", "GMT0", "GMT+0", "GMT-0"})
"""Zones outside `Etc/` that know no summer time and are no place."""


def read_calendar(name: str, table: Table) -> CalendarSpec | None:
    """One calendar, or None if something that it cannot do without is wrong. Which regions have public holidays the
    connector knows."""
    table.only(CALENDAR_KEYS)
    timezone, week = read_timezone(table), read_week(table)
    holidays = table.texts("holidays", '["US-NY"]') or ()
    for index, region in enumerate(holidays):
        if not REGION.fullmatch(region):
            text = f'"{region}" is not a country or state; write "US" or "US-NY".'
            table.report(("holidays", index), "bad-region", text)
    days = table.values.get("closed", [])
    if not isinstance(days, list):
        table.wrong_type("closed", days, 'a list of dates, for example ["2026-12-24"]')
        days = []
    dates = (read_date(table, ("closed", index), each) for index, each in enumerate(days))
    closed = frozenset(each for each in dates if each)
    inner = table.table("open")
    opened = (
        {}
        if inner is None
        else {day: read_intervals(inner, day) for day in inner.values if read_date(inner, (day,), day)}
    )
    for each in sorted(closed & opened.keys()):
        table.report(("open", each), "open-and-closed", f"{each} is in both `open` and `closed`; remove one.")
    if timezone is None or week is None:
        return None
    return CalendarSpec(
        name=name, timezone=timezone, hours=week, holidays=holidays, closed=closed, open=opened
    )


def read_timezone(table: Table) -> str | None:
    """A zone of the tz database."""
    example = '"Europe/London"'
    name = table.text("timezone", example) if table.require("timezone", example) else None
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
    hours = table.table("hours") if table.require("hours", '{ mon-fri = "09:00-17:00" }') else None
    if hours is None:
        return None
    if not hours.values:
        hours.report("hours", "empty", 'no day is named; write for example mon-fri = "09:00-17:00".')
    week: dict[int, Intervals] = {}
    for key in hours.values:
        first, dash, last = key.partition("-")
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            text = f"`{key}` is not a day or range; write for example mon, sat or mon-fri."
            hours.report(key, "bad-day", text)
            continue
        days = range(DAYS.index(first), DAYS.index(last) + 1)
        if not days:
            text = f"`{key}` runs backwards; ranges run from mon to sun, so write two."
            hours.report(key, "bad-day", text)
        intervals = read_intervals(hours, key)
        for day in days:
            if day in week:
                hours.report(key, "duplicate", f"`{key}` names {DAYS[day]} again; name each day once.")
            week[day] = intervals
    return tuple(week.get(day, ()) for day in range(7))


def read_intervals(table: Table, key: str) -> Intervals:
    """One `"09:00-17:00"` or a list of them, ascending, in minutes of the day."""
    value = table.values[key]
    if not isinstance(value, str | list):
        table.wrong_type(key, value, 'hours, for example "09:00-17:00"')
        return ()
    if not value:
        table.report(key, "empty", f'`{key}` has no hours; write for example "09:00-17:00", or remove it.')
    every = {(key,): value} if isinstance(value, str) else {(key, i): each for i, each in enumerate(value)}
    intervals: list[tuple[int, int]] = []
    for path, each in every.items():
        start, dash, end = each.partition("-") if isinstance(each, str) else ("", "", "")
        if not dash or not CLOCK.fullmatch(start) or not CLOCK.fullmatch(end):
            table.report(path, "bad-hours", f'{each!r} is not hours; write for example "09:00-17:00".')
            continue
        interval = minutes(start), minutes(end)
        if interval[0] >= interval[1]:
            text = "does not end after it begins; hours stay within a day, split them at 24:00."
            table.report(path, "bad-hours", f'"{each}" {text}')
        elif intervals and interval[0] < intervals[-1][1]:
            text = f'"{each}" begins before the hours in front of it end; sort them.'
            table.report(path, "bad-hours", text)
        else:
            intervals.append(interval)
    return tuple(intervals)


def minutes(clock: str) -> int:
    """`13:30` as minutes of the day."""
    return int(clock[:2]) * 60 + int(clock[3:])


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


def read_channel(
    name: str, table: Table, templates: Collection[str], calendars: Collection[str]
) -> ChannelSpec:
    """One channel; what is wrong with it is noted."""
    table.only(CHANNEL_KEYS)
    template = table.text("template", '"handoff"')
    if template is not None:
        table.exists("template", "template", template, templates)
    calendar, above, within = None, None, None
    if (quiet := table.table("quiet")) is not None:
        quiet.only(("calendar",))
        if quiet.require("calendar", '"leads-hours"'):
            calendar = quiet.text("calendar", '"leads-hours"')
        if calendar is not None:
            quiet.exists("calendar", "calendar", calendar, calendars)
    if (digest := table.table("digest")) is not None:
        digest.only(("above", "within"))
        above = digest.whole("above", 1, 1_000) if digest.require("above", "5") else None
        within = digest.seconds("within", None) if digest.require("within", '"10m"') else None
        if within == 0:
            digest.report("within", "out-of-range", "`within` must be longer than nothing.")
    gathers = bool(above and within)
    return ChannelSpec(
        name=name,
        template=template,
        quiet=calendar,
        digest_above=(above or 0) if gathers else 0,
        digest_within=(within or 0) if gathers else 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All that the files say of people and groups: whose manager is who, who leads a group and is on call for it, who
    may decide how much, who is away."""

    managers: Mapping[str, str]
    leads: Mapping[str, str]
    on_call: Mapping[str, str]
    limits: Limits
    staff: Staff

    @property
    def named(self) -> frozenset[str]:
        """Everybody whom the files know."""
        others = (*self.managers.values(), *self.leads.values(), *self.on_call.values())
        return frozenset({*self.managers, *others})


AWAY_EXAMPLE = '["2026-12-24", "2026-12-27..2027-01-06"]'


def read_people(roots: Sequence[Table]) -> People:
    """The people and groups of all files."""
    people = [pair for root in roots for pair in root.named("people")]
    groups = [pair for root in roots for pair in root.named("groups")]
    for tables, keys in ((people, PERSON_KEYS), (groups, GROUP_KEYS)):
        for _, table in tables:
            table.only(keys)

    def texts(tables: Pairs, key: str, example: str) -> dict[str, str]:
        return {name: said for name, table in tables if (said := table.text(key, example))}

    def limits(tables: Pairs) -> dict[str, float]:
        return {name: limit for name, table in tables if (limit := table.amount("limit")) is not None}

    substitutes = texts(people, "substitute", '"lee@acme.test"')
    check_circles(people, substitutes)
    skills = ((name, table.texts("skills", '["billing", "de"]')) for name, table in people)
    known = {name: table for root in roots for name, table in root.named("channels")}
    if OWNERS_OWN in known:
        text = f"`{OWNERS_OWN}` stands for the owner's own channels; give this one another name."
        known[OWNERS_OWN].report((), "reserved", text)
    theirs, shared = (
        [(name, own_channels(table, known)) for name, table in tables] for tables in (people, groups)
    )
    return People(
        managers=texts(people, "manager", '"lee@acme.test"'),
        leads=texts(groups, "lead", '"dana@acme.test"'),
        on_call=texts(groups, "on_call", '"dana@acme.test"'),
        limits=Limits(people=limits(people), groups=limits(groups)),
        staff=Staff(
            absences={name: found for name, table in people if (found := tuple(read_absences(table)))},
            substitutes=substitutes,
            caps={name: cap for name, table in people if (cap := table.whole("cap", 1, 10_000)) is not None},
            skills={name: frozenset(said) for name, said in skills if said is not None},
            channels={name: own for name, own in (*theirs, *shared) if own},
            personal=whose(theirs, shared),
        ),
    )


def whose(people: Owned, groups: Owned) -> dict[str, str]:
    """The channels that one person has, and nobody else and no group: whose each is."""
    had = Counter(channel for _, own in (*people, *groups) for channel in own)
    return {channel: name for name, own in people for channel in own if had[channel] == 1}


def own_channels(table: Table, known: Collection[str]) -> tuple[str, ...]:
    """The channels of a person or a group, by name."""
    said = table.texts("channels", '["dana-phone"]') or ()
    for index, channel in enumerate(said):
        table.exists(("channels", index), "channel", channel, known, " to the main file")
    return said


def read_absences(table: Table) -> Iterator[Absence]:
    """Days and ranges of days, both ends included, in the person's own time zone."""
    zone = ZoneInfo((read_timezone(table) if "timezone" in table.values else None) or "UTC")
    for index, text in enumerate(table.texts("absent", AWAY_EXAMPLE) or ()):
        first, dots, last = text.partition("..")
        try:
            begins, ends = date.fromisoformat(first), date.fromisoformat(last if dots else first)
        except ValueError:
            table.report(
                ("absent", index), "bad-date", f"{text!r} is no day and no range; write {AWAY_EXAMPLE}."
            )
            continue
        if ends < begins:
            table.report(("absent", index), "bad-date", f"{text!r} ends before it begins.")
            continue
        yield Absence(
            begins=midnight(begins, zone), ends=midnight(ends + timedelta(days=1), zone), until=str(ends)
        )


def midnight(day: date, zone: ZoneInfo) -> int:
    """When a day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def check_circles(people: Sequence[tuple[str, Table]], substitutes: dict[str, str]) -> None:
    """Note people who stand in for each other in a circle: if all are away, nobody is left."""
    for name, table in people:
        seen, at = [name], substitutes.get(name)
        while at is not None and at not in seen:
            seen.append(at)
            at = substitutes.get(at)
        if at == name:
            circle = " → ".join([*seen, name])
            table.report(
                "substitute", "substitute-circle", f"{circle}: nobody is left if all are away.", "warning"
            )


LANGUAGE = re.compile(r"[a-z]{2,3}")
PHRASES_EXAMPLE = '["speak to your manager"]'


def read_packs(roots: Sequence[Table]) -> Mapping[str, Pack]:
    """Every pack by name: those that come with Uptier, with what the files add to them."""
    phrases = {name: dict(pack.phrases) for name, pack in shipped().items()}
    for root in roots:
        for name, table in root.named("phrases"):
            if not table.values:
                text = f"the pack has no phrase; write for example en = {PHRASES_EXAMPLE}."
                table.report((), "empty", text)
            pack = phrases.setdefault(name, {})
            for language in table.values:
                pack[language] = (*pack.get(language, ()), *read_language(table, language))
    return {name: made(name, said) for name, said in phrases.items()}


def read_language(table: Table, language: str) -> Iterator[str]:
    """The phrases of one language that RE2 takes, and that are in no empty text; what is wrong with the others is
    noted."""
    if not LANGUAGE.fullmatch(language):
        text = f"`{language}` is no language; write its code, such as en, de or pt."
        table.report(language, "unknown-key", text)
        return
    for index, phrase in enumerate(table.texts(language, PHRASES_EXAMPLE) or ()):
        try:
            found = pattern((phrase,))("")
        except re2.error as error:
            wrong = f"is not a pattern that RE2 takes: {fault(error)}."
        else:
            wrong = "is found in every text; write a word in it." if found is not None else ""
        if wrong:
            table.report((language, index), "bad-pattern", f"`{phrase}` {wrong}")
        else:
            yield phrase


TARGETS_EXAMPLE = '{ urgent = "1h", high = "4h" }'


def read_sla(name: str, table: Table, references: References) -> SlaSpec:
    """One table of targets."""
    table.only(("accounts", "calendar", *Metric))
    accounts = table.all_known("accounts", '["acme"]', references.accounts, "unknown-account")
    calendar = table.known("calendar", '"support"', references.calendars, "unknown-calendar")
    metrics = [metric for metric in Metric if metric in table.values]
    if not metrics:
        table.report(
            (), "empty", f"the table has no target; write for example first_reply = {TARGETS_EXAMPLE}."
        )
    return SlaSpec(
        name=name,
        accounts=None if accounts is None else frozenset(accounts),
        calendar=calendar,
        targets={metric.value: read_targets(table, metric, calendar) for metric in metrics},
    )


def read_targets(table: Table, metric: Metric, calendar: str | None) -> Mapping[Priority, Seconds]:
    """A duration for each priority that has a target."""
    targets = table.table(metric)
    if targets is None:
        return {}
    targets.only(tuple(Priority))
    if not targets.values:
        table.report(metric, "empty", f"`{metric}` has no priority; write for example {TARGETS_EXAMPLE}.")
    spans = {priority: targets.seconds(priority, calendar) for priority in Priority}
    return {priority: span for priority, span in spans.items() if span is not None}
