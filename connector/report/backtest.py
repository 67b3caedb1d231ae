"""What policies would have done: the lives of an archive, each played by `policies.replay`, on all cores; and what two
versions of the policies would have done otherwise.

An archive is read bit by bit and of a life only what came of it is kept, so a larger one takes longer and no more room.
"""

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

from connector.config.holidays import calendars
from connector.config.settings import policies_of
from connector.report.cases import hour_of_week
from connector.store.archive import Head, Row
from connector.store.database import UNFORESEEN
from connector.work.messages import digest, texts
from policies.language.policy import PolicySet
from policies.model import Directory, Instant, Metric, Seconds, Stage, Ticket, Value
from policies.past import RECENT, UNASKED, Sieve, asking_silenced, life_of, met_at, read_by, replies
from policies.plan import Assign, Say
from policies.replay import Rulebook, Step, replay
from policies.rules.calendars import Calendar
from policies.rules.ladder import untimed
from policies.state import FIRED, How

CHUNK = 50
"""So many lives go to a process at a time."""

ALONE = 300
"""Up to so many lives no second process is worth its start."""

WAITING = 4
"""Chunks on their way for each process: no more of the archive is in memory."""


OTHERWISE = frozenset({*How} - FIRED)
"""How a level is passed without firing: overtaken, skipped, refused or rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A level that would have fired, or have been passed otherwise, as `how` says. `due` is None where something else
    than its time decided when, such as a condition that came to hold later. `to` is whom it assigns to, `template` what
    it says, empty where it does neither. `person` is the one person it comes to: who it assigns to, else an owner who
    is one; empty where it comes to a group. `answered_in` are the seconds until a person answered the customer all the
    same, None if nobody did. `writes` are the fields that are written with it, as they stand afterwards; `text` is the
    digest of what is said with it, empty where nothing is or the archive has no words."""

    account: str
    ticket: str
    policy: str
    level: str
    due: Instant | None
    at: Instant
    owner: str
    to: str = ""
    template: str = ""
    answered_in: Seconds | None = None
    writes: Mapping[str, Value] = field(default_factory=dict)
    text: str = ""
    how: str = How.FIRED.value
    person: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is, whenever it comes."""
        return self.account, self.ticket, self.policy, self.level


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An SLA target that was missed, and whether a level fired between its start and its due."""

    account: str
    ticket: str
    metric: Metric
    due: Instant
    warned: bool


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of some lives. `incomplete` counts those of which the policies read what nobody tells, `lacks` what
    that is; `unsure` are their firings, which are not among `firings`. `otherwise` are the levels that were passed
    without firing, on tickets of which all is told. `looks` says how often it was looked."""

    lives: int = 0
    events: int = 0
    looks: int = 0
    incomplete: int = 0
    lacks: Counter[str] = field(default_factory=Counter)
    firings: list[Firing] = field(default_factory=list)
    unsure: list[Firing] = field(default_factory=list)
    otherwise: list[Firing] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Take the outcome of others in."""
        self.lives += other.lives
        self.events += other.events
        self.looks += other.looks
        self.incomplete += other.incomplete
        self.lacks += other.lacks
        self.firings += other.firings
        self.unsure += other.unsure
        self.otherwise += other.otherwise
        self.missed += other.missed
        self.failed += other.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What every process needs to know: the config file, the policies that stand in for its own, who works there, what
    was asked about words, and the period (half-open). `also_read` is what another version of the policies reads, by
    account: what is not told to both is no difference between them."""

    config: Path
    policies: Path | None
    directories: Mapping[str, Directory]
    head: Head
    begin: Instant
    end: Instant
    also_read: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Player:
    """Plays lives by one version of the policies, all of them enforced and in force since long before."""

    def __init__(self, task: Task, policies: PolicySet) -> None:
        self._task = task
        enforced = tuple(replace(each, mode=None) for each in policies.policies)
        self._policies = replace(policies, policies=enforced, modes={"": "enforce"})
        silenced = asking_silenced(self._policies, task.head.asked, task.head.packs)
        self._whole, self._silenced = Sieve(self._policies), Sieve(silenced)
        self._first_ran = {each.name: 0 for each in enforced}
        self._people = {
            name: frozenset(each.person.label for each in directory.agents)
            for name, directory in task.directories.items()
        }
        self._days: dict[int, Mapping[str, Calendar]] = {}
        self._read = {
            name: read_by(silenced, name) | task.also_read.get(name, frozenset()) for name in task.directories
        }

    def play(self, rows: Iterable[Row]) -> Outcome:
        """What comes of these lives."""
        found = Outcome()
        for row in rows:
            found.lives += 1
            try:
                found.add(self._life(row.ticket(), row.unknown))
            except UNFORESEEN as error:
                found.failed.append(f"{row.account}: {type(error).__name__}: {error}"[:300])
        return found

    def _life(self, ticket: Ticket, unknown: frozenset[str]) -> Outcome:
        directory = self._task.directories[ticket.ref.account]
        life = life_of(ticket, directory)
        policies = (self._silenced if UNASKED in ticket.hidden else self._whole).could_hold(life)
        lacks = sorted(self._read[ticket.ref.account] & (unknown | ticket.hidden | RECENT))
        found = Outcome(events=1 + len(life.events), incomplete=bool(lacks), lacks=Counter(lacks))
        fired = found.unsure if lacks else found.firings
        if policies.policies:
            rules = Rulebook(
                policies=policies, calendars=self._calendars(ticket.created), first_ran=self._first_ran
            )
            known_until = ticket.read_at or self._task.head.made
            for step in replay(life, rules, directory, min(self._task.end - 1, known_until)):
                found.looks += 1
                fired.extend(self._firings(step, ticket))
                if not lacks:
                    found.otherwise.extend(self._otherwise(step, ticket))
        found.missed.extend(self._missed(ticket, fired))
        for some in (fired, found.otherwise):
            some[:] = [each for each in some if self._task.begin <= each.at < self._task.end]
        return found

    def _calendars(self, at: Instant) -> Mapping[str, Calendar]:
        year = datetime.fromtimestamp(at, UTC).year
        if year not in self._days:
            self._days[year] = calendars(self._policies, at)
        return self._days[year]

    def _firings(self, step: Step, ticket: Ticket) -> Iterator[Firing]:
        lines = [line for line in step.lines if line.what == "fired"]
        if not lines:
            return
        answers = [at for at in replies(ticket) if at >= step.now]
        account = ticket.ref.account
        says = [each.action for each in step.plan.wanted if isinstance(each.action, Say)]
        has_words = UNASKED not in ticket.hidden
        text = digest(texts(says, step.before.ticket, self._policies)) if has_words else ""
        for line in lines:
            assigns = (
                each.action
                for each in step.plan.wanted
                if isinstance(each.action, Assign) and line.episode in each.episodes
            )
            given = next(assigns, None)
            assignee = None if given is None else given.assignee
            yield Firing(
                account=account,
                ticket=ticket.ref.id,
                policy=line.policy,
                level=line.level or "",
                due=due_of(step, line.episode, line.level),
                at=step.now,
                owner=line.owner or "",
                to="" if given is None else given_to(given),
                template=self._template(line.policy, line.level),
                answered_in=answers[0] - step.now if answers else None,
                writes={each.field: each.after for each in step.wrote},
                text=text,
                person=assignee.label
                if assignee
                else line.owner
                if line.owner in self._people[account]
                else "",
            )

    def _otherwise(self, step: Step, ticket: Ticket) -> Iterator[Firing]:
        for line in step.lines:
            if line.level and line.what in OTHERWISE:
                yield Firing(
                    account=ticket.ref.account,
                    ticket=ticket.ref.id,
                    policy=line.policy,
                    level=line.level,
                    due=due_of(step, line.episode, line.level),
                    at=step.now,
                    owner=line.owner or "",
                    how=line.what,
                )

    def _template(self, policy: str, level: str | None) -> str:
        levels = (
            one
            for each in self._policies.policies
            if each.name == policy
            for one in each.levels
            if one.name == level
        )
        found = next(levels, None)
        return "" if found is None else found.reply or found.note or ""

    def _missed(self, ticket: Ticket, fired: Sequence[Firing]) -> Iterator[Missed]:
        for target in ticket.targets:
            if target.due is None or not self._task.begin <= target.due < self._task.end:
                continue
            start = ticket.created if target.start is None else target.start
            is_over = target.stage is Stage.ACHIEVED
            met = met_at(ticket, target.metric, start) if is_over else None
            is_late = target.breached or (met is not None and met > target.due)
            if is_late or (target.stage is Stage.ACTIVE and target.due < ticket.read_at):
                warned = any(start <= each.at < target.due for each in fired)
                yield Missed(
                    account=ticket.ref.account,
                    ticket=ticket.ref.id,
                    metric=target.metric,
                    due=target.due,
                    warned=warned,
                )


def due_of(step: Step, key: str, level: str | None) -> Instant | None:
    """When a level that was passed in this step was due, if that is why it fired."""
    running = (each.episode for each in step.after.standings if each.episode is not None)
    episode = next((each for each in running if each.key == key), None)
    if episode is None:
        return None
    passed = next((each for each in reversed(episode.passed) if each.level == level), None)
    return None if passed is None or untimed(episode, passed) else passed.due


def given_to(action: Assign) -> str:
    """Whom a ticket is given to."""
    return action.assignee.label if action.assignee else action.group.name if action.group else ""


# --- all of them -----------------------------------------------------------------------------------------------


class Process:
    """What one process of several keeps between its chunks."""

    player: ClassVar[Player]

    @classmethod
    def begin(cls, task: Task) -> None:
        """Read the policies, once for each process: what is compiled cannot be handed over."""
        policies = policies_of(task.config, task.policies).policies
        assert policies is not None, "they were read without errors a moment ago"
        cls.player = Player(task, policies)

    @classmethod
    def play(cls, rows: list[Row]) -> Outcome:
        """What comes of these lives."""
        return cls.player.play(rows)


def played(task: Task, policies: PolicySet, rows: Iterator[Row], processes: int | None = None) -> Outcome:
    """What comes of all lives; firings in the order of time."""
    first = list(islice(rows, ALONE))
    many = processes or len(os.sched_getaffinity(0))
    whole = Outcome()
    if len(first) < ALONE or many == 1:
        player = Player(task, policies)
        whole.add(player.play(first))
        while chunk := list(islice(rows, CHUNK)):
            whole.add(player.play(chunk))
        return in_order(whole)
    ahead: deque[Future[Outcome]] = deque()
    with ProcessPoolExecutor(many, get_context("spawn"), Process.begin, (task,)) as pool:
        for chunk in chunks(first, rows):
            ahead.append(pool.submit(Process.play, chunk))
            if len(ahead) >= many * WAITING:
                whole.add(ahead.popleft().result())
        for each in ahead:
            whole.add(each.result())
    return in_order(whole)


def in_order(outcome: Outcome) -> Outcome:
    """With its firings in the order of time."""
    for some in (outcome.firings, outcome.unsure, outcome.otherwise):
        some.sort(key=lambda each: (each.at, each.account, by_number(each.ticket)))
    return outcome


def by_number(ticket: str) -> tuple[int, str]:
    """What a ticket's id is sorted by: a number where it is one, texts before all numbers."""
    return (int(ticket) if ticket.isdecimal() else -1, ticket)


def chunks(first: list[Row], rest: Iterator[Row]) -> Iterator[list[Row]]:
    """All rows, so many at a time."""
    every = iter(first)
    while chunk := list(islice(every, CHUNK)):
        yield chunk
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


# --- what is said of it ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What would have landed on one owner or person: firings, how many in their fullest hour, when that was, and how
    many in each hour of the day, by local time."""

    who: str
    firings: int
    most: int
    busiest: Instant
    by_hour: tuple[int, ...]


def loads(landed: Iterable[tuple[str, Instant]], timezone: tzinfo = UTC) -> tuple[Load, ...]:
    """By who has what landed on them, whoever has most first."""
    by_who = dict[str, list[Instant]]()
    for who, at in landed:
        by_who.setdefault(who, []).append(at)
    found = []
    for who, times in by_who.items():
        hours = Counter(at // 3600 * 3600 for at in times)
        busiest, most = max(hours.items(), key=lambda each: (each[1], -each[0]))
        days = Counter(hour_of_week(at, timezone)[1] for at in times)
        by_hour = tuple(days[hour] for hour in range(24))
        found.append(Load(who=who, firings=len(times), most=most, busiest=busiest, by_hour=by_hour))
    return tuple(sorted(found, key=lambda each: (-each.firings, each.who)))


def heat(firings: Iterable[Firing], timezone: tzinfo = UTC) -> tuple[tuple[int, ...], ...]:
    """Firings by weekday and hour."""
    counted = Counter(hour_of_week(each.at, timezone) for each in firings)
    return tuple(tuple(counted[day, hour] for hour in range(24)) for day in range(7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A level that is not passed on this ticket alike in both versions: so, then, for this owner, given to these."""

    account: str
    ticket: str
    policy: str
    level: str
    before: Firing | None
    after: Firing | None

    @property
    def how(self) -> str:
        """In words."""
        was, now = (each.how if each else "" for each in (self.before, self.after))
        if was != now and {was, now} - {"", How.FIRED}:
            return f"was {was or 'not reached'} and is {now or 'not reached'}"
        if self.before is None:
            return "only in the new version"
        if self.after is None:
            return "only in the other"
        later = self.after.at - self.before.at
        words = [] if later == 0 else ["later" if later > 0 else "earlier"]
        if self.before.owner != self.after.owner:
            words.append("for somebody else")
        elif self.before.to != self.after.to:
            words.append("given otherwise")
        return ", ".join(words)


def differences(before: Outcome, after: Outcome) -> tuple[Moved, ...]:
    """Ticket by ticket, what is not the same. A level that is passed several times on a ticket is compared in order."""

    def numbered(outcome: Outcome) -> Mapping[tuple[tuple[str, str, str, str], int], Firing]:
        seen: Counter[tuple[str, str, str, str]] = Counter()
        made = {}
        for each in sorted((*outcome.firings, *outcome.otherwise), key=lambda each: each.at):
            made[each.key, seen[each.key]] = each
            seen[each.key] += 1
        return made

    old, new = numbered(before), numbered(after)
    found = []
    for name in dict.fromkeys((*new, *old)):
        was, now = old.get(name), new.get(name)
        if was is None or now is None or passed_so(was) != passed_so(now):
            account, ticket, policy, level = name[0]
            found.append(
                Moved(account=account, ticket=ticket, policy=policy, level=level, before=was, after=now)
            )
    return tuple(
        sorted(found, key=lambda each: (each.account, by_number(each.ticket), each.policy, each.level))
    )


def passed_so(one: Firing) -> tuple[str, Instant, str, str]:
    """What two versions are compared by."""
    return one.how, one.at, one.owner, one.to
