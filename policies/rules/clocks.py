"""Deadlines by the helpdesk's targets and by `[sla]`, and counting from a clock's start with pauses left out (rules 1
and 2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.history import History, Sight
from policies.language.clocks import Clock, Reading, customer_waiting, veiled
from policies.language.policy import SlaSpec
from policies.model import Instant, Metric, Seconds, Stage, Target, Ticket
from policies.rules.calendars import ALWAYS, Calendar, opening

READ_AGAIN = (15, 30, 60)
"""Seconds after a write at which a target that was null is read again."""


def deadline(
    clock: Clock, sight: Sight, slas: tuple[SlaSpec, ...], calendars: Mapping[str, Calendar], now: Instant
) -> Reading:
    """The deadline that this clock measures. The vendor's own target wins, also when it is achieved."""
    metric = clock.metric
    targets = [each for each in sight.ticket.targets if each.metric is metric]
    if targets:
        return from_vendor(chosen(targets), sight, now)
    serving = (each for each in slas if each.serves(sight.ticket.ref.account) and metric in each.targets)
    sla = next(serving, None)
    if sla is None:
        return Reading(why_absent=f"there is no {metric} target")
    return from_table(clock, sight, sla, calendars)


def chosen(targets: list[Target]) -> Target:
    """Of several targets of one metric, the active one that is due first, else the last told."""
    active = [each for each in targets if each.stage is Stage.ACTIVE and each.due is not None]
    return min(active, key=lambda each: each.due or 0) if active else targets[-1]


def from_vendor(target: Target, sight: Sight, now: Instant) -> Reading:
    """The helpdesk's target. One that is not known yet is read again a little after the write that hid it. A target
    for the next reply belongs to the message that began the present wait."""
    metric, updated = target.metric, sight.ticket.updated
    if target.stage is Stage.ACTIVE and target.due is not None:
        wait = customer_waiting(sight).sequence if metric is Metric.NEXT_REPLY else None
        because = f"the {metric} target was set"
        return Reading(start=target.start, due=target.due, because=because, wait=wait)
    if target.stage is Stage.PAUSED:
        return Reading(why_absent=f"the {metric} target is paused")
    if target.stage is Stage.ACHIEVED:
        return Reading(why_absent=f"the {metric} target is achieved", achieved=True)
    again = next((updated + wait for wait in READ_AGAIN if updated + wait > now), None)
    return Reading(why_absent=f"the helpdesk does not tell the {metric} target now", look_again=again)


def from_table(clock: Clock, sight: Sight, sla: SlaSpec, calendars: Mapping[str, Calendar]) -> Reading:
    """The target of an `[sla]` table, for the ticket's priority."""
    if hidden := veiled(sight.ticket, clock.table_reads):
        return hidden
    started = clock.start(sight)
    if started.why_absent is not None or started.start is None:
        return started
    priority = sight.ticket.priority
    if priority is None:
        return Reading(why_absent="the ticket has no priority, so no target")
    span = sla.targets.get(clock.name, {}).get(priority)
    if span is None:
        return Reading(why_absent=f"sla.{sla.name} has no {clock.name} target for priority {priority}")
    calendar = ALWAYS if sla.calendar is None else calendars[sla.calendar]
    due = calendar.add(started.start, span)
    return Reading(start=started.start, sequence=started.sequence, because=started.because, due=due)


Stretch = tuple[Instant, Instant]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Time that counts on a calendar, except while the ticket was paused. `paused` are ascending; the last
    ends at `now` while the ticket is still paused. `calendars` are all there are, by name."""

    calendar: Calendar
    paused: tuple[Stretch, ...]
    now: Instant
    is_paused: bool
    calendars: Mapping[str, Calendar]

    def opens(self, name: str, at: Instant) -> Instant:
        """`at` if this calendar is open then, else when it next opens."""
        return opening(self.calendars[name], at)

    def is_open(self, name: str) -> bool:
        """Whether this calendar is open now."""
        return self.calendars[name].is_open(self.now)

    def elapsed(self, start: Instant) -> Seconds:
        """What has been counted from `start` to now."""
        return sum(self.calendar.between(*stretch) for stretch in self.running(start))

    def due(self, start: Instant, span: Seconds) -> Instant | None:
        """The first instant at which `span` has been counted; None while a pause keeps it from being known."""
        if span <= 0:
            return start
        if not self.paused and not self.is_paused:
            return self.calendar.add(start, span)
        for at, end in self.running(start):
            counted = self.calendar.between(at, end)
            if counted >= span:
                return self.calendar.add(at, span)
            span -= counted
        return None if self.is_paused else self.calendar.add(max(start, self.now), span)

    def running(self, start: Instant) -> list[Stretch]:
        """The stretches from `start` to now in which nothing was paused."""
        stretches: list[Stretch] = []
        at = start
        for pause, resume in self.paused:
            if at < pause:
                stretches.append((at, pause))
            at = max(at, resume)
        return [*stretches, (at, self.now)] if at < self.now else stretches


def pauses(ticket: Ticket, history: History, pause_on: frozenset[str], now: Instant) -> tuple[Stretch, ...]:
    """The stretches in which the ticket stood in one of these statuses, up to now."""
    if not pause_on:
        return ()
    changes = [(each.act.at, each.before, each.after) for each in history.changes("status")]
    status = changes[0][1] if changes else ticket.status.value
    at, stretches = ticket.created, list[Stretch]()
    for change_at, _, after in (*changes, (now, None, None)):
        if status in pause_on and at < change_at:
            stretches.append((at, change_at))
        at, status = max(at, change_at), after
    return tuple(stretches)
