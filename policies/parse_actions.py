"""Reads what a level does: its owner, whom it assigns to, and the other actions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.document import Path
from policies.fields import FIELDS, SPACES, Field, find
from policies.model import Priority, Value
from policies.policy import AssignSpec
from policies.problems import did_you_mean, listed
from policies.references import References
from policies.table import Table

STRATEGIES = ("round_robin", "least_loaded", "on_call")
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "lead_of": ("group", "assignee"),
    "manager_of": ("assignee", "owner"),
    "on_call": ("GROUP",),
}
PLACES = ("group", "assignee", "owner")
CALL = re.compile(r"(\w+)\((.*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What a level has to know of its policy: the calendar it counts on, the accounts it serves, and whether it may
    speak to customers."""

    calendar: str | None
    clock: str
    deadline: bool
    serves: tuple[str, ...]
    references: References
    public: bool = False


def read_owner(table: Table, ladder: Ladder) -> str | None:
    """A group or person by name, `assignee`, or a function of them."""
    owner = table.text("owner", '"Escalations"')
    if owner is None:
        return None
    call = CALL.fullmatch(owner)
    if call is None and owner != "assignee":
        ladder.references.check_owner(table, "owner", owner, ladder.serves)
    elif call is not None:
        check_call(table, call[1], call[2], ladder)
    return owner


def check_call(table: Table, function: str, argument: str, ladder: Ladder) -> None:
    """Note a function that does not exist, or does not take this."""
    if function not in FUNCTIONS:
        hint = did_you_mean(function, FUNCTIONS) or f" Known: {listed(FUNCTIONS)}."
        table.report("owner", "unknown-function", f"there is no function `{function}`.{hint}")
        return
    takes = FUNCTIONS[function]
    if takes != ("GROUP",):
        if argument not in takes:
            table.report(
                "owner", "wrong-argument", f"`{function}` takes {listed(takes)}, not {argument or 'nothing'}."
            )
    elif argument in PLACES or not argument:
        table.report("owner", "wrong-argument", f"`{function}` takes the name of a group, not {argument!r}.")
    else:
        ladder.references.check_group(table, "owner", argument, ladder.serves)


def read_assign(table: Table, ladder: Ladder) -> AssignSpec | None:
    """`{ group = …, agent = … }`, at least one of them."""
    assign = table.table("assign")
    if assign is None:
        return None
    assign.only(("group", "agent", "skill"))
    group, agent = assign.text("group", '"Tier 2"'), assign.text("agent", '"least_loaded"')
    skill = assign.text("skill", '"billing"')
    if skill is not None and agent not in ("round_robin", "least_loaded"):
        text = '`skill` narrows a strategy; add agent = "least_loaded" or "round_robin".'
        assign.report("skill", "skill-without-strategy", text)
    if skill is not None and skill != "by_tag":
        assign.among("skill", skill, ladder.references.skills, "unknown-skill")
    if not assign.values:
        assign.report((), "empty", '`assign` names nobody; write for example { group = "Tier 2" }.')
    if group is not None:
        ladder.references.check_group(assign, "group", group, ladder.serves)
    if agent is not None and agent not in STRATEGIES:
        ladder.references.check_person(assign, "agent", agent, ladder.serves)
    return AssignSpec(group=group, agent=agent, skill=skill)


def read_priority(table: Table) -> Priority | None:
    """`{ at_least = "high" }`: a level never lowers a priority."""
    value = table.values.get("priority")
    if isinstance(value, str):
        table.wrong_type("priority", value, f'{{ at_least = "{value}" }}; a level never lowers a priority')
        return None
    priority = table.table("priority")
    if priority is None:
        return None
    priority.only(("at_least",))
    if not priority.require("at_least", '"high"'):
        return None
    word = priority.word("at_least", tuple(Priority))
    return Priority(word) if word else None


def read_template(table: Table, key: str, ladder: Ladder) -> str | None:
    """The name of a template."""
    name = table.text(key, '"handoff"')
    if name is not None and name not in ladder.references.templates:
        hint = did_you_mean(name, ladder.references.templates) or f" Add [templates.{name}]."
        table.report(key, "unknown-template", f'there is no template "{name}".{hint}')
    return name


def read_follow(table: Table, ladder: Ladder) -> tuple[str, ...]:
    """People by address or name."""
    people = table.texts("follow", '["lee@acme.test"]') or ()
    for index, person in enumerate(people):
        ladder.references.check_person(table, ("follow", index), person, ladder.serves)
    return people


def read_notify(table: Table, ladder: Ladder) -> tuple[str, ...]:
    """Channels by name."""
    channels = table.texts("notify", '["leads"]') or ()
    for index, channel in enumerate(channels):
        known = ladder.references.channels
        if channel not in known:
            hint = did_you_mean(channel, known) or f" Add [channels.{channel}] to the main file."
            table.report(("notify", index), "unknown-channel", f'there is no channel "{channel}".{hint}')
    return tuple(dict.fromkeys(channels))


def read_set(table: Table, ladder: Ladder) -> tuple[tuple[str, Value], ...]:
    """Fields by name, dotted or nested, and the values they get."""
    fields = table.table("set")
    if fields is None:
        return ()
    if not fields.values:
        fields.report((), "empty", "`set` sets nothing; write for example { custom.tier = 2 }.")
    return tuple(pair for key in fields.values for pair in read_pairs(fields, key, ladder))


def read_pairs(fields: Table, key: str, ladder: Ladder) -> list[tuple[str, Value]]:
    """The settings behind one key of `set`: one field, or those of a group of fields."""
    value = fields.values[key]
    if key not in SPACES or not isinstance(value, dict):
        return read_pair(fields, (key,), key, value, ladder)
    nested = ((name, each) for name, each in value.items())
    return [
        pair
        for name, each in nested
        for pair in read_pair(fields, (key, name), f"{key}.{name}", each, ladder)
    ]


def read_pair(fields: Table, path: Path, name: str, value: object, ladder: Ladder) -> list[tuple[str, Value]]:
    """One field to set, checked."""
    field = find(name)
    if field is None or not field.settable:
        hint = " It has an action of its own." if name in ("group", "assignee", "priority", "tags") else ""
        settable = [each.name for each in FIELDS.values() if each.settable]
        fields.report(
            path, "not-settable", f"`{name}` cannot be set; {listed([*settable, 'custom.NAME'])} can.{hint}"
        )
        return []
    if field.kind == "custom":
        check_mapped(fields, path, field, ladder)
    if not isinstance(value, str | int | float):
        fields.wrong_type(path, value, "text, a number, true or false")
        return []
    return [(name, value)]


def check_mapped(fields: Table, path: Path, field: Field, ladder: Ladder) -> None:
    """Note every served account that does not map this custom field."""
    for account in ladder.references.lacking(field, ladder.serves):
        ladder.references.report_unmapped(fields, path, field, account)
