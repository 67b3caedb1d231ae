"""The policy language as JSON Schema, from the tables that `check` reads: an editor completes and warns.

The schema is as strict as a schema can be. What depends on two places at once (a template that does not exist,
`before` without a deadline clock) only `uptier check` tells."""

from collections.abc import Mapping

from policies.language.fields import FIELDS, PHRASES, Field, custom
from policies.language.operators import IS, OPERATORS, Operator, fits
from policies.language.phrases import shipped
from policies.language.vocabulary import (
    CHANNEL_KEYS,
    DAYS,
    DURATION,
    GROUP_KEYS,
    HOLDERS,
    PERSON_KEYS,
    POLICY_KEYS,
    TEXT,
    TEXTS,
    Schema,
    closed,
    written,
)
from policies.model import Metric, Priority

SCALAR: Schema = {"type": ["string", "number", "boolean"]}
HOURS: Schema = {
    "anyOf": [TEXT, {"type": "array", "items": TEXT}],
    "examples": ["09:00-17:00", ["09:00-12:00", "13:00-18:00"]],
}


def properties() -> Schema:
    """What may stand in a policy file, by top-level key."""
    return {
        "policy": {
            "type": "array",
            "items": written(POLICY_KEYS),
            "description": "The policies, in order of precedence.",
        },
        "calendars": named(calendar(), "Opening hours by name."),
        "templates": named(
            {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
            "Message templates by name: one text for each language, the default first.",
        ),
        "people": named(
            closed(PERSON_KEYS),
            "People by address: who is above them, what they may decide, when they are away, who stands in.",
        ),
        "groups": named(
            closed(GROUP_KEYS),
            "Groups by name: who leads, who is on call, what their people may decide.",
        ),
        "phrases": named(
            {
                "type": "object",
                "patternProperties": {"^[a-z]{2,3}$": TEXTS},
                "additionalProperties": False,
                "minProperties": 1,
            },
            "Phrase packs by name: plain phrases or RE2 patterns for each language, added to what is there.",
        ),
        "channels": named(
            written(CHANNEL_KEYS), "Channels outside the helpdesk by name; in the main file only."
        ),
        "sla": named(sla(), "Targets for helpdesks and plans that give none."),
    }


def conditions() -> Schema:
    """A `when` or `unless`: lines by field, and `any` / `all`."""
    lines: dict[str, Schema] = {
        join: {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/conditions"},
            "description": meaning,
        }
        for join, meaning in (("any", "One of these tables must hold."), ("all", "Each of these must hold."))
    }
    spaces: dict[str, dict[str, Schema]] = {}
    for field in FIELDS.values():
        space, dot, name = field.name.partition(".")
        if dot:
            spaces.setdefault(space, {})[name] = line(field)
        else:
            lines[field.name] = line(field)
    lines |= {space: closed(inner) for space, inner in spaces.items()}
    free = custom("NAME")
    lines["custom"] = {
        "type": "object",
        "additionalProperties": line(free),
        "description": "Custom fields, as mapped in the account's `fields`.",
    }
    return {
        "type": "object",
        "properties": lines,
        "patternProperties": {r"^custom\.": line(free)}
        | {
            f"^{name.replace('.', chr(92) + '.')}$": line(each)
            for name, each in FIELDS.items()
            if "." in name
        },
        "additionalProperties": False,
        "minProperties": 1,
    }


def line(field: Field) -> Schema:
    """What may stand behind a field."""
    tests = {each.name: operand(each, field) for each in OPERATORS.values() if fits(each, field)}
    table = {"type": "object", "properties": tests, "additionalProperties": False, "minProperties": 1}
    plain = [operand(IS, field)] if fits(IS, field) else []
    return {"description": field.meaning, "anyOf": [*plain, table]}


def operand(operator: Operator, field: Field) -> Schema:
    """What may stand behind an operator on a field."""
    one = value(field)
    several: Schema = {"type": "array", "items": one, "minItems": 1}
    kinds: Mapping[str, Schema] = {
        "one": one,
        "list": several,
        "one_or_list": one if field.kind == "yes_no" else {"anyOf": [one, several]},
        "number": one if field.ranked else {"type": "number"},
        "yes_no": {"type": "boolean"},
        "pattern": TEXT,
        "holder": {"enum": list(HOLDERS)},
    }
    found = kinds[operator.operand]
    if operator.operand == "number" and field.kind == "custom":
        found = {"anyOf": [found, DURATION]}
    return {**found, "description": operator.meaning}


def value(field: Field) -> Schema:
    """One value of a field."""
    if field.choices:
        return {"enum": list(field.choices)}
    if field.name == PHRASES:
        return {"anyOf": [{"enum": list(shipped())}, TEXT]}
    by_kind: Mapping[str, Schema] = {
        "number": {"type": "number"},
        "yes_no": {"type": "boolean"},
        "custom": SCALAR,
    }
    return by_kind.get(field.kind, TEXT)


def calendar() -> Schema:
    """One `[calendars.NAME]`."""
    day = "|".join(DAYS)
    hours = {
        "type": "object",
        "patternProperties": {f"^({day})(-({day}))?$": HOURS},
        "additionalProperties": False,
    }
    return closed(
        {
            "timezone": {**TEXT, "examples": ["Europe/London"]},
            "hours": {**hours, "examples": [{"mon-fri": "09:00-17:00"}]},
            "holidays": {**TEXTS, "examples": [["US-NY"]]},
            "closed": TEXTS,
            "open": {"type": "object", "additionalProperties": HOURS},
        },
        ("timezone", "hours"),
    )


def sla() -> Schema:
    """One `[sla.NAME]`."""
    targets = closed({priority.value: DURATION for priority in Priority})
    return closed({"accounts": TEXTS, "calendar": TEXT, **{metric.value: targets for metric in Metric}})


def named(inner: Schema, meaning: str) -> Schema:
    """Tables by a name of the user's choice."""
    return {"type": "object", "additionalProperties": inner, "description": meaning}
