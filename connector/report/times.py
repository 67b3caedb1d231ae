"""How long things took, by the clock on the wall and on the business calendar. Pure."""

from collections.abc import Iterator, Sequence

from connector.report.cases import Case, Escalation, Stretch
from connector.report.cohorts import UNLOADED, UNTOLD_SOLVING, created, escalated, lasting, many
from connector.report.figures import Figure
from connector.report.frame import Frame
from connector.report.stretches import merged


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
