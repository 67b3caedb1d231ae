"""Public holidays as data for `policies`, which reads no package and no clock, and calendars made with them.

Holidays are those of the `holidays` package's category `public`, with the days on which they are observed.
Its version is part of a policy's hash where the policy counts on such a calendar: new data can move a
deadline."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version as installed_version

from policies.language.document import Document, Problem, did_you_mean
from policies.language.parse_tables import REGION
from policies.language.policy import Policy, PolicySet
from policies.model import Instant
from policies.rules.calendars import Calendar, build

YEARS_BACK = 4
YEARS_AHEAD = 2


@cache
def known_regions() -> Mapping[str, tuple[str, ...]]:
    """Countries with their parts, as codes. Takes a second the first time."""
    import holidays  # here, because importing it is slow and many configurations name no region

    countries = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(parts) for country, parts in countries.items()}


def version() -> str:
    """The version of the data."""
    return installed_version("holidays")


def dates(regions: Iterable[str], years: range) -> frozenset[str]:
    """The ISO dates of the regions' public holidays in these years. ValueError if a region is not known."""
    import holidays

    found: set[str] = set()
    for region in regions:
        country, part = _split(region)
        if problem := _unknown(region):
            raise ValueError(problem)
        days = holidays.country_holidays(
            country, subdiv=part, years=list(years), categories=("public",), observed=True
        )
        found.update(day.isoformat() for day in days)
    return frozenset(found)


def calendars(policies: PolicySet, now: Instant) -> Mapping[str, Calendar]:
    """The calendars of a checked set of policies, with holidays from four years before `now` to two after."""
    year = datetime.fromtimestamp(now, UTC).year
    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    return {
        name: build(spec, dates(spec.holidays, years), years) for name, spec in policies.calendars.items()
    }


def check_regions(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """A problem for every region in a `holidays` list that has no data; `parse` judges the rest."""
    return tuple(
        Problem(
            file=document.name,
            line=document.line(("calendars", name, "holidays", index)),
            code="unknown-region",
            message=f'calendar "{name}": {problem}',
        )
        for document in documents
        for name, index, region in _written(document)
        if (problem := _unknown(region))
    )


def stamp(policies: PolicySet) -> PolicySet:
    """The same policies; the hash of each that counts on public holidays also covers the data's version, and
    `decides` of each that asks them anything."""
    stamped = tuple(_stamped(policy, policies) for policy in policies.policies)
    return replace(
        policies,
        policies=stamped,
        hash=_digest(policies.hash, *(policy.hash for policy in stamped)),
        decides=_digest(policies.decides, *(policy.decides for policy in stamped)),
    )


def _stamped(policy: Policy, policies: PolicySet) -> Policy:
    withins = (level.within for level in policy.levels)
    slas = (each.calendar for each in policies.slas if policy.on_deadline)
    if _have_holidays(policies, policy.calendar):
        policy = replace(policy, hash=_digest(policy.hash, "holidays", version()))
    if _have_holidays(policies, policy.calendar, *withins, *slas):
        policy = replace(policy, decides=_digest(policy.decides, "holidays", version()))
    return policy


def _have_holidays(policies: PolicySet, *names: str | None) -> bool:
    found = (policies.calendars.get(name or "") for name in names)
    return any(calendar is not None and calendar.holidays for calendar in found)


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:12]


def _written(document: Document) -> Iterator[tuple[str, int, str]]:
    tables = document.data.get("calendars")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        regions = table.get("holidays") if isinstance(table, dict) else None
        for index, region in enumerate(regions if isinstance(regions, list) else ()):
            if isinstance(region, str) and REGION.fullmatch(region):
                yield name, index, region


def _split(region: str) -> tuple[str, str | None]:
    country, _, part = region.partition("-")
    return country, part or None


def _unknown(region: str) -> str | None:
    country, part = _split(region)
    known = known_regions()
    if country not in known:
        hint = did_you_mean(country, known) or " Write its dates into `closed` instead."
        return f'no public holidays are known for "{region}".{hint}'
    if part is not None and part not in known[country]:
        near = did_you_mean(region, [f"{country}-{each}" for each in known[country]])
        return f'no public holidays are known for "{region}", only for "{country}" as a whole.{near}'
    return None
