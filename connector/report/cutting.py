"""The same figures by team, account, policy, level and cause. Pure.

Team and account divide the tickets, so their numbers add up to the whole. A ticket may be escalated by several
policies, so those do not; escalations and levels do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from connector.report.acknowledging import acknowledging
from connector.report.cases import Case, Escalation, Step
from connector.report.cohorts import created, escalated
from connector.report.escalating import cause_of, escalating
from connector.report.figures import Figure, share
from connector.report.frame import Frame
from connector.report.moving import hand_offs, moving
from connector.report.promising import prevented, promising
from connector.report.quality import quality
from connector.report.times import times
from connector.report.trusting import precision, punctuality, trusting

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
    for family in (escalating, times, acknowledging, moving, quality, promising, trusting):
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
        rest = (*escalating(some, frame), *times(some, frame), *acknowledging(some, frame))
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
        made = (*acknowledging(some, frame), *hand_offs(some, frame), punctuality(some, frame))
        if any(each.n for each in made):
            yield Cut(dimension="level", name=called, figures=made)


def with_only(case: Case, escalation: Escalation, step: Step) -> Case:
    """The case with one level of one escalation."""
    return replace(case, escalations=(replace(escalation, steps=(step,)),))
