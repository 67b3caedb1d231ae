"""What a look at a ticket is made from, and what it comes to before any level is considered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from policies.history import History, Sight
from policies.language.clocks import CLOCKS, PAUSES_READ, Reading, veiled
from policies.language.policy import Policy, PolicySet
from policies.model import Directory, Instant, Order, Ticket
from policies.plan import Action, LeftOut, LineTrace, Occurrence
from policies.rules.calendars import ALWAYS, Calendar
from policies.rules.clocks import deadline
from policies.rules.own_writes import as_before, keys_of
from policies.state import Episode, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`when` says whether all its lines hold, `excluded` whether a line of `unless` does. Either is None where that
    hangs on what the helpdesk does not show (rule 8)."""

    when: bool | None
    excluded: bool | None
    lines: tuple[LineTrace, ...]

    @property
    def holds(self) -> bool:
        """What the rules mean by "`when` holds". An `unless` that cannot be read does not exclude."""
        return self.when is True and self.excluded is not True

    @property
    def unknown(self) -> bool:
        """Whether nobody can tell: then no episode begins or ends by it, and nothing fires."""
        return self.when is None and self.excluded is not True


def judged(policy: Policy, ticket: Ticket) -> Verdict:
    """Every line, also those behind a failed one: the trace shows them all."""
    when, when_lines = policy.when.all_hold(ticket)
    excluded, unless_lines = policy.unless.any_holds(ticket)
    return Verdict(when=when, excluded=excluded, lines=(*when_lines, *unless_lines))


def could_hold(policy: Policy, snapshot: Ticket) -> bool:
    """False only if the policy cannot match this row whatever else is loaded and shown."""
    if not policy.when.maybe(snapshot):
        return False
    return not policy.unless.certainly_excludes(snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a plan is made from, standings aside. `first_ran` says since when a policy has been running on
    the ticket's account; a policy it does not name runs for the first time now. `snoozed_until` holds for the ticket,
    whatever ends or begins meanwhile."""

    ticket: Ticket
    policies: PolicySet
    directory: Directory
    calendars: Mapping[str, Calendar]
    now: Instant
    first_ran: Mapping[str, Instant] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    snoozed_until: Instant | None = None

    @property
    def is_snoozed(self) -> bool:
        """Whether a person asked for quiet until later."""
        return self.snoozed_until is not None and self.now < self.snoozed_until

    def calendar(self, policy: Policy) -> Calendar:
        """What the policy counts on."""
        return ALWAYS if policy.calendar is None else self.calendars[policy.calendar]

    def history(self, policy: Policy) -> History:
        """What happened to the ticket, as the policy counts replies and acknowledgements."""
        return History.of(
            self.ticket,
            policy.counts_as_reply,
            policy.acknowledge_tags,
            assignment_acknowledges=self.ticket.ref.account not in self.policies.assigned_by_automation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the look came to, before any level is considered. `ticket` is as the policy sees it.

    `restores` are what takes the episode's writes back, once a person has ordered it; `left_out` what cannot be taken
    back. `first` says that the policy sees the ticket for the first time; `begun` that its episode began just now, and
    `enforced` that it did so because the policy was switched to enforce.
    """

    policy: Policy
    standing: Standing
    ticket: Ticket
    history: History
    verdict: Verdict
    reading: Reading
    first: bool
    begun: bool = False
    ended: tuple[Episode, ...] = ()
    said: tuple[Occurrence, ...] = ()
    restores: tuple[Action, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    enforced: bool = False


def seen_by(
    scene: Scene, policy: Policy, standing: Standing, history: History, episode: Episode | None
) -> tuple[Sight, Reading]:
    """What the policy sees while this episode runs, or has been the last: its own writes hidden."""
    ticket = scene.ticket
    if episode is not None and episode.ended is None:
        ticket = as_before(ticket, history, episode, scene.directory)
    sight = Sight(
        ticket=ticket,
        history=history,
        own=keys_of(episode) if episode else frozenset(),
        wrote=episode.wrote if episode else (),
        matching_since=kept_matching(policy, standing),
        touched=standing.touched,
    )
    return sight, read(scene, policy, sight)


def kept_matching(policy: Policy, standing: Standing) -> Instant | None:
    """Since when `when` has held without a break, as far as it was seen."""
    episode = standing.episode
    if policy.clock != "matching" or episode is None or not standing.matched:
        return None
    return episode.matching_since


def read(scene: Scene, policy: Policy, sight: Sight) -> Reading:
    """The policy's clock as this sight shows it. One that reads what the helpdesk does not show is absent (rule 8)."""
    clock = CLOCKS[policy.clock]
    names = clock.reads | (PAUSES_READ if policy.pause_on else frozenset())
    if scene.ticket.hidden and (hidden := veiled(scene.ticket, names)):
        return hidden
    if clock.metric is not None:
        return deadline(clock, sight, scene.policies.slas, scene.calendars, scene.now)
    return clock.start(sight)


Made = TypeVar("Made")
With = ParamSpec("With")


class PolicyRaised(Exception):
    """A policy raised in the midst of a look; the cause tells what."""

    def __init__(self, policy: str) -> None:
        super().__init__(policy)
        self.policy = policy


def of(policy: Policy, make: Callable[With, Made], *args: With.args, **more: With.kwargs) -> Made:
    """What one policy comes to. Everything is caught here, and nowhere else in `policies`: a fault that nobody has
    foreseen must not keep the other policies of a ticket from escalating it. Raises PolicyRaised."""
    try:
        return make(*args, **more)
    except Exception as error:
        raise PolicyRaised(policy.name) from error
