"""What one policy does at this look: the level that fires, those it overtakes, or a repeat (rules 3 and 12)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from policies.counting import Count, count
from policies.episodes import climbed, live
from policies.ladder import Due, Step, climb, dues, repeat_due
from policies.memory import Episode, How, Owed, Owner, Passed, UnderWay, latest_passed
from policies.model import Instant, Seconds
from policies.policy import Approval, Level, Mode, Policy
from policies.scene import Look, Scene

NOTHING_DUE = Step()
LOOK_AGAIN: Seconds = 3600
"""After which time it is worth a look whether the helpdesk shows by now what an overdue level hangs on."""

RISKY = ("assign", "priority", "set", "reply", "follow")
"""The parts of a level that are left out while nobody can tell whether the ticket is excluded (rule 8)."""


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
    parts = (*RISKY, "note", "notify", "tags", "untag")
    return without(level, [part for part in parts if part not in owes.parts])


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
