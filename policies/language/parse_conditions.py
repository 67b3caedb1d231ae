"""Reads a `when` or `unless` table into compiled condition lines, each operand checked against the kind of its field.

What cannot be read so is a missing value. Helpdesks send numbers and checkboxes as text at times.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal

import re2

from policies import model
from policies.language.conditions import Conditions, Line, joined
from policies.language.document import Path, did_you_mean, listed
from policies.language.fields import CUSTOM, FIELDS, KINDS, PHRASES, Field, Kind, Reader, find, is_space
from policies.language.operators import IS, OPERATORS, Operator, Wanted, every, fits
from policies.language.phrases import Pack, fault, found, shown
from policies.language.policy import Limits
from policies.language.reader import Table
from policies.language.references import References
from policies.language.vocabulary import HOLDERS, Holder
from policies.model import Status, Ticket, Value

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
        table.wrong_type(key, value, f"one value{operator.several}")
        return None
    return read_scalar(table, (key,), value, field, choices)


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
        return model.seconds(value)
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
        table.report(key, "bad-pattern", f"`{key}` is not a pattern that RE2 takes: {fault(error)}.")
        return None
    return text


@dataclass(frozen=True, slots=True)
class Bound:
    """What is tested, what a trace shows of it, and what it reads besides the field, in the words of
    `Ticket.hidden`."""

    read: Reader
    shown: Reader
    beside: frozenset[str] = frozenset()


def bound(operator: Operator, field: Field, wanted: Wanted, references: References) -> Bound:
    """The readers of one line. Most read the field, and show what they read."""
    if field.name == PHRASES:
        return of_packs([references.packs[str(name)] for name in every(wanted)])
    if operator.operand == "holder":
        return of_limits(field, references.limits, holder_of(wanted))
    return Bound(field.read, field.read)


def of_packs(packs: list[Pack]) -> Bound:
    """Only the packs that the line asks for are searched; the words are shown."""

    def names(ticket: Ticket) -> Value:
        return tuple(found(ticket, packs))

    def words(ticket: Ticket) -> Value:
        return shown(found(ticket, packs))

    return Bound(names, words)


def holder_of(wanted: Wanted) -> Holder:
    """A checked operand that says whose limit is meant."""
    return next(holder for holder in HOLDERS if holder == wanted)


def of_limits(field: Field, limits: Limits, holder: Holder) -> Bound:
    """How far the number is above the limit, missing if either is; shown are both, and whose limit it is."""

    def excess(ticket: Ticket) -> Value:
        value, limit = field.read(ticket), limits.of(ticket, holder)
        return value - limit[1] if isinstance(value, int | float) and limit is not None else None

    def both(ticket: Ticket) -> Value:
        value, limit = field.read(ticket), limits.of(ticket, holder)
        if not isinstance(value, int | float):
            return None
        return f"{value:.15g}, {said(limit, holder)}"

    return Bound(excess, both, frozenset({"assignee", "group"} if holder == "assignee" else {"group"}))


def said(limit: tuple[str, float] | None, holder: Holder) -> str:
    """The limit for a trace."""
    return f"the {holder} has no limit" if limit is None else f"the limit of {limit[0]} is {limit[1]:.15g}"


def read_as(field: Field, kind: Kind) -> Field:
    """The custom field read as this kind; `custom` reads it as it is."""
    read, turn = field.read, TURN[kind]

    def turned(ticket: Ticket) -> Value:
        return turn(read(ticket))

    return replace(field, kind=kind, read=turned)


def kind_asked(operator: Operator, wanted: Wanted) -> Kind:
    """The kind of value that this operator and operand ask for."""
    if operator.name == "known":
        return "custom"
    if operator.operand in ("number", "holder"):
        return "number"
    if "list" in operator.kinds:
        return "list"
    first = every(wanted)[0]
    if isinstance(first, bool):
        return "yes_no"
    return "text" if isinstance(first, str) else "number"


def as_it_is(value: Value) -> Value:
    """An empty text or list is a missing value."""
    return None if value in ("", ()) else value


def as_text(value: Value) -> Value:
    """A text, or a number as text."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    return (value if isinstance(value, str) else f"{value:g}") or None


def as_number(value: Value) -> Value:
    """A number, or a text that is one."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None


def as_yes_no(value: Value) -> Value:
    """A yes or no, or the text `true` or `false`."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.casefold())
    return value if isinstance(value, bool) else None


def as_list(value: Value) -> Value:
    """A list; a single value is a list of one, a missing one an empty list."""
    if isinstance(value, tuple):
        return value
    text = as_text(value)
    return (text,) if isinstance(text, str) else ()


TURN: Mapping[Kind, Callable[[Value], Value]] = {
    "custom": as_it_is,
    "text": as_text,
    "number": as_number,
    "yes_no": as_yes_no,
    "list": as_list,
}


Join = Literal["any", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What conditions may refer to: all that policies may, and the accounts the policy serves."""

    references: References
    serves: tuple[str, ...]


def read_when(table: Table, names: Names) -> Conditions:
    """A `when` table: its lines, and the silent one that keeps finished tickets out (rule 4)."""
    lines = read_lines(table, names)
    asked = dict(statuses(table.values))
    for path, status in asked.items():
        if status == Status.CLOSED:
            table.report(path, "asks-closed", "a closed ticket cannot be changed any more; leave closed out.")
    asks = Status.SOLVED in asked.values()
    return Conditions(lines=(*lines, still_open(asks)), asks_solved=asks)


def read_unless(table: Table, names: Names) -> Conditions:
    """An `unless` table: its lines and nothing else."""
    return Conditions(lines=read_lines(table, names))


def still_open(asks_solved: bool) -> Line:
    """The line that every `when` has without saying so."""
    refused = frozenset({Status.CLOSED} if asks_solved else {Status.SOLVED, Status.CLOSED})
    return Line(
        path="status",
        text="status is not closed" if asks_solved else "status is not solved or closed",
        holds=lambda ticket: ticket.status not in refused,
        read=FIELDS["status"].read,
        reads=FIELDS["status"].reads,
        operator="not_in",
        wanted=tuple(each for each in Status if each in refused),
    )


def read_lines(table: Table, names: Names) -> tuple[Line, ...]:
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


def read_key(table: Table, key: str, names: Names) -> Iterator[Line]:
    """The lines behind one key: a field, a group of fields, or `any` / `all`."""
    value = table.values[key]
    if key in JOINS:
        yield from read_join(table, key, names)
    elif is_space(key) and isinstance(value, dict):
        inner = table.inside((key,), value)
        for name in value:
            yield from read_field(inner, name, f"{key}.{name}", names)
    else:
        yield from read_field(table, key, key, names)


def read_join(table: Table, key: str, names: Names) -> Iterator[Line]:
    """`any` or `all`: a list of tables, each of which must hold as a whole."""
    if not table.values[key]:
        table.report(key, "empty", f"`{key}` is an empty list; write a table in it, or remove it.")
        return
    branches = [branch(key, read_lines(each, names)) for each in table.tables(key)]
    lines = tuple(line for line in branches if line is not None)
    if lines:
        yield joined(key, f"{key} of {len(lines)} conditions", JOINS[key], lines)


def branch(key: str, lines: tuple[Line, ...]) -> Line | None:
    """One table inside `any` or `all`, as one line."""
    if len(lines) < 2:
        return lines[0] if lines else None
    return joined(key, " and ".join(line.text for line in lines), "all", lines)


def read_field(table: Table, key: str, name: str, names: Names) -> Iterator[Line]:
    """The line about one field, unless something is wrong with it."""
    field = find(name)
    if field is None:
        table.report(key, "unknown-field", f"there is no field `{name}`.{nearest(name, names)}")
        return
    if field.kind == "custom" and not names.references.is_mapped(table, key, field, names.serves):
        return
    value = table.values[key]
    if isinstance(value, dict):
        lines = tuple(read_operators(table.inside((key,), value), field, names))
    else:
        lines = tuple(read_test(table, key, IS, field, names))
    if line := branch(name, lines):
        yield line


def nearest(name: str, names: Names) -> str:
    """What may have been meant by an unknown field."""
    if name in OPERATORS:
        return f" `{name}` is an operator; write it behind a field, such as subject = {{ {name} = … }}."
    mapped = {CUSTOM + each for fields in names.references.custom.values() for each in fields}
    return did_you_mean(name, (*FIELDS, *mapped)) or f" Known: {listed(FIELDS)}, and custom.NAME."


def read_operators(table: Table, field: Field, names: Names) -> Iterator[Line]:
    """The tests of one field in a table of operators; all of them must hold."""
    if not table.values:
        table.report((), "empty", f"`{field.name}` has no operator; write for example {{ known = true }}.")
    for key in table.values:
        operator = OPERATORS.get(key)
        if operator is None:
            fitting = [each.name for each in OPERATORS.values() if fits(each, field)]
            hint = did_you_mean(key, fitting) or f" `{field.name}` takes {listed(fitting)}."
            table.report(key, "unknown-operator", f"there is no operator `{key}`.{hint}")
        else:
            yield from read_test(table, key, operator, field, names)


def read_test(table: Table, key: str, operator: Operator, field: Field, names: Names) -> Iterator[Line]:
    """One operator on one field, compiled, unless they do not fit or the operand is wrong."""
    if not fits(operator, field):
        report_misfit(table, key, operator, field)
        return
    wanted = read_operand(table, key, operator, field, names.references.choices(field))
    if wanted is None:
        return
    if operator.negates and field.nullable:
        warn_negation(table, key, operator, field)
    if operator.operand == "holder" and not names.references.limits.any_for(holder_of(wanted)):
        warn_no_limits(table, key, holder_of(wanted))
    yield compiled(operator, field, wanted, names.references)


def compiled(operator: Operator, field: Field, wanted: Wanted, references: References) -> Line:
    """The test as a closure over the field's reader."""
    of = read_as(field, kind_asked(operator, wanted)) if field.kind == "custom" else field
    reads, test = bound(operator, of, wanted, references), operator.build(wanted, of)
    read = reads.read
    return Line(
        path=field.name,
        text=f"{field.name} {operator.says(wanted)}",
        needs=field.needs,
        reads=field.reads | reads.beside,
        read=read,
        shown=reads.shown,
        operator=operator.name,
        wanted=wanted,
        holds=lambda ticket: test(read(ticket)),
    )


def report_misfit(table: Table, key: str, operator: Operator, field: Field) -> None:
    """Note that an operator does not work on this kind of field."""
    fitting = listed([each.name for each in OPERATORS.values() if fits(each, field)])
    said = "a plain value" if operator is IS else f"`{operator.name}`"
    table.report(
        key,
        "wrong-operator",
        f"`{field.name}` is a {KINDS[field.kind]} and does not take {said}; use {fitting}.",
    )


def warn_negation(table: Table, key: str, operator: Operator, field: Field) -> None:
    """Note that tickets without a value are left out by `not` and `not_in`."""
    table.report(
        key,
        "nullable-negation",
        f"a ticket without {field.name} does not match `{operator.name}`; if it should, "
        f"put this line and {{ {field.name} = {{ known = false }} }} into `any`.",
        "warning",
    )


def warn_no_limits(table: Table, key: str, holder: Holder) -> None:
    """Note that nobody has a limit by which this line could hold."""
    example = '[groups."Tier 1"] with limit = 200'
    if holder == "assignee":
        example = f'[people."ann@acme.test"] with limit = 500, or {example}'
    table.report(key, "no-limits", f"nobody has a limit, so this never holds; add {example}.", "warning")


JOINS: Mapping[str, Join] = {"any": "any", "all": "all"}
