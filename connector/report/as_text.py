"""A report for the terminal."""

from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.report.layout import Grid, grids, lead, title
from connector.report.making import Report


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
            console.print(table(grid))
    return out.getvalue()


def table(grid: Grid) -> Table:
    """One table. Names are text, never markup."""
    made = Table(box=None, pad_edge=False)
    for name in grid.head:
        made.add_column(Text(name), overflow="fold")
    for row in grid.rows:
        made.add_row(*map(Text, row))
    return made
