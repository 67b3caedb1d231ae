"""Where an episode begins and where it ends, with its lines for the ledger (rule 4)."""

from dataclasses import replace

from policies.clocks import Reading, Sight
from policies.episodes import (
    End,
    counted_from,
    forgetful,
    has_passed,
    is_another_clock,
    stopping,
)
from policies.facts import History
from policies.ladder import latest_passed
from policies.memory import Episode
from policies.plan import Occurrence
from policies.scene import Look, Scene, kept_matching, read


def begun(scene: Scene, base: Look, restart: Reading | None) -> Look:
    """A new episode on the real values. After a restart it is as old as the fact that restarted the clock."""
    since = kept_matching(base.policy, base.standing)
    reading = read(scene, base.policy, Sight(ticket=scene.ticket, history=base.history, matching_since=since))
    standing = forgetful(base.standing, is_another_clock(base.standing, reading))
    base = replace(base, standing=standing, ticket=scene.ticket, reading=reading, begun=True)
    seen = began_at(base, restart)
    stops_after = seen if standing.episode else started_at(reading, base.history)
    return unless_stopped(scene, base, fresh(scene, base, seen, stops_after))


def began_at(base: Look, restart: Reading | None) -> int:
    """The sequence of the newest fact that is older than the new episode."""
    old = base.standing.episode
    if restart is None or old is None or old.clock != base.policy.clock:
        return base.history.newest()
    sequence = started_at(restart, base.history)
    return sequence if sequence > old.seen else base.history.newest()


def started_at(reading: Reading, history: History) -> int:
    """The sequence that a clock's start stands at; the newest fact's where the start is not known."""
    if reading.sequence is not None:
        return reading.sequence
    return history.newest() if reading.start is None else history.sequence_at(reading.start)


def unless_stopped(scene: Scene, base: Look, episode: Episode) -> Look:
    """The episode begins, unless a fact that is known already stops it: then it ends without a word."""
    stop = stopping(base.policy, base.history, episode)
    if stop is None:
        return entered(scene, base, episode)
    stillborn = entered(scene, base, episode)
    return replace(finished(scene, stillborn, stop), said=base.said)


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
