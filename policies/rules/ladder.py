"""When each level is due, which one fires, which are overtaken, and what is repeated (rules 1, 3 and 12)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from policies.language.clocks import Reading
from policies.language.policy import Approval, Level, Policy
from policies.language.vocabulary import ACTIONS, RISKY, Mode
from policies.model import Instant, Seconds, spell
from policies.rules.calendars import Calendar
from policies.rules.clocks import Count, count, moment
from policies.rules.episode import climbed, live
from policies.rules.scene import Look, Scene
from policies.state import Episode, How, Owed, Owner, Passed, UnderWay, latest_passed


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


NOTHING_DUE = Step()
LOOK_AGAIN: Seconds = 3600
"""After which time it is worth a look whether the helpdesk shows by now what an overdue level hangs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One policy's part of a plan. `how` is how the level that fires is passed. `quiet` says that the ticket is
    snoozed, or that nobody can tell whether `when` holds."""

    look: Look
    mode: Mode
    count: Count
    ladder: tuple[Due, ...] = ()
    step: Step = NOTHING_DUE
    how: How = How.FIRED
    quiet: bool = False

    @property
    def episode(self) -> Episode | None:
        """The running episode."""
        return live(self.look.standing)

    @property
    def sends(self) -> Level | None:
        """The level that is to be carried out: it fires, asks for approval, makes up for something, or is said
        again."""
        if self.step.fires is not None:
            return acting(self.step.fires.level, self.count) if self.how is How.FIRED else None
        if self.mode == "observe":
            return None
        return asking(self.step.asks) if self.step.asks else self.step.makes_up or self.step.repeats


def turn(scene: Scene, found: Look) -> Turn:
    """Climb the ladder of the running episode, if there is one."""
    policy = found.policy
    mode = scene.policies.mode(policy, scene.ticket.ref.account)
    counting = count(
        scene.ticket, found.history, policy.pause_on, scene.calendar(policy), scene.now, scene.calendars
    )
    how = passing(scene, found, mode)
    snoozed = scene.is_snoozed and how is not How.SKIPPED
    quiet = found.verdict.unknown or snoozed
    waiting = Turn(look=found, mode=mode, count=counting, how=how, quiet=quiet)
    episode = waiting.episode
    if episode is None or episode.undoing:
        return waiting
    ladder = dues(policy, found.reading, episode, counting)
    step = climb(episode, ladder, scene.now, quiet=quiet)
    if mode == "enforce" and not quiet and step.fires is None and step.asks is None:
        makes_up = made_up(waiting, episode)
        again = None if makes_up else repeated(waiting, episode, scene.now)
        step = replace(step, makes_up=makes_up, repeats=again)
    return replace(waiting, ladder=ladder, step=step)


def is_closed(level: Level, counting: Count) -> bool:
    """Whether the level acts in open hours only, and they are over."""
    return level.within is not None and not counting.is_open(level.within)


def acting(level: Level, counting: Count) -> Level:
    """The level as it acts now: in closed hours it may do something else."""
    return level.otherwise if level.otherwise is not None and is_closed(level, counting) else level


def asking(level: Level) -> Level:
    """What is said when a level asks for approval, and nothing else of it."""
    asks = level.approval or Approval()
    return Level(name=level.name, kind=level.kind, owner=level.owner, note=asks.note, notify=asks.notify)


def without(level: Level, parts: Iterable[str]) -> Level:
    """The level without these parts of what it does."""
    nothing = Level(name=level.name, kind=level.kind)
    return replace(level, **{part: getattr(nothing, part) for part in parts})


def risks(level: Level) -> frozenset[str]:
    """What the level does that could harm somebody if the ticket should have been left out."""
    return frozenset(part for part in RISKY if getattr(level, part))


def made_up(waiting: Turn, episode: Episode) -> Level | None:
    """What the level passed last has left out, once the helpdesk shows that nothing excludes the ticket."""
    owes, latest = episode.owes, latest_passed(episode)
    if owes is None or latest is None or latest.level != owes.level or waiting.look.verdict.excluded is None:
        return None
    written = next((each for each in waiting.look.policy.levels if each.name == owes.level), None)
    level = written.otherwise if written is not None and owes.instead else written
    if level is None or (not owes.instead and is_closed(level, waiting.count)):
        return None
    return without(level, [part for part in ACTIONS if part not in owes.parts])


def repeated(waiting: Turn, episode: Episode, now: Instant) -> Level | None:
    """The level that is due to be said again."""
    if waiting.look.reading.why_absent is not None:
        return None
    found = repeat_due(waiting.look.policy, episode, waiting.count)
    return found[0] if found is not None and found[1] is not None and found[1] <= now else None


def passing(scene: Scene, look: Look, mode: Mode) -> How:
    """How a level that is due now is passed: skipped if it belongs to the backlog, else by the mode. What is
    overdue when a policy is switched to enforce is backlog however old the ticket is (rule 12)."""
    policy = look.policy
    first_ran = scene.first_ran.get(policy.name, scene.now)
    older = look.first and look.begun and scene.ticket.created < first_ran
    if policy.backlog == "skip" and (look.enforced or older):
        return How.SKIPPED
    return How.OBSERVED if mode == "observe" else How.FIRED


def overtaken(done: Turn, now: Instant) -> tuple[Passed, ...]:
    """The levels before the one that fires, as passed; of a backlog, those that were due are skipped too."""
    skipped = done.how is How.SKIPPED
    return tuple(
        Passed(
            level=each.level.name,
            how=How.SKIPPED if skipped and each.at is not None and each.at <= now else How.OVERTAKEN,
            at=now,
            due=each.at,
        )
        for each in done.step.overtaken
    )


def under_way(done: Turn, fires: Due, owner: Owner, now: Instant, why: str) -> UnderWay:
    """The level as it is remembered until its first write has an outcome."""
    names = tuple(each.level.name for each in done.step.overtaken)
    due = now if fires.at is None else fires.at
    return UnderWay(
        level=fires.level.name,
        at=now,
        due=due,
        overtaken=names,
        owner=owner,
        why=why,
        seen=done.look.history.newest(),
        instead=acting(fires.level, done.count) is not fires.level,
    )


def next_time(done: Turn, episode: Episode, now: Instant, until: Instant | None) -> Instant | None:
    """The earliest time at which time alone could change the answer for this policy; the ticket is snoozed `until`."""
    reading, policy = done.look.reading, done.look.policy
    if reading.why_absent is not None:
        return reading.look_again
    ahead = climbed(episode)
    waits = ahead.asked_for - ahead.approved
    times = [
        each.opens or each.at
        for each in dues(policy, reading, ahead, done.count)
        if not is_passed(each, ahead) and each.level.name not in waits
    ]
    again = repeat_due(policy, ahead, done.count) if done.mode == "enforce" else None
    times.append(again[1] if again else None)
    owes, latest = ahead.owes, latest_passed(ahead)
    if owes is not None and latest is not None and latest.level == owes.level and done.mode == "enforce":
        unreadable = done.look.verdict.excluded is None
        times.append(now + LOOK_AGAIN if unreadable else owed_at(policy, owes, done.count))
    earliest = max(now + LOOK_AGAIN if done.look.verdict.unknown else now, until or now)
    return min((max(at, earliest) for at in times if at is not None), default=None)


def owed_at(policy: Policy, owes: Owed, counting: Count) -> Instant:
    """When what was left out can be made up at the earliest."""
    level = next((each for each in policy.levels if each.name == owes.level), None)
    if level is None or level.within is None or owes.instead:
        return counting.now
    return counting.opens(level.within, counting.now)


def is_passed(due: Due, episode: Episode) -> bool:
    """Whether the level will never fire again, by itself or by one behind it."""
    names = {each.level for each in episode.passed}
    return due.level.name in names
