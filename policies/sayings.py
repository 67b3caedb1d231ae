"""What is said when a level is carried out: reasons and the next step, in words, and to whom."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from policies.counting import Count, moment
from policies.durations import spell
from policies.ladder import dues
from policies.memory import Episode, How, Owner, Passed
from policies.owners import resolved
from policies.plan import Action, Follow, LineTrace, Notify, Say, Wanted
from policies.policy import Level
from policies.scene import Scene
from policies.turn import Turn
from policies.wishes import Wish

CLOCK_WORDS = {
    "created": "open for",
    "customer_waiting": "customer waiting for",
    "since_agent_reply": "last agent reply was",
    "assignee_silent": "assignee silent for",
    "in_status": "in this status for",
    "untouched": "untouched for",
    "matching": "matching for",
    "first_reply": "first reply",
    "next_reply": "next reply",
    "resolution": "resolution",
}


def told(scene: Scene, wish: Wish, owner: Owner) -> tuple[tuple[Wanted, ...], tuple[str, ...]]:
    """The follows, notes, reply and notifications of a wish, and warnings about people nobody knows."""
    level, episodes = wish.level, (wish.episode,)
    followers, warnings = ((), ()) if wish.is_repeat else follows(scene, wish, owner)
    reasons, policy = reasons_for(wish.turn, level), wish.policy
    said = [
        Say(
            public=public,
            template=template,
            policy=policy,
            level=level.name,
            reasons=reasons,
            owner=owner.name,
            next_step=next_step(wish, owner),
            ask=None if public else level.ask,
            checklist=() if public else level.checklist,
            hand_off=level.hand_off and not public,
        )
        for public, template in ((False, level.note), (True, None if wish.is_repeat else level.reply))
        if template is not None
    ]
    heard = [
        Notify(
            channel=channel,
            policy=policy,
            level=level.name,
            reasons=reasons,
            owner=owner.name,
            next_step=next_step(wish, owner),
        )
        for channel in level.notify
    ]
    actions: tuple[Action, ...] = (*followers, *said, *heard)
    return tuple(Wanted(action=each, episodes=episodes) for each in actions), warnings


def follows(scene: Scene, wish: Wish, owner: Owner) -> tuple[tuple[Follow, ...], tuple[str, ...]]:
    """Who is to follow the ticket; names and functions as for `owner`."""
    found: list[Follow] = []
    warnings: list[str] = []
    for asked in wish.level.follow:
        person = resolved(asked, scene.ticket, owner, scene.directory)
        agent = scene.directory.agent(person.name) if person and person.kind == "person" else None
        if agent is None:
            warnings.append(f'level "{wish.level.name}": follower "{asked}" leads to nobody in the directory')
        else:
            found.append(Follow(person=agent.person))
    return tuple(found), tuple(warnings)


def reasons_for(turn: Turn, level: Level) -> tuple[str, ...]:
    """Why this level fires now: who ordered it, if somebody did, and what the clock says."""
    ordered = turn.episode.pushed_because if turn.episode and turn.episode.pushed == level.name else ""
    return (*((f"escalated {ordered}",) if ordered else ()), *clock_reasons(turn, level))


def because(turn: Turn, level: Level) -> str:
    """Why this level fires now, for the ledger: the reasons, and the conditions that hold but for the silent last. What
    decided comes first: the clock, or conditions that came to hold when its time was over already."""
    conditions = tuple(held([line for line in turn.look.verdict.lines if line.section == "when"][:-1]))
    reasons, due = reasons_for(turn, level), turn.step.fires.at if turn.step.fires else None
    came_late = due is not None and turn.episode is not None and due < turn.episode.started
    return "; ".join((*conditions, *reasons) if came_late else (*reasons, *conditions))


def held(lines: Iterable[LineTrace]) -> Iterator[str]:
    """The lines that hold, in words; of a group, those within it."""
    for line in lines:
        if line.held:
            yield from held(line.inner) if line.inner else (line.text,)


def clock_reasons(turn: Turn, level: Level) -> tuple[str, ...]:
    """What the clock says, against the level's limit."""
    look, counting = turn.look, turn.count
    words = CLOCK_WORDS[look.policy.clock]
    if level.clock == "since_last_level":
        return (since_last(turn, level),)
    if look.reading.due is not None:
        return (f"{words} due {moment(look.reading.due, counting.calendar.timezone)}{limit(level)}",)
    start = turn.episode.clock_start if turn.episode else None
    elapsed = spell(counting.elapsed(start)) if start is not None else "an unknown time"
    ago = " ago" if look.policy.clock == "since_agent_reply" else ""
    return (f"{words} {elapsed}{ago}{limit(level)}",)


def since_last(turn: Turn, level: Level) -> str:
    """The reason of a level that counts from the one before it."""
    names = [each.name for each in turn.look.policy.levels]
    before = names[names.index(level.name) - 1]
    passed = turn.episode.passed if turn.episode else ()
    at = next((each.at for each in passed if each.level == before), None)
    elapsed = spell(turn.count.elapsed(at)) if at is not None else "some time"
    return f'{elapsed} since "{before}"{limit(level)}'


def limit(level: Level) -> str:
    """The level's own limit, in brackets."""
    if level.at is not None:
        return f" (limit {level.at}% of the time to it)"
    if level.before is not None:
        return f" (limit {spell(level.before)} before it)"
    return f" (limit {spell(level.after or 0)})"


def next_step(wish: Wish, owner: Owner) -> str:
    """What happens next if nobody does anything, and when."""
    turn = wish.turn
    episode = turn.episode
    assert episode is not None
    now = turn.count.now
    ahead = episode if wish.is_repeat else with_passed(episode, wish.level, owner, now)
    found = dues(turn.look.policy, turn.look.reading, ahead, turn.count)
    names = [each.level.name for each in found]
    later = [each for each in found[names.index(wish.level.name) + 1 :] if each.at is not None]
    upcoming = min(later, key=lambda each: each.at or 0, default=None)
    if upcoming is not None and upcoming.at is not None:
        return f'level "{upcoming.level.name}" at {moment(upcoming.at, turn.count.calendar.timezone)}'
    return said_again(wish, turn.count) or f"no further level; {owner.name} owns it"


def said_again(wish: Wish, counting: Count) -> str | None:
    """The next repeat, for a level that has one left."""
    repeat, episode = wish.level.repeat, wish.turn.episode
    if repeat is None or episode is None:
        return None
    done = episode.repeated + 1 if wish.is_repeat else 0
    at = counting.due(counting.now, repeat.every)
    if done >= repeat.times or at is None:
        return None
    return f"said again at {moment(at, counting.calendar.timezone)}"


def with_passed(episode: Episode, level: Level, owner: Owner, now: int) -> Episode:
    """The episode as it will be once this level has fired."""
    fired = Passed(level=level.name, how=How.FIRED, at=now, owner=owner)
    return replace(episode, passed=(*episode.passed, fired))
