"""The policy language as JSON Schema, from the tables that `check` reads: an editor completes and warns.

The schema is as strict as a schema can be. What depends on two places at once (a template that does not exist,
`before` without a deadline clock) only `uptier check` tells."""

from collections.abc import Iterable, Mapping
from typing import Any

from policies.language.fields import FIELDS, PHRASES, Field, custom
from policies.language.operators import IS, OPERATORS, Operator, fits
from policies.language.parse_policy import (
    CLOCKS,
    DUES,
    KINDS,
    LEVEL_KEYS,
    MODES,
    PAUSES,
    POLICY_KEYS,
    REPLIES,
    STOPS,
    STRATEGIES,
)
from policies.language.parse_tables import CHANNEL_KEYS, DAYS
from policies.language.phrases import shipped
from policies.language.policy import HOLDERS
from policies.model import Metric, Priority

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
DURATION: Schema = {
    "type": "string",
    "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$",
    "minLength": 2,
    "examples": ["30m", "1h30m", "2d"],
}
HOURS: Schema = {
    "anyOf": [TEXT, {"type": "array", "items": TEXT}],
    "examples": ["09:00-17:00", ["09:00-12:00", "13:00-18:00"]],
}
AMOUNT: Schema = {"type": "number", "minimum": 0, "description": "Up to this amount they may decide."}
MODE: Schema = {"enum": list(MODES)}
ACCOUNTS: Schema = {"type": "array", "items": TEXT, "minItems": 1}


def properties() -> Schema:
    """What may stand in a policy file, by top-level key."""
    return {
        "policy": {
            "type": "array",
            "items": policy(),
            "description": "The policies, in order of precedence.",
        },
        "calendars": named(calendar(), "Opening hours by name."),
        "templates": named(
            {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
            "Message templates by name: one text for each language, the default first.",
        ),
        "people": named(
            closed(
                {
                    "manager": TEXT,
                    "limit": AMOUNT,
                    "timezone": TEXT,
                    "absent": texts(),
                    "substitute": TEXT,
                    "cap": {"type": "integer", "minimum": 1},
                    "skills": texts(),
                }
            ),
            "People by address: who is above them, what they may decide, when they are away, who stands in.",
        ),
        "groups": named(
            closed({"lead": TEXT, "on_call": TEXT, "limit": AMOUNT}),
            "Groups by name: who leads, who is on call, what their people may decide.",
        ),
        "phrases": named(
            {
                "type": "object",
                "patternProperties": {"^[a-z]{2,3}$": texts()},
                "additionalProperties": False,
                "minProperties": 1,
            },
            "Phrase packs by name: plain phrases or RE2 patterns for each language, added to what is there.",
        ),
        "channels": named(channel(), "Channels outside the helpdesk by name; in the main file only."),
        "sla": named(sla(), "Targets for helpdesks and plans that give none."),
    }


def policy() -> Schema:
    """One `[[policy]]`."""
    says: dict[str, Schema] = {
        "name": TEXT,
        "accounts": ACCOUNTS,
        "mode": MODE,
        "clock": choice(CLOCKS),
        "calendar": TEXT,
        "stop_on": some_of(STOPS),
        "pause_on": some_of(PAUSES),
        "counts_as_reply": some_of(REPLIES),
        "public": {"type": "boolean"},
        "acknowledge_tags": texts(),
        "backlog": {"enum": ["fire", "skip"]},
        "when": {"$ref": "#/$defs/conditions"},
        "unless": {"$ref": "#/$defs/conditions"},
        "level": {"type": "array", "items": level(), "minItems": 1},
    }
    return described(says, POLICY_KEYS, ("name", "clock", "when", "level"))


def level() -> Schema:
    """One `[[policy.level]]`."""
    says: dict[str, Schema] = {
        "name": TEXT,
        "kind": {"enum": list(KINDS)},
        "after": DURATION,
        "before": DURATION,
        "at": {"type": "integer", "minimum": 1, "maximum": 100},
        "clock": {"const": "since_last_level"},
        "owner": {**TEXT, "examples": ["Tier 2", "assignee", "lead_of(group)", "manager_of(owner)"]},
        "assign": assignment(),
        "priority": closed({"at_least": {"enum": list(Priority)}}),
        "tags": texts(),
        "untag": texts(),
        "set": {"type": "object", "minProperties": 1},
        "note": TEXT,
        "reply": TEXT,
        "follow": texts(),
        "notify": texts(),
        "ask": TEXT,
        "checklist": texts(),
        "hand_off": {"type": "boolean"},
        "approval": closed({"note": TEXT, "notify": texts()}),
        "within": TEXT,
        "otherwise": closed(
            {
                "owner": TEXT,
                "assign": assignment(),
                "note": TEXT,
                "notify": texts(),
            }
        ),
        "repeat": closed({"every": DURATION, "times": {"type": "integer", "minimum": 1}}, ("every", "times")),
    }
    made = described(says, LEVEL_KEYS, ("name",))
    return made | {"oneOf": [{"required": [due]} for due in DUES]}


def assignment() -> Schema:
    """An `assign`."""
    return closed({"group": TEXT, "agent": {**TEXT, "examples": list(STRATEGIES)}, "skill": TEXT})


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
            "holidays": {**texts(), "examples": [["US-NY"]]},
            "closed": texts(),
            "open": {"type": "object", "additionalProperties": HOURS},
        },
        ("timezone", "hours"),
    )


def channel() -> Schema:
    """One `[channels.NAME]`."""
    says: dict[str, Schema] = {
        "url": {"type": "string", "pattern": "^secret:", "examples": ["secret:leads-slack"]},
        "template": TEXT,
        "quiet": closed({"calendar": TEXT}, ("calendar",)),
        "digest": closed(
            {"above": {"type": "integer", "minimum": 1}, "within": DURATION}, ("above", "within")
        ),
    }
    return described(says, CHANNEL_KEYS, ("url",))


def sla() -> Schema:
    """One `[sla.NAME]`."""
    targets = closed({priority.value: DURATION for priority in Priority})
    return closed({"accounts": ACCOUNTS, "calendar": TEXT, **{metric.value: targets for metric in Metric}})


def named(inner: Schema, meaning: str) -> Schema:
    """Tables by a name of the user's choice."""
    return {"type": "object", "additionalProperties": inner, "description": meaning}


def closed(says: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """A table with these keys and no others."""
    return {
        "type": "object",
        "properties": dict(says),
        "required": list(required),
        "additionalProperties": False,
    }


def described(says: Mapping[str, Schema], meanings: Mapping[str, str], required: Iterable[str]) -> Schema:
    """A table whose every key has a sentence. KeyError if one has none, or a sentence no key."""
    said = {key: {**says[key], "description": meaning} for key, meaning in meanings.items()}
    return closed(said, required)


def choice(words: Mapping[str, str]) -> Schema:
    """One of some words, each with its sentence."""
    return {"oneOf": [{"const": word, "description": meaning} for word, meaning in words.items()]}


def some_of(words: Iterable[str]) -> Schema:
    """A list of some of these words."""
    return {"type": "array", "items": {"enum": [str(word) for word in words]}, "minItems": 1}


def texts() -> Schema:
    """A list of texts."""
    return {"type": "array", "items": TEXT, "minItems": 1}
