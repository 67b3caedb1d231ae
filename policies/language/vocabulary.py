"""Every other word of the policy language, each in one row: what ends an episode, who is chosen, who answers, and the
keys of a policy and of a level. Fields, operators and clocks have tables of their own, `fields`, `operators` and
`clocks`."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.history import Fact, History
from policies.language.clocks import CLOCKS
from policies.language.document import listed
from policies.model import Agent, Directory, Group, Priority, Status, Ticket
from policies.state import Owner

# --- stops -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One word of `stop_on`. `reads` is what it reads of a ticket, in the words of `Ticket.hidden`.

    `is_it` says whether a fact is this one; a number is the sequence behind which somebody can acknowledge the
    episode, None before a level fired. One that `yields` counts only where the fact is no other.
    """

    name: str
    meaning: str
    phrase: str
    is_it: Callable[[Fact, History, int | None], bool] = field(compare=False, repr=False)
    reads: frozenset[str] = frozenset()
    yields: bool = False


STOPS: dict[str, Stop] = {
    each.name: each
    for each in (
        Stop(
            name="agent_reply",
            meaning="A human agent replies.",
            phrase="an agent replies",
            is_it=lambda fact, history, _: history.is_reply(fact),
            reads=frozenset({"messages"}),
        ),
        Stop(
            name="acknowledged",
            meaning="After a level: a human agent takes the ticket, replies or notes.",
            phrase="an agent acknowledges it",
            is_it=lambda fact, history, after: after is not None and history.acknowledges(fact, after),
            yields=True,
        ),
        Stop(
            name="assigned",
            meaning="A person changes the assignee.",
            phrase="a person changes the assignee",
            is_it=lambda fact, history, _: history.moves_by_hand(fact),
            reads=frozenset({"changes"}),
        ),
        Stop(
            name="customer_message",
            meaning="The customer writes.",
            phrase="the requester writes",
            is_it=lambda fact, history, _: history.is_customers(fact),
            reads=frozenset({"messages"}),
        ),
    )
}

# --- strategies ------------------------------------------------------------------------------------------------

Rank = Callable[[Agent], tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way to choose a person of a group; `phrase` says who that is, `because` why it is them.

    One that ranks the group's members picks the lowest, and may be narrowed to a skill; `takes_turns` says that a
    choice is remembered, `needs_loads` that it matters how many open tickets somebody has. One without a `rank` is
    told by the directory who it is.
    """

    name: str
    meaning: str
    phrase: str
    because: Callable[[Group, Agent | None], str] = field(compare=False, repr=False)
    rank: Callable[[Group, Directory], Rank] | None = field(default=None, compare=False, repr=False)
    named: Callable[[Group, Directory], str | None] | None = field(default=None, compare=False, repr=False)
    takes_turns: bool = False
    needs_loads: bool = False


def turn_in(group: Group, directory: Directory) -> Rank:
    """Whom round robin served longest ago in this group, never first."""
    served = directory.served
    never = min(served.values(), default=0) - 1
    return lambda agent: (served.get((group.id, agent.person.id), never), 0)


def load_in(group: Group, directory: Directory) -> Rank:
    """The least loaded first; agents whose load is not known come last."""
    del group, directory
    return lambda agent: (agent.open_load is None, agent.open_load or 0)


def least(_: Group, agent: Agent | None) -> str:
    """Why the least loaded was picked."""
    if agent is None or agent.open_load is None:
        return "first by address; no load is known"
    return f"least loaded ({agent.open_load} open tickets)"


STRATEGIES: dict[str, Strategy] = {
    each.name: each
    for each in (
        Strategy(
            name="round_robin",
            meaning="The available member of the group whom it served longest ago.",
            phrase="the member of {group} whose turn it is",
            because=lambda _group, _agent: "longest without a turn",
            rank=turn_in,
            takes_turns=True,
        ),
        Strategy(
            name="least_loaded",
            meaning="The available member of the group with the fewest open tickets.",
            phrase="the least loaded member of {group}",
            because=least,
            rank=load_in,
            needs_loads=True,
        ),
        Strategy(
            name="on_call",
            meaning="Whoever is on call for the group.",
            phrase="whoever is on call for {group}",
            because=lambda group, _: f"on call for {group.name}",
            named=lambda group, directory: directory.on_call.get(group.name),
        ),
    )
}


def ranks(name: str | None) -> bool:
    """Whether this is a strategy that chooses among a group's members."""
    return name in STRATEGIES and STRATEGIES[name].rank is not None


# --- owners ----------------------------------------------------------------------------------------------------

GROUP = "GROUP"
"""Stands for the name of a group, where a function takes one."""

ASSIGNEE = "assignee"
"""The one owner that is neither a name nor a function."""

OWNERS_OWN = "owner"
"""Among the channels of a level: those of whoever owns it, as `[people.NAME]` or `[groups.NAME]` says."""

CALL = re.compile(r"(\w+)\((.*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerFunction:
    """One function that may stand for an owner. `phrases` puts it into words for each thing it takes, `find` gives the
    label of the person for an argument, a ticket and the owner before.

    `role` is what such a person is called on a card, under this `title`, and `asked` what is expected of them.
    `climbs` says that it leads up the reporting line.
    """

    name: str
    meaning: str
    phrases: dict[str, str]
    role: str
    title: str
    find: Callable[[str, Ticket, Owner | None, Directory], str | None] = field(compare=False, repr=False)
    asked: str = ""
    climbs: bool = False

    @property
    def takes(self) -> tuple[str, ...]:
        """What may stand in its brackets."""
        return tuple(self.phrases)

    def phrase(self, argument: str) -> str:
        """Who that is, in words."""
        return self.phrases.get(argument) or self.phrases[GROUP].format(group=argument)


def lead_of(argument: str, ticket: Ticket, _: Owner | None, directory: Directory) -> str | None:
    """The lead of the ticket's group, or of the assignee's: the ticket's group if they are in it, else the first by
    name of those they are in."""
    group = ticket.group
    if argument == ASSIGNEE:
        theirs = directory.groups_of(ticket.assignee) if ticket.assignee else frozenset[str]()
        if group is None or group.id not in theirs:
            member_of = (each for each in directory.groups if each.id in theirs)
            group = min(member_of, key=lambda each: each.name, default=None)
    return directory.leads.get(group.name) if group else None


def manager_of(argument: str, ticket: Ticket, before: Owner | None, directory: Directory) -> str | None:
    """The manager of the assignee or of the owner before; a group stands for its lead."""
    if argument == ASSIGNEE:
        label = ticket.assignee.label if ticket.assignee else None
    elif before is not None and before.kind == "group":
        label = directory.leads.get(before.name)
    else:
        label = before.name if before else None
    return directory.managers.get(label) if label else None


OWNER_FUNCTIONS: dict[str, OwnerFunction] = {
    each.name: each
    for each in (
        OwnerFunction(
            name="lead_of",
            meaning="The lead of the ticket's group, or of the assignee's.",
            phrases={
                "group": "the lead of the ticket's group",
                ASSIGNEE: "the lead of the assignee's group",
            },
            role="lead",
            title="Team lead",
            asked="See that somebody answers it, or take it.",
            find=lead_of,
            climbs=True,
        ),
        OwnerFunction(
            name="manager_of",
            meaning="The manager of the assignee, or of the owner before.",
            phrases={ASSIGNEE: "the manager of the assignee", "owner": "the manager of the owner before"},
            role="manager",
            title="Manager, duty manager",
            asked="Decide who acts, and see that the requester hears.",
            find=manager_of,
            climbs=True,
        ),
        OwnerFunction(
            name="on_call",
            meaning="Whoever is on call for a group.",
            phrases={GROUP: "whoever is on call for {group}"},
            role="on-call",
            title="On call",
            find=lambda argument, _ticket, _before, directory: directory.on_call.get(argument),
        ),
    )
}


def call_of(owner: str) -> tuple[OwnerFunction, str] | None:
    """The function that this owner is, and what it is asked of; None for a name."""
    call = CALL.fullmatch(owner)
    function = OWNER_FUNCTIONS.get(call[1]) if call else None
    if call is None or function is None or not call[2]:
        return None
    return function, call[2]


# --- keys ------------------------------------------------------------------------------------------------------

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "array", "items": TEXT, "minItems": 1}
DURATION: Schema = {
    "type": "string",
    "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$",
    "minLength": 2,
    "examples": ["30m", "1h30m", "2d"],
}
YES: Schema = {"type": "boolean"}
CONDITIONS: Schema = {"$ref": "#/$defs/conditions"}


def some_of(words: Iterable[str]) -> Schema:
    """A list of some of these words."""
    return {"type": "array", "items": {"enum": [str(word) for word in words]}, "minItems": 1}


def closed(keys: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """A table with these keys and no others."""
    return {
        "type": "object",
        "properties": dict(keys),
        "required": list(required),
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table of the files, and what may stand behind it.

    Of a level: an `acts` key is something that it does. One that is `risky` is left out while nobody can tell whether
    the ticket is excluded (rule 8); an `instead` may stand in `otherwise`. What a `worded` key says is for people and
    decides nothing: only whether it stands there does. `leaves` puts into words how the ticket looks afterwards.
    """

    name: str
    meaning: str
    schema: Callable[[], Schema] = field(compare=False, repr=False)
    required: bool = False
    acts: bool = False
    risky: bool = False
    instead: bool = False
    worded: bool = False
    leaves: Callable[[Any], Iterable[str]] | None = field(default=None, compare=False, repr=False)


def written(keys: Mapping[str, Key]) -> Schema:
    """A table with these keys and no others, each with its sentence."""
    says = {name: {**key.schema(), "description": key.meaning} for name, key in keys.items()}
    return closed(says, [name for name, key in keys.items() if key.required])


Mode = Literal["observe", "enforce"]
Kind = Literal["functional", "hierarchical", "priority"]
Holder = Literal["assignee", "group"]

MODES: dict[str, Mode] = {"observe": "observe", "enforce": "enforce"}
KINDS: dict[str, Kind] = {
    "functional": "functional",
    "hierarchical": "hierarchical",
    "priority": "priority",
}
LevelClock = Literal["policy", "since_last_level", "weekly"]
LEVEL_CLOCKS: dict[str, LevelClock] = {"since_last_level": "since_last_level", "weekly": "weekly"}
"""What a level may count on in place of the policy's clock."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME_OF_WEEK = re.compile(rf"^({'|'.join(DAYS)}) ([01]\d|2[0-3]):([0-5]\d)$")

HOLDERS: tuple[Holder, ...] = ("assignee", "group")
PAUSES = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
REPLIES = ("public", "internal")
DUES = ("after", "before", "at", "on")
"""Exactly one of these keys says when a level is due."""


def assignment() -> Schema:
    """What may stand behind `assign`."""
    return closed({"group": TEXT, "agent": {**TEXT, "examples": list(STRATEGIES)}, "skill": TEXT})


Lapse = Literal["reject", "fire"]
LAPSES: dict[str, Lapse] = {"reject": "reject", "fire": "fire"}
"""What becomes of a level that nobody has approved or rejected in time."""


def approval() -> Schema:
    """What may stand behind `approval`."""
    then = {"oneOf": [{"enum": list(LAPSES)}, closed({"owner": TEXT}, ("owner",))]}
    return closed({"note": TEXT, "notify": TEXTS, "owner": TEXT, "within": DURATION, "then": then})


def otherwise() -> Schema:
    """What may stand behind `otherwise`."""
    return closed({name: key.schema() for name, key in LEVEL_KEYS.items() if key.instead})


LEVEL_KEYS: dict[str, Key] = {
    each.name: each
    for each in (
        Key("name", "What the level is called; unique in the policy.", lambda: TEXT, required=True),
        Key(
            "kind",
            "functional, hierarchical or priority; told by the actions if not given.",
            lambda: {"enum": list(KINDS)},
        ),
        Key(
            "after",
            "How far along the clock the level is due; on a deadline clock, how long after the deadline.",
            lambda: DURATION,
        ),
        Key("before", "On a deadline clock: how long before the deadline.", lambda: DURATION),
        Key(
            "at",
            "On a deadline clock: at this percentage of the time between start and deadline.",
            lambda: {"type": "integer", "minimum": 1, "maximum": 100},
        ),
        Key(
            "clock",
            "since_last_level counts from when the level before was passed; weekly is due at a time of the week.",
            lambda: {"enum": list(LEVEL_CLOCKS)},
        ),
        Key(
            "on",
            'With clock = "weekly": the day and time, in the zone of the policy\'s calendar.',
            lambda: {
                "type": "string",
                "pattern": TIME_OF_WEEK.pattern,
                "examples": ["fri 17:00", "mon 08:00"],
            },
        ),
        Key(
            "owner",
            "Who is accountable from here: a group, a person, or a function such as lead_of(group).",
            lambda: {
                **TEXT,
                "examples": ["Tier 2", "assignee", "lead_of(group)", "manager_of(owner)"],
            },
            instead=True,
        ),
        Key(
            "assign",
            "Whom the ticket goes to: a group, an agent or a strategy, or both.",
            assignment,
            acts=True,
            risky=True,
            instead=True,
        ),
        Key(
            "return",
            "true gives the ticket back to whom it was with before the episode assigned it.",
            lambda: YES,
        ),
        Key(
            "priority",
            "The priority is at least this afterwards.",
            lambda: closed({"at_least": {"enum": list(Priority)}}),
            acts=True,
            risky=True,
            leaves=lambda priority: (f"priority at least {priority}",),
        ),
        Key(
            "tags",
            "Tags that are there afterwards.",
            lambda: TEXTS,
            acts=True,
            leaves=lambda tags: (f"tagged {listed(sorted(tags), 'and')}",),
        ),
        Key(
            "untag",
            "Tags that are gone afterwards.",
            lambda: TEXTS,
            acts=True,
            leaves=lambda tags: (f"no longer tagged {listed(sorted(tags))}",),
        ),
        Key(
            "set",
            "Fields and the values they have afterwards.",
            lambda: {"type": "object", "minProperties": 1},
            acts=True,
            risky=True,
            leaves=lambda pairs: [f"{name} is {value}" for name, value in pairs],
        ),
        Key("note", "The template of an internal note.", lambda: TEXT, acts=True, instead=True, worded=True),
        Key("reply", "The template of a public reply.", lambda: TEXT, acts=True, risky=True, worded=True),
        Key(
            "follow",
            "People who follow the ticket afterwards.",
            lambda: TEXTS,
            acts=True,
            risky=True,
            leaves=lambda people: (f"followed by {listed(people, 'and')}",),
        ),
        Key(
            "notify",
            'Channels outside the helpdesk that hear of it; "owner" stands for those of whoever owns it then.',
            lambda: TEXTS,
            acts=True,
            instead=True,
            worded=True,
        ),
        Key("ask", "What is asked of whoever gets the ticket; said in the note.", lambda: TEXT, worded=True),
        Key(
            "checklist", "Steps for whoever gets the ticket; listed in the note.", lambda: TEXTS, worded=True
        ),
        Key(
            "hand_off",
            "true puts into the note what the ticket is about and what was tried.",
            lambda: YES,
            worded=True,
        ),
        Key(
            "approval",
            "A person must approve the level before it fires: who, until when, and what asks them to.",
            approval,
        ),
        Key(
            "within",
            "A calendar; while it is closed the level waits, or does what `otherwise` says.",
            lambda: TEXT,
        ),
        Key(
            "otherwise",
            "What the level does instead while `within` is closed: owner, assign, notify and so on.",
            otherwise,
        ),
        Key(
            "repeat",
            "Say the note and the notifications again: every so often, so many times.",
            lambda: closed(
                {"every": DURATION, "times": {"type": "integer", "minimum": 1}}, ("every", "times")
            ),
        ),
    )
}

ACTIONS = tuple(name for name, key in LEVEL_KEYS.items() if key.acts)
RISKY = tuple(name for name, key in LEVEL_KEYS.items() if key.risky)
INSTEAD = tuple(name for name, key in LEVEL_KEYS.items() if key.instead)
SILENCED = ("reply", "assign", "set")
"""What no other policy does while an exclusive one runs."""


def levels() -> Schema:
    """What may stand behind `level`: tables of which each says once when it is due."""
    due = {"oneOf": [{"required": [each]} for each in DUES]}
    return {"type": "array", "items": written(LEVEL_KEYS) | due, "minItems": 1}


def clocks() -> Schema:
    """What may stand behind the `clock` of a policy."""
    return {"oneOf": [{"const": name, "description": clock.meaning} for name, clock in CLOCKS.items()]}


POLICY_KEYS: dict[str, Key] = {
    each.name: each
    for each in (
        Key("name", "What the policy is called; unique over all files.", lambda: TEXT, required=True),
        Key("accounts", "The accounts the policy serves; all if not given.", lambda: TEXTS),
        Key(
            "mode",
            "observe records what it would do, enforce does it; inherited if not given.",
            lambda: {"enum": list(MODES)},
        ),
        Key("clock", "What the levels count on.", clocks, required=True),
        Key("calendar", "The calendar that counts the time; without one, day and night count.", lambda: TEXT),
        Key("stop_on", "What ends an episode, besides `when` no longer holding.", lambda: some_of(STOPS)),
        Key("pause_on", "In these statuses the clock stands still.", lambda: some_of(PAUSES)),
        Key(
            "counts_as_reply",
            "What counts as a reply; public unless said otherwise.",
            lambda: some_of(REPLIES),
        ),
        Key("public", "true lets levels write public replies, which customers read.", lambda: YES),
        Key(
            "exclusive",
            "true: while it runs, no other policy replies, assigns or sets fields on the ticket.",
            lambda: YES,
        ),
        Key(
            "acknowledge_tags",
            "A person who adds one of these tags acknowledges the escalation.",
            lambda: TEXTS,
        ),
        Key(
            "backlog",
            "skip leaves out what was due before the policy first ran; fire does it late.",
            lambda: {"enum": ["fire", "skip"]},
        ),
        Key("when", "Every line must hold.", lambda: CONDITIONS, required=True),
        Key("unless", "Any line that holds leaves the ticket out.", lambda: CONDITIONS),
        Key("level", "The rungs of the ladder, in order.", levels, required=True),
    )
}

CHANNEL_KEYS: dict[str, Key] = {
    each.name: each
    for each in (
        Key(
            "url",
            'Where it is, as apprise writes it, kept as a secret: "secret:NAME".',
            lambda: {"type": "string", "pattern": "^secret:", "examples": ["secret:leads-slack"]},
            required=True,
        ),
        Key("template", "The template of its messages; a built sentence if not given.", lambda: TEXT),
        Key(
            "quiet",
            "Outside the hours of this calendar nothing is sent; what comes then waits until it opens.",
            lambda: closed({"calendar": TEXT}, ("calendar",)),
        ),
        Key(
            "digest",
            "Of more than so many messages within this time, the rest is gathered into one.",
            lambda: closed(
                {"above": {"type": "integer", "minimum": 1}, "within": DURATION}, ("above", "within")
            ),
        ),
    )
}

AMOUNT: Schema = {"type": "number", "minimum": 0, "description": "Up to this amount they may decide."}

PERSON_KEYS: dict[str, Schema] = {
    "manager": TEXT,
    "limit": AMOUNT,
    "timezone": TEXT,
    "absent": TEXTS,
    "substitute": TEXT,
    "cap": {"type": "integer", "minimum": 1},
    "skills": TEXTS,
    "channels": TEXTS,
}
GROUP_KEYS: dict[str, Schema] = {"lead": TEXT, "on_call": TEXT, "limit": AMOUNT, "channels": TEXTS}
