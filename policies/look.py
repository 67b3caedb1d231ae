"""One policy's look at one ticket: the clock is read, the episode goes on, ends or begins (rules 4, 5 and 13)."""

from dataclasses import replace

from policies.acknowledgement import acknowledged, inherited, remembering
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
)
from policies.facts import History
from policies.memory import Episode, Standing
from policies.policy import Policy
from policies.scene import Look, Scene, seen_by
from policies.verdict import judged


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


def followed(scene: Scene, base: Look, end: End, restarted: bool) -> Look:
    """What comes after an end: an acknowledged ticket climbs again, one that was solved and reopened or whose
    clock restarted begins anew if `when` holds on its real values."""
    standing = forgetful(base.standing, restarted)
    if end.stop == "acknowledged" and end.fact is not None:
        newer = started_at(base.reading, base.history) > end.fact.act.sequence
        if not (restarted and newer):
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


def closed_off(scene: Scene, standing: Standing, reason: str) -> tuple[Standing, Episode | None]:
    """The end of the ticket, or of the policy on it. What comes back later is seen for the first time, with a
    new number; who owned it last stays known."""
    episode = live(standing)
    ended = replace(episode, ended=scene.now, reason=reason, under_way=None) if episode else None
    blank = Standing(policy=standing.policy, episodes=standing.episodes, ownership=standing.ownership)
    return blank, ended
