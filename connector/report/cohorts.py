"""Whom a figure is taken over. A ticket that is deleted, spam or merged is in no cohort. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from connector.report.cases import Case, Escalation, Step, Stretch
from connector.report.figures import Excluded, Figure, spread
from connector.report.frame import Frame
from policies.model import Instant

UNLOADED = "history not loaded"
"""No policy asked for the messages and changes of such a ticket."""

UNTOLD_SOLVING = "the helpdesk does not tell when it was solved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The cases with the levels that count. `hypothetical` says that nothing was enforced, so that the levels are
    what policies in observe would have fired; else `observed` tickets had only such levels, which are left out."""

    cases: tuple[Case, ...]
    hypothetical: bool
    observed: int


def chosen(cases: Sequence[Case]) -> Chosen:
    """Real levels if there are any; what would have fired if there are none."""
    steps = (step for case in cases for each in case.escalations for step in each.steps)
    kinds = {step.observed for step in steps}
    hypothetical = kinds == {True}
    kept = tuple(with_steps(case, hypothetical) for case in cases)
    lost = sum(has_steps(before) and not has_steps(after) for before, after in zip(cases, kept, strict=True))
    return Chosen(cases=kept, hypothetical=hypothetical, observed=lost)


def with_steps(case: Case, observed: bool) -> Case:
    """The case with the levels that were only observed, or with those that fired."""
    if not case.escalations:
        return case
    return replace(
        case,
        escalations=tuple(
            replace(each, steps=tuple(step for step in each.steps if step.observed is observed))
            for each in case.escalations
        ),
    )


def has_steps(case: Case) -> bool:
    """Whether any level was fired or observed."""
    return any(each.steps for each in case.escalations)


def within(at: Instant, frame: Frame) -> bool:
    """Whether an instant is in the period."""
    return frame.period.begin <= at < frame.period.end


def created(cases: Iterable[Case], frame: Frame) -> list[Case]:
    """Tickets created in the period."""
    return [case for case in cases if not case.gone and within(case.created, frame)]


def raised(case: Case) -> list[Escalation]:
    """The ticket's escalations by their first level."""
    return sorted((each for each in case.escalations if each.raised), key=lambda each: each.at)


def escalated(cases: Iterable[Case], frame: Frame) -> list[tuple[Case, list[Escalation]]]:
    """Tickets created in the period that were escalated at any time."""
    found = ((case, raised(case)) for case in created(cases, frame))
    return [(case, some) for case, some in found if some]


def begun(cases: Iterable[Case], frame: Frame) -> list[tuple[Case, Escalation]]:
    """Escalations whose first level fired in the period."""
    return [
        (case, each)
        for case in cases
        if case.escalations and not case.gone
        for each in raised(case)
        if within(each.at, frame)
    ]


def fired(cases: Iterable[Case], frame: Frame) -> list[tuple[Case, Escalation, Step]]:
    """Levels that fired in the period, those too that only told a channel."""
    return [
        (case, each, step)
        for case in cases
        if not case.gone
        for each in case.escalations
        for step in each.steps
        if within(step.at, frame)
    ]


def lasting(
    key: str,
    spans: Sequence[tuple[Stretch, ...]],
    frame: Frame,
    excluded: Excluded | None = None,
    notes: Sequence[str] = (),
) -> list[Figure]:
    """How long these lasted, by the clock on the wall and on the business calendar if there is one."""
    wall = [float(sum(end - start for start, end in span)) for span in spans]
    figures = [spread(key, wall, excluded, notes, "calendar")]
    calendar = frame.business
    if calendar is not None:
        business = [float(sum(calendar.between(*stretch) for stretch in span)) for span in spans]
        figures.append(spread(key, business, excluded, notes, f"business: {calendar.name}"))
    return figures


def many(count: int, text: str) -> str:
    """A note with its number; nothing for none."""
    return f"{count} {text}" if count else ""
