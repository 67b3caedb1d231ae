"""Encoded queries as the instance reads them. Vendor sheet 1.4: `^OR` binds to the condition next to it only,
`^NQ` begins a query of its own, `^^` is a `^` in a value, and comparisons do not mind the case."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CONDITION = re.compile(
    r"([a-z0-9_.]+)(!=|>=|<=|=|>|<|NOT IN|NOT LIKE|IN|LIKE|STARTSWITH|ENDSWITH|ISEMPTY|ISNOTEMPTY)(.*)",
    re.DOTALL,
)
RANGES = frozenset({">", "<", ">=", "<=", "LIKE", "NOT LIKE", "STARTSWITH", "ENDSWITH"})
ESCAPED = "\x00"

Value = Callable[[str], str]
"""The text in a column of the row at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition."""

    column: str
    operator: str
    value: str

    def holds(self, value: Value) -> bool:
        """Whether it holds on a row. Unequal never holds on an empty column."""
        held, wanted = value(self.column).casefold(), self.value.casefold()
        listed = wanted.split(",")
        return {
            "=": held == wanted,
            "!=": held not in ("", wanted),
            ">": held > wanted and held != "",
            "<": held != "" and held < wanted,
            ">=": held >= wanted and held != "",
            "<=": held != "" and held <= wanted,
            "IN": held in listed,
            "NOT IN": held not in listed,
            "LIKE": wanted in held,
            "NOT LIKE": wanted not in held,
            "STARTSWITH": held.startswith(wanted),
            "ENDSWITH": held.endswith(wanted),
            "ISEMPTY": held == "",
            "ISNOTEMPTY": held != "",
        }[self.operator]


@dataclass(slots=True, kw_only=True)
class Query:
    """Queries, of which one must hold; each is a list of alternatives, of which all must hold."""

    queries: list[list[list[Condition]]] = field(default_factory=lambda: [[]])
    order: list[tuple[str, bool]] = field(default_factory=list)

    def holds(self, value: Value) -> bool:
        """Whether a row is named."""
        return any(
            all(any(condition.holds(value) for condition in either) for either in query)
            for query in self.queries
        )

    def conditions(self) -> Iterator[Condition]:
        """All conditions."""
        for query in self.queries:
            for either in query:
                yield from either

    def without(self, columns: set[str]) -> "Query":
        """The query as if nothing were said of these columns."""
        kept = [
            [left for either in query if (left := [each for each in either if each.column not in columns])]
            for query in self.queries
        ]
        return Query(queries=kept, order=[each for each in self.order if each[0] not in columns])


def parse(text: str, scripts: Callable[[str], str]) -> Query:
    """Read a query; `scripts` gives the value of a `javascript:` one. What cannot be read is left out."""
    query = Query()
    for part in text.replace("^^", ESCAPED).split("^"):
        if part == "NQ":
            query.queries.append([])
        elif part.startswith("NQ"):
            query.queries.append([])
            _add(query, part.removeprefix("NQ"), scripts, either=False)
        elif part.startswith("ORDERBYDESC"):
            query.order.append((part.removeprefix("ORDERBYDESC"), True))
        elif part.startswith("ORDERBY"):
            query.order.append((part.removeprefix("ORDERBY"), False))
        elif part and part != "EQ":
            _add(query, part.removeprefix("OR"), scripts, either=part.startswith("OR"))
    return query


def _add(query: Query, part: str, scripts: Callable[[str], str], *, either: bool) -> None:
    found = CONDITION.fullmatch(part)
    if found is None:
        return
    value = found[3].replace(ESCAPED, "^")
    if value.strip().lower().startswith("javascript:"):
        value = scripts(value.strip()[len("javascript:") :])
    condition = Condition(column=found[1], operator=found[2], value=value)
    alternatives = query.queries[-1]
    if either and alternatives:
        alternatives[-1].append(condition)
    else:
        alternatives.append([condition])
