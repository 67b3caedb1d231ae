"""How an episode begins and ends: reasons, stop rules, acknowledgements, restarted clocks (rules 4 and 10)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from policies.clocks import Reading
from policies.facts import OVER, Fact, History, enters
from policies.memory import FIRED, Episode, How, Owed, Passed, Standing, UnderWay
from policies.model import Instant, Message, Status, Ticket, Who
from policies.policy import DEADLINES, Policy
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
    return len(episode.passed) > episode.before


def has_fired(episode: Episode) -> bool:
    """Whether a level of this episode fired or was observed, so that it can be acknowledged."""
    return any(each.how in FIRED for each in episode.passed[episode.before :])


def with_fired(episode: Episode, seen: int, *, told: bool) -> Episode:
    """The episode once a level has fired: of the first one it is kept where in the history that was (rule 10)."""
    return episode if episode.heard is not None else replace(episode, heard=seen, told=told)


def climbed(episode: Episode) -> Episode:
    """The episode as it will be once the level under way has fired."""
    way = episode.under_way
    if way is None:
        return episode
    before = tuple(Passed(level=name, how=How.OVERTAKEN, at=way.at) for name in way.overtaken)
    level = Passed(level=way.level, how=How.FIRED, at=way.at, due=way.due, owner=way.owner, why=way.why)
    return replace(
        episode,
        passed=(*episode.passed, *before, level),
        owner=way.owner,
        repeated=0,
        last_sent=None if way.instead else way.at,
        owes=owed(way),
    )


def answered(episode: Episode) -> Episode:
    """The episode once levels were passed: one of them does not wait for approval any more."""
    waits = not any(each.level == episode.awaiting for each in episode.passed)
    return episode if waits else replace(episode, awaiting=None)


def replanned(episode: Episode) -> Episode:
    """The episode without what was merely planned and has no outcome: it is decided afresh."""
    owes = replace(episode.owes, sent=False) if episode.owes else None
    return replace(episode, under_way=None, asking=None, said_before=None, owes=owes)


def owed(way: UnderWay) -> Owed | None:
    """What a level under way leaves to be made up for."""
    return Owed(level=way.level, parts=way.owes, instead=way.instead) if way.owes else None


def ending(
    policy: Policy,
    ticket: Ticket,
    history: History,
    episode: Episode,
    verdict: Verdict,
    *,
    restarted: bool,
    enforced: bool,
) -> End | None:
    """The first reason that applies, None if the episode goes on. What cannot be read is no reason (rule 8)."""
    over = became_over(policy, ticket, history, episode.seen)
    stop = stopping(policy, history, episode)
    if over is not None or stop is not None:
        return over or stop
    if verdict.when is False:
        return End(reason="when")
    if verdict.excluded is True:
        return End(reason="unless")
    if restarted:
        return End(reason="clock")
    return End(reason="enforced") if enforced and not verdict.unknown else None


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
    after = acknowledged_after(history, episode)
    for _, together in groupby(newer, key=lambda fact: fact.act.sequence):
        facts = list(together)
        for stop in STOPS:
            fact = next((each for each in facts if stop in kinds(each, history, after)), None)
            if stop in policy.stop_on and fact is not None:
                return End(reason="stop_on", stop=stop, at=fact.act.at, sequence=fact.act.sequence)
    return None


def kinds(fact: Fact, history: History, after: int | None) -> Iterator[str]:
    """Which words of `stop_on` this fact is."""
    if history.is_reply(fact):
        yield "agent_reply"
    if history.moves_by_hand(fact):
        yield "assigned"
    if history.is_customers(fact):
        yield "customer_message"
    if after is not None and acknowledges(fact, history, after):
        yield "acknowledged"


def acknowledged_after(history: History, episode: Episode) -> int | None:
    """The sequence behind which somebody can acknowledge the episode: that of our write by which its first level fired,
    where something was written and shows, else of the newest fact that its look had read. None before a level fired."""
    if episode.heard is None:
        return None
    ours = (
        fact.act.sequence
        for fact in history.facts
        if fact.act.who is Who.OURS and episode.key in fact.act.episodes and fact.act.sequence > episode.heard
    )
    wrote = min(ours, default=episode.heard) if episode.told else episode.heard
    return max(wrote, episode.stops_after)


def acknowledges(fact: Fact, history: History, after: int) -> bool:
    """Whether a human agent took up the ticket after that, in the order of events."""
    if fact.act.sequence <= after:
        return False
    if isinstance(fact, Message):
        return history.is_agents(fact)
    return history.takes(fact) or history.adds_acknowledging_tag(fact)


def first_acknowledgement(history: History, episode: Episode) -> Fact | None:
    """The fact that acknowledged the episode."""
    after = acknowledged_after(history, episode)
    if after is None:
        return None
    return next((fact for fact in history.facts if acknowledges(fact, history, after)), None)


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
    if reading.start is None:
        return None not in (reading.wait, episode.wait) and reading.wait != episode.wait
    return episode.ended is not None if start is None else reading.start != start


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
