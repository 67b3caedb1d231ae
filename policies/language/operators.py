"""Every operator that a condition line can use, in one table: check, schema, explain and compiler read it.

A missing value (None) matches no operator but `known` (rule 8), so every test here is false for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import re2

from policies.language.document import listed
from policies.language.fields import Field, Kind
from policies.model import Value, Wanted

Test = Callable[[Value], bool]
Operand = Literal["one", "list", "one_or_list", "number", "yes_no", "pattern", "holder"]
OPERANDS: dict[Operand, str] = {
    "one": "one value",
    "list": "a list",
    "one_or_list": "a value or a list",
    "number": "a number",
    "yes_no": "`true` or `false`",
    "pattern": "a regular expression",
    "holder": "`assignee` or `group`",
}
"""What may stand behind an operator, in words."""

SCALARS: frozenset[Kind] = frozenset({"text", "choice", "number", "custom"})
TEXTS: frozenset[Kind] = frozenset({"text", "custom"})
NUMBERS: frozenset[Kind] = frozenset({"number", "custom"})
LISTS: frozenset[Kind] = frozenset({"list", "custom"})

OVER_LIMIT_OF = "over_limit_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator. It works on fields of `kinds` and, if `ranked`, on fields whose choices have a rank.

    `operand` is what may stand behind it, and `several` where to go with a list that it does not take. `says` puts it
    and its operand into words behind a field's name, `phrase` behind a field's noun. `negates` marks operators that a
    reader may expect to hold for a missing value, which they never do.
    """

    name: str
    kinds: frozenset[Kind]
    operand: Operand
    meaning: str
    says: Callable[[Wanted], str] = field(compare=False, repr=False)
    build: Callable[[Wanted, Field], Test] = field(compare=False, repr=False)
    words: Callable[[Field, Wanted], str] | None = field(default=None, compare=False, repr=False)
    ranked: bool = False
    negates: bool = False
    several: str = ""

    def phrase(self, of: Field, wanted: Wanted) -> str:
        """What is said of a field in plain words; the same as `says` where the row has none of its own."""
        return self.words(of, wanted) if self.words else self.says(wanted)


def one(wanted: Wanted) -> str:
    """A single operand for a sentence."""
    if isinstance(wanted, bool):
        return "yes" if wanted else "no"
    return f'"{wanted}"' if isinstance(wanted, str) and " " in wanted else str(wanted)


def several(wanted: Wanted, last: str = "or") -> str:
    """One operand or several for a sentence."""
    return listed([one(each) for each in every(wanted)], last)


def every(wanted: Wanted) -> tuple[str | int | float, ...]:
    """One operand or several, as several."""
    return wanted if isinstance(wanted, tuple) else (wanted,)


def include(of: Field) -> str:
    """The verb for what is in a list."""
    return "include" if of.kind == "list" else "includes"


def no_less(of: Field, wanted: Wanted) -> str:
    """From a rank or a number on."""
    if of.ranked:
        return f"is {wanted}" if wanted == of.choices[-1] else f"is {wanted} or more urgent"
    return f"is {one(wanted)} or more"


def no_more(of: Field, wanted: Wanted) -> str:
    """Up to a rank or a number."""
    if of.ranked:
        return f"is {wanted}" if wanted == of.choices[0] else f"is {wanted} or less urgent"
    return f"is {one(wanted)} or less"


def is_among(wanted: Wanted, _: Field) -> Test:
    """Holds for these values."""
    return frozenset[Value](every(wanted)).__contains__


def is_not_among(wanted: Wanted, _: Field) -> Test:
    """Holds for any value but these."""
    refused = frozenset[Value]((*every(wanted), None))
    return lambda value: value not in refused


def contains(wanted: Wanted, _: Field) -> Test:
    """Holds for a text with this in it; upper and lower case are the same."""
    needle = str(wanted).casefold()
    return lambda value: isinstance(value, str) and needle in value.casefold()


def compiled(pattern: str) -> Any:
    """A pattern of RE2, which says nothing of its own about one that is none. Raises re2.error."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options=options)


def matches(wanted: Wanted, _: Field) -> Test:
    """Holds for a text in which the pattern is found. Raises re2.error if it is not a pattern."""
    search = compiled(str(wanted)).search
    return lambda value: isinstance(value, str) and search(value) is not None


def is_known(wanted: Wanted, _: Field) -> Test:
    """Holds for a value, or for none."""
    return lambda value: (value is not None) is wanted


def at_least(wanted: Wanted, of: Field) -> Test:
    """Holds from this number or rank on."""
    if of.ranked:
        return frozenset[Value](of.choices[of.choices.index(str(wanted)) :]).__contains__
    limit = as_number(wanted)
    return lambda value: isinstance(value, int | float) and value >= limit


def at_most(wanted: Wanted, of: Field) -> Test:
    """Holds up to this number or rank."""
    if of.ranked:
        return frozenset[Value](of.choices[: of.choices.index(str(wanted)) + 1]).__contains__
    limit = as_number(wanted)
    return lambda value: isinstance(value, int | float) and value <= limit


def over(wanted: Wanted, _: Field) -> Test:
    """Holds above this number."""
    limit = as_number(wanted)
    return lambda value: isinstance(value, int | float) and value > limit


def under(wanted: Wanted, _: Field) -> Test:
    """Holds below this number."""
    limit = as_number(wanted)
    return lambda value: isinstance(value, int | float) and value < limit


def over_limit(_: Wanted, of: Field) -> Test:
    """Holds above the limit. What is read here is how far above it the value is."""
    return over(0, of)


def has(wanted: Wanted, _: Field) -> Test:
    """Holds for a list with one of these in it."""
    apart = frozenset[Value](every(wanted)).isdisjoint
    return lambda value: isinstance(value, tuple) and not apart(value)


def has_all(wanted: Wanted, _: Field) -> Test:
    """Holds for a list with all of these in it."""
    asked = frozenset[Value](every(wanted))
    return lambda value: isinstance(value, tuple) and asked.issubset(value)


def lacks(wanted: Wanted, _: Field) -> Test:
    """Holds for a list with none of these in it."""
    apart = frozenset[Value](every(wanted)).isdisjoint
    return lambda value: isinstance(value, tuple) and apart(value)


def as_number(wanted: Wanted) -> float:
    """A checked operand of a number operator."""
    if isinstance(wanted, int | float):
        return wanted
    raise TypeError(f"{wanted!r} is not a number")


TABLE = (
    Operator(
        name="not",
        kinds=SCALARS,
        operand="one",
        negates=True,
        meaning="Any value but this one; a missing value does not match.",
        says=lambda wanted: f"is not {one(wanted)}",
        words=lambda _, wanted: f"is known and not {one(wanted)}",
        several=", or use not_in for a list",
        build=is_not_among,
    ),
    Operator(
        name="in",
        kinds=SCALARS,
        operand="list",
        meaning="One of these values; the same as a plain list.",
        says=lambda wanted: f"is {several(wanted)}",
        build=is_among,
    ),
    Operator(
        name="not_in",
        kinds=SCALARS,
        operand="list",
        negates=True,
        meaning="Any value but these; a missing value does not match.",
        says=lambda wanted: f"is not {several(wanted)}",
        words=lambda of, wanted: f"is {'known and ' if of.nullable else ''}not {several(wanted)}",
        build=is_not_among,
    ),
    Operator(
        name="contains",
        kinds=TEXTS,
        operand="one",
        meaning="The text has this in it; upper and lower case are the same.",
        says=lambda wanted: f"contains {one(wanted)}",
        words=lambda _, wanted: f'contains "{wanted}"',
        several="; several go into `any`",
        build=contains,
    ),
    Operator(
        name="matches",
        kinds=TEXTS,
        operand="pattern",
        meaning="The regular expression (RE2) is found somewhere in the text.",
        says=lambda wanted: f"matches {one(wanted)}",
        words=lambda _, wanted: f'matches the pattern "{wanted}"',
        build=matches,
    ),
    Operator(
        name="known",
        kinds=SCALARS | {"yes_no"},
        operand="yes_no",
        meaning="true: there is a value. false: the value is missing.",
        says=lambda wanted: "is known" if wanted else "is missing",
        build=is_known,
    ),
    Operator(
        name="at_least",
        kinds=NUMBERS,
        operand="number",
        ranked=True,
        meaning="This or more; a priority this urgent or more.",
        says=lambda wanted: f"is at least {one(wanted)}",
        words=no_less,
        build=at_least,
    ),
    Operator(
        name="at_most",
        kinds=NUMBERS,
        operand="number",
        ranked=True,
        meaning="This or less; a priority this urgent or less. A missing value does not match.",
        says=lambda wanted: f"is at most {one(wanted)}",
        words=no_more,
        build=at_most,
    ),
    Operator(
        name="over",
        kinds=NUMBERS,
        operand="number",
        meaning="More than this.",
        says=lambda wanted: f"is over {one(wanted)}",
        words=lambda _, wanted: f"is more than {one(wanted)}",
        build=over,
    ),
    Operator(
        name="under",
        kinds=NUMBERS,
        operand="number",
        meaning="Less than this.",
        says=lambda wanted: f"is under {one(wanted)}",
        words=lambda _, wanted: f"is less than {one(wanted)}",
        build=under,
    ),
    Operator(
        name=OVER_LIMIT_OF,
        kinds=frozenset({"custom"}),
        operand="holder",
        meaning="More than the ticket's assignee, or anybody in its group, may decide: more than their `limit`.",
        says=lambda wanted: f"is over the limit of the {one(wanted)}",
        words=lambda _, wanted: f"is more than the {one(wanted)} may decide",
        build=over_limit,
    ),
    Operator(
        name="has",
        kinds=LISTS,
        operand="one_or_list",
        meaning="The list has this in it, or any of these.",
        says=lambda wanted: f"has {several(wanted)}",
        words=lambda of, wanted: f"{include(of)} {several(wanted)}",
        build=has,
    ),
    Operator(
        name="has_all",
        kinds=LISTS,
        operand="list",
        meaning="The list has all of these in it.",
        says=lambda wanted: f"has {several(wanted, 'and')}",
        words=lambda of, wanted: f"{include(of)} {several(wanted, 'and')}",
        build=has_all,
    ),
    Operator(
        name="lacks",
        kinds=LISTS,
        operand="one_or_list",
        meaning="The list has none of these in it.",
        says=lambda wanted: f"has no {several(wanted)}",
        words=lambda of, wanted: f"{include(of)} no {several(wanted)}",
        build=lacks,
    ),
)


def fits(operator: Operator, field: Field) -> bool:
    """Whether the operator works on this field."""
    return field.kind in operator.kinds or (operator.ranked and field.ranked)


OPERATORS: dict[str, Operator] = {each.name: each for each in TABLE}

IS = Operator(
    name="value",
    kinds=SCALARS | {"yes_no"},
    operand="one_or_list",
    meaning="This value, or one of these.",
    says=lambda wanted: f"is {several(wanted)}",
    build=is_among,
)
"""What a plain value or list stands for: `priority = "high"`. It cannot be written as a word."""
