"""The nouns: tickets, people, durations, what happened and what was ordered. Frozen values only; nothing here acts.

Instants are whole seconds since 1970-01-01T00:00Z (`Instant`), spans are whole seconds (`Seconds`). Both are
plain integers: they cannot be naive, they compare, and both databases store them as they are.
"""

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

Instant = int
Seconds = int
Value = str | int | float | bool | tuple[str, ...] | None
Wanted = str | int | float | bool | tuple[str | int | float, ...]
"""What may stand in a condition behind an operator."""


class Phrase(NamedTuple):
    """A phrase and the values that belong into it, not put together: so it is kept, and can be said in another
    language. A list is said as `a and b`."""

    pattern: str
    values: tuple[Value, ...] = ()

    def __str__(self) -> str:
        return self.pattern.format(
            *(" and ".join(each) if isinstance(each, tuple) else each for each in self.values)
        )


# --- in which language people are told --------------------------------------------------------------------------
# The sources hold English. Whoever tells, and for as long as it tells, may say another: what is decided, kept and
# written to a helpdesk never depends on it.


def _as_it_is(text: str) -> str:
    return text


TRANSLATE: ContextVar[Callable[[str], str]] = ContextVar("translate", default=_as_it_is)
"""The words of a message in the language of whoever is told."""


def _(text: str, /, **values: object) -> str:
    """The message in the language of whoever is told, with these values in its `{places}`."""
    told = TRANSLATE.get()(text) if text else ""
    return told.format(**values) if values else told


def phrased(phrase: Phrase | str | None) -> str:
    """A phrase with its values, in the language of whoever is told; a text of an earlier version as it is."""
    if not isinstance(phrase, Phrase):
        return "" if phrase is None else phrase
    values = (_(" and ").join(each) if isinstance(each, tuple) else each for each in phrase.values)
    return _(phrase.pattern).format(*values)


def message(text: str) -> str:
    """A message that is told later, by `_`: marked, so that the catalogues have it."""
    return text


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
    """Who did a thing (rule 11). An adapter says BOT for the bot's user; `policies.history` settles it with our
    receipts into OURS or AUTOMATION, so a rule never meets BOT.

    UNKNOWN is for a change of which the helpdesk hides who made it, such as one that shows between two readings of the
    ticket. Its `Act.id` is `policies.history.by_revision(revision)` of the revision that first showed it, so that a
    receipt settles it into OURS. What stays UNKNOWN is an act that touches the ticket (`untouched`), and a change to an
    assignee is taken for that person's acknowledgement, unless the account opts out (`assignment_acknowledges`).
    It counts neither as a reassignment nor as a bounce."""

    CUSTOMER = "customer"
    AGENT = "agent"
    AUTOMATION = "automation"
    BOT = "bot"
    OURS = "ours"
    UNKNOWN = "unknown"


class Satisfaction(StrEnum):
    """How the customer rated the help they got."""

    GOOD = "good"
    BAD = "bad"


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
    """What policies may need beyond the ticket's own row; compiled from them.

    All but RECENT and AVAILABILITY are given to `Adapter.load`; recent tickets are counted from Uptier's own store,
    and who is there the directory and the config tell.
    """

    MESSAGES = "messages"
    CHANGES = "changes"
    TARGETS = "targets"
    RATING = "rating"
    RECENT = "recent"
    AVAILABILITY = "availability"


FROM_HELPDESK = frozenset(Need) - {Need.RECENT, Need.AVAILABILITY}
"""What an adapter loads."""


@dataclass(frozen=True, slots=True, order=True)
class TicketRef:
    """A ticket's name in logs, URLs, rows and commands: `account/id`."""

    account: str
    id: str

    def __str__(self) -> str:
        return f"{self.account}/{self.id}"

    def named(self, number: str) -> str:
        """How people know it: `account/number`, or by its id where that is its number."""
        return f"{self.account}/{number or self.id}"

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
    `unreceipted` says that the bot's user did it and Uptier has no receipt for it; such an act is AUTOMATION.
    """

    sequence: int
    id: str
    at: Instant
    who: Who
    person: str | None = None
    mark: str | None = None
    episodes: frozenset[str] = frozenset()
    unreceipted: bool = False


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
    """One SLA target as the helpdesk gives it. `start` is None on a helpdesk that never tells it. `breached` is
    whether the helpdesk itself says that it was missed, which stays so when it is fulfilled later."""

    metric: Metric
    stage: Stage
    due: Instant | None
    start: Instant | None = None
    breached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """People's doings only (rule 5). None where it was not loaded or the helpdesk does not tell."""

    replies: int | None = None
    reopens: int | None = None
    reassignments: int | None = None
    bounces: int | None = None
    group_moves: int | None = None
    group_bounces: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """How many tickets of the same requester, and of the same organization, were created in the last 7 days, as far
    as Uptier has seen them, this one included. None where it was not counted or there is no such person."""

    of_requester: int | None = None
    of_organization: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket as last read.

    `updated` is the vendor's stamp of the newest revision, `read_at` the vendor's own time of the answer it
    was read from (ours where it gives none), `revision` what the vendor offers to notice a concurrent change.
    `gone` is set instead of raising on a snapshot of a ticket that was deleted, merged or marked as spam.
    `messages` and `changes` are in the vendor's order, oldest first, and empty unless `loaded` names them.
    `hidden` names what the helpdesk does not show of this ticket (rule 8): common fields (`priority`, `created`,
    `custom.NAME`) and histories (`messages`, `changes`, `targets`). What it names holds no value that could be
    believed, and is unknown, not missing.
    `actors_hidden` is for a helpdesk that does not tell who changed a ticket: there any revision that is not our
    receipt touches it. `touched` is then the stamp of this revision, None if it is ours; `policies.history` sets it.
    `message_count` is how many messages a row of a feed says there are, None where it does not.
    `number` is what people at the helpdesk call it, empty where that is its id; `name` is it with its account.
    """

    ref: TicketRef
    number: str = ""
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
    satisfaction: Satisfaction | None = None
    created: Instant
    updated: Instant
    read_at: Instant
    revision: str
    status_since: Instant | None = None
    custom: Mapping[str, Value] = field(default_factory=dict)
    counts: Counts = Counts()
    recent: Recent = Recent()
    targets: tuple[Target, ...] = ()
    messages: tuple[Message, ...] = ()
    changes: tuple[Change, ...] = ()
    loaded: frozenset[Need] = frozenset()
    gone: Literal["deleted", "spam", "merged"] | None = None
    hidden: frozenset[str] = frozenset()
    actors_hidden: bool = False
    touched: Instant | None = None
    assignee_away: bool | None = None
    message_count: int | None = None

    @property
    def name(self) -> str:
        """How people know it, such as `acme/INC0010023`."""
        return self.ref.named(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Someone who can be assigned. `available` is None where the helpdesk does not tell; `why_away`, `cap` (open
    tickets) and `skills` come from the config."""

    person: Person
    groups: frozenset[str] = frozenset()
    default_group: str | None = None
    active: bool = True
    available: bool | None = None
    open_load: int | None = None
    why_away: str = ""
    cap: int | None = None
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Groups and people of one account, as last read from the vendor, joined with what the config knows.

    `leads` (group name to person), `managers` (person to person) and `on_call` (group name to person) hold
    labels, so do `substitutes` (who stands in for whom) and `away` (why somebody is absent). `served` says when
    round robin last served a (group id, person id).
    """

    account: str
    groups: tuple[Group, ...] = ()
    agents: tuple[Agent, ...] = ()
    leads: Mapping[str, str] = field(default_factory=dict)
    managers: Mapping[str, str] = field(default_factory=dict)
    on_call: Mapping[str, str] = field(default_factory=dict)
    served: Mapping[tuple[str, str], Instant] = field(default_factory=dict)
    substitutes: Mapping[str, str] = field(default_factory=dict)
    away: Mapping[str, str] = field(default_factory=dict)

    def group(self, name: str) -> Group | None:
        """The group of that name, or None."""
        return next((group for group in self.groups if group.name == name), None)

    def agent(self, label: str) -> Agent | None:
        """The agent of that address, else of that name, or None."""
        by_address = (a for a in self.agents if a.person.address == label)
        by_name = (a for a in self.agents if a.person.name == label)
        return next(by_address, None) or next(by_name, None)

    def groups_of(self, person: Person) -> frozenset[str]:
        """The ids of the groups a person is in."""
        found = (agent.groups for agent in self.agents if agent.person.id == person.id)
        return next(found, frozenset())


Verb = Literal["acknowledge", "snooze", "escalate", "deescalate", "approve", "reject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `who` ordered at `at`. `policy` None means every policy that can carry it out; `until` is for a snooze,
    which holds for the ticket, `level` for an escalation past the next level, or for the level that is approved;
    `episode` for an undo: the oldest that is taken back, running or ended. An `admin` may approve what another was
    asked for, with a reason."""

    verb: Verb | Literal["undo"]
    who: str
    at: Instant
    reason: str = ""
    policy: str | None = None
    level: str | None = None
    until: Instant | None = None
    episode: str | None = None
    admin: bool = False

    @property
    def because(self) -> str:
        """Who ordered it and why, for the ledger and for explain."""
        return f"by {self.who}: {self.reason}" if self.reason else f"by {self.who}"


UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
SHAPE = re.compile(r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
LONGEST = 3_660 * UNITS["d"]
LONGEST_TEXT = 60
"""Characters; more are no number that could be meant."""


def seconds(text: str) -> Seconds:
    """Read `90s`, `30m`, `1h30m`, `2d`: units once each, largest first. ValueError says what is wrong."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f'"{text[:LONGEST_TEXT]}…" is too long for a duration; write for example "30m" or "2d"'
        )
    match = SHAPE.fullmatch(text)
    if not text or match is None:
        raise ValueError(f'"{text}" is not a duration; write for example "30m", "1h30m" or "2d"')
    total = sum(int(count) * UNITS[unit] for unit, count in match.groupdict().items() if count)
    if total > LONGEST:
        raise ValueError(f'"{text}" is longer than ten years; write a shorter duration')
    return total


def says_days(text: str) -> bool:
    """Whether the text counts in days, which a calendar cannot."""
    return "d" in text


def spell(span: Seconds) -> str:
    """Write a span the way `seconds` reads it: hours, minutes and seconds, `0m` for none. Between hours and seconds the
    minutes stand also where there are none: `9h0m34s` is not taken for `9h34m`."""
    hours, rest = divmod(span, 3_600)
    minutes, left = divmod(rest, 60)
    between = minutes or (hours and left)
    parts = (f"{hours}h" if hours else "", f"{minutes}m" if between else "", f"{left}s" if left else "")
    return "".join(parts) or "0m"
