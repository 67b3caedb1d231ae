"""Reads a `when` or `unless` table into compiled condition lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from policies.bindings import bound, holder_of
from policies.conditions import Conditions, Line, joined
from policies.custom import kind_asked, read_as
from policies.document import Path
from policies.fields import CUSTOM, FIELDS, SPACES, Field, find
from policies.limits import Holder
from policies.model import Status
from policies.operators import IS, OPERATORS, Operator, Wanted, fits
from policies.parse_operand import read_operand
from policies.problems import did_you_mean, listed
from policies.references import References
from policies.table import Table

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
    elif key in SPACES and isinstance(value, dict):
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
    if field.kind == "custom" and not is_mapped(table, key, field, names):
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


def is_mapped(table: Table, key: str, field: Field, names: Names) -> bool:
    """Whether every account that the policy serves maps this custom field; if not, note it."""
    lacking = names.references.lacking(field, names.serves)
    for account in lacking:
        names.references.report_unmapped(table, key, field, account)
    return not lacking


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
        f"`{field.name}` is a {KIND_NAMES[field.kind]} and does not take {said}; use {fitting}.",
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

KIND_NAMES = {
    "text": "text",
    "choice": "choice",
    "number": "number",
    "yes_no": "yes or no",
    "list": "list",
    "custom": "custom field",
}
