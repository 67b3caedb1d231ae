"""What a policy remembers of a ticket between two looks: standings, episodes, passed levels, owners."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal, TypeVar

from policies.model import Instant, Seconds, Value, Wanted


class How(StrEnum):
    """How a level was passed (rule 3)."""

    FIRED = "fired"
    OVERTAKEN = "overtaken"
    OBSERVED = "observed"
    SKIPPED = "skipped"
    REFUSED = "refused"
    REJECTED = "rejected"


FIRED = frozenset({How.FIRED, How.OBSERVED})
"""What a person can acknowledge (rule 10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who answers for an escalation. `kind` is `name` when the directory knows neither group nor person."""

    name: str
    kind: Literal["group", "person", "name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What made a level fire, as values: what its `clock` had counted, or the deadline that is `due`, in the time zone
    `zone`, against the level's `limit` (`at` is a share of the time to the deadline, in percent, `on` a time of the
    week). One that counts `since` the level before has not its clock. `ordered` is what was said by who pushed it.
    `conditions` are the tests that held, each as field, operator and what was wanted; `late` says that they came to
    hold when the level's time was over already."""

    clock: str
    limit: tuple[Literal["at", "before", "after", "on"], Seconds]
    elapsed: Seconds | None = None
    due: Instant | None = None
    zone: str = "UTC"
    since: str = ""
    ordered: str = ""
    conditions: tuple[tuple[str, str, Wanted], ...] = ()
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A level that will never fire again in this episode. `due` is when it was due, `at` when passed, `why` what made
    it fire, or what a person said who kept it from firing."""

    level: str
    how: How
    at: Instant
    due: Instant | None = None
    owner: Owner | None = None
    why: Cause | str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """The level whose first write has no outcome yet. Nothing counts from it (rule 3).

    `seen` is the sequence of the newest fact that its look had read; `instead` says that it acts as in closed hours,
    `owes` what it leaves out for now.
    """

    level: str
    at: Instant
    due: Instant
    overtaken: tuple[str, ...] = ()
    owner: Owner
    why: Cause | str = ""
    seen: int = -1
    instead: bool = False
    owes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What the level passed last has left out because a line of `unless` could not be read (rule 8): `parts` are the
    words of a level (`assign`, `reply`, `set`, …), of what it does in closed hours if `instead`. `sent` says that it is
    being made up for."""

    level: str
    parts: frozenset[str]
    instead: bool = False
    sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """One field that an episode wrote over: what stood there before, and the vendor's fact that did it."""

    field: str
    before: Value
    after: Value
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One run of one policy on one ticket.

    `clock` is the policy's clock when it was last looked at, `clock_start` what levels count from. `achieved`
    says that its SLA target was seen achieved; `wait` is the sequence of the customer message that a target without a
    start belongs to. `seen` is the sequence of the newest fact that is older than the episode, `stops_after` of the
    newest that is too old to stop it. `before` says how many of `passed` it began behind. `inherits` are the episodes
    whose writes it took over (rules 4 and 12).
    `heard` is the sequence of the newest fact that the look had read at which its first level fired or was observed;
    `told` says that something was written to the helpdesk then. Who acts after that acknowledges (rule 10).
    `snoozed_until` (kept by the standing, and shown here), `pushed` (a level to fire whatever the clock says),
    `pushed_by` (who did), `awaiting` (the level that waits for approval), `asked_for` (all that have asked),
    `approved` and `undoing` (how often restoring was tried) are what people ordered (`policies.rules.orders`).
    `asking` is the level whose question has no outcome yet, `lapsing` one that nobody approved in time, while who
    is told of it has not been; `asked_at` is when it was asked for last, `asked_before` the time before that,
    `asked_times` how often; `approver` who was asked, `approvers` by what names they and who stands in for them may
    go, empty where everybody may decide. `said_before` is when the level was said last before a repeat that has
    none. `asked` are the fields it last wanted written (`tags:NAME` for a tag): of a write that it shares with
    other policies, only these are its own. `undone` is the key of the undo that took it back, of several the last.
    """

    key: str
    policy: str
    number: int
    started: Instant
    clock_start: Instant | None
    passed: tuple[Passed, ...] = ()
    under_way: UnderWay | None = None
    owner: Owner | None = None
    acknowledged: Instant | None = None
    acknowledged_by: str | None = None
    wrote: tuple[Wrote, ...] = ()
    matching_since: Instant | None = None
    repeated: int = 0
    last_sent: Instant | None = None
    ended: Instant | None = None
    reason: str | None = None
    policy_hash: str = ""
    clock: str = ""
    achieved: bool = False
    wait: int | None = None
    seen: int = -1
    stops_after: int = -1
    before: int = 0
    heard: int | None = None
    told: bool = False
    inherits: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    snoozed_until: Instant | None = None
    pushed: str | None = None
    pushed_because: str = ""
    pushed_by: str = ""
    awaiting: str | None = None
    asked_for: frozenset[str] = frozenset()
    asked_at: Instant | None = None
    asked_before: Instant | None = None
    asked_times: int = 0
    approvers: frozenset[str] = frozenset()
    approver: str = ""
    lapsing: str | None = None
    asking: str | None = None
    said_before: Instant | None = None
    approved: frozenset[str] = frozenset()
    owes: Owed | None = None
    undoing: int = 0
    undone_because: str = ""
    undone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """An undo under way: `of` has all that it takes back as the writes of one episode, `tries` counts the writes that
    came to an end for it, `because` says who ordered it and why."""

    key: str
    of: Episode
    because: str
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Who owns the ticket by the latest passing of one policy. What was only observed never outranks."""

    owner: Owner
    at: Instant
    enforced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that one policy has to remember of one ticket between two looks.

    `looked` is false until the first look, and again once the ticket is gone; `seen` is the sequence of the
    newest fact at the last look. `matched` is whether `when`
    held at the last look. `ownership` outlives its episode. `acknowledged` outlives the episode until the
    clock restarts (rule 4); `behind` are the levels that a later episode on the same clock starts behind.
    `snoozed_until` is the ticket's, the same in all its standings. `touched` is the newest change by anybody but us,
    on a helpdesk that does not tell who made it. `undo` is what is being taken back; `undone` says that nothing of the
    policy fires again by itself before `when` was false.
    """

    policy: str
    looked: bool = False
    seen: int = -1
    matched: bool = False
    episodes: int = 0
    episode: Episode | None = None
    acknowledged: Instant | None = None
    acknowledged_clock: Instant | None = None
    behind: tuple[Passed, ...] = ()
    ownership: Ownership | None = None
    snoozed_until: Instant | None = None
    touched: Instant | None = None
    undo: Undo | None = None
    undone: bool = False

    @property
    def running(self) -> Episode | None:
        """The running episode, if there is one."""
        return self.episode if self.episode is not None and self.episode.ended is None else None


Remembered = TypeVar("Remembered", Standing, Episode)


def changed(remembered: Remembered, **fields: Any) -> Remembered:
    """The memory with these fields; itself where they hold already, as they do at most looks."""
    for name, value in fields.items():
        if getattr(remembered, name) != value:
            return replace(remembered, **fields)
    return remembered


def latest_passed(episode: Episode) -> Passed | None:
    """The level that was passed last, those that were merely overtaken aside."""
    passed = (each for each in reversed(episode.passed) if each.how is not How.OVERTAKEN)
    return next(passed, None)
