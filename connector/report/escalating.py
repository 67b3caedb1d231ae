"""How much is escalated, how high, how often again, and why. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from connector.report.cases import Case, Escalation
from connector.report.cohorts import begun, created, escalated, many, raised, within
from connector.report.figures import Figure, count, share, spread, untold
from connector.report.frame import Frame

AGAIN_AFTER = frozenset({"deescalated", "solved", "closed"})
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
    yield share("reescalation_rate", sum(came_back(case, some) for case, some in up), len(up))
    stated = sum(case.cause is not None for case, _ in started)
    if started and not stated:
        yield untold("cause_coverage", "no escalated ticket has a value in a custom field named `cause`")
    else:
        yield share("cause_coverage", stated, len(started))


def manual(started: Sequence[tuple[Case, Escalation]]) -> str:
    """How many a person ordered."""
    return many(sum(each.raised[0].ordered for _, each in started), "ordered by a person")


def came_back(case: Case, some: Sequence[Escalation]) -> bool:
    """Whether the ticket was escalated again after it had been solved or de-escalated."""
    over = [each.ended for each in some if each.ended is not None and each.reason in AGAIN_AFTER]
    over += [each.at for each in case.solvings]
    released = min((at for at in over if at > some[0].at), default=None)
    return released is not None and any(each.at > released for each in some)


CLOCK_CAUSES = {
    "created": "open since its creation",
    "customer_waiting": "customer waiting",
    "since_agent_reply": "silent since the agent's reply",
    "assignee_silent": "assignee silent",
    "in_status": "too long in one status",
    "untouched": "untouched",
    "matching": "conditions held",
    "first_reply": "first reply due",
    "next_reply": "next reply due",
    "resolution": "resolution due",
}


def cause_of(case: Case, escalation: Escalation) -> str:
    """The cause that a person stated, else what the policy's clock measures."""
    return case.cause or CLOCK_CAUSES.get(escalation.clock, escalation.clock or "clock not known")


def causes(cases: Sequence[Case], frame: Frame) -> Counter[str]:
    """Escalations begun in the period by cause."""
    return Counter(cause_of(case, each) for case, each in begun(cases, frame))


def policies_of(cases: Sequence[Case], frame: Frame) -> Counter[str]:
    """Escalations begun in the period by policy."""
    return Counter(each.policy for _, each in begun(cases, frame))


def first_escalation(case: Case) -> Escalation | None:
    """The ticket's first escalation."""
    return next(iter(raised(case)), None)
