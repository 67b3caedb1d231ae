"""One policy's look at one ticket: the clock is read, the episode goes on, ends or begins (rules 4, 5 and 13)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from policies.calendars import ALWAYS, Calendar
from policies.clocks import CLOCKS, DEADLINES, Reading, Sight
from policies.episodes import (
    End,
    became_over,
    counted_from,
    ending,
    first_acknowledgement,
    has_passed,
    is_restarted,
    live,
    own_start,
    stopping,
)
from policies.facts import History
from policies.ladder import latest_passed
from policies.memory import Episode, Standing
from policies.model import Directory, Instant, Metric, Ticket
from policies.plan import Occurrence
from policies.policy import Policy, PolicySet
from policies.targets import deadline
from policies.verdict import Verdict, judged
from policies.view import as_before, keys_of, person_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a plan is made from, standings aside. `first_ran` says since when a policy has been running on
    the ticket's account; a policy it does not name runs for the first time now."""

    ticket: Ticket
    policies: PolicySet
    directory: Directory
    calendars: Mapping[str, Calendar]
    now: Instant
    first_ran: Mapping[str, Instant] = field(default_factory=dict)

    def calendar(self, policy: Policy) -> Calendar:
        """What the policy counts on."""
        return ALWAYS if policy.calendar is None else self.calendars[policy.calendar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the look came to, before any level is considered. `ticket` is as the policy sees it.

    `first` says that the policy sees the ticket for the first time; `begun` that its episode began just now.
    """

    policy: Policy
    standing: Standing
    ticket: Ticket
    history: History
    verdict: Verdict
    reading: Reading
    first: bool
    begun: bool = False
    ended: tuple[Episode, ...] = ()
    said: tuple[Occurrence, ...] = ()


def look(scene: Scene, policy: Policy, standing: Standing) -> Look:
    """Look at the ticket with what is remembered of it. A level that was merely planned is decided afresh."""
    history = History.of(scene.ticket, policy.counts_as_reply)
    running = live(standing)
    if running is None:
        found = idle(scene, policy, standing, history)
    else:
        planned = replace(standing, episode=replace(running, under_way=None))
        found = going_on(scene, policy, planned, replace(running, under_way=None), history)
    seen = replace(found.standing, looked=True, seen=max(history.newest(), standing.seen))
    return replace(found, standing=seen)


def idle(scene: Scene, policy: Policy, standing: Standing, history: History) -> Look:
    """No episode runs: one begins if `when` has become true, or holds on a clock that restarted."""
    _, reading = seen_by(scene, policy, standing, history, standing.episode)
    verdict = judged(policy, scene.ticket)
    restarted = is_restarted(standing, policy, reading)
    over = became_over(policy, scene.ticket, history, standing.seen) if standing.looked else None
    matched = standing.matched and over is None
    remembered = achieved(forgetful(standing, restarted), reading)
    base = Look(
        policy=policy,
        standing=replace(remembered, matched=verdict.holds),
        ticket=scene.ticket,
        history=history,
        verdict=verdict,
        reading=reading,
        first=not standing.looked,
    )
    if not verdict.holds or (matched and not restarted):
        return base
    since = reading if matched else None
    return begun(scene, replace(base, standing=replace(base.standing, matched=matched)), since)


def going_on(scene: Scene, policy: Policy, standing: Standing, episode: Episode, history: History) -> Look:
    """An episode runs: it goes on, or it ends and another may follow at once."""
    sight, reading = seen_by(scene, policy, standing, history, episode)
    verdict = judged(policy, sight.ticket)
    restarted = is_restarted(standing, policy, reading)
    end = ending(policy, scene.ticket, history, episode, verdict, restarted)
    episode, said = acknowledged(scene, history, episode)
    base = Look(
        policy=policy,
        standing=replace(standing, episode=episode, matched=True),
        ticket=sight.ticket,
        history=history,
        verdict=verdict,
        reading=reading,
        first=False,
        said=said,
    )
    if end is not None:
        return followed(scene, finished(scene, base, end), end, restarted)
    kept = replace(episode, policy_hash=policy.hash, clock=policy.clock)
    if kept.clock_start is None:
        kept = replace(kept, clock_start=counted_from(standing, policy, reading))
    return replace(base, standing=achieved(replace(base.standing, episode=kept), reading))


def finished(scene: Scene, base: Look, end: End) -> Look:
    """The episode ends. One in which no level was passed leaves no line in the ledger."""
    episode = base.standing.episode
    assert episode is not None
    over = replace(episode, ended=scene.now, reason=end.text)
    said = (*base.said, ended_line(over)) if has_passed(over) else base.said
    return replace(base, standing=replace(base.standing, episode=over), ended=(*base.ended, over), said=said)


def ended_line(episode: Episode) -> Occurrence:
    """The ledger line of an episode that ended."""
    assert episode.ended is not None
    return Occurrence(
        what="ended",
        policy=episode.policy,
        episode=episode.key,
        at=episode.ended,
        owner=episode.owner.name if episode.owner else None,
        text=episode.reason or "",
    )


def followed(scene: Scene, base: Look, end: End, restarted: bool) -> Look:
    """What comes after an end: an acknowledged ticket climbs again, one that was solved and reopened or whose
    clock restarted begins anew if `when` holds on its real values."""
    standing = forgetful(base.standing, restarted)
    if end.stop == "acknowledged" and end.fact is not None:
        standing = remembering(base, end.fact.act.at, restarted)
        if base.verdict.holds:
            return inherited(scene, replace(base, standing=standing), end.fact.act.sequence)
    real = judged(base.policy, scene.ticket)
    standing = achieved(standing, base.reading)
    matched = real.holds and not end.undone
    base = replace(base, standing=replace(standing, matched=matched), verdict=real, ticket=scene.ticket)
    if end.undone and real.holds:
        return begun(scene, base, None)
    if matched and restarted:
        return begun(scene, base, base.reading)
    return base


def remembering(base: Look, at: Instant, restarted: bool) -> Standing:
    """The acknowledgement, kept until the clock restarts again, and on a deadline the levels already passed."""
    episode = base.standing.episode
    assert episode is not None
    behind = episode.passed if base.policy.clock in DEADLINES and not restarted else ()
    start = base.reading.start if restarted else own_start(base.standing, episode)
    return replace(base.standing, acknowledged=at, acknowledged_clock=start, behind=behind)


def inherited(scene: Scene, base: Look, sequence: int) -> Look:
    """The episode after an acknowledgement takes over what the stopped one wrote, and counts from there."""
    old = base.standing.episode
    assert old is not None
    heir = replace(
        fresh(scene, base, sequence, sequence),
        wrote=old.wrote,
        asked=old.asked,
        inherits=keys_of(old),
        matching_since=old.matching_since,
    )
    found = unless_stopped(scene, replace(base, begun=True), heir)
    return replace(found, standing=achieved(found.standing, base.reading))


def begun(scene: Scene, base: Look, restart: Reading | None) -> Look:
    """A new episode on the real values. After a restart it is as old as the fact that restarted the clock."""
    since = kept_matching(base.policy, base.standing)
    reading = read(scene, base.policy, Sight(ticket=scene.ticket, history=base.history, matching_since=since))
    standing = forgetful(base.standing, is_another_clock(base.standing, reading))
    base = replace(base, standing=standing, ticket=scene.ticket, reading=reading, begun=True)
    seen = began_at(base, restart)
    stops_after = seen if standing.episode else started_at(reading, base.history)
    return unless_stopped(scene, base, fresh(scene, base, seen, stops_after))


def unless_stopped(scene: Scene, base: Look, episode: Episode) -> Look:
    """The episode begins, unless a fact that is known already stops it: then it ends without a word."""
    stop = stopping(base.policy, base.history, episode)
    if stop is None:
        return entered(scene, base, episode)
    stillborn = entered(scene, base, episode)
    return replace(finished(scene, stillborn, stop), said=base.said)


def is_another_clock(standing: Standing, reading: Reading) -> bool:
    """Whether an acknowledgement belongs to another run of the clock than this one."""
    return reading.start is not None and reading.start != standing.acknowledged_clock


def began_at(base: Look, restart: Reading | None) -> int:
    """The sequence of the newest fact that is older than the new episode."""
    old = base.standing.episode
    if restart is None or old is None or old.clock != base.policy.clock:
        return base.history.newest()
    sequence = started_at(restart, base.history)
    return sequence if sequence > old.seen else base.history.newest()


def fresh(scene: Scene, base: Look, seen: int, stops_after: int) -> Episode:
    """A new episode. On a deadline it starts behind what was passed before an acknowledgement."""
    policy, standing, number = base.policy, base.standing, base.standing.episodes + 1
    matching_since = base.reading.start if policy.clock == "matching" else None
    episode = Episode(
        key=f"{scene.ticket.ref}:{policy.name}:{number}",
        policy=policy.name,
        number=number,
        started=scene.now,
        clock_start=counted_from(standing, policy, base.reading),
        matching_since=matching_since,
        policy_hash=policy.hash,
        clock=policy.clock,
        seen=seen,
        stops_after=stops_after,
        passed=standing.behind,
    )
    latest = latest_passed(episode)
    return replace(episode, owner=latest.owner) if latest else episode


def entered(scene: Scene, base: Look, episode: Episode) -> Look:
    """The episode stands in the memory, with its line for the ledger."""
    standing = replace(base.standing, episode=episode, episodes=episode.number, matched=True)
    line = Occurrence(what="started", policy=episode.policy, episode=episode.key, at=scene.now)
    return replace(base, standing=standing, said=(*base.said, line))


def acknowledged(scene: Scene, history: History, episode: Episode) -> tuple[Episode, tuple[Occurrence, ...]]:
    """The episode with its acknowledgement, and the ledger line the first time it is seen."""
    fact = first_acknowledgement(history, episode)
    if fact is None or episode.acknowledged is not None:
        return episode, ()
    person = person_of(fact.act.person, scene.directory)
    by = person.label if person else None
    line = Occurrence(
        what="acknowledged", policy=episode.policy, episode=episode.key, at=fact.act.at, text=f"by {by}"
    )
    return replace(episode, acknowledged=fact.act.at, acknowledged_by=by), (line,)


def closed_off(scene: Scene, standing: Standing, reason: str) -> tuple[Standing, Episode | None]:
    """The end of the ticket, or of the policy on it. What comes back later is seen for the first time, with a
    new number; who owned it last stays known."""
    episode = live(standing)
    ended = replace(episode, ended=scene.now, reason=reason, under_way=None) if episode else None
    blank = Standing(policy=standing.policy, episodes=standing.episodes, ownership=standing.ownership)
    return blank, ended


def seen_by(
    scene: Scene, policy: Policy, standing: Standing, history: History, episode: Episode | None
) -> tuple[Sight, Reading]:
    """What the policy sees while this episode runs, or has been the last: its own writes hidden."""
    ticket, own = scene.ticket, frozenset[str]()
    if episode is not None:
        own = keys_of(episode)
        if episode.ended is None:
            ticket = as_before(ticket, history, episode, scene.directory)
    sight = Sight(ticket=ticket, history=history, own=own, matching_since=kept_matching(policy, standing))
    return sight, read(scene, policy, sight)


def kept_matching(policy: Policy, standing: Standing) -> Instant | None:
    """Since when `when` has held without a break, as far as it was seen."""
    episode = standing.episode
    if policy.clock != "matching" or episode is None or not standing.matched:
        return None
    return episode.matching_since


def read(scene: Scene, policy: Policy, sight: Sight) -> Reading:
    """The policy's clock as this sight shows it."""
    if policy.clock in DEADLINES:
        metric = Metric(policy.clock)
        return deadline(sight, metric, scene.policies.slas, scene.calendars, scene.now)
    return CLOCKS[policy.clock](sight)


def started_at(reading: Reading, history: History) -> int:
    """The sequence that a clock's start stands at; the newest fact's where the start is not known."""
    if reading.sequence is not None:
        return reading.sequence
    return history.newest() if reading.start is None else history.sequence_at(reading.start)


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
