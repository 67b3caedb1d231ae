"""A hundred tickets under twenty policies, worked out by hand from docs/policies.md alone, to the minute.

`hundred/policies.toml` and `hundred/lives.json`: what each ticket was, what happened to it, which levels fire when,
and why. A look is taken at each fact and at each time that the plan before it names.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector.config.holidays import calendars
from policies.language.policy import PolicySet
from policies.model import (
    Agent,
    Counts,
    Directory,
    Group,
    Instant,
    Need,
    Person,
    Priority,
    Status,
    Ticket,
    Who,
)
from policies.replay import Acted, Life, Rulebook, Said, replay
from tests.policies.lives import REF, rules

FOLDER = Path(__file__).parent / "hundred"
LIVES: list[dict[str, Any]] = json.loads((FOLDER / "lives.json").read_text(encoding="utf-8"))
HEAD = """
[service]
default_owner = "Escalations"
mode = "enforce"
[accounts.acme]
fields = { tier = "1", product = "2", region = "3" }
"""
MEMBERS = {
    "ann@acme.test": ("Tier 1", "Tier 2"),
    "ben@acme.test": ("Tier 2",),
    "dana@acme.test": ("Duty managers",),
    "eli@acme.test": ("Escalations",),
}
PEOPLE = {label: Person(id=label, name=label.partition("@")[0].title(), address=label) for label in MEMBERS}
GROUPS = {name: Group(id=name, name=name) for name in ("Tier 1", "Tier 2", "Duty managers", "Escalations")}
DIRECTORY = Directory(
    account="acme",
    groups=tuple(GROUPS.values()),
    agents=tuple(
        Agent(person=PEOPLE[label], groups=frozenset(groups), default_group=groups[0])
        for label, groups in MEMBERS.items()
    ),
)


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return rules((FOLDER / "policies.toml").read_text(encoding="utf-8"), HEAD)


def instant(text: str) -> Instant:
    return int(datetime.fromisoformat(text).timestamp())


def newborn(life: dict[str, Any]) -> Ticket:
    """The ticket at its creation."""
    said, created = life["ticket"], instant(life["created"])
    asked = said["requester"]
    status = said.get("status", "new")
    return Ticket(
        ref=REF,
        link="",
        subject=said["subject"],
        description=said["description"],
        status=Status(status),
        status_name=status,
        priority=Priority(said["priority"]) if said.get("priority") else None,
        type=said.get("type"),
        channel=said.get("channel"),
        tags=frozenset(said["tags"]),
        group=GROUPS.get(said.get("group")),
        assignee=PEOPLE.get(said.get("assignee")),
        requester=Person(
            id="requester",
            name=asked["name"],
            address=asked["address"],
            organization=asked.get("organization"),
            tags=frozenset(asked.get("tags", ())),
            vip=asked.get("vip", False),
        ),
        organization=asked.get("organization"),
        language=said.get("language"),
        custom=said.get("custom", {}),
        created=created,
        updated=created,
        read_at=created,
        revision="0",
        loaded=frozenset(Need),
        counts=Counts(replies=0, reopens=0, reassignments=0, bounces=0, group_moves=0, group_bounces=0),
    )


def event(fact: dict[str, Any]) -> Acted:
    """One fact of the file."""
    who, _, person = fact["who"].partition(":")
    by, kind = {"customer": "requester"}.get(who, person), fact["do"]
    says, sets = (), ()
    if kind in ("message", "note"):
        says = (Said(public=kind == "message", body="…"),)
    elif kind == "custom":
        sets = tuple((f"custom.{name}", value) for name, value in fact["custom"].items())
    else:
        sets = ((kind, tuple(sorted(fact["tags"])) if kind == "tags" else fact.get(kind)),)
    return Acted(at=instant(fact["at"]), who=Who(who), person=by, says=says, sets=sets)


def lived(life: dict[str, Any], policies: PolicySet) -> list[tuple[str | None, int]]:
    """The levels that fired or were repeated, with the minute since 1970 in which they did."""
    ticket = newborn(life)
    opening = Acted(at=ticket.created, who=Who.CUSTOMER, person="requester", says=(Said(body="…"),))
    facts = sorted(map(event, life["facts"]), key=lambda each: each.at)
    rules = Rulebook(
        policies=policies,
        calendars=calendars(policies, ticket.created),
        first_ran={policy.name: ticket.created - 86400 for policy in policies.policies},
    )
    steps = replay(Life(ticket=ticket, events=(opening, *facts)), rules, DIRECTORY, instant(life["until"]))
    return [
        (line.level, step.now // 60)
        for step in steps
        for line in step.lines
        if line.what in ("fired", "repeated") and line.policy == life["policy"]
    ]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life["name"])
def test_it_fires_what_the_documents_say_and_when(life: dict[str, Any], policies: PolicySet) -> None:
    expected = [(each["level"], instant(each["at"]) // 60) for each in life["expect"]]
    assert lived(life, policies) == expected, life["why"]


def test_there_are_twenty_and_a_hundred(policies: PolicySet) -> None:
    assert len(policies.policies) == 20
    assert len(LIVES) == 100
    assert sum(len(life["expect"]) for life in LIVES) > 150
