"""The monthly review: what to change, in sentences, each with the numbers behind it. Rules, not opinions. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.report.build_case import overlaps
from connector.report.cases import Case, Frame
from connector.report.figures import Figure, begun, created, fired, percent, percentile, span
from connector.report.metrics import Bar, Cut
from connector.report.movement import Stage
from policies.model import Seconds

LEAST = 10
"""With fewer cases a rule says nothing."""

SETTLED: Seconds = 86400
"""How long ago a level fired of which it is told whether anybody acknowledged it."""

MANY = f"of groups with at least {LEAST}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing to look at: which rule says so, what to do, and the numbers."""

    rule: str
    text: str
    numbers: str


def review(
    cases: Sequence[Case],
    frame: Frame,
    figures: Mapping[str, Figure],
    cuts: Sequence[Cut],
    policies: Sequence[Bar],
    stages: Sequence[Stage],
) -> tuple[Advice, ...]:
    """What the rules find, in a fixed order."""
    return (
        *noisiest(policies),
        *top_level(cuts),
        *seldom_taken_up(cases, frame),
        *slow_hand_off(cases, frame),
        *bottleneck(stages),
        *paused_waiting(cases, frame),
        *low(
            figures,
            "precision",
            0.9,
            "People decline escalations: read the reasons and narrow the conditions.",
        ),
        *high(figures, "reescalation_rate", 0.1, "Escalations come back: look at what was solved too early."),
        *high(
            figures, "reopen_rate", 0.1, "Solved tickets come back: look at those solved without an answer."
        ),
        *broken_promises(figures),
        *without_cause(cases, frame),
        *bot(figures),
    )


def noisiest(policies: Sequence[Bar]) -> Iterator[Advice]:
    """One policy makes most escalations."""
    total = sum(each.count for each in policies)
    if len(policies) > 1 and total >= LEAST and policies[0].count / total >= 0.5:
        first = policies[0]
        yield Advice(
            rule="noisiest policy",
            text=f'Policy "{first.name}" makes most escalations: see whether it fires too early.',
            numbers=f"{first.count} of {total} ({percent(first.count / total)})",
        )


def top_level(cuts: Sequence[Cut]) -> Iterator[Advice]:
    """A policy whose ladder, of more than one level, is mostly climbed to its end."""
    climbed = {cut.name: figure.value or 0 for cut, figure in of(cuts, "policy", "levels_climbed")}
    for cut, figure in of(cuts, "policy", "top_reached"):
        if figure.n >= LEAST and (figure.value or 0) >= 0.3 and climbed.get(cut.name, 0) > 1:
            yield Advice(
                rule="last level often reached",
                text=f'Policy "{cut.name}" often climbs to its last level: see whether its first ones reach anybody.',
                numbers=f"{figure.hits} of {figure.n} ({percent(figure.value)})",
            )


def seldom_taken_up(cases: Sequence[Case], frame: Frame) -> Iterator[Advice]:
    """The level that is acknowledged most seldom, of those that fired long enough ago to tell."""
    found = defaultdict[str, list[bool]](list)
    for _, escalation, step in fired(cases, frame):
        if step.at + SETTLED <= frame.now:
            found[f"{escalation.policy}: {step.level}"].append(step.acknowledged is not None)
    shares = {name: sum(some) / len(some) for name, some in found.items() if len(some) >= LEAST}
    worst = min(sorted(shares), key=shares.__getitem__, default=None)
    if worst is not None and shares[worst] < 0.8:
        some = found[worst]
        yield Advice(
            rule="low acknowledgement",
            text=f'Level "{worst}" is seldom acknowledged: ask its owner, or choose another.',
            numbers=f"{sum(some)} of {len(some)} that fired a day ago or more ({percent(shares[worst])})",
        )


def without_cause(cases: Sequence[Case], frame: Frame) -> Iterator[Advice]:
    """Escalated tickets that are over, and of which nobody stated a cause although others have one."""
    over = [case.cause is not None for case, _ in begun(cases, frame) if not case.is_open]
    stated = any(case.cause is not None for case, _ in begun(cases, frame))
    if stated and len(over) >= LEAST and sum(over) / len(over) < 0.8:
        yield Advice(
            rule="low: Cause coverage",
            text="Causes are missing: make the field `cause` required at solving.",
            numbers=f"{sum(over)} of {len(over)} on tickets that are over ({percent(sum(over) / len(over))})",
        )


def slow_hand_off(cases: Sequence[Case], frame: Frame) -> Iterator[Advice]:
    """The group in which what Uptier hands over lies longest."""
    found = defaultdict[str, list[float]](list)
    for _, _, step in fired(cases, frame):
        moved = step.hand_off
        if moved is not None and moved.taken_up is not None:
            found[moved.group].append(float(moved.taken_up - moved.at))
    medians = {group: percentile(some, 50) for group, some in found.items() if len(some) >= LEAST}
    if medians:
        group = max(sorted(medians), key=medians.__getitem__)
        yield Advice(
            rule="worst hand-off",
            text=f'What is handed to "{group}" lies longest before anybody there acts.',
            numbers=f"median {span(medians[group])} of {len(found[group])} hand-offs by Uptier; {MANY}",
        )


def bottleneck(stages: Sequence[Stage]) -> Iterator[Advice]:
    """The group in which tickets spend most of their time."""
    total = sum(each.total for each in stages)
    if len(stages) > 1 and stages[0].stays >= LEAST and stages[0].total / total >= 0.4:
        first = stages[0]
        yield Advice(
            rule="bottleneck",
            text=f'Tickets spend most of their unsolved time in "{first.group}".',
            numbers=f"{percent(first.total / total)} of {span(total)}, in {first.stays} stays",
        )


def paused_waiting(cases: Sequence[Case], frame: Frame) -> Iterator[Advice]:
    """The group whose tickets rest most while a customer waits."""
    period = ((frame.period.begin, frame.period.end),)
    wasted = defaultdict[str, list[int]](list)
    for case in cases:
        seconds = sum(end - start for start, end in overlaps(case.paused_waiting, period))
        if seconds and not case.gone:
            wasted[case.group].append(seconds)
    if wasted:
        group = max(sorted(wasted), key=lambda each: sum(wasted[each]))
        if len(wasted[group]) >= LEAST:
            yield Advice(
                rule="most paused",
                text=f'Tickets of "{group}" rest on pending or on hold although the customer waits.',
                numbers=f"{span(sum(wasted[group]))} on {len(wasted[group])} tickets",
            )


def broken_promises(figures: Mapping[str, Figure]) -> Iterator[Advice]:
    """SLA metrics below nine in ten."""
    for key in ("sla_first_reply", "sla_next_reply", "sla_resolution"):
        name = figures[key].measure.name.removeprefix("SLA compliance: ")
        yield from low(
            figures, key, 0.9, f"The {name} target is missed often: warn earlier, or agree on another."
        )


def bot(figures: Mapping[str, Figure]) -> Iterator[Advice]:
    """Uptier itself is late, or missed something."""
    late, missed = figures["punctuality"], figures["missed"]
    if late.n >= LEAST and (late.p95 or 0) > 300:
        yield Advice(
            rule="late bot",
            text="Uptier acts late: see the helpdesk's limits, `budget` and `poll`.",
            numbers=f"95 % within {span(late.p95)}, of {late.n} levels",
        )
    if missed.value:
        yield Advice(
            rule="missed levels",
            text="Levels are due and have not fired: see what is held and released by nobody, and what is set aside.",
            numbers=f"{missed.n} now",
        )


def low(figures: Mapping[str, Figure], key: str, least: float, text: str) -> Iterator[Advice]:
    """A share that should be at least so much."""
    figure = figures[key]
    if figure.value is not None and figure.n >= LEAST and figure.value < least:
        yield Advice(
            rule=f"low: {figure.measure.name}",
            text=text,
            numbers=f"{figure.hits} of {figure.n} ({percent(figure.value)})",
        )


def high(figures: Mapping[str, Figure], key: str, most: float, text: str) -> Iterator[Advice]:
    """A share that should be at most so much."""
    figure = figures[key]
    if figure.value is not None and figure.n >= LEAST and figure.value > most:
        yield Advice(
            rule=f"high: {figure.measure.name}",
            text=text,
            numbers=f"{figure.hits} of {figure.n} ({percent(figure.value)})",
        )


def of(cuts: Sequence[Cut], dimension: str, key: str) -> Iterator[tuple[Cut, Figure]]:
    """This figure of each cut of a dimension, where it is stated."""
    for cut in cuts:
        for figure in cut.figures:
            if cut.dimension == dimension and figure.key == key and figure.value is not None:
                yield cut, figure


def loaded_share(cases: Sequence[Case], frame: Frame) -> tuple[int, int]:
    """Of the tickets created in the period, those whose history was loaded, and all."""
    made = created(cases, frame)
    return sum(case.told for case in made), len(made)
