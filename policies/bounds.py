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
from policies.memory import Episode, How, Passed, latest_passed
from policies.plan import Occurrence
from policies.scene import Look, Scene, kept_matching, read


def begun(scene: Scene, base: Look, restart: Reading | None) -> Look:
    """A new episode on the real values. After a restart it is as old as the fact that restarted the clock."""
    base = on_real_values(scene, base)
    seen = began_at(base, restart)
    stops_after = seen if base.standing.episode else started_at(base.reading, base.history)
    return unless_stopped(scene, base, fresh(scene, base, seen, stops_after))


def ordered(scene: Scene, base: Look) -> Look:
    """A new episode that a person has begun: nothing from before stops it."""
    base = on_real_values(scene, base)
    newest = base.history.newest()
    return entered(scene, base, fresh(scene, base, newest, newest))


def on_real_values(scene: Scene, base: Look) -> Look:
    """The look with the clock as it runs for a new episode, which has no writes to hide."""
    since = kept_matching(base.policy, base.standing)
    touched = base.standing.touched
    sight = Sight(ticket=scene.ticket, history=base.history, matching_since=since, touched=touched)
    reading = read(scene, base.policy, sight)
    standing = forgetful(base.standing, is_another_clock(base.standing, reading))
    return replace(base, standing=standing, ticket=scene.ticket, reading=reading, begun=True)


def began_at(base: Look, restart: Reading | None) -> int:
    """The sequence of the newest fact that is older than the new episode."""
    old = base.standing.episode
    if restart is None or old is None or old.clock != base.policy.clock:
        return base.history.newest()
    started = started_at(restart, base.history)
    sequence = restart.wait if restart.start is None and restart.wait is not None else started
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
    """A new episode. After an acknowledgement it starts behind what was passed since (rule 4)."""
    policy, standing, number = base.policy, base.standing, base.standing.episodes + 1
    enforced = scene.policies.mode(policy, scene.ticket.ref.account) == "enforce"
    behind = really(standing.behind) if enforced else standing.behind
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
        wait=base.reading.wait,
        seen=seen,
        stops_after=stops_after,
    )
    return starting_behind(episode, behind)


def starting_behind(episode: Episode, passed: tuple[Passed, ...]) -> Episode:
    """The episode behind these levels, with the owner of the latest."""
    begun = replace(episode, passed=passed, before=len(passed))
    latest = latest_passed(begun)
    return replace(begun, owner=latest.owner) if latest else begun


def really(passed: tuple[Passed, ...]) -> tuple[Passed, ...]:
    """What stays passed once a policy is enforced: levels that really fired, or did not by somebody's word, with those
    they overtook (rule 12)."""
    kept: list[Passed] = []
    before: list[Passed] = []
    for each in passed:
        before.append(each)
        if each.how is not How.OVERTAKEN:
            kept += before if each.how not in (How.OBSERVED, How.SKIPPED) else []
            before = []
    return tuple(kept)


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
    behind = over.passed if base.standing.acknowledged is not None else ()
    standing = replace(base.standing, episode=over, behind=behind)
    return replace(base, standing=standing, ended=(*base.ended, over), said=said)


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
