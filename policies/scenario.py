"""Scenarios of drills: what customers and staff do in a bad hour, told for any helpdesk's groups and people. The roles
(`$group`, `$lead`, `$agent`, `$colleague`) are filled by those whom the policies name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from policies.language.document import Document, Problem
from policies.language.policy import Absence, PolicySet
from policies.language.reader import Table
from policies.model import Instant, Metric, Person, Seconds, Stage, Target, Ticket, TicketRef
from policies.policy_tests import FIRES, MINUTE, Cast, Reading, Wrong, lines_of, note, read_ticket, read_zone
from policies.policy_tests import local as instant_of
from policies.present.matrix import known_teams
from policies.replay import Acted, Event, Ordered, Shown

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
    """One ticket of a scenario: how it comes in, as `ticket.created` says when, and what people do to it."""

    word: str
    ticket: Ticket
    customer: Person
    events: tuple[Acted | Ordered | Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario with its parts filled. `absences` are of labels; `people` and `groups` are all who take part, each
    group with its members' labels."""

    name: str
    title: str
    summary: str
    start: Instant
    until: Instant
    timezone: ZoneInfo
    roles: Roles
    absences: Mapping[str, tuple[Absence, ...]]
    scripts: tuple[Script, ...]
    questions: tuple[str, ...]
    people: tuple[Person, ...]
    groups: Mapping[str, tuple[str, ...]]


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
    zone = read_zone(
        Table(document=document, path=(), values={}, about="", problems=problems), played, policies
    )
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
