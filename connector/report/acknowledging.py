"""How soon, and how often at all, somebody took an escalation up. Pure."""

from collections.abc import Iterator, Sequence

from connector.report.cases import Case
from connector.report.cohorts import fired, lasting, many
from connector.report.figures import Figure, share
from connector.report.frame import Frame

NOT_TAKEN_UP = "not acknowledged"


def acknowledging(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """The time of those that were acknowledged, and how many were: the first flatters without the second."""
    steps = [step for _, _, step in fired(cases, frame)]
    spans = [((step.at, step.acknowledged),) for step in steps if step.acknowledged is not None]
    yield from lasting("mtta", spans, frame, {NOT_TAKEN_UP: len(steps) - len(spans)})
    waiting = many(sum(step.waits for step in steps), "of those without still wait")
    yield share("ack_coverage", len(spans), len(steps), notes=(waiting,))
