"""What a report shows beside its figures: the trend, causes by weight, the hours of the week. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from connector.report.cases import Case
from connector.report.cohorts import begun, created, fired, raised
from connector.report.frame import Frame
from connector.report.period import Grain, hour_of_week, parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One day, week or month: tickets created, those of them escalated at any time; escalations begun, levels fired,
    and those of them acknowledged."""

    first: date
    last: date
    created: int = 0
    escalated: int = 0
    escalations: int = 0
    fired: int = 0
    acknowledged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One cause with its count, and the share of all that it and the larger ones make."""

    name: str
    count: int
    cumulated: float


def trend(cases: Sequence[Case], frame: Frame, grain: Grain) -> tuple[Bucket, ...]:
    """The period part by part."""
    spans = tuple(parts(frame.period, grain))
    begins = [span.begin for span in spans]

    def counted(instants: Sequence[int]) -> Counter[int]:
        return Counter(bisect_right(begins, at) - 1 for at in instants)

    made = created(cases, frame)
    steps = [step for _, _, step in fired(cases, frame)]
    new = counted([case.created for case in made])
    up = counted([case.created for case in made if raised(case)])
    rising = counted([each.at for _, each in begun(cases, frame)])
    firing = counted([step.at for step in steps])
    taken_up = counted([step.at for step in steps if step.acknowledged is not None])
    return tuple(
        Bucket(
            first=span.first,
            last=span.last,
            created=new[place],
            escalated=up[place],
            escalations=rising[place],
            fired=firing[place],
            acknowledged=taken_up[place],
        )
        for place, span in enumerate(spans)
    )


def pareto(counts: Counter[str]) -> tuple[Bar, ...]:
    """The largest first; of equal ones, by name."""
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    total = sum(counts.values())
    sums = accumulate(many for _, many in ranked)
    return tuple(
        Bar(name=name, count=many, cumulated=so_far / total)
        for (name, many), so_far in zip(ranked, sums, strict=True)
    )


def heat(cases: Sequence[Case], frame: Frame) -> tuple[tuple[int, ...], ...]:
    """Escalations begun in the period: seven rows from Monday, 24 local hours each. A repeated hour is one cell."""
    counts = Counter(hour_of_week(each.at, frame.period.timezone) for _, each in begun(cases, frame))
    return tuple(tuple(counts[day, hour] for hour in range(24)) for day in range(7))
