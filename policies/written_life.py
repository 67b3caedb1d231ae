"""A ticket's life as people write it down, a line each: what comes in, what people do, and what Uptier must do. The
lines of tests and of drills are read here, with the groups and people who take part."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from policies.language.document import Problem, did_you_mean, listed
from policies.language.fields import CUSTOM, find
from policies.language.policy import Level, Policy, PolicySet
from policies.language.reader import Table
from policies.language.vocabulary import ASSIGNEE, GROUP, call_of
from policies.model import (
    Agent,
    Counts,
    Directory,
    Group,
    Instant,
    Metric,
    Need,
    Order,
    Person,
    Priority,
    Recent,
    Satisfaction,
    Seconds,
    Stage,
    Status,
    Target,
    Ticket,
    TicketRef,
    Value,
    Verb,
    Who,
)
from policies.replay import Acted, Event, Ordered, Said, Shown, with_value

DAY: Seconds = 86_400
MINUTE: Seconds = 60

FIRES: Mapping[str, str] = {"fired": "fires", "repeated": "repeats", "approval asked": "asks"}
"""What of the ledger a test expects, and by which word."""


class Fires(NamedTuple):
    """What a policy did, or must do; an owner that is not said may be any."""

    what: str
    level: str
    policy: str
    owner: str | None

    def fits(self, found: "Fires") -> bool:
        """Whether this is what was found."""
        return self[:3] == found[:3] and self.owner in (None, found.owner)

    def words(self, several: bool) -> str:
        """As a line says it; of `several` policies it says which."""
        of = f" of {self.policy}" if several else ""
        to = f" to {self.owner}" if self.owner else ""
        return f"{FIRES[self.what]} {self.level}{of}{to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must happen from `at` on, `within` so many seconds, as its line says."""

    at: Instant
    within: Seconds
    fires: Fires
    line: int

    def is_met(self, at: Instant, found: Fires) -> bool:
        """Whether this is what was found."""
        return self.at <= at < self.at + self.within and self.fires.fits(found)


# --- who works there -------------------------------------------------------------------------------------------


class Cast:
    """Groups and people: those whom the policies name, those of the test's `groups`, and whom its life names."""

    def __init__(self, policies: PolicySet, groups: Mapping[str, Sequence[str]]) -> None:
        self.members: dict[str, list[str]] = {}
        self.people: dict[str, Person] = {}
        staff = policies.staff
        levels = [level for each in policies.policies for rung in each.levels for level in rung.variants]
        known = (*policies.managers, *policies.managers.values(), *policies.limits.people)
        for label in (
            *known,
            *staff.absences,
            *staff.substitutes,
            *staff.substitutes.values(),
            *staff.skills,
        ):
            self.person(label)
        for named in (policies.leads, policies.on_call):
            for name, label in named.items():
                self.joins(label, name)
        for name in policies.limits.groups:
            self.group(name)
        for level in levels:
            self.meets(level)
        for owner in (*(level.owner for level in levels), policies.default_owner):
            self.answers(owner)
        for name, people in groups.items():
            self.group(name)
            for label in people:
                self.joins(label, name)

    def meets(self, level: Level) -> None:
        """The names that a level uses."""
        for kind, name in level.named:
            if kind == "group":
                self.group(name)
            elif kind == "agent" or (call_of(name) is None and name != ASSIGNEE):
                self.person(name)

    def answers(self, owner: str | None) -> None:
        """The name of an owner: a person if it is an address or somebody known, else a group."""
        call = call_of(owner) if owner else None
        if call is not None and GROUP in call[0].takes:
            self.group(call[1])
        elif owner and call is None and owner != ASSIGNEE and owner not in self.people:
            if "@" in owner:
                self.person(owner)
            else:
                self.group(owner)

    def group(self, name: str) -> Group:
        """The group of this name, from now on."""
        self.members.setdefault(name, [])
        return Group(id=name, name=name)

    def joins(self, label: str, group: str) -> None:
        """From now on this person is in that group."""
        self.group(group)
        person = self.person(label)
        if person.id not in self.members[group]:
            self.members[group].append(person.id)

    def person(self, said: str) -> Person:
        """The person of this address or name, from now on; what stands before the @ will do for one that is known."""
        short = [each for label, each in self.people.items() if label.partition("@")[0] == said]
        if said not in self.people and len(short) == 1:
            return short[0]
        made = Person(id=said, name=said, address=said if "@" in said else None)
        return self.people.setdefault(said, made)

    def directory(self, account: str) -> Directory:
        """All of them as a directory."""
        groups = {
            label: [name for name, people in self.members.items() if label in people] for label in self.people
        }
        return Directory(
            account=account,
            groups=tuple(Group(id=name, name=name) for name in self.members),
            agents=tuple(
                Agent(
                    person=person,
                    groups=frozenset(groups[label]),
                    default_group=next(iter(groups[label]), None),
                    open_load=0,
                )
                for label, person in self.people.items()
            ),
        )


# --- the ticket as it came in ----------------------------------------------------------------------------------

OPENING = (
    *("subject", "description", "status", "priority", "type", "channel", "tags", "group", "assignee"),
    *("requester.name", "requester.address", "requester.organization", "requester.tags", "requester.vip"),
    *("requester.recent_tickets", "organization", "organization_recent_tickets", "language", "satisfaction"),
)
"""What a test can say of its ticket, by the names that conditions have; `custom.NAME` beside them."""

CUSTOMER = "customer"


def read_ticket(tables: Iterable[Table], cast: Cast, ref: TicketRef, created: Instant) -> Ticket:
    """The ticket of these tables, those of the file first."""
    ticket = Ticket(
        ref=ref,
        link="",
        subject="",
        status=Status.NEW,
        status_name="new",
        priority=Priority.NORMAL,
        channel="email",
        requester=Person(id=CUSTOMER, name=CUSTOMER),
        created=created,
        updated=created,
        read_at=created,
        revision="0",
        loaded=frozenset(Need),
        counts=Counts(replies=0, reopens=0, reassignments=0, bounces=0, group_moves=0, group_bounces=0),
        recent=Recent(of_requester=1, of_organization=None),
    )
    for table in tables:
        for path, value in flat(table.values):
            ticket = with_opening(ticket, table, path, value, cast)
    return ticket


def flat(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value inside, with its path."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        else:
            yield (*path, key), value


def with_opening(ticket: Ticket, table: Table, path: tuple[str, ...], value: Any, cast: Cast) -> Ticket:
    """The ticket with this value, unless it is wrong, which is noted."""
    name = ".".join(path)
    asked = find(name) if name in OPENING or name.startswith(CUSTOM) else None
    if asked is None:
        hint = did_you_mean(name, OPENING) or f" Known here: {listed(OPENING, 'and')}, and custom.NAME."
        table.report(path, "unknown-field", f"a test cannot say `{name}` of its ticket.{hint}")
        return ticket
    wanted = {"yes_no": bool, "number": int, "list": list, "custom": (str, int, float, bool)}.get(
        asked.kind, str
    )
    if not isinstance(value, wanted) or (asked.kind == "number" and isinstance(value, bool)):  # type: ignore[arg-type]
        examples = {
            "yes_no": "true or false",
            "number": "a whole number",
            "list": 'a list, for example ["vip"]',
        }
        table.wrong_type(path, value, examples.get(asked.kind, "text"))
        return ticket
    if asked.choices and not table.among(path, value, asked.choices):
        return ticket
    match name:
        case "group":
            return replace(ticket, group=cast.group(value))
        case "assignee":
            return replace(ticket, assignee=cast.person(value))
        case "satisfaction":
            return replace(ticket, satisfaction=Satisfaction(value))
        case "requester.tags":
            return with_value(ticket, name, frozenset(value), NOBODY)  # type: ignore[arg-type]
        case "requester.recent_tickets":
            return replace(ticket, recent=replace(ticket.recent, of_requester=value))
        case "organization_recent_tickets":
            return replace(ticket, recent=replace(ticket.recent, of_organization=value))
    return with_value(ticket, name, tuple(value) if isinstance(value, list) else value, NOBODY)


NOBODY = Directory(account="")
NUMBER = re.compile(r"-?\d+\.\d+")


# --- the lines of a life ---------------------------------------------------------------------------------------

LINE = re.compile(r"(?P<time>(?:\d{4}-\d\d-\d\d )?\d+:\d\d(?::\d\d)?)\s+(?P<words>\S.*)")
TIME = r"(?:\d{4}-\d\d-\d\d )?\d+:\d\d(?::\d\d)?"
TEXT = r'(?: "(?P<text>.*)")?'
BY = r"(?: by (?P<by>(?:(?! by ).)+))?"


class Wrong(Exception):
    """What is wrong about a line, as a sentence with what to write."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """One life while its lines are read. `policies` are those that are played; it `is_closed` where a line says that
    nothing more fires."""

    policies: tuple[Policy, ...]
    ticket: Ticket
    cast: Cast
    timezone: ZoneInfo
    events: list[Event] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    targets: dict[Metric, Target] = field(default_factory=dict)
    is_closed: bool = False

    def instant(self, text: str) -> Instant:
        """The instant that a time means: hours and minutes since the ticket came in, or a date and a time of day."""
        date, _, clock = text.rpartition(" ")
        if not date:
            hours, minutes, *seconds = map(int, clock.split(":"))
            return self.ticket.created + hours * 3600 + minutes * MINUTE + sum(seconds)
        return local(text, self.timezone)

    def read(self, text: str, line: int) -> Instant:
        """Take one line in; answers its time. Wrong says what it should be."""
        match = LINE.fullmatch(text)
        if match is None:
            raise Wrong(f'"{text}" does not begin with a time; write for example "0:30  customer writes".')
        at, words = self.instant(match["time"]), " ".join(match["words"].split())
        for kind in LINES:
            if found := kind.shape.fullmatch(words):
                within = 1 if match["time"].count(":") == 2 else MINUTE
                kind.make(self, Place(at=at, within=within, line=line), found)
                return at
        first, _, rest = words.partition(" ")
        slips = (f"{each} {rest}" for each in FIRES.values() if did_you_mean(first, (each,)))
        shapes = [*slips] or [kind.example for kind in LINES]
        quoted = listed([f'"{each}"' for each in shapes])
        hint = did_you_mean(words, shapes) or f" A line says for example {quoted}."
        raise Wrong(f'nobody knows what "{words}" means.{hint}')

    def who(self, said: str | None) -> tuple[Who, str]:
        """Who did a thing, by the word for them."""
        if said == CUSTOMER:
            return Who.CUSTOMER, CUSTOMER
        if said == "automation":
            return Who.AUTOMATION, ""
        return Who.AGENT, self.cast.person(said or "somebody").id


class Place(NamedTuple):
    """Where a line stands: its instant, for how many seconds what it expects may come, and its number."""

    at: Instant
    within: Seconds
    line: int


def local(text: str, zone: ZoneInfo) -> Instant:
    """The instant of a date and a time of day there. Wrong if there is no such day."""
    try:
        return int(datetime.fromisoformat(padded(text)).replace(tzinfo=zone).timestamp())
    except ValueError:
        raise Wrong(f'there is no time "{text}"; write for example "2026-03-02 09:30".') from None


def padded(text: str) -> str:
    """The time of day with two digits for the hour."""
    date, _, clock = text.partition(" ")
    return f"{date} {clock.zfill(8 if clock.count(':') == 2 else 5)}"


def since(at: Instant, start: Instant) -> str:
    """Hours and minutes since then, and seconds if there are any; none before it."""
    minutes, seconds = divmod(max(at - start, 0), MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def writes(life: Reading, place: Place, said: re.Match[str]) -> None:
    """The customer writes."""
    says = (Said(body=said["text"] or ""),)
    life.events.append(Acted(at=place.at, who=Who.CUSTOMER, person=CUSTOMER, says=says))


def answers(life: Reading, place: Place, said: re.Match[str]) -> None:
    """An agent replies or notes."""
    who, person = life.who(said["name"])
    says = (Said(public=said["how"] == "replies", body=said["text"] or ""),)
    life.events.append(Acted(at=place.at, who=who, person=person, says=says))


def auto_reply(life: Reading, place: Place, _: re.Match[str]) -> None:
    """A machine of the customer's answers."""
    says = (Said(auto_reply=True),)
    life.events.append(Acted(at=place.at, who=Who.CUSTOMER, person=CUSTOMER, says=says))


def sets(life: Reading, place: Place, said: re.Match[str]) -> None:
    """A field has another value; at the beginning, without `by`, the ticket came in with it."""
    name, value = said["name"], spoken(life, said["name"], said["value"])
    if place.at == life.ticket.created and said["by"] is None:
        life.ticket = with_value(life.ticket, name, value, life.cast.directory(""))
        return
    who, person = life.who(said["by"])
    life.events.append(Acted(at=place.at, who=who, person=person, sets=((name, value),)))


def assigns(life: Reading, place: Place, said: re.Match[str]) -> None:
    """Somebody gets the ticket."""
    person = None if said["name"] == "nobody" else life.cast.person(said["name"]).id
    if place.at == life.ticket.created and said["by"] is None:
        life.ticket = with_value(life.ticket, "assignee", person, life.cast.directory(""))
        return
    who, by = life.who(said["by"])
    life.events.append(Acted(at=place.at, who=who, person=by, sets=(("assignee", person),)))


def tags(life: Reading, place: Place, said: re.Match[str]) -> None:
    """Tags are added or removed."""
    who, person = life.who(said["by"])
    named = frozenset(re.split(r",\s*|\s+", said["value"]))
    adds, removes = (named, frozenset[str]()) if said["how"] == "tagged" else (frozenset[str](), named)
    life.events.append(Acted(at=place.at, who=who, person=person, adds=adds, removes=removes))


def spoken(life: Reading, name: str, text: str) -> Value:
    """The value of a field as a line says it. Wrong if the field has no such value."""
    if name == "group":
        return None if text == "none" else life.cast.group(text).id
    if name.startswith(CUSTOM):
        numbers = {"none": None, "true": True, "false": False}
        if text in numbers:
            return numbers[text]
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text) if NUMBER.fullmatch(text) else text
    known = find(name)
    nothing = known is not None and known.nullable and text == "none"
    if known is not None and known.choices and text not in known.choices and not nothing:
        hint = did_you_mean(text, known.choices) or f" Known: {listed(known.choices)}."
        raise Wrong(f'there is no {name} "{text}".{hint}')
    if name == "tags":
        return () if text == "none" else tuple(sorted(re.split(r",\s*|\s+", text)))
    return None if nothing else text


def rates(life: Reading, place: Place, said: re.Match[str]) -> None:
    """The customer rates the help."""
    rating = Satisfaction(said["value"])
    life.events.append(Shown(at=place.at, fields={"satisfaction": rating}))


def target(life: Reading, place: Place, said: re.Match[str]) -> None:
    """The helpdesk sets an SLA target, or tells how it stands. Wrong for one that was never set."""
    metric = Metric(said["metric"])
    if said["due"] is not None:
        start = life.instant(said["start"]) if said["start"] else None
        one = Target(metric=metric, stage=Stage.ACTIVE, due=life.instant(said["due"]), start=start)
    elif metric in life.targets:
        stage = {"paused": Stage.PAUSED, "resumed": Stage.ACTIVE, "achieved": Stage.ACHIEVED}[said["stage"]]
        one = replace(life.targets[metric], stage=stage)
    else:
        raise Wrong(f'target {metric} was never set; write before it for example "target {metric} due 8:00".')
    life.targets[metric] = one
    life.events.append(Shown(at=place.at, fields={"targets": tuple(life.targets.values())}))


def goes(life: Reading, place: Place, said: re.Match[str]) -> None:
    """The ticket is gone, or back."""
    gone = None if said["how"] == "restored" else said["how"]
    life.events.append(Acted(at=place.at, who=Who.AGENT, person=life.who(None)[1]))
    life.events.append(Shown(at=place.at, fields={"gone": gone}))


VERBS: Mapping[str, Verb] = {
    "ack": "acknowledge",
    "snooze": "snooze",
    "escalate": "escalate",
    "deescalate": "deescalate",
    "approve": "approve",
    "reject": "reject",
}


def orders(life: Reading, place: Place, said: re.Match[str]) -> None:
    """Somebody orders something."""
    until = life.instant(said["until"]) if said["until"] else None
    if (said["verb"] == "snooze") != (until is not None):
        raise Wrong('a snooze, and nothing else, has an end: "dana orders snooze until 3:00".')
    level = said["level"]
    if level is not None:
        level = meant(life, level).level
    who = life.cast.person(said["name"]).label
    order = Order(verb=VERBS[said["verb"]], who=who, at=place.at, until=until, level=level)
    life.events.append(Ordered(order=order))


def fires(life: Reading, place: Place, said: re.Match[str]) -> None:
    """Uptier must do this."""
    what = next(each for each, word in FIRES.items() if word == said["what"])
    one = meant(life, said["level"])._replace(what=what)
    life.expected.append(Expected(at=place.at, within=place.within, fires=one, line=place.line))


def meant(life: Reading, text: str) -> Fires:
    """The level of which policy these words mean, and its owner if they say it. Wrong if there is none, or several."""
    held = [(level.name, policy.name) for policy in life.policies for level in policy.levels]
    found: list[tuple[str, Fires]] = []
    for level, policy in held:
        for begins in (level, f"{level} of {policy}"):
            rest = text.removeprefix(begins)
            if text.startswith(begins) and (not rest or re.fullmatch(r" to .+", rest)):
                owner = rest.removeprefix(" to ") or None
                found.append((begins, Fires(what="fired", level=level, policy=policy, owner=owner)))
    longest = max((len(begins) for begins, _ in found), default=0)
    fitting = [one for begins, one in found if len(begins) == longest]
    if not fitting:
        names = list(dict.fromkeys(level for level, _ in held))
        hint = did_you_mean(text, names) or f" There are: {listed(names, 'and')}."
        raise Wrong(f'no policy of this test has a level "{text}".{hint}')
    one, *others = fitting
    if others:
        holders = listed([each.policy for each in fitting], "and")
        raise Wrong(
            f'"{one.level}" is a level of {holders}; write for example "fires {one.level} of {one.policy}".'
        )
    return one


def nothing(life: Reading, _: Place, __: re.Match[str]) -> None:
    """Nothing but what is expected happens up to here, which holds for every test up to its last line."""
    life.is_closed = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LineKind:
    """One kind of line: what it looks like, an example, and what it does to the life."""

    shape: re.Pattern[str]
    example: str
    make: Callable[[Reading, Place, re.Match[str]], None]


FIELD = rf"(?P<name>status|priority|group|type|language|subject|tags|custom\.[\w-]+) (?P<value>.+?){BY}"

DUE = rf"due (?P<due>{TIME})(?: from (?P<start>{TIME}))?"

LINES = tuple(
    LineKind(shape=re.compile(shape), example=example, make=make)
    for shape, example, make in (
        (rf"customer writes{TEXT}", "customer writes", writes),
        (rf"agent(?: (?P<name>.+?))? (?P<how>replies|notes){TEXT}", "agent dana replies", answers),
        (r"customer's auto-reply", "customer's auto-reply", auto_reply),
        (rf"assigned to (?P<name>.+?){BY}", "assigned to ben by dana", assigns),
        (rf"(?P<how>tagged|untagged) (?P<value>.+?){BY}", "tagged outage by dana", tags),
        (FIELD, "status pending by dana", sets),
        (r"rated (?P<value>good|bad)", "rated bad", rates),
        (
            rf"target (?P<metric>{'|'.join(Metric)}) (?:{DUE}|(?P<stage>paused|resumed|achieved))",
            "target resolution due 8:00",
            target,
        ),
        (r"(?P<how>deleted|spam|merged|restored)", "deleted", goes),
        (
            rf"(?P<name>.+?) orders (?P<verb>{'|'.join(VERBS)})(?: until (?P<until>{TIME}))?(?: to (?P<level>.+))?",
            "dana orders ack",
            orders,
        ),
        (rf"(?P<what>{'|'.join(FIRES.values())}) (?P<level>.+)", "fires Team lead", fires),
        (r"nothing(?: more)? (?:fires|has fired)", "nothing more fires", nothing),
    )
)


# --- where the lines stand -------------------------------------------------------------------------------------


def zone_of(played: Iterable[Policy], policies: PolicySet) -> ZoneInfo:
    """The time zone of these policies' only calendar, else UTC."""
    named = {each.calendar for each in played if each.calendar is not None}
    zones = {policies.calendars[each].timezone for each in named}
    return ZoneInfo(zones.pop() if len(zones) == 1 else "UTC")


def lines_of(table: Table, told: str) -> Iterator[tuple[int, str]]:
    """The lines of a life that say something, each with its number in the file."""
    line = table.document.line((*table.path, "life"))
    first = table.document.text.splitlines()[line - 1]
    line += bool(re.search(r"(\"\"\"|''')\s*$", first))
    for place, text in enumerate(told.splitlines()):
        if (said := text.strip()) and not said.startswith("#"):
            yield line + place, said


def note(table: Table, line: int, message: str) -> None:
    """Note what is wrong in one line of a life."""
    text = f"{table.about}: {message}"
    table.problems.append(Problem(file=table.document.name, line=line, code="bad-line", message=text))
