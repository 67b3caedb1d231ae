"""The matrix as text, as Markdown and as CSV."""

import csv
import io
import textwrap
from collections.abc import Iterator

from connector.matrix.columns import COLUMNS, Cells, Ladder, about, ladders, remarks
from connector.matrix.plain import cell, markdown, plain
from policies.matrix import Matrix

WIDTH = 100
"""Characters of a line on a terminal."""


def as_csv(matrix: Matrix) -> str:
    """A line for each level, with the hash of the policies in the last column. Lines end as CSV wants it."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([*(column.title for column in COLUMNS), "Policies"])
    for row in matrix.rows:
        cells = ["; ".join(column.read(row)) for column in COLUMNS]
        writer.writerow([cell(each) for each in (*cells, matrix.hash)])
    return out.getvalue()


def as_text(matrix: Matrix) -> str:
    """For a terminal."""
    lines = [about(matrix), *remarks(matrix)]
    for each in ladders(matrix):
        lines += ["", plain(f"{each.account}: {each.policy}")]
        lines += [line for title, cells in each.facts for line in wrapped(title, cells, 2)]
        for row in each.rows:
            named = dict(zip(each.titles, row, strict=True))
            level = named.pop("Level")
            lines.append(f"  * {plain(level[0])}")
            lines += [line for title, cells in named.items() if cells for line in wrapped(title, cells, 6)]
    return "\n".join(lines) + "\n"


def wrapped(title: str, cells: Cells, indent: int) -> list[str]:
    """A title and its texts, on as many lines as they need."""
    text = f"{title.lower()}: {plain('; '.join(cells))}"
    return textwrap.wrap(
        text,
        width=WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_on_hyphens=False,
    )


def as_markdown(matrix: Matrix) -> str:
    """A section for each policy: what is said once, and a table of its levels."""
    lines = ["# Escalation matrix", "", f"{markdown(about(matrix))}."]
    lines += ["", *(markdown(each) for each in remarks(matrix))]
    for each in ladders(matrix):
        lines += ["", *section(each)]
    if matrix.calendars:
        lines += ["", "## Calendars", ""]
        lines += [f"- **{markdown(name)}**: {markdown(hours)}" for name, hours in matrix.calendars]
    if matrix.texts:
        lines += ["", "## Texts", ""]
        lines += [
            f"- **{markdown(name)}** ({markdown(language)}): {markdown(body)}"
            for name, bodies in matrix.texts
            for language, body in bodies
        ]
    return "\n".join(lines) + "\n"


def section(ladder: Ladder) -> Iterator[str]:
    """One policy."""
    yield f"## {markdown(f'{ladder.account}: {ladder.policy}')}"
    yield ""
    for title, cells in ladder.facts:
        yield f"- {title}: {markdown('; '.join(cells))}"
    yield ""
    yield f"| {' | '.join(ladder.titles)} |"
    yield f"|{'---|' * len(ladder.titles)}"
    for row in ladder.rows:
        yield f"| {' | '.join('<br>'.join(map(markdown, cells)) for cells in row)} |"
