"""Reads what `[people.NAME]` says of absences, substitutes, caps and skills."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from policies.parse_calendar import read_timezone
from policies.parse_people import tables
from policies.staff import Absence, Staff
from policies.table import Table

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
