"""Whether Uptier can be trusted: did it act in time, did it miss a level, did people agree. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from connector.report.cases import Case
from connector.report.cohorts import begun, fired, within
from connector.report.figures import Figure, count, share, spread
from connector.report.frame import Frame


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
