"""How an episode begins and ends: reasons, stop rules, acknowledgements, restarted clocks (rules 4 and 10)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from policies.clocks import DEADLINES, Reading
from policies.facts import OVER, Fact, History, assigns_to_self, enters
from policies.memory import Episode, How, Standing
from policies.model import Change, Instant, Message, Status, Ticket
from policies.policy import Policy
from policies.verdict import Verdict

STOPS = ("agent_reply", "assigned", "customer_message", "acknowledged")
"""The words of `stop_on`; a fact that is several of these counts as the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Why an episode ends; for a stop, when and where in the history. `undone` says that solving or closing was
    a thing of the past already, so that `when` may hold again."""

    reason: str
    stop: str | None = None
    at: Instant = 0
    sequence: int = -1
    undone: bool = False

    @property
    def text(self) -> str:
        """The reason as the episode keeps it: `stop_on agent_reply`."""
        return f"{self.reason} {self.stop}" if self.stop else self.reason


def live(standing: Standing) -> Episode | None:
    """The running episode, if there is one."""
    episode = standing.episode
    return episode if episode is not None and episode.ended is None else None


def has_passed(episode: Episode) -> bool:
    """Whether a level was passed in this episode, those aside that it began behind."""
    return any(each.at >= episode.started for each in episode.passed)


def ending(
    policy: Policy, ticket: Ticket, history: History, episode: Episode, verdict: Verdict, restarted: bool
) -> End | None:
    """The first reason that applies, None if the episode goes on."""
    over = became_over(policy, ticket, history, episode.seen)
    stop = stopping(policy, history, episode)
    if over is not None or stop is not None:
        return over or stop
    if not verdict.when:
        return End(reason="when")
    if verdict.excluded:
        return End(reason="unless")
    return End(reason="clock") if restarted else None


def became_over(policy: Policy, ticket: Ticket, history: History, seen: int) -> End | None:
    """Closed or solved, now or at any time since the fact `seen`, even if undone since."""
    statuses = (Status.CLOSED,) if policy.when.asks_solved else (Status.CLOSED, Status.SOLVED)
    for status in statuses:
        since = any(enters(each, status) and each.act.sequence > seen for each in history.changes("status"))
        if ticket.status == status or since:
            return End(reason=status.value, undone=ticket.status not in OVER)
    return None


def stopping(policy: Policy, history: History, episode: Episode) -> End | None:
    """The first fact of `stop_on` that is new enough to stop this episode."""
    newer = (fact for fact in history.facts if fact.act.sequence > episode.stops_after)
    for _, together in groupby(newer, key=lambda fact: fact.act.sequence):
        facts = list(together)
        for stop in STOPS:
            fact = next((each for each in facts if stop in kinds(each, history, episode)), None)
            if stop in policy.stop_on and fact is not None:
                return End(reason="stop_on", stop=stop, at=fact.act.at, sequence=fact.act.sequence)
    return None


def kinds(fact: Fact, history: History, episode: Episode) -> Iterator[str]:
    """Which words of `stop_on` this fact is."""
    if history.is_reply(fact):
        yield "agent_reply"
    is_move = isinstance(fact, Change) and fact.field == "assignee" and fact.before != fact.after
    if is_move and history.is_human(fact):
        yield "assigned"
    if history.is_customers(fact):
        yield "customer_message"
    if acknowledges(fact, history, episode):
        yield "acknowledged"


def acknowledges(fact: Fact, history: History, episode: Episode) -> bool:
    """Whether a human agent took up the ticket strictly after a level of this episode fired or was observed."""
    fired = (each.at for each in episode.passed if each.how in (How.FIRED, How.OBSERVED))
    first = min((at for at in fired if at >= episode.started), default=None)
    if first is None or fact.act.at <= first or fact.act.sequence <= episode.stops_after:
        return False
    if isinstance(fact, Message):
        return history.is_agents(fact)
    return assigns_to_self(fact) or history.adds_acknowledging_tag(fact)


def first_acknowledgement(history: History, episode: Episode) -> Fact | None:
    """The fact that acknowledged the episode."""
    return next((fact for fact in history.facts if acknowledges(fact, history, episode)), None)


def is_restarted(standing: Standing, policy: Policy, reading: Reading) -> bool:
    """Whether the clock runs from elsewhere than in the last episode, running or ended."""
    episode = standing.episode
    if episode is None:
        return False
    if episode.clock != policy.clock:
        return True
    if reading.why_absent is not None:
        return False
    if episode.achieved:
        return True
    start = own_start(standing, episode)
    if start is None:
        return episode.ended is not None and reading.start is not None
    return reading.start is not None and reading.start != start


def own_start(standing: Standing, episode: Episode) -> Instant | None:
    """The start of the clock itself, an acknowledgement aside."""
    return episode.clock_start if standing.acknowledged is None else standing.acknowledged_clock


def counted_from(standing: Standing, policy: Policy, reading: Reading) -> Instant | None:
    """What levels count from: the clock's start, or a later acknowledgement on the same clock."""
    if reading.why_absent is not None or reading.start is None:
        return None
    if standing.acknowledged is None or policy.clock in DEADLINES:
        return reading.start
    return max(reading.start, standing.acknowledged)


def is_another_clock(standing: Standing, reading: Reading) -> bool:
    """Whether an acknowledgement belongs to another run of the clock than this one."""
    return reading.start is not None and reading.start != standing.acknowledged_clock


def forgetful(standing: Standing, restarted: bool) -> Standing:
    """An acknowledgement is remembered until the clock restarts."""
    if not restarted:
        return standing
    return replace(standing, acknowledged=None, acknowledged_clock=None, behind=())


def achieved(standing: Standing, reading: Reading) -> Standing:
    """The memory of a target that was seen achieved: an active one after that is a new one."""
    if not reading.achieved or standing.episode is None:
        return standing
    return replace(standing, episode=replace(standing.episode, achieved=True))
