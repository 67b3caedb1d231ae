"""What became of each SLA target: the helpdesk's own, else those of the `[sla]` tables. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from connector.report.cases import Promise, Standing, Stretch
from connector.report.frame import Frame
from policies.calendars import ALWAYS
from policies.clocks import Sight, customer_waiting
from policies.counting import pauses
from policies.facts import OVER, History
from policies.model import Change, Instant, Metric, Priority, Stage, Target, Ticket, Who
from policies.policy import SlaSpec
from policies.targets import first_reply as first_reply_target

OVER_WORDS = frozenset(each.value for each in OVER)


def waits(ticket: Ticket, history: History, now: Instant) -> tuple[Stretch, ...]:
    """The stretches in which a customer waited for a reply, as the clock `customer_waiting` reads them: each ends with
    a qualifying reply or a solving, the last one at `now` if it still runs."""
    found: list[Stretch] = []
    for place, fact in enumerate(history.facts):
        ends = history.is_reply(fact) or (
            isinstance(fact, Change) and fact.field == "status" and fact.after in OVER
        )
        start = waiting_since(ticket, history, place) if ends else None
        if start is not None and waiting_since(ticket, history, place + 1) is None:
            found.append((start, fact.act.at))
    start = waiting_since(ticket, history, len(history.facts))
    return tuple(found) if start is None else (*found, (start, now))


def waiting_since(ticket: Ticket, history: History, facts: int) -> Instant | None:
    """Since when the customer waited after so many facts."""
    until_then = replace(history, facts=history.facts[:facts])
    return customer_waiting(Sight(ticket=ticket, history=until_then)).start


def promises(ticket: Ticket, history: History | None, frame: Frame) -> tuple[Promise, ...]:
    """Every target of the ticket. A helpdesk's target wins over the tables by metric. `history` is None where it was
    not loaded: then it cannot be told whether an achieved target was met in time."""
    given = tuple(from_vendor(each, ticket, history, frame) for each in ticket.targets)
    metrics = {each.metric for each in given}
    sla = next((each for each in frame.policies.slas if each.serves(ticket.ref.account)), None)
    if sla is None or history is None:
        return given
    kept = (each for each in from_table(sla, ticket, history, frame) if each.metric not in metrics)
    return (*given, *kept)


def from_vendor(target: Target, ticket: Ticket, history: History | None, frame: Frame) -> Promise:
    """A helpdesk's target. That one is achieved does not say whether it was in time: the history does."""
    known = Promise(metric=target.metric, stands="untold", start=target.start, due=target.due)
    if target.stage is Stage.PAUSED:
        return replace(known, stands="paused")
    if target.due is None or target.stage is Stage.UNKNOWN:
        return known
    if target.stage is Stage.ACTIVE:
        return replace(known, stands="breached" if target.due < frame.now else "open")
    met = None if history is None else fulfilled(target, ticket, history)
    return known if met is None else replace(known, stands=judged(met, target.due, frame.now), met=met)


def judged(met: Instant | None, due: Instant, now: Instant) -> Standing:
    """A promise kept at the very instant of its deadline was kept."""
    if met is None:
        return "breached" if due < now else "open"
    return "achieved" if met <= due else "breached"


def fulfilled(target: Target, ticket: Ticket, history: History) -> Instant | None:
    """When an achieved target was fulfilled: by the first reply, the reply that ended the newest wait, or solving."""
    if target.metric is Metric.RESOLUTION:
        return solved_last(ticket, history)
    if target.metric is Metric.FIRST_REPLY:
        replies = (fact.act.at for fact in history.facts if history.is_reply(fact))
        return next(replies, None)
    ended = waits(ticket, history, 0)
    return ended[-1][1] or None if ended else None


def solved_last(ticket: Ticket, history: History) -> Instant | None:
    """When the ticket, if it is solved or closed, was last solved; None if the history does not tell."""
    last: Change | None = None
    for each in history.changes("status"):
        if each.after in OVER and each.before not in OVER:
            last = each
        elif each.after not in OVER:
            last = None
    return last.act.at if last is not None and ticket.status in OVER else None


def from_table(sla: SlaSpec, ticket: Ticket, history: History, frame: Frame) -> Iterator[Promise]:
    """The targets of an `[sla]` table for the priority that the ticket has without our own writes."""
    calendar = ALWAYS if sla.calendar is None else frame.calendars[sla.calendar]
    priority = own_priority(ticket, history)
    for metric, start, met in promised(ticket, history, frame.now):
        span = sla.targets.get(metric.value, {}).get(priority) if priority else None
        if span is not None:
            due = calendar.add(start, span)
            yield Promise(metric=metric, stands=judged(met, due, frame.now), start=start, due=due, met=met)


def promised(
    ticket: Ticket, history: History, now: Instant
) -> Iterator[tuple[Metric, Instant, Instant | None]]:
    """Each run of a metric with its start and its fulfilment: one first reply, each later wait, one resolution."""
    replied = next((fact.act.at for fact in history.facts if history.is_reply(fact)), None)
    asked = next((fact.act.at for fact in history.facts if history.is_customers(fact)), None)
    if asked is not None:
        given = first_reply_target(Sight(ticket=ticket, history=history)).achieved
        later = (f.act.at for f in history.facts if history.is_reply(f) and f.act.at >= asked)
        yield Metric.FIRST_REPLY, asked, next(later, None) if given else None
    still = waiting_since(ticket, history, len(history.facts))
    for start, end in waits(ticket, history, now):
        if replied is not None and start >= replied:
            yield Metric.NEXT_REPLY, start, None if start == still else end
    yield Metric.RESOLUTION, ticket.created, solved_last(ticket, history)


def own_priority(ticket: Ticket, history: History) -> Priority | None:
    """The ticket's priority, or what it was before we raised it, as long as nobody has changed it since."""
    value: object = ticket.priority
    for change in reversed(list(history.changes("priority"))):
        if change.act.who is not Who.OURS or change.after != value:
            break
        value = change.before
    return Priority(str(value)) if value else None


def over_stretches(ticket: Ticket, history: History, now: Instant) -> tuple[Stretch, ...]:
    """The stretches in which the ticket was solved or closed."""
    return pauses(ticket, history, OVER_WORDS, now)
