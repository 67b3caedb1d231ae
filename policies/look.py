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
from policies.orders import UNDO_TRIES, Obeyed, Order, obey
from policies.plan import Occurrence
from policies.policy import Policy
from policies.scene import Look, Scene, seen_by
from policies.undo import restoring
from policies.verdict import judged


def look(scene: Scene, policy: Policy, standing: Standing) -> Look:
    """Look at the ticket with what is remembered of it. A level that was merely planned is decided afresh."""
    history = History.of(scene.ticket, policy.counts_as_reply, policy.acknowledge_tags)
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
    escalate = [each for each in scene.orders_for(policy) if each.verb == "escalate" and each.policy]
    if not verdict.holds or (matched and not restarted and not escalate):
        return replace(base, said=tuple(unheard(policy, each) for each in escalate))
    since = reading if matched and restarted else None
    found = begun(scene, replace(base, standing=replace(base.standing, matched=matched)), since)
    episode = live(found.standing)
    if episode is None:
        return found
    return after_orders(found, obey(tuple(escalate), policy, history, episode))


def unheard(policy: Policy, order: Order) -> Occurrence:
    """The line of an order to escalate what the policy does not match."""
    return Occurrence(
        what="order refused",
        policy=policy.name,
        episode="",
        at=order.at,
        text=f"{order.verb} {order.because}; the policy does not match the ticket",
        who=order.who,
    )


def after_orders(found: Look, done: Obeyed) -> Look:
    """The look with the orders carried out."""
    standing = replace(found.standing, episode=done.episode)
    return replace(found, standing=standing, said=(*found.said, *done.said))


def going_on(scene: Scene, policy: Policy, standing: Standing, episode: Episode, history: History) -> Look:
    """An episode runs: it goes on, or it ends and another may follow at once."""
    sight, reading = seen_by(scene, policy, standing, history, episode)
    verdict = judged(policy, sight.ticket)
    restarted = is_restarted(standing, policy, reading)
    end = ending(policy, scene.ticket, history, episode, verdict, restarted)
    episode, said = acknowledged(scene, history, episode)
    done = obey(scene.orders_for(policy), policy, history, episode)
    episode, said, end = done.episode, (*said, *done.said), end or done.end
    restores = restoring(scene.ticket, sight.ticket) if episode.undoing else ()
    if episode.undoing and end is None:
        if restores and episode.undoing <= UNDO_TRIES:
            episode = replace(episode, undoing=episode.undoing + 1)
        else:
            end = End(reason="deescalated")
    base = Look(
        policy=policy,
        standing=replace(standing, episode=episode, matched=True),
        ticket=sight.ticket,
        history=history,
        verdict=verdict,
        reading=reading,
        first=False,
        said=said,
        restores=restores if end is None else (),
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
    if end.stop == "acknowledged":
        newer = started_at(base.reading, base.history) > end.sequence
        if not (restarted and newer):
            standing = remembering(base, end.at, restarted)
            if base.verdict.holds:
                return inherited(scene, replace(base, standing=standing), end.sequence)
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
