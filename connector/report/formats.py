"""A report as one HTML page, as Markdown, as CSV and as JSON.

CSV has one row a figure, the whole first, then each cut; seconds are numbers, shares 0 to 1. JSON has every value
unrounded, seconds as seconds, instants as epoch seconds.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from io import StringIO
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.render import csv_text, markdown, markdown_table
from connector.report.figures import NONE, Figure, percent, span
from connector.report.metrics import MEANINGS, Bar, Bucket
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


HEADLINES = ("escalation_rate", "mtta", "ack_coverage", "first_reply", "sla_targets", "precision")
"""What is told first of a period."""


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


STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --quiet: #59636e; --page: #ffffff; --line: #d0d7de;
        --bar: #0a58a8; --pale: #a9b8c9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --quiet: #9aa5b1; --page: #10151b; --line: #30373f; --bar: #5aa9f2; --pale: #4a5866; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
       max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 600; }
td:nth-child(2) { font-variant-numeric: tabular-nums; }
p, li { color: var(--quiet); } a { color: var(--bar); }
svg { width: 100%; max-width: 45rem; height: auto; }
.bar { fill: var(--bar); } .pale { fill: var(--pale); }
.label { font: 11px system-ui, sans-serif; fill: var(--ink); }
.cell { font: 11px system-ui, sans-serif; fill: var(--ink); stroke: var(--page); stroke-width: 2; paint-order: stroke; }
@media print {
  :root { --ink: #000; --quiet: #333; --page: #fff; --line: #999; --bar: #444; --pale: #bbb; }
  body { margin: 0; max-width: none; font-size: 10px; } h2 { break-after: avoid; } tr, svg { break-inside: avoid; }
  .wide { overflow: visible; } }
"""

CAUSES, HOURS = "Causes", "Hours of the week"
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(report: Report) -> str:
    """The whole page."""
    return "\n".join(page(report)) + "\n"


def page(report: Report) -> Iterator[str]:
    """The page, piece by piece."""
    name = escape(title(report))
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n<ul>"
    yield from (f"<li>{escape(line)}</li>" for line in lead(report))
    yield "</ul>"
    trend, grids = f"Trend by {report.grain}", (*families(report), *cut_grids(report), *tables(report))
    yield contents((advice(report).title, trend, CAUSES, HOURS, *(grid.title for grid in grids)))
    yield from section(advice(report))
    yield from (heading(trend), "<p>Pale: tickets created. Dark: escalations.</p>")
    yield trend_chart(f"Tickets created and escalations by {report.grain}", report.trend)
    yield heading(CAUSES)
    yield bars_chart("Escalations by cause", report.causes)
    yield f"{heading(HOURS)}\n<p>Escalations, {escape(str(report.period.timezone))}.</p>"
    yield heat_chart("Escalations by hour of the week", report.heat)
    for grid in grids:
        yield from section(grid)
    yield "</body>\n</html>"


def contents(titles: Sequence[str]) -> str:
    """Links to what follows."""
    links = (f'<a href="#{anchor(each)}">{escape(each)}</a>' for each in titles)
    return f'<nav aria-label="Contents">{" &middot; ".join(links)}</nav>'


def heading(words: str) -> str:
    """A heading that `contents` leads to."""
    return f'<h2 id="{anchor(words)}">{escape(words)}</h2>'


def anchor(words: str) -> str:
    """The words as an id."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower())


def section(grid: Grid) -> Iterator[str]:
    """A heading and its table."""
    yield heading(grid.title)
    if grid.lead:
        yield f"<p>{escape(grid.lead)}</p>"
    if grid.rows:
        yield f'<div class="wide"><table>\n<thead><tr>{cells("th", grid.head)}</tr></thead>\n<tbody>'
        yield from (f"<tr>{cells('td', row)}</tr>" for row in grid.rows)
        yield "</tbody></table></div>"


def cells(kind: str, words: tuple[str, ...]) -> str:
    """One row's cells."""
    return "".join(f"<{kind}>{escape(word)}</{kind}>" for word in words)


WIDTH = 720
BAR_HEIGHT = 22
CELL = 26
PLOT = 140
DATE_WIDTH = 66


def bars_chart(title: str, rows: Sequence[Bar], most: int = 12) -> str:
    """Horizontal bars, the longest first, each with its count and share; at most so many."""
    shown = rows[:most]
    if not shown:
        return ""
    whole = sum(each.count for each in rows)
    scale = (WIDTH - 380) / max(each.count for each in shown)
    parts = []
    for place, each in enumerate(shown):
        top = place * BAR_HEIGHT
        length = each.count * scale
        parts += [
            text(0, top + 15, each.name[:40]),
            f'<rect class="bar" x="250" y="{top + 3}" width="{length:.1f}" height="{BAR_HEIGHT - 6}"/>',
            text(256 + length, top + 15, f"{each.count} ({each.count / whole * 100:.0f} %)"),
        ]
    return svg(title, len(shown) * BAR_HEIGHT, parts)


def trend_chart(title: str, buckets: Sequence[Bucket]) -> str:
    """Tickets created and escalations, side by side, for each part of the period."""
    tallest = max((max(each.created, each.escalations) for each in buckets), default=0)
    if not tallest:
        return ""
    step = (WIDTH - 40) / len(buckets)
    every = -(-len(buckets) // 8)
    parts = [text(0, 12, str(tallest)), text(0, PLOT, "0")]
    for place, each in enumerate(buckets):
        left = 40 + place * step
        for offset, kind, value in ((0.1, "pale", each.created), (0.5, "bar", each.escalations)):
            height = value / tallest * (PLOT - 10)
            parts.append(
                f'<rect class="{kind}" x="{left + offset * step:.1f}" y="{PLOT - height:.1f}"'
                f' width="{step * 0.36:.1f}" height="{height:.1f}"><title>{each.first}: {value}</title></rect>'
            )
        if place % every == 0:
            parts.append(text(min(left, WIDTH - DATE_WIDTH), PLOT + 16, str(each.first)))
    return svg(title, PLOT + 22, parts)


def heat_chart(title: str, rows: Sequence[Sequence[int]]) -> str:
    """Seven rows of 24 cells: the darker, the more. Each cell says its number."""
    most = max((count for row in rows for count in row), default=0)
    parts = [text(44 + hour * CELL, 12, f"{hour:02}") for hour in range(24)]
    for day, row in enumerate(rows):
        top = 18 + day * CELL
        parts.append(text(0, top + 17, DAYS[day]))
        for hour, count in enumerate(row):
            strength = count / most if most else 0
            parts.append(
                f'<rect class="bar" x="{40 + hour * CELL}" y="{top}" width="{CELL - 2}" height="{CELL - 2}"'
                f' fill-opacity="{0.06 + 0.94 * strength:.2f}"><title>{DAYS[day]} {hour:02}: {count}</title></rect>'
            )
            if count:
                parts.append(text(46 + hour * CELL, top + 17, str(count), "cell"))
    return svg(title, 18 + 7 * CELL, parts)


def text(x: float, y: float, words: str, kind: str = "label") -> str:
    """Words at a place."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def svg(title: str, height: float, parts: Sequence[str]) -> str:
    """The drawing, named for those who do not see it."""
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {height:.0f}" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def as_text(report: Report, width: int = 160) -> str:
    """The report in lines of at most so many characters, without colours."""
    return laid_out((title(report), *lead(report)), grids(report), width)


def laid_out(head: Iterable[str], tables: Iterable[Grid], width: int) -> str:
    """Lines, then tables under their titles, for a terminal without colours."""
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, force_terminal=False)
    for line in head:
        console.print(Text(line))
    for grid in tables:
        console.print()
        console.print(Text(grid.title.upper()))
        if grid.lead:
            console.print(Text(grid.lead))
        if grid.rows:
            console.print(text_table(grid))
    return out.getvalue()


def text_table(grid: Grid) -> Table:
    """One table. Names are text, never markup."""
    made = Table(box=None, pad_edge=False)
    for name in grid.head:
        made.add_column(Text(name), overflow="fold")
    for row in grid.rows:
        made.add_row(*map(Text, row))
    return made


HEAD = (
    "from", "to", "timezone", "dimension", "name", "key", "measure", "unit", "clock", "value", "n", "hits",
    "low", "high", "p50", "p90", "p95", "cohort", "formula", "excluded", "notes", "untold",
)  # fmt: skip


def as_csv(report: Report) -> str:
    """The rows, with a head."""
    return csv_text([HEAD, *rows(report)])


def rows(report: Report) -> Iterator[list[object]]:
    """The whole, then the cuts."""
    period = report.period
    said = [str(period.first), str(period.last), str(period.timezone)]
    for figure in report.figures:
        yield [*said, "all", "", *figure_cells(figure)]
    for cut in report.cuts:
        for figure in cut.figures:
            yield [*said, cut.dimension, cut.name, *figure_cells(figure)]


def figure_cells(figure: Figure) -> list[object]:
    """One figure; what is not there stays empty."""
    measure = figure.measure
    numbers = (
        figure.value,
        figure.n,
        figure.hits,
        figure.low,
        figure.high,
        figure.p50,
        figure.p90,
        figure.p95,
    )
    return [
        figure.key,
        measure.name,
        measure.unit,
        figure.clock,
        *("" if each is None else each for each in numbers),
        measure.cohort,
        measure.formula,
        "; ".join(f"{count}: {why}" for why, count in figure.excluded),
        "; ".join(figure.notes),
        figure.untold,
    ]


def as_json(report: Report) -> str:
    """The whole report."""
    return json.dumps(document(report), indent=2) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The report as lists and tables."""
    period = report.period
    return {
        "from": str(period.first),
        "to": str(period.last),
        "timezone": str(period.timezone),
        "begin": period.begin,
        "end": period.end,
        "made": report.made,
        "accounts": list(report.accounts),
        "calendar": report.calendar or None,
        "hypothetical": report.hypothetical,
        "tickets": report.tickets,
        "figures": [figure(each) for each in report.figures],
        "cuts": [
            {"dimension": cut.dimension, "name": cut.name, "figures": [figure(each) for each in cut.figures]}
            for cut in report.cuts
        ],
        "dimensions": dict(MEANINGS),
        "causes": [asdict(each) for each in report.causes],
        "policies": [asdict(each) for each in report.policies],
        "stages": [asdict(each) for each in report.stages],
        "grain": report.grain,
        "trend": [asdict(each) | {"first": str(each.first), "last": str(each.last)} for each in report.trend],
        "heat": [list(row) for row in report.heat],
        "advice": [asdict(each) for each in report.advice],
        "notes": list(report.notes),
    }


def figure(one: Figure) -> dict[str, Any]:
    """One figure, its measure's words beside its numbers."""
    said = asdict(one)
    measure = said.pop("measure")
    lost = [{"why": why, "count": count} for why, count in one.excluded]
    return {**measure, "key": one.key, **said, "excluded": lost, "untold": one.untold or None}


def as_markdown(report: Report) -> str:
    """The report with a heading for each table."""
    head = (f"# {markdown(title(report))}", *(f"- {markdown(line)}" for line in lead(report)))
    return "\n".join([head[0], "", *head[1:], *grid_lines(grids(report))]) + "\n"


def grid_lines(tables: Iterable[Grid]) -> Iterator[str]:
    """Table after table, as Markdown."""
    for grid in tables:
        yield from ("", f"## {markdown(grid.title)}")
        if grid.lead:
            yield from ("", markdown(grid.lead))
        if grid.rows:
            yield ""
            yield from markdown_table(
                tuple(map(markdown, grid.head)), (map(markdown, row) for row in grid.rows)
            )
