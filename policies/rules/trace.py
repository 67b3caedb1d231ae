"""The trace: all that was considered for one policy, with its verdict, and what is said when a level is
carried out."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from policies.language.clocks import CLOCKS, HIDDEN
from policies.language.policy import Level
from policies.model import Instant, spell
from policies.plan import Action, ClockTrace, Follow, LevelTrace, LineTrace, Notify, PolicyTrace, Say, Wanted
from policies.rules.assignment import resolved
from policies.rules.clocks import Count, moment
from policies.rules.ladder import Due, Turn, dues
from policies.rules.merge import Wish
from policies.rules.scene import Scene, Verdict
from policies.state import Episode, How, Owner, Passed


def trace(
    turn: Turn, episode: Episode | None, notes: tuple[str, ...], snoozed_until: Instant | None
) -> PolicyTrace:
    """What this policy came to. `episode` is as the plan leaves it, None if none runs."""
    look = turn.look
    levels = dues(look.policy, look.reading, episode, turn.count) if episode else ()
    return PolicyTrace(
        policy=look.policy.name,
        mode=turn.mode,
        holds=look.verdict.holds,
        verdict=sentence(turn, episode, levels, snoozed_until),
        lines=look.verdict.lines,
        clock=clock(turn, episode),
        levels=tuple(level(turn, episode, each) for each in levels) if episode else (),
        notes=(*ends(turn), *notes),
    )


def ends(turn: Turn) -> tuple[str, ...]:
    """What ended at this look."""
    zone = turn.count.calendar.timezone
    return tuple(
        f"episode {each.number} ended at {moment(each.ended or 0, zone)}: {each.reason}"
        for each in turn.look.ended
    )


def clock(turn: Turn, episode: Episode | None) -> ClockTrace:
    """How the clock was read, and the sum from what levels count from until now."""
    reading, name = turn.look.reading, turn.look.policy.clock
    if reading.why_absent is not None:
        return ClockTrace(name=name, start=None, why_absent=reading.why_absent)
    start = reading.start if episode is None else episode.clock_start
    deadline = to_deadline(turn)
    if start is None:
        return ClockTrace(name=name, start=None, steps=deadline)
    because = reading.because if start == reading.start else "the ticket was acknowledged"
    steps = (*turn.count.steps(start, because), *deadline)
    return ClockTrace(name=name, start=start, elapsed=turn.count.elapsed(start), steps=steps)


def to_deadline(turn: Turn) -> tuple[str, ...]:
    """How much time is left, or how long it has been missed."""
    due, counting = turn.look.reading.due, turn.count
    if due is None:
        return ()
    left = counting.calendar.between(counting.now, due)
    where = f"{spell(left)} left" if left >= 0 else f"missed by {spell(-left)}"
    return (f"the deadline is {moment(due, counting.calendar.timezone)}: {where}",)


def level(turn: Turn, episode: Episode, due: Due) -> LevelTrace:
    """How one level stands."""
    passed = {each.level: each.how.value for each in episode.passed}
    way = episode.under_way
    state = passed.get(due.level.name, "waiting")
    if state == "waiting" and due.level.name == episode.awaiting:
        state = "would ask for approval" if turn.mode == "observe" else "awaiting approval"
    if way is not None and due.level.name == way.level:
        state = "due"
    elif way is not None and due.level.name in way.overtaken:
        state = How.OVERTAKEN.value
    return LevelTrace(name=due.level.name, due=due.at, state=state, text=due.text)


def sentence(
    turn: Turn, episode: Episode | None, levels: tuple[Due, ...], snoozed_until: Instant | None
) -> str:
    """The verdict in one sentence."""
    look = turn.look
    if look.verdict.unknown and turn.step.fires is None:
        return untold(look.verdict)
    if not look.verdict.holds and episode is None:
        return refusal(look.verdict)
    if episode is None:
        return at_rest(turn)
    if turn.step.fires is not None:
        return f'{FIRING[turn.how]} level "{turn.step.fires.level.name}"'
    if turn.step.repeats is not None:
        return f'says level "{turn.step.repeats.name}" again'
    if turn.step.makes_up is not None:
        return f'makes up for what level "{turn.step.makes_up.name}" had left out'
    if turn.step.asks is not None:
        asks = "would ask" if turn.mode == "observe" else "asks"
        return f'{asks} for approval of level "{turn.step.asks.name}"'
    if episode.undoing:
        return f"takes back what it wrote: de-escalated {episode.undone_because}"
    if snoozed_until is not None and turn.count.now < snoozed_until:
        return f"snoozed until {moment(snoozed_until, turn.count.calendar.timezone)}"
    if look.reading.why_absent is not None:
        return f"waits: {look.reading.why_absent}"
    return waiting(episode, levels)


def waiting(episode: Episode, levels: tuple[Due, ...]) -> str:
    """Which level comes next."""
    names = {each.level for each in episode.passed}
    ahead = [each for each in levels if each.level.name not in names]
    if not ahead:
        return "every level is passed"
    known = [each for each in ahead if each.at is not None]
    upcoming = min(known, key=lambda each: each.at or 0) if known else ahead[0]
    return f'waits for level "{upcoming.level.name}": {upcoming.text}'


FIRING = {How.FIRED: "fires", How.OBSERVED: "would fire", How.SKIPPED: "skips, as part of the backlog,"}


def untold(verdict: Verdict) -> str:
    """The line that keeps anybody from telling."""
    lost = next((line for line in verdict.lines if line.section == "when" and line.hidden), None)
    return f"cannot be judged: {lost.text if lost else 'a line'}, which is {HIDDEN}"


def refusal(verdict: Verdict) -> str:
    """The first line that decides against the policy."""
    failed = first(verdict.lines, "when", held=False)
    if failed is not None and failed.inner:
        return f"does not match: {failed.text}, of which {'none' if failed.path == 'any' else 'not all'} hold"
    if failed is not None:
        return f"does not match: {failed.text}, but it is {in_words(failed.read)}"
    hit = first(verdict.lines, "unless", held=True)
    return f"excluded: {hit.text}" if hit else "does not match"


def first(lines: tuple[LineTrace, ...], section: str, *, held: bool) -> LineTrace | None:
    """The first line of a section that held, or did not."""
    found = (line for line in lines if line.section == section and line.held is held)
    return next((line for line in found if not line.hidden), None)


def in_words(value: object) -> str:
    """A read value for a sentence."""
    if value is None:
        return "missing"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "empty"
    return str(value)


def at_rest(turn: Turn) -> str:
    """Why a policy that matches has no episode."""
    last = turn.look.standing.episode
    reason = last.reason if last else "nothing"
    return (
        f"matches, but its last episode ended ({reason}), and neither `when` nor the clock has started anew"
    )


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
    phrase = CLOCKS[look.policy.clock].phrase
    if level.clock == "since_last_level":
        return (since_last(turn, level),)
    if look.reading.due is not None:
        due = f"due {moment(look.reading.due, counting.calendar.timezone)}"
        return (f"{phrase.format(due)}{limit(level)}",)
    start = turn.episode.clock_start if turn.episode else None
    elapsed = spell(counting.elapsed(start)) if start is not None else "an unknown time"
    return (f"{phrase.format(elapsed)}{limit(level)}",)


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
