"""What came of the work: reopenings, one-touch, ratings, pauses. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connector.report.cases import Case, Solving
from connector.report.cohorts import UNLOADED, UNTOLD_SOLVING, many, raised, within
from connector.report.figures import Figure, difference, ratio, share
from connector.report.frame import Frame
from connector.report.stretches import overlaps
from policies.durations import spell
from policies.model import Instant, Satisfaction

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
    back = [each for each in ready if came_back(each, frame)]
    again = many(
        sum(each.again for each in back), "of them solved again without a reply: perhaps a word of thanks"
    )
    window = f"window: {spell(frame.window)}"
    yield share("reopen_rate", len(back), len(ready), excluded, (window, again))
    once = sum(each.replies <= 1 and not came_back(each, frame) for each in ready)
    none = many(sum(each.replies == 0 for each in ready), "solved without any reply")
    yield share("one_touch", once, len(ready), excluded, (window, none))


def first_solving(case: Case, frame: Frame) -> Solving | None:
    """The first time in the period that the ticket was solved."""
    return next((each for each in case.solvings if within(each.at, frame)), None)


def came_back(solving: Solving, frame: Frame) -> bool:
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
