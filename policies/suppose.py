"""What if a ticket had other values: the ticket as it is, with fields replaced in the words of the policy language."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from policies.language.document import did_you_mean, listed
from policies.language.fields import CUSTOM, FIELDS, Field, find
from policies.model import Directory, Group, Person, Priority, Satisfaction, Status, Ticket, Value

PLACES: Mapping[str, tuple[str, str]] = {
    "requester.recent_tickets": ("recent", "of_requester"),
    "organization_recent_tickets": ("recent", "of_organization"),
    **{
        name: ("counts", name)
        for name in ("replies", "reopens", "reassignments", "bounces", "group_moves", "group_bounces")
    },
}
"""Where the numbers stand that are counted of a ticket."""

DERIVED: Mapping[str, str] = {
    "account": "it is where the ticket is",
    "phrases": "it is read from what the customer wrote; set description",
    "assignee_away": "it is what the config and the helpdesk say of the assignee",
}
"""What cannot be supposed, and why."""

CHOICES: Mapping[str, Any] = {"status": Status, "priority": Priority, "satisfaction": Satisfaction}
TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def suppose(
    ticket: Ticket, said: Mapping[str, str], directory: Directory, customs: Collection[str] = ()
) -> Ticket:
    """The ticket with these values in place of its own, by field; an empty one means that there is none. They are taken
    for known, and no history tells of them: a clock that counts from a change counts on from the last one there was.
    `customs` are the custom fields that are mapped. ValueError for what no field is called, or cannot hold."""
    for name, text in said.items():
        of = find(name)
        if of is None or (name.startswith(CUSTOM) and name.removeprefix(CUSTOM) not in customs):
            there = (*FIELDS, *(CUSTOM + each for each in customs))
            raise ValueError(f'there is no field "{name}".{did_you_mean(name, there)}')
        if name in DERIVED:
            raise ValueError(f"{name} cannot be set: {DERIVED[name]}")
        if text == "" and not of.nullable and of.kind != "list":
            raise ValueError(f"{name} cannot be empty: every ticket has one")
        ticket = replaced(ticket, of, text, directory)
        ticket = replace(ticket, hidden=ticket.hidden - of.reads, loaded=ticket.loaded | of.needs)
    return ticket


def replaced(ticket: Ticket, of: Field, text: str, directory: Directory) -> Ticket:
    """The ticket with this value of one field."""
    name = of.name
    if name == "group":
        return replace(ticket, group=the_group(text, directory))
    if name == "assignee":
        return replace(ticket, assignee=the_agent(text, directory))
    value = typed(of, text, of.read(ticket))
    if name.startswith(CUSTOM):
        return replace(ticket, custom={**ticket.custom, name.removeprefix(CUSTOM): value})
    inside, place = PLACES.get(name) or name.rpartition(".")[::2]
    if of.kind == "list":
        value = frozenset(value)
    elif value is None and name in TEXTS:
        value = ""
    fields: dict[str, Any] = {place: value}
    if inside:
        whole = getattr(ticket, inside) or Person(id="", name="")
        fields = {inside: replace(whole, **fields)}
    elif name == "status":
        fields["status_name"] = str(value)
    return replace(ticket, **fields)


TEXTS = ("subject", "description", "requester.name")
"""What is an empty text where there is none."""


def the_group(name: str, directory: Directory) -> Group | None:
    """The group of this name, none for an empty one."""
    found = directory.group(name)
    if name and found is None:
        near = did_you_mean(name, [each.name for each in directory.groups])
        raise ValueError(f'{directory.account} knows no group "{name}".{near}')
    return found


def the_agent(label: str, directory: Directory) -> Person | None:
    """The agent of this address or name, nobody for an empty one."""
    found = directory.agent(label)
    if label and found is None:
        near = did_you_mean(label, [each.person.label for each in directory.agents])
        raise ValueError(f'{directory.account} knows no assignee "{label}".{near}')
    return found.person if found else None


def typed(of: Field, text: str, before: Value) -> Any:
    """The text as a value that the field can hold; in a list, `+x,-y` adds and removes."""
    if of.kind == "list":
        parts = tuple(part.strip() for part in text.split(",") if part.strip())
        if not parts or not all(part[0] in "+-" for part in parts):
            return parts
        kept = dict.fromkeys(before if isinstance(before, tuple) else ())
        for part in parts:
            if part[0] == "+":
                kept[part[1:]] = None
            else:
                kept.pop(part[1:], None)
        return tuple(str(each) for each in kept)
    if text == "":
        return None
    if of.name in CHOICES:
        if text not in of.choices:
            near = did_you_mean(text, of.choices) or f" It is one of {listed(of.choices)}."
            raise ValueError(f'{of.name} cannot be "{text}".{near}')
        return CHOICES[of.name](text)
    if of.kind == "number":
        if not text.isdecimal() or len(text) > 9:
            raise ValueError(f'{of.name} cannot be "{text}": it is a number')
        return int(text)
    if of.kind == "yes_no":
        if text not in TRUTH:
            raise ValueError(f'{of.name} cannot be "{text}": it is {listed(TRUTH)}')
        return TRUTH[text]
    return loose(text, before) if of.kind == "custom" else text


def loose(text: str, before: Value) -> Any:
    """A custom field's value: a text where it holds one, otherwise as JSON writes it, or else a text."""
    if isinstance(before, str):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    return value if isinstance(value, str | int | float | bool) else text
