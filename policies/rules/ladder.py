"""When each level is due, which one fires, which are overtaken, and what is repeated (rules 1, 3 and 12)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from policies.language.clocks import Reading
from policies.language.policy import Approval, Level, Policy
from policies.language.vocabulary import ACTIONS, Mode
from policies.model import Instant, Seconds
from policies.rules.calendars import ALWAYS, Calendar, Count, next_in_week, pauses
from policies.rules.episode import arrived
from policies.rules.observe import Observation, Scene
from policies.state import Episode, How, Passed, latest_passed

Why = Literal[
    "passed",
    "held back",
    "clock absent",
    "level before not passed",
    "clock not started",
    "paused",
    "counted",
    "after deadline",
    "before deadline",
    "at start",
    "share",
    "start not told",
    "weekly",
]
"""What makes a level due when it is, or keeps anybody from knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a level is due, None if that is not known, and why then. `reached` is when the clock alone reaches it;
    `opens` is given where it has to wait for its calendar to open, however long it has been due (rule 15)."""

    level: Level
    at: Instant | None
    why: Why
    reached: Instant | None = None
    opens: Instant | None = None


def dues(policy: Policy, reading: Reading, episode: Episode, count: Count) -> tuple[Due, ...]:
    """Every level of the policy, in file order. One that acts in open hours only is due when they begin, and waits
    whenever it could act and they are over, unless it says what it does otherwise. `since_last_level` counts from the
    instant the level before it was passed; a time of the week is the first since the episode began, and since that of
    the one above it, so that a ticket of the week-end is handed over before it is given back."""
    passed = {each.level: each for each in episode.passed}
    before: Passed | None = None
    week = episode.started
    found: list[Due] = []
    for level in policy.levels:
        done, start = passed.get(level.name), episode.clock_start
        if level.on is not None:
            week = next_in_week(level.on, week, count.calendar.timezone)
        since_last = level.clock == "since_last_level"
        if since_last and before is not None:
            start = before.at
        # 1. By the clock alone. A level that was passed keeps the due it had then.
        if done is not None:
            due = Due(level=level, at=done.due, why="passed")
        elif level.waits:
            due = Due(level=level, at=None, why="held back")
        elif reading.why_absent is not None:
            due = Due(level=level, at=None, why="clock absent")
        elif since_last and before is None:
            due = Due(level=level, at=None, why="level before not passed")
        elif level.on is not None:
            due = Due(level=level, at=week, why="weekly", reached=week)
        elif reading.due is not None and not since_last:
            due = on_deadline(level, reading, reading.due, count.calendar)
        elif start is None:
            due = Due(level=level, at=None, why="clock not started")
        else:
            at = count.due(start, level.after or 0)
            due = Due(level=level, at=at, why="paused" if at is None else "counted", reached=at)
        # 2. In its open hours, if it acts in no others.
        reached, before = due.at, done
        waits = level.within if level.otherwise is None and due.why != "passed" else None
        if waits is not None and reached is not None:
            at = count.opens(waits, reached)
            opens = count.opens(waits, count.now) if at <= count.now else at
            closed = opens not in (max(reached, count.now), reached)
            due = replace(due, at=at, reached=reached, opens=opens if closed else None)
        found.append(due)
    return tuple(found)


def on_deadline(level: Level, reading: Reading, end: Instant, calendar: Calendar) -> Due:
    """The calendar walks from the deadline: back for `before`, on for `after`; `at` is the first whole second at or
    above that share of the time between the target's start and its due."""
    why: Why
    if level.at is not None:
        if reading.start is None:
            return Due(level=level, at=None, why="start not told")
        whole = max(calendar.between(reading.start, end), 0)
        at, why = calendar.add(reading.start, -(-whole * level.at // 100)), "share"
    elif level.before is None:
        at, why = calendar.add(end, level.after or 0), "after deadline"
    elif reading.start is not None and calendar.between(reading.start, end) <= 0:
        at, why = reading.start, "at start"
    else:
        at, why = calendar.back(end, level.before), "before deadline"
    return Due(level=level, at=at, why=why, reached=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelDecision:
    """What the ladder of one running episode does at this look: at most one level fires, or asks for approval, or
    lapses because nobody has approved it in time, or has something made up that it left out, or is said again.

    `how` is how the level that fires is passed. `quiet` says that the ticket is snoozed, or that nobody can tell
    whether `when` holds.
    """

    policy: Policy
    seen: Observation
    episode: Episode
    mode: Mode
    count: Count
    ladder: tuple[Due, ...] = ()
    fires: Due | None = None
    overtaken: tuple[Due, ...] = ()
    asks: Level | None = None
    lapses: Level | None = None
    makes_up: Level | None = None
    repeats: Level | None = None
    how: How = How.FIRED
    quiet: bool = False

    @property
    def sends(self) -> Level | None:
        """The level that is to be carried out: it fires, asks for approval, tells that nobody approved it, makes up for
        something, or is said again."""
        if self.fires is not None:
            return acting(self.fires.level, self.count) if self.how is How.FIRED else None
        if self.mode == "observe":
            return None
        if self.asks is not None:
            return asking(self.asks, again=self.asks.name in self.episode.asked_for)
        return lapsing(self.lapses) if self.lapses else self.makes_up or self.repeats


def decide(scene: Scene, seen: Observation, episode: Episode) -> LevelDecision:
    """Climb the ladder of the running episode: of the levels due, the highest fires; all before it count as overtaken,
    due or not. Never back. A level that a person ordered fires whatever the clock says; nothing else does while it is
    to be quiet. One that needs approval asks once, unless a level fires."""
    policy, now = seen.policy, scene.now
    mode: Mode = "enforce" if scene.enforces(policy) else "observe"
    how = how_it_passes(scene, seen, mode)
    quiet = seen.verdict.unknown or (scene.is_snoozed and how is not How.SKIPPED)
    count = count_of(scene, seen)
    if episode.undoing or scene.taking_back:
        return LevelDecision(
            policy=policy, seen=seen, episode=episode, mode=mode, count=count, how=how, quiet=quiet
        )
    ladder = dues(policy, seen.reading, episode, count)
    names = {each.level for each in episode.passed}
    last = max((i for i, each in enumerate(ladder) if each.level.name in names), default=-1)
    ahead = range(last + 1, len(ladder))
    reached = [i for i in ahead if (at := ladder[i].at) is not None and at <= now and ladder[i].opens is None]
    due_now = [] if quiet else reached
    waits = None if quiet else to_decide(policy, episode, count)
    late, fate = None, None
    if waits is not None and waits[2] <= now:
        late, fate = waits[0], lapse(waits[1], episode)
    approved = episode.approved | ({late.name} if late is not None and fate == "fire" else frozenset())
    free = [i for i in due_now if ladder[i].level.approval is None or ladder[i].level.name in approved]
    pushed = [i for i in ahead if ladder[i].level.name == episode.pushed]
    gated = [i for i in pushed if needs_another(ladder[i].level) and ladder[i].level.name not in approved]
    free += [i for i in pushed if ladder[i].level.name in approved]
    top = next((i for i in pushed if i not in gated), max(free, default=None))
    end = last if top is None else top
    overtaken = tuple(each for each in ladder[: max(end, 0)] if each.level.name not in names)
    asks = next((ladder[i].level for i in sorted({*due_now, *gated}, reverse=True) if i > end), None)
    if top is not None or (asks is not None and asks.name in episode.asked_for):
        asks = None
    asks = late if fate == "ask" and top is None and asks is None else asks
    lapses = late if fate == "reject" and top is None and asks is None else None
    makes_up = repeats = None
    if mode == "enforce" and not quiet and top is None and asks is None and lapses is None:
        makes_up = made_up(seen, episode, count)
        again = (
            None if makes_up or seen.reading.why_absent is not None else repeat_due(policy, episode, count)
        )
        repeats = again[0] if again is not None and again[1] is not None and again[1] <= now else None
    return LevelDecision(
        policy=policy,
        seen=seen,
        episode=episode,
        mode=mode,
        count=count,
        ladder=ladder,
        fires=None if top is None else ladder[top],
        overtaken=overtaken,
        asks=asks,
        lapses=lapses,
        makes_up=makes_up,
        repeats=repeats,
        how=how,
        quiet=quiet,
    )


def count_of(scene: Scene, seen: Observation) -> Count:
    """How the policy counts time on this ticket."""
    policy = seen.policy
    return Count(
        calendar=ALWAYS if policy.calendar is None else scene.calendars[policy.calendar],
        paused=pauses(scene.ticket, seen.history, policy.pause_on, scene.now) if policy.pause_on else (),
        now=scene.now,
        is_paused=scene.ticket.status in policy.pause_on,
        calendars=scene.calendars,
    )


def how_it_passes(scene: Scene, seen: Observation, mode: Mode) -> How:
    """How a level that is due now is passed: skipped if it belongs to the backlog, else by the mode. What is
    overdue when a policy is switched to enforce is backlog however old the ticket is (rule 12)."""
    policy = seen.policy
    if policy.backlog == "skip":
        first_ran = scene.first_ran.get(policy.name, scene.now)
        if seen.enforced or (seen.begun and not seen.before.looked and scene.ticket.created < first_ran):
            return How.SKIPPED
    return How.OBSERVED if mode == "observe" else How.FIRED


def is_closed(level: Level, count: Count) -> bool:
    """Whether the level acts in open hours only, and they are over."""
    return level.within is not None and not count.is_open(level.within)


def acting(level: Level, count: Count) -> Level:
    """The level as it acts now: in closed hours it may do something else."""
    return level.otherwise if level.otherwise is not None and is_closed(level, count) else level


def asking(level: Level, *, again: bool = False) -> Level:
    """What is said when a level asks for approval, and nothing else of it: to who decides, where one is named."""
    asks = level.approval or Approval()
    owner = (asks.then_owner if again else asks.owner) or level.owner
    return Level(name=level.name, kind=level.kind, owner=owner, note=asks.note, notify=asks.notify)


def lapsing(level: Level) -> Level:
    """What is said when nobody has approved a level in time."""
    asks = level.approval or Approval()
    return Level(name=level.name, kind=level.kind, note=asks.note, notify=asks.notify)


def needs_another(level: Level) -> bool:
    """Whether a named person decides about it, also where somebody orders it."""
    return level.approval is not None and level.approval.owner is not None


def decide_by(episode: Episode, approval: Approval, count: Count) -> Instant | None:
    """Until when the level that was asked for is to be decided about; None where that has no end, or is not known."""
    if approval.within is None or episode.asked_at is None:
        return None
    return count.due(episode.asked_at, approval.within)


def to_decide(policy: Policy, episode: Episode, count: Count) -> tuple[Level, Approval, Instant] | None:
    """The level that waits for approval, where the time for that has an end, and when; None otherwise."""
    level = next((each for each in policy.levels if each.name == episode.awaiting), None)
    if level is None or level.approval is None:
        return None
    until = decide_by(episode, level.approval, count)
    return None if until is None else (level, level.approval, until)


def lapse(approval: Approval, episode: Episode) -> Literal["reject", "fire", "ask"]:
    """What becomes of a level that nobody has decided about in time; the next is asked once."""
    return "ask" if approval.then_owner is not None and episode.asked_times < 2 else approval.then


def without(level: Level, parts: Iterable[str]) -> Level:
    """The level without these parts of what it does."""
    nothing = Level(name=level.name, kind=level.kind)
    return replace(level, **{part: getattr(nothing, part) for part in parts})


def made_up(seen: Observation, episode: Episode, count: Count) -> Level | None:
    """What the level passed last has left out, once the helpdesk shows that nothing excludes the ticket."""
    owes, latest = episode.owes, latest_passed(episode)
    if owes is None or latest is None or latest.level != owes.level or seen.verdict.excluded is None:
        return None
    written = next((each for each in seen.policy.levels if each.name == owes.level), None)
    level = written.otherwise if written is not None and owes.instead else written
    if level is None or (not owes.instead and is_closed(level, count)):
        return None
    return without(level, [part for part in ACTIONS if part not in owes.parts])


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


LOOK_AGAIN: Seconds = 3600
"""After which time it is worth a look whether the helpdesk shows by now what an overdue level hangs on."""


def next_time(scene: Scene, decision: LevelDecision, episode: Episode) -> Instant | None:
    """The earliest time at which time alone could change the answer for this policy. `episode` is as the plan leaves
    it."""
    reading, policy, count, now = decision.seen.reading, decision.policy, decision.count, scene.now
    verdict, enforces = decision.seen.verdict, decision.mode == "enforce"
    if reading.why_absent is not None:
        return reading.look_again
    ahead = arrived(episode)
    ladder = decision.ladder
    if ahead.passed != decision.episode.passed or not ladder:
        ladder = dues(policy, reading, ahead, count)
    settled = {each.level for each in ahead.passed} | (ahead.asked_for - ahead.approved)
    times = [each.opens or each.at for each in ladder if each.level.name not in settled]
    again = repeat_due(policy, ahead, count) if enforces else None
    times.append(again[1] if again else None)
    waits = to_decide(policy, ahead, count)
    times.append(waits[2] if waits else None)
    owes, latest = ahead.owes, latest_passed(ahead)
    if owes is not None and latest is not None and latest.level == owes.level and enforces:
        level = next((each for each in policy.levels if each.name == owes.level), None)
        if verdict.excluded is None:
            times.append(now + LOOK_AGAIN)
        elif level is None or level.within is None or owes.instead:
            times.append(now)
        else:
            times.append(count.opens(level.within, now))
    earliest = max(now + LOOK_AGAIN if verdict.unknown else now, scene.snoozed_until or now)
    return min((max(at, earliest) for at in times if at is not None), default=None)


def untimed(episode: Episode, passed: Passed) -> str:
    """Why it is not Uptier's doing that the level fired when it did; empty if it is."""
    if passed.due is None:
        return "due not known"
    if passed.level in episode.approved or passed.level in episode.asked_for:
        return "waited for approval"
    if episode.snoozed_until is not None and passed.due < episode.snoozed_until <= passed.at:
        return "snoozed"
    return "due before the policy was first seen to hold" if passed.due < episode.started else ""
