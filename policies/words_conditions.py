"""Conditions in plain English, for people who read no TOML: matrix, cards and console show them."""

from collections.abc import Callable, Mapping

from policies.conditions import Conditions, Line
from policies.fields import CUSTOM, PHRASES, Field, find
from policies.operators import OVER_LIMIT_OF, Wanted, one, several

NOUNS: Mapping[str, str] = {
    "status": "the status",
    "status_name": "the helpdesk's own status",
    "priority": "the priority",
    "type": "the ticket type",
    "channel": "the channel the ticket came in by",
    "account": "the account",
    "subject": "the subject",
    "description": "the first message",
    PHRASES: "the phrases found in the requester's words",
    "tags": "the tags",
    "group": "the group",
    "assignee": "the assignee",
    "requester.name": "the requester's name",
    "requester.address": "the requester's address",
    "requester.organization": "the requester's organization",
    "requester.tags": "the requester's tags",
    "requester.recent_tickets": "the number of the requester's tickets in the last 7 days",
    "organization": "the organization",
    "organization_recent_tickets": "the number of the organization's tickets in the last 7 days",
    "language": "the language",
    "satisfaction": "the rating",
    "replies": "the number of public replies",
    "reopens": "the number of times a person reopened it",
    "reassignments": "the number of moves between assignees by people",
    "bounces": "the number of moves by people back to the assignee before last",
    "group_moves": "the number of moves between groups by people",
    "group_bounces": "the number of moves by people back to the group before last",
}
"""What a field is called. Fields that are true or false have sentences of their own."""

YES_NO: Mapping[str, tuple[str, str]] = {
    "assignee_away": ("the assignee is away", "the assignee is not away"),
    "requester.vip": ("the requester is a VIP", "the requester is not a VIP"),
}
"""What is said if the value is yes, and if it is no."""

Saying = Callable[[Field, Wanted], str]


def at_least(field: Field, wanted: Wanted) -> str:
    """From a rank or a number on."""
    if field.ranked:
        return f"is {wanted}" if wanted == field.choices[-1] else f"is {wanted} or more urgent"
    return f"is {one(wanted)} or more"


def at_most(field: Field, wanted: Wanted) -> str:
    """Up to a rank or a number."""
    if field.ranked:
        return f"is {wanted}" if wanted == field.choices[0] else f"is {wanted} or less urgent"
    return f"is {one(wanted)} or less"


def include(field: Field) -> str:
    """The verb for what is in a list."""
    return "include" if field.kind == "list" else "includes"


SAYINGS: Mapping[str, Saying] = {
    "value": lambda _, wanted: f"is {several(wanted)}",
    "in": lambda _, wanted: f"is {several(wanted)}",
    "not": lambda _, wanted: f"is known and not {one(wanted)}",
    "not_in": lambda field, wanted: f"is {'known and ' if field.nullable else ''}not {several(wanted)}",
    "contains": lambda _, wanted: f'contains "{wanted}"',
    "matches": lambda _, wanted: f'matches the pattern "{wanted}"',
    "known": lambda _, wanted: "is known" if wanted else "is missing",
    "at_least": at_least,
    "at_most": at_most,
    "over": lambda _, wanted: f"is more than {one(wanted)}",
    "under": lambda _, wanted: f"is less than {one(wanted)}",
    OVER_LIMIT_OF: lambda _, wanted: f"is more than the {one(wanted)} may decide",
    "has": lambda field, wanted: f"{include(field)} {several(wanted)}",
    "has_all": lambda field, wanted: f"{include(field)} {several(wanted, 'and')}",
    "lacks": lambda field, wanted: f"{include(field)} no {several(wanted)}",
}
"""By operator, what is said behind a field's noun. A plain value is the operator `value`."""


def when_words(when: Conditions) -> tuple[str, ...]:
    """What must hold, one sentence for each line. The line that every `when` has unsaid is left out where another
    says which status it must be."""
    written = when.lines[:-1]
    asked = any(line.path == "status" and line.operator in ("value", "in") for line in written)
    return tuple(line_words(line) for line in (written if asked else when.lines))


def unless_words(unless: Conditions) -> tuple[str, ...]:
    """What must not hold, one sentence for each line."""
    return tuple(line_words(line) for line in unless.lines)


def line_words(line: Line) -> str:
    """One line. Lines inside it are joined by "and" or "or", those inside these in brackets."""
    if not line.inner:
        return sentence(line)
    parts = [f"({line_words(each)})" if each.inner else line_words(each) for each in line.inner]
    return (", or " if line.join == "any" else ", and ").join(parts)


def sentence(line: Line) -> str:
    """A test of one field."""
    field = find(line.path)
    assert field is not None
    assert line.wanted is not None
    if field.kind == "yes_no":
        return yes_no(field, line.operator, line.wanted)
    return f"{noun(field)} {SAYINGS[line.operator](field, line.wanted)}"


def noun(field: Field) -> str:
    """What the field is called."""
    if field.kind == "custom":
        return f"the custom field {field.name.removeprefix(CUSTOM)}"
    return NOUNS[field.name]


def yes_no(field: Field, operator: str, wanted: Wanted) -> str:
    """A test of a field that is true or false."""
    yes, no = YES_NO[field.name]
    if operator == "known":
        return f"it is {'' if wanted else 'not '}known whether {yes}"
    return yes if wanted else no
