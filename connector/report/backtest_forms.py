"""What a backtest says: to the terminal, as CSV, Markdown and JSON, and as one HTML page with charts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from typing import Any

from connector.render import csv_text, many, markdown
from connector.report.backtest import Firing, Load, Moved, Outcome, differences, heat, loads
from connector.report.cases import Period
from connector.report.figures import percent, span
from connector.report.formats import (
    DAYS,
    POLICY,
    STYLE,
    Grid,
    bars_chart,
    contents,
    grid_lines,
    heading,
    heat_chart,
    laid_out,
    section,
)
from connector.report.metrics import Bar
from policies.model import Instant, Seconds
from policies.state import How

SHOWN = 200
"""So many rows of a list the terminal and the page show; JSON has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the policies: where it stands, how many policies serve, and what came of it in `took` seconds.
    `as_now` is what they read as it is now, for want of a history."""

    name: str
    policies: int
    as_now: tuple[str, ...]
    outcome: Outcome
    took: float

    @property
    def speed(self) -> float:
        """Events times policies a second."""
        return self.outcome.events * self.policies / max(self.took, 0.001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """One backtest, or two that are compared. `soon` is what counts as answered before anyway; `lost` are tickets that
    the archive could not fetch."""

    period: Period
    version: Version
    against: Version | None
    soon: Seconds
    lost: int

    @property
    def moved(self) -> tuple[Moved, ...]:
        """What the two versions do not do alike, of tickets of which all is told to both."""
        if self.against is None:
            return ()
        return differences(self.against.outcome, self.version.outcome)

    def was_needless(self, firing: Firing) -> bool:
        """Whether a person answered soon after it anyway."""
        return firing.answered_in is not None and firing.answered_in <= self.soon


def title(of: Backtest) -> str:
    """What it is."""
    return f"Backtest of {of.version.name}, {of.period.name}"


def lead(of: Backtest) -> Iterator[str]:
    """What it stands on."""
    done = of.version.outcome
    yield (
        f"{many(done.lives, 'ticket')}, {many(len(done.firings), 'firing')} on "
        f"{len({(each.account, each.ticket) for each in done.firings})} of them."
    )
    if done.incomplete:
        why = ", ".join(f"{name} ({count})" for name, count in done.lacks.most_common())
        yield (
            f"{many(done.incomplete, 'ticket')} apart: their history does not tell all that the policies read, "
            f"and they were played with what stands there now, which gives {many(len(done.unsure), 'firing')} more. "
            f"Not told: {why}."
        )
    if of.lost:
        yield f"{many(of.lost, 'ticket')} could not be fetched."
    if done.failed:
        yield f"{many(len(done.failed), 'ticket')} could not be played: {done.failed[0]}"
    if of.version.as_now:
        yield f"Read as it is now, for no helpdesk tells how it was: {', '.join(of.version.as_now)}."
    yield (
        f"{done.events} events x {many(of.version.policies, 'policy', 'policies')} in {of.version.took:.1f} s: "
        f"{of.version.speed:,.0f} a second."
    )


def grids(of: Backtest) -> Iterator[Grid]:
    """Every table, in reading order."""
    if of.against is not None:
        yield from compared(of, of.against)
    yield by_level(of)
    yield from load(of.version.outcome.firings, of.period)
    yield targets(of.version.outcome)
    yield firings("Firings", of, of.version.outcome.firings)
    if of.version.outcome.unsure:
        yield firings("Firings on tickets whose history is incomplete", of, of.version.outcome.unsure)


def compared(of: Backtest, other: Version) -> Iterator[Grid]:
    """What would be otherwise."""
    moved = of.moved
    counted = Counter((each.policy, each.level, each.how) for each in moved)
    before, after = len(other.outcome.firings), len(of.version.outcome.firings)
    yield Grid(
        title="Difference",
        lead=f"{before} firings with {other.name}, {after} with {of.version.name}.",
        head=("Policy", "Level", "Difference", "How often"),
        rows=tuple((*key, str(count)) for key, count in sorted(counted.items())),
    )
    yield Grid(
        title="Difference, ticket by ticket",
        lead=cut(moved),
        head=("Ticket", "Policy", "Level", "Difference", other.name, of.version.name),
        rows=tuple(
            (
                f"{each.account}/{each.ticket}",
                each.policy,
                each.level,
                each.how,
                told(each.before, of.period),
                told(each.after, of.period),
            )
            for each in moved[:SHOWN]
        ),
    )


def cut(rows: Sequence[object]) -> str:
    """What is said where not all rows are shown."""
    return f"The first {SHOWN} of {len(rows)}; --format json has all." if len(rows) > SHOWN else ""


def told(firing: Firing | None, period: Period) -> str:
    """When, how if it did not fire, for whom, and given to whom else."""
    if firing is None:
        return ""
    how = "" if firing.how == How.FIRED else firing.how
    given = f"(to {firing.to})" if firing.to not in ("", firing.owner) else ""
    return " ".join(filter(None, (stamp(firing.at, period), how, firing.owner, given)))


def stamp(at: int, period: Period) -> str:
    """An instant in the period's timezone."""
    return datetime.fromtimestamp(at, period.timezone).strftime("%Y-%m-%d %H:%M")


def by_level(of: Backtest) -> Grid:
    """How often each level fires, and how often for nothing."""
    found = dict[tuple[str, str], list[Firing]]()
    for each in of.version.outcome.firings:
        found.setdefault((each.policy, each.level), []).append(each)
    return Grid(
        title="Levels",
        lead=f"False alarm: a person answered the customer within {span(of.soon)} after it anyway.",
        head=("Policy", "Level", "Firings", "Tickets", "False alarms", "Share"),
        rows=tuple(
            (
                *key,
                str(len(some)),
                str(len({(each.account, each.ticket) for each in some})),
                str(needless := sum(map(of.was_needless, some))),
                percent(needless / len(some)),
            )
            for key, some in sorted(found.items())
        ),
    )


def load(firings: Sequence[Firing], period: Period) -> Iterator[Grid]:
    """What would have landed on whom, and at which hours of the day; by person too, where it comes to one."""
    found = loads(by_owner(firings), period.timezone)
    yield loads_grid("Owner", found, period)
    if people := loads(by_person(firings), period.timezone):
        others = len(firings) - sum(each.firings for each in people)
        lead = f"{many(others, 'firing')} more came to a group, and to none of its people." if others else ""
        yield loads_grid("Person", people, period, lead)
    hours = [hour for hour in range(24) if any(each.by_hour[hour] for each in found)]
    yield Grid(
        title="Load by owner and hour of the day",
        lead=f"Local time, {period.timezone}.",
        head=("Owner", *(f"{hour:02}" for hour in hours)),
        rows=tuple(
            (each.who or "nobody", *(str(each.by_hour[hour] or "") for hour in hours)) for each in found
        ),
    )


def by_owner(firings: Iterable[Firing]) -> Iterator[tuple[str, Instant]]:
    """What lands on each owner, and when."""
    return ((each.owner, each.at) for each in firings)


def by_person(firings: Iterable[Firing]) -> Iterator[tuple[str, Instant]]:
    """What lands on one person, and when."""
    return ((each.person, each.at) for each in firings if each.person)


def loads_grid(who: str, found: Sequence[Load], period: Period, lead: str = "") -> Grid:
    """The load of each owner or person."""
    return Grid(
        title=f"Load by {who.lower()}",
        lead=lead,
        head=(who, "Firings", "Most in an hour", "Which was"),
        rows=tuple(
            (each.who or "nobody", str(each.firings), str(each.most), stamp(each.busiest, period))
            for each in found
        ),
    )


def targets(outcome: Outcome) -> Grid:
    """SLA targets that were missed, and of which somebody would have been told before."""
    counted = Counter((str(each.metric), each.warned) for each in outcome.missed)
    metrics = sorted({metric for metric, _ in counted})
    return Grid(
        title="Missed SLA targets",
        lead="" if metrics else "The archive holds none that were missed in these days.",
        head=("Target", "Missed", "A level fired before that", "None did"),
        rows=tuple(
            (
                metric,
                str(counted[metric, True] + counted[metric, False]),
                str(counted[metric, True]),
                str(counted[metric, False]),
            )
            for metric in metrics
        ),
    )


def firings(name: str, of: Backtest, found: Sequence[Firing]) -> Grid:
    """Ticket by ticket."""
    return Grid(
        title=name,
        lead=cut(found),
        head=("Ticket", "When", "Policy", "Level", "Owner", "Given to", "Template", "Answered anyway after"),
        rows=tuple(
            (
                f"{each.account}/{each.ticket}",
                stamp(each.at, of.period),
                each.policy,
                each.level,
                each.owner,
                each.to,
                each.template,
                "" if each.answered_in is None else span(each.answered_in),
            )
            for each in found[:SHOWN]
        ),
    )


def as_text(of: Backtest, width: int = 120) -> str:
    """For the terminal, without colours."""
    laid = laid_out((title(of), *lead(of)), grids(of), width)
    return "\n".join(line.rstrip() for line in laid.splitlines()) + "\n"


def as_csv(of: Backtest) -> str:
    """Each firing, those on tickets whose history is incomplete last; with another version both versions' firings."""
    versions = [("this", of.version)] + ([("against", of.against)] if of.against is not None else [])
    head = (
        "version",
        "policies",
        "sure",
        "ticket",
        "at",
        "policy",
        "level",
        "owner",
        "to",
        "template",
        "answered_in",
    )
    rows = (
        (
            word,
            one.name,
            "yes" if sure else "no",
            f"{each.account}/{each.ticket}",
            stamp(each.at, of.period),
            each.policy,
            each.level,
            each.owner,
            each.to,
            each.template,
            each.answered_in,
        )
        for word, one in versions
        for sure, found in ((True, one.outcome.firings), (False, one.outcome.unsure))
        for each in found
    )
    return csv_text([head, *rows])


def as_markdown(of: Backtest) -> str:
    """Every table under its heading."""
    head = (f"# {markdown(title(of))}", "", *(f"- {markdown(line)}" for line in lead(of)))
    return "\n".join([*head, *grid_lines(grids(of))]) + "\n"


def document(of: Backtest) -> dict[str, Any]:
    """Everything as lists and tables, instants as epoch seconds."""
    made: dict[str, Any] = {
        "from": str(of.period.first),
        "to": str(of.period.last),
        "timezone": str(of.period.timezone),
        "answered_soon": of.soon,
        "not_fetched": of.lost,
        **version(of, of.version),
    }
    if of.against is not None:
        made["against"] = version(of, of.against)
        made["differences"] = [{**asdict(each), "how": each.how} for each in of.moved]
    return made


def version(of: Backtest, one: Version) -> dict[str, Any]:
    """What came of one version."""
    done = one.outcome
    return {
        "policies": one.name,
        "read_as_now": list(one.as_now),
        "tickets": done.lives,
        "events": done.events,
        "events_x_policies_a_second": round(one.speed),
        "firings": [{**asdict(each), "false_alarm": of.was_needless(each)} for each in done.firings],
        "incomplete": {
            "tickets": done.incomplete,
            "not_told": dict(done.lacks.most_common()),
            "firings": [asdict(each) for each in done.unsure],
        },
        "load": [load_of("owner", each) for each in loads(by_owner(done.firings), of.period.timezone)],
        "load_by_person": [
            load_of("person", each) for each in loads(by_person(done.firings), of.period.timezone)
        ],
        "hours_of_the_week": heat(done.firings, of.period.timezone),
        "missed_targets": [asdict(each) for each in done.missed],
        "failed": done.failed,
    }


def load_of(who: str, one: Load) -> dict[str, Any]:
    """The load of one owner or person."""
    values = asdict(one)
    return {who: values.pop("who"), **values}


HOURS, OWNERS, LEVELS = "Firings by hour of the week", "Firings by owner", "Firings by level"


def as_html(of: Backtest) -> str:
    """One page with charts, which asks nobody for anything."""
    return "\n".join(page(of)) + "\n"


def page(of: Backtest) -> Iterator[str]:
    """The page, piece by piece."""
    name, every = escape(title(of)), tuple(grids(of))
    fired = of.version.outcome.firings
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n<ul>"
    yield from (f"<li>{escape(line)}</li>" for line in lead(of))
    yield "</ul>"
    yield contents((LEVELS, OWNERS, HOURS, *(grid.title for grid in every)))
    yield heading(LEVELS)
    yield bars_chart(LEVELS, bars(f"{each.policy} / {each.level}" for each in fired))
    yield heading(OWNERS)
    yield bars_chart(OWNERS, bars(each.owner or "nobody" for each in fired))
    yield f"{heading(HOURS)}\n<p>{escape(str(of.period.timezone))}, {DAYS[0]} to {DAYS[-1]}.</p>"
    yield heat_chart(HOURS, heat(fired, of.period.timezone))
    for grid in every:
        yield from section(grid)
    yield "</body>\n</html>"


def bars(names: Iterable[str]) -> tuple[Bar, ...]:
    """How often each stands there, the most frequent first."""
    counted = Counter(names)
    whole, above, made = counted.total(), 0, []
    for name, count in counted.most_common():
        above += count
        made.append(Bar(name=name, count=count, cumulated=above / whole))
    return tuple(made)
