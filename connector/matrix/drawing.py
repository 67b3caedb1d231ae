"""The matrix as an SVG drawing: a line for each policy, its levels as boxes from left to right."""

from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element, SubElement, tostring

from connector.matrix.tables import about, owner, remarks
from connector.render import plain
from policies.present.matrix import Matrix, Row

MARGIN, GUTTER, BOX, HEAD = 16, 28, 232, 300
LINE, PAD, CHARACTER = 17, 10, 7.2
"""All in pixels; CHARACTER is the mean width of one at 13 px, generously."""

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2937 } .strong { font-weight: 600 } .warn { fill: #9a3412 }
rect { fill: #f3f5f7; stroke: #c3c9d1 } rect.gap { stroke: #ea580c; stroke-width: 2 }
rect.ground { fill: #ffffff; stroke: none } path { stroke: #6b7280; fill: none; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb } .warn { fill: #fdba74 } rect { fill: #23282e; stroke: #4a525c }
  rect.ground { fill: #14171a } path { stroke: #9ca3af }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of text in the drawing, and its class."""

    text: str
    kind: str = ""


def as_svg(matrix: Matrix) -> str:
    """The drawing, as high and as wide as it must be."""
    groups = [tuple(rows) for _, rows in groupby(matrix.rows, key=lambda row: (row.account, row.policy.name))]
    longest = max((len(rows) for rows in groups), default=1)
    width = 2 * MARGIN + HEAD + longest * (GUTTER + BOX)
    svg = Element("svg", xmlns="http://www.w3.org/2000/svg", role="img", width=str(width))
    SubElement(svg, "title").text = "Escalation matrix"
    SubElement(svg, "style").text = STYLE
    ground = SubElement(svg, "rect", {"class": "ground", "width": "100%", "height": "100%"})
    top = MARGIN
    intro = [Said(text="Escalation matrix", kind="strong"), Said(text=about(matrix))]
    top = written(svg, MARGIN, top, lines(intro + [Said(text=each) for each in remarks(matrix)], width)) + PAD
    for rows in groups:
        top = drawn(svg, top, rows) + MARGIN
    svg.set("height", str(top))
    svg.set("viewBox", f"0 0 {width} {top}")
    ground.set("x", "0")
    return tostring(svg, encoding="unicode") + "\n"


def drawn(svg: Element, top: int, rows: tuple[Row, ...]) -> int:
    """One policy at this height; the height below it."""
    texts = [lines(box(row), BOX - 2 * PAD) for row in rows]
    head = lines(heading(rows[0]), HEAD)
    height = max(len(each) for each in (head, *texts)) * LINE + 2 * PAD
    written(svg, MARGIN, top + PAD, head)
    for index, (row, said) in enumerate(zip(rows, texts, strict=True)):
        left = MARGIN + HEAD + GUTTER + index * (BOX + GUTTER)
        middle = top + height // 2
        SubElement(
            svg, "path", d=f"M {left - GUTTER + 4} {middle} H {left - 4} m -6 -5 l 6 5 l -6 5", fill="none"
        )
        shape = {"x": left, "y": top, "width": BOX, "height": height, "rx": 6}
        marked = {"class": "gap"} if row.gaps else {}
        SubElement(svg, "rect", {name: str(value) for name, value in shape.items()} | marked)
        written(svg, left + PAD, top + PAD, said)
    return top + height


def heading(row: Row) -> list[Said]:
    """What stands beside the levels of a policy."""
    return [
        Said(text=f"{row.account}: {row.policy.name} ({row.mode})", kind="strong"),
        *(Said(text=each) for each in row.policy.when),
        *(Said(text=f"not if {each}") for each in row.policy.unless),
        Said(text=f"counted {row.policy.clock}"),
        Said(text=row.policy.hours),
    ]


def box(row: Row) -> list[Said]:
    """What stands in the box of a level."""
    channels = [each.partition(":")[0] for each in row.level.channels]
    said = [
        Said(text=row.level.name, kind="strong"),
        Said(text=row.level.time),
        Said(text=f"owner: {'; '.join(owner(row))}"),
        Said(text=f"backup: {'; '.join(row.backup)}" if row.backup else ""),
        Said(text=f"goes to {row.level.target}" if row.level.target else ""),
        Said(text="; ".join(row.level.changes)),
        Said(text=f"tells {', '.join(channels)}" if channels else ""),
        Said(text="; ".join(row.level.messages)),
        *(Said(text=f"{gap.code}: {gap.text}", kind="warn") for gap in row.gaps),
    ]
    return [each for each in said if each.text]


def lines(said: list[Said], width: int) -> list[Said]:
    """The texts on as many lines as they need at this width."""
    return [
        Said(text=part, kind=each.kind)
        for each in said
        for part in wrap(plain(each.text), room(each.text, width))
    ]


def room(text: str, width: int) -> int:
    """How many characters of this text fit into the width; those of some scripts are twice as wide."""
    is_wide = any(east_asian_width(each) in "WF" for each in text)
    return int(width / CHARACTER) // (2 if is_wide else 1)


def written(svg: Element, left: int, top: int, said: list[Said]) -> int:
    """Lines of text from this place on; the height below them."""
    for number, each in enumerate(said, start=1):
        line = SubElement(svg, "text", x=str(left), y=str(top + number * LINE - 4))
        line.text = each.text
        if each.kind:
            line.set("class", each.kind)
    return top + len(said) * LINE
