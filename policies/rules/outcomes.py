"""What a plan leaves behind in a policy's memory, and what the outcome of its write does to it (rules 3 and 9)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from policies.history import tags
from policies.model import Directory, Instant, spell
from policies.plan import Occurrence
from policies.rules.assignment import Chosen, Named, fallback, owner_of, ticket_owner
from policies.rules.episode import arrived, climbed, heard, replanned
from policies.rules.ladder import LevelDecision, acting, asking, needs_another
from policies.rules.merge import Agreed, Merged, ProposedActions, assignment_by
from policies.rules.observe import Observation, Scene
from policies.rules.own_writes import UNDO_TRIES
from policies.state import FIRED, Cause, Episode, How, Owner, Ownership, Passed, Standing, UnderWay, Wrote

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


def after_outcome(standings: tuple[Standing, ...], outcome: Outcome) -> Settled:
    """The standings after this outcome, and what it adds to the ledger.

    The first outcome of a level decides it; a later one of the same level only adds what it wrote. A level
    that left nothing to send is settled as `done`. A policy whose episode did not ask for the write stays as it is.
    """
    after, said = list[Standing](), list[Occurrence]()
    for standing in standings:
        episode, undo = standing.episode, standing.undo
        if (
            undo is not None
            and undo.key in outcome.episodes
            and outcome.decides
            and outcome.result != "stale"
        ):
            tries = UNDO_TRIES if outcome.result == "refused" else undo.tries + 1
            after.append(replace(standing, undo=replace(undo, tries=tries)))
            continue
        if episode is None or episode.key not in outcome.episodes:
            after.append(standing)
            continue
        stale = outcome.result == "stale"
        if stale and outcome.decides:
            after.append(replace(standing, episode=unsaid(episode)))
            continue
        more = () if stale else own_part(episode, outcome.wrote)
        written = replace(episode, wrote=(*episode.wrote, *more))
        if outcome.decides:
            owes = None if episode.owes is not None and episode.owes.sent else episode.owes
            written = replace(written, owes=owes, asking=None, lapsing=None, said_before=None)
        way = episode.under_way if outcome.decides else None
        if way is None:
            after.append(replace(standing, episode=written))
            continue
        if outcome.result == "refused":
            done = arrived(written, How.REFUSED)
        else:
            done = heard(arrived(written), way.seen, told=bool(outcome.key))
        ownership = Ownership(owner=way.owner, at=way.at, enforced=True)
        after.append(replace(standing, episode=done, ownership=ownership))
        said += (line_of_passing(done, each) for each in done.passed[len(written.passed) :])
    now = tuple(after)
    return now, (*said, *owner_moved(standings, now, outcome.at))


def unsaid(episode: Episode) -> Episode:
    """The episode before what was to be written and was not: the level, the question, what is told of one that nobody
    decided about, or the repeat is due again."""
    if episode.asking is not None:
        times = max(episode.asked_times - 1, 0)
        asked_for = episode.asked_for if times else episode.asked_for - {episode.asking}
        waits = episode.awaiting != episode.asking or times
        episode = replace(
            episode,
            asked_for=asked_for,
            awaiting=episode.awaiting if waits else None,
            asked_times=times,
            asked_at=episode.asked_before,
        )
    if episode.lapsing is not None:
        passed = tuple(each for each in episode.passed if each.level != episode.lapsing)
        episode = replace(episode, passed=passed, awaiting=episode.lapsing)
    if episode.said_before is not None:
        episode = replace(episode, repeated=episode.repeated - 1, last_sent=episode.said_before)
    return replanned(episode)


def own_part(episode: Episode, wrote: tuple[Wrote, ...]) -> Iterator[Wrote]:
    """What of a write this episode asked for, of tags each on its own; another policy's part of it is a change like any
    other."""
    for each in wrote:
        if each.field != "tags":
            if each.field in episode.asked:
                yield each
            continue
        before, after = tags(each.before), tags(each.after)
        ours = {tag for tag in before ^ after if f"tags:{tag}" in episode.asked}
        if ours:
            left = tuple(sorted((before - ours) | (after & ours)))
            yield replace(each, before=tuple(sorted(before)), after=left)


def line_of_passing(episode: Episode, level: Passed) -> Occurrence:
    """The ledger line of a passed level."""
    return Occurrence(
        what=level.how.value,
        policy=episode.policy,
        episode=episode.key,
        level=level.level,
        at=level.at,
        owner=level.owner.name if level.owner else None,
        text=level.why if isinstance(level.why, str) else "",
        cause=level.why if isinstance(level.why, Cause) else None,
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


def next_owner(scene: Scene, decision: LevelDecision, agreed: Agreed) -> Named | None:
    """Who owns the episode once the level that fires is passed: read on the ticket after the plan; in observe after the
    level's own assignment; of a backlog, and for a question, on the ticket as it is. The levels it overtook answer only
    what `owner` was."""
    directory, default = scene.directory, scene.policies.default_owner
    before, count = decision.episode.owner, decision.count
    if decision.asks is not None:
        asks = asking(decision.asks, again=decision.asks.name in decision.episode.asked_for)
        return owner_of(asks, scene.ticket, before, directory, default)
    if decision.lapses is not None:
        return Named(owner=fallback(directory, default, ""))
    if decision.fires is None:
        return None
    named: Named | None = None
    fires = acting(decision.fires.level, count)
    for level in (*(acting(each.level, count) for each in decision.overtaken), fires):
        if level is fires and decision.how is How.FIRED:
            assign = agreed.assign
        elif level.assign is None or decision.how is How.SKIPPED:
            assign = None
        else:
            assign = assignment_by(scene, decision.seen, decision.episode, level.assign).assign
        ticket = scene.ticket
        if assign is not None:
            ticket = replace(ticket, group=assign.group, assignee=assign.assignee)
        named = owner_of(level, ticket, before, directory, default)
        before = named.owner
    return named


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """How a plan came about for one policy, as facts: what it saw, what its ladder came to if an episode runs, whom it
    chose; and what it leaves behind: what to remember, what the ledger hears, and warnings. `policies.present.explain`
    puts it into words."""

    seen: Observation
    state: Standing
    decision: LevelDecision | None = None
    chosen: Chosen | None = None
    said: tuple[Occurrence, ...] = ()
    warnings: tuple[str, ...] = ()


def next_state(
    scene: Scene,
    decision: LevelDecision,
    named: Named | None,
    merged: Merged,
    proposed: ProposedActions | None,
    *,
    restores: bool,
) -> Considered:
    """The memory after this plan. `restores` says that the plan takes back what the episode wrote. However many repeats
    were missed, it is one, and counts as one."""
    episode, state, now = decision.episode, decision.seen.state, scene.now
    if proposed is not None:
        episode = replace(episode, asked=merged.asked.get(episode.key, frozenset()))
    one = Considered(
        seen=decision.seen, state=state, decision=decision, chosen=proposed.chosen if proposed else None
    )
    lacks = f'policy "{decision.policy.name}": {named.warning}' if named is not None and named.warning else ""
    about = (lacks,) if lacks else ()
    if decision.fires is not None and named is not None:
        state, said = fired(scene, decision, episode, named, merged, proposed)
        return replace(one, state=state, said=said, warnings=(*never_due(decision), *about))
    holder = episode.owner
    if decision.asks is not None and named is not None:
        what, level, holder = "approval asked", decision.asks.name, named.owner
        text = "would ask: the policy only observes" if decision.mode == "observe" else ""
        again = level in episode.asked_for
        named_one = needs_another(decision.asks) or again
        after = replace(
            episode,
            awaiting=level,
            asked_for=episode.asked_for | {level},
            asking=level,
            asked_at=now,
            asked_before=episode.asked_at if again else None,
            asked_times=episode.asked_times + 1 if again else 1,
            approver=named.owner.name if named_one else "",
            approvers=deciders(named.owner, scene.directory) if named_one else frozenset(),
        )
        warnings = about
    elif decision.lapses is not None and named is not None:
        what, level, holder, warnings = "rejected", decision.lapses.name, named.owner, about
        within = decision.lapses.approval.within if decision.lapses.approval else None
        text = f"nobody approved it within {spell(within or 0)}"
        done = Passed(level=level, how=How.REJECTED, at=now, owner=episode.owner, why=text)
        after = replace(
            episode,
            passed=(*episode.passed, done),
            awaiting=None,
            owes=None,
            lapsing=level if merged.acts_for(episode.key) else None,
        )
    elif decision.makes_up is not None:
        what, level, owes, warnings = "made up", decision.makes_up.name, episode.owes, ()
        text = ", ".join(sorted(owes.parts)) if owes else ""
        sends = owes is not None and merged.acts_for(episode.key)
        after = replace(episode, owes=replace(owes, sent=True) if owes and sends else None)
    elif decision.repeats is not None:
        what, level, text, warnings = "repeated", decision.repeats.name, "", ()
        after = replace(episode, repeated=episode.repeated + 1, last_sent=now, said_before=episode.last_sent)
    else:
        # Nothing fires; levels that a new text put before a passed one are overtaken (rule 13).
        if restores:
            episode = replace(episode, undoing=episode.undoing + 1)
        levels = tuple(replace(each, how=How.OVERTAKEN) for each in overtaken(decision, now))
        passed = (*episode.passed, *levels)
        if levels or any(each.level == episode.awaiting for each in passed):
            waits = all(each.level != episode.awaiting for each in passed)
            episode = replace(episode, passed=passed, awaiting=episode.awaiting if waits else None)
        if episode is not state.episode:
            state = replace(state, episode=episode)
        lines = tuple(line_of_passing(episode, each) for each in levels)
        return replace(one, state=state, said=lines, warnings=tuple(never_due(decision)))
    line = Occurrence(
        what=what,
        policy=episode.policy,
        episode=episode.key,
        level=level,
        at=now,
        owner=holder.name if holder else None,
        text=text,
    )
    return replace(one, state=replace(state, episode=after), said=(line,), warnings=warnings)


def fired(
    scene: Scene,
    decision: LevelDecision,
    episode: Episode,
    named: Named,
    merged: Merged,
    proposed: ProposedActions | None,
) -> tuple[Standing, tuple[Occurrence, ...]]:
    """A level fires. One with something to write is under way until its first write has an outcome; one with nothing to
    write, or only observed, or skipped, is passed with the plan. What is only observed never takes the ticket from an
    enforced owner."""
    due, how, now, state = decision.fires, decision.how, scene.now, decision.seen.state
    if due is None:
        raise ValueError("nothing fires")
    way = UnderWay(
        level=due.level.name,
        at=now,
        due=now if due.at is None else due.at,
        overtaken=tuple(each.level.name for each in decision.overtaken),
        owner=named.owner,
        seen=decision.seen.history.newest,
        instead=acting(due.level, decision.count) is not due.level,
        owes=proposed.owes if proposed else frozenset(),
    )
    if how is How.FIRED and merged.acts_for(episode.key):
        return replace(state, episode=replace(episode, under_way=way)), ()
    level = Passed(level=way.level, how=how, at=now, due=due.at, owner=named.owner)
    levels = (*overtaken(decision, now), level)
    done = climbed(episode, levels, way if how is How.FIRED else None)
    if how in FIRED:
        done = heard(done, way.seen, told=False)
    ownership = state.ownership
    enforces = decision.mode == "enforce"
    if ownership is None or enforces or not ownership.enforced:
        ownership = Ownership(owner=named.owner, at=now, enforced=enforces)
    lines = tuple(line_of_passing(done, each) for each in levels)
    return replace(state, episode=done, ownership=ownership), lines


def deciders(asked: Owner, directory: Directory) -> frozenset[str]:
    """The names, in lower case, of those who may decide: whoever was asked, the people of a group, and who stands in
    for them."""
    group = directory.group(asked.name) if asked.kind == "group" else None
    people = [
        agent.person
        for agent in directory.agents
        if (group.id in agent.groups if group else agent.person.label == asked.name)
    ]
    names = {asked.name, *(name for each in people for name in (each.address, each.name) if name)}
    names |= {directory.substitutes[each] for each in names if each in directory.substitutes}
    return frozenset(each.casefold() for each in names)


def overtaken(decision: LevelDecision, now: Instant) -> tuple[Passed, ...]:
    """The levels before the one that fires, as passed; of a backlog, those that were due are skipped too."""
    skips = decision.how is How.SKIPPED
    return tuple(
        Passed(
            level=each.level.name,
            how=How.SKIPPED if skips and each.at is not None and each.at <= now else How.OVERTAKEN,
            at=now,
            due=each.at,
        )
        for each in decision.overtaken
    )


NEVER_DUE = "never due: the helpdesk does not tell when the target started"


def never_due(decision: LevelDecision) -> Iterator[str]:
    """Said once, when the episode begins: levels that need a start which the helpdesk does not tell."""
    seen = decision.seen
    for due in decision.ladder if seen.begun and seen.reading.due is not None else ():
        if due.at is None and due.level.at is not None and due.why != "passed":
            text = f"waits: {due.level.waits}" if due.level.waits else NEVER_DUE
            yield f'policy "{decision.policy.name}", level "{due.level.name}": {text}'
