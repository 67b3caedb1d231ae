"""The figures of a period, and the same cut by policy, group, person and the like. Pure.

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

from connector.report.build_case import merged, overlaps
from connector.report.cases import (
    Case,
    Escalation,
    Frame,
    Grain,
    Promise,
    Solving,
    Step,
    Stretch,
    hour_of_week,
    parts,
)
from connector.report.figures import (
    UNLOADED,
    UNTOLD_SOLVING,
    Figure,
    begun,
    count,
    created,
    difference,
    escalated,
    fired,
    lasting,
    many,
    raised,
    ratio,
    share,
    spread,
    untold,
    within,
)
from connector.report.movement import hand_offs, moving
from policies.language.clocks import CLOCKS
from policies.model import Instant, Metric, Satisfaction, spell

AGAIN_AFTER = frozenset({"deescalated", "undone", "solved", "closed"})
"""After an episode that ended so, a further one is an escalation anew, not a higher rung."""


def escalating(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """The rate, the number, the levels, the returns and the causes of escalations."""
    made = created(cases, frame)
    up = escalated(cases, frame)
    gone = sum(case.gone and within(case.created, frame) for case in cases)
    yield share("escalation_rate", len(up), len(made), {"deleted, spam or merged": gone})
    started = begun(cases, frame)
    running = many(sum(each.ended is None for _, each in started), "still run and may climb on")
    yield count("escalations", len(started), notes=(manual(started),))
    yield spread("levels_climbed", [float(len(each.raised)) for _, each in started], notes=(running,))
    known = [each for _, each in started if each.top is not None]
    lost = {"policy no longer known": len(started) - len(known)}
    yield share("top_reached", sum(bool(each.top) for each in known), len(known), lost, (running,))
    yield share("reescalation_rate", sum(escalated_again(case, some) for case, some in up), len(up))
    stated = sum(case.cause is not None for case, _ in started)
    if started and not stated:
        yield untold("cause_coverage", "no escalated ticket has a value in a custom field named `cause`")
    else:
        yield share("cause_coverage", stated, len(started))


def manual(started: Sequence[tuple[Case, Escalation]]) -> str:
    """How many a person ordered."""
    return many(sum(each.raised[0].ordered for _, each in started), "ordered by a person")


def escalated_again(case: Case, some: Sequence[Escalation]) -> bool:
    """Whether the ticket was escalated again after it had been answered, solved or de-escalated."""
    over = [
        each.ended
        for each in some
        if each.ended is not None and (each.answered or each.reason in AGAIN_AFTER)
    ]
    over += [each.at for each in case.solvings]
    released = min((at for at in over if at > some[0].at), default=None)
    return released is not None and any(each.at > released for each in some)


def cause_of(case: Case, escalation: Escalation) -> str:
    """The cause that a person stated, else what the policy's clock measures."""
    return case.cause or (
        CLOCKS[escalation.clock].cause
        if escalation.clock in CLOCKS
        else escalation.clock or "clock not known"
    )


def causes(cases: Sequence[Case], frame: Frame) -> Counter[str]:
    """Escalations begun in the period by cause."""
    return Counter(cause_of(case, each) for case, each in begun(cases, frame))


def policies_of(cases: Sequence[Case], frame: Frame) -> Counter[str]:
    """Escalations begun in the period by policy."""
    return Counter(each.policy for _, each in begun(cases, frame))


def times(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Time to escalate by both meanings, in escalation, to resolution, and to the first reply."""
    up = escalated(cases, frame)
    yield from lasting("tte_created", [((case.created, some[0].at),) for case, some in up], frame)
    yield from lasting("tte_needed", [((some[0].needed, some[0].at),) for _, some in up], frame)
    yield from in_escalation([some for _, some in up], frame)
    yield from resolution_after(up, frame)
    yield from first_reply(cases, frame)


def in_escalation(up: Sequence[Sequence[Escalation]], frame: Frame) -> Iterator[Figure]:
    """Episodes of several policies that run at once count once."""
    spans = [merged([(each.at, each.ended or frame.now) for each in some]) for some in up]
    running = sum(any(each.ended is None for each in some) for some in up)
    yield from lasting("time_escalated", spans, frame, notes=(many(running, "still escalated, until now"),))


def resolution_after(up: Sequence[tuple[Case, Sequence[Escalation]]], frame: Frame) -> Iterator[Figure]:
    """To the last solving of tickets that are solved."""
    spans: list[tuple[Stretch, ...]] = []
    excluded = {"not solved": 0, UNTOLD_SOLVING: 0, "escalated after it was solved": 0}
    for case, some in up:
        if case.is_open:
            excluded["not solved"] += 1
        elif case.solved is None:
            excluded[UNTOLD_SOLVING] += 1
        elif case.solved < some[0].at:
            excluded["escalated after it was solved"] += 1
        else:
            spans.append(((some[0].at, case.solved),))
    yield from lasting("resolution_after", spans, frame, excluded)


def first_reply(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """To the first reply by a person; the opening message of an agent is none."""
    made = created(cases, frame)
    told = [case for case in made if case.told]
    spans = [((case.created, case.first_reply),) for case in told if case.first_reply is not None]
    excluded = {"no reply yet": len(told) - len(spans), UNLOADED: len(made) - len(told)}
    yield from lasting("first_reply", spans, frame, excluded)


NOT_TAKEN_UP = "not acknowledged"


def acknowledgement(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """The time of those that were acknowledged, and how many were: the first flatters without the second."""
    steps = [step for _, _, step in fired(cases, frame)]
    spans = [((step.at, step.acknowledged),) for step in steps if step.acknowledged is not None]
    yield from lasting("mtta", spans, frame, {NOT_TAKEN_UP: len(steps) - len(spans)})
    waiting = many(sum(step.waits for step in steps), "of those without still wait")
    yield share("ack_coverage", len(spans), len(steps), notes=(waiting,))


LEAST_RATINGS = 10
"""With fewer answers a CSAT is not shown."""

TOO_YOUNG = "the window is still open"
UNTOLD_RATING = "the helpdesk was not asked for, or does not tell, ratings"


def quality(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Reopen rate, one-touch, CSAT and pause integrity."""
    yield from solved_well(cases, frame)
    yield from satisfaction(cases, frame)
    yield pause_integrity(cases, frame)


def solved_well(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Each ticket counts by its first solving in the period, once its window is over."""
    solved = [solving for case in cases if not case.gone and (solving := first_solving(case, frame))]
    ready = [each for each in solved if each.at + frame.window <= frame.now]
    excluded = {
        TOO_YOUNG: len(solved) - len(ready),
        UNLOADED: sum(not case.told and solved_in(case, frame) for case in cases if not case.gone),
        UNTOLD_SOLVING: sum(case.solving_untold for case in cases if not case.gone),
    }
    back = [each for each in ready if reopened_in_time(each, frame)]
    again = many(
        sum(each.again for each in back), "of them solved again without a reply: perhaps a word of thanks"
    )
    window = f"window: {spell(frame.window)}"
    yield share("reopen_rate", len(back), len(ready), excluded, (window, again))
    once = sum(each.replies <= 1 and not reopened_in_time(each, frame) for each in ready)
    none = many(sum(each.replies == 0 for each in ready), "solved without any reply")
    yield share("one_touch", once, len(ready), excluded, (window, none))


def first_solving(case: Case, frame: Frame) -> Solving | None:
    """The first time in the period that the ticket was solved."""
    return next((each for each in case.solvings if within(each.at, frame)), None)


def reopened_in_time(solving: Solving, frame: Frame) -> bool:
    """Whether a person reopened the ticket within the window."""
    return solving.reopened is not None and solving.reopened - solving.at <= frame.window


def solved_in(case: Case, frame: Frame) -> bool:
    """Whether the ticket was solved in the period, as far as anything tells."""
    known: list[Instant] = [each.at for each in case.solvings]
    known += [] if case.solved is None else [case.solved]
    return any(within(at, frame) for at in known)


def satisfaction(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Ratings of escalated tickets and of the others, with the difference."""
    solved = [case for case in cases if not case.gone and solved_in(case, frame)]
    rows_tell = {case.ref.account for case in cases if case.rating is not None and not case.rating_loaded}
    told = [case for case in solved if case.rating or case.rating_loaded or case.ref.account in rows_tell]
    up = [case for case in told if raised(case)]
    rest = [case for case in told if not raised(case)]
    untold_up = sum(bool(raised(case)) for case in solved) - len(up)
    untold = {"escalated": untold_up, "other": len(solved) - len(told) - untold_up}
    shown = []
    for name, some in (("escalated", up), ("other", rest)):
        answers = [case.rating for case in some if case.rating is not None]
        good = sum(each is Satisfaction.GOOD for each in answers)
        excluded = {"not rated": len(some) - len(answers), UNTOLD_RATING: untold[name]}
        shown.append(share(f"csat_{name}", good, len(answers), excluded, least=LEAST_RATINGS))
        yield shown[-1]
        lost = {UNTOLD_RATING: untold[name]}
        yield share(f"csat_response_{name}", len(answers), len(some), lost)
    yield difference("csat_difference", *shown)


def pause_integrity(cases: Sequence[Case], frame: Frame) -> Figure:
    """Of the seconds of the period in which a ticket rested, those in which a customer waited."""
    period = ((frame.period.begin, frame.period.end),)
    told = [case for case in cases if case.told and not case.gone]
    paused = sum(end - start for case in told for start, end in overlaps(case.paused, period))
    wasted = sum(end - start for case in told for start, end in overlaps(case.paused_waiting, period))
    figure = ratio("pause_integrity", wasted, paused)
    unloaded = sum(not case.told and not case.gone for case in cases)
    return replace(figure, excluded=((f"tickets: {UNLOADED}", unloaded),) if unloaded else ())


AT_RISK = 0.75
"""The used share of a target's time from which it is at risk."""

DECIDED = ("achieved", "breached")
UNDECIDED = {
    "open": "not due yet",
    "paused": "paused: no deadline now",
    "untold": "the helpdesk does not tell whether it was met",
}


def promising(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Compliance by target, by metric and by ticket; breaches; targets at risk; breaches that a warning prevented."""
    made = created(cases, frame)
    promised = [each for case in made for each in case.promises]
    yield compliance("sla_targets", promised)
    for metric in Metric:
        yield compliance(f"sla_{metric}", [each for each in promised if each.metric is metric])
    yield by_ticket(made)
    broken = [each for each in promised if each.stands == "breached" and each.due is not None]
    spans: list[tuple[Stretch, ...]] = [((each.due or 0, each.met or frame.now),) for each in broken]
    still = many(sum(each.met is None for each in broken), "not fulfilled yet, until now")
    yield from lasting("breach_duration", spans, frame, notes=(still,))
    yield at_risk(cases, frame)
    yield prevented(cases, frame)


def compliance(key: str, promised: Sequence[Promise]) -> Figure:
    """Achieved targets of those that are decided."""
    stands = Counter(each.stands for each in promised)
    excluded = {why: stands[each] for each, why in UNDECIDED.items()}  # type: ignore[index]
    return share(key, stands["achieved"], stands["achieved"] + stands["breached"], excluded)


def by_ticket(made: Sequence[Case]) -> Figure:
    """Tickets with a decided target of which none was breached."""
    decided = [case for case in made if any(each.stands in DECIDED for each in case.promises)]
    kept = sum(all(each.stands != "breached" for each in case.promises) for case in decided)
    return share("sla_tickets", kept, len(decided), {"no decided target": len(made) - len(decided)})


def at_risk(cases: Sequence[Case], frame: Frame) -> Figure:
    """Open targets that have used up most of their time. Whatever the period, this is now."""
    running = [each for case in cases if case.is_open for each in case.promises if each.stands == "open"]
    known = [each for each in running if each.start is not None and each.due is not None]
    used = [(frame.now - (each.start or 0)) / max((each.due or 0) - (each.start or 0), 1) for each in known]
    late = sum(
        each.stands == "breached" and each.met is None
        for case in cases
        if case.is_open
        for each in case.promises
    )
    lost = {"the helpdesk does not tell when the target began": len(running) - len(known)}
    figure = count(
        "at_risk",
        sum(each >= AT_RISK for each in used),
        lost,
        (f"of {len(known)} open targets", many(late, "more are breached and not fulfilled")),
    )
    return replace(figure, clock="calendar")


def prevented(cases: Sequence[Case], frame: Frame) -> Figure:
    """Of the warnings before a deadline, those whose target was then met. It proves no cause."""
    warned: list[Promise] = []
    excluded = {"fired at or after the deadline": 0, "target not decided, or not told": 0}
    for case, each in begun(cases, frame):
        if each.clock not in CLOCKS or CLOCKS[each.clock].metric is None:
            continue
        promise = next((p for p in case.promises if p.metric == each.clock and runs(p, each.at)), None)
        if promise is not None and promise.due is not None and each.at >= promise.due:
            excluded["fired at or after the deadline"] += 1
        elif promise is None or promise.stands not in DECIDED:
            excluded["target not decided, or not told"] += 1
        else:
            warned.append(promise)
    kept = sum(each.stands == "achieved" for each in warned)
    return share("prevented", kept, len(warned), excluded, ("no baseline from a replay of the policy yet",))


def runs(promise: Promise, at: int) -> bool:
    """Whether the target had begun by then, and was not fulfilled before."""
    begun_by = promise.start is None or promise.start <= at
    return begun_by and (promise.met is None or promise.met >= at)


def trusting(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Precision, punctuality, and levels that came to nothing."""
    yield precision(cases, frame)
    yield punctuality(cases, frame)
    kept = [each for case in cases if not case.gone for each in case.escalations]
    yield count("missed", sum(each.missed for each in kept))
    yield count("refused", sum(within(at, frame) for each in kept for at in each.refused))


def precision(cases: Sequence[Case], frame: Frame) -> Figure:
    """Of the automatic escalations, those that nobody declined. A level that was rejected before anything fired
    counts by when its policy first held."""
    stopped = [
        each
        for case in cases
        if not case.gone
        for each in case.escalations
        if each.declined and not each.raised and within(each.needed, frame)
    ]
    started = [each for _, each in begun(cases, frame)]
    automatic = [each for each in started if not each.raised[0].ordered] + stopped
    declined = [each for each in automatic if each.declined]
    said = [
        f"{count}x {why}" for why, count in Counter(each.because for each in declined).most_common(3) if why
    ]
    ordered = {"ordered by a person": len(started) + len(stopped) - len(automatic)}
    return share("precision", len(automatic) - len(declined), len(automatic), ordered, said)


def punctuality(cases: Sequence[Case], frame: Frame) -> Figure:
    """Seconds from a level's due to the helpdesk's answer to its first write, its limits included."""
    late: list[float] = []
    excluded = Counter[str]()
    for _, _, step in fired(cases, frame):
        if step.untimed or step.due is None:
            excluded[step.untimed] += 1
        else:
            late.append(float(max(step.acted - step.due, 0)))
    return spread("punctuality", late, excluded, clock="calendar")


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
    yield from cut_by_ticket("account", cases, frame, lambda case: case.ref.account)
    yield from cut_by_ticket("team", cases, frame, lambda case: case.group)
    yield from by_escalation("policy", cases, frame, lambda _, each: each.policy)
    yield from by_escalation("cause", cases, frame, cause_of)
    yield from by_level(cases, frame)


def cut_by_ticket(
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
    names = {name(case, each) for case in cases for each in case.escalations}
    for called in sorted(names):
        made = tuple(about_escalations(cases, frame, name, called))
        if any(each.n for each in made[1:]):
            yield Cut(dimension=dimension, name=called, figures=made)


def about_escalations(
    cases: Sequence[Case], frame: Frame, name: Callable[[Case, Escalation], str], called: str
) -> Iterator[Figure]:
    """The rate of the escalations of this name among all tickets, and the figures about them."""
    some = []
    for case in cases:
        own = tuple(each for each in case.escalations if name(case, each) == called)
        if own:
            some.append(replace(case, escalations=own))
    yield share("escalation_rate", len(escalated(some, frame)), len(created(cases, frame)))
    rest = (*escalating(some, frame), *times(some, frame), *acknowledgement(some, frame))
    told = (*hand_offs(some, frame), prevented(some, frame), precision(some, frame), punctuality(some, frame))
    yield from (each for each in (*rest, *told) if each.measure.key not in OF_TICKETS)


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
