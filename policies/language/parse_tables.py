"""Reads the tables beside the policies: calendars, channels, people, groups, phrases, SLA targets and staff."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import re2

from policies.language.document import Path, did_you_mean
from policies.language.phrases import Pack, made, pattern, shipped
from policies.language.policy import Absence, CalendarSpec, ChannelSpec, Limits, SlaSpec, Staff
from policies.language.reader import Table
from policies.language.references import References
from policies.language.vocabulary import CHANNEL_KEYS, GROUP_KEYS, PERSON_KEYS
from policies.model import Metric, Priority, Seconds

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


def read_channel(
    name: str, table: Table, templates: Collection[str], calendars: Collection[str]
) -> ChannelSpec:
    """One channel; what is wrong with it is noted."""
    table.only(CHANNEL_KEYS)
    above, within = read_digest(table)
    return ChannelSpec(
        name=name,
        template=read_named(table, "template", '"handoff"', templates, "templates"),
        quiet=read_quiet(table, calendars),
        digest_above=above,
        digest_within=within,
    )


def read_quiet(table: Table, calendars: Collection[str]) -> str | None:
    """`{ calendar = "leads-hours" }`."""
    quiet = table.table("quiet")
    if quiet is None:
        return None
    quiet.only(("calendar",))
    if not quiet.require("calendar", '"leads-hours"'):
        return None
    return read_named(quiet, "calendar", '"leads-hours"', calendars, "calendars")


def read_digest(table: Table) -> tuple[int, int]:
    """`{ above = 5, within = "10m" }`."""
    digest = table.table("digest")
    if digest is None:
        return 0, 0
    digest.only(("above", "within"))
    above = digest.whole("above", 1, 1_000) if digest.require("above", "5") else None
    within = digest.seconds("within", None) if digest.require("within", '"10m"') else None
    if within == 0:
        digest.report("within", "out-of-range", "`within` must be longer than nothing.")
    return (above, within) if above and within else (0, 0)


def read_named(table: Table, key: str, example: str, known: Collection[str], where: str) -> str | None:
    """The name of a template or calendar."""
    name = table.text(key, example)
    if name is not None and name not in known:
        hint = did_you_mean(name, known) or f" Add [{where}.{name}]."
        table.report(key, f"unknown-{where[:-1]}", f'there is no {where[:-1]} "{name}".{hint}')
    return name


def read_people(roots: Sequence[Table]) -> Mapping[str, str]:
    """Whose manager is who."""
    managers: dict[str, str] = {}
    for root in roots:
        for name, table in root.named("people"):
            table.only(PERSON_KEYS)
            if manager := table.text("manager", '"lee@acme.test"'):
                managers[name] = manager
    return managers


def read_groups(roots: Sequence[Table], key: str) -> Mapping[str, str]:
    """Each group's lead, or who is on call for it."""
    found: dict[str, str] = {}
    for root in roots:
        for name, table in root.named("groups"):
            if key == "lead":
                table.only(GROUP_KEYS)
            if person := table.text(key, '"dana@acme.test"'):
                found[name] = person
    return found


def tables(root: Table, kind: str) -> Iterator[tuple[str, Table]]:
    """The tables of people or groups. What is no table was noted when it was read before."""
    outer = root.values.get(kind)
    for name, said in outer.items() if isinstance(outer, dict) else ():
        if isinstance(said, dict):
            yield name, root.inside((kind, name), said, f'{kind} "{name}"')


def read_limits(roots: Sequence[Table]) -> Limits:
    """The authority limits of people and groups."""
    found: dict[str, dict[str, float]] = {"people": {}, "groups": {}}
    for kind, limits in found.items():
        for root in roots:
            for name, table in tables(root, kind):
                if (limit := table.amount("limit")) is not None:
                    limits[name] = limit
    return Limits(people=found["people"], groups=found["groups"])


LANGUAGE = re.compile(r"[a-z]{2,3}")
PHRASES_EXAMPLE = '["speak to your manager"]'


def read_packs(roots: Sequence[Table]) -> Mapping[str, Pack]:
    """Every pack by name: those that come with Uptier, with what the files add to them."""
    said: dict[str, dict[str, tuple[str, ...]]] = {}
    for root in roots:
        for name, table in root.named("phrases"):
            if not table.values:
                table.report(
                    (), "empty", f"the pack has no phrase; write for example en = {PHRASES_EXAMPLE}."
                )
            pack = said.setdefault(name, {})
            for language in table.values:
                pack[language] = (*pack.get(language, ()), *read_language(table, language))
    return {**shipped(), **{name: joined(name, phrases) for name, phrases in said.items()}}


def joined(name: str, added: Mapping[str, tuple[str, ...]]) -> Pack:
    """The pack of that name with more phrases."""
    known = shipped()[name].phrases if name in shipped() else {}
    languages = dict.fromkeys((*known, *added))
    return made(name, {each: (*known.get(each, ()), *added.get(each, ())) for each in languages})


def read_language(table: Table, language: str) -> tuple[str, ...]:
    """The phrases of one language that are fit to run; what is wrong with the others is noted."""
    if not LANGUAGE.fullmatch(language):
        table.report(
            language, "unknown-key", f"`{language}` is no language; write its code, such as en, de or pt."
        )
        return ()
    texts = table.texts(language, PHRASES_EXAMPLE) or ()
    return tuple(each for index, each in enumerate(texts) if is_fit(table, language, index, each))


def is_fit(table: Table, language: str, index: int, phrase: str) -> bool:
    """Whether RE2 takes the phrase, and it is in no empty text."""
    try:
        search = pattern((phrase,))
    except re2.error as error:
        said = error.args[0] if error.args else "it cannot be read"
        said = said.decode() if isinstance(said, bytes) else said
        table.report((language, index), "bad-pattern", f"`{phrase}` is not a pattern that RE2 takes: {said}.")
        return False
    if search("") is not None:
        table.report(
            (language, index), "bad-pattern", f"`{phrase}` is found in every text; write a word in it."
        )
        return False
    return True


TARGETS_EXAMPLE = '{ urgent = "1h", high = "4h" }'


def read_sla(name: str, table: Table, references: References) -> SlaSpec:
    """One table of targets."""
    table.only(("accounts", "calendar", *Metric))
    accounts = table.texts("accounts", '["acme"]')
    for index, account in enumerate(accounts or ()):
        table.among(("accounts", index), account, references.accounts, "unknown-account")
    calendar = table.text("calendar", '"support"')
    if calendar is not None:
        table.among("calendar", calendar, references.calendars, "unknown-calendar")
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


AWAY_EXAMPLE = '["2026-12-24", "2026-12-27..2027-01-06"]'


def read_staff(roots: Sequence[Table]) -> Staff:
    """All people of all files."""
    people = [pair for root in roots for pair in tables(root, "people")]
    substitutes = {
        name: who for name, table in people if (who := table.text("substitute", '"lee@acme.test"'))
    }
    check_circles(people, substitutes)
    return Staff(
        absences={name: found for name, table in people if (found := tuple(read_absences(table)))},
        substitutes=substitutes,
        caps={name: cap for name, table in people if (cap := table.whole("cap", 1, 10_000)) is not None},
        skills={
            name: frozenset(skills)
            for name, table in people
            if (skills := table.texts("skills", '["billing", "de"]')) is not None
        },
    )


def read_absences(table: Table) -> Iterator[Absence]:
    """Days and ranges of days, both ends included, in the person's own time zone."""
    zone = ZoneInfo(read_timezone(table) or "UTC") if "timezone" in table.values else ZoneInfo("UTC")
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
