"""What a plan leaves behind in one policy's memory: levels passed or under way, the owner, the ledger's lines."""

from dataclasses import dataclass, replace

from policies.assignment import after
from policies.episodes import answered, owed, with_fired
from policies.memory import FIRED, Episode, How, Owner, Ownership, Passed, Standing
from policies.merge import Agreed, Merged
from policies.owners import Named
from policies.plan import Occurrence
from policies.policy import Level
from policies.sayings import because
from policies.scene import Scene
from policies.settle import passing
from policies.turn import Turn, acting, overtaken, under_way
from policies.wishes import Wish, named, on_ticket, owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """One policy's turn with all decided: what to remember, what the ledger and the trace say."""

    turn: Turn
    standing: Standing
    said: tuple[Occurrence, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def owned(scene: Scene, turn: Turn, agreed: Agreed) -> Named | None:
    """Who owns the episode once the level that fires is passed: read on the ticket after the plan; in observe after the
    level's own assignment; of a backlog, and for a question, on the ticket as it is."""
    if turn.step.asks is not None and turn.episode is not None:
        return named(scene, turn.step.asks, scene.ticket, turn.episode.owner)
    if turn.step.fires is None:
        return None
    level = acting(turn.step.fires.level, turn.count)
    if turn.how is How.FIRED:
        return owner(scene, turn, level, after(scene.ticket, agreed.assign))
    return owner(scene, turn, level, on_ticket(scene, turn, level))


def conclude(
    scene: Scene, turn: Turn, named: Named | None, merged: Merged, wish: Wish | None, *, restores: bool
) -> Conclusion:
    """The memory after this plan. `restores` says that the plan takes back what the episode wrote."""
    episode, said = turn.episode, turn.look.said
    if episode is None:
        return Conclusion(turn=turn, standing=turn.look.standing, said=said)
    if wish is not None:
        episode = replace(episode, asked=merged.asked.get(episode.key, frozenset()))
    if turn.step.fires is not None and named is not None:
        return fired(scene, turn, episode, named, merged, wish)
    if turn.step.asks is not None and named is not None:
        return asks_approval(scene, turn, episode, named)
    if turn.step.makes_up is not None:
        return makes_up(scene, turn, episode, turn.step.makes_up, merged)
    if turn.step.repeats is not None:
        return repeated(scene, turn, episode)
    if restores:
        episode = replace(episode, undoing=episode.undoing + 1)
    return behind(scene, turn, episode, never_due(turn))


def fired(
    scene: Scene, turn: Turn, episode: Episode, named: Named, merged: Merged, wish: Wish | None
) -> Conclusion:
    """A level fires. One with something to write is under way until its first write has an outcome; one with nothing to
    write, or only observed, or skipped, is passed with the plan."""
    due, now = turn.step.fires, scene.now
    if due is None:
        raise ValueError("nothing fires")
    why, owes = because(turn, due.level), wish.owes if wish else frozenset[str]()
    way = replace(under_way(turn, due, named.owner, now, why), owes=owes)
    warnings = (*never_due(turn), *warning(turn, named))
    if turn.how is How.FIRED and merged.acts_for(episode.key):
        standing = replace(turn.look.standing, episode=replace(episode, under_way=way))
        return Conclusion(turn=turn, standing=standing, said=turn.look.said, warnings=warnings)
    before = overtaken(turn, now)
    level = Passed(level=due.level.name, how=turn.how, at=now, due=due.at, owner=named.owner, why=why)
    done = replace(
        episode,
        passed=(*episode.passed, *before, level),
        owner=named.owner,
        repeated=0,
        last_sent=now if turn.how is How.FIRED and not way.instead else None,
        owes=owed(way) if turn.how is How.FIRED else None,
    )
    if turn.how in FIRED:
        done = with_fired(done, way.seen, told=False)
    done = answered(done)
    standing = replace(turn.look.standing, episode=done, ownership=outranking(turn, named.owner, scene))
    lines = tuple(passing(done, each) for each in (*before, level))
    return Conclusion(turn=turn, standing=standing, said=(*turn.look.said, *lines), warnings=warnings)


def outranking(turn: Turn, owner: Owner, scene: Scene) -> Ownership:
    """The policy's latest owner; what is only observed never replaces an enforced one."""
    held = turn.look.standing.ownership
    enforced = turn.mode == "enforce"
    if held is not None and held.enforced and not enforced:
        return held
    return Ownership(owner=owner, at=scene.now, enforced=enforced)


def asks_approval(scene: Scene, turn: Turn, episode: Episode, named: Named) -> Conclusion:
    """A level waits for a person's approval, and says so once, in the name of its own owner. Where the policy only
    observes, nobody is asked."""
    if turn.step.asks is None:
        raise ValueError("nothing asks")
    level = turn.step.asks.name
    line = Occurrence(
        what="approval asked",
        policy=episode.policy,
        episode=episode.key,
        level=level,
        at=scene.now,
        owner=named.owner.name,
        text="would ask: the policy only observes" if turn.mode == "observe" else "",
    )
    asking = replace(episode, awaiting=level, asked_for=episode.asked_for | {level}, asking=level)
    standing = replace(turn.look.standing, episode=asking)
    said = (*turn.look.said, line)
    return Conclusion(turn=turn, standing=standing, said=said, warnings=warning(turn, named))


def makes_up(scene: Scene, turn: Turn, episode: Episode, level: Level, merged: Merged) -> Conclusion:
    """What a level has left out is done; it is owed until that has an outcome."""
    sends = episode.owes is not None and merged.acts_for(episode.key)
    owes = replace(episode.owes, sent=True) if sends and episode.owes else None
    line = Occurrence(
        what="made up",
        policy=episode.policy,
        episode=episode.key,
        level=level.name,
        at=scene.now,
        owner=episode.owner.name if episode.owner else None,
        text=", ".join(sorted(episode.owes.parts)) if episode.owes else "",
    )
    standing = replace(turn.look.standing, episode=replace(episode, owes=owes))
    return Conclusion(turn=turn, standing=standing, said=(*turn.look.said, line))


def repeated(scene: Scene, turn: Turn, episode: Episode) -> Conclusion:
    """A level said again. However many repeats were missed, it is one, and counts as one."""
    if turn.step.repeats is None:
        raise ValueError("nothing is said again")
    done = replace(episode, repeated=episode.repeated + 1, last_sent=scene.now, said_before=episode.last_sent)
    line = Occurrence(
        what="repeated",
        policy=episode.policy,
        episode=episode.key,
        level=turn.step.repeats.name,
        at=scene.now,
        owner=episode.owner.name if episode.owner else None,
    )
    standing = replace(turn.look.standing, episode=done)
    return Conclusion(turn=turn, standing=standing, said=(*turn.look.said, line))


def behind(scene: Scene, turn: Turn, episode: Episode, warned: tuple[str, ...]) -> Conclusion:
    """Nothing fires; levels that a new text put before a passed one are overtaken (rule 13)."""
    levels = tuple(replace(each, how=How.OVERTAKEN) for each in overtaken(turn, scene.now))
    done = answered(replace(episode, passed=(*episode.passed, *levels)))
    lines = tuple(passing(done, each) for each in levels)
    standing = replace(turn.look.standing, episode=done)
    return Conclusion(turn=turn, standing=standing, said=(*turn.look.said, *lines), warnings=warned)


def warning(turn: Turn, named: Named) -> tuple[str, ...]:
    """The warning about an owner, with its policy."""
    return (f'policy "{turn.look.policy.name}": {named.warning}',) if named.warning else ()


def never_due(turn: Turn) -> tuple[str, ...]:
    """Said once, when the episode begins: levels that need a start which the helpdesk does not tell."""
    if not turn.look.begun:
        return ()
    policy = turn.look.policy.name
    lost = (
        d
        for d in turn.ladder
        if d.at is None and d.level.at is not None and turn.look.reading.due is not None
    )
    return tuple(f'policy "{policy}", level "{each.level.name}": {each.text}' for each in lost)
