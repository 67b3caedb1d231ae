"""What a plan leaves behind in one policy's memory: levels passed or under way, the owner, the ledger's lines."""

from dataclasses import dataclass, replace

from policies.assignment import after
from policies.memory import Episode, How, Owner, Ownership, Passed, Standing
from policies.merge import Agreed, Merged
from policies.owners import Named
from policies.plan import Occurrence
from policies.sayings import because
from policies.scene import Scene
from policies.settle import passing
from policies.turn import Turn, acting, overtaken, under_way
from policies.wishes import on_ticket, owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """One policy's turn with all decided: what to remember, what the ledger and the trace say."""

    turn: Turn
    standing: Standing
    said: tuple[Occurrence, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def owned(scene: Scene, turn: Turn, agreed: Agreed) -> Named | None:
    """Who owns the episode once the level that fires is passed: read on the ticket after the plan; in observe
    after the level's own assignment; of a backlog on the ticket as it is."""
    if turn.step.fires is None:
        return None
    level = acting(turn.step.fires.level, turn.count)
    if turn.how is How.FIRED:
        return owner(scene, turn, level, after(scene.ticket, agreed.assign))
    return owner(scene, turn, level, on_ticket(scene, turn, level))


def conclude(scene: Scene, turn: Turn, named: Named | None, merged: Merged) -> Conclusion:
    """The memory after this plan."""
    episode, said = turn.episode, turn.look.said
    if episode is None:
        return Conclusion(turn=turn, standing=turn.look.standing, said=said)
    warned = never_due(turn)
    if named is not None:
        asked = merged.asked.get(episode.key, frozenset())
        if turn.how is How.FIRED and merged.acts_for(episode.key):
            return sending(scene, turn, replace(episode, asked=asked), named, warned)
        return passed(scene, turn, replace(episode, asked=asked), named, warned)
    if turn.step.asks is not None:
        return asks_approval(scene, turn, episode)
    if turn.step.repeats is not None:
        return repeated(scene, turn, episode)
    return behind(scene, turn, episode, warned)


def sending(scene: Scene, turn: Turn, episode: Episode, named: Named, warned: tuple[str, ...]) -> Conclusion:
    """A level with something to write is under way until its first write has an outcome."""
    assert turn.step.fires is not None
    why = because(turn, turn.step.fires.level)
    way = under_way(turn, turn.step.fires, named.owner, scene.now, why)
    standing = replace(turn.look.standing, episode=replace(episode, under_way=way))
    warnings = (*warned, *warning(turn, named))
    return Conclusion(turn=turn, standing=standing, said=turn.look.said, warnings=warnings)


def passed(scene: Scene, turn: Turn, episode: Episode, named: Named, warned: tuple[str, ...]) -> Conclusion:
    """A level with nothing to write, or only observed, or skipped, is passed with the plan."""
    assert turn.step.fires is not None
    due, now = turn.step.fires, scene.now
    before = overtaken(turn, now)
    why = because(turn, due.level)
    level = Passed(level=due.level.name, how=turn.how, at=now, due=due.at, owner=named.owner, why=why)
    done = replace(
        episode,
        passed=(*episode.passed, *before, level),
        owner=named.owner,
        repeated=0,
        last_sent=now if turn.how is How.FIRED else None,
    )
    standing = replace(turn.look.standing, episode=done, ownership=outranking(turn, named.owner, scene))
    lines = tuple(passing(done, each) for each in (*before, level))
    warnings = (*warned, *warning(turn, named))
    return Conclusion(turn=turn, standing=standing, said=(*turn.look.said, *lines), warnings=warnings)


def outranking(turn: Turn, owner: Owner, scene: Scene) -> Ownership:
    """The policy's latest owner; what is only observed never replaces an enforced one."""
    held = turn.look.standing.ownership
    enforced = turn.mode == "enforce"
    if held is not None and held.enforced and not enforced:
        return held
    return Ownership(owner=owner, at=scene.now, enforced=enforced)


def asks_approval(scene: Scene, turn: Turn, episode: Episode) -> Conclusion:
    """A level waits for a person's approval, and says so once."""
    assert turn.step.asks is not None
    level = turn.step.asks.name
    line = Occurrence(
        what="approval asked", policy=episode.policy, episode=episode.key, level=level, at=scene.now
    )
    standing = replace(turn.look.standing, episode=replace(episode, awaiting=level))
    return Conclusion(turn=turn, standing=standing, said=(*turn.look.said, line))


def repeated(scene: Scene, turn: Turn, episode: Episode) -> Conclusion:
    """A level said again. However many repeats were missed, it is one, and counts as one."""
    assert turn.step.repeats is not None
    done = replace(episode, repeated=episode.repeated + 1, last_sent=scene.now)
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
    done = replace(episode, passed=(*episode.passed, *levels))
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
