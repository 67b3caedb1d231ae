"""Pages printed from the vocabulary: all fields and words, and the schema of the config."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from adapters.base import Vendor
from connector.config.settings import Settings
from connector.render import markdown_table
from policies.language import schema as language
from policies.language.clocks import CLOCKS
from policies.language.fields import FIELDS, KINDS, Field, custom
from policies.language.operators import OPERANDS, OPERATORS, Operator, fits
from policies.language.vocabulary import (
    CHANNEL_KEYS,
    LEVEL_KEYS,
    OWNER_FUNCTIONS,
    POLICY_KEYS,
    STOPS,
    STRATEGIES,
)


def every() -> tuple[Field, ...]:
    """All fields, a custom one last."""
    return (*FIELDS.values(), custom("NAME"))


def operators(field: Field) -> list[str]:
    """The operators that work on a field."""
    return [each.name for each in OPERATORS.values() if fits(each, field)]


def as_rows(vendors: Mapping[str, Vendor]) -> list[dict[str, Any]]:
    """Everything, for a program."""
    return [
        {
            "name": field.name,
            "kind": field.kind,
            "meaning": field.meaning,
            "choices": list(field.choices),
            "may_be_missing": field.nullable,
            "operators": operators(field),
            "helpdesks": {
                name: {"where": source.where, "lossy": source.lossy, "writing": source.writing}
                for name, vendor in vendors.items()
                if (source := vendor.sources.get(field.name)) is not None
            },
        }
        for field in every()
    ]


def as_text(vendors: Mapping[str, Vendor]) -> Iterator[str]:
    """For a terminal, a few lines for each field."""
    for row in as_rows(vendors):
        kind = "as the helpdesk has it" if row["kind"] == "custom" else KINDS[row["kind"]]
        missing = ", may be missing" if row["may_be_missing"] else ""
        yield f"{row['name']} ({kind}{missing}): {row['meaning']}"
        if row["choices"]:
            yield f"    values: {', '.join(row['choices'])}"
        yield f"    operators: {', '.join(row['operators'])}"
        for name, source in row["helpdesks"].items():
            lost = f"; {source['lossy']}" if source["lossy"] else ""
            yield f"    {name}: {source['where']}{lost}"


def as_markdown(vendors: Mapping[str, Vendor]) -> Iterator[str]:
    """The page docs/mapping.md."""
    yield "# Where each value comes from"
    yield ""
    yield "This page is printed by `uptier fields --format md`. What a condition can ask is the same for every"
    yield "helpdesk; where the value stands, what is lost on the way and how a change is written, is not."
    for row in as_rows(vendors):
        yield ""
        yield f"## `{row['name']}`"
        yield ""
        missing = " It may be missing." if row["may_be_missing"] else ""
        values = f" One of {', '.join(row['choices'])}." if row["choices"] else ""
        yield f"{row['meaning']}{values}{missing} Operators: {', '.join(f'`{each}`' for each in row['operators'])}."
        yield ""
        yield "| helpdesk | where it stands | what is lost | how it is written |"
        yield "|---|---|---|---|"
        for name, source in row["helpdesks"].items():
            cells = (vendors[name].title, source["where"], source["lossy"], source["writing"])
            yield f"| {' | '.join(cell or '-' for cell in cells)} |"


def words() -> Iterator[str]:
    """The page docs/words.md: all words but the fields, each as its row says it."""
    yield "# Every word of the policy language"
    yield ""
    yield "This page is printed by `uptier fields --words --format md`. [policies.md](policies.md) says how"
    yield "the words are used together, [mapping.md](mapping.md) lists the fields."
    for section in sections():
        yield from ("", f"## {section.title}", "")
        yield from markdown_table(section.head, section.rows)


class Words(NamedTuple):
    """The words of one kind, a row each. What is typed stands in backquotes."""

    title: str
    head: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]


def sections() -> Iterator[Words]:
    """All words but the fields, kind by kind."""
    yield Words(
        "Operators",
        ("operator", "fields", "takes", "holds for"),
        (
            (code(each.name), taking(each), OPERANDS[each.operand], each.meaning)
            for each in OPERATORS.values()
        ),
    )
    yield Words(
        "What is counted: `clock`",
        ("clock", "counts", "absent (nothing fires)"),
        ((code(each.name), each.meaning, each.absent) for each in CLOCKS.values()),
    )
    yield Words(
        "What ends an episode: `stop_on`",
        ("word", "when"),
        ((code(each.name), each.meaning) for each in STOPS.values()),
    )
    yield Words(
        "Who is chosen: the `agent` of `assign`",
        ("strategy", "who"),
        ((code(each.name), each.meaning) for each in STRATEGIES.values()),
    )
    calls = (
        (f"{each.name}({inside})", each.phrases[inside])
        for each in OWNER_FUNCTIONS.values()
        for inside in each.takes
    )
    yield Words(
        "Who answers: functions of `owner`",
        ("function", "who"),
        ((code(call), phrase.format(group="that group")) for call, phrase in calls),
    )
    for title, keys in (("policy", POLICY_KEYS), ("level", LEVEL_KEYS), ("channel", CHANNEL_KEYS)):
        rows = ((code(name), key.meaning) for name, key in keys.items())
        yield Words(f"Keys of a {title}", ("key", "meaning"), rows)


def taking(operator: Operator) -> str:
    """The kinds of field that an operator works on, and fields of other kinds by name."""
    others = (each for each in FIELDS.values() if each.kind not in operator.kinds and fits(operator, each))
    return ", ".join([*sorted(KINDS[kind] for kind in operator.kinds), *(code(each.name) for each in others)])


def code(word: str) -> str:
    """A word as it is typed."""
    return f"`{word}`"


DIALECT = "https://json-schema.org/draft/2020-12/schema"


def whole() -> dict[str, Any]:
    """For the main file and for policy files alike: no top-level key is required."""
    settings = Settings.model_json_schema()
    return {
        "$schema": DIALECT,
        "title": "Uptier",
        "description": "uptier.toml and the files of policies.d. `uptier check` knows more than this schema.",
        "type": "object",
        "properties": {**settings["properties"], **language.properties()},
        "additionalProperties": False,
        "$defs": {**settings.get("$defs", {}), "conditions": language.conditions()},
    }
