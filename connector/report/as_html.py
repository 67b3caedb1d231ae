"""A report as one HTML file that asks no other host for anything: style and charts stand in it."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from connector.report import charts
from connector.report.layout import Grid, advice, cut_grids, families, lead, tables, title
from connector.report.making import Report

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
    yield charts.trend(f"Tickets created and escalations by {report.grain}", report.trend)
    yield heading(CAUSES)
    yield charts.bars("Escalations by cause", report.causes)
    yield f"{heading(HOURS)}\n<p>Escalations, {escape(str(report.period.timezone))}.</p>"
    yield charts.heat("Escalations by hour of the week", report.heat)
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
