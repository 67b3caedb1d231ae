"""What a plan is made from, and what each policy observes: its conditions and its clock (rules 1, 2 and 8), its own
writes hidden; and all that it reads, for `uptier doctor`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from policies.history import History, Sight
from policies.language.clocks import CLOCKS, PAUSES_READ, Clock, Reading, customer_waiting, veiled
from policies.language.conditions import Condition
from policies.language.policy import Level, Policy, PolicySet, SlaSpec
from policies.language.vocabulary import STOPS
from policies.model import Directory, Instant, Metric, Order, Phrase, Stage, Target, Ticket
from policies.plan import Action, LeftOut, Occurrence
from policies.rules.assignment import assignment_reads
from policies.rules.calendars import ALWAYS, Calendar
from policies.rules.own_writes import as_before, keys_of
from policies.state import Episode, Standing, changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`when` says whether all its lines hold, `excluded` whether a line of `unless` does; either is None where that
    hangs on what the helpdesk does not show (rule 8). `by` is the line that decided against the policy: no line behind
    it was judged, nor `unless` where `when` fails."""

    when: bool | None
    excluded: bool | None
    by: Condition | None = None

    @property
    def holds(self) -> bool:
        """What the rules mean by "`when` holds". An `unless` that cannot be read does not exclude."""
        return self.when is True and self.excluded is not True

    @property
    def unknown(self) -> bool:
        """Whether nobody can tell: then no episode begins or ends by it, and nothing fires."""
        return self.when is None and self.excluded is not True


def verdict_of(policy: Policy, ticket: Ticket) -> Verdict:
    """The lines in order, up to the first that decides against the policy."""
    when, failed = policy.when.decided(ticket, by=False)
    if failed is not None:
        return Verdict(when=when, excluded=False, by=failed)
    excluded, hit = policy.unless.decided(ticket, by=True)
    return Verdict(when=when, excluded=excluded, by=hit)


def could_hold(policy: Policy, snapshot: Ticket) -> bool:
    """False only if the policy cannot match this row whatever else is loaded and shown."""
    for line in policy.when.lines:
        simple = not (line.needs or line.inner or snapshot.hidden)  # most lines of most rows of a census
        if (line.holds(snapshot) if simple else line.on_row(snapshot)) is False:
            return False
    return not (policy.unless.lines and any(line.on_row(snapshot) for line in policy.unless.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a plan is made from, what is remembered aside. `first_ran` says since when a policy has been running on
    the ticket's account; a policy it does not name runs for the first time now. `snoozed_until` holds for the ticket,
    whatever ends or begins meanwhile. `past` are the episodes and undos that orders to undo may mean; while
    `taking_back`, no level does anything. `exclusive` is the running episode beside which no other policy replies,
    assigns or sets fields (rule 6). `histories` are what happened to it, once for all policies
    that count replies and acknowledgements alike."""

    ticket: Ticket
    policies: PolicySet
    directory: Directory
    calendars: Mapping[str, Calendar]
    now: Instant
    first_ran: Mapping[str, Instant] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    past: tuple[Episode, ...] = ()
    taking_back: bool = False
    snoozed_until: Instant | None = None
    exclusive: Episode | None = None
    histories: dict[tuple[frozenset[str], frozenset[str]], History] = field(
        default_factory=dict, compare=False
    )

    @property
    def is_snoozed(self) -> bool:
        """Whether a person asked for quiet until later."""
        return self.snoozed_until is not None and self.now < self.snoozed_until

    def enforces(self, policy: Policy) -> bool:
        """Whether the policy acts on this ticket, or only observes it."""
        return self.policies.mode(policy, self.ticket.ref.account) == "enforce"


UNREAD = Reading(why_absent=Phrase("nothing hangs on it"))
"""The clock of a policy that is refused by its conditions, and remembers nothing that the clock could change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one policy sees and remembers, before any level is considered. `ticket` is as the policy sees it; `before`
    is what it remembered when the look began, `state` what it does by now.

    `restores` are what takes the episode's writes back, once a person has ordered it; `left_out` what cannot be taken
    back. `begun` says that the episode began just now, and `enforced` that it did so because the policy was switched to
    enforce. `said` are the lines for the ledger.
    """

    policy: Policy
    before: Standing
    state: Standing
    ticket: Ticket
    history: History
    verdict: Verdict
    reading: Reading
    begun: bool = False
    ended: tuple[Episode, ...] = ()
    said: tuple[Occurrence, ...] = ()
    restores: tuple[Action, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    enforced: bool = False


def observe(scene: Scene, policy: Policy, before: Standing) -> Observation:
    """Look at the ticket with what is remembered of it. The clock of a policy that does not match is read only where
    what is remembered hangs on it."""
    ways = policy.counts_as_reply, policy.acknowledge_tags
    history = scene.histories.get(ways)
    if history is None:
        takes = scene.ticket.ref.account not in scene.policies.assigned_by_automation
        history = History.of(scene.ticket, *ways, assignment_acknowledges=takes)
        scene.histories[ways] = history
    touched = max((at for at in (before.touched, scene.ticket.touched) if at is not None), default=None)
    before = changed(before, touched=touched)
    running, ticket = before.running, scene.ticket
    if running is not None and running.wrote:
        ticket = as_before(ticket, history, running, scene.directory)
    verdict = verdict_of(policy, ticket)
    hangs = verdict.holds or verdict.unknown or running is not None
    if not hangs and before.episode is not None:
        # An acknowledgement is forgotten once the clock restarts, and a target may have been achieved.
        acknowledged = (before.acknowledged, before.acknowledged_clock) != (None, None)
        hangs = policy.on_deadline or acknowledged or bool(before.behind)
    reading = read_clock(scene, policy, ticket, history, before, before.episode) if hangs else UNREAD
    return Observation(
        policy=policy,
        before=before,
        state=before,
        ticket=ticket,
        history=history,
        verdict=verdict,
        reading=reading,
    )


def read_clock(
    scene: Scene,
    policy: Policy,
    ticket: Ticket,
    history: History,
    state: Standing,
    episode: Episode | None,
) -> Reading:
    """The policy's clock on this ticket, to which the writes of this episode are not seen. One that reads what the
    helpdesk does not show is absent (rule 8)."""
    clock = CLOCKS[policy.clock]
    names = clock.reads | (PAUSES_READ if policy.pause_on else frozenset())
    if ticket.hidden and (hidden := veiled(ticket, names)):
        return hidden
    last = state.episode
    sight = Sight(
        ticket=ticket,
        history=history,
        own=keys_of(episode) if episode is not None and episode.wrote else frozenset(),
        wrote=episode.wrote if episode is not None else (),
        matching_since=last.matching_since
        if policy.clock == "matching" and last is not None and state.matched
        else None,
        touched=state.touched,
    )
    if clock.metric is not None:
        return deadline(clock, sight, scene.policies.slas, scene.calendars, scene.now)
    return clock.start(sight)


READ_AGAIN = (15, 30, 60)
"""Seconds after a write at which a target that was null is read again."""


def deadline(
    clock: Clock, sight: Sight, slas: tuple[SlaSpec, ...], calendars: Mapping[str, Calendar], now: Instant
) -> Reading:
    """The deadline that this clock measures. The vendor's own target wins, also when it is achieved."""
    metric = clock.metric
    targets = [each for each in sight.ticket.targets if each.metric is metric]
    if targets:
        return from_vendor(the_one(targets), sight, now)
    serving = (each for each in slas if each.serves(sight.ticket.ref.account) and metric in each.targets)
    sla = next(serving, None)
    if sla is None:
        return Reading(why_absent=Phrase("there is no {} target", (metric,)))
    return from_table(clock, sight, sla, calendars)


def the_one(targets: list[Target]) -> Target:
    """Of several targets of one metric, the active one that is due first, else the last told."""
    active = [each for each in targets if each.stage is Stage.ACTIVE and each.due is not None]
    return min(active, key=lambda each: each.due or 0) if active else targets[-1]


def from_vendor(target: Target, sight: Sight, now: Instant) -> Reading:
    """The helpdesk's target. One that is not known yet is read again a little after the write that hid it. A target
    for the next reply belongs to the message that began the present wait."""
    metric, updated = target.metric, sight.ticket.updated
    if target.stage is Stage.ACTIVE and target.due is not None:
        wait = customer_waiting(sight).sequence if metric is Metric.NEXT_REPLY else None
        because = Phrase("the {} target was set", (metric,))
        return Reading(start=target.start, due=target.due, because=because, wait=wait)
    if target.stage is Stage.PAUSED:
        return Reading(why_absent=Phrase("the {} target is paused", (metric,)))
    if target.stage is Stage.ACHIEVED:
        return Reading(why_absent=Phrase("the {} target is achieved", (metric,)), achieved=True)
    again = next((updated + wait for wait in READ_AGAIN if updated + wait > now), None)
    absent = Phrase("the helpdesk does not tell the {} target now", (metric,))
    return Reading(why_absent=absent, look_again=again)


def from_table(clock: Clock, sight: Sight, sla: SlaSpec, calendars: Mapping[str, Calendar]) -> Reading:
    """The target of an `[sla]` table, for the ticket's priority."""
    if hidden := veiled(sight.ticket, clock.table_reads):
        return hidden
    started = clock.start(sight)
    if started.why_absent is not None or started.start is None:
        return started
    priority = sight.ticket.priority
    if priority is None:
        return Reading(why_absent=Phrase("the ticket has no priority, so no target"))
    span = sla.targets.get(clock.name, {}).get(priority)
    if span is None:
        lacks = "sla.{} has no {} target for priority {}"
        return Reading(why_absent=Phrase(lacks, (sla.name, clock.name, priority)))
    calendar = ALWAYS if sla.calendar is None else calendars[sla.calendar]
    due = calendar.add(started.start, span)
    return Reading(start=started.start, sequence=started.sequence, because=started.because, due=due)


KNOWN_ANYWAY = frozenset({"account", "assignee_away"})
"""What Uptier itself tells."""


def reads_of(policies: PolicySet, account: str) -> frozenset[str]:
    """What of a ticket the policies that serve this account read and write, in the words of `Ticket.hidden`: `uptier
    doctor` names what our user cannot see of it."""
    found = frozenset[str]()
    for policy in policies.serving(account):
        variants = (variant for level in policy.levels for variant in level.variants)
        found = found.union(decided_by(policy, policies, account), *map(level_reads, variants))
    return found - KNOWN_ANYWAY


def decided_by(policy: Policy, policies: PolicySet, account: str) -> frozenset[str]:
    """What a policy reads of a ticket before any level of it acts."""
    clock = CLOCKS[policy.clock]
    found = clock.reads | (PAUSES_READ if policy.pause_on else frozenset())
    found |= {"tags"} if policy.acknowledge_tags else set()
    if any(each.serves(account) and policy.clock in each.targets for each in policies.slas):
        found |= clock.table_reads
    lines = (*policy.when.lines, *policy.unless.lines)
    return found.union(
        *(line.every_read() for line in lines), *(STOPS[word].reads for word in policy.stop_on)
    )


def level_reads(level: Level) -> frozenset[str]:
    """What a level reads in order to act, and the fields it writes."""
    assigns = assignment_reads(level.assign) | {"group", "assignee"} if level.assign else frozenset[str]()
    fields = {name for name, _ in level.set} | ({"priority"} if level.priority else set())
    if level.owner == "assignee":
        fields.add("assignee")
    return assigns | fields | ({"tags"} if level.tags or level.untag else frozenset())


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
