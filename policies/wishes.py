"""What a firing level asks for, with what it takes over from the levels it overtook (rules 3 and 9)."""

from dataclasses import dataclass

from policies.assignment import Chosen, after, choose
from policies.memory import Owner
from policies.model import Priority, Ticket
from policies.owners import Named, owner_of
from policies.policy import Level
from policies.scene import Scene
from policies.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One policy's part of a plan before the policies are weighed against each other."""

    turn: Turn
    level: Level
    episode: str
    chosen: Chosen | None = None
    priority: Priority | None = None
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    is_repeat: bool = False

    @property
    def policy(self) -> str:
        """The name of the policy that asks."""
        return self.turn.look.policy.name


def wish(scene: Scene, turn: Turn, level: Level) -> Wish:
    """What is to be carried out for this level. A repeat only says things again."""
    episode = turn.episode
    assert episode is not None
    if turn.step.fires is None:
        return Wish(turn=turn, level=level, episode=episode.key, is_repeat=True)
    levels = (*(each.level for each in turn.step.overtaken), level)
    add, remove = merged_tags(levels)
    return Wish(
        turn=turn,
        level=level,
        episode=episode.key,
        chosen=chosen(scene, turn, level),
        priority=max((x.priority for x in levels if x.priority), key=lambda p: p.rank, default=None),
        add=add,
        remove=remove,
    )


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
        before = named(scene, each.level, on_ticket(scene, turn, each.level), before).owner
    return named(scene, level, planned, before)


def on_ticket(scene: Scene, turn: Turn, level: Level) -> Ticket:
    """The ticket as it would be after the level's own assignment; a skipped level assigns nothing."""
    made = chosen(scene, turn, level) if turn.how.value != "skipped" else None
    return after(scene.ticket, made.assign if made else None)


def named(scene: Scene, level: Level, ticket: Ticket, before: Owner | None) -> Named:
    """The owner this level names on this ticket."""
    return owner_of(level, ticket, before, scene.directory, scene.policies.default_owner)
