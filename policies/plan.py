"""What to do now, as values that can be printed, stored, compared and refused: actions and plans."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from policies.model import Group, Instant, Person, Priority, Ticket, TicketRef, Value
from policies.state import Cause, Episode, Owner, Standing

if TYPE_CHECKING:
    from policies.rules.observe import Scene
    from policies.rules.outcomes import Considered


Fields = tuple[str, ...]

# What is true of an action stands on its class: `called` is its name in the ledger, `replaces` are the fields that it
# sets and `adds` those to which it adds, by their common names; `on` is a ticket with it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """The ticket is with this group and this person afterwards. `assignee` None means nobody."""

    kind: Literal["assign"] = "assign"
    group: Group | None
    assignee: Person | None

    called: ClassVar[str] = "assignment"
    replaces: ClassVar[Fields] = ("group", "assignee")
    adds: ClassVar[Fields] = ()

    def on(self, ticket: Ticket) -> Ticket:
        """The ticket afterwards."""
        return replace(ticket, group=self.group, assignee=self.assignee)


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisePriority:
    """The priority is at least this afterwards."""

    kind: Literal["priority"] = "priority"
    at_least: Priority

    called: ClassVar[str] = "priority"
    replaces: ClassVar[Fields] = ("priority",)
    adds: ClassVar[Fields] = ()

    def on(self, ticket: Ticket) -> Ticket:
        """The ticket afterwards; one that ranks higher keeps its priority."""
        rank = ticket.priority.rank if ticket.priority else 0
        return replace(ticket, priority=self.at_least) if self.at_least.rank > rank else ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBackPriority:
    """The priority is this again, lower or not: an escalation is taken back."""

    kind: Literal["put_back"] = "put_back"
    to: Priority

    called: ClassVar[str] = "priority put back"
    replaces: ClassVar[Fields] = ("priority",)
    adds: ClassVar[Fields] = ()

    def on(self, ticket: Ticket) -> Ticket:
        """The ticket afterwards."""
        return replace(ticket, priority=self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTags:
    """These tags are there, those are not. All others stay as they are."""

    kind: Literal["tags"] = "tags"
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()

    called: ClassVar[str] = "tags"
    replaces: ClassVar[Fields] = ()
    adds: ClassVar[Fields] = ("tags",)

    def on(self, ticket: Ticket) -> Ticket:
        """The ticket afterwards."""
        return replace(ticket, tags=(ticket.tags - self.remove) | self.add)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetField:
    """A custom field (`custom.NAME`) holds this value afterwards."""

    kind: Literal["set"] = "set"
    field: str
    value: Value

    adds: ClassVar[Fields] = ()

    @property
    def called(self) -> str:
        """It goes by the name of the field."""
        return f"field {self.field}"

    @property
    def replaces(self) -> Fields:
        """The field."""
        return (self.field,)

    def on(self, ticket: Ticket) -> Ticket:
        """The ticket afterwards."""
        return replace(ticket, custom={**ticket.custom, self.field.removeprefix("custom."): self.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """This person follows the ticket."""

    kind: Literal["follow"] = "follow"
    person: Person

    called: ClassVar[str] = "follower"
    replaces: ClassVar[Fields] = ()
    adds: ClassVar[Fields] = ("follow",)

    def on(self, ticket: Ticket) -> Ticket:
        """The ticket, which does not tell of its followers."""
        return ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A note (internal) or reply (public) is to be written; the worker renders `template` with the rest. `reasons` and
    `next_step` are words, which `policies.present.explain` gives it."""

    kind: Literal["say"] = "say"
    public: bool
    template: str
    policy: str
    level: str
    owner: str
    reasons: tuple[str, ...] = ()
    next_step: str = ""
    ask: str | None = None
    checklist: tuple[str, ...] = ()
    hand_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A channel outside the helpdesk hears of it; channels are named in the config. Its words are as those of `Say`."""

    kind: Literal["notify"] = "notify"
    channel: str
    policy: str
    level: str
    owner: str
    reasons: tuple[str, ...] = ()
    next_step: str = ""


TicketAction = Assign | RaisePriority | PutBackPriority | ChangeTags | SetField | Follow
TicketActionKind = Literal["assign", "priority", "put_back", "tags", "set", "follow"]
Action = TicketAction | Say | Notify
PutBack = Assign | PutBackPriority | ChangeTags | SetField
"""What takes an action back. What was said stays said, and who follows goes on."""


def differences(action: Action, ticket: Ticket) -> tuple[tuple[str, Any, Any], ...]:
    """Each field that the action would leave otherwise than it is: its name, what stands there and what would, in words
    of policies. What is said is no field; of followers a ticket does not tell."""
    if isinstance(action, Say | Notify):
        return ()
    if isinstance(action, Follow):
        return (("followers", "as they are", f"with {action.person.label}"),)
    after, names = action.on(ticket), (*action.replaces, *action.adds)
    found = ((name, spoken_of(ticket, name), spoken_of(after, name)) for name in names)
    return tuple(each for each in found if each[1] != each[2])


def spoken_of(ticket: Ticket, name: str) -> Any:
    """What stands in a field that an action changes, people and groups by name."""
    match name:
        case "group":
            return ticket.group and ticket.group.name
        case "assignee":
            return ticket.assignee and ticket.assignee.label
        case "priority":
            return ticket.priority
        case "tags":
            return ticket.tags
    return ticket.custom.get(name.removeprefix("custom."))


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
    overruled, would overrule (in observe), owner; or what a
    person ordered: snoozed, escalated, deescalated, approved, rejected, undone, put back,
    order refused;
    or approval asked, left out, made up (what had been left out and can be done by now), or chosen (why somebody was
    assigned). `who` is Uptier, or the person. Of a level that was passed the `cause` says why, where it is known.
    """

    what: str
    policy: str
    episode: str
    level: str | None = None
    at: Instant
    owner: str | None = None
    text: str = ""
    who: str = "uptier"
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A policy that raised and was taken out of the look, and the error in one line."""

    policy: str
    error: str

    @property
    def text(self) -> str:
        """What is said of it."""
        said = f'policy "{self.policy}" failed and was left out of this look; the others were evaluated'
        return f"{said}: {self.error}. Please report it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do now, with reasons, and when to look again.

    `standings` is what to remember once the plan is committed. `wanted` is empty in observe. `next_look` is
    the earliest time at which time alone could change the answer, None if it cannot. `owner` is the ticket's.
    `ended` are the episodes that ended with this plan, as they ended; a standing may already hold the next.
    `served` are the (group id, person id) whom round robin gave this ticket. `failed` are the policies that raised:
    the plan is without them, and their standings are as they were. `exclusive` is the key of the episode beside which
    no other replies, assigns or sets fields, empty without one. `considered` and `scene` are the facts that
    `policies.present` makes sentences of when somebody asks.
    """

    ref: TicketRef
    revision: str
    now: Instant
    wanted: tuple[Wanted, ...]
    left_out: tuple[LeftOut, ...]
    standings: tuple[Standing, ...]
    occurrences: tuple[Occurrence, ...]
    next_look: Instant | None
    owner: Owner | None
    ended: tuple[Episode, ...] = ()
    served: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    failed: tuple[Failed, ...] = ()
    exclusive: str = ""
    considered: tuple["Considered", ...] = field(default=(), repr=False, compare=False)
    scene: "Scene | None" = field(default=None, repr=False, compare=False)

    @property
    def takes_back(self) -> frozenset[str]:
        """The undos that go on; while there is one, nothing else is wanted."""
        return frozenset(each.undo.key for each in self.standings if each.undo is not None)
