"""Whether SLA targets were met, by how much not, what is about to break, and what a warning saved. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from connector.report.cases import Case, Promise, Stretch
from connector.report.cohorts import begun, created, lasting, many
from connector.report.figures import Figure, count, share
from connector.report.frame import Frame
from policies.clocks import DEADLINES
from policies.model import Metric

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
        if each.clock not in DEADLINES:
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
