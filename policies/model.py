"""The nouns: tickets, people, policies' memory of them, and plans. Frozen values only; nothing here acts.

Instants are whole seconds since 1970-01-01T00:00Z (`Instant`), spans are whole seconds (`Seconds`). Both are
plain integers: they cannot be naive, they compare, and both databases store them as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Instant = int
Seconds = int
Value = str | int | float | bool | tuple[str, ...] | None


class Status(StrEnum):
    """The common status. A vendor's own word stays beside it in `Ticket.status_name`."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    CLOSED = "closed"


class Priority(StrEnum):
    """The common priority; a ticket without one has `None`, which ranks below `LOW` as an action's floor."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """1 for low to 4 for urgent; no priority counts as 0."""
        return ("low", "normal", "high", "urgent").index(self.value) + 1


class Who(StrEnum):
    """Who did a thing (rule 11). An adapter says BOT for the bot's user; `policies.who` settles it with our
    receipts into OURS or AUTOMATION, so a rule never meets BOT."""

    CUSTOMER = "customer"
    AGENT = "agent"
    AUTOMATION = "automation"
    BOT = "bot"
    OURS = "ours"


class Metric(StrEnum):
    """What an SLA target measures."""

    FIRST_REPLY = "first_reply"
    NEXT_REPLY = "next_reply"
    RESOLUTION = "resolution"


class Stage(StrEnum):
    """Where an SLA target stands. Only ACTIVE gives a deadline clock."""

    ACTIVE = "active"
    PAUSED = "paused"
    ACHIEVED = "achieved"
    UNKNOWN = "unknown"


class Need(StrEnum):
    """What policies may need beyond the ticket's own row; compiled from them, given to `Adapter.load`."""

    MESSAGES = "messages"
    CHANGES = "changes"
    TARGETS = "targets"


@dataclass(frozen=True, slots=True, order=True)
class TicketRef:
    """A ticket's name in logs, URLs, rows and commands: `account/id`."""

    account: str
    id: str

    def __str__(self) -> str:
        return f"{self.account}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "TicketRef":
        """Read `acme/4711`; ValueError says what is expected."""
        account, slash, ticket = text.partition("/")
        if not (account and slash and ticket) or "/" in ticket:
            raise ValueError(f"{text!r} is not a ticket; write ACCOUNT/ID, for example acme/4711")
        return cls(account, ticket)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A team. `id` is the vendor's, `name` is what policies say."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An agent or a requester. Policies name a person by address, or by name where there is no address."""

    id: str
    name: str
    address: str | None = None
    organization: str | None = None
    tags: frozenset[str] = frozenset()
    vip: bool = False

    @property
    def label(self) -> str:
        """The one text that stands for this person in policies, messages and the ledger."""
        return self.address or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """When something happened, in which order, and who did it.

    `sequence` is the vendor's order within the ticket and decides before the stamp does. `id` is the vendor's
    name for the fact (audit, comment, journal entry). `mark` is the key of our write where the vendor keeps a
    hidden place for it. `episodes` is empty unless `who` is OURS: the episodes whose write this was.
    """

    sequence: int
    id: str
    at: Instant
    who: Who
    person: str | None = None
    mark: str | None = None
    episodes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A comment, reply, note or journal entry. `auto_reply` is true for what a machine sent."""

    act: Act
    public: bool
    body: str
    auto_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field of the ticket changed hands.

    `field` is a common name: status, priority, group, assignee, tags, or `custom.NAME`. `before` and `after`
    are the common values: a `Status`/`Priority` word, a group or person id, a tuple of tags.
    """

    act: Act
    field: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One SLA target as the helpdesk gives it. `start` is None on a helpdesk that never tells it."""

    metric: Metric
    stage: Stage
    due: Instant | None
    start: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """People's doings only (rule 5). None where it was not loaded or the helpdesk does not tell."""

    replies: int | None = None
    reopens: int | None = None
    reassignments: int | None = None
    bounces: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket as last read.

    `updated` is the vendor's stamp of the newest revision, `read_at` the vendor's own time of the answer it
    was read from (ours where it gives none), `revision` what the vendor offers to notice a concurrent change.
    `gone` is set instead of raising on a snapshot of a ticket that was deleted, merged or marked as spam.
    `messages` and `changes` are in the vendor's order, oldest first, and empty unless `loaded` names them.
    """

    ref: TicketRef
    link: str
    subject: str
    description: str = ""
    status: Status
    status_name: str
    priority: Priority | None = None
    type: str | None = None
    channel: str | None = None
    tags: frozenset[str] = frozenset()
    group: Group | None = None
    assignee: Person | None = None
    requester: Person | None = None
    organization: str | None = None
    language: str | None = None
    created: Instant
    updated: Instant
    read_at: Instant
    revision: str
    status_since: Instant | None = None
    custom: Mapping[str, Value] = field(default_factory=dict)
    counts: Counts = Counts()
    targets: tuple[Target, ...] = ()
    messages: tuple[Message, ...] = ()
    changes: tuple[Change, ...] = ()
    loaded: frozenset[Need] = frozenset()
    gone: Literal["deleted", "spam", "merged"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Someone who can be assigned. `available` is None where the helpdesk does not tell."""

    person: Person
    groups: frozenset[str] = frozenset()
    default_group: str | None = None
    active: bool = True
    available: bool | None = None
    open_load: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Groups and people of one account, as last read from the vendor, joined with what the config knows.

    `leads` (group name to person), `managers` (person to person) and `on_call` (group name to person) hold
    labels. `served` says when round robin last served a (group id, person id).
    """

    account: str
    groups: tuple[Group, ...] = ()
    agents: tuple[Agent, ...] = ()
    leads: Mapping[str, str] = field(default_factory=dict)
    managers: Mapping[str, str] = field(default_factory=dict)
    on_call: Mapping[str, str] = field(default_factory=dict)
    served: Mapping[tuple[str, str], Instant] = field(default_factory=dict)

    def group(self, name: str) -> Group | None:
        """The group of that name, or None."""
        return next((group for group in self.groups if group.name == name), None)

    def agent(self, label: str) -> Agent | None:
        """The agent of that address, else of that name, or None."""
        by_address = (a for a in self.agents if a.person.address == label)
        by_name = (a for a in self.agents if a.person.name == label)
        return next(by_address, None) or next(by_name, None)


# --- What a policy remembers of a ticket -------------------------------------------------------------------


class How(StrEnum):
    """How a level was passed (rule 3)."""

    FIRED = "fired"
    OVERTAKEN = "overtaken"
    OBSERVED = "observed"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who answers for an escalation. `kind` is `name` when the directory knows neither group nor person."""

    name: str
    kind: Literal["group", "person", "name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A level that will never fire again in this episode. `due` is when it was due, `at` when it was passed."""

    level: str
    how: How
    at: Instant
    due: Instant | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """The level whose first write has no outcome yet. Nothing counts from it (rule 3)."""

    level: str
    at: Instant
    due: Instant
    overtaken: tuple[str, ...] = ()
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """One field that an episode wrote over: what stood there before, and the vendor's fact that did it."""

    field: str
    before: Value
    after: Value
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One run of one policy on one ticket."""

    key: str
    policy: str
    number: int
    started: Instant
    clock_start: Instant | None
    passed: tuple[Passed, ...] = ()
    under_way: UnderWay | None = None
    owner: Owner | None = None
    acknowledged: Instant | None = None
    acknowledged_by: str | None = None
    wrote: tuple[Wrote, ...] = ()
    matching_since: Instant | None = None
    repeated: int = 0
    last_sent: Instant | None = None
    ended: Instant | None = None
    reason: str | None = None
    policy_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that one policy has to remember of one ticket between two looks.

    `matched` is whether `when` held at the last look. `acknowledged` outlives the episode until the clock
    restarts (rule 4); `behind` are the levels a later episode on the same deadline starts behind.
    """

    policy: str
    matched: bool = False
    episodes: int = 0
    episode: Episode | None = None
    acknowledged: Instant | None = None
    acknowledged_clock: Instant | None = None
    behind: tuple[Passed, ...] = ()


# --- What to do: actions, plans ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """The ticket is with this group and this person afterwards. `assignee` None means nobody."""

    kind: Literal["assign"] = "assign"
    group: Group | None
    assignee: Person | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisePriority:
    """The priority is at least this afterwards."""

    kind: Literal["priority"] = "priority"
    at_least: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTags:
    """These tags are there, those are not. All others stay as they are."""

    kind: Literal["tags"] = "tags"
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetField:
    """A custom field (`custom.NAME`) holds this value afterwards."""

    kind: Literal["set"] = "set"
    field: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """This person follows the ticket."""

    kind: Literal["follow"] = "follow"
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A note (internal) or reply (public) is to be written; the worker renders `template` with the rest."""

    kind: Literal["say"] = "say"
    public: bool
    template: str
    policy: str
    level: str
    reasons: tuple[str, ...]
    owner: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A channel outside the helpdesk hears of it; channels are named in the config."""

    kind: Literal["notify"] = "notify"
    channel: str
    policy: str
    level: str
    reasons: tuple[str, ...]
    owner: str


Action = Assign | RaisePriority | ChangeTags | SetField | Follow | Say | Notify


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An action of a plan and the episodes that asked for it, the first policy's first."""

    action: Action
    episodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What a policy asked for and the plan does not do, and why."""

    policy: str
    level: str
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A line for the ledger: something that happened to an episode, as the plan decided it.

    `what` is one of started, fired, observed, overtaken, skipped, refused, repeated, acknowledged, ended,
    overruled, owner.
    """

    what: str
    policy: str
    episode: str
    level: str | None = None
    at: Instant
    owner: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTrace:
    """One condition line as it was judged: what it says, what it read, whether it held."""

    section: Literal["when", "unless"]
    path: str
    text: str
    read: Value
    held: bool
    inner: tuple["LineTrace", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTrace:
    """How the clock was read. `steps` are sentences of arithmetic, in order; `why_absent` if it has no start."""

    name: str
    start: Instant | None
    why_absent: str | None = None
    elapsed: Seconds | None = None
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTrace:
    """A level, when it is due, and how it stands: waiting, due, or how it was passed."""

    name: str
    due: Instant | None
    state: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTrace:
    """All that was considered for one policy, in the order it was considered."""

    policy: str
    mode: Literal["observe", "enforce"]
    holds: bool
    verdict: str
    lines: tuple[LineTrace, ...] = ()
    clock: ClockTrace | None = None
    levels: tuple[LevelTrace, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do now, with reasons, and when to look again.

    `standings` is what to remember once the plan is committed. `wanted` is empty in observe. `next_look` is
    the earliest time at which time alone could change the answer, None if it cannot. `owner` is the ticket's.
    """

    ref: TicketRef
    revision: str
    now: Instant
    wanted: tuple[Wanted, ...]
    left_out: tuple[LeftOut, ...]
    standings: tuple[Standing, ...]
    occurrences: tuple[Occurrence, ...]
    trace: tuple[PolicyTrace, ...]
    next_look: Instant | None
    owner: Owner | None
    warnings: tuple[str, ...] = ()
