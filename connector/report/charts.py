"""Charts as inline SVG, made of rectangles and text only. Colours are the page's. Pure."""

from collections.abc import Sequence
from html import escape

from connector.report.layout import DAYS
from connector.report.tables import Bar, Bucket

WIDTH = 720
BAR_HEIGHT = 22
CELL = 26
PLOT = 140
DATE_WIDTH = 66


def bars(title: str, rows: Sequence[Bar], most: int = 12) -> str:
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


def trend(title: str, buckets: Sequence[Bucket]) -> str:
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


def heat(title: str, rows: Sequence[Sequence[int]]) -> str:
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
