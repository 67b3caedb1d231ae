"""Tickets that live: facts are played in order, and each look does what the connector does with its plan.

Minutes count from `START`, a Monday 00:00 UTC. A ticket is urgent, new and in Tier 1 unless said otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from policies.language.document import Document, read
from policies.language.parse import parse
from policies.language.policy import PolicySet
from policies.model import (
    Act,
    Agent,
    Counts,
    Directory,
    Group,
    Instant,
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
from policies.plan import Plan
from policies.replay import Acted, Rulebook, Said, Shown, Stage, acting, carried_out, happened, planned
from policies.rules.calendars import Calendar, build
from policies.rules.outcomes import Result
from policies.state import Standing

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

    @property
    def stage(self) -> Stage:
        """Where the ticket stands, as `policies.replay` has it."""
        return Stage(
            ticket=self.ticket, standings=self.standings, receipts=self.receipts, sequence=self.sequence
        )

    @property
    def rulebook(self) -> Rulebook:
        """What it is judged by."""
        return Rulebook(policies=self.policies, calendars=self.calendars, first_ran=self.first_ran)

    def stands(self, stage: Stage) -> "Life":
        """The ticket and what is remembered of it are these."""
        self.ticket, self.standings, self.sequence = stage.ticket, stage.standings, stage.sequence
        self.receipts = dict(stage.receipts)
        return self

    def act(self, minutes: float, who: Who, person: str | None, **more: Any) -> Act:
        """The next fact's act; it moves the revision."""
        stage, act = acting(self.stage, at(minutes), who, person)
        self.stands(stage)
        return replace(act, **more)

    def says(
        self, minutes: float, who: Who, person: str | None, *, public: bool = True, auto: bool = False
    ) -> "Life":
        """A message; that of the requester at the creation is the opening one."""
        said = Said(public=public, body="…", auto_reply=auto)
        return self.happens(Acted(at=at(minutes), who=who, person=person, says=(said,)))

    def happens(self, event: Acted | Shown) -> "Life":
        """What `policies.replay` makes of this."""
        return self.stands(happened(self.stage, event, self.directory))

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
        return self.happens(Acted(at=at(minutes), who=who, person=by, sets=((name, after),)))

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
        return planned(self.stage, self.rulebook, self.directory, at(minutes), orders)

    def look(self, minutes: float, result: Result = "done", orders: tuple[Order, ...] = ()) -> Plan:
        """Look, and carry out the plan as the connector does; `result` is what comes of its one write."""
        step = carried_out(self.stage, self.plan(minutes, orders), orders, result)
        self.stands(step.after)
        self.ledger += [(line.what, line.policy, line.level) for line in step.lines]
        if step.plan.wanted and result == "done":
            self.writes.append((minutes, tuple(wanted.action for wanted in step.plan.wanted)))
        return step.plan

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
