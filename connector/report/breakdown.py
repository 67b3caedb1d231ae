"""The same figures by team, account, policy, level and cause; the trend, causes by weight, the hours of the
week. Pure.

Team and account divide the tickets, so their numbers add up to the whole. A ticket may be escalated by several
policies, so those do not; escalations and levels do.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from typing import Literal

from connector.report.cases import Case, Escalation, Step
from connector.report.figures import Figure, begun, created, escalated, fired, raised, share
from connector.report.metrics import (
    acknowledgement,
    cause_of,
    escalating,
    hand_offs,
    moving,
    precision,
    prevented,
    promising,
    punctuality,
    quality,
    times,
    trusting,
)
from connector.report.period import Frame, Grain, hour_of_week, parts

Dimension = Literal["team", "account", "policy", "level", "cause"]

MEANINGS: dict[Dimension, str] = {
    "team": "the group that has the ticket now",
    "account": "the helpdesk account",
    "policy": "the policy that escalated",
    "level": "the level that fired",
    "cause": "the custom field `cause`, else what the policy's clock measures",
}

OF_TICKETS = frozenset({"escalation_rate", "cause_coverage", "first_reply"})
"""Figures that need the tickets that were not escalated too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The figures of one team, account, policy, level or cause."""

    dimension: Dimension
    name: str
    figures: tuple[Figure, ...]


def figures(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Every figure there is."""
    for family in (escalating, times, acknowledgement, moving, quality, promising, trusting):
        yield from family(cases, frame)


def cuts(cases: Sequence[Case], frame: Frame) -> Iterator[Cut]:
    """All cuts, by dimension and name. A team, policy or cause that nothing happened to is left out."""
    yield from by_ticket("account", cases, frame, lambda case: case.ref.account)
    yield from by_ticket("team", cases, frame, lambda case: case.group)
    yield from by_escalation("policy", cases, frame, lambda _, each: each.policy)
    yield from by_escalation("cause", cases, frame, cause_of)
    yield from by_level(cases, frame)


def by_ticket(
    dimension: Dimension, cases: Sequence[Case], frame: Frame, name: Callable[[Case], str]
) -> Iterator[Cut]:
    """All figures of each part of the tickets."""
    found = defaultdict[str, list[Case]](list)
    for case in cases:
        found[name(case)].append(case)
    for called, some in sorted(found.items()):
        made = tuple(figures(some, frame))
        if any(each.n for each in made):
            yield Cut(dimension=dimension, name=called, figures=made)


def by_escalation(
    dimension: Dimension, cases: Sequence[Case], frame: Frame, name: Callable[[Case, Escalation], str]
) -> Iterator[Cut]:
    """The figures about escalations, of each kind of them. The rate is of all tickets."""
    found = defaultdict[str, list[Case]](list)
    for case in cases:
        for called in sorted({name(case, each) for each in case.escalations}):
            own = tuple(each for each in case.escalations if name(case, each) == called)
            found[called].append(replace(case, escalations=own))
    everything = len(created(cases, frame))
    for called, some in sorted(found.items()):
        rate = share("escalation_rate", len(escalated(some, frame)), everything)
        rest = (*escalating(some, frame), *times(some, frame), *acknowledgement(some, frame))
        told = (
            *hand_offs(some, frame),
            prevented(some, frame),
            precision(some, frame),
            punctuality(some, frame),
        )
        made = tuple(each for each in (*rest, *told) if each.measure.key not in OF_TICKETS)
        if any(each.n for each in made):
            yield Cut(dimension=dimension, name=called, figures=(rate, *made))


def by_level(cases: Sequence[Case], frame: Frame) -> Iterator[Cut]:
    """How each level was taken up, handed over and kept in time."""
    found = defaultdict[str, list[Case]](list)
    for case in cases:
        for each in case.escalations:
            for step in each.steps:
                found[f"{each.policy}: {step.level}"].append(with_only(case, each, step))
    for called, some in sorted(found.items()):
        made = (*acknowledgement(some, frame), *hand_offs(some, frame), punctuality(some, frame))
        if any(each.n for each in made):
            yield Cut(dimension="level", name=called, figures=made)


def with_only(case: Case, escalation: Escalation, step: Step) -> Case:
    """The case with one level of one escalation."""
    return replace(case, escalations=(replace(escalation, steps=(step,)),))


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
