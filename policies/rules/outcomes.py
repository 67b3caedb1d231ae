"""What a plan leaves behind in a policy's memory, and what the outcome of its write does to it (rules 3 and 9)."""

from dataclasses import dataclass, replace
from typing import Literal

from policies.language.policy import Level
from policies.model import Instant
from policies.plan import Occurrence
from policies.rules.assignment import Named, after, ticket_owner
from policies.rules.episode import answered, owed, replanned, with_fired
from policies.rules.ladder import Turn, acting, overtaken, under_way
from policies.rules.merge import Agreed, Merged, Wish, named, on_ticket, owner
from policies.rules.scene import Scene
from policies.rules.trace import because
from policies.state import FIRED, Episode, How, Owner, Ownership, Passed, Standing, UnderWay, Wrote

Result = Literal["done", "refused", "unknown", "stale"]
Settled = tuple[tuple[Standing, ...], tuple[Occurrence, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one write ended. `key` is the write's, `episodes` are those that asked for it, `at` is when we
    knew. `wrote` is what the receipt says was changed; it may come with any result but `stale`. Only the first write of
    a level `decides` it; what is left of an older chain decides nothing about a level that is under way meanwhile."""

    key: str
    episodes: tuple[str, ...]
    result: Result
    at: Instant
    wrote: tuple[Wrote, ...] = ()
    decides: bool = True


def settle(standings: tuple[Standing, ...], outcome: Outcome) -> Settled:
    """The standings after this outcome, and what it adds to the ledger.

    The first outcome of a level decides it; a later one of the same level only adds what it wrote. A level
    that left nothing to send is settled as `done`.
    """
    pairs = [settle_one(standing, outcome) for standing in standings]
    after = tuple(standing for standing, _ in pairs)
    said = tuple(occurrence for _, occurrences in pairs for occurrence in occurrences)
    return after, said + owner_moved(standings, after, outcome.at)


def settle_one(standing: Standing, outcome: Outcome) -> tuple[Standing, tuple[Occurrence, ...]]:
    """One policy's part of it; nothing if its episode did not ask for the write."""
    episode = standing.episode
    if episode is None or episode.key not in outcome.episodes:
        return standing, ()
    if not outcome.decides:
        more = () if outcome.result == "stale" else own_part(episode, outcome.wrote)
        return replace(standing, episode=replace(episode, wrote=episode.wrote + more)), ()
    if outcome.result == "stale":
        return replace(standing, episode=unsaid(episode)), ()
    owes = None if episode.owes is not None and episode.owes.sent else episode.owes
    parts = own_part(episode, outcome.wrote)
    written = replace(episode, wrote=episode.wrote + parts, owes=owes, asking=None, said_before=None)
    if episode.under_way is None:
        return replace(standing, episode=written), ()
    told = outcome.result != "refused" and bool(outcome.key)
    return passed(standing, written, episode.under_way, outcome.result, told=told)


def unsaid(episode: Episode) -> Episode:
    """The episode before what was to be written and was not: the level, the question or the repeat is due again."""
    if episode.asking is not None:
        asked_for = episode.asked_for - {episode.asking}
        awaiting = None if episode.awaiting == episode.asking else episode.awaiting
        episode = replace(episode, asked_for=asked_for, awaiting=awaiting)
    if episode.said_before is not None:
        episode = replace(episode, repeated=episode.repeated - 1, last_sent=episode.said_before)
    return replanned(episode)


def own_part(episode: Episode, wrote: tuple[Wrote, ...]) -> tuple[Wrote, ...]:
    """What of a write this episode asked for; another policy's part of it is a change like any other."""
    parts = (asked_part(each, episode.asked) for each in wrote)
    return tuple(part for part in parts if part is not None)


def asked_part(wrote: Wrote, asked: frozenset[str]) -> Wrote | None:
    """One written field as far as it was asked for. Of tags, each tag counts on its own."""
    if wrote.field != "tags":
        return wrote if wrote.field in asked else None
    before, after = tag_set(wrote.before), tag_set(wrote.after)
    ours = {tag for tag in before ^ after if f"tags:{tag}" in asked}
    if not ours:
        return None
    return replace(wrote, before=tuple(sorted(before)), after=tuple(sorted((before - ours) | (after & ours))))


def tag_set(value: object) -> frozenset[str]:
    """A stored list of tags as a set."""
    return frozenset(value) if isinstance(value, tuple) else frozenset()


def passed(
    standing: Standing, episode: Episode, under_way: UnderWay, result: Result, *, told: bool
) -> tuple[Standing, tuple[Occurrence, ...]]:
    """The level under way has fired, or was refused, at the instant of its plan. `told` says that something was written
    to the helpdesk."""
    how = How.REFUSED if result == "refused" else How.FIRED
    overtaken = tuple(Passed(level=name, how=How.OVERTAKEN, at=under_way.at) for name in under_way.overtaken)
    level = Passed(
        level=under_way.level,
        how=how,
        at=under_way.at,
        due=under_way.due,
        owner=under_way.owner,
        why=under_way.why,
    )
    after = replace(
        episode,
        passed=(*episode.passed, *overtaken, level),
        under_way=None,
        owner=under_way.owner,
        repeated=0,
        last_sent=under_way.at if how is How.FIRED and not under_way.instead else None,
        owes=owed(under_way) if how is How.FIRED else None,
    )
    after = answered(with_fired(after, under_way.seen, told=told) if how is How.FIRED else after)
    ownership = Ownership(owner=under_way.owner, at=under_way.at, enforced=True)
    lines = tuple(passing(after, each) for each in (*overtaken, level))
    return replace(standing, episode=after, ownership=ownership), lines


def passing(episode: Episode, level: Passed) -> Occurrence:
    """The ledger line of a passed level."""
    return Occurrence(
        what=level.how.value,
        policy=episode.policy,
        episode=episode.key,
        level=level.level,
        at=level.at,
        owner=level.owner.name if level.owner else None,
        text=level.why,
    )


def owner_moved(
    before: tuple[Standing, ...], after: tuple[Standing, ...], at: Instant
) -> tuple[Occurrence, ...]:
    """The ledger line for a ticket that changed its owner, if it did."""
    old, new = ticket_owner(before), ticket_owner(after)
    if new is None or old == new:
        return ()
    holder = next(each for each in after if each.ownership and each.ownership.owner == new)
    key = holder.episode.key if holder.episode else ""
    text = f"from {old.name}" if old else ""
    return (Occurrence(what="owner", policy=holder.policy, episode=key, at=at, owner=new.name, text=text),)


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
