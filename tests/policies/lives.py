"""Tickets that live: facts are played in order, and each look does what the connector does with its plan.

Minutes count from `START`, a Monday 00:00 UTC. A ticket is urgent, new and in Tier 1 unless said otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from policies.evaluate import evaluate
from policies.history import counted, recognise
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.language.policy import PolicySet
from policies.model import (
    Act,
    Agent,
    Change,
    Counts,
    Directory,
    Group,
    Instant,
    Message,
    Need,
    Order,
    Person,
    Priority,
    Status,
    Target,
    Ticket,
    TicketRef,
    Value,
    Who,
)
from policies.plan import Assign, ChangeTags, Plan, PutBackPriority, RaisePriority, Say, SetField
from policies.present.reasons import worded
from policies.rules.calendars import Calendar, build
from policies.rules.outcomes import Outcome, settle
from policies.state import Standing, Wrote

START: Instant = 1_790_553_600  # 2026-09-28, a Monday
MINUTE = 60
REF = TicketRef("acme", "1")

TIER1, TIER2, DUTY = (Group(id=f"g{n}", name=name) for n, name in ((1, "Tier 1"), (2, "Tier 2"), (3, "Duty")))
ESCALATIONS = Group(id="g9", name="Escalations")
ANN, BEN, CAT, DAN = (
    Person(id=name, name=name.title(), address=f"{name}@acme.test") for name in ("ann", "ben", "cat", "dan")
)
CLEO = Person(id="cleo", name="Cleo", address="cleo@initech.test")
DIRECTORY = Directory(
    account="acme",
    groups=(TIER1, TIER2, DUTY, ESCALATIONS),
    agents=(
        Agent(person=ANN, groups=frozenset({"g1"}), default_group="g1"),
        Agent(person=BEN, groups=frozenset({"g2"}), default_group="g2"),
        Agent(person=CAT, groups=frozenset({"g2", "g3"}), default_group="g2"),
        Agent(person=DAN, groups=frozenset({"g3"}), default_group="g3"),
    ),
)

HEAD = """
[service]
default_owner = "Escalations"
mode = "enforce"
[accounts.acme]
[accounts.other]
[templates.handoff]
en = "{{ level.name }}"
[calendars.office]
timezone = "UTC"
hours = { mon-fri = "09:00-17:00" }
"""

LADDER = """
[[policy]]
name = "p"
clock = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "one"
after = "30m"
assign = { group = "Tier 2" }
tags = ["l1"]
note = "handoff"
[[policy.level]]
name = "two"
after = "2h"
owner = "Duty"
assign = { group = "Duty" }
priority = { at_least = "urgent" }
tags = ["l2"]
note = "handoff"
"""


AFTER_30 = 'after = "30m"\nnote = "handoff"'
AFTER_120 = 'after = "2h"\nnote = "handoff"'


def policy(
    *levels: str,
    name: str = "p",
    clock: str = "created",
    when: str = 'status = ["new", "open", "pending"]',
    unless: str = "",
    more: str = "",
) -> str:
    """A policy as written: levels are called one, two, three, and the only one is a note after 30 minutes."""
    exclusion = f"[policy.unless]\n{unless}\n" if unless else ""
    rungs = "".join(
        f'[[policy.level]]\nname = "{rung}"\n{level}\n'
        for rung, level in zip(("one", "two", "three"), levels or (AFTER_30,), strict=False)
    )
    head = f'[[policy]]\nname = "{name}"\nclock = "{clock}"\npublic = true\n{more}\n'
    return f"{head}[policy.when]\n{when}\n{exclusion}{rungs}"


def at(minutes: float) -> Instant:
    """The instant so many minutes after the start."""
    return START + int(minutes * MINUTE)


@cache
@cache
def rules(text: str, head: str = HEAD) -> PolicySet:
    """The checked policies of this text; the accounts are acme and other."""
    document = read("uptier.toml", head + text)
    assert isinstance(document, Document), document
    parsed = parse([document])
    errors = [str(problem) for problem in parsed.problems if problem.severity == "error"]
    assert parsed.policies is not None, "\n".join(errors)
    return parsed.policies


def calendars(policies: PolicySet) -> Mapping[str, Calendar]:
    """The calendars of these policies, without public holidays."""
    return {name: build(spec, frozenset(), range(2026, 2028)) for name, spec in policies.calendars.items()}


NEWBORN = Ticket(
    ref=REF,
    link="",
    subject="Nobody can log in",
    status=Status.NEW,
    status_name="New",
    priority=Priority.HIGH,
    group=TIER1,
    requester=CLEO,
    created=START,
    updated=START,
    read_at=START,
    revision="0",
    loaded=frozenset(Need),
    counts=Counts(replies=0, reopens=0, reassignments=0, bounces=0, group_moves=0, group_bounces=0),
)


@dataclass
class Life:
    """One ticket and what is remembered of it. `writes` lists what each look wrote, as (minute, actions)."""

    text: str = LADDER
    head: str = HEAD
    directory: Directory = DIRECTORY
    ticket: Ticket = NEWBORN
    standings: tuple[Standing, ...] = ()
    receipts: dict[str, frozenset[str]] = field(default_factory=dict)
    first_ran: dict[str, Instant] = field(default_factory=dict)
    writes: list[tuple[float, tuple[Any, ...]]] = field(default_factory=list)
    ledger: list[tuple[str, str, str | None]] = field(default_factory=list)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.policies = rules(self.text, self.head)
        self.calendars = calendars(self.policies)

    # --- facts ---------------------------------------------------------------------------------------------

    def act(self, minutes: float, who: Who, person: str | None, **more: Any) -> Act:
        """The next fact's act; it moves the revision."""
        self.sequence += 1
        self.ticket = replace(self.ticket, updated=at(minutes), revision=str(self.sequence))
        return Act(
            sequence=self.sequence, id=f"f{self.sequence}", at=at(minutes), who=who, person=person, **more
        )

    def says(
        self, minutes: float, who: Who, person: str | None, *, public: bool = True, auto: bool = False
    ) -> "Life":
        """A message; that of the requester at the creation is the opening one."""
        act = self.act(minutes, who, person)
        message = Message(act=act, public=public, body="…", auto_reply=auto)
        self.ticket = replace(self.ticket, messages=(*self.ticket.messages, message))
        self.ticket = replace(self.ticket, counts=counted(self.ticket))
        return self

    def customer(self, minutes: float) -> "Life":
        """Cleo writes."""
        return self.says(minutes, Who.CUSTOMER, "cleo")

    def agent(self, minutes: float, person: str = "ann", *, public: bool = True) -> "Life":
        """An agent replies, or notes."""
        return self.says(minutes, Who.AGENT, person, public=public)

    def change(
        self, minutes: float, name: str, after: Value, by: str = "ann", who: Who = Who.AGENT
    ) -> "Life":
        """A field changes; the ticket shows it."""
        act = self.act(minutes, who, by)
        change = Change(act=act, field=name, before=value_of(self.ticket, name), after=after)
        self.ticket = replace(
            with_value(self.ticket, name, after, self.directory), changes=(*self.ticket.changes, change)
        )
        self.ticket = replace(self.ticket, counts=counted(self.ticket))
        return self

    def with_fields(self, **fields: Any) -> "Life":
        """Fields as they stood at the creation, without a fact."""
        self.ticket = replace(self.ticket, **fields)
        return self

    def target(self, *targets: Target) -> "Life":
        """The helpdesk's SLA targets."""
        return self.with_fields(targets=targets)

    def under(self, text: str) -> "Life":
        """The policies change to this text."""
        self.policies = rules(text, self.head)
        self.calendars = calendars(self.policies)
        return self

    # --- looks ---------------------------------------------------------------------------------------------

    def plan(self, minutes: float, orders: tuple[Order, ...] = ()) -> Plan:
        """What a look would plan, with its words; nothing is remembered."""
        plan = evaluate(
            recognise(replace(self.ticket, read_at=at(minutes)), self.receipts),
            self.policies,
            self.standings,
            self.directory,
            self.calendars,
            at(minutes),
            self.first_ran,
            orders,
        )
        return worded(plan)

    def look(self, minutes: float, result: str = "done", orders: tuple[Order, ...] = ()) -> Plan:
        """Look, and carry out the plan as the connector does; `result` is what comes of its one write."""
        plan = self.plan(minutes, orders)
        self.standings = plan.standings
        self.ledger += [(line.what, line.policy, line.level) for line in plan.occurrences]
        if plan.wanted:
            episodes = tuple(dict.fromkeys(key for wanted in plan.wanted for key in wanted.episodes))
            wrote = self.carry_out(minutes, plan, frozenset(episodes)) if result == "done" else ()
            outcome = Outcome(key="w", episodes=episodes, result=result, at=at(minutes), wrote=wrote)  # type: ignore[arg-type]
            self.standings, said = settle(self.standings, outcome)
            self.ledger += [(line.what, line.policy, line.level) for line in said]
        return plan

    def carry_out(self, minutes: float, plan: Plan, episodes: frozenset[str]) -> tuple[Wrote, ...]:
        """The plan's actions become facts of the bot, with a receipt."""
        self.writes.append((minutes, tuple(wanted.action for wanted in plan.wanted)))
        before = self.ticket
        after = before
        for wanted in plan.wanted:
            after = applied(after, wanted.action)
        if after == before and not any(isinstance(wanted.action, Say) for wanted in plan.wanted):
            return ()
        act = self.act(minutes, Who.BOT, "bot")
        self.receipts[act.id] = episodes
        names = [*NAMES, *(f"custom.{name}" for name in after.custom)]
        changed = [(n, value_of(before, n), value_of(after, n)) for n in names]
        changes = tuple(Change(act=act, field=n, before=b, after=a) for n, b, a in changed if b != a)
        notes = tuple(
            Message(act=act, public=wanted.action.public, body="ours")
            for wanted in plan.wanted
            if isinstance(wanted.action, Say)
        )
        self.ticket = replace(
            after,
            updated=self.ticket.updated,
            revision=self.ticket.revision,
            changes=(*before.changes, *changes),
            messages=(*before.messages, *notes),
        )
        return tuple(Wrote(field=c.field, before=c.before, after=c.after, fact=act.id) for c in changes)

    def look_through(self, minutes: float, every: float = 1) -> "Life":
        """Look again and again until this minute, at each time the plan names and on the way."""
        now = 0.0
        while now <= minutes:
            self.look(now)
            now += every
        return self

    # --- what came of it -----------------------------------------------------------------------------------

    def fired(self, policy: str = "p") -> list[str | None]:
        """The levels that fired, in order."""
        return [level for what, of, level in self.ledger if what == "fired" and of == policy]

    def passed(self, policy: str = "p") -> dict[str, str]:
        """How each level of the running or latest episode was passed."""
        standing = next(each for each in self.standings if each.policy == policy)
        return {each.level: each.how.value for each in standing.episode.passed} if standing.episode else {}

    def standing(self, policy: str = "p") -> Standing:
        """What the policy remembers."""
        return next(each for each in self.standings if each.policy == policy)

    def lines(self, what: str, policy: str = "p") -> int:
        """How many lines of this kind the ledger has."""
        return sum(kind == what and of == policy for kind, of, _ in self.ledger)

    def reasons(self) -> list[str | None]:
        """How the episodes that ended did so, by the latest standing of each policy."""
        return [each.episode.reason for each in self.standings if each.episode and each.episode.ended]


NAMES = ("group", "assignee", "priority", "tags")


def applied(ticket: Ticket, action: Any) -> Ticket:
    """The ticket after one action."""
    if isinstance(action, Assign):
        return replace(ticket, group=action.group, assignee=action.assignee)
    if isinstance(action, RaisePriority):
        rank = ticket.priority.rank if ticket.priority else 0
        return replace(ticket, priority=action.at_least if action.at_least.rank > rank else ticket.priority)
    if isinstance(action, PutBackPriority):
        return replace(ticket, priority=action.to)
    if isinstance(action, ChangeTags):
        return replace(ticket, tags=(ticket.tags - action.remove) | action.add)
    if isinstance(action, SetField):
        name = action.field.removeprefix("custom.")
        return replace(ticket, custom={**ticket.custom, name: action.value})
    return ticket


def value_of(ticket: Ticket, name: str) -> Value:
    """A field as facts tell it."""
    if name == "tags":
        return tuple(sorted(ticket.tags))
    if name in ("group", "assignee"):
        held = getattr(ticket, name)
        return held.id if held else None
    if name.startswith("custom."):
        return ticket.custom.get(name.removeprefix("custom."))
    value: Value = getattr(ticket, name)
    return value


def with_value(ticket: Ticket, name: str, value: Value, directory: Directory) -> Ticket:
    """The ticket with another value."""
    if name == "group":
        return replace(ticket, group=next((g for g in directory.groups if g.id == value), None))
    if name == "assignee":
        people = (agent.person for agent in directory.agents if agent.person.id == value)
        return replace(ticket, assignee=next(people, None))
    if name == "tags":
        return replace(ticket, tags=frozenset(value if isinstance(value, tuple) else ()))
    if name == "status":
        return replace(ticket, status=Status(str(value)), status_name=str(value))
    if name == "priority":
        return replace(ticket, priority=None if value is None else Priority(str(value)))
    return replace(ticket, custom={**ticket.custom, name.removeprefix("custom."): value})
