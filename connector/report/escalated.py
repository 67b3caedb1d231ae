"""From a remembered episode to an escalation: its levels, when they were due, acted on and acknowledged. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from connector.report.cases import Escalation, HandOff, Step
from connector.report.frame import Frame, People
from connector.store.reported import Ordered, Reported, Sent
from policies.episodes import first_acknowledgement
from policies.facts import History
from policies.ladder import untimed
from policies.memory import Episode, How, Passed
from policies.model import Change, Instant, Seconds, Who
from policies.plan import PolicyTrace

GRACE: Seconds = 300
"""How long after its due a level that has not fired counts as missed."""

COUNTS = (How.FIRED, How.OBSERVED)


def escalations(
    kept: Reported, history: History | None, frame: Frame, people: People
) -> tuple[Escalation, ...]:
    """The ticket's episodes in which a level fired, was observed, refused, rejected or missed, oldest first."""
    made = (escalation(episode, kept, history, frame, people) for episode in kept.episodes)
    return tuple(each for each in made if each.steps or each.declined or each.refused or each.missed)


def escalation(
    episode: Episode, kept: Reported, history: History | None, frame: Frame, people: People
) -> Escalation:
    """One episode. Levels that it began behind belong to the one before it."""
    policy = frame.policy(episode.policy)
    own = tuple(each for each in episode.passed if each.at >= episode.started)
    orders = tuple(each for each in kept.orders if each.episode == episode.key)
    if history is not None and policy is not None:
        history = replace(
            history, reply_kinds=policy.counts_as_reply, acknowledging_tags=policy.acknowledge_tags
        )
    steps = tuple(made_steps(episode, own, orders, kept.sent, history, frame, people))
    rejected = [each for each in orders if each.what == "rejected"]
    back = [each for each in orders if each.what == "deescalated"]
    undone = bool(back) and episode.acknowledged is None
    rejected_levels = {each.level for each in rejected}
    names = {each.level for each in own if each.how in COUNTS}
    return Escalation(
        policy=episode.policy,
        clock=episode.clock,
        needed=min(episode.started, episode.matching_since or episode.started),
        steps=steps,
        ended=episode.ended,
        reason=episode.reason or "",
        top=None if policy is None else policy.levels[-1].name in names,
        declined=bool(rejected) or undone,
        because=(rejected or back)[0].text if rejected or undone else "",
        refused=tuple(
            each.at for each in own if each.how is How.REFUSED and each.level not in rejected_levels
        ),
        missed=missed(episode, kept.trace, frame.now),
    )


def made_steps(
    episode: Episode,
    own: tuple[Passed, ...],
    orders: tuple[Ordered, ...],
    sent: tuple[Sent, ...],
    history: History | None,
    frame: Frame,
    people: People,
) -> Iterator[Step]:
    """The levels that fired or were observed, in order."""
    counting = [each for each in own if each.how in COUNTS]
    for passed, after in pairwise((*counting, None)):
        assert passed is not None
        until = after.at if after else episode.ended
        ordered = any(each.what == "escalated" and each.level == passed.level for each in orders)
        acknowledged = acknowledgement(episode, passed, history, until)
        yield Step(
            level=passed.level,
            at=passed.at,
            acted=acted(episode, passed, sent),
            due=passed.due,
            observed=passed.how is How.OBSERVED,
            only_notifies=frame.only_notifies(episode.policy, passed.level),
            ordered=ordered,
            acknowledged=acknowledged,
            waits=acknowledged is None and until is None,
            untimed="ordered by a person" if ordered else untimed(episode, passed),
            hand_off=None if history is None else hand_off(episode, passed, after, history, people),
        )


def acknowledgement(
    episode: Episode, passed: Passed, history: History | None, until: Instant | None
) -> Instant | None:
    """The first acknowledgement after this level and no later than the next one, or the episode's end."""
    ordered = episode.acknowledged
    found = [] if ordered is None or ordered <= passed.at else [ordered]
    if history is not None:
        fact = first_acknowledgement(history, replace(episode, passed=(passed,)))
        found += [] if fact is None else [fact.act.at]
    first = min(found, default=None)
    return None if first is None or (until is not None and first > until) else first


def acted(episode: Episode, passed: Passed, sent: tuple[Sent, ...]) -> Instant:
    """When the helpdesk had the level's first write; the instant of the decision where there was nothing to write."""
    own = (each.settled_at for each in sent if episode.key in each.episodes and each.planned_at == passed.at)
    return min(own, default=passed.at)


def hand_off(
    episode: Episode, passed: Passed, after: Passed | None, history: History, people: People
) -> HandOff | None:
    """The first change of group that the level made, and who took the ticket up there."""
    ours = (each for each in history.changes("group") if is_by(each, episode, passed, after))
    moved = next(ours, None)
    if moved is None:
        return None
    members = people.members.get(str(moved.after), frozenset())
    found = HandOff(group=people.name(moved.after), at=moved.act.at, unknown=not members)
    for fact in history.facts:
        if fact.act.sequence <= moved.act.sequence:
            continue
        if fact.act.who is Who.AGENT and history.is_human(fact) and fact.act.person in members:
            return replace(found, taken_up=fact.act.at)
        if isinstance(fact, Change) and fact.field == "group" and fact.before != fact.after:
            return replace(found, gone_on=True)
    return found


def is_by(change: Change, episode: Episode, passed: Passed, after: Passed | None) -> bool:
    """Whether this level of this episode made the change."""
    ours = change.act.who is Who.OURS and episode.key in change.act.episodes
    return ours and change.act.at >= passed.at and (after is None or change.act.at < after.at)


def missed(episode: Episode, trace: tuple[PolicyTrace, ...], now: Instant) -> int:
    """How many levels of a running episode were due a while ago and have not fired."""
    if episode.ended is not None or (episode.snoozed_until or 0) > now:
        return 0
    own = [each for each in trace if each.policy == episode.policy and each.mode == "enforce"]
    return sum(
        level.state in ("waiting", "due") and level.due is not None and level.due + GRACE <= now
        for each in own
        for level in each.levels
    )
