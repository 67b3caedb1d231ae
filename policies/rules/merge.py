"""What firing levels ask for, and several policies in one plan: who wins, what adds up, what is overruled
(rule 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from policies.language.clocks import HIDDEN
from policies.language.policy import Level
from policies.language.vocabulary import RISKY
from policies.model import Priority, Ticket
from policies.plan import Action, Assign, ChangeTags, LeftOut, Notify, RaisePriority, Say, SetField, Wanted
from policies.rules.assignment import Chosen, Named, after, assignment_reads, choose, owner_of
from policies.rules.ladder import Turn, acting, is_closed, risks, without
from policies.rules.scene import Scene
from policies.state import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One policy's part of a plan before the policies are weighed against each other. `level` is what the level
    does now: `left_out` says of what it does not do why, `owes` which of that is to be made up for."""

    turn: Turn
    level: Level
    episode: str
    chosen: Chosen | None = None
    priority: Priority | None = None
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    is_repeat: bool = False
    left_out: tuple[LeftOut, ...] = ()
    owes: frozenset[str] = frozenset()

    @property
    def policy(self) -> str:
        """The name of the policy that asks."""
        return self.turn.look.policy.name


def wish(scene: Scene, turn: Turn, level: Level) -> Wish:
    """What is to be carried out for this level. A repeat or a question only says things; what is made up for is the
    rest of a level that has fired."""
    if turn.episode is None:
        raise ValueError(f'no episode of policy "{turn.look.policy.name}" runs')
    key = turn.episode.key
    if turn.step.fires is None and turn.step.makes_up is None:
        return Wish(turn=turn, level=level, episode=key, is_repeat=True)
    owes = risks(level) if turn.look.verdict.excluded is None else frozenset[str]()
    lent = [each.level for each in turn.step.overtaken if not is_closed(each.level, turn.count)]
    hidden = needing_hidden(level, lent, scene.ticket.hidden)
    lost = (*left_out(turn, level, owes, NOBODY_KNOWS), *left_out(turn, level, hidden.keys() - owes, hidden))
    level = without(level, {*owes, *hidden})
    levels = [without(each, {*(RISKY if owes else ()), *hidden}) for each in lent]
    add, remove = merged_tags((*levels, level))
    asked = [x.priority for x in (*levels, level) if x.priority]
    return Wish(
        turn=turn,
        level=level,
        episode=key,
        chosen=chosen(scene, turn, level),
        priority=max(asked, key=lambda p: p.rank, default=None),
        add=add,
        remove=remove,
        left_out=lost,
        owes=owes,
    )


NOBODY_KNOWS = dict.fromkeys(RISKY, f"what `unless` asks for is {HIDDEN}")


def left_out(turn: Turn, level: Level, parts: Iterable[str], whys: Mapping[str, str]) -> tuple[LeftOut, ...]:
    """What the level does not do now, each field that it sets on its own."""
    policy = turn.look.policy.name
    names = [(f"set {name}", whys[part]) for part in sorted(parts) if part == "set" for name, _ in level.set]
    names += [(part, whys[part]) for part in sorted(parts) if part != "set"]
    return tuple(LeftOut(policy=policy, level=level.name, what=what, why=why) for what, why in names)


def needing_hidden(level: Level, lent: Iterable[Level], hidden: frozenset[str]) -> dict[str, str]:
    """The parts of a level, and of those that lend it theirs, that cannot be done without what is not shown, and
    why."""
    if not hidden:
        return {}
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


def merged_tags(levels: tuple[Level, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Tags to add and to remove; where two levels contradict, the higher wins, and within one, adding."""
    add, remove = frozenset[str](), frozenset[str]()
    for level in levels:
        add = (add - level.untag) | level.tags
        remove = (remove | level.untag) - level.tags
    return add, remove


def chosen(scene: Scene, turn: Turn, level: Level) -> Chosen | None:
    """The level's own assignment on the ticket as it is."""
    if level.assign is None:
        return None
    return choose(level.assign, scene.ticket, scene.directory, turn.look.policy.clock)


def owner(scene: Scene, turn: Turn, level: Level, planned: Ticket) -> Named:
    """Who owns the episode once this level is passed. The levels it overtook answer only what `owner` was."""
    before = turn.episode.owner if turn.episode else None
    for each in turn.step.overtaken:
        acts = acting(each.level, turn.count)
        before = named(scene, acts, on_ticket(scene, turn, acts), before).owner
    return named(scene, level, planned, before)


def on_ticket(scene: Scene, turn: Turn, level: Level) -> Ticket:
    """The ticket as it would be after the level's own assignment; a skipped level assigns nothing."""
    made = chosen(scene, turn, level) if turn.how.value != "skipped" else None
    return after(scene.ticket, made.assign if made else None)


def named(scene: Scene, level: Level, ticket: Ticket, before: Owner | None) -> Named:
    """The owner this level names on this ticket."""
    return owner_of(level, ticket, before, scene.directory, scene.policies.default_owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The one assignment of a plan, None if no policy makes any, and the wishes that lost."""

    assign: Assign | None = None
    episodes: tuple[str, ...] = ()
    overruled: tuple[LeftOut, ...] = ()
    turn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """All that the plan does. `asked` holds, by episode, the fields that are written for it."""

    wanted: tuple[Wanted, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def acts_for(self, episode: str) -> bool:
        """Whether anything is written to the helpdesk for this episode; a notification is not."""
        return any(episode in each.episodes for each in self.wanted if not isinstance(each.action, Notify))


def agree(wishes: Iterable[Wish]) -> Agreed:
    """The whole assignment: the first policy wins, the same one shares it, a different one is overruled."""
    agreed, winner = Agreed(), ""
    for each in wishes:
        if each.chosen is None or each.chosen.assign is None:
            continue
        if agreed.assign is None:
            winner = each.policy
            agreed = Agreed(assign=each.chosen.assign, episodes=(each.episode,), turn=each.chosen.turn)
        elif agreed.assign == each.chosen.assign:
            agreed = shared(agreed, each)
        else:
            lost = LeftOut(policy=each.policy, level=each.level.name, what="assign", why=overruled(winner))
            agreed = Agreed(
                assign=agreed.assign,
                episodes=agreed.episodes,
                overruled=(*agreed.overruled, lost),
                turn=agreed.turn,
            )
    return agreed


def shared(agreed: Agreed, other: Wish) -> Agreed:
    """The assignment with one more episode that asked for it."""
    return Agreed(
        assign=agreed.assign,
        episodes=(*agreed.episodes, other.episode),
        overruled=agreed.overruled,
        turn=agreed.turn,
    )


def overruled(winner: str) -> str:
    """Why a policy's wish is not carried out."""
    return f'overruled by policy "{winner}", which comes first'


def merge(ticket: Ticket, wishes: tuple[Wish, ...], agreed: Agreed, told: tuple[Wanted, ...]) -> Merged:
    """The plan's actions, without what the ticket already has. `told` are the follows, notes, replies and
    notifications of all policies, in their order."""
    sets, lost_sets = set_fields(ticket, wishes)
    said, lost_replies = one_reply(told)
    parts = (assigned(ticket, agreed), raised(ticket, wishes), tagged(ticket, wishes))
    wanted = (*(part for part in parts if part), *sets, *joined(said))
    return Merged(
        wanted=wanted,
        left_out=(*agreed.overruled, *lost_sets, *lost_replies),
        asked={each.episode: asked_by(each, wanted) for each in wishes},
    )


def assigned(ticket: Ticket, agreed: Agreed) -> Wanted | None:
    """The assignment, unless the ticket is there already."""
    assign = agreed.assign
    if assign is None or is_with(ticket, assign):
        return None
    return Wanted(action=assign, episodes=agreed.episodes)


def is_with(ticket: Ticket, assign: Assign) -> bool:
    """Whether the ticket is with this group and person already."""
    now = (ticket.group.id if ticket.group else None, ticket.assignee.id if ticket.assignee else None)
    then = (assign.group.id if assign.group else None, assign.assignee.id if assign.assignee else None)
    return now == then


def raised(ticket: Ticket, wishes: tuple[Wish, ...]) -> Wanted | None:
    """The highest priority that anyone asks for, unless the ticket has it."""
    asking = [(each.priority, each.episode) for each in wishes if each.priority is not None]
    rank = ticket.priority.rank if ticket.priority else 0
    highest = max((priority for priority, _ in asking), key=lambda each: each.rank, default=None)
    if highest is None or highest.rank <= rank:
        return None
    return Wanted(action=RaisePriority(at_least=highest), episodes=tuple(episode for _, episode in asking))


def tagged(ticket: Ticket, wishes: tuple[Wish, ...]) -> Wanted | None:
    """The union of all tags; where one policy adds what another removes, adding wins."""
    add = frozenset[str]().union(*(each.add for each in wishes))
    remove = frozenset[str]().union(*(each.remove for each in wishes)) - add
    change = ChangeTags(add=add - ticket.tags, remove=remove & ticket.tags)
    if not change.add and not change.remove:
        return None
    asking = (each.episode for each in wishes if each.add & change.add or each.remove & change.remove)
    return Wanted(action=change, episodes=tuple(asking))


def set_fields(ticket: Ticket, wishes: tuple[Wish, ...]) -> tuple[tuple[Wanted, ...], tuple[LeftOut, ...]]:
    """Each field as the first policy that sets it says."""
    first: dict[str, tuple[SetField, str, list[str]]] = {}
    lost: list[LeftOut] = []
    for each in wishes:
        for name, value in () if each.is_repeat else each.level.set:
            action, winner, episodes = first.setdefault(
                name, (SetField(field=name, value=value), each.policy, [])
            )
            if action.value == value:
                episodes.append(each.episode)
            else:
                lost.append(
                    LeftOut(
                        policy=each.policy, level=each.level.name, what=f"set {name}", why=overruled(winner)
                    )
                )
    wanted = (
        Wanted(action=action, episodes=tuple(episodes))
        for action, _, episodes in first.values()
        if ticket.custom.get(action.field.removeprefix("custom.")) != action.value
    )
    return tuple(wanted), tuple(lost)


def joined(actions: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Each follower and each channel once, for all who asked; notes and replies as they are."""
    kept: dict[object, Wanted] = {}
    for each in actions:
        key = once(each.action)
        first = kept.get(key, Wanted(action=each.action, episodes=()))
        kept[key] = Wanted(action=first.action, episodes=first.episodes + each.episodes)
    return tuple(kept.values())


def once(action: Action) -> object:
    """What makes two actions one: a channel hears of a plan once, whoever asks."""
    return ("notify", action.channel) if isinstance(action, Notify) else action


def one_reply(told: Iterable[Wanted]) -> tuple[tuple[Wanted, ...], tuple[LeftOut, ...]]:
    """At most one public reply, the first policy's; the others are overruled."""
    kept: list[Wanted] = []
    lost: list[LeftOut] = []
    winner: str | None = None
    for each in told:
        action = each.action
        if isinstance(action, Say) and action.public:
            if winner is not None:
                why = overruled(winner)
                lost.append(LeftOut(policy=action.policy, level=action.level, what="reply", why=why))
                continue
            winner = action.policy
        kept.append(each)
    return tuple(kept), tuple(lost)


def asked_by(wish: Wish, wanted: tuple[Wanted, ...]) -> frozenset[str]:
    """The fields that these actions write for this wish; a tag is `tags:NAME`."""
    return frozenset(
        name for each in wanted if wish.episode in each.episodes for name in fields(each.action, wish)
    )


def fields(action: Action, wish: Wish) -> Iterable[str]:
    """The fields an action writes, as far as this wish asked for them."""
    if isinstance(action, Assign):
        return ("group", "assignee")
    if isinstance(action, RaisePriority):
        return ("priority",)
    if isinstance(action, SetField):
        return (action.field,)
    if isinstance(action, ChangeTags):
        return [f"tags:{tag}" for tag in (action.add & wish.add) | (action.remove & wish.remove)]
    return ()
