"""Reads a `when` or `unless` table into condition lines, each operand checked against the kind of its field."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from policies import model
from policies.language.conditions import Condition, Conditions, Join, holder_of, joined, still_open, tested
from policies.language.document import Path, did_you_mean, listed
from policies.language.fields import CUSTOM, FIELDS, KINDS, Field, Kind, find, is_space
from policies.language.operators import IS, OPERATORS, Operator, compiled, fits
from policies.language.phrases import fault
from policies.language.reader import Table
from policies.language.references import References
from policies.language.vocabulary import HOLDERS
from policies.model import Status, Wanted

Scalar = str | int | float | bool


def read_operand(
    table: Table, key: str, operator: Operator, field: Field, choices: Collection[str]
) -> Wanted | None:
    """The operand, checked; None if something is wrong with it, which is noted."""
    value = table.values[key]
    match operator.operand:
        case "list" | "one_or_list" if isinstance(value, list):
            return read_list(table, key, value, field, choices)
        case "list":
            table.wrong_type(key, value, 'a list, for example ["…", "…"]')
        case "yes_no" if isinstance(value, bool):
            return value
        case "yes_no":
            table.wrong_type(key, value, "true or false")
        case "pattern":
            return read_pattern(table, key)
        case "holder":
            return table.word(key, HOLDERS)
        case "number" if not field.ranked:
            return read_number(table, key, value, field)
        case _ if isinstance(value, list):
            table.wrong_type(key, value, f"one value{operator.several}")
        case _:
            return read_scalar(table, (key,), value, field, choices)
    return None


def read_list(
    table: Table, key: str, values: list[object], field: Field, choices: Collection[str]
) -> tuple[Scalar, ...] | None:
    """Several values of the field's kind, all of one type."""
    if field.kind == "yes_no":
        table.wrong_type(key, values, "true or false")
        return None
    if not values:
        table.report(key, "empty", f"`{key}` is an empty list and matches nothing; write a value in it.")
        return None
    read = [read_scalar(table, (key, index), each, field, choices) for index, each in enumerate(values)]
    good = tuple(each for each in read if each is not None)
    if len({isinstance(each, str) for each in good}) > 1:
        table.report(key, "wrong-type", f"`{key}` mixes texts and numbers; write one kind.")
        return None
    return good if len(good) == len(read) else None


ONE: Mapping[Kind, tuple[tuple[type, ...], str]] = {
    "number": ((int, float), "a number"),
    "yes_no": ((bool,), "true or false"),
    "custom": ((str, int, float, bool), "text, a number, true or false"),
}
"""By kind of field, what one value may be, and what it is called; of any other kind it is a text."""


def read_scalar(
    table: Table, path: Path, value: object, field: Field, choices: Collection[str]
) -> Scalar | None:
    """One value of the field's kind."""
    types, called = ONE.get(field.kind, ((str,), "text in quotes"))
    if type(value) not in types:
        table.wrong_type(path, value, called)
    elif value == "":
        text = "an empty text is a missing value; write { known = false } to ask for it."
        table.report(path, "empty", text)
    elif not isinstance(value, str) or not choices or table.among(path, value, choices):
        return value if isinstance(value, str | int | float) else None
    return None


def read_number(table: Table, key: str, value: object, field: Field) -> int | float | None:
    """A number; on a custom field also a duration, which stands for its seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if field.kind != "custom" or not isinstance(value, str):
        table.wrong_type(key, value, "a number")
        return None
    try:
        return model.seconds(value)
    except ValueError as error:
        table.report(key, "bad-duration", f"`{key}`: {error}, or a number.")
        return None


def read_pattern(table: Table, key: str) -> str | None:
    """A regular expression that RE2 takes."""
    text = table.text(key, '"refund|chargeback"')
    try:
        return None if text is None or compiled(text) is None else text
    except re2.error as error:
        table.report(key, "bad-pattern", f"`{key}` is not a pattern that RE2 takes: {fault(error)}.")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What conditions may refer to: all that policies may, and the accounts the policy serves."""

    references: References
    serves: tuple[str, ...]


def read_when(table: Table, names: Names) -> Conditions:
    """A `when` table: its lines, and the silent one that keeps finished tickets out (rule 4)."""
    lines = read_conditions(table, names)
    asked = dict(statuses(table.values))
    for path, status in asked.items():
        if status == Status.CLOSED:
            table.report(path, "asks-closed", "a closed ticket cannot be changed any more; leave closed out.")
    asks = Status.SOLVED in asked.values()
    return Conditions(lines=(*lines, still_open(asks)), asks_solved=asks)


def read_unless(table: Table, names: Names) -> Conditions:
    """An `unless` table: its lines and nothing else."""
    return Conditions(lines=read_conditions(table, names))


def read_conditions(table: Table, names: Names) -> tuple[Condition, ...]:
    """Every line of a table of conditions."""
    if not table.values:
        table.report((), "empty", "there is no condition here; write at least one line.")
    return tuple(line for key in table.values for line in read_key(table, key, names))


def statuses(values: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every status that these conditions ask for by value, list or `in`, anywhere, and where it stands."""
    for join in JOINS:
        tables = values.get(join)
        for index, each in enumerate(tables if isinstance(tables, list) else ()):
            if isinstance(each, dict):
                yield from statuses(each, (*path, join, index))
    asked, path = values.get("status"), (*path, "status")
    if isinstance(asked, dict):
        asked, path = asked.get("in"), (*path, "in")
    if isinstance(asked, list):
        yield from (((*path, index), each) for index, each in enumerate(asked))
    else:
        yield path, asked


def read_key(table: Table, key: str, names: Names) -> Iterator[Condition]:
    """The lines behind one key: a field, a group of fields, or `any` / `all`, a list of tables of which each must hold
    as a whole."""
    value = table.values[key]
    if key in JOINS and not value:
        table.report(key, "empty", f"`{key}` is an empty list; write a table in it, or remove it.")
    elif key in JOINS:
        branches = [branch(key, read_conditions(each, names)) for each in table.tables(key)]
        lines = tuple(line for line in branches if line is not None)
        if lines:
            yield joined(key, key, JOINS[key], lines)
    elif is_space(key) and isinstance(value, dict):
        inner = table.inside((key,), value)
        for name in value:
            yield from read_field(inner, name, f"{key}.{name}", names)
    else:
        yield from read_field(table, key, key, names)


def branch(key: str, lines: tuple[Condition, ...]) -> Condition | None:
    """One table inside `any` or `all`, as one line."""
    if len(lines) < 2:
        return lines[0] if lines else None
    return joined(key, "and", "all", lines)


def read_field(table: Table, key: str, name: str, names: Names) -> Iterator[Condition]:
    """The line about one field, unless something is wrong with it. Behind it stands a value, or a table of operators of
    which all must hold."""
    field, value = find(name), table.values[key]
    if field is None:
        table.report(key, "unknown-field", f"there is no field `{name}`.{nearest(name, names)}")
    elif field.kind == "custom" and not names.references.is_mapped(table, key, field, names.serves):
        return
    elif isinstance(value, dict):
        tests = table.inside((key,), value)
        if not value:
            text = f"`{name}` has no operator; write for example {{ known = true }}."
            tests.report((), "empty", text)
        yield from read_tests(tests, name, [(each, OPERATORS.get(each)) for each in value], field, names)
    else:
        yield from read_tests(table, name, [(key, IS)], field, names)


def nearest(name: str, names: Names) -> str:
    """What may have been meant by an unknown field."""
    if name in OPERATORS:
        return f" `{name}` is an operator; write it behind a field, such as subject = {{ {name} = … }}."
    mapped = {CUSTOM + each for fields in names.references.custom.values() for each in fields}
    return did_you_mean(name, (*FIELDS, *mapped)) or f" Known: {listed(FIELDS)}, and custom.NAME."


def read_tests(
    table: Table, name: str, tests: Sequence[tuple[str, Operator | None]], field: Field, names: Names
) -> Iterator[Condition]:
    """Each operator on one field, compiled, unless it does not exist or fit, or the operand is wrong."""
    fitting = [each.name for each in OPERATORS.values() if fits(each, field)]
    references, lines = names.references, list[Condition]()
    for key, operator in tests:
        if operator is None:
            hint = did_you_mean(key, fitting) or f" `{name}` takes {listed(fitting)}."
            table.report(key, "unknown-operator", f"there is no operator `{key}`.{hint}")
            continue
        if not fits(operator, field):
            said = "a plain value" if operator is IS else f"`{operator.name}`"
            text = f"`{name}` is a {KINDS[field.kind]} and does not take {said}; use {listed(fitting)}."
            table.report(key, "wrong-operator", text)
            continue
        wanted = read_operand(table, key, operator, field, references.choices(field))
        if wanted is None:
            continue
        if operator.negates and field.nullable:
            text = (
                f"a ticket without {name} does not match `{operator.name}`; if it should, "
                f"put this line and {{ {name} = {{ known = false }} }} into `any`."
            )
            table.report(key, "nullable-negation", text, "warning")
        if operator.operand == "holder" and not references.limits.any_for(holder := holder_of(wanted)):
            example = '[groups."Tier 1"] with limit = 200'
            if holder == "assignee":
                example = f'[people."ann@acme.test"] with limit = 500, or {example}'
            text = f"nobody has a limit, so this never holds; add {example}."
            table.report(key, "no-limits", text, "warning")
        lines.append(tested(operator, field, wanted, references.packs, references.limits))
    if line := branch(name, tuple(lines)):
        yield line


JOINS: Mapping[str, Join] = {"any": "any", "all": "all"}
