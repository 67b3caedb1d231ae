"""A policy, as it was written and checked, and the people it may count on: what `parse` makes and `evaluate`
reads."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from policies.language.clocks import CLOCKS
from policies.language.conditions import Conditions, Limits
from policies.language.phrases import Pack
from policies.language.vocabulary import OWNERS_OWN, STRATEGIES, Kind, Lapse, LevelClock, Mode
from policies.model import FROM_HELPDESK, Agent, Directory, Instant, Need, Priority, Seconds, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """From the first second of a day to the last of another, as local dates and as instants (half-open)."""

    begins: Instant
    ends: Instant
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """By label. `caps` are open tickets; `channels` are those of people, and of groups by name; `personal`, by channel,
    is the person who has it, where nobody else and no group has."""

    absences: Mapping[str, tuple[Absence, ...]] = field(default_factory=dict)
    substitutes: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, int] = field(default_factory=dict)
    skills: Mapping[str, frozenset[str]] = field(default_factory=dict)
    channels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)

    def away(self, now: Instant) -> Mapping[str, str]:
        """Who is absent now, and until when, in words."""
        return {
            label: f"absent until {each.until}"
            for label, absences in self.absences.items()
            for each in absences
            if each.begins <= now < each.ends
        }

    def next_absence(self, labels: Collection[str], now: Instant) -> Instant | None:
        """When somebody of these labels is absent next, later than now."""
        begins = (each.begins for label in labels for each in self.absences.get(label, ()))
        return min((at for at in begins if at > now), default=None)


def with_staff(directory: Directory, staff: Staff, now: Instant) -> Directory:
    """The directory with what the config knows of its people now, by address or name. An absence of the config wins."""
    away = staff.away(now)
    if not (away or staff.caps or staff.skills):
        return replace(directory, substitutes=staff.substitutes, away=away)
    agents = list[Agent]()
    for agent in directory.agents:
        names = (agent.person.address or agent.person.name, agent.person.name)
        skills = frozenset[str]().union(*(staff.skills.get(name, frozenset()) for name in names))
        cap = next((staff.caps[name] for name in names if name in staff.caps), None)
        absent = next((away[name] for name in names if name in away), None)
        told = agent if absent is None else replace(agent, available=False, why_away=absent)
        agents.append(replace(told, cap=cap, skills=skills))
    return replace(directory, agents=tuple(agents), substitutes=staff.substitutes, away=away)


def peopled(directory: Directory, policies: "PolicySet", now: Instant) -> Directory:
    """The directory with what the files say of leads, managers, duty and absences; the files win."""
    return replace(
        with_staff(directory, policies.staff, now),
        leads={**directory.leads, **policies.leads},
        managers={**directory.managers, **policies.managers},
        on_call={**directory.on_call, **policies.on_call},
    )


def stand_in(label: str, directory: Directory) -> tuple[str, ...]:
    """Who is asked in this one's place, in turn, up to the first who is there; empty if nobody stands in. Nobody is
    asked twice, so a circle ends."""
    asked: list[str] = []
    at = directory.substitutes.get(label)
    while at is not None and at != label and at not in asked:
        asked.append(at)
        if is_there(at, directory):
            return tuple(asked)
        at = directory.substitutes.get(at)
    return ()


def is_there(label: str, directory: Directory) -> bool:
    """Whether this person can be given work or be the owner now."""
    agent = directory.agent(label)
    if agent is None:
        return label not in directory.away
    return agent.active and agent.available is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignSpec:
    """Whom a level assigns to: a group by name, a person or a strategy (`least_loaded`, …) in `agent`, and for a
    strategy the skill they must have, or `by_tag`: those that the ticket's tags name. `back` gives it to whom it was
    with before the episode assigned it (`return = true`)."""

    group: str | None = None
    agent: str | None = None
    skill: str | None = None
    back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Say it again `every` so many seconds on the policy's calendar, `times` times after the firing."""

    every: Seconds
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person has to approve the level before it fires; they are asked by this note and on these channels.

    With an `owner` only they, who stands in for them, or an admin decides, and never who ordered the level. `within`
    are seconds on the policy's calendar from the asking; `then` is what becomes of the level where nobody has decided,
    and `then_owner` who is asked next in place of that, once."""

    note: str | None = None
    notify: tuple[str, ...] = ()
    owner: str | None = None
    within: Seconds | None = None
    then: Lapse = "reject"
    then_owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One rung of the ladder. Exactly one of `after`, `before`, `at` (a percentage) and `on` (seconds into the week, in
    the zone of the policy's calendar) is given.

    `ask`, `checklist` and `hand_off` (the summary and what was tried) are said in its note.
    `within` is a calendar: while it is closed the level waits, or acts as `otherwise` says, if that is given.
    `waits` says why it must not act at all for now: the names it uses are not known to be the helpdesk's (rule 12).
    """

    name: str
    kind: Kind
    after: Seconds | None = None
    before: Seconds | None = None
    at: int | None = None
    on: Seconds | None = None
    clock: LevelClock = "policy"
    owner: str | None = None
    assign: AssignSpec | None = None
    priority: Priority | None = None
    tags: frozenset[str] = frozenset()
    untag: frozenset[str] = frozenset()
    set: tuple[tuple[str, Value], ...] = ()
    note: str | None = None
    reply: str | None = None
    follow: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    repeat: Repeat | None = None
    ask: str | None = None
    checklist: tuple[str, ...] = ()
    hand_off: bool = False
    approval: Approval | None = None
    within: str | None = None
    otherwise: "Level | None" = None
    waits: str = ""

    @property
    def variants(self) -> "tuple[Level, ...]":
        """The level as it acts, and as it acts in closed hours if that is another way."""
        return (self,) if self.otherwise is None else (self, self.otherwise)

    @property
    def named(self) -> "tuple[tuple[Literal['group', 'agent', 'follower'], str], ...]":
        """Each group and person that it acts on by name, its owner aside; a follower may be a function."""
        spec, found = self.assign, list[tuple[Literal["group", "agent", "follower"], str]]()
        if spec is not None and spec.group is not None:
            found.append(("group", spec.group))
        if spec is not None and spec.agent is not None and spec.agent not in STRATEGIES:
            found.append(("agent", spec.agent))
        return (*found, *(("follower", name) for name in self.follow))

    @property
    def channels(self) -> frozenset[str]:
        """Every channel that may hear of it by name: when it fires, in closed hours, or when it asks for approval."""
        asked = self.approval.notify if self.approval else ()
        return frozenset(asked).union(*(each.notify for each in self.variants)) - {OWNERS_OWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy. `accounts` None means all; `mode` None inherits. `hash` names `text` in the ledger; `decides` stands
    for all that can change what it decides, and for none of its words. `needs` is what must be loaded of a ticket so
    that it can be judged."""

    name: str
    accounts: frozenset[str] | None
    mode: Mode | None
    clock: str
    calendar: str | None
    stop_on: frozenset[str]
    pause_on: frozenset[str]
    counts_as_reply: frozenset[str]
    acknowledge_tags: frozenset[str]
    backlog: Literal["fire", "skip"]
    when: Conditions
    unless: Conditions
    levels: tuple[Level, ...]
    hash: str
    text: str
    file: str
    line: int
    exclusive: bool = False
    decides: str = ""
    needs: frozenset[Need] = frozenset()

    @property
    def on_deadline(self) -> bool:
        """Whether its levels count to a deadline, and not from a start."""
        return CLOCKS[self.clock].metric is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSpec:
    """Opening hours as written: local minutes of the day, half-open, per weekday (0 is Monday) and per date.

    `holidays` are regions such as `US-NY`; their dates are data that comes in from outside.
    """

    name: str
    timezone: str
    hours: tuple[tuple[tuple[int, int], ...], ...]
    holidays: tuple[str, ...] = ()
    closed: frozenset[str] = frozenset()
    open: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaSpec:
    """A `[sla.NAME]` table: seconds per priority for each metric, counted on `calendar`."""

    name: str
    accounts: frozenset[str] | None
    calendar: str | None
    targets: Mapping[str, Mapping[Priority, Seconds]]

    def serves(self, account: str) -> bool:
        """Whether the table names the account, or none."""
        return self.accounts is None or account in self.accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSpec:
    """A `[templates.NAME]` table: one Jinja body per language, the default first."""

    name: str
    bodies: Mapping[str, str]

    def lacking(self, languages: Iterable[str]) -> tuple[str, ...]:
        """Those of the languages in which it has no text."""
        return tuple(each for each in languages if each not in self.bodies)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A `[channels.NAME]` table without its address, which policies never see.

    `template` None means the built sentence. Outside the hours of the calendar `quiet` nothing is sent. Of more
    than `digest_above` messages in `digest_within` seconds the rest becomes one; 0 means that all go singly.
    """

    name: str
    template: str | None = None
    quiet: str | None = None
    digest_above: int = 0
    digest_within: Seconds = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """Everything the files say about policies, checked as a whole, in the order rule 6 reads it.

    `leads` maps a group's name to a person's label, `managers` a person's label to another's, `on_call` a
    group's name to a person's label. `modes` holds each account's mode, the service's under the empty name.
    `packs` are the phrase packs by name, `limits` say up to which amount who may decide. `assigned_by_automation` are
    the accounts where a new assignee has not taken the ticket (`assignment_acknowledges = false`). `hash` stands for
    every word, `decides` for what decides.
    """

    policies: tuple[Policy, ...]
    default_owner: str | None
    modes: Mapping[str, Mode]
    calendars: Mapping[str, CalendarSpec]
    templates: Mapping[str, TemplateSpec]
    channels: Mapping[str, ChannelSpec] = field(default_factory=dict)
    slas: tuple[SlaSpec, ...] = ()
    leads: Mapping[str, str] = field(default_factory=dict)
    managers: Mapping[str, str] = field(default_factory=dict)
    on_call: Mapping[str, str] = field(default_factory=dict)
    assigned_by_automation: frozenset[str] = frozenset()
    packs: Mapping[str, Pack] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    staff: Staff = field(default_factory=Staff)
    needs: frozenset[Need] = frozenset()
    hash: str = ""
    decides: str = ""

    def mode(self, policy: Policy, account: str) -> Mode:
        """Observe at any of service, account, policy wins; the service's default is observe (rule 12)."""
        said = (policy.mode, self.modes.get(account), self.modes.get("", "observe"))
        return "observe" if "observe" in said else "enforce"

    def to_load(self, account: str) -> frozenset[Need]:
        """What this account's helpdesk is asked for beyond a ticket's own row."""
        return FROM_HELPDESK & frozenset[Need]().union(*(each.needs for each in self.serving(account)))

    @property
    def asks_for_loads(self) -> bool:
        """Whether it matters how many open tickets somebody has."""
        levels = (each for policy in self.policies for level in policy.levels for each in level.variants)
        picks = (each.assign.agent for each in levels if each.assign is not None)
        return bool(self.staff.caps) or any(
            STRATEGIES[pick].needs_loads for pick in picks if pick in STRATEGIES
        )

    def serving(self, account: str) -> tuple[Policy, ...]:
        """The policies that serve this account, in file order."""
        return tuple(p for p in self.policies if p.accounts is None or account in p.accounts)
