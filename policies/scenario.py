"""Scenarios of drills: what customers and staff do in a bad hour, told for any helpdesk's groups and people, and what
they did on archived tickets. The roles of a told one (`$group`, `$lead`, `$agent`, `$colleague`) are filled by those
whom the policies name."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from policies.history import OPENING
from policies.language.document import Document, Problem, listed
from policies.language.policy import Absence, PolicySet
from policies.language.reader import Table
from policies.model import (
    Directory,
    Group,
    Instant,
    Metric,
    Person,
    Seconds,
    Stage,
    Target,
    Ticket,
    TicketRef,
    Value,
    Who,
)
from policies.past import UNASKED, WORDS, every_line, life_of
from policies.present.matrix import known_teams
from policies.replay import Acted, Event, Life, Ordered, Said, Shown
from policies.written_life import (
    DAY,
    FIRES,
    MINUTE,
    Cast,
    Reading,
    Wrong,
    lines_of,
    note,
    read_ticket,
    zone_of,
)
from policies.written_life import local as instant_of

LAST: Seconds = 14 * 86_400
"""How long a drill lasts at most."""

FILES = ("outage", "vip-silence", "security-report", "angry-customer", "holiday-week", "lead-absent")
"""The scenarios that come with Uptier, in the order in which a team would play them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Who plays the parts of a scenario. `leads` is whether the config names the lead."""

    group: str
    lead: str
    agent: str
    colleague: str
    leads: bool

    def filled(self, value: Any) -> Any:
        """A value of the file with their names in it."""
        if isinstance(value, str):
            for role in ("group", "lead", "agent", "colleague"):
                value = value.replace(f"${role}", getattr(self, role))
            return value
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value


def roles_in(policies: PolicySet, cast: Cast, group: str | None) -> Roles:
    """Who plays them: in `group`, else in the first group that has a lead, else in the first that is known. Where
    nobody is named, somebody is made up."""
    team = group or next(iter((*policies.leads, *known_teams(policies, ()), *cast.members)), "Tier 1")
    cast.group(team)
    lead = policies.leads.get(team)
    members = [label for label in cast.members[team] if label != lead]
    for made_up in ("Sam", "Robin")[len(members) :]:
        cast.joins(made_up, team)
        members.append(made_up)
    for name, people in cast.members.items():
        if not people:
            cast.joins(f"Somebody of {name}", name)
    return Roles(
        group=team, lead=lead or f"Lead of {team}", agent=members[0], colleague=members[1], leads=bool(lead)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One ticket of a scenario: how it comes in, as `ticket.created` says when, and what people do to it. `opener` is
    the agent who wrote it for the customer, `others` are who writes to it beside the customer; `keeps_id` says that it
    has the id of a real ticket."""

    word: str
    ticket: Ticket
    customer: Person
    events: tuple[Acted | Ordered | Shown, ...]
    opener: str | None = None
    others: tuple[Person, ...] = ()
    keeps_id: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario with its parts filled. `absences` are of labels; `people` and `groups` are all who take part, each
    group with the ids of its members. Archived tickets have no `roles`; `remarks` say what is otherwise than it was."""

    name: str
    title: str
    summary: str
    start: Instant
    until: Instant
    timezone: ZoneInfo
    roles: Roles | None
    absences: Mapping[str, tuple[Absence, ...]]
    scripts: tuple[Script, ...]
    questions: tuple[str, ...]
    people: tuple[Person, ...]
    groups: Mapping[str, tuple[str, ...]]
    remarks: tuple[str, ...] = ()


def headline(document: Document) -> tuple[str, str]:
    """The title and the summary, for a list."""
    drill = document.data["drill"]
    return drill["title"], drill["summary"]


def read_scenario(
    document: Document,
    policies: PolicySet,
    account: str,
    *,
    group: str | None = None,
    start: str | None = None,
) -> tuple[Scenario | None, tuple[Problem, ...]]:
    """The scenario of a file as it is played on this account, and what is wrong with it. `start` is a date and a time
    of day instead of the file's own."""
    problems: list[Problem] = []
    played = policies.serving(account)
    cast = Cast(replace(policies, policies=played), {})
    roles = roles_in(policies, cast, group)
    document = replace(document, data=roles.filled(document.data))
    root = Table(document=document, path=(), values=document.data, about="", problems=problems)
    root.only(("drill", "ticket"))
    table = root.table("drill") if root.require("drill", "[drill]") else None
    if table is None:
        return None, tuple(problems)
    table.only(("title", "summary", "start", "until", "absent", "questions"))
    zone = zone_of(played, policies)
    begins = read_instant(table, "start", start or table.values.get("start"), zone, 0)
    ends = read_instant(table, "until", table.values.get("until"), zone, begins)
    ends = min(ends, begins + LAST)
    absent = table.texts("absent", '["$lead"]') or () if "absent" in table.values else ()
    for label in absent:
        cast.person(label)
    scripts = tuple(read_scripts(root, cast, account, zone, begins))
    if problems:
        return None, tuple(problems)
    away = (Absence(begins=begins, ends=ends + 1, until="the end of this drill"),)
    return Scenario(
        name=document.name,
        title=table.text("title", '"Outage"') or document.name,
        summary=table.text("summary", '"…"') or "",
        start=begins,
        until=ends,
        timezone=zone,
        roles=roles,
        absences={cast.person(label).label: away for label in absent},
        scripts=scripts,
        questions=tuple(table.texts("questions", '["Who tells the customers?"]') or ()),
        people=tuple(cast.people.values()),
        groups={name: tuple(labels) for name, labels in cast.members.items()},
    ), ()


def read_instant(table: Table, key: str, said: Any, zone: ZoneInfo, begins: Instant) -> Instant:
    """A date and a time of day, or hours and minutes since the drill began; what is wrong is noted."""
    text = str(said).strip()
    if begins and re.fullmatch(r"\d+:\d\d", text):
        hours, _, minutes = text.partition(":")
        return begins + int(hours) * 3600 + int(minutes) * MINUTE
    try:
        return instant_of(text, zone)
    except Wrong as wrong:
        table.report(key, "bad-date", f"`{key}`: {wrong}")
        return begins


def read_scripts(root: Table, cast: Cast, account: str, zone: ZoneInfo, begins: Instant) -> Iterator[Script]:
    """The tickets; what is wrong with them is noted."""
    met = set[str]()
    for number, written in enumerate(root.tables("ticket"), 1):
        word = str(written.values.get("name") or f"ticket {number}")
        table = written.called(f'ticket "{word}"')
        if word in met:
            table.report("name", "duplicate", f'there are two tickets "{word}"; call one of them otherwise.')
        met.add(word)
        at = read_instant(table, "at", table.values.get("at", "0:00"), zone, begins)
        said = {key: value for key, value in table.values.items() if key not in ("name", "at", "life")}
        opening = replace(table, values=said)
        ticket = read_ticket((opening,), cast, TicketRef(account, word), begins)
        reading = Reading(policies=(), ticket=ticket, cast=cast, timezone=zone)
        told = table.text("life", '"0:10  customer writes"') if "life" in table.values else ""
        for line, text in lines_of(table, told or "") if told else ():
            try:
                read_line(reading, text, line)
            except Wrong as wrong:
                note(table, line, str(wrong))
        yield Script(
            word=word,
            ticket=replace(reading.ticket, created=at),
            customer=customer_of(ticket, word),
            events=tuple(each for each in reading.events if isinstance(each, Acted | Ordered | Shown)),
        )


def customer_of(ticket: Ticket, word: str) -> Person:
    """The customer, with an address."""
    asker = ticket.requester
    assert asker is not None
    name = "A customer" if asker.name == "customer" else asker.name
    spelled = "".join(each if each.isalnum() else "-" for each in (word if name == "A customer" else name))
    return replace(asker, name=name, address=asker.address or f"{spelled.lower()}@customer.example")


EXPECTS = re.compile(rf"[\d:\s-]+(?:{'|'.join(FIRES.values())}|nothing) .*")
CHANGES = frozenset({"status", "priority", "group", "assignee"})


def read_line(reading: Reading, text: str, line: int) -> None:
    """Take one line in. Raises Wrong for what a simulated helpdesk cannot be asked to do."""
    if EXPECTS.fullmatch(text):
        raise Wrong(f'"{text}": a drill expects nothing; write a test for that (docs/policy-tests.md).')
    before = len(reading.events)
    reading.read(text, line)
    for event in reading.events[before:]:
        if not is_playable(event):
            raise Wrong(
                f'a drill cannot play "{text}"; it plays messages, orders, changes of status, priority, group, '
                'assignee and tags, and "target resolution due 4:00".'
            )


def is_playable(event: Event) -> bool:
    """Whether a simulated helpdesk can be asked for it."""
    match event:
        case Acted():
            return {name for name, _ in event.sets} <= CHANGES
        case Shown(fields={"targets": (Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE),)}):
            return True
    return isinstance(event, Ordered)


# --- archived tickets ------------------------------------------------------------------------------------------

QUESTIONS = (
    "What would have gone otherwise, had these calls come then?",
    "Who is called too early, too late, or for nothing?",
)


class Company:
    """Who worked at the account and who wrote to it, each by a name and an address of their own: by these the simulated
    helpdesk finds them."""

    def __init__(self, directory: Directory, tickets: Iterable[Ticket]) -> None:
        self.members: dict[str, list[str]] = {group.name: [] for group in directory.groups}
        self.people: dict[str, Person] = {}
        self._askers: dict[str, Person] = {}
        self._taken = set[str]()
        self._names = {group.id: group.name for group in directory.groups}
        for agent in directory.agents:
            person = self._own(agent.person)
            self.people[person.id] = person
            for group in sorted(agent.groups & self._names.keys()):
                self.members[self._names[group]].append(person.id)
        for ticket in tickets:
            if ticket.group is not None:
                self._names.setdefault(ticket.group.id, ticket.group.name)
            if ticket.assignee is not None and ticket.assignee.id not in self.people:
                self.people[ticket.assignee.id] = self._own(ticket.assignee)

    def group(self, key: str) -> Group:
        """The group of this id, also one that is no more."""
        found = self._names.setdefault(key, key)
        self.members.setdefault(found, [])
        return Group(id=key, name=found)

    def agent(self, key: str | None) -> Person | None:
        """The agent of this id, also one who has left since."""
        if key is None:
            return None
        if key not in self.people:
            self.people[key] = self._own(Person(id=key, name=f"Former agent {len(self.people) + 1}"))
        return self.people[key]

    def asker(self, person: Person | None) -> Person:
        """The customer, by a made-up name where the archive has none."""
        key = person.id if person else ""
        if key not in self._askers:
            number = len(self._askers) + 1
            found = person or Person(id=key, name="")
            known = found.name and found.name != found.id
            named = replace(found, name=found.name if known else f"Customer {number}")
            made_up = f"customer-{number}@customer.example"
            address = named.address if named.address and named.address not in self._taken else made_up
            self._askers[key] = self._own(replace(named, address=address))
        return self._askers[key]

    def _own(self, person: Person) -> Person:
        """The person with a name that nobody else has."""
        name, number = person.name, 2
        while name in self._taken:
            name, number = f"{person.name} ({number})", number + 1
        self._taken |= {name, person.address or name}
        return replace(person, name=name)


def archived(
    tickets: Sequence[Ticket],
    directory: Directory,
    policies: PolicySet,
    unknown: Mapping[str, int],
    start: str | None = None,
) -> Scenario:
    """What people did on these tickets of one account. `unknown` says of how many of them a field has no past, `start`
    when the first comes in if not when it did. Raises Wrong."""
    account = directory.account
    zone = zone_of(policies.serving(account), policies)
    lives = sorted((life_of(each, directory) for each in tickets), key=lambda life: life.ticket.created)
    first = lives[0].ticket.created
    if lives[-1].ticket.created > first + LAST:
        raise Wrong(
            "they came in over more than 14 days, which is more than a drill plays; name some of them"
        )
    begins = first if start is None else instant_of(start, zone)
    company, left_out = Company(directory, tickets), set[str]()
    scripts = tuple(script_of(life, begins - first, company, left_out) for life in lives)
    last = max(at for one in scripts for at in (one.ticket.created, *(event.at for event in one.events)))
    return Scenario(
        name="archive",
        title=f"{len(scripts)} archived tickets" if len(scripts) > 1 else f"{account}/{scripts[0].word}",
        summary="What was done and written on them then is done and written again, called or not.",
        start=begins,
        until=min(last + DAY, begins + LAST),
        timezone=zone,
        roles=None,
        absences={},
        scripts=scripts,
        questions=QUESTIONS,
        people=tuple(company.people.values()),
        groups={name: tuple(ids) for name, ids in company.members.items()},
        remarks=tuple(remarks(tickets, policies, left_out, unknown)),
    )


def remarks(
    tickets: Sequence[Ticket], policies: PolicySet, left_out: set[str], unknown: Mapping[str, int]
) -> Iterator[str]:
    """What is otherwise than it was."""
    if any(UNASKED in each.hidden for each in tickets):
        yield "The archive has no words; the names of the phrase packs that were found in a text stand for it."
        asking = [each.name for each in policies.policies if asks_for_words(each.name, policies)]
        if asking:
            yield f"What these ask about words finds none: {listed(asking, 'and')}. Pull with --with-text to play it."
    if unknown:
        told = listed([f"{name} ({many})" for name, many in unknown.items()], "and")
        yield f"How it was then is not told, and played as it is now, of {told}."
    if left_out:
        yield f"Not simulated, and left out: {listed(sorted(left_out), 'and')}."


def asks_for_words(name: str, policies: PolicySet) -> bool:
    """Whether a policy asks about words what an archive without them does not answer."""
    one = replace(policies, policies=tuple(each for each in policies.policies if each.name == name))
    return any(line.path in WORDS or UNASKED in line.reads for line in every_line(one))


def script_of(life: Life, shift: Seconds, company: Company, left_out: set[str]) -> Script:
    """One of these lives, so much later; what a simulated helpdesk does not know goes into `left_out`."""
    born = life.ticket
    customer = company.asker(born.requester)
    if born.requester is None:
        left_out.add("that a ticket has no requester")
    others = dict[str, Person]()
    events = list[Acted | Ordered | Shown]()
    opening: Said | None = None
    opener: str | None = None
    promised = set[Instant]()
    for event in life.events:
        if isinstance(event, Shown):
            due = due_in(event, left_out)
            if due is not None and due not in promised:
                promised.add(due)
                target = Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=due + shift)
                events.append(Shown(at=event.at + shift, fields={"targets": (target,)}))
        elif isinstance(event, Acted):
            who, person = doer(event, born, company)
            says = event.says
            if who is Who.CUSTOMER and not all(said.public for said in says):
                left_out.add("what customers said in private, as with a rating")
                says = tuple(said for said in says if said.public)
            if says and opening is None:
                opening = says[0]
                if event.at <= born.created + OPENING:
                    says = says[1:]
                    opener = person.label if who is Who.AGENT and person else None
            if who is Who.CUSTOMER and person is not None and person.id != customer.id:
                others[person.id] = person
            act = replace(
                event,
                at=event.at + shift,
                stamp=None,
                who=who,
                person=person.id if person else None,
                says=says,
                sets=tuple(played_sets(event, company, left_out)),
            )
            if act.says or act.sets or act.adds or act.removes:
                events.append(act)
    assignee = company.agent(born.assignee.id) if born.assignee else None
    ticket = replace(
        born,
        created=born.created + shift,
        subject=born.subject or f"Ticket {born.ref.id}",
        description=born.description or (opening.body if opening else ""),
        group=company.group(born.group.id) if born.group else None,
        assignee=assignee,
    )
    return Script(
        word=born.ref.id,
        ticket=ticket,
        customer=customer,
        events=tuple(events),
        opener=opener,
        others=tuple(others.values()),
        keeps_id=True,
    )


def doer(event: Acted, born: Ticket, company: Company) -> tuple[Who, Person | None]:
    """Who does it in a drill: an agent who asks is a customer, one who is not named is whoever has the ticket, and who
    is neither stands for a rule of the account."""
    asker = born.requester
    if asker is not None and event.person == asker.id:
        return Who.CUSTOMER, company.asker(asker)
    if event.who is Who.CUSTOMER:
        key = event.person
        return Who.CUSTOMER, company.asker(Person(id=key, name="") if key else asker)
    if event.who is Who.AGENT:
        return Who.AGENT, company.agent(event.person or (born.assignee.id if born.assignee else "somebody"))
    return Who.AUTOMATION, None


def due_in(event: Shown, left_out: set[str]) -> Instant | None:
    """When the ticket is to be solved, if that is what the helpdesk shows."""
    found: Instant | None = None
    for target in event.fields.get("targets", ()):
        if target.metric is not Metric.RESOLUTION:
            left_out.add("the helpdesk's targets for replies")
        elif target.stage is Stage.ACTIVE:
            found = target.due
    left_out |= {GONE[name] for name in event.fields.keys() & GONE.keys()}
    return found


GONE = {"satisfaction": "ratings", "gone": "that tickets were deleted or merged, or marked as spam"}


def played_sets(event: Acted, company: Company, left_out: set[str]) -> Iterator[tuple[str, Value]]:
    """The changes of fields that a simulated helpdesk knows, with groups by name and people by label."""
    for name, value in event.sets:
        if name not in CHANGES:
            left_out.add("custom fields" if name.startswith("custom.") else name)
        elif name == "group":
            yield name, None if value is None else company.group(str(value)).name
        elif name == "assignee":
            person = company.agent(None if value is None else str(value))
            yield name, person.label if person else None
        else:
            yield name, value
