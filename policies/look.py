"""One policy's look at one ticket: the clock is read, the episode goes on, ends or begins (rules 4, 5 and 13)."""

from dataclasses import replace

from policies.acknowledgement import acknowledged, enforced, inherited, remembering
from policies.bounds import begun, finished, started_at
from policies.episodes import (
    End,
    achieved,
    became_over,
    counted_from,
    ending,
    forgetful,
    is_restarted,
    live,
    replanned,
)
from policies.facts import History
from policies.memory import Episode, How, Standing
from policies.policy import Policy
from policies.scene import Look, Scene, seen_by
from policies.verdict import judged


def look(scene: Scene, policy: Policy, standing: Standing) -> Look:
    """Look at the ticket with what is remembered of it. A level that was merely planned is decided afresh."""
    history = scene.history(policy)
    touched = max((at for at in (standing.touched, scene.ticket.touched) if at is not None), default=None)
    standing = replace(standing, touched=touched)
    running = live(standing)
    if running is None:
        found = idle(scene, policy, standing, history)
    else:
        running = replanned(running)
        found = going_on(scene, policy, replace(standing, episode=running), running, history)
    seen = replace(found.standing, looked=True, seen=max(history.newest(), standing.seen))
    return replace(found, standing=seen)


def idle(scene: Scene, policy: Policy, standing: Standing, history: History) -> Look:
    """No episode runs: one begins if `when` has become true, or holds on a clock that restarted. A `when` that
    cannot be read has become neither true nor false."""
    _, reading = seen_by(scene, policy, standing, history, standing.episode)
    verdict = judged(policy, scene.ticket)
    restarted = is_restarted(standing, policy, reading)
    over = became_over(policy, scene.ticket, history, standing.seen) if standing.looked else None
    matched = standing.matched and over is None
    remembered = achieved(forgetful(standing, restarted), reading)
    base = Look(
        policy=policy,
        standing=replace(remembered, matched=matched if verdict.unknown else verdict.holds),
        ticket=scene.ticket,
        history=history,
        verdict=verdict,
        reading=reading,
        first=not standing.looked,
    )
    if not verdict.holds or (matched and not restarted):
        return base
    since = reading if matched and restarted else None
    return begun(scene, replace(base, standing=replace(base.standing, matched=matched)), since)


def going_on(scene: Scene, policy: Policy, standing: Standing, episode: Episode, history: History) -> Look:
    """An episode runs: it goes on, or it ends and another may follow at once."""
    sight, reading = seen_by(scene, policy, standing, history, episode)
    verdict = judged(policy, sight.ticket)
    restarted = is_restarted(standing, policy, reading)
    end = ending(
        policy,
        scene.ticket,
        history,
        episode,
        verdict,
        restarted=restarted,
        enforced=is_unreal(scene, policy, episode),
    )
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
        return followed(scene, finished(scene, base, end), end, restarted=restarted)
    kept = replace(episode, policy_hash=policy.hash, clock=policy.clock)
    if kept.clock_start is None:
        kept = replace(kept, clock_start=counted_from(standing, policy, reading))
    if kept.wait is None:
        kept = replace(kept, wait=reading.wait)
    return replace(base, standing=achieved(replace(base.standing, episode=kept), reading))


def is_unreal(scene: Scene, policy: Policy, episode: Episode) -> bool:
    """Whether the policy is enforced by now and a level of the episode was only observed (rule 12)."""
    observed = any(each.how is How.OBSERVED for each in episode.passed)
    return observed and scene.policies.mode(policy, scene.ticket.ref.account) == "enforce"


def followed(scene: Scene, base: Look, end: End, *, restarted: bool) -> Look:
    """What comes after an end: an acknowledged ticket climbs again, an enforced one afresh, and one that was solved and
    reopened or whose clock restarted begins anew if `when` holds on its real values."""
    if end.reason == "enforced":
        return enforced(scene, base)
    standing = forgetful(base.standing, restarted)
    if end.stop == "acknowledged":
        newer = started_at(base.reading, base.history) > end.sequence
        if not (restarted and newer):
            standing = remembering(base, end.at, restarted)
            if base.verdict.holds:
                return inherited(scene, replace(base, standing=standing), end.sequence)
    real = judged(base.policy, scene.ticket)
    standing = achieved(standing, base.reading)
    waits = restarted or end.stop == "acknowledged"
    matched = (real.holds or (real.unknown and not waits)) and not end.undone
    base = replace(base, standing=replace(standing, matched=matched), verdict=real, ticket=scene.ticket)
    if end.undone and real.holds:
        return begun(scene, base, None)
    if real.holds and matched and restarted:
        return begun(scene, base, base.reading)
    return base


def closed_off(scene: Scene, standing: Standing, reason: str) -> tuple[Standing, Episode | None]:
    """The end of the ticket, or of the policy on it. What comes back later is seen for the first time, with a
    new number; who owned it last stays known."""
    episode = live(standing)
    ended = replace(episode, ended=scene.now, reason=reason, under_way=None) if episode else None
    blank = Standing(
        policy=standing.policy,
        episodes=standing.episodes,
        ownership=standing.ownership,
        snoozed_until=standing.snoozed_until,
    )
    return blank, ended
