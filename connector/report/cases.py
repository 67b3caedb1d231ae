"""What a report knows of one ticket, drawn from its facts, episodes and writes. Values only."""

from dataclasses import dataclass
from typing import Literal

from policies.model import Instant, Metric, Satisfaction, TicketRef

Stretch = tuple[Instant, Instant]
Standing = Literal["achieved", "breached", "open", "paused", "untold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """Our change of a ticket's group. `taken_up` is the first act of a member of the receiving group before the
    ticket went elsewhere; `gone_on` says that it did so first, `unknown` that nobody knows who is in the group."""

    group: str
    at: Instant
    taken_up: Instant | None = None
    gone_on: bool = False
    unknown: bool = False


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
    person rejected a level, or de-escalated before anybody had acknowledged; `because` is the reason they gave."""

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

    `rating_loaded` says whether the helpdesk was asked for a rating. `solving_untold` says that it is solved and
    nobody tells since when. `cause` is the value of the custom field `cause`, if that is mapped and filled.
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
    stays: tuple[Stay, ...] = ()
    paused: tuple[Stretch, ...] = ()
    paused_waiting: tuple[Stretch, ...] = ()
