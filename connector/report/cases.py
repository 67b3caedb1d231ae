"""What a report knows: the days that it covers, and of each ticket what its facts, episodes and writes tell.
Values only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies.language.policy import Policy, PolicySet
from policies.language.vocabulary import ACTIONS
from policies.model import Directory, Instant, Metric, Satisfaction, Seconds, TicketRef
from policies.rules.calendars import Calendar, day_end

Stretch = tuple[Instant, Instant]
Standing = Literal["achieved", "breached", "open", "paused", "untold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """A change of a ticket's group, ours or a person's. `taken_up` is the first act of a member of the receiving group
    before the ticket went elsewhere, and a customer waited in the stretches of `waiting` until then; `gone_on` says
    that it went elsewhere first, `unknown` that nobody knows who is in the group."""

    group: str
    at: Instant
    taken_up: Instant | None = None
    gone_on: bool = False
    unknown: bool = False
    waiting: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A level that fired, or was observed. `acted` is when the helpdesk had its first write, or `at` where it had
    none. `acknowledged` is the first acknowledgement before the next level. `untimed` says why its lateness is not
    Uptier's; empty if it is."""

    level: str
    at: Instant
    acted: Instant
    due: Instant | None
    observed: bool
    only_notifies: bool
    ordered: bool
    acknowledged: Instant | None
    waits: bool
    untimed: str
    hand_off: HandOff | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """One episode in which a level fired or was observed. `needed` is when its policy first held. `top` says whether
    the policy's last level was among the steps, None where the policy is no longer known. `declined` says that a
    person rejected a level, or de-escalated before anybody had acknowledged; `because` is the reason they gave.
    `answered` says that an agent's reply ended it."""

    policy: str
    clock: str
    needed: Instant
    steps: tuple[Step, ...]
    ended: Instant | None
    reason: str
    top: bool | None
    declined: bool
    because: str
    refused: tuple[Instant, ...]
    missed: int
    answered: bool = False

    @property
    def raised(self) -> tuple[Step, ...]:
        """The levels that did something to the ticket; one that only tells a channel escalates nothing."""
        return tuple(each for each in self.steps if not each.only_notifies)

    @property
    def at(self) -> Instant:
        """When the first of `raised` fired; there must be one."""
        return self.raised[0].at


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """An SLA target and what became of it. `met` is when it was fulfilled."""

    metric: Metric
    stands: Standing
    start: Instant | None
    due: Instant | None
    met: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solving:
    """The ticket was solved at `at`. `reopened` is when a person first reopened it after that; `again` says that it
    was then solved without a further reply by an agent. `replies` counts those up to the end of the window."""

    at: Instant
    reopened: Instant | None
    again: bool
    replies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Changes from one group to another, by who made them; whether people, or anybody, moved it back."""

    people: int = 0
    ours: int = 0
    automation: int = 0
    back_by_people: bool = False
    back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The unsolved time of a ticket in one group, from `start`; `first_act` is an agent's."""

    group: str
    start: Instant
    seconds: int
    first_act: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One ticket. `told` says whether its messages and changes were loaded: what follows it is empty otherwise.

    `handed` are the moves by people from one group to another. `rating_loaded` says whether the helpdesk was asked for
    a rating. `solving_untold` says that it is solved and nobody tells since when. `cause` is the value of the custom
    field `cause`, if that is mapped and filled.
    """

    ref: TicketRef
    created: Instant
    group: str
    is_open: bool
    told: bool
    gone: bool
    cause: str | None
    rating: Satisfaction | None
    rating_loaded: bool
    escalations: tuple[Escalation, ...]
    promises: tuple[Promise, ...] = ()
    first_reply: Instant | None = None
    solvings: tuple[Solving, ...] = ()
    solving_untold: bool = False
    solved: Instant | None = None
    moves: Moves = Moves()
    handed: tuple[HandOff, ...] = ()
    stays: tuple[Stay, ...] = ()
    paused: tuple[Stretch, ...] = ()
    paused_waiting: tuple[Stretch, ...] = ()


Grain = Literal["day", "week", "month"]

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Local dates, both inclusive. `begin` is the first instant of `first`, `end` the first after `last`."""

    first: date
    last: date
    timezone: tzinfo
    begin: Instant = field(init=False)
    end: Instant = field(init=False)

    def __post_init__(self) -> None:
        # reckoned once: every figure asks for them about every ticket
        object.__setattr__(self, "begin", day_end(self.first - ONE_DAY, self.timezone))
        object.__setattr__(self, "end", day_end(self.last, self.timezone))

    @classmethod
    def ending(cls, now: Instant, seconds: Seconds, timezone: tzinfo) -> "Period":
        """The window of so many seconds that ends with `now`, which is in it; its dates are those it touches."""
        begin = now + 1 - seconds
        first, last = (datetime.fromtimestamp(each, timezone).date() for each in (begin, now))
        made = cls(first=first, last=last, timezone=timezone)
        object.__setattr__(made, "begin", begin)
        object.__setattr__(made, "end", now + 1)
        return made

    @property
    def name(self) -> str:
        """`2026-03-01 to 2026-03-31 (Europe/Vienna)`."""
        return f"{self.first} to {self.last} ({self.timezone})"


def zone_asked(text: str) -> tzinfo:
    """The timezone of this name. ValueError if there is none."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'{text!r} is no timezone; write a place, for example "Europe/Vienna"') from None


def period_asked(first: str, last: str, timezone: tzinfo) -> Period:
    """The period from one ISO date to another. ValueError says what is wrong."""
    period = Period(first=day_asked("--from", first), last=day_asked("--to", last), timezone=timezone)
    if period.last < period.first:
        raise ValueError(f"the period ends on {last}, before it begins on {first}")
    return period


IF_NOT_SAID = 30
"""Days of a period whose first day nobody named."""


def lately(first: str | None, last: str | None, timezone: tzinfo, now: Instant) -> Period:
    """As `period_asked`; up to today, and of so many days, as far as it is not said."""
    until = last or datetime.fromtimestamp(now, timezone).date().isoformat()
    since = day_asked("--to", until) - (IF_NOT_SAID - 1) * ONE_DAY
    return period_asked(first or since.isoformat(), until, timezone)


def day_asked(option: str, text: str) -> date:
    """An ISO date. ValueError names the option."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{option}: {text!r} is no date; write for example "2026-03-31"') from None
    if not 1990 <= day.year <= 2099:
        raise ValueError(f"{option}: {text} is too far away; years from 1990 to 2099 are understood")
    return day


def grain_of(period: Period) -> Grain:
    """Days up to a month, weeks up to half a year, else months."""
    days = (period.last - period.first).days + 1
    return "day" if days <= 31 else "week" if days <= 184 else "month"


def parts(period: Period, grain: Grain) -> Iterator[Period]:
    """The period in days, weeks (from Monday) or calendar months; the first and last may be cut short."""
    first = period.first
    while first <= period.last:
        last = min(last_day(first, grain), period.last)
        yield Period(first=first, last=last, timezone=period.timezone)
        first = last + ONE_DAY


def last_day(day: date, grain: Grain) -> date:
    """The last day of the day, week or month that this day is in."""
    if grain == "day":
        return day
    if grain == "week":
        return day + timedelta(days=6 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY


def hour_of_week(at: Instant, timezone: tzinfo) -> tuple[int, int]:
    """The local weekday (0 is Monday) and hour of an instant."""
    local = datetime.fromtimestamp(at, timezone)
    return local.weekday(), local.hour


WINDOW: Seconds = 7 * 86_400
"""How long after a solving a reopening counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`business` is the calendar of business times, None without one. `window` is how long, in
    seconds, a reopening counts."""

    period: Period
    now: Instant
    policies: PolicySet
    calendars: Mapping[str, Calendar]
    business: Calendar | None = None
    window: Seconds = WINDOW

    def policy(self, name: str) -> Policy | None:
        """The policy of this name as it is now; None if it was removed or renamed."""
        return next((each for each in self.policies.policies if each.name == name), None)

    def only_notifies(self, policy: str, level: str) -> bool:
        """Whether the level, as it is written now, does nothing but tell a channel. Such a level is no escalation."""
        known = self.policy(policy)
        found = next((each for each in known.levels if each.name == level), None) if known else None
        if found is None:
            return False
        return all(
            each.owner is None and not any(getattr(each, key) for key in ACTIONS if key != "notify")
            for each in found.variants
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Groups of one account: names by id, and the ids of each group's members; both empty if never read."""

    names: Mapping[str, str]
    members: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, directory: Directory | None) -> "People":
        """The groups as the directory tells them."""
        if directory is None:
            return cls(names={}, members={})
        members = {
            group.id: frozenset(each.person.id for each in directory.agents if group.id in each.groups)
            for group in directory.groups
        }
        return cls(names={group.id: group.name for group in directory.groups}, members=members)

    def name(self, group: object) -> str:
        """The group's name; its id where nobody knows the name."""
        return "no group" if group is None else self.names.get(str(group), str(group))
