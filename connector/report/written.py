"""A report as text for the terminal, as Markdown for a wiki or a ticket, as CSV and as JSON.

CSV has one row a figure, the whole first, then each cut; seconds are numbers, shares 0 to 1. JSON has every value
unrounded, seconds as seconds, instants as epoch seconds.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.render import csv_text, markdown, markdown_table
from connector.report.breakdown import MEANINGS
from connector.report.figures import Figure
from connector.report.layout import Grid, grids, lead, title
from connector.report.report import Report


def as_text(report: Report, width: int = 160) -> str:
    """The report in lines of at most so many characters, without colours."""
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, force_terminal=False)
    console.print(Text(title(report)))
    for line in lead(report):
        console.print(Text(line))
    for grid in grids(report):
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
        yield [*said, "all", "", *cells(figure)]
    for cut in report.cuts:
        for figure in cut.figures:
            yield [*said, cut.dimension, cut.name, *cells(figure)]


def cells(figure: Figure) -> list[object]:
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
    return "\n".join([head[0], "", *head[1:], *lines(report)]) + "\n"


def lines(report: Report) -> Iterator[str]:
    """Table after table."""
    for grid in grids(report):
        yield from ("", f"## {markdown(grid.title)}")
        if grid.lead:
            yield from ("", markdown(grid.lead))
        if grid.rows:
            yield ""
            yield from markdown_table(
                tuple(map(markdown, grid.head)), (map(markdown, row) for row in grid.rows)
            )
