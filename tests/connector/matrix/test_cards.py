"""Quick-reference cards: one page for each role, with the commands and tags of this configuration."""

import math
import re
import shlex
from collections.abc import Sequence
from typing import Any

import pytest
import typer

from connector.cli.main import app
from connector.config.files import names
from connector.matrix.cards import (
    DUTIES,
    Card,
    Section,
    cards_html,
    cards_markdown,
    desk_cards,
    service_cards,
)
from policies.language.policy import PolicySet
from policies.present.matrix import matrix
from tests.connector.matrix.made import NAMES, hostile
from tests.connector.packs import packs
from tests.policies.lives import AFTER_30, DIRECTORY, HEAD, policy, rules

PAGE = 58
"""Lines of print on a page of A4 or Letter at 9 pt with margins of 12 mm, the shorter of both."""

ROOM = 112
"""Characters of a line there."""

PEOPLE = """
[people."ann@acme.test"]
manager = "dan@acme.test"
[groups."Tier 1"]
lead = "ann@acme.test"
[channels.leads]
url = "secret:leads"
"""
LADDER = policy(
    'after = "30m"\nowner = "assignee"\nnote = "handoff"\nask = "Call them."\nchecklist = ["Log", "Call"]',
    'after = "1h"\nowner = "lead_of(group)"\nassign = { group = "Tier 2" }\napproval = {}',
    'after = "2h"\nowner = "manager_of(owner)"\nnote = "handoff"\nrepeat = { every = "1h", times = 2 }',
    more='acknowledge_tags = ["taken"]\nstop_on = ["agent_reply", "acknowledged"]',
)


def deck(policies: PolicySet, *accounts: str) -> dict[str, Card]:
    """All cards by role."""
    found = matrix(policies, accounts or ("acme",), {"acme": DIRECTORY})
    return {card.role: card for card in (*desk_cards(found, policies), *service_cards(found, policies))}


def section(card: Card, title: str) -> Section:
    """The section of this title."""
    return next(each for each in card.sections if each.title == title)


def typed(cards: Sequence[Card]) -> list[str]:
    """Every command on the cards, and those that a text names."""
    rows = [row for card in cards for each in card.sections if each.commands for row in each.rows]
    return sorted({row[-1] for row in rows})


def height(card: Card) -> int:
    """How many lines of print the card takes, generously: a table's row is as high as its fullest cell."""
    lines = 4
    for each in card.sections:
        lines += 2 + bool(each.titles)
        for row in each.rows:
            room = ROOM // len(row) - 2
            lines += max(math.ceil(len(text) / room) or 1 for text in row)
    return lines


def test_each_role_that_the_policies_name_has_a_card_and_three_always_have() -> None:
    assert list(deck(rules(LADDER, HEAD + PEOPLE))) == ["agent", "lead", "manager", "Tier 2", "ops", "admin"]
    assert list(deck(rules(policy(AFTER_30)))) == ["agent", "ops", "admin"]


def test_what_lands_on_a_desk_and_what_comes_after() -> None:
    cards = deck(rules(LADDER, HEAD + PEOPLE))
    lands = {role: section(card, "What lands on my desk").rows for role, card in cards.items() if role[0] != "o"
             and role != "admin"}  # fmt: skip
    why = "the status is new, open or pending"
    assert lands["agent"] == (
        (
            "p: one (acme)",
            why,
            "after 30 min",
            "Call them. Steps: Log; Call.",
            "two, after 1 h: the lead of the ticket's group",
        ),
    )
    assert lands["lead"] == (
        (
            "p: two (acme)",
            why,
            "after 1 h",
            "See that somebody answers it, or take it. It fires only when it is approved.",
            "three, after 2 h: the manager of the owner before",
        ),
    )
    assert lands["manager"][0][-1] == "no further level; said again 2 times more, every 1 h"
    assert lands["Tier 2"][0][0] == "p: two (acme)"


def test_how_to_acknowledge_names_the_tags_and_the_command_of_this_config() -> None:
    card = deck(rules(LADDER, HEAD + PEOPLE))["agent"]
    rows = section(card, "What I can do").rows
    said = "Acknowledge it by taking the ticket, a reply or a note or adding the tag taken, or"
    assert rows[0] == (said, "uptier ack acme/4711")
    assert ("Keep it quiet for a while", 'uptier snooze acme/4711 --for 2h --reason "WHY"') in rows
    assert ("Let a level fire that waits for approval", "uptier approve acme/4711") in rows
    ((ends,),) = section(card, "It ends when").rows
    assert ends.startswith("the ticket is solved or closed; the ticket no longer matches; an agent replies; ")


def test_approval_is_offered_only_where_a_level_waits_for_it() -> None:
    plain = rules(policy('after = "1h"\nowner = "assignee"'))
    assert not any("approve" in each for each in typed([deck(plain)["agent"]]))


def test_whom_to_ask() -> None:
    cards = deck(rules(LADDER, HEAD + PEOPLE))
    asked = [text for (text,) in section(cards["agent"], "Whom to ask").rows]
    assert asked[:3] == [
        "Lead: ann@acme.test (Tier 1)",
        "Manager: dan@acme.test (of ann@acme.test)",
        "Where nobody else is found: Escalations",
    ]
    assert section(cards["Tier 2"], "Whom to ask").rows[0] == (asked[2],)


def test_a_level_on_several_accounts_is_one_duty_and_says_where_nothing_is_written_yet() -> None:
    policies = rules(LADDER, HEAD.replace("[accounts.other]", '[accounts.other]\nmode = "observe"') + PEOPLE)
    (row,) = section(deck(policies, "acme", "other")["lead"], "What lands on my desk").rows
    assert row[0] == "p: two (acme, other: observe)"


def test_endings_that_differ_are_told_apart() -> None:
    level = 'after = "1h"\nowner = "assignee"'
    text = (
        policy(level, name="a")
        + policy(level, name="b", more='stop_on = ["assigned"]')
        + policy(level, name="c")
    )
    rows = section(deck(rules(text))["agent"], "It ends when").rows
    assert [row[0].partition(":")[0] for row in rows] == ["a and c", "b"]


def test_the_leads_card_lists_policies_and_gaps() -> None:
    card = deck(rules(LADDER, HEAD + PEOPLE))["ops"]
    assert section(card, "What runs").rows == (("p", "3 levels", "acme (enforce)"),)
    gaps = section(card, "Gaps to close").rows
    assert gaps[0][0] == "acme: p: two"
    assert gaps[0][1].startswith("unreachable-owner: the lead of the ticket's group is not known")
    whole = rules(policy('after = "1h"\nowner = "Duty"'))
    assert section(deck(whole)["ops"], "Gaps to close").titles == ()


def test_the_admins_card_lists_accounts_and_channels() -> None:
    card = deck(rules(LADDER, HEAD + PEOPLE), "acme", "other")["admin"]
    assert section(card, "What is connected").rows == (
        ("acme", "account", "read"),
        ("other", "account", "groups and people were never read: uptier run --once"),
        ("leads", "channel", ""),
    )
    assert "uptier notify test leads" in typed([card])


@pytest.mark.parametrize("role", ["agent", "lead", "manager", "Tier 2", "ops", "admin"])
def test_every_command_on_a_card_exists_with_its_options(role: str) -> None:
    for line in typed([deck(rules(LADDER, HEAD + PEOPLE))[role]]):
        command: Any = typer.main.get_command(app)
        words = shlex.split(line)[1:]
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in known] == []
        needed = {each.opts[0] for each in command.params if each.required and each.opts[0].startswith("--")}
        assert needed <= set(words), line


def test_a_card_is_one_page_however_much_there_is() -> None:
    long = "a very long name of a policy or a level or whatever else may have one " * 3
    levels = 'after = "1h"\nowner = "lead_of(group)"', 'after = "2h"\nowner = "lead_of(group)"'
    text = "".join(
        policy(
            *levels, name=f"{number} {long}", more=f'acknowledge_tags = ["{number}"]\nstop_on = ["{stop}"]'
        )
        for number, stop in enumerate(("assigned", "agent_reply", "customer_message", "acknowledged") * 5)
    )
    channels = "".join(f'[channels.c{number}]\nurl = "secret:x"\n' for number in range(30))
    people = "".join(f'[groups."Team {n}"]\nlead = "{n}@acme.test"\n[people."{n}@acme.test"]\nmanager = "m{n}"\n'
                     for n in range(30))  # fmt: skip
    cards = deck(rules(text, HEAD + channels + people), "acme", "other")
    for card in cards.values():
        assert height(card) <= PAGE, card.title
    rows = section(cards["lead"], "What lands on my desk").rows
    assert len(rows) == DUTIES + 1
    assert rows[-1][0] == "and 34 more: uptier matrix"


@pytest.mark.parametrize("name", names())
def test_the_cards_of_every_starter_pack(name: str) -> None:
    cards = deck(packs(name))
    assert {"agent", "ops", "admin"} < set(cards)
    assert all(height(card) <= PAGE for card in cards.values())


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_name_leaves_one_page_a_card_and_commands_that_run_nothing_else(name: str) -> None:
    cards = deck(hostile(name))
    assert all(height(card) <= PAGE for card in cards.values())
    for line in typed(tuple(cards.values())):
        assert shlex.split(line)[0] == "uptier"


def test_a_card_begins_a_page_and_says_which_policies_it_is_of() -> None:
    policies = rules(LADDER, HEAD + PEOPLE)
    cards = tuple(deck(policies).values())
    page = cards_html(cards)
    assert page.count('<section class="card">') == len(cards) == page.count(f"Policies {policies.hash}.")
    assert re.search(r"section\.card \{[^}]*break-after: page", page)
    text = cards_markdown(cards)
    assert text.count(f"Policies {policies.hash}.") == len(cards)
    assert '| Escalate it now | `uptier escalate acme/4711 --reason "WHY"` |' in text
