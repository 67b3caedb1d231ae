"""Checks what stands behind an operator against the kind of its field."""

from collections.abc import Collection

import re2

from policies import durations
from policies.document import Path
from policies.fields import Field
from policies.limits import HOLDERS
from policies.operators import Operator, Wanted
from policies.table import Table

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
            return None
        case "yes_no":
            return read_yes_no(table, key, value)
        case "pattern":
            return read_pattern(table, key)
        case "holder":
            return table.word(key, HOLDERS)
        case "number" if not field.ranked:
            return read_number(table, key, value, field)
    if isinstance(value, list):
        table.wrong_type(key, value, f"one value{for_several(operator)}")
        return None
    return read_scalar(table, (key,), value, field, choices)


def for_several(operator: Operator) -> str:
    """Where to go with a list that an operator does not take."""
    return {"not": ", or use not_in for a list", "contains": "; several go into `any`"}.get(operator.name, "")


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


def read_scalar(
    table: Table, path: Path, value: object, field: Field, choices: Collection[str]
) -> Scalar | None:
    """One value of the field's kind."""
    wanted = {"number": "a number", "yes_no": "true or false", "custom": "text, a number, true or false"}
    if not is_of_kind(value, field.kind):
        table.wrong_type(path, value, wanted.get(field.kind, "text in quotes"))
        return None
    if value == "":
        table.report(
            path, "empty", "an empty text is a missing value; write { known = false } to ask for it."
        )
        return None
    if isinstance(value, str) and choices and value not in choices:
        table.among(path, value, choices)
        return None
    return value if isinstance(value, str | int | float) else None


def is_of_kind(value: object, kind: str) -> bool:
    """Whether a TOML value can stand for a value of this kind of field."""
    match kind:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "yes_no":
            return isinstance(value, bool)
        case "custom":
            return isinstance(value, str | int | float)
    return isinstance(value, str)


def read_yes_no(table: Table, key: str, value: object) -> bool | None:
    """true or false."""
    if isinstance(value, bool):
        return value
    table.wrong_type(key, value, "true or false")
    return None


def read_number(table: Table, key: str, value: object, field: Field) -> int | float | None:
    """A number; on a custom field also a duration, which stands for its seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if field.kind != "custom" or not isinstance(value, str):
        table.wrong_type(key, value, "a number")
        return None
    try:
        return durations.seconds(value)
    except ValueError as error:
        table.report(key, "bad-duration", f"`{key}`: {error}, or a number.")
        return None


def read_pattern(table: Table, key: str) -> str | None:
    """A regular expression that RE2 takes."""
    text = table.text(key, '"refund|chargeback"')
    if text is None:
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options=options)
    except re2.error as error:
        said = error.args[0] if error.args else "it cannot be read"
        said = said.decode() if isinstance(said, bytes) else said
        table.report(key, "bad-pattern", f"`{key}` is not a pattern that RE2 takes: {said}.")
        return None
    return text
