"""A report as one HTML file that asks no other host for anything: style and charts (inline SVG) stand in it."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from connector.report.breakdown import Bar, Bucket
from connector.report.layout import DAYS, Grid, advice, cut_grids, families, lead, tables, title
from connector.report.report import Report

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
