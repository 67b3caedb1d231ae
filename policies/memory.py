"""What a policy remembers of a ticket between two looks: standings, episodes, passed levels, owners."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from policies.model import Instant, Value


class How(StrEnum):
    """How a level was passed (rule 3)."""

    FIRED = "fired"
    OVERTAKEN = "overtaken"
    OBSERVED = "observed"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who answers for an escalation. `kind` is `name` when the directory knows neither group nor person."""

    name: str
    kind: Literal["group", "person", "name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A level that will never fire again in this episode. `due` is when it was due, `at` when passed, `why` says in
    words what made it fire."""

    level: str
    how: How
    at: Instant
    due: Instant | None = None
    owner: Owner | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """The level whose first write has no outcome yet. Nothing counts from it (rule 3)."""

    level: str
    at: Instant
    due: Instant
    overtaken: tuple[str, ...] = ()
    owner: Owner
    why: str = ""


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
    says that its SLA target was seen achieved. `seen` is the sequence of the newest fact that is older than
    the episode, `stops_after` of the newest that is too old to stop it. `inherits` are the episodes whose
    writes it took over after an acknowledgement (rule 4).
    `snoozed_until`, `pushed` (a level to fire whatever the clock says), `awaiting` and `approved` (levels that
    need approval) and `undoing` (how often restoring was tried) are what people ordered (`policies.orders`).
    `asked` are the fields it last wanted written (`tags:NAME` for a tag): of a write that it shares with
    other policies, only these are its own.
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
    seen: int = -1
    stops_after: int = -1
    inherits: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    snoozed_until: Instant | None = None
    pushed: str | None = None
    pushed_because: str = ""
    awaiting: str | None = None
    approved: frozenset[str] = frozenset()
    undoing: int = 0
    undone_because: str = ""


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
    clock restarts (rule 4); `behind` are the levels a later episode on the same deadline starts behind.
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
