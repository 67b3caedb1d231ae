"""The trace: all that was considered for one policy, in the order it was considered, with its verdict."""

from policies.clocks import HIDDEN
from policies.counting import moment
from policies.durations import spell
from policies.ladder import Due, dues
from policies.memory import Episode, How
from policies.model import Instant
from policies.plan import ClockTrace, LevelTrace, LineTrace, PolicyTrace
from policies.turn import Turn
from policies.verdict import Verdict


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
