"""A report as Markdown, for a wiki or a ticket."""

import re
from collections.abc import Iterator

from connector.report.layout import Grid, grids, lead, title
from connector.report.making import Report

SIGNS = re.compile(r"([\\`*_\[\]<>|#])")


def as_markdown(report: Report) -> str:
    """The report with a heading for each table."""
    head = (f"# {plain(title(report))}", *(f"- {plain(line)}" for line in lead(report)))
    return "\n".join([head[0], "", *head[1:], *lines(report)]) + "\n"


def lines(report: Report) -> Iterator[str]:
    """Table after table."""
    for grid in grids(report):
        yield from ("", f"## {plain(grid.title)}")
        if grid.lead:
            yield from ("", plain(grid.lead))
        if grid.rows:
            yield ""
            yield from table(grid)


def table(grid: Grid) -> Iterator[str]:
    """One table."""
    yield f"| {' | '.join(map(plain, grid.head))} |"
    yield f"|{'---|' * len(grid.head)}"
    for row in grid.rows:
        yield f"| {' | '.join(map(plain, row))} |"


def plain(text: str) -> str:
    """Text that means nothing to Markdown."""
    return SIGNS.sub(r"\\\1", text.replace("\n", " "))
