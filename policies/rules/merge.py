"""What firing levels propose, and several policies in one plan: who wins, what adds up, what is overruled (rule 6)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from policies.language.clocks import HIDDEN
from policies.language.policy import AssignSpec, Level
from policies.language.vocabulary import OWNERS_OWN, RISKY, SILENCED
from policies.model import Priority, Ticket
from policies.plan import (
    Action,
    Assign,
    ChangeTags,
    Follow,
    LeftOut,
    Notify,
    RaisePriority,
    Say,
    SetField,
    Wanted,
)
from policies.rules.assignment import Chosen, Named, assignment_reads, choose, resolved
from policies.rules.ladder import LevelDecision, is_closed, without
from policies.rules.observe import Observation, Scene
from policies.rules.own_writes import ASSIGNMENT, given_back
from policies.state import Episode, Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedActions:
    """One policy's part of a plan before the policies are weighed against each other. `level` is what the level
    does now: `left_out` says of what it does not do why, `owes` which of that is to be made up for, `overruled` what an
    exclusive policy keeps it from."""

    policy: str
    episode: str
    decision: LevelDecision
    level: Level
    chosen: Chosen | None = None
    priority: Priority | None = None
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    is_repeat: bool = False
    left_out: tuple[LeftOut, ...] = ()
    owes: frozenset[str] = frozenset()
    overruled: tuple[LeftOut, ...] = ()


NOBODY_KNOWS = f"what `unless` asks for is {HIDDEN}"


def propose(scene: Scene, decision: LevelDecision, level: Level) -> ProposedActions:
    """What is to be carried out for this level. A repeat or a question only says things; what is made up for is the
    rest of a level that has fired. Of levels that were overtaken it takes the tags and the priority: where two
    contradict, the higher wins, and within one, adding."""
    policy, key = decision.policy, decision.episode.key
    if decision.fires is None and decision.makes_up is None:
        return ProposedActions(
            policy=policy.name, episode=key, decision=decision, level=level, is_repeat=True
        )
    unsure = decision.seen.verdict.excluded is None
    sole = scene.exclusive
    barred = {} if sole is None or sole.key == key else dict.fromkeys(SILENCED, barred_by(sole.policy))
    beaten = tuple(
        not_done(policy.name, level, {part: why for part, why in barred.items() if getattr(level, part)})
    )
    level = without(level, barred)
    owes = frozenset(part for part in RISKY if unsure and getattr(level, part))
    lent = [each.level for each in decision.overtaken if not is_closed(each.level, decision.count)]
    hidden = needing_hidden(level, lent, scene.ticket.hidden) if scene.ticket.hidden else {}
    hidden = {part: why for part, why in hidden.items() if part not in owes}
    lost = (
        *not_done(policy.name, level, dict.fromkeys(owes, NOBODY_KNOWS)),
        *not_done(policy.name, level, hidden),
    )
    if lost:
        level = without(level, {*owes, *hidden})
        lent = [without(each, {*(RISKY if owes else ()), *hidden}) for each in lent]
    add, remove = frozenset[str](), frozenset[str]()
    for each in (*lent, level):
        add = (add - each.untag) | each.tags
        remove = (remove | each.untag) - each.tags
    asked = [each.priority for each in (*lent, level) if each.priority]
    chosen = assignment_by(scene, decision.seen, decision.episode, level.assign) if level.assign else None
    return ProposedActions(
        policy=policy.name,
        episode=key,
        decision=decision,
        level=level,
        chosen=chosen,
        priority=max(asked, key=lambda each: each.rank, default=None),
        add=add,
        remove=remove,
        left_out=lost,
        owes=owes,
        overruled=beaten,
    )


CHANGED_SINCE = "somebody has changed group or assignee since; the ticket stays where it is"


def assignment_by(scene: Scene, seen: Observation, episode: Episode, spec: AssignSpec) -> Chosen:
    """Whom this assigns the ticket to, as it is. What the episode did not assign is not given back."""
    if not spec.back:
        return choose(spec, scene.ticket, scene.directory, seen.policy.clock)
    found = given_back(scene.ticket, seen.history, episode, scene.directory)
    if found is not None:
        return Chosen(assign=found)
    moved = any(each.field in ASSIGNMENT for each in episode.wrote)
    return Chosen(assign=None, remark=CHANGED_SINCE if moved else None)


def not_done(policy: str, level: Level, whys: Mapping[str, str]) -> Iterator[LeftOut]:
    """These parts of the level, each with why it is not done; each field that it sets on its own."""
    for part in sorted(whys, key=lambda each: (each != "set", each)):
        for what in [f"set {name}" for name, _ in level.set] if part == "set" else [part]:
            yield LeftOut(policy=policy, level=level.name, what=what, why=whys[part])


def needing_hidden(level: Level, lent: Iterable[Level], hidden: frozenset[str]) -> Mapping[str, str]:
    """The parts of a level, and of those that lend it theirs, that cannot be done without what is not shown, and
    why."""
    levels = (*lent, level)
    needs = {
        "assign": assignment_reads(level.assign) if level.assign else frozenset[str](),
        "priority": frozenset({"priority"} if any(each.priority for each in levels) else ()),
        "tags": frozenset({"tags"} if any(each.tags for each in levels) else ()),
        "untag": frozenset({"tags"} if any(each.untag for each in levels) else ()),
    }
    return {
        part: f"{' and '.join(sorted(names & hidden))} {HIDDEN}"
        for part, names in needs.items()
        if names & hidden
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The one assignment of a plan, None if no policy makes any, and the proposals that lost. `served` is the (group
    id, person id) to whom round robin gives the ticket."""

    assign: Assign | None = None
    episodes: tuple[str, ...] = ()
    overruled: tuple[LeftOut, ...] = ()
    served: tuple[tuple[str, str], ...] = ()


def agree(proposed: Sequence[ProposedActions]) -> Agreed:
    """The whole assignment: the first policy wins, the same one shares it, a different one is overruled."""
    agreed, winner = Agreed(), ""
    for each in proposed:
        assign = each.chosen.assign if each.chosen else None
        if each.chosen is None or assign is None:
            continue
        if agreed.assign is None:
            winner = each.policy
            group, person = assign.group, assign.assignee
            served = ((group.id, person.id),) if each.chosen.turn and group and person else ()
            agreed = Agreed(assign=assign, episodes=(each.episode,), served=served)
        elif agreed.assign == assign:
            agreed = replace(agreed, episodes=(*agreed.episodes, each.episode))
        else:
            lost = overruled(each.policy, each.level.name, "assign", winner)
            agreed = replace(agreed, overruled=(*agreed.overruled, lost))
    return agreed


def barred_by(winner: str) -> str:
    """Why a policy is not to reply, assign or set fields."""
    return f'overruled by policy "{winner}", which is exclusive'


def overruled(policy: str, level: str, what: str, winner: str) -> LeftOut:
    """What a policy proposed and another one, which comes first, did not let happen."""
    why = f'overruled by policy "{winner}", which comes first'
    return LeftOut(policy=policy, level=level, what=what, why=why)


def spoken(
    scene: Scene, proposed: ProposedActions, named: Named | None
) -> tuple[tuple[Wanted, ...], tuple[str, ...]]:
    """Whom a proposal has follow the ticket, its notes, reply and notifications; and warnings about people nobody
    knows. `named` answers for it, or for a repeat the episode's owner."""
    level, decision, actions, warnings = proposed.level, proposed.decision, list[Action](), list[str]()
    owner = named.owner if named else decision.episode.owner or Owner(name="nobody", kind="name")
    for asked in () if proposed.is_repeat else level.follow:
        person = resolved(asked, scene.ticket, owner, scene.directory)
        agent = scene.directory.agent(person.name) if person and person.kind == "person" else None
        if agent is None:
            warnings.append(f'level "{level.name}": follower "{asked}" leads to nobody in the directory')
        else:
            actions.append(Follow(person=agent.person))
    for public, template in ((False, level.note), (True, None if proposed.is_repeat else level.reply)):
        if template is not None:
            say = Say(
                public=public,
                template=template,
                policy=proposed.policy,
                level=level.name,
                owner=owner.name,
                ask=None if public else level.ask,
                checklist=() if public else level.checklist,
                hand_off=level.hand_off and not public,
            )
            actions.append(say)
    own = scene.policies.staff.channels.get(owner.name, ())
    if OWNERS_OWN in level.notify and not own:
        warnings.append(
            f'level "{level.name}": {owner.name} has no channels; say which in [people] or [groups]'
        )
    named_ones = ((channel,) if channel != OWNERS_OWN else own for channel in level.notify)
    for channel in dict.fromkeys(each for some in named_ones for each in some):
        actions.append(Notify(channel=channel, policy=proposed.policy, level=level.name, owner=owner.name))
    return tuple(Wanted(action=each, episodes=(proposed.episode,)) for each in actions), tuple(warnings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """All that the plan does; what lost against an earlier policy, and which assignments cannot be made at all. `asked`
    holds, by episode, the fields that are written for it."""

    wanted: tuple[Wanted, ...] = ()
    overruled: tuple[LeftOut, ...] = ()
    unmade: tuple[LeftOut, ...] = ()
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def acts_for(self, episode: str) -> bool:
        """Whether anything is written to the helpdesk for this episode; a notification is not."""
        return any(episode in each.episodes for each in self.wanted if not isinstance(each.action, Notify))


def merge(
    ticket: Ticket, proposed: Sequence[ProposedActions], agreed: Agreed, said: Iterable[Wanted]
) -> Merged:
    """The plan's actions, without what the ticket already has. `said` are the follows, notes, replies and
    notifications of all policies, in their order."""
    wanted: list[Wanted] = []
    lost = [*(each for one in proposed for each in one.overruled), *agreed.overruled]

    # 1. The assignment that was agreed on, if the ticket is elsewhere.
    assign = agreed.assign
    if assign is not None:
        pairs = (ticket.group, assign.group), (ticket.assignee, assign.assignee)
        if any((now.id if now else None) != (then.id if then else None) for now, then in pairs):
            wanted.append(Wanted(action=assign, episodes=agreed.episodes))
    unmade = tuple(
        LeftOut(policy=each.policy, level=each.level.name, what="assign", why=each.chosen.remark or "")
        for each in proposed
        if each.chosen is not None and each.chosen.assign is None and each.chosen.remark
    )

    # 2. The highest priority, if the ticket's is lower.
    raising = [(each.priority, each.episode) for each in proposed if each.priority is not None]
    highest = max((priority for priority, _ in raising), key=lambda each: each.rank, default=None)
    if highest is not None and highest.rank > (ticket.priority.rank if ticket.priority else 0):
        episodes = tuple(episode for _, episode in raising)
        wanted.append(Wanted(action=RaisePriority(at_least=highest), episodes=episodes))

    # 3. All tags; adding one wins against removing it.
    add = frozenset[str]().union(*(each.add for each in proposed))
    remove = frozenset[str]().union(*(each.remove for each in proposed)) - add
    tags = ChangeTags(add=add - ticket.tags, remove=remove & ticket.tags)
    if tags.add or tags.remove:
        asking = (each.episode for each in proposed if each.add & tags.add or each.remove & tags.remove)
        wanted.append(Wanted(action=tags, episodes=tuple(asking)))

    # 4. Each field as the first policy that sets it says.
    first: dict[str, tuple[SetField, str, list[str]]] = {}
    for each in proposed:
        for name, value in () if each.is_repeat else each.level.set:
            ours = SetField(field=name, value=value), each.policy, list[str]()
            action, winner, asked_by = first.setdefault(name, ours)
            if action.value == value:
                asked_by.append(each.episode)
            else:
                lost.append(overruled(each.policy, each.level.name, f"set {name}", winner))
    for action, _, asked_by in first.values():
        if ticket.custom.get(action.field.removeprefix("custom.")) != action.value:
            wanted.append(Wanted(action=action, episodes=tuple(asked_by)))

    # 5. What is said, and who follows.
    words, lost_replies = joined(said)
    wanted += words
    asked = {
        each.episode: frozenset(
            name for one in wanted if each.episode in one.episodes for name in fields(one.action, each)
        )
        for each in proposed
    }
    return Merged(wanted=tuple(wanted), overruled=(*lost, *lost_replies), unmade=unmade, asked=asked)


def joined(said: Iterable[Wanted]) -> tuple[list[Wanted], list[LeftOut]]:
    """Each follower once, and each channel, which hears of a plan once whoever asks; all notes; and at most one public
    reply, the first policy's."""
    kept: dict[object, Wanted] = {}
    lost: list[LeftOut] = []
    replies: str | None = None
    for each in said:
        action = each.action
        if isinstance(action, Say) and action.public:
            if replies is not None:
                lost.append(overruled(action.policy, action.level, "reply", replies))
                continue
            replies = action.policy
        key = ("notify", action.channel) if isinstance(action, Notify) else action
        first = kept.get(key)
        kept[key] = each if first is None else replace(first, episodes=first.episodes + each.episodes)
    return list(kept.values()), lost


def fields(action: Action, proposed: ProposedActions) -> Iterable[str]:
    """The fields an action writes, as far as this proposal asked for them; a tag is `tags:NAME`."""
    if isinstance(action, ChangeTags):
        return [f"tags:{tag}" for tag in (action.add & proposed.add) | (action.remove & proposed.remove)]
    return () if isinstance(action, Say | Notify) else action.replaces
