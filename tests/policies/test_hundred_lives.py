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
from tests.policies import lives
from tests.policies.lives import REF, START, Life, rules

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
ENDLESS = 3000


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return rules((FOLDER / "policies.toml").read_text(encoding="utf-8"), HEAD)


def instant(text: str) -> Instant:
    return int(datetime.fromisoformat(text).timestamp())


def minutes(at: Instant) -> float:
    return (at - START) / 60


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


def happens(one: Life, fact: dict[str, Any]) -> None:
    """One fact of the file becomes one of the ticket's."""
    at = minutes(instant(fact["at"]))
    who, _, person = fact["who"].partition(":")
    by, kind = {"customer": "requester"}.get(who, person), fact["do"]
    if kind in ("message", "note"):
        one.says(at, Who(who), by, public=kind == "message")
    elif kind == "custom":
        for name, value in fact["custom"].items():
            one.change(at, f"custom.{name}", value, by=by, who=Who(who))
    else:
        value = tuple(sorted(fact["tags"])) if kind == "tags" else fact.get(kind)
        one.change(at, kind, value, by=by, who=Who(who))


def lived(life: dict[str, Any], policies: PolicySet) -> list[tuple[str | None, int]]:
    """The levels that fired or were repeated, with the minute since 1970 in which they did."""
    ticket = newborn(life)
    one = Life(text="", head=HEAD, directory=DIRECTORY, ticket=ticket)
    one.first_ran = {policy.name: ticket.created - 86400 for policy in policies.policies}
    one.says(minutes(ticket.created), Who.CUSTOMER, "requester")
    facts = sorted(life["facts"], key=lambda fact: instant(fact["at"]))
    until, now, fired = instant(life["until"]), ticket.created, list[tuple[str | None, int]]()
    for _ in range(ENDLESS):
        before = len(one.ledger)
        due = one.look(minutes(now)).next_look
        fired += [
            (level, now // 60)
            for what, policy, level in one.ledger[before:]
            if what in ("fired", "repeated") and policy == life["policy"]
        ]
        soonest = [max(due, now + 1)] if due is not None else []
        soonest += [instant(facts[0]["at"])] if facts else []
        if not soonest or min(soonest) > until:
            return fired
        now = min(soonest)
        while facts and instant(facts[0]["at"]) <= now:
            happens(one, facts.pop(0))
    raise AssertionError("this life has no end")


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life["name"])
def test_it_fires_what_the_documents_say_and_when(
    life: dict[str, Any], policies: PolicySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = calendars(policies, instant(life["created"]))
    monkeypatch.setattr(lives, "rules", lambda *_: policies)
    monkeypatch.setattr(lives, "calendars", lambda _: days)
    expected = [(each["level"], instant(each["at"]) // 60) for each in life["expect"]]
    assert lived(life, policies) == expected, life["why"]


def test_there_are_twenty_and_a_hundred(policies: PolicySet) -> None:
    assert len(policies.policies) == 20
    assert len(LIVES) == 100
    assert sum(len(life["expect"]) for life in LIVES) > 150
