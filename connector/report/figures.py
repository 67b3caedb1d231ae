"""Figures as values: every measure with its formula, whom it is taken over, and the little statistics behind
it. Pure.

A share carries a Wilson 95 % interval. Percentiles are those of `statistics.quantiles` with `method="inclusive"`:
the smallest and the largest value are the 0th and the 100th percentile, and between values it is linear. A ticket
that is deleted, spam or merged is in no cohort.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist, fmean, quantiles
from typing import Literal

from connector.report.cases import Case, Escalation, Frame, Step, Stretch
from policies.model import Instant, spell

Unit = Literal["share", "seconds", "levels", "count", "points"]
Family = Literal["Escalation", "Times", "Acknowledgement", "Movement", "Quality", "SLA", "Trust"]

CREATED = "tickets created in the period"
ESCALATED = "tickets created in the period that were escalated at any time"
BEGUN = "escalations begun in the period"
FIRED = "levels fired in the period"
SOLVED = "tickets solved in the period, by their first solving in it"
OPEN = "tickets open now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure. `cohort` says whom it is taken over, `formula` how."""

    key: str
    name: str
    family: Family
    unit: Unit
    cohort: str
    formula: str


def measures(*rows: tuple[str, str, Family, Unit, str, str]) -> Mapping[str, Measure]:
    """The measures by key, in this order."""
    made = (
        Measure(key=key, name=name, family=family, unit=unit, cohort=cohort, formula=formula)
        for key, name, family, unit, cohort, formula in rows
    )
    return {each.key: each for each in made}


MEASURES = measures(
    ("escalation_rate", "Escalation rate", "Escalation", "share", CREATED, "escalated / created"),
    ("escalations", "Escalations", "Escalation", "count", BEGUN, "episodes whose first level fired in the period"),
    ("levels_climbed", "Levels climbed", "Escalation", "levels", BEGUN, "levels fired per escalation"),
    ("top_reached", "Reached the top level", "Escalation", "share", BEGUN, "last level of the policy fired / all"),
    ("reescalation_rate", "Re-escalation rate", "Escalation", "share", ESCALATED,
     "escalated again after an agent's reply, de-escalation or solving / escalated"),
    ("cause_coverage", "Cause coverage", "Escalation", "share", BEGUN, "with a stated cause / all"),
    ("tte_created", "Time to escalate, from creation", "Times", "seconds", ESCALATED,
     "first level fired - created"),
    ("tte_needed", "Time to escalate, from need", "Times", "seconds", ESCALATED,
     "first level fired - the policy first held"),
    ("time_escalated", "Time in escalation", "Times", "seconds", ESCALATED,
     "time in which at least one escalation of the ticket ran, until now for running ones"),
    ("resolution_after", "Resolution after escalation", "Times", "seconds", ESCALATED,
     "last solving - first level fired"),
    ("first_reply", "First reply time", "Times", "seconds", CREATED, "first qualifying reply - created"),
    ("mtta", "Time to acknowledge", "Acknowledgement", "seconds", FIRED, "first acknowledgement - level fired"),
    ("ack_coverage", "Acknowledgement coverage", "Acknowledgement", "share", FIRED,
     "acknowledged before the next level fired / fired"),
    ("bounce_rate", "Bounce rate", "Movement", "share", CREATED, "moved between groups twice or more by people / all"),
    ("ping_pong", "Ping-pong", "Movement", "share", CREATED, "moved A to B to A by people / all"),
    ("ping_pong_any", "Ping-pong, bots included", "Movement", "share", CREATED, "moved A to B to A by anybody / all"),
    ("moves_people", "Moves between groups by people", "Movement", "count", CREATED, "changes of group"),
    ("moves_ours", "Moves between groups by Uptier", "Movement", "count", CREATED, "changes of group"),
    ("moves_automation", "Moves between groups by other automations", "Movement", "count", CREATED,
     "changes of group"),
    ("handoff_dead_time", "Hand-off dead time", "Movement", "seconds", FIRED,
     "first act of a member of the receiving group - our change of group"),
    ("moved_dead_time", "Dead time after a move by people", "Movement", "seconds", CREATED,
     "first act of a member of the receiving group - a person's change of group"),
    ("moved_waiting", "Customer waiting after a move by people", "Movement", "seconds", CREATED,
     "of that time, while a customer waited for a reply"),
    ("reopen_rate", "Reopen rate", "Quality", "share", SOLVED, "reopened by a person within the window / solved"),
    ("one_touch", "One-touch resolution", "Quality", "share", SOLVED,
     "at most one qualifying reply and no reopening within the window / solved"),
    ("csat_escalated", "CSAT of escalated tickets", "Quality", "share", SOLVED, "good / rated"),
    ("csat_other", "CSAT of other tickets", "Quality", "share", SOLVED, "good / rated"),
    ("csat_difference", "CSAT difference, escalated minus others", "Quality", "points", SOLVED,
     "CSAT of escalated - CSAT of others"),
    ("csat_response_escalated", "Response rate of escalated tickets", "Quality", "share", SOLVED, "rated / solved"),
    ("csat_response_other", "Response rate of other tickets", "Quality", "share", SOLVED, "rated / solved"),
    ("pause_integrity", "Paused although the customer waited", "Quality", "share",
     "seconds in the period in which a ticket was pending or on hold", "of these, while a customer waited / all"),
    ("sla_targets", "SLA compliance by target", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_first_reply", "SLA compliance: first reply", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_next_reply", "SLA compliance: next reply", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_resolution", "SLA compliance: resolution", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_tickets", "SLA compliance by ticket", "SLA", "share", CREATED,
     "no breached target / tickets with a decided target"),
    ("breach_duration", "Breach duration", "SLA", "seconds", CREATED,
     "fulfilment - due of breached targets, until now for open ones"),
    ("at_risk", "At risk now", "SLA", "count", OPEN, "open targets with 75 % or more of their time used"),
    ("prevented", "Prevented breaches", "SLA", "share", BEGUN,
     "warned before the deadline and the target met / warned and decided"),
    ("precision", "Escalation precision", "Trust", "share", BEGUN,
     "1 - (rejected, or de-escalated before anybody acknowledged) / automatic"),
    ("punctuality", "Bot lateness", "Trust", "seconds", FIRED, "the helpdesk had the write - due"),
    ("missed", "Missed levels", "Trust", "count", "running escalations",
     "levels due five minutes ago or more, not fired"),
    ("refused", "Refused levels", "Trust", "count", "levels decided in the period",
     "levels whose write the helpdesk refused"),
)  # fmt: skip


Z = NormalDist().inv_cdf(0.975)
"""Standard deviations of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that a report states. `value` is a share from 0 to 1, the mean of `n` values in seconds or levels,
    a count, or a difference of shares; None where there is nothing to state it of, and `untold` then says why.

    `hits` of `n` make a share. `low` and `high` are its 95 % interval. `clock` is empty, `calendar`, or
    `business: NAME`. `excluded` are reasons with how many they left out, `notes` further sentences.
    """

    measure: Measure
    clock: str = ""
    n: int = 0
    hits: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    excluded: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    untold: str = ""

    @property
    def key(self) -> str:
        """`first_reply`, or on a business calendar `first_reply.business`."""
        return f"{self.measure.key}.business" if self.clock.startswith("business") else self.measure.key


Excluded = Mapping[str, int]


def reasons(excluded: Excluded) -> tuple[tuple[str, int], ...]:
    """The reasons that left anything out."""
    return tuple((why, count) for why, count in excluded.items() if count)


def share(
    key: str, hits: int, n: int, excluded: Excluded | None = None, notes: Iterable[str] = (), least: int = 1
) -> Figure:
    """`hits` of `n`. Of less than `least` it is not stated."""
    known = Figure(
        measure=MEASURES[key],
        n=n,
        hits=hits,
        excluded=reasons(excluded or {}),
        notes=tuple(filter(None, notes)),
    )
    if n < least:
        return replace(known, untold="nothing to measure" if n == 0 else f"fewer than {least}: not shown")
    low, high = wilson(hits, n)
    return replace(known, value=hits / n, low=low, high=high)


def spread(
    key: str,
    values: Sequence[float],
    excluded: Excluded | None = None,
    notes: Iterable[str] = (),
    clock: str = "",
) -> Figure:
    """The mean of some values, with percentiles beside it."""
    known = Figure(
        measure=MEASURES[key],
        clock=clock,
        n=len(values),
        excluded=reasons(excluded or {}),
        notes=tuple(filter(None, notes)),
    )
    if not values:
        return replace(known, untold="nothing to measure")
    p50, p90, p95 = (percentile(values, each) for each in (50, 90, 95))
    return replace(known, value=fmean(values), p50=p50, p90=p90, p95=p95)


def count(key: str, value: int, excluded: Excluded | None = None, notes: Iterable[str] = ()) -> Figure:
    """How many there are."""
    return Figure(
        measure=MEASURES[key],
        n=value,
        value=value,
        excluded=reasons(excluded or {}),
        notes=tuple(filter(None, notes)),
    )


def ratio(key: str, part: float, whole: float, notes: Iterable[str] = ()) -> Figure:
    """A part of a whole that was measured, not counted: it has no interval."""
    known = Figure(measure=MEASURES[key], clock="calendar", n=round(whole), hits=round(part))
    known = replace(known, notes=tuple(filter(None, notes)))
    return replace(known, value=part / whole) if whole else replace(known, untold="nothing to measure")


def difference(key: str, one: Figure, other: Figure) -> Figure:
    """How much larger the first share is, with Newcombe's interval; not stated unless both are."""
    known = Figure(measure=MEASURES[key], n=one.n + other.n)
    bounds = (one.value, one.low, one.high, other.value, other.low, other.high)
    if None in bounds:
        return replace(known, untold="one of the two is not shown")
    p, p_low, p_high, q, q_low, q_high = (float(each or 0) for each in bounds)
    low = p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return replace(known, value=p - q, low=low, high=high)


def untold(key: str, why: str, clock: str = "") -> Figure:
    """A figure that the data does not allow, and why."""
    return Figure(measure=MEASURES[key], clock=clock, untold=why)


def percentile(values: Sequence[float], percent: int) -> float:
    """The percentile from 1 to 99 of at least one value."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of `n`, at least one."""
    p = hits / n
    scale = 1 + Z * Z / n
    centre = (p + Z * Z / (2 * n)) / scale
    half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / scale
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


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


NONE = "-"


def percent(value: float | None) -> str:
    """A share as `12.5 %`."""
    return NONE if value is None else f"{value * 100:.1f} %"


def span(seconds: float | None) -> str:
    """A duration, to the minute once it is an hour."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    sign = "-" if whole < 0 else ""
    whole = abs(whole)
    return sign + spell(whole if whole < 3_600 else round(whole / 60) * 60)
