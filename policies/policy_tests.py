"""Tests of policies, as a support lead writes them beside the policies: a ticket's life in a few lines, and what must
fire when. They are read here, played by `policies.replay` and compared; a difference is shown with what was judged."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from policies.language.document import Document, Problem, did_you_mean, listed
from policies.language.fields import CUSTOM, find
from policies.language.parse_tables import read_timezone
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
from policies.plan import Occurrence
from policies.present.explain import explain, traced
from policies.replay import (
    Acted,
    Event,
    Life,
    Ordered,
    Rulebook,
    Said,
    Shown,
    Step,
    judged_at,
    replay,
    with_value,
)
from policies.rules.calendars import Calendar

DAY: Seconds = 86_400
MINUTE: Seconds = 60
BEGINNING = "2026-09-28 00:00"
"""When a ticket comes in if its test does not say it: a Monday."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTest:
    """One test: the policies that are played, the life, who works there, and what must come of it until `until`.
    `timezone` is where its clock times are."""

    name: str
    file: str
    line: int
    policies: tuple[str, ...]
    life: Life
    directory: Directory
    expected: tuple[Expected, ...]
    until: Instant
    timezone: ZoneInfo

    @property
    def start(self) -> Instant:
        """When the ticket comes in."""
        return self.life.ticket.created


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


# --- a file ----------------------------------------------------------------------------------------------------

SHARED = ("account", "policy", "start", "timezone", "ticket", "groups")
"""What a file can say for all its tests; a test may say its own."""


def read_tests(
    document: Document, policies: PolicySet, accounts: Sequence[str]
) -> tuple[tuple[PolicyTest, ...], tuple[Problem, ...]]:
    """The tests of a file that are right, and all problems of the others. `accounts` are those of the config."""
    problems: list[Problem] = []
    root = Table(document=document, path=(), values=document.data, about="", problems=problems)
    root.only((*SHARED, "test"))
    root.require("test", "a test under [[test]]")
    tests = [read_test(root, table, policies, accounts) for table in root.tables("test")]
    return tuple(test for test in tests if test is not None), tuple(sorted(set(problems)))


def read_test(root: Table, table: Table, policies: PolicySet, accounts: Sequence[str]) -> PolicyTest | None:
    """One test, or None with its problems noted."""
    before = len(root.problems)
    name = (
        table.text("name", '"nobody answers"') if table.require("name", 'name = "nobody answers"') else None
    )
    table = table.called(f'test "{name}"' if name else "a test")
    table.only((*SHARED, "name", "life"))
    tables = [each for each in (root.table("ticket"), table.table("ticket")) if each is not None]
    names = read_names(said_in(root, table, "policy"), policies)
    account = read_account(said_in(root, table, "account"), names, policies, accounts)
    if account is None:
        return None
    played = tuple(each for each in policies.serving(account) if not names or each.name in names)
    zone = read_zone(said_in(root, table, "timezone"), played, policies)
    start = read_start(said_in(root, table, "start"), zone)
    told = table.text("life", '"0:30  fires Team lead"') if table.require("life", EXAMPLE) else None
    if told is None or start is None or len(root.problems) > before:
        return None
    cast = Cast(replace(policies, policies=played), {**read_groups(root), **read_groups(table)})
    ticket = read_ticket(tables, cast, TicketRef(account, "1"), start)
    life = Reading(policies=played, ticket=ticket, cast=cast, timezone=zone)
    until = read_life(table, told, life)
    if len(root.problems) > before:
        return None
    return PolicyTest(
        name=name or "",
        file=table.document.name,
        line=table.document.line(table.path),
        policies=tuple(each.name for each in played),
        life=Life(ticket=life.ticket, events=tuple(life.events)),
        directory=cast.directory(account),
        expected=tuple(life.expected),
        until=until,
        timezone=zone,
    )


EXAMPLE = 'life = """\n0:00  customer writes\n0:30  fires Team lead\n"""'


def said_in(root: Table, table: Table, key: str) -> Table:
    """The table that says this, the test's own first."""
    return table if key in table.values else root


def read_names(table: Table, policies: PolicySet) -> tuple[str, ...]:
    """The policies that are played, in any order; none for all of the account."""
    known = [each.name for each in policies.policies]
    if isinstance(table.values.get("policy"), list):
        return table.all_known("policy", '["urgent-unanswered"]', known, "unknown-value") or ()
    one = table.known("policy", '"urgent-unanswered"', known, "unknown-value")
    return (one,) if one else ()


def read_account(
    table: Table, names: Collection[str], policies: PolicySet, accounts: Sequence[str]
) -> str | None:
    """The account of the ticket: the first that all these policies serve, unless one is said."""
    serving = {each: {policy.name for policy in policies.serving(each)} for each in accounts}
    if "account" in table.values:
        account = table.known("account", f'"{next(iter(accounts), "acme")}"', accounts, "unknown-account")
        if account is None or account not in accounts:
            return None
        if missing := sorted(set(names) - serving[account]):
            table.report("account", "unknown-value", f"account {account} is not served by {listed(missing)}.")
            return None
        return account
    found = next((each for each in accounts if serving[each].issuperset(names)), None)
    if found is None:
        table.report(
            "policy", "unknown-account", f"no account is served by {listed(list(names), 'and')} alike."
        )
    return found


def read_zone(table: Table, played: Iterable[Policy], policies: PolicySet) -> ZoneInfo:
    """The time zone of clock times: the one that is said, else that of these policies."""
    if "timezone" in table.values:
        return ZoneInfo(read_timezone(table) or "UTC")
    return zone_of(played, policies)


def zone_of(played: Iterable[Policy], policies: PolicySet) -> ZoneInfo:
    """The time zone of these policies' only calendar, else UTC."""
    named = {each.calendar for each in played if each.calendar is not None}
    zones = {policies.calendars[each].timezone for each in named}
    return ZoneInfo(zones.pop() if len(zones) == 1 else "UTC")


def read_start(table: Table, zone: ZoneInfo) -> Instant | None:
    """When the ticket comes in."""
    said = table.text("start", f'"{BEGINNING}"') if "start" in table.values else BEGINNING
    if said is None:
        return None
    try:
        return local(said, zone)
    except Wrong as wrong:
        table.report("start", "bad-date", f"`start`: {wrong}")
        return None


def read_groups(table: Table) -> Mapping[str, Sequence[str]]:
    """Who is in which group. One with nobody in it is one too."""
    groups = table.table("groups")
    if groups is None:
        return {}
    return {
        name: () if said == [] else groups.texts(name, '["dana@acme.test"]') or ()
        for name, said in groups.values.items()
    }


def read_life(table: Table, told: str, life: Reading) -> Instant:
    """Take in the lines of a life; answers when it ends, the last second of its last minute."""
    latest = life.ticket.created
    for number, text in lines_of(table, told):
        try:
            at = life.read(text, number)
        except Wrong as wrong:
            note(table, number, str(wrong))
            continue
        if at < latest:
            note(
                table,
                number,
                f'"{text}" stands below a later time; put the lines in the order of their times.',
            )
        latest = max(at, latest)
    if not life.expected and not life.is_closed:
        text = 'nothing is expected; write for example "0:30  fires Team lead" or "4:00  nothing fires".'
        table.report("life", "missing", text)
    return latest + MINUTE - 1


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


def covered(tests: Iterable[PolicyTest]) -> frozenset[str]:
    """The policies that have a test: one that expects a level of theirs, or plays nothing else."""
    found = set[str]()
    for test in tests:
        found |= {each.fires.policy for each in test.expected}
        found |= set(test.policies) if len(test.policies) == 1 else set()
    return frozenset(found)


# --- playing it ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that was expected and did not happen, or happened and was not expected."""

    at: Instant
    text: str
    line: int | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a test. `explained` is what was judged at the first difference, in words."""

    test: PolicyTest
    found: tuple[tuple[Instant, Fires], ...]
    differences: tuple[Difference, ...] = ()
    explained: str = ""

    @property
    def passed(self) -> bool:
        """Whether all came as it was expected, and nothing else."""
        return not self.differences

    def as_row(self) -> dict[str, object]:
        """The result for a program; instants are seconds since 1970."""
        test = self.test
        return {
            "name": test.name,
            "file": test.file,
            "line": test.line,
            "passed": self.passed,
            "policies": list(test.policies),
            "expected": [{"at": each.at, **each.fires._asdict()} for each in test.expected],
            "found": [{"at": at, **fires._asdict()} for at, fires in self.found],
            "differences": [
                {"at": each.at, "line": each.line, "text": " ".join(each.text.split())}
                for each in self.differences
            ],
            "explained": self.explained,
        }


def play(test: PolicyTest, policies: PolicySet, calendars: Mapping[str, Calendar]) -> Result:
    """Play a test. Its policies are enforced, whatever their modes are, and have been in force for a day."""
    rules = rulebook(test, policies, calendars)
    steps = tuple(replay(test.life, rules, test.directory, test.until))
    found = tuple(firings(steps))
    differences = sorted(compared(test, found, steps), key=lambda each: each.at)
    if not differences:
        return Result(test=test, found=found)
    first = differences[0]
    at = max(first.at, test.start)
    step = next((each for each in steps if each.now == at), None) or judged_at(
        test.life, rules, test.directory, at
    )
    concerned = {each.policy for each in differences if each.at == first.at} - {None}
    trace = tuple(each for each in traced(step.plan) if not concerned or each.policy in concerned)
    return Result(test=test, found=found, differences=tuple(differences), explained=explain(trace))


def rulebook(test: PolicyTest, policies: PolicySet, calendars: Mapping[str, Calendar]) -> Rulebook:
    """The rules of a test."""
    played = tuple(replace(each, mode=None) for each in policies.policies if each.name in test.policies)
    enforced = replace(policies, policies=played, modes={"": "enforce"})
    return Rulebook(
        policies=enforced, calendars=calendars, first_ran={each.name: test.start - DAY for each in played}
    )


def firings(steps: Iterable[Step]) -> Iterator[tuple[Instant, Fires]]:
    """All that a test can expect, as it happened."""
    for step in steps:
        for line in step.lines:
            if line.what in FIRES:
                owner = line.owner
                yield step.now, Fires(line.what, line.level or "", line.policy, owner)


def compared(
    test: PolicyTest, found: Sequence[tuple[Instant, Fires]], steps: Iterable[Step]
) -> Iterator[Difference]:
    """Everything that is otherwise than expected."""
    left, several = list(found), len(test.policies) > 1
    for each in test.expected:
        met = next((one for one in left if each.is_met(*one)), None)
        if met is not None:
            left.remove(met)
            continue
        text = f"expected {stamp(test, each.at)}  {each.fires.words(several)}"
        yield Difference(at=each.at, text=text, line=each.line, policy=each.fires.policy)
    for at, one in left:
        yield Difference(at=at, text=f"found    {stamp(test, at)}  {one.words(several)}", policy=one.policy)
    for step in steps:
        for failed in step.plan.failed:
            yield Difference(at=step.now, text=f"found    {stamp(test, step.now)}  {failed.text}")
        for line in held_lines(step.lines):
            yield Difference(at=step.now, text=f"found    {stamp(test, step.now)}  {line.text}")


def held_lines(lines: Iterable[Occurrence]) -> Iterator[Occurrence]:
    """The lines of a life that went round and round."""
    return (line for line in lines if line.what == "held")


def stamp(test: PolicyTest, at: Instant) -> str:
    """An instant as tests write it: hours and minutes since the ticket came in."""
    return since(at, test.start)


def since(at: Instant, start: Instant) -> str:
    """Hours and minutes since then, and seconds if there are any; none before it."""
    minutes, seconds = divmod(max(at - start, 0), MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def reported(result: Result) -> list[str]:
    """What a failed test says, in lines."""
    test = result.test
    first = result.differences[0].at
    when = datetime.fromtimestamp(first, test.timezone).strftime("%A %Y-%m-%d %H:%M:%S").removesuffix(":00")
    return [
        f"{test.file}:{result.differences[0].line or test.line}: FAILED {test.name}",
        *(f"  {each.text}" for each in result.differences),
        f"  What was judged at {stamp(test, first)}, {when}:",
        *(f"    {line}" for line in result.explained.splitlines()),
    ]
