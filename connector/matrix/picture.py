"""The escalation matrix as a picture: values to shapes, and shapes to SVG and PDF. Nothing else draws it.

One panel for each policy: time to the right, to scale; each level a step up, from when it is due until the next one
is; whom it reaches and how beside it. Opening hours are shaded, hours in which nobody is told are hatched, and what is
missing stands in words at its level. A policy says how long, never when: so the panel shows one ticket whose clock
starts as a plain week opens, without holidays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from itertools import groupby, pairwise
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element, SubElement, tostring

from connector.matrix.tables import about, owner, remarks
from connector.render import plain
from policies.language.clocks import CLOCKS
from policies.language.policy import CalendarSpec, Level, Policy, PolicySet
from policies.model import Instant, Seconds
from policies.present.describe import place, span
from policies.present.matrix import Matrix, Row
from policies.rules.calendars import ALWAYS, Calendar, Interval, build, intervals_of_year, next_in_week

if TYPE_CHECKING:
    from fpdf import FPDF

WIDTH, MARGIN, LEFT, RIGHT = 1080, 16, 356, 1048
"""Of the picture, around it, and where the axis of time begins and ends; all in pixels."""
LINE, SMALL, PAD, BAR = 17, 15, 10, 10
CHARACTER = 6.9
"""The mean width of one at 13 px, generously."""
MONDAY = date(2001, 1, 8)
"""The example's first day: a week without holidays, in a year without surprises."""
HOUR, DAY, WEEK = 3_600, 86_400, 7 * 86_400
TARGET: Seconds = 8 * HOUR
"""How long a deadline is away in the example where the config has no target for it."""
LONG: Seconds = DAY
"""So long between two levels is worth a word."""
STEPS: tuple[Seconds, ...] = (
    *(60 * each for each in (1, 2, 5, 10, 15, 30)),
    *(HOUR * each for each in (1, 2, 3, 6, 12)),
    *(DAY * each for each in (1, 2, 7, 14, 30, 91, 365)),
)
TICKS = 6
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Colours = tuple[str, str]
"""In the light and in the dark."""
FILLS: dict[str, Colours] = {
    "ground": ("#ffffff", "#10151b"),
    "closed": ("#eef0f3", "#1d2227"),
    "open": ("#dcebfb", "#1d3550"),
    "bar": ("#1d6fb8", "#6db3f2"),
    "asks": ("#ffffff", "#10151b"),
    "warn": ("#9a3412", "#fdba74"),
}
STROKES: dict[str, Colours] = {
    "grid": ("#c3c9d1", "#3b434c"),
    "riser": ("#1d6fb8", "#6db3f2"),
    "asks": ("#1d6fb8", "#6db3f2"),
    "hatch": ("#c2763a", "#a9683a"),
    "deadline": ("#9a3412", "#fdba74"),
    "rule": ("#8c959f", "#6b7280"),
}
INKS: dict[str, Colours] = {
    "": ("#1f2937", "#e5e7eb"),
    "strong": ("#111827", "#f3f4f6"),
    "title": ("#111827", "#f3f4f6"),
    "quiet": ("#4b5563", "#a9b1bb"),
    "warn": ("#9a3412", "#fdba74"),
}
SIZES = {"title": 16}
BOLD = frozenset({"strong", "title"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle; `kind` is its colour."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line through these points; a shape if it is `closed`. `dashed` where nothing happens."""

    points: tuple[tuple[float, float], ...]
    kind: str
    closed: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line of text; `y` is its base, `x` where it starts, or its `anchor`: `middle` or `end`."""

    x: float
    y: float
    text: str
    kind: str = ""
    anchor: str = "start"


Shape = Box | Stroke | Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One policy. `told` says all of it in words, for those who do not see it."""

    policy: str
    title: str
    told: str
    height: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A ticket on which the levels of a policy fall due. `deadline` is None where nothing is counted to one."""

    start: Instant
    deadline: Instant | None
    moments: tuple[Instant, ...]
    end: Instant
    zone: tzinfo
    counted: bool
    calendars: dict[str, tuple[Interval, ...]] = field(default_factory=dict)

    def x(self, at: Instant) -> float:
        """Where an instant is on the axis."""
        share = (at - self.start) / (self.end - self.start)
        return round(LEFT + max(0.0, min(1.0, share)) * (RIGHT - LEFT), 1)


def panels(matrix: Matrix, policies: PolicySet) -> tuple[Panel, ...]:
    """The picture, policy by policy. Accounts on which a policy is the same share a panel."""
    known = {policy.name: policy for policy in policies.policies}
    groups = [tuple(rows) for _, rows in groupby(matrix.rows, key=lambda row: (row.account, row.policy.name))]
    same: dict[tuple[Row, ...], list[str]] = {}
    for rows in groups:
        same.setdefault(tuple(replace(row, account="") for row in rows), []).append(rows[0].account)
    return tuple(
        panel(accounts, rows, known[rows[0].policy.name], policies) for rows, accounts in same.items()
    )


def panel(accounts: Sequence[str], rows: tuple[Row, ...], policy: Policy, policies: PolicySet) -> Panel:
    """One policy, on accounts where it is the same."""
    title = f"{', '.join(accounts)}: {policy.name} ({rows[0].mode})"
    example = played(policy, policies)
    shapes = list[Shape]()
    top = put(shapes, MARGIN, PAD, [(title, "title")], WIDTH - 2 * MARGIN, 21)
    top = put(shapes, MARGIN, top, list(intro(rows[0], example, policy)), WIDTH - 2 * MARGIN, SMALL) + PAD
    top = steps(shapes, top, rows, policy, example)
    top = axis(shapes, top, example)
    top = week(shapes, top + PAD, rows, policy, example)
    return Panel(
        policy=policy.name,
        title=title,
        told=" ".join(f"{number}. {told(row)}" for number, row in enumerate(rows, start=1)),
        height=top + PAD,
        shapes=tuple(shapes),
    )


def told(row: Row) -> str:
    """A level in one sentence."""
    missing = "".join(f" Missing: {gap.text}." for gap in row.gaps)
    through = f", by {said}" if (said := some_channels(row)) else ""
    return f"{row.level.name}, {row.level.time}: {'; '.join(owner(row))}{through}.{missing}"


def intro(row: Row, example: Example, policy: Policy) -> Iterator[tuple[str, str]]:
    """What holds for all levels."""
    yield f"All of these: {'; '.join(row.policy.when) or 'any ticket'}", ""
    if row.policy.unless:
        yield f"None of these: {'; '.join(row.policy.unless)}", ""
    counted = f", on calendar {row.policy.calendar} ({row.policy.hours})" if row.policy.calendar else ""
    yield f"Counted {row.policy.clock}{counted}", ""
    begins = f"{datetime.fromtimestamp(example.start, example.zone):%A %H:%M}"
    shown = (
        f"the clock starts on a {begins} ({place(str(example.zone))})"
        if example.calendars
        else "the time since the clock started, day and night"
    )
    if example.deadline is not None:
        shown += f", and the deadline is {span(length(example, policy))} away"
    yield f"As drawn: {shown}.", "quiet"


def length(example: Example, policy: Policy) -> Seconds:
    """How long the deadline is away in the example, on the policy's calendar."""
    assert example.deadline is not None
    if not policy.calendar:
        return example.deadline - example.start
    spans = ((max(a, example.start), min(b, example.deadline)) for a, b in example.calendars[policy.calendar])
    return sum(max(0, b - a) for a, b in spans)


def played(policy: Policy, policies: PolicySet) -> Example:
    """The example: a ticket whose clock starts when the policy's calendar, or the first that a level keeps, opens on
    Monday."""
    names = [policy.calendar, *(level.within for level in policy.levels)]
    used = {name: plain_week(policies.calendars[name]) for name in names if name}
    specs = [policies.calendars[name] for name in used]
    zone: tzinfo = next(iter(used.values())).timezone if used else ALWAYS.timezone
    open_hours = {spec.name: hours(spec) for spec in specs}
    midnight = int(datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=zone).timestamp())
    start = next((a for a, _ in open_hours[specs[0].name] if a >= midnight), midnight) if specs else midnight
    clock = used[policy.calendar] if policy.calendar else ALWAYS
    target = aimed(policy, policies) if policy.on_deadline else None
    deadline = None if target is None else clock.add(start, target)
    moments, week = list[Instant](), start
    for level in policy.levels:
        if level.on is not None:
            at = week = next_in_week(level.on, week, clock.timezone)
        else:
            at = due_at(level, clock, start, deadline, target or 0, moments)
        keeps = used[level.within] if level.within and level.otherwise is None else None
        moments.append(at if keeps is None or keeps.is_open(at) else keeps.add(at, 1) - 1)
    last = max([*moments, deadline or start])
    return Example(
        start=start,
        deadline=deadline,
        moments=tuple(moments),
        end=last + max((last - start) // 5, 60 if last > start else HOUR),
        zone=zone,
        counted=policy.calendar is not None,
        calendars=open_hours,
    )


def plain_week(spec: CalendarSpec) -> Calendar:
    """The calendar without what is special about any date."""
    every_week = replace(spec, holidays=(), closed=frozenset(), open={})
    return build(every_week, frozenset(), range(MONDAY.year, MONDAY.year + 2))


def hours(spec: CalendarSpec) -> tuple[Interval, ...]:
    """The opening hours of the calendar's plain weeks in the example's year."""
    zone = plain_week(spec).timezone
    return intervals_of_year(MONDAY.year, zone, lambda day: spec.hours[day.weekday()])


def aimed(policy: Policy, policies: PolicySet) -> Seconds:
    """The target that the policy counts to: the config's first, else one that all levels fit before."""
    metric = CLOCKS[policy.clock].metric
    found = [seconds for sla in policies.slas for seconds in sla.targets.get(str(metric), {}).values()]
    longest = max((level.before or 0 for level in policy.levels), default=0)
    return next((each for each in found if each > longest), max(TARGET, 2 * longest))


def due_at(
    level: Level,
    clock: Calendar,
    start: Instant,
    deadline: Instant | None,
    target: Seconds,
    before: Sequence[Instant],
) -> Instant:
    """When the level is due in the example, `before` being when those before it were."""
    if level.at is not None:
        return clock.add(start, target * level.at // 100)
    if level.before is not None and deadline is not None:
        return clock.back(deadline, level.before)
    since = before[-1] if level.clock == "since_last_level" and before else (deadline or start)
    return clock.add(since, level.after or 0)


def steps(shapes: list[Shape], top: float, rows: tuple[Row, ...], policy: Policy, example: Example) -> float:
    """The levels, the last one on top, each from when it is due; the height below them."""
    spans = (*example.moments, example.end)
    bottom, middles = top, list[float]()
    upward = list(enumerate(zip(rows, policy.levels, strict=True)))[::-1]
    for index, (row, level) in upward:
        lines = fitted(list(box(index + 1, row)), LEFT - MARGIN - 2 * PAD)
        height = max(len(lines) * SMALL + 2 * PAD, 84 if row.gaps else 56)
        ground(shapes, bottom, height, level, policy, example)
        write(shapes, MARGIN, bottom + PAD, lines, SMALL)
        middles.insert(0, bottom + height / 2)
        bottom += height
        shapes.append(Stroke(points=((MARGIN, bottom), (RIGHT, bottom)), kind="grid"))
    for index, (row, level) in enumerate(zip(rows, policy.levels, strict=True)):
        at, until, middle = spans[index], spans[index + 1], middles[index]
        left, right = example.x(at), example.x(max(at, until))
        if index + 1 < len(rows):
            shapes.append(Stroke(points=((right, middle), (right, middles[index + 1])), kind="riser"))
        shapes.append(Box(x=left, y=middle - BAR / 2, width=max(right - left, 2), height=BAR, kind="bar"))
        marks(shapes, row, level, at, middle, example)
        words = f"nothing for {about_long(until - at)}"
        if until - at > LONG and index + 1 < len(rows) and len(words) * CHARACTER < right - left - 20:
            place = (left + right) / 2
            shapes.append(Said(x=place, y=middle - BAR, text=words, kind="quiet", anchor="middle"))
    if example.deadline is not None:
        line = example.x(example.deadline)
        shapes.append(Stroke(points=((line, top), (line, bottom)), kind="deadline", dashed=True))
        shapes.append(Said(x=line - 5, y=top + 13, text="deadline", kind="warn", anchor="end"))
    return bottom


def about_long(seconds: Seconds) -> str:
    """A long time in days and hours."""
    days, rest = divmod(seconds, DAY)
    parts = ((days, "day" if days == 1 else "days"), (rest // HOUR, "h"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def ground(
    shapes: list[Shape], top: float, height: float, level: Level, policy: Policy, example: Example
) -> None:
    """The hours behind a level: open, closed, and hatched where it waits until somebody is there."""
    name = level.within or policy.calendar
    shapes.append(Box(x=LEFT, y=top, width=RIGHT - LEFT, height=height, kind="closed" if name else "open"))
    for begin, end in clipped(example.calendars.get(name or "", ()), example.start, example.end):
        left, right = example.x(begin), example.x(end)
        shapes.append(Box(x=left, y=top, width=right - left, height=height, kind="open"))
    if level.within and level.otherwise is None:
        for begin, end in closed(example.calendars[level.within], example.start, example.end):
            hatch(shapes, example.x(begin), top, example.x(end), top + height)


def clipped(some: Sequence[Interval], begin: Instant, end: Instant) -> Iterator[Interval]:
    """What of these intervals lies between."""
    for start, stop in some:
        if start < end and stop > begin:
            yield max(start, begin), min(stop, end)


def closed(some: Sequence[Interval], begin: Instant, end: Instant) -> Iterator[Interval]:
    """What lies between and in none of these intervals."""
    at = begin
    for start, stop in clipped(some, begin, end):
        if at < start:
            yield at, start
        at = stop
    if at < end:
        yield at, end


def hatch(shapes: list[Shape], left: float, top: float, right: float, bottom: float) -> None:
    """Slanted lines over a rectangle, so that it is seen without colours too."""
    width, height, at = right - left, bottom - top, 7.0
    while at < width + height:
        low, high = max(0.0, at - height), min(at, width)
        points = ((left + low, top + at - low), (left + high, top + at - high))
        shapes.append(Stroke(points=points, kind="hatch"))
        at += 7


def marks(shapes: list[Shape], row: Row, level: Level, at: Instant, middle: float, example: Example) -> None:
    """Where the level begins: a dot, a hollow square where somebody has to approve, a triangle where something is
    missing; ticks where it is said again; and the time."""
    x, half = example.x(at), 8.0
    square = (
        (x - half, middle - half),
        (x + half, middle - half),
        (x + half, middle + half),
        (x - half, middle + half),
    )
    turned = ((x - half, middle), (x, middle - half), (x + half, middle), (x, middle + half))
    shapes.append(Stroke(points=square if row.level.approval else turned, kind="asks", closed=True))
    if level.repeat is not None:
        for number in range(1, level.repeat.times + 1):
            again = at + number * level.repeat.every
            if again < example.end and not example.counted:
                line = example.x(again)
                shapes.append(Stroke(points=((line, middle - 9), (line, middle + 9)), kind="riser"))
    below = middle + BAR / 2
    beside(shapes, x, below + 14, half + 2, clock_time(at, example), "strong")
    if row.gaps:
        points = ((x, below + 19), (x + 7, below + 32), (x - 7, below + 32))
        shapes.append(Stroke(points=points, kind="warn", closed=True))
        words = f"{len(row.gaps)} missing" if len(row.gaps) > 1 else row.gaps[0].code
        beside(shapes, x, below + 31, half + 2, words, "warn")


def beside(shapes: list[Shape], x: float, y: float, away: float, text: str, kind: str) -> None:
    """A short text to the right of a place, or to its left where it would not fit."""
    if x + away + len(text) * CHARACTER * 1.1 < RIGHT:
        shapes.append(Said(x=x + away, y=y, text=text, kind=kind))
    else:
        shapes.append(Said(x=x - away, y=y, text=text, kind=kind, anchor="end"))


def clock_time(at: Instant, example: Example) -> str:
    """When it is: by the clock on the wall where hours matter, else how long after the start."""
    if not example.calendars:
        return f"+{span(at - example.start)}" if at > example.start else "at once"
    local = datetime.fromtimestamp(at, example.zone)
    week = (local.date() - MONDAY).days // 7
    return f"{DAYS[local.weekday()]} {local:%H:%M}" + (f", week {week + 1}" if week else "")


def axis(shapes: list[Shape], top: float, example: Example) -> float:
    """The line of time with its marks; the height below it."""
    whole = example.end - example.start
    step = next((each for each in STEPS if whole / each <= TICKS), STEPS[-1])
    shapes.append(Stroke(points=((LEFT, top), (RIGHT, top)), kind="rule"))
    midnight = int(datetime.fromtimestamp(example.start, example.zone).replace(hour=0, minute=0).timestamp())
    at = midnight if example.calendars else example.start
    while at <= example.end:
        if at >= example.start:
            x = example.x(at)
            shapes.append(Stroke(points=((x, top), (x, top + 5)), kind="rule"))
            anchor = "end" if x > RIGHT - 24 else "start" if x < LEFT + 24 else "middle"
            shapes.append(Said(x=x, y=top + 19, text=tick(at, step, example), kind="quiet", anchor=anchor))
        at += step
    return top + 24


def tick(at: Instant, step: Seconds, example: Example) -> str:
    """What stands at a mark of the axis."""
    if not example.calendars or step > DAY:
        return f"+{span(at - example.start)}" if at > example.start else "0"
    if step < DAY:
        local = datetime.fromtimestamp(at, example.zone)
        return f"{local:%H:%M}" if local.hour or local.minute else f"{DAYS[local.weekday()]} 00:00"
    return DAYS[datetime.fromtimestamp(at, example.zone).weekday()]


def week(shapes: list[Shape], top: float, rows: tuple[Row, ...], policy: Policy, example: Example) -> float:
    """A whole week for each calendar: its open hours, hatched while nobody is told by the last level."""
    if not example.calendars:
        return top - PAD
    last = rows[-1].level.name
    keeps = {level.within for level in policy.levels if level.within and level.otherwise is None}
    alone = policy.levels[-1].within if policy.levels[-1].otherwise is None else None
    monday = int(datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=example.zone).timestamp())
    shown = replace(example, start=monday, end=monday + WEEK)
    for number, name in enumerate(DAYS):
        x = shown.x(monday + number * DAY)
        shapes.append(Said(x=x + 3, y=top + 12, text=name, kind="quiet"))
    top += 16
    for name, some in example.calendars.items():
        said = f"Calendar {name}"
        said += (
            f": hatched, {last} waits and nobody is told"
            if name == alone
            else (": hatched, a level waits" if name in keeps else "")
        )
        lines = fitted([(said, "quiet")], LEFT - MARGIN - 2 * PAD)
        height = max(18, len(lines) * SMALL)
        write(shapes, MARGIN, top, lines, SMALL)
        shapes.append(Box(x=LEFT, y=top, width=RIGHT - LEFT, height=height, kind="closed"))
        for begin, end in clipped(some, monday, monday + WEEK):
            left, right = shown.x(begin), shown.x(end)
            shapes.append(Box(x=left, y=top, width=right - left, height=height, kind="open"))
        if name in keeps:
            for begin, end in closed(some, monday, monday + WEEK):
                hatch(shapes, shown.x(begin), top, shown.x(end), top + height)
        top += height + 4
    return top


def box(number: int, row: Row) -> Iterator[tuple[str, str]]:
    """What stands beside a level."""
    level = row.level
    yield f"{number}  {level.name}", "strong"
    yield level.time, ""
    yield f"owner: {'; '.join(owner(row))}", ""
    if row.backup:
        yield f"backup: {'; '.join(row.backup)}", "quiet"
    if level.target:
        yield f"goes to {level.target}", ""
    if level.changes:
        yield "; ".join(level.changes), "quiet"
    if through := some_channels(row):
        yield f"by {through}", ""
    for text in (level.closed_hours, level.repeat, level.approval and f"needs approval, {level.approval}"):
        if text:
            yield text, "quiet"
    for gap in row.gaps:
        yield f"{gap.code}: {gap.text}", "warn"


def some_channels(row: Row) -> str:
    """Through what people hear of the level."""
    messages = [each.partition(' "')[0].partition(":")[0] for each in row.level.messages]
    return ", ".join([*messages, *(each.partition(":")[0] for each in row.level.channels)])


def fitted(said: Sequence[tuple[str, str]], width: float) -> list[tuple[str, str]]:
    """The texts with their kinds, on as many lines as they need at this width."""
    return [
        (part, kind)
        for text, kind in said
        for part in wrap(plain(text), room(text, width, kind), subsequent_indent="" if kind else "  ")
    ]


def room(text: str, width: float, kind: str) -> int:
    """How many characters of this text fit into the width; those of some scripts are twice as wide."""
    is_wide = any(east_asian_width(each) in "WF" for each in text)
    wider = 1.08 if kind in BOLD else 1
    return int(width / (CHARACTER * wider * SIZES.get(kind, 13) / 13)) // (2 if is_wide else 1)


def put(
    shapes: list[Shape], left: float, top: float, said: Sequence[tuple[str, str]], width: float, line: float
) -> float:
    """Texts from this place on, broken at the width; the height below them."""
    return write(shapes, left, top, fitted(said, width), line)


def write(
    shapes: list[Shape], left: float, top: float, lines: Sequence[tuple[str, str]], line: float
) -> float:
    """Lines of text from this place on; the height below them."""
    for number, (text, kind) in enumerate(lines, start=1):
        shapes.append(Said(x=left, y=top + number * line - 4, text=text, kind=kind))
    return top + len(lines) * line


def style(look: str) -> str:
    """The colours of an SVG: light or dark as the reader's screen is, or as chosen; light on paper."""

    def rules(which: int) -> str:
        fills = (f".f-{kind}{{fill:{pair[which]}}}" for kind, pair in FILLS.items())
        strokes = (f".s-{kind}{{stroke:{pair[which]}}}" for kind, pair in STROKES.items())
        inks = (f"text{f'.t-{kind}' if kind else ''}{{fill:{pair[which]}}}" for kind, pair in INKS.items())
        return "".join([*fills, *strokes, *inks])

    shape = "text{font:13px system-ui,sans-serif}.bold{font-weight:600}.t-title{font-size:16px}"
    asked = {"": "screen and (prefers-color-scheme:dark)", "dark": "screen"}.get(look)
    return shape + rules(0) + (f"@media {asked}{{{rules(1)}}}" if asked else "")


def as_svg(matrix: Matrix, policies: PolicySet) -> str:
    """The picture as one SVG, as high as it must be."""
    return drawn(sheets(matrix, policies))


def sheets(matrix: Matrix, policies: PolicySet) -> tuple[Panel, ...]:
    """All panels under a head that says what the picture is of."""
    shapes = list[Shape]()
    lines = [("Escalation matrix", "title"), (about(matrix), ""), *((each, "") for each in remarks(matrix))]
    top = put(shapes, MARGIN, MARGIN, lines, WIDTH - 2 * MARGIN, 20)
    head = Panel(
        policy="",
        title="Escalation matrix",
        told=" ".join(text for text, _ in lines),
        height=top + PAD,
        shapes=tuple(shapes),
    )
    return head, *panels(matrix, policies)


def drawn(some: Sequence[Panel], look: str = "") -> str:
    """The panels as an SVG, one below the other, which asks for nothing. `look` is `light` or `dark`, or nothing for
    what the reader's screen is."""
    height = round(sum(each.height for each in some)) or 1
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "role": "img",
            "width": str(WIDTH),
            "height": str(height),
            "viewBox": f"0 0 {WIDTH} {height}",
        },
    )
    SubElement(svg, "title").text = plain(some[0].title) if some else "Escalation matrix"
    SubElement(svg, "desc").text = plain(" ".join(f"{each.title}: {each.told}" for each in some))
    SubElement(svg, "style").text = style(look)
    SubElement(svg, "rect", {"class": "f-ground", "width": "100%", "height": "100%"})
    top = 0.0
    for each in some:
        for shape in each.shapes:
            of_svg(svg, shape, top)
        top += each.height
    return tostring(svg, encoding="unicode") + "\n"


def of_svg(svg: Element, shape: Shape, top: float) -> None:
    """One shape, so far down."""
    match shape:
        case Box():
            sizes = {"x": shape.x, "y": shape.y + top, "width": shape.width, "height": shape.height}
            texts = {name: f"{round(value, 1):g}" for name, value in sizes.items()}
            SubElement(svg, "rect", texts | {"class": f"f-{shape.kind}"})
        case Stroke():
            path = " L ".join(f"{round(x, 1):g} {round(y + top, 1):g}" for x, y in shape.points)
            fill = f"f-{shape.kind}" if shape.closed else ""
            kept = {"class": f"{fill} s-{shape.kind}".strip(), "d": f"M {path}{' Z' if shape.closed else ''}"}
            plainly = {} if shape.closed else {"fill": "none"}
            SubElement(svg, "path", kept | plainly | ({"stroke-dasharray": "5 4"} if shape.dashed else {}))
        case Said():
            named = " ".join(
                filter(None, (f"t-{shape.kind}" * bool(shape.kind), "bold" * (shape.kind in BOLD)))
            )
            place = {"x": f"{round(shape.x, 1):g}", "y": f"{round(shape.y + top, 1):g}"}
            if shape.anchor != "start":
                place["text-anchor"] = shape.anchor
            SubElement(svg, "text", place | ({"class": named} if named else {})).text = shape.text


class CannotPrint(Exception):
    """A PDF cannot be made here; the text says what to do."""


FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans{}.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans{}.ttf",
    "/usr/share/fonts/TTF/DejaVuSans{}.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans{}.ttf",
    "/Library/Fonts/DejaVuSans{}.ttf",
)
"""Where a font with most letters may be, plain and bold; a PDF's own fonts have those of Western Europe only."""


SMALLEST = 0.8
"""How much smaller a panel may be drawn to fit on what is left of a page."""


def as_pdf(matrix: Matrix, policies: PolicySet) -> bytes:
    """The picture on landscape A4, in the colours of the light; what does not nearly fit on a page begins the next, and
    what is longer than one is made smaller. Raises CannotPrint."""
    try:
        from fpdf import FPDF
    except ImportError:
        raise CannotPrint(
            "a PDF needs the package fpdf2: pip install 'uptier[pdf]'; or print the SVG or HTML from a browser"
        ) from None
    some = sheets(matrix, policies)
    pdf = FPDF(orientation="landscape", unit="mm", format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(10)
    pdf.set_title("Escalation matrix")
    pdf.set_lang("en")
    family = chosen_font(
        pdf, "".join(each.text for one in some for each in one.shapes if isinstance(each, Said))
    )
    room_there, normal = pdf.h - 20, (pdf.w - 20) / WIDTH
    top = room_there
    for each in some:
        scale = min(normal, (room_there - top) / each.height)
        if scale < SMALLEST * normal:
            pdf.add_page()
            top, scale = 0.0, min(normal, room_there / each.height)
        for shape in each.shapes:
            of_pdf(pdf, shape, (10 + top, scale), family)
        top += each.height * scale
    return bytes(pdf.output())


def chosen_font(pdf: "FPDF", text: str) -> str:
    """The family in which all of this can be written. Raises CannotPrint."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError as error:
        for path in FONTS:
            if Path(path.format("")).exists() and Path(path.format("-Bold")).exists():
                pdf.add_font("wide", "", path.format(""))
                pdf.add_font("wide", "B", path.format("-Bold"))
                return "wide"
        raise CannotPrint(
            f'there is no font for "{text[error.start]}": install DejaVu (Debian: fonts-dejavu-core), '
            "or print the SVG or HTML from a browser"
        ) from None
    return "helvetica"


def of_pdf(pdf: "FPDF", shape: Shape, place: tuple[float, float], family: str) -> None:
    """One shape, so many millimetres down, at so many a pixel."""
    top, scale = place

    def at(x: float, y: float) -> tuple[float, float]:
        return 10 + x * scale, top + y * scale

    match shape:
        case Box():
            pdf.set_fill_color(FILLS[shape.kind][0])
            pdf.rect(*at(shape.x, shape.y), shape.width * scale, shape.height * scale, style="F")
        case Stroke():
            pdf.set_line_width(scale)
            pdf.set_draw_color(STROKES.get(shape.kind, FILLS.get(shape.kind, ("#000000", "")))[0])
            points = [at(x, y) for x, y in shape.points]
            if shape.closed:
                pdf.set_fill_color(FILLS[shape.kind][0])
                pdf.polygon(points, style="DF")
                return
            pdf.set_dash_pattern(*((1.2, 1.0) if shape.dashed else (0, 0)))
            for start, stop in pairwise(points):
                pdf.line(*start, *stop)
            pdf.set_dash_pattern()
        case Said():
            size = SIZES.get(shape.kind, 13) * scale / 25.4 * 72
            pdf.set_font(family, "B" if shape.kind in BOLD else "", size * (0.9 if family == "wide" else 1))
            pdf.set_text_color(INKS[shape.kind][0])
            x, y = at(shape.x, shape.y)
            back = {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor] * pdf.get_string_width(shape.text)
            pdf.text(x - back, y, shape.text)
