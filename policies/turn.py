"""What one policy does at this look: the level that fires, those it overtakes, or a repeat (rules 3 and 12)."""

from dataclasses import dataclass, replace

from policies.counting import Count, count
from policies.episodes import live
from policies.ladder import Due, Step, climb, dues, is_snoozed, repeat_due
from policies.memory import Episode, How, Owner, Passed, UnderWay
from policies.model import Instant
from policies.policy import Approval, Level, Mode
from policies.scene import Look, Scene

NOTHING_DUE = Step()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One policy's part of a plan. `how` is how the level that fires is passed."""

    look: Look
    mode: Mode
    count: Count
    ladder: tuple[Due, ...] = ()
    step: Step = NOTHING_DUE
    how: How = How.FIRED

    @property
    def episode(self) -> Episode | None:
        """The running episode."""
        return live(self.look.standing)

    @property
    def sends(self) -> Level | None:
        """The level that is to be carried out: it fires, asks for approval, or is said again."""
        if self.step.fires is not None and self.how is How.FIRED:
            return acting(self.step.fires.level, self.count)
        return self.step.asks or self.step.repeats


def turn(scene: Scene, found: Look) -> Turn:
    """Climb the ladder of the running episode, if there is one."""
    policy = found.policy
    mode = scene.policies.mode(policy, scene.ticket.ref.account)
    counting = count(
        scene.ticket, found.history, policy.pause_on, scene.calendar(policy), scene.now, scene.calendars
    )
    waiting = Turn(look=found, mode=mode, count=counting)
    episode = waiting.episode
    if episode is None or episode.undoing:
        return waiting
    ladder = dues(policy, found.reading, episode, counting)
    step = climb(episode, ladder, scene.now)
    if mode == "observe":
        step = replace(step, asks=None)
    elif step.asks is not None:
        step = replace(step, asks=asking(step.asks))
    elif step.fires is None and not is_snoozed(episode, scene.now):
        step = replace(step, repeats=repeated(waiting, episode, scene.now))
    return replace(waiting, ladder=ladder, step=step, how=passing(scene, waiting))


def acting(level: Level, counting: Count) -> Level:
    """The level as it acts now: in closed hours it may do something else."""
    closed = level.within is not None and not counting.is_open(level.within)
    return level.otherwise if closed and level.otherwise is not None else level


def asking(level: Level) -> Level:
    """What is said when a level asks for approval, and nothing else of it."""
    asks = level.approval or Approval()
    return replace(level, note=asks.note, notify=asks.notify, reply=None)


def repeated(waiting: Turn, episode: Episode, now: Instant) -> Level | None:
    """The level that is due to be said again."""
    if waiting.look.reading.why_absent is not None:
        return None
    found = repeat_due(waiting.look.policy, episode, waiting.count)
    is_due = found is not None and found[1] is not None and found[1] <= now
    return acting(found[0], waiting.count) if is_due and found is not None else None


def passing(scene: Scene, waiting: Turn) -> How:
    """How a level that is due now is passed: skipped if it belongs to the backlog, else by the mode."""
    look, policy = waiting.look, waiting.look.policy
    first_ran = scene.first_ran.get(policy.name, scene.now)
    if policy.backlog == "skip" and look.first and look.begun and scene.ticket.created < first_ran:
        return How.SKIPPED
    return How.OBSERVED if waiting.mode == "observe" else How.FIRED


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
    return UnderWay(level=fires.level.name, at=now, due=due, overtaken=names, owner=owner, why=why)


def next_time(done: Turn, episode: Episode, now: Instant) -> Instant | None:
    """The earliest time at which time alone could change the answer for this policy."""
    reading, policy = done.look.reading, done.look.policy
    if reading.why_absent is not None:
        return reading.look_again
    ahead = climbed(episode)
    times = [
        each.at
        for each in dues(policy, reading, ahead, done.count)
        if not is_passed(each, ahead) and each.level.name != ahead.awaiting
    ]
    again = repeat_due(policy, ahead, done.count) if done.mode == "enforce" else None
    times.append(again[1] if again else None)
    earliest = max(now, episode.snoozed_until or now)
    return min((max(at, earliest) for at in times if at is not None), default=None)


def is_passed(due: Due, episode: Episode) -> bool:
    """Whether the level will never fire again, by itself or by one behind it."""
    names = {each.level for each in episode.passed}
    return due.level.name in names


def climbed(episode: Episode) -> Episode:
    """The episode as it will be once the level under way has fired."""
    way = episode.under_way
    if way is None:
        return episode
    before = tuple(Passed(level=name, how=How.OVERTAKEN, at=way.at) for name in way.overtaken)
    level = Passed(level=way.level, how=How.FIRED, at=way.at, due=way.due, owner=way.owner)
    return replace(episode, passed=(*episode.passed, *before, level), repeated=0, last_sent=way.at)
