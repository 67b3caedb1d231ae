"""What people wrote, fit for any document we write: names and texts may hold anything. One escape a format."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policies.model import Instant

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are no text: control and direction marks, and what XML does not take."""

JOINERS = frozenset("\u200c\u200d")
"""Marks without which some scripts cannot be written."""

MARKDOWN = re.compile(r"([\\`*_\[\]|~#$])")
ENDS = re.compile(r"([^\n]*?)(\r?\n|\Z)")
FORMULA = re.compile(r"^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def away(at: "Instant | None", now: "Instant") -> str:
    """How far a time is from now."""
    from policies.model import (
        _,
        spell,  # what only prints does without
    )

    if at is None:
        return ""
    if at == now:
        return _("now")
    days, rest = divmod(abs(at - now), 86_400)
    said = spell(abs(at - now))
    if days >= DAYS_FROM:
        said = f"{days}d" + (f"{rest // 3600}h" if rest >= 3600 else "")
    return _("in {span}", span=said) if at > now else _("{span} ago", span=said)


DAYS_FROM = 2
"""From so many days on a span is told in days and hours."""


def many(count: int, one: str, more: str = "") -> str:
    """`1 ticket`, `2 tickets`; `more` where an s is not enough."""
    return f"{count} {one if count == 1 else more or one + 's'}"


class Step(str):
    """How far something is: in words, and as counts of what is done and of the whole, for a bar with the time left."""

    __slots__ = ("done", "whole")
    done: int
    whole: int

    def __new__(cls, text: str, done: int, whole: int) -> "Step":
        step = super().__new__(cls, text)
        step.done, step.whole = done, whole
        return step


def plain(text: str) -> str:
    """The text on one line, without what cannot be seen."""
    kept = (" " if is_unprintable(each) else each for each in text)
    return " ".join("".join(kept).split())


def one_line(text: str) -> str:
    """The text on one line with its spaces as they are, for a terminal: nothing in it moves the cursor, colours, turns
    the direction or begins another line."""
    if text.isprintable():
        return text
    return "".join(" " if is_unprintable(each) else each for each in text)


def as_lines(text: str) -> str:
    """A text of many lines for a terminal: their ends stay, by a newline or as CSV has them, and each is one line."""
    return "".join(f"{one_line(line)}{end}" for line, end in ENDS.findall(text))


def is_unprintable(character: str) -> bool:
    """Whether a character shows nothing, or changes how others are shown."""
    return unicodedata.category(character) in UNPRINTABLE and character not in JOINERS


def markdown(text: str) -> str:
    """The text as Markdown that shows it as it is, in a table too."""
    html = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKDOWN.sub(r"\\\1", html)


def cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    said = plain(text)
    return f"'{said}" if FORMULA.match(said) else said


def csv_text(rows: Iterable[Sequence[object]], *, quoted: bool = False) -> str:
    """Rows as CSV, lines ended as CSV wants it if all is `quoted`, else by a newline. Texts are made harmless,
    numbers stay numbers, None is empty."""
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL) if quoted else csv.writer(out, lineterminator="\n")
    writer.writerows([cell(each) if isinstance(each, str) else each for each in row] for row in rows)
    return out.getvalue()


def markdown_table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a Markdown table. Its cells are Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def columns(head: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table for what is no terminal: columns as wide as what stands in them, each cell one line."""
    lines = [tuple(head), *(tuple(map(one_line, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


MARKED = re.compile(r"`([^`]+)`|\*{1,2}([^*]+)\*{1,2}")


def without_markdown(text: str) -> str:
    """A page of ours as plain lines for a terminal: code stands to the right, tables in columns, marks are gone."""
    lines: list[str] = []
    for place, part in enumerate(re.split(r"^```.*\n", text, flags=re.MULTILINE)):
        if place % 2:
            lines += [f"    {line}" for line in part.splitlines()]
            continue
        bare = MARKED.sub(lambda found: found[1] or found[2], part)
        for is_table, some in groupby(bare.splitlines(), lambda line: line.startswith("|")):
            if is_table:
                head, _, *rows = ([each.strip() for each in line.strip("|").split("|")] for line in some)
                lines += [f"    {line}" for line in columns(head, rows)]
            else:
                lines += some
    return "\n".join(lines)


TABLE_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color-scheme: light dark; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #8886; }
"""


def html_page(title: str, head: Sequence[str], rows: Iterable[Iterable[str]], said: Iterable[str]) -> str:
    """A page with one table and what is said below it. It loads nothing, and no text in it is markup."""

    def line(tag: str, cells: Iterable[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(plain(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{escape(plain(title))}</title>\n<style>{TABLE_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(plain(title))}</h1>\n<table>\n<thead>{line('th', head)}</thead>\n<tbody>",
            *(line("td", row) for row in rows),
            "</tbody>\n</table>",
            *(f"<p>{escape(plain(text))}</p>" for text in said),
            "</body>\n</html>\n",
        ]
    )
