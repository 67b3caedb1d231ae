"""What a firing level asks for, with what it takes over from the levels it overtook (rules 3 and 9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policies.assignment import Chosen, after, assignment_reads, choose
from policies.clocks import HIDDEN
from policies.memory import Owner
from policies.model import Priority, Ticket
from policies.owners import Named, owner_of
from policies.plan import LeftOut
from policies.policy import Level
from policies.scene import Scene
from policies.turn import RISKY, Turn, acting, is_closed, risks, without


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
