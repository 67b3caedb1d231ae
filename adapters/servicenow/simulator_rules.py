"""What an instance does to an update before it is stored, and what it writes down afterwards.

Write filters, data policy, states, the priority lookup, customers' own rules, the journal, the audit. Vendor
sheet 1.5, 1.8, 2.2 to 2.4 and 2.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.servicenow.simulator_errors import aborted, mandatory, no_write
from adapters.servicenow.simulator_records import COLUMNS, JOURNALS, OVER, Record, stamp

if TYPE_CHECKING:
    from adapters.servicenow.simulator_state import ServiceNow

MATRIX = {(i, u): i + u - 1 for i in (1, 2, 3) for u in (1, 2, 3)}
RESOLVED, HELD, AWAITING_CALLER, WORKED_ON = "6", "3", "1", "2"
UNAUDITED = frozenset({"sys_id", "sys_tags"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A Business Rule: on an update after which the record equals `when`, it sets `fields` before the record
    is stored, as whoever updates it, or aborts with its name."""

    name: str = "Customer rule"
    when: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    abort: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What somebody wants of a record. `rest` says that it came over the Table API, with its write filters."""

    user: str
    fields: Mapping[str, str]
    rest: bool = False


def save(desk: "ServiceNow", table: str, row: Record, update: Update) -> bool:
    """Store an update with everything that follows from it; whether anything was stored. Refused if not."""
    closed = desk.protected.get(table, set()) if update.rest else set()
    said = {name: update.fields[name] for name in JOURNALS if update.fields.get(name) and name not in closed}
    after = {**row, **_writable(desk, table, update)}
    if update.rest:
        _check(desk, table, row, after)
    _follow(desk, table, row, after, said, update.user)
    _apply_rules(desk, table, after)
    changed = {name: (row[name], after[name]) for name in after if after[name] != row[name]}
    if not (changed or said or (update.rest and desk.switches.noop_bumps)):
        return False
    row.update(after)
    _stamp(desk, row, update.user)
    for name, text in said.items():
        desk.put(
            "sys_journal_field",
            {
                "name": table,
                "element": name,
                "element_id": row["sys_id"],
                "value": text,
                **_made(desk, update.user),
            },
        )
    audit(desk, table, row, update.user, {**changed, **{name: ("", text) for name, text in said.items()}})
    desk.hooks_hear(table, row, "update", update.user)
    return True


def _writable(desk: "ServiceNow", table: str, update: Update) -> dict[str, str]:
    """The columns that are let through; the Table API drops the others without a word."""
    kept = {name: value for name, value in update.fields.items() if name not in JOURNALS}
    if not update.rest:
        return kept
    closed = desk.protected.get(table, set()) | {"sys_tags", "number"}
    return {
        name: value
        for name, value in kept.items()
        if name in COLUMNS[table] and name not in closed and not name.startswith("sys_")
    }


def _check(desk: "ServiceNow", table: str, row: Record, after: Record) -> None:
    """Access Control on the record, and the data policy of resolving."""
    if table in desk.unwritable:
        raise no_write("Update")
    if row["state"] in OVER[table] and after["state"] != row["state"]:
        raise no_write("Update")
    ends = (
        table == "incident" and after["state"] in (RESOLVED, *OVER[table]) and after["state"] != row["state"]
    )
    missing = [
        label
        for name, label in (("close_code", "Resolution code"), ("close_notes", "Resolution notes"))
        if not after.get(name)
    ]
    if desk.switches.data_policy and ends and missing:
        raise mandatory(", ".join(missing))


def _follow(
    desk: "ServiceNow", table: str, row: Record, after: Record, said: Mapping[str, str], user: str
) -> None:
    """States that follow from others, the priority, and the counters."""
    if table == "incident":
        by_caller = user == desk.user_name(row["caller_id"])
        waits = row["state"] == HELD and row["hold_reason"] == AWAITING_CALLER
        if "comments" in said and by_caller and waits and after["state"] == HELD:
            after["state"] = WORKED_ON
        if after["state"] != HELD:
            after["hold_reason"] = ""
        after["incident_state"] = after["state"]
        if row["state"] == RESOLVED and after["state"] == WORKED_ON:
            after["reopen_count"] = str(int(row["reopen_count"] or 0) + 1)
        if desk.switches.lookup_runs:
            pair = int(after["impact"] or 3), int(after["urgency"] or 3)
            after["priority"] = str(desk.matrix.get(pair, after["priority"]))
    after["active"] = "false" if after["state"] in OVER[table] else "true"
    if any(after[name] != row[name] for name in ("assignment_group", "assigned_to")):
        after["reassignment_count"] = str(int(row["reassignment_count"] or 0) + 1)


def _apply_rules(desk: "ServiceNow", table: str, after: Record) -> None:
    for rule in desk.rules:
        if all(after.get(name) == value for name, value in rule.when.items()):
            if rule.abort:
                raise aborted(table, rule.name, after["sys_id"])
            after.update(rule.fields)


def _stamp(desk: "ServiceNow", row: Record, user: str) -> None:
    row["sys_updated_on"], row["sys_updated_by"] = stamp(desk.now()), user
    row["sys_mod_count"] = str(int(row["sys_mod_count"]) + 1)


def _made(desk: "ServiceNow", user: str) -> dict[str, str]:
    return {"sys_created_on": stamp(desk.now()), "sys_created_by": user}


def audit(
    desk: "ServiceNow", table: str, row: Record, user: str, changed: Mapping[str, tuple[str, str]]
) -> None:
    """One row of the audit for each column."""
    by_name = desk.switches.audit_users == "name"
    author = desk.full_name(user) if by_name else user
    for name, (before, after) in changed.items():
        if name not in UNAUDITED and not name.startswith("sys_"):
            entry = {
                "tablename": table, "documentkey": row["sys_id"], "fieldname": name, "oldvalue": before,
                "newvalue": after, "user": author, "sys_created_on": stamp(desk.now()),
            }  # fmt: skip
            if desk.switches.audit_checkpoints:
                entry["record_checkpoint"] = row["sys_mod_count"]
            desk.put("sys_audit", entry)
