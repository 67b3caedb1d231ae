"""Hundreds of automations, written at random: each that is carried over fires on exactly the tickets on which Zendesk's
rule would act, at its hour, and leaves them as that would. Zendesk's words are read here once more, by themselves."""

import random
from typing import Any

import pytest

from adapters.carry import Names
from adapters.zendesk.business_rules import carry
from connector.config.importing import imported
from policies.model import Priority, Status
from tests.policies.lives import ANN, BEN, TIER1, TIER2, Life

STATUSES = ("new", "open", "pending", "hold", "solved")
PRIORITIES = ("", "low", "normal", "high", "urgent")
GROUPS = {"": None, "1": TIER1, "2": TIER2}
PEOPLE = {"": None, "21": ANN, "22": BEN}
TAGS = ("vip", "gold", "done", "old")
NAMES = Names(groups={"1": "Tier 1", "2": "Tier 2"}, people={"21": "ann@acme.test", "22": "ben@acme.test"})

Ticket = dict[str, Any]
Row = dict[str, Any]


def a_ticket(chance: random.Random) -> Ticket:
    return {
        "status": chance.choice(STATUSES),
        "priority": chance.choice(PRIORITIES),
        "type": chance.choice(("", "incident", "question")),
        "group_id": chance.choice(tuple(GROUPS)),
        "assignee_id": chance.choice(tuple(PEOPLE)),
        "current_tags": set(chance.sample(TAGS, chance.randint(0, 3))),
    }


def a_condition(chance: random.Random) -> Row:
    field = chance.choice(("status", "priority", "type", "group_id", "assignee_id", "current_tags"))
    if field == "current_tags":
        operator, value = (
            chance.choice(("includes", "not_includes")),
            " ".join(chance.sample(TAGS, chance.randint(1, 2))),
        )
        return {"field": field, "operator": operator, "value": value}
    words: dict[str, tuple[str, ...]] = {
        "status": STATUSES, "priority": PRIORITIES, "type": ("", "incident", "question"),
        "group_id": tuple(GROUPS), "assignee_id": tuple(PEOPLE),
    }  # fmt: skip
    ranked = ("less_than", "greater_than") if field in ("status", "priority") else ()
    return {
        "field": field,
        "operator": chance.choice(("is", "is_not", *ranked)),
        "value": chance.choice(words[field]),
    }


def an_automation(chance: random.Random) -> Row:
    all_ = [a_condition(chance) for _ in range(chance.randint(0, 3))]
    any_ = [a_condition(chance) for _ in range(chance.choice((0, 0, 1, 2, 3)))]
    time = {"field": "NEW", "operator": chance.choice(("greater_than", "greater_than", "is")), "value": "24"}
    all_.insert(chance.randint(0, len(all_)), time)
    actions = [
        {"field": "current_tags", "value": chance.choice(("acted", "acted done"))},
        chance.choice(
            (
                {"field": "priority", "value": chance.choice(PRIORITIES[1:])},
                {"field": "group_id", "value": chance.choice(("1", "2"))},
                {"field": "remove_tags", "value": chance.choice(TAGS[:2])},
            )
        ),
    ]
    return {"title": "Rule", "conditions": {"all": all_, "any": any_}, "actions": actions}


def holds(row: Row, ticket: Ticket) -> bool:
    """What Zendesk's words say, read apart from what is tried."""
    field, operator, value = row["field"], row["operator"], row["value"]
    if field == "NEW":
        return True
    held = ticket[field]
    if field == "current_tags":
        return bool(held & set(value.split())) is (operator == "includes")
    order = STATUSES if field == "status" else PRIORITIES
    if operator == "less_than":
        return order.index(held) < order.index(value)
    if operator == "greater_than":
        return order.index(held) > order.index(value)
    return (held == value) is (operator == "is")


def acts(rule: Row, ticket: Ticket) -> bool:
    """Whether Zendesk's rule acts on this ticket when it is a day old."""
    conditions = rule["conditions"]
    either = conditions["any"]
    return all(holds(row, ticket) for row in conditions["all"]) and (
        not either or any(holds(row, ticket) for row in either)
    )


def after(rule: Row, ticket: Ticket) -> Ticket:
    left = {**ticket, "current_tags": set(ticket["current_tags"])}
    for action in rule["actions"]:
        field, value = action["field"], action["value"]
        if field == "current_tags":
            left["current_tags"] |= set(value.split())
        elif field == "remove_tags":
            left["current_tags"] -= set(value.split())
        else:
            left[field] = value
    return left


def living(text: str, ticket: Ticket) -> Life:
    return Life(text).with_fields(
        status=Status("on_hold" if ticket["status"] == "hold" else ticket["status"]),
        priority=Priority(ticket["priority"]) if ticket["priority"] else None,
        type=ticket["type"] or None,
        group=GROUPS[ticket["group_id"]],
        assignee=PEOPLE[ticket["assignee_id"]],
        tags=frozenset(ticket["current_tags"]),
    )


@pytest.mark.parametrize("seed", range(6))
def test_what_is_carried_over_acts_where_and_as_zendesk_does(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (a repeatable disorder, not a secret)
    over, fired = 0, 0
    for _ in range(40):
        rule = an_automation(chance)
        made = imported(carry({"automations": [rule]}, NAMES), "a test", None, ())
        if made.rules[0].fate != "carried over":
            continue
        over += 1
        text = made.text.replace('mode = "observe"\n', "")
        for ticket in (a_ticket(chance) for _ in range(4)):
            life = living(text, ticket)
            life.look(24 * 60 - 1)
            assert life.fired("Rule") == [], (rule, ticket)
            life.look(24 * 60)
            assert bool(life.fired("Rule")) is acts(rule, ticket), (rule, ticket, text)
            if not acts(rule, ticket):
                continue
            fired += 1
            left = after(rule, ticket)
            assert life.ticket.tags == left["current_tags"], (rule, ticket)
            assert (life.ticket.priority or "") == left["priority"], (rule, ticket)
            assert life.ticket.group == GROUPS[left["group_id"]], (rule, ticket)
    assert over > 5
    assert fired > 3
