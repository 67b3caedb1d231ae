"""What the matrix says of each level, column by column; the matrix as text, as Markdown, as CSV, and as one HTML page
that asks no other host for anything."""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from connector.render import csv_text, many, markdown, markdown_table, plain
from policies.present.matrix import Matrix, Row, people_words

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; a cell holds several texts. `of_policy` columns are the same for all levels of a policy."""

    title: str
    read: Callable[[Row], Cells]
    of_policy: bool = False


def some(text: str) -> Cells:
    """A text as a cell, empty for none."""
    return (text,) if text else ()


def owner(row: Row) -> Cells:
    """The owner in words, and who that is where the words do not say it."""
    people = tuple(each for each in people_words(row) if each != row.level.owner)
    return (row.level.owner, *people)


COLUMNS = (
    Column(title="Account", read=lambda row: (row.account,), of_policy=True),
    Column(title="Policy", read=lambda row: (row.policy.name,), of_policy=True),
    Column(title="Mode", read=lambda row: (row.mode,), of_policy=True),
    Column(title="All of these hold", read=lambda row: row.policy.when, of_policy=True),
    Column(title="None of these holds", read=lambda row: row.policy.unless, of_policy=True),
    Column(title="Time counts", read=lambda row: (row.policy.clock,), of_policy=True),
    Column(title="Calendar", read=lambda row: (calendar(row),), of_policy=True),
    Column(title="It ends when", read=lambda row: row.policy.stops, of_policy=True),
    Column(title="While it runs", read=lambda row: some(row.policy.meanwhile), of_policy=True),
    Column(title="Acknowledged by", read=lambda row: row.policy.acknowledge, of_policy=True),
    Column(title="Level", read=lambda row: (row.level.name,)),
    Column(title="Kind", read=lambda row: (row.level.kind,)),
    Column(title="Due", read=lambda row: (row.level.time,)),
    Column(title="Owner", read=owner),
    Column(title="Backup", read=lambda row: row.backup),
    Column(title="Goes to", read=lambda row: some(row.level.target)),
    Column(title="Changes", read=lambda row: row.level.changes),
    Column(title="Channels", read=lambda row: row.level.channels),
    Column(title="Message", read=lambda row: row.level.messages),
    Column(title="Asks", read=lambda row: some(row.level.ask)),
    Column(title="Checklist", read=lambda row: row.level.checklist),
    Column(title="Approval", read=lambda row: some(row.level.approval)),
    Column(title="Repeat", read=lambda row: some(row.level.repeat)),
    Column(title="Closed hours", read=lambda row: some(row.level.closed_hours)),
    Column(title="Gaps", read=lambda row: tuple(f"{gap.code}: {gap.text}" for gap in row.gaps)),
)
OF_POLICY = tuple(column for column in COLUMNS if column.of_policy)[2:]
"""What is said once above the levels of a policy; account and policy are its heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """One policy on one account: `facts` said once, and the levels' columns, without those that are empty for all."""

    account: str
    policy: str
    facts: tuple[tuple[str, Cells], ...]
    titles: tuple[str, ...]
    rows: tuple[tuple[Cells, ...], ...]


def calendar(row: Row) -> str:
    """The calendar with its hours."""
    return f"{row.policy.calendar}: {row.policy.hours}" if row.policy.calendar else row.policy.hours


def ladders(matrix: Matrix) -> tuple[Ladder, ...]:
    """The matrix, policy by policy."""
    grouped = groupby(matrix.rows, key=lambda row: (row.account, row.policy.name))
    return tuple(ladder(tuple(rows)) for _, rows in grouped)


def ladder(rows: tuple[Row, ...]) -> Ladder:
    """The levels of one policy on one account."""
    columns = [column for column in COLUMNS if not column.of_policy and any(map(column.read, rows))]
    facts = ((column.title, column.read(rows[0])) for column in OF_POLICY)
    return Ladder(
        account=rows[0].account,
        policy=rows[0].policy.name,
        facts=tuple((title, cells) for title, cells in facts if cells),
        titles=tuple(column.title for column in columns),
        rows=tuple(tuple(column.read(row) for column in columns) for row in rows),
    )


def about(matrix: Matrix) -> str:
    """Of what the matrix is."""
    team = f" for tickets of {matrix.team}" if matrix.team else ""
    return f"Policies {matrix.hash}{team}"


def remarks(matrix: Matrix) -> Cells:
    """What a reader must know to read the matrix right."""
    gaps = sum(len(row.gaps) for row in matrix.rows)
    counts = f"{many(len(matrix.rows), 'level')}, {many(gaps, 'gap')}."
    said = [counts if matrix.rows else "No policy is for these tickets."]
    if matrix.unread:
        names = ", ".join(matrix.unread)
        said.append(f"Groups and people of {names} were never read, so they are not judged.")
    return tuple(said)


WIDTH = 100
"""Characters of a line on a terminal."""


def as_csv(matrix: Matrix) -> str:
    """A line for each level, with the hash of the policies in the last column. Lines end as CSV wants it."""
    head = [*(column.title for column in COLUMNS), "Policies"]
    rows = ([*("; ".join(column.read(row)) for column in COLUMNS), matrix.hash] for row in matrix.rows)
    return csv_text([head, *rows], quoted=True)


def document(matrix: Matrix) -> dict[str, Any]:
    """For a program: what a reader must know, and each level as lists of texts by the titles of the columns."""
    return {
        "policies": matrix.hash,
        "team": matrix.team,
        "remarks": list(remarks(matrix)),
        "levels": [{column.title: list(column.read(row)) for column in COLUMNS} for row in matrix.rows],
        "calendars": dict(matrix.calendars),
        "texts": {name: dict(bodies) for name, bodies in matrix.texts},
    }


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
    rows = (("<br>".join(map(markdown, cells)) for cells in row) for row in ladder.rows)
    yield from markdown_table(ladder.titles, rows)


PAGES = Environment(
    loader=PackageLoader("connector.matrix"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters["plain"] = plain


def as_html(matrix: Matrix) -> str:
    """The page: a table for each policy, then calendars and texts."""
    return PAGES.get_template("matrix.html").render(
        about=about(matrix),
        remarks=remarks(matrix),
        ladders=ladders(matrix),
        calendars=matrix.calendars,
        texts=matrix.texts,
    )
