"""What the readable forms of a report have in common: titles, heads, rows, and figures as words. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from connector.report.breakdown import MEANINGS
from connector.report.figures import NONE, Figure, percent, span
from connector.report.report import Report


def amount(figure: Figure, value: float | None) -> str:
    """A value in the figure's unit."""
    if value is None:
        return NONE
    unit = figure.measure.unit
    if unit == "share":
        return percent(value)
    if unit == "points":
        return f"{value * 100:+.1f} points"
    return span(value) if unit == "seconds" else f"{value:g}" if unit == "count" else f"{value:.2f}"


def value_of(figure: Figure) -> str:
    """The value; for a mean it says so, for what is not stated why."""
    if figure.value is None:
        return f"not told: {figure.untold}" if figure.untold else NONE
    said = amount(figure, figure.value)
    return f"mean {said}" if figure.measure.unit in ("seconds", "levels") else said


def of_what(figure: Figure) -> str:
    """`3 of 12`, or `n = 12`."""
    if figure.measure.unit == "count":
        return ""
    if figure.hits is None:
        return f"n = {figure.n}"
    if figure.clock:
        return f"{span(figure.hits)} of {span(figure.n)}"
    return f"{figure.hits} of {figure.n}"


def interval(figure: Figure) -> str:
    """The 95 % interval of a share, or the percentiles beside a mean."""
    if figure.low is not None and figure.high is not None:
        return f"{amount(figure, figure.low)} to {amount(figure, figure.high)}"
    if figure.p50 is None:
        return ""
    parts = (("p50", figure.p50), ("p90", figure.p90), ("p95", figure.p95))
    return ", ".join(f"{name} {amount(figure, value)}" for name, value in parts)


def left_out(figure: Figure) -> str:
    """What was left out, with how many; then the notes."""
    lost = [f"without {count}: {why}" for why, count in figure.excluded]
    return "; ".join((*lost, *figure.notes))


def name_of(figure: Figure) -> str:
    """The name, with the clock where there is one."""
    return f"{figure.measure.name} ({figure.clock})" if figure.clock else figure.measure.name


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

IN_CUTS = (
    "escalation_rate",
    "escalations",
    "mtta",
    "ack_coverage",
    "handoff_dead_time",
    "first_reply",
    "reopen_rate",
    "sla_targets",
)
"""What the readable forms show of each cut; JSON and CSV have everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of words under a title; `lead` is a sentence before it."""

    title: str
    lead: str = ""
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def title(report: Report) -> str:
    """What the report is."""
    return f"Escalation report, {report.period.name}"


def lead(report: Report) -> tuple[str, ...]:
    """What it covers, in lines."""
    business = f"business times on calendar {report.calendar}" if report.calendar else "no business times"
    covered = (
        f"Accounts: {', '.join(report.accounts) or 'none seen yet'}. {report.tickets} tickets created. "
        f"Made {report.made_at} ({report.period.timezone}); {business}."
    )
    return (covered, *report.notes)


def families(report: Report) -> Iterator[Grid]:
    """The figures of the whole, family by family."""
    for family, some in groupby(report.figures, key=lambda each: each.measure.family):
        yield Grid(
            title=family,
            head=(
                "Figure",
                "Value",
                "Of",
                "95 % interval or percentiles",
                "Over whom, and how it is reckoned",
                "Left out and notes",
            ),
            rows=tuple(figure_row(each) for each in some),
        )


def figure_row(figure: Figure) -> tuple[str, ...]:
    """One figure in words."""
    return (
        name_of(figure),
        value_of(figure),
        of_what(figure),
        interval(figure),
        f"{figure.measure.cohort}: {figure.measure.formula}",
        left_out(figure),
    )


def cut_grids(report: Report) -> Iterator[Grid]:
    """A table for each dimension, a row for each team, account, policy, level or cause."""
    for dimension, some in groupby(report.cuts, key=lambda each: each.dimension):
        cuts = tuple(some)
        keys = [key for key in IN_CUTS if any(shown(cut.figures, key) for cut in cuts)]
        named = {each.key: each.measure.name for cut in cuts for each in cut.figures}
        yield Grid(
            title=f"By {dimension}",
            lead=f"{dimension.capitalize()}: {MEANINGS[dimension]}.",
            head=(dimension.capitalize(), *(named[key] for key in keys)),
            rows=tuple((cut.name, *(shown(cut.figures, key) for key in keys)) for cut in cuts),
        )


def shown(figures: Sequence[Figure], key: str) -> str:
    """`12.5 % (3 of 24)`, or a median with its number; empty where the cut has no such figure."""
    figure = next((each for each in figures if each.key == key), None)
    if figure is None:
        return ""
    if figure.value is None:
        return "-" if not figure.n else f"- ({figure.n})"
    if figure.measure.unit == "seconds":
        return f"median {span(figure.p50)} (n = {figure.n})"
    return " ".join(
        part
        for part in (amount(figure, figure.value), f"({of_what(figure)})" if of_what(figure) else "")
        if part
    )


def tables(report: Report) -> Iterator[Grid]:
    """Stages, causes, the trend and the hours of the week."""
    yield Grid(
        title="Where tickets wait",
        lead="Unsolved time in each group, of tickets created in the period. Idle: from arrival to an agent's act.",
        head=("Group", "Stays", "Time", "Median", "p90", "Idle, median", "Nobody acted"),
        rows=tuple(
            (
                each.group,
                str(each.stays),
                span(each.total),
                span(each.p50),
                span(each.p90),
                span(each.idle_p50),
                str(each.untouched),
            )
            for each in report.stages
        ),
    )
    for called, bars in (("Causes", report.causes), ("Policies", report.policies)):
        yield Grid(
            title=f"{called} of escalations",
            lead="The most frequent first, with the share that it and those above it make.",
            head=(called.removesuffix("s") if called == "Causes" else "Policy", "Escalations", "Cumulated"),
            rows=tuple((each.name, str(each.count), percent(each.cumulated)) for each in bars),
        )
    yield Grid(
        title=f"Trend by {report.grain}, in numbers",
        head=("From", "Created", "Escalated of them", "Escalations", "Levels fired", "Acknowledged of these"),
        rows=tuple(
            (
                str(each.first),
                str(each.created),
                str(each.escalated),
                str(each.escalations),
                str(each.fired),
                str(each.acknowledged),
            )
            for each in report.trend
        ),
    )
    yield Grid(
        title="Escalations by hour of the week",
        lead=f"Local time, {report.period.timezone}.",
        head=("", *(f"{hour:02}" for hour in range(24))),
        rows=tuple(
            (day, *(str(count) if count else "" for count in row))
            for day, row in zip(DAYS, report.heat, strict=True)
        ),
    )


def advice(report: Report) -> Grid:
    """What to change."""
    return Grid(
        title="What to change",
        lead="" if report.advice else "No rule finds anything, or there are too few cases.",
        head=("Rule", "Look at", "Numbers"),
        rows=tuple((each.rule, each.text, each.numbers) for each in report.advice),
    )


def grids(report: Report) -> Iterator[Grid]:
    """Everything, in reading order."""
    yield advice(report)
    yield from families(report)
    yield from cut_grids(report)
    yield from tables(report)
