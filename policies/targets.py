"""Deadline clocks: the helpdesk's own SLA target, else what the `[sla]` tables say."""

from collections.abc import Mapping

from policies.calendars import ALWAYS, Calendar
from policies.clocks import Reading, Sight, created, customer_waiting, veiled
from policies.facts import OVER
from policies.model import Instant, Metric, Stage, Target
from policies.policy import SlaSpec

READ_AGAIN = (15, 30, 60)
"""Seconds after a write at which a target that was null is read again."""


def deadline(
    sight: Sight, metric: Metric, slas: tuple[SlaSpec, ...], calendars: Mapping[str, Calendar], now: Instant
) -> Reading:
    """The deadline of this metric. The vendor's own target wins, also when it is achieved."""
    targets = [each for each in sight.ticket.targets if each.metric is metric]
    if targets:
        return from_vendor(chosen(targets), sight, now)
    serving = (each for each in slas if each.serves(sight.ticket.ref.account) and metric in each.targets)
    sla = next(serving, None)
    if sla is None:
        return Reading(why_absent=f"there is no {metric} target")
    return from_table(sight, metric, sla, calendars)


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


def from_table(sight: Sight, metric: Metric, sla: SlaSpec, calendars: Mapping[str, Calendar]) -> Reading:
    """The target of an `[sla]` table, for the ticket's priority."""
    if hidden := veiled(sight.ticket, TABLE_READS[metric]):
        return hidden
    started = STARTS[metric](sight)
    if started.why_absent is not None or started.start is None:
        return started
    priority = sight.ticket.priority
    if priority is None:
        return Reading(why_absent="the ticket has no priority, so no target")
    span = sla.targets.get(metric.value, {}).get(priority)
    if span is None:
        return Reading(why_absent=f"sla.{sla.name} has no {metric} target for priority {priority}")
    calendar = ALWAYS if sla.calendar is None else calendars[sla.calendar]
    due = calendar.add(started.start, span)
    return Reading(start=started.start, sequence=started.sequence, because=started.because, due=due)


def first_reply(sight: Sight) -> Reading:
    """From the first customer message to the first qualifying reply after it."""
    history = sight.history
    asked = next((fact for fact in history.facts if history.is_customers(fact)), None)
    if asked is None:
        return Reading(why_absent="no customer has written yet")
    if replied_after(sight, asked.act.sequence):
        return Reading(why_absent="the first reply is given", achieved=True)
    return Reading(start=asked.act.at, sequence=asked.act.sequence, because="the customer first wrote")


def next_reply(sight: Sight) -> Reading:
    """The customer's wait, once the first reply was given."""
    waiting = customer_waiting(sight)
    if waiting.why_absent is None and first_reply(sight).why_absent is None:
        return Reading(why_absent="the first reply is not given yet")
    return waiting


def resolution(sight: Sight) -> Reading:
    """From the creation until the ticket is solved; a reopening changes nothing about the start."""
    if sight.ticket.status in OVER:
        return Reading(why_absent=f"the ticket is {sight.ticket.status}")
    return created(sight)


def replied_after(sight: Sight, sequence: int) -> bool:
    """Whether a qualifying reply came after this fact."""
    facts = sight.history.facts
    return any(sight.history.is_reply(fact) and fact.act.sequence > sequence for fact in facts)


STARTS = {Metric.FIRST_REPLY: first_reply, Metric.NEXT_REPLY: next_reply, Metric.RESOLUTION: resolution}

TABLE_READS = {
    Metric.FIRST_REPLY: frozenset({"messages", "priority"}),
    Metric.NEXT_REPLY: frozenset({"messages", "priority"}),
    Metric.RESOLUTION: frozenset({"created", "status", "priority"}),
}
"""What of a ticket a target of an `[sla]` table reads, in the words of `Ticket.hidden`."""
