"""Lists and records of the Table API, and the encoded queries that choose them. Vendor sheet 1.1 to 1.4.

In a query `^OR` binds to the condition next to it only, `^NQ` begins a query of its own, `^^` is a `^` in a value, and
comparisons do not mind the case.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.datastructures import QueryParams

from adapters.servicenow.simulator import rules
from adapters.servicenow.simulator.records import (
    COLUMNS,
    JOURNALS,
    TASKS,
    Gate,
    Record,
    references,
    shape,
    shown,
    stamp,
)
from adapters.servicenow.simulator.state import ServiceNow
from adapters.simulation.answers import Reply

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
            "=": held == wanted, "!=": held not in ("", wanted), ">": held > wanted and held != "",
            "<": held != "" and held < wanted, ">=": held >= wanted and held != "",
            "<=": held != "" and held <= wanted, "IN": held in listed, "NOT IN": held not in listed,
            "LIKE": wanted in held, "NOT LIKE": wanted not in held, "STARTSWITH": held.startswith(wanted),
            "ENDSWITH": held.endswith(wanted), "ISEMPTY": held == "", "ISNOTEMPTY": held != "",
        }[self.operator]  # fmt: skip


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


GATES = {
    "sys_journal_field": "journal", "sys_audit": "audit", "task_sla": "slas", "dl_u_priority": "lookup",
    "sys_choice": "choices",
}  # fmt: skip
DEFAULT_LIMIT = 10000
QUERY_FIELDS = "Field(s) present in the query do not have permission to be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request after authentication. `base` is the address it came in under, without a path."""

    desk: ServiceNow
    user: str
    query: QueryParams
    base: str
    table: str
    sys_id: str = ""
    body: Any = None

    def gate(self) -> Gate:
        """Whether the table is open to this caller."""
        if self.table not in COLUMNS:
            raise rules.no_table(self.table)
        name = GATES.get(self.table)
        gate: Gate = getattr(self.desk.switches, name) if name else "open"
        if gate == "missing":
            raise rules.no_table(self.table)
        if gate == "forbidden":
            raise rules.no_rights(f"No permission to read table '{self.table}'")
        if gate == "query":
            raise rules.no_rights(QUERY_FIELDS)
        return gate

    def find(self, table: str, key: str) -> Record | None:
        """A record by table and sys_id."""
        return self.desk.tables.get(table, {}).get(key)


def listed(call: Call) -> Reply:
    """GET /table/{name}: the limit is counted before rows are taken away that the caller may not see."""
    gate = call.gate()
    limit = _number(call, "sysparm_limit", DEFAULT_LIMIT)
    most = call.desk.switches.cancel_above
    if most is not None and limit > most:
        raise rules.refused(500, rules.CANCELLED, f"{rules.CANCELLED} Check logs for error trace")
    query = _query(call)
    rows = [] if query is None else _matching(call, query)
    offset = _number(call, "sysparm_offset", 0)
    seen = [row for row in rows if gate not in ("hidden", "silent") and row["sys_id"] not in call.desk.hidden]
    page = [row for row in rows[offset : offset + limit] if row in seen]
    total = rows if call.desk.switches.total_counts_hidden and gate != "silent" else seen
    headers = {"X-Total-Count": str(len(total))} if call.desk.switches.says_total else {}
    return Reply(body={"result": [shown_row(call, row) for row in page]}, headers=headers)


def record(call: Call) -> Reply:
    """GET /table/{name}/{sys_id}."""
    return Reply(body={"result": shown_row(call, row_of(call))})


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    return int(text) if text.isdigit() else default


def row_of(call: Call) -> Record:
    call.gate()
    row = call.desk.tables[call.table].get(call.sys_id)
    if row is None or row["sys_id"] in call.desk.hidden:
        raise rules.no_record()
    return row


def _query(call: Call) -> Query | None:
    """The query, as the instance takes it; None if it is to find nothing."""
    query = parse(call.query.get("sysparm_query", ""), lambda script: _script(call, script))
    ranged = any(condition.operator in RANGES for condition in query.conditions()) or bool(query.order)
    if ranged and not call.desk.switches.query_range:
        raise rules.no_rights(QUERY_FIELDS)
    named = {condition.column for condition in query.conditions()}
    unknown = {name for name in named if not _is_known(call, name)}
    if unknown and call.desk.switches.unknown_column == "forbid":
        raise rules.no_rights(QUERY_FIELDS)
    if unknown and call.desk.switches.unknown_column == "none":
        return None
    return query.without(unknown)


def _is_known(call: Call, name: str) -> bool:
    first, _, rest = name.partition(".")
    hidden = call.desk.unseen.get(call.table, set())
    return (
        first in COLUMNS[call.table]
        and first not in hidden
        and (not rest or references(call.table, first) is not None)
    )


def _script(call: Call, script: str) -> str:
    """The sandbox knows who asks, and nothing else here."""
    if script.strip() == "gs.getUserName()":
        return call.user
    return call.desk.key_of("sys_user", call.user) if script.strip() == "gs.getUserID()" else ""


def _matching(call: Call, query: Query) -> list[Record]:
    lag = call.desk.switches.commit_lag
    until = stamp(call.desk.now() - lag)
    rows = [
        row
        for row in call.desk.tables[call.table].values()
        if query.holds(partial(_value, call, row)) and (not lag or row.get("sys_updated_on", "") <= until)
        if call.desk.late.get(row["sys_id"], 0) <= call.desk.now()
    ]
    for column, descending in reversed(query.order):
        rows.sort(key=partial(_folded, call, column), reverse=descending)
    return rows


def _folded(call: Call, column: str, row: Record) -> str:
    return _value(call, row, column).casefold()


def _value(call: Call, row: Record, column: str) -> str:
    """The stored text of a column, walked to through references."""
    first, _, rest = column.partition(".")
    if not rest:
        return row.get(first, "")
    target = references(call.table, first)
    found = call.find(target, row.get(first, "")) if target else None
    return found.get(rest, "") if found else ""


def shown_row(call: Call, row: Record) -> dict[str, Any]:
    """A row as this caller sees it."""
    fields = call.query.get("sysparm_fields", "")
    wanted = [name for part in fields.split(",") if (name := part.strip())] or sorted(COLUMNS[call.table])
    unseen = call.desk.unseen.get(call.table, set())
    made: dict[str, Any] = {}
    for name in dict.fromkeys(wanted):
        first = name.partition(".")[0]
        if first not in COLUMNS[call.table]:
            continue
        if name in unseen or first in unseen:
            if call.desk.switches.hidden_columns == "blank":
                made[name] = _shape(call, name, "", "")
            continue
        told_apart = call.table in TASKS and name in (
            *JOURNALS,
            "sys_tags",
        )  # they have no value, but a label
        made[name] = _shape(
            call, name, "" if told_apart else _value(call, row, name), _label(call, row, name)
        )
    return made


def _label(call: Call, row: Record, name: str) -> str:
    """What people see in a column."""
    if call.table in TASKS and name in JOURNALS:
        return _journal_text(call, row, name)
    if call.table in TASKS and name == "sys_tags":
        tied = [
            each["label"]
            for each in call.desk.tables["label_entry"].values()
            if each["table_key"] == row["sys_id"]
        ]
        return ", ".join(call.desk.tables["label"][key]["name"] for key in tied)
    first, _, rest = name.partition(".")
    table = (references(call.table, first) or "") if rest else call.table
    return shown(table, rest or first, _value(call, row, name), call.find, call.desk.switches.display_offset)


def _journal_text(call: Call, row: Record, name: str) -> str:
    """A journal as a record shows it: newest first, in the caller's zone, with names in front."""
    titles = {"comments": "Additional comments", "work_notes": "Work notes"}
    entries = [
        each for each in call.desk.tables["sys_journal_field"].values()
        if each["element_id"] == row["sys_id"] and each["element"] == name
    ]  # fmt: skip
    offset = call.desk.switches.display_offset
    return "\n\n".join(
        f"{shown('', 'sys_created_on', each['sys_created_on'], call.find, offset)} - {each['sys_created_by']} "
        f"({titles[name]})\n{each['value']}"
        for each in reversed(entries)
    )


def _shape(call: Call, name: str, value: str, label: str) -> Any:
    first, _, rest = name.partition(".")
    table = (references(call.table, first) or "") if rest else call.table
    target = references(table, rest or first)
    return shape(
        value,
        label,
        f"{call.base}/api/now/table/{target}/{value}" if target else None,
        display=call.query.get("sysparm_display_value", "false"),
        exclude_link=call.query.get("sysparm_exclude_reference_link", "false") == "true",
    )


def who_is_on_call(call: Call) -> Reply:
    """GET /on_call_rota/whoisoncall, where the plugin is there."""
    if call.desk.switches.on_call == "missing":
        raise rules.refused(400, "Requested URI does not represent any resource", None)
    if call.desk.switches.on_call == "forbidden":
        raise rules.no_rights("No permission to read the on-call rota")
    wanted = call.query.get("group_ids", "").split(",")
    rows: list[Mapping[str, Any]] = [row for row in call.desk.on_call if row["group"] in wanted]
    return Reply(body={"result": rows})
