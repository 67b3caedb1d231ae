"""What policies do over a ticket's life: events in, firings out, on simulated time and by the very `evaluate` that runs
live.

A look is taken at the first sight of the ticket, at each event, at each time that the plan before it names, and when
an absence of the assignee begins, if a policy asks for that. What a look plans is carried out as the connector does
it with a helpdesk that takes everything: the ticket shows it, the act is ours (rule 5), the write is settled, and the
ticket is looked at again until nothing more comes of it."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from policies.evaluate import evaluate
from policies.history import by_revision, counted, recognise
from policies.language.policy import PolicySet, peopled
from policies.model import (
    Act,
    Change,
    Directory,
    Group,
    Instant,
    Message,
    Need,
    Order,
    Priority,
    Status,
    Ticket,
    Value,
    Who,
)
from policies.plan import Notify, Occurrence, Plan, Say, Wanted
from policies.present.explain import worded
from policies.rules.calendars import Calendar
from policies.rules.outcomes import Outcome, Result, after_outcome
from policies.rules.own_writes import person_of
from policies.state import Standing, Wrote

ROUNDS = 9
"""So many looks at one instant are a loop: what one policy writes wakes another, and so on. Live the ticket is held."""


# --- what happens ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message within an act."""

    public: bool = True
    body: str = ""
    auto_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """One act: what somebody said and which fields they changed in one go. `sets` holds values as `Change` tells them,
    `adds` and `removes` tags beside the others. `stamp` is the helpdesk's own, where its clock is not ours."""

    at: Instant
    who: Who
    person: str | None = None
    says: tuple[Said, ...] = ()
    sets: tuple[tuple[str, Value], ...] = ()
    adds: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    stamp: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The helpdesk shows other values in these fields of `Ticket`, without a fact: an SLA target, a rating, a ticket
    that is gone, a field that is hidden."""

    at: Instant
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Somebody ordered this."""

    order: Order

    @property
    def at(self) -> Instant:
        """When."""
        return self.order.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """The policies of one time, their calendars with public holidays, and since when each policy has run on the
    account; one that is not named in `first_ran` runs for the first time at each look."""

    policies: PolicySet
    calendars: Mapping[str, Calendar]
    first_ran: Mapping[str, Instant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """From now on these are the rules."""

    at: Instant
    rules: Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The ticket is looked at though nothing happened: a webhook twice, a census, somebody who asks."""

    at: Instant


Event = Acted | Shown | Ordered | Ruled | Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A ticket as it was created, with no history, and what happened to it in the helpdesk's order. `first_seen` is
    when Uptier saw it first; at its creation if None.

    A life may also go on from a ticket in the middle of it, with what is remembered of it: `standings`, and in
    `receipts` the episodes behind each of our facts."""

    ticket: Ticket
    events: tuple[Event, ...] = ()
    first_seen: Instant | None = None
    standings: tuple[Standing, ...] = ()
    receipts: Mapping[str, frozenset[str]] = field(default_factory=dict)


# --- one ticket at a helpdesk ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A ticket in the middle of its life as the helpdesk has it, and all that Uptier remembers of it: standings, the
    episodes behind each of our facts, whom round robin served."""

    ticket: Ticket
    standings: tuple[Standing, ...] = ()
    receipts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    served: Mapping[tuple[str, str], Instant] = field(default_factory=dict)
    sequence: int = 0


def happened(stage: Stage, event: Acted | Shown, directory: Directory) -> Stage:
    """The stage after this."""
    if isinstance(event, Shown):
        return replace(stage, ticket=replace(stage.ticket, **event.fields))
    stage, act = acting(stage, event.at if event.stamp is None else event.stamp, event.who, event.person)
    before = after = stage.ticket
    for name, value in event.sets:
        after = with_value(after, name, value, directory)
    tags = (after.tags | event.adds) - event.removes
    if tags != after.tags:
        after = replace(after, tags=tags)
    said = tuple(
        Message(act=act, public=each.public, body=each.body, auto_reply=each.auto_reply)
        for each in event.says
    )
    return told(stage, act, before, after, said, [*(name for name, _ in event.sets), "tags"])


def acting(stage: Stage, at: Instant, who: Who, person: str | None) -> tuple[Stage, Act]:
    """The stage with a new revision, and the act that made it."""
    number = stage.sequence + 1
    ticket = replace(stage.ticket, updated=at, revision=str(number))
    act = Act(sequence=number, id=f"f{number}", at=at, who=who, person=person)
    return replace(stage, ticket=ticket, sequence=number), act


def told(
    stage: Stage, act: Act, before: Ticket, after: Ticket, said: tuple[Message, ...], names: list[str]
) -> Stage:
    """The stage with the ticket as it is after this act, which its history tells."""
    pairs = [(name, value_of(before, name), value_of(after, name)) for name in dict.fromkeys(names)]
    changes = tuple(
        Change(act=act, field=name, before=old, after=new) for name, old, new in pairs if old != new
    )
    ticket = replace(after, messages=(*before.messages, *said), changes=(*before.changes, *changes))
    return replace(stage, ticket=replace(ticket, counts=counted(ticket)))


def value_of(ticket: Ticket, name: str) -> Value:
    """A field as a `Change` tells it."""
    if name == "tags":
        return tuple(sorted(ticket.tags))
    if name in ("group", "assignee"):
        held = getattr(ticket, name)
        return held.id if held else None
    space, dot, inner = name.partition(".")
    if space == "custom":
        return ticket.custom.get(inner)
    value: Value = getattr(ticket.requester, inner) if dot else getattr(ticket, name)
    return value


def with_value(ticket: Ticket, name: str, value: Value, directory: Directory) -> Ticket:
    """The ticket with another value, as a `Change` tells it."""
    space, dot, inner = name.partition(".")
    if space == "custom":
        return replace(ticket, custom={**ticket.custom, inner: value})
    if dot and ticket.requester is not None:
        changed: dict[str, Any] = {inner: value}
        return replace(ticket, requester=replace(ticket.requester, **changed))
    match name:
        case "group":
            groups = (group for group in directory.groups if group.id == value)
            unknown = None if value is None else Group(id=str(value), name=str(value))
            return replace(ticket, group=next(groups, unknown))
        case "assignee":
            return replace(ticket, assignee=person_of(value, directory))
        case "tags":
            return replace(ticket, tags=frozenset(value if isinstance(value, tuple) else ()))
        case "status":
            return replace(ticket, status=Status(str(value)), status_name=str(value))
        case "priority":
            return replace(ticket, priority=None if value is None else Priority(str(value)))
    common: dict[str, Any] = {name: value}
    return replace(ticket, **common)


# --- one look --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One look: what stood there before, the plan, the ledger's lines that came of it and of its write, what that write
    changed, and what stands there now. `orders` are what people had ordered."""

    now: Instant
    before: Stage
    plan: Plan
    after: Stage
    lines: tuple[Occurrence, ...]
    wrote: tuple[Wrote, ...] = ()
    orders: tuple[Order, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was to be done, so that another look at the same instant would not do anything either."""
        return not self.plan.wanted


def planned(
    stage: Stage, rules: Rulebook, directory: Directory, now: Instant, orders: tuple[Order, ...] = ()
) -> Plan:
    """What a look would plan, with its words. Of a field that is hidden the helpdesk tells no history either."""
    ticket, hidden = replace(stage.ticket, read_at=now), stage.ticket.hidden
    if any(each.field in hidden for each in ticket.changes):
        ticket = replace(ticket, changes=tuple(each for each in ticket.changes if each.field not in hidden))
    ticket = recognise(ticket, stage.receipts)
    people = peopled(replace(directory, served={**directory.served, **stage.served}), rules.policies, now)
    plan = evaluate(
        ticket, rules.policies, stage.standings, people, rules.calendars, now, rules.first_ran, orders
    )
    return worded(plan)


def carried_out(stage: Stage, plan: Plan, orders: tuple[Order, ...] = (), result: Result = "done") -> Step:
    """The step that this plan makes, where `result` comes of its write."""
    before, now = stage, plan.now
    served = dict.fromkeys(plan.served, now)
    stage = replace(stage, standings=plan.standings, served={**stage.served, **served})
    lines, wrote = plan.occurrences, tuple[Wrote, ...]()
    written = [each for each in plan.wanted if not isinstance(each.action, Notify)]
    if written:
        episodes = tuple(dict.fromkeys(key for wanted in written for key in wanted.episodes))
        if result == "done":
            stage, wrote = with_write(stage, written, frozenset(episodes), now)
        outcome = Outcome(key="w", episodes=episodes, result=result, at=now, wrote=wrote)
        standings, more = after_outcome(stage.standings, outcome)
        stage, lines = replace(stage, standings=standings), (*lines, *more)
    return Step(now=now, before=before, plan=plan, after=stage, lines=lines, wrote=wrote, orders=orders)


def with_write(
    stage: Stage, written: list[Wanted], episodes: frozenset[str], now: Instant
) -> tuple[Stage, tuple[Wrote, ...]]:
    """The stage once these actions are done by the bot's user, with a receipt, and what was changed."""
    before = after = stage.ticket
    says: list[bool] = []
    for action in (each.action for each in written):
        if isinstance(action, Say):
            says.append(action.public)
        elif not isinstance(action, Notify):  # of which nothing stands on the ticket
            after = action.on(after)
    if after == before and not says:
        return stage, ()
    stage, act = acting(stage, now, Who.BOT, "bot")
    after = replace(after, updated=stage.ticket.updated, revision=stage.ticket.revision)
    said = tuple(Message(act=act, public=public, body="") for public in says)
    names = ["group", "assignee", "priority", "tags", *(f"custom.{name}" for name in after.custom)]
    stage = told(stage, act, before, after, said, names)
    changes = stage.ticket.changes[len(before.changes) :]
    wrote = tuple(Wrote(field=one.field, before=one.before, after=one.after, fact=act.id) for one in changes)
    receipts = {**stage.receipts, act.id: episodes, by_revision(stage.ticket.revision): episodes}
    # settled here once, not at each look behind it
    return replace(stage, ticket=recognise(stage.ticket, receipts), receipts=receipts), wrote


# --- a whole life ----------------------------------------------------------------------------------------------


def replay(life: Life, rules: Rulebook, directory: Directory, until: Instant) -> Iterator[Step]:
    """Every look of this life up to `until`, that instant included, in order. What happens at an instant comes before
    the looks at it. A loop ends the life with a line `held`, as live the ticket would wait for a person."""
    acts = (*(each.act for each in life.ticket.messages), *(each.act for each in life.ticket.changes))
    stage = Stage(
        ticket=life.ticket,
        standings=life.standings,
        receipts=life.receipts,
        sequence=max((act.sequence for act in acts), default=0),
    )
    ahead = deque(life.events)
    now = life.ticket.created if life.first_seen is None else life.first_seen
    while now <= until:
        orders: tuple[Order, ...] = ()
        while ahead and ahead[0].at <= now:
            match event := ahead.popleft():
                case Acted() | Shown():
                    stage = happened(stage, event, directory)
                case Ordered():
                    orders = (*orders, event.order)
                case Ruled():
                    rules = event.rules
                case Looked():
                    pass
        for round_ in range(1, ROUNDS + 1):
            plan = planned(stage, rules, directory, now, orders)
            step = carried_out(stage, plan, orders)
            stage, orders = step.after, ()
            if round_ == ROUNDS and not step.is_quiet:
                yield replace(step, lines=(*step.lines, held(now)))
                return
            yield step
            if step.is_quiet:
                break
        leaves = _assignee_leaves(stage.ticket, rules, now)
        times = [
            each for each in (ahead[0].at if ahead else None, plan.next_look, leaves) if each is not None
        ]
        if not times:
            return
        now = max(min(times), now + 1)


def _assignee_leaves(ticket: Ticket, rules: Rulebook, now: Instant) -> Instant | None:
    """When the assignee is absent next, if any policy asks who is there: live their tickets are looked at then."""
    if ticket.assignee is None or Need.AVAILABILITY not in rules.policies.needs:
        return None
    return rules.policies.staff.next_absence({ticket.assignee.label, ticket.assignee.name}, now)


def judged_at(life: Life, rules: Rulebook, directory: Directory, at: Instant) -> Step:
    """The look at this instant, if nothing else happens to the ticket until then than the life tells; what falls due
    before is done before. Of a life that is held before, the last look. ValueError before the first look."""
    events = sorted((*life.events, Looked(at=at)), key=lambda event: event.at)
    latest: Step | None = None
    for step in replay(replace(life, events=tuple(events)), rules, directory, at):
        latest = step
        if step.now == at:
            break
    if latest is None:
        raise ValueError("the ticket had not been seen by then")
    return latest


def held(now: Instant) -> Occurrence:
    """The line of a life that has no end."""
    text = f"{ROUNDS} looks at one instant, and each of them changes something: the policies wake each other"
    return Occurrence(what="held", policy="", episode="", at=now, text=text)
