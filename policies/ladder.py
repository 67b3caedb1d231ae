"""When each level is due, which one fires, and which are overtaken (rules 1 and 3)."""

from dataclasses import dataclass, replace

from policies.calendars import Calendar
from policies.clocks import Reading
from policies.counting import Count, moment
from policies.durations import spell
from policies.memory import Episode, How, Passed, latest_passed
from policies.model import Instant
from policies.policy import Level, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a level is due, None if that is not known, and the sentence that says so. `opens` is given while the level
    waits for its calendar to open, however long it has been due (rule 15)."""

    level: Level
    at: Instant | None
    text: str
    opens: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the ladder does at this look: at most one level fires, or asks for approval, or has something made up
    that it left out, or is said again."""

    fires: Due | None = None
    overtaken: tuple[Due, ...] = ()
    repeats: Level | None = None
    asks: Level | None = None
    makes_up: Level | None = None


def dues(policy: Policy, reading: Reading, episode: Episode, count: Count) -> tuple[Due, ...]:
    """Every level of the policy, in file order."""
    passed = {each.level: each for each in episode.passed}
    before: Level | None = None
    found: list[Due] = []
    for level in policy.levels:
        if level.waits and level.name not in passed:
            found.append(Due(level=level, at=None, text=f"waits: {level.waits}"))
            before = level
            continue
        found.append(gated(due(level, before, passed, reading, episode, count), passed, count))
        before = level
    return tuple(found)


def gated(found: Due, passed: dict[str, Passed], count: Count) -> Due:
    """A level that acts in open hours only is due when they begin, and waits whenever it could act and they are over,
    unless it says what it does otherwise."""
    level = found.level
    if level.within is None or level.otherwise is not None or found.at is None or level.name in passed:
        return found
    at = count.opens(level.within, found.at)
    opens = count.opens(level.within, count.now) if at <= count.now else at
    if opens == max(found.at, count.now) or opens == found.at:
        return replace(found, at=at)
    text = f"{found.text}; waits for {level.within} to open at {moment(opens, count.calendar.timezone)}"
    return Due(level=level, at=at, text=text, opens=opens if at <= count.now else None)


def due(
    level: Level,
    before: Level | None,
    passed: dict[str, Passed],
    reading: Reading,
    episode: Episode,
    count: Count,
) -> Due:
    """One level. A level that was passed keeps the due it had then."""
    done = passed.get(level.name)
    if done is not None:
        return Due(level=level, at=done.due, text=f"{done.how} at {moment(done.at, count.calendar.timezone)}")
    if reading.why_absent is not None:
        return Due(level=level, at=None, text=f"not due: {reading.why_absent}")
    if level.clock == "since_last_level":
        return since_last_level(level, before, passed, count)
    if reading.due is not None:
        return on_deadline(level, reading, reading.due, count.calendar)
    if episode.clock_start is None:
        return Due(level=level, at=None, text="not due: the clock has not started")
    return counted(level, episode.clock_start, "the clock's start", count)


def since_last_level(level: Level, before: Level | None, passed: dict[str, Passed], count: Count) -> Due:
    """Counts from the instant the level before it in the file was passed."""
    done = passed.get(before.name) if before else None
    if before is None or done is None:
        name = f'"{before.name}"' if before else "a level before it"
        return Due(level=level, at=None, text=f"not due: it counts from {name}, which is not passed")
    return counted(level, done.at, f'"{before.name}"', count)


def counted(level: Level, start: Instant, of: str, count: Count) -> Due:
    """Due when so much has been counted since `start`."""
    span = level.after or 0
    at = count.due(start, span)
    if at is None:
        return Due(level=level, at=None, text=f"not due while paused: {spell(span)} after {of}")
    return Due(
        level=level, at=at, text=f"due {moment(at, count.calendar.timezone)}, {spell(span)} after {of}"
    )


def on_deadline(level: Level, reading: Reading, end: Instant, calendar: Calendar) -> Due:
    """The calendar walks from the deadline: back for `before`, on for `after`; `at` shares out the way to it."""
    deadline = f"the deadline, {moment(end, calendar.timezone)}"
    if level.at is not None:
        return share(level, reading, end, calendar)
    if level.before is None:
        at, text = calendar.add(end, level.after or 0), f"{spell(level.after or 0)} after {deadline}"
    elif reading.start is not None and calendar.between(reading.start, end) <= 0:
        at, text = reading.start, "at the target's start: no business time lies before the deadline"
    else:
        at, text = calendar.back(end, level.before), f"{spell(level.before)} before {deadline}"
    return Due(level=level, at=at, text=f"due {moment(at, calendar.timezone)}, {text}")


def share(level: Level, reading: Reading, end: Instant, calendar: Calendar) -> Due:
    """The first whole second at or above this share of the time between the target's start and its due."""
    percent = level.at or 0
    if reading.start is None:
        return Due(level=level, at=None, text="never due: the helpdesk does not tell when the target started")
    whole = max(calendar.between(reading.start, end), 0)
    at = calendar.add(reading.start, -(-whole * percent // 100))
    text = f"{percent}% of the {spell(whole)} to the deadline, {moment(end, calendar.timezone)}"
    return Due(level=level, at=at, text=f"due {moment(at, calendar.timezone)}, {text}")


def climb(episode: Episode, ladder: tuple[Due, ...], now: Instant, *, quiet: bool = False) -> Step:
    """Of the levels due, the highest fires; all before it count as overtaken, due or not. Never back. A level
    that a person ordered fires whatever the clock says; nothing else does while it is to be `quiet`. One that needs
    approval asks once, unless a level fires."""
    names = {each.level for each in episode.passed}
    last = max((i for i, each in enumerate(ladder) if each.level.name in names), default=-1)
    ahead = [(i, each) for i, each in enumerate(ladder) if i > last]
    due_now = [] if quiet else [i for i, each in ahead if is_due(each, now)]
    free = [i for i in due_now if not unapproved(ladder[i].level, episode)]
    top = next((i for i, each in ahead if each.level.name == episode.pushed), max(free, default=None))
    end = last if top is None else top
    overtaken = tuple(each for each in ladder[: max(end, 0)] if each.level.name not in names)
    asking = next((ladder[i].level for i in reversed(due_now) if i > end), None)
    asks = asking if top is None and asking and asking.name not in episode.asked_for else None
    return Step(fires=None if top is None else ladder[top], overtaken=overtaken, asks=asks)


def is_due(due: Due, now: Instant) -> bool:
    """Whether the clock has reached the level, and nothing else keeps it waiting."""
    return due.at is not None and due.at <= now and due.opens is None


def unapproved(level: Level, episode: Episode) -> bool:
    """Whether the level must not fire before a person has approved it."""
    return level.approval is not None and level.name not in episode.approved


def repeat_due(policy: Policy, episode: Episode, count: Count) -> tuple[Level, Instant | None] | None:
    """The level that is to be said again and when that is due, in open hours if it has any; None if nothing is."""
    latest = latest_passed(episode)
    level = next((each for each in policy.levels if latest and each.name == latest.level), None)
    if latest is None or latest.how is not How.FIRED or level is None or level.repeat is None:
        return None
    if episode.repeated >= level.repeat.times or episode.last_sent is None:
        return None
    at = count.due(episode.last_sent, level.repeat.every)
    if at is not None and level.within is not None:
        at = count.opens(level.within, max(at, count.now))
    return level, at


def untimed(episode: Episode, passed: Passed) -> str:
    """Why it is not Uptier's doing that the level fired when it did; empty if it is."""
    if passed.due is None:
        return "due not known"
    if passed.level in episode.approved:
        return "waited for approval"
    if episode.snoozed_until is not None and passed.due < episode.snoozed_until <= passed.at:
        return "snoozed"
    return "due before the policy was first seen to hold" if passed.due < episode.started else ""
