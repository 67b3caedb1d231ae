"""One simulated instance and what people do in it. The control surface for tests and the demo, not ServiceNow's.

Tickets are named by number or sys_id, people by name, user name
or sys_id, groups by name or sys_id."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.servicenow.simulator.records import COLUMNS, JOURNALS, TASKS, Record, Switches, stamp, sys_id
from adapters.servicenow.simulator.rules import MATRIX, Access, Limits, Rule, Update, audit, save
from adapters.servicenow.simulator.webhooks import Hooks
from adapters.simulation.control import Account

Rows = Iterable[Mapping[str, Any]]
SYSTEM = "system"
POINTERS = {
    "group": "assignment_group", "assignee": "assigned_to", "caller": "caller_id", "requester": "caller_id",
    "requested_for": "requested_for",
}  # fmt: skip
PREFIX = {"incident": "INC", "sn_customerservice_case": "CS", "sc_req_item": "RITM", "sc_task": "SCTASK"}
ASKERS = {"incident": "caller_id", "sc_req_item": "requested_for"}


class ServiceNow(Account):
    """The instance: tables, credentials, request log, faults, rules and webhooks.

    `protected` are columns that no write reaches, `unseen` those that no read shows, by table; `hidden` are
    sys_ids of rows that reads leave out; `unwritable` are tables whose rows refuse every write; `late` is when a row
    becomes visible in lists, in epoch seconds by sys_id.
    """

    ACTS = (
        "open", "customer_says", "agent_says", "agent_changes", "rule_says", "rule_changes", "touch_quietly",
        "set_target", "delete", "hide", "add_user", "commit_late", "hide_column", "close_column", "add_rule",
    )  # fmt: skip
    ACCESS_ACTS = ("revoke", "end_sessions")

    def __init__(self, now: Callable[[], float], switches: Switches) -> None:
        super().__init__(now, first_id=1)
        self.switches = switches
        self._numbers = itertools.count(10001)
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in COLUMNS}
        self.access = Access(self.now, switches)
        self.limits = Limits(switches)
        self.hooks = Hooks(self.now, lambda table, key: self.tables[table].get(key))
        self.rules: list[Rule] = []
        self.matrix = dict(MATRIX)
        self.protected: dict[str, set[str]] = {}
        self.unseen: dict[str, set[str]] = {}
        self.hidden: set[str] = set()
        self.unwritable: set[str] = set()
        self.late: dict[str, int] = {}
        self.on_call: list[dict[str, Any]] = []
        self.bot = ""
        self.table = "incident"

    def whole_tickets(self) -> list[dict[str, Any]]:
        """Every ticket with its journal and audit."""
        audits = self.tables["sys_audit"].values()
        return [
            {
                "ticket": row, "journal": self.journal(key),
                "audit": [each for each in audits if each["documentkey"] == key],
            }
            for name in TASKS
            for key, row in self.tables[name].items()
        ]  # fmt: skip

    def put(self, table: str, values: Mapping[str, Any]) -> str:
        """Make a row of any table; its sys_id. Columns that are not said are empty."""
        key = str(values.get("sys_id") or sys_id(self.new_id()))
        blank = dict.fromkeys(COLUMNS[table], "")
        self.tables[table][key] = {
            **blank,
            **{name: str(value) for name, value in values.items()},
            "sys_id": key,
        }
        return key

    def seed(
        self,
        *,
        groups: Rows = (),
        users: Rows = (),
        companies: Rows = (),
        tickets: Rows = (),
        rows: Rows = (),
    ) -> dict[str, list[str]]:
        """Fill the instance; the sys_ids made, by kind. A user says `groups` for those they are in; `rows` are
        raw, with their `table`."""
        with self.lock:
            return {
                "groups": [self.put("sys_user_group", {"active": "true", **row}) for row in groups],
                "companies": [self.put("core_company", row) for row in companies],
                "users": [self.add_user(**row) for row in users],
                "rows": [
                    self.put(row["table"], {name: value for name, value in row.items() if name != "table"})
                    for row in rows
                ],
                "tickets": [self.open(**row) for row in tickets],
            }

    def add_user(self, *, name: str, groups: Iterable[str] = (), company: str = "", **columns: Any) -> str:
        """Add a user and their memberships, and whom they work for; the sys_id."""
        word = name.lower().replace(" ", ".")
        usual = {"user_name": word, "email": f"{word}@acme.test", "active": "true", "vip": "false"}
        of = self.key_of("core_company", company) if company else ""
        key = self.put("sys_user", {**usual, "locked_out": "false", "name": name, "company": of, **columns})
        for group in groups:
            self.put("sys_user_grmember", {"user": key, "group": self.key_of("sys_user_group", group)})
        return key

    def key_of(self, table: str, word: str) -> str:
        """The sys_id behind a name, user name, number or sys_id; KeyError if there is none."""
        for key, row in self.tables[table].items():
            if word in (key, row.get("name"), row.get("user_name"), row.get("number")):
                return key
        raise KeyError(f"the simulated instance has no {word!r} in {table}; seed it first")

    def user_name(self, word: str) -> str:
        """The user name of a person; `system` is the platform itself, and nobody is an empty text."""
        return (
            word
            if word in (SYSTEM, "")
            else self.tables["sys_user"][self.key_of("sys_user", word)]["user_name"]
        )

    def full_name(self, user: str) -> str:
        """The name of a user by user name; the platform has no other."""
        return user if user == SYSTEM else self.tables["sys_user"][self.key_of("sys_user", user)]["name"]

    def ticket(self, word: str) -> Record:
        """A ticket's row, to look at."""
        table, key = self.locate(word)
        return self.tables[table][key]

    def locate(self, word: str) -> tuple[str, str]:
        """The table and sys_id of a ticket."""
        for table in TASKS:
            for key, row in self.tables[table].items():
                if word in (key, row["number"]):
                    return table, key
        raise KeyError(f"the simulated instance has no ticket {word!r}; seed it first")

    def open(
        self,
        *,
        subject: str,
        caller: str | None = None,
        description: str = "",
        at: int | None = None,
        opened_by: str | None = None,
        table: str | None = None,
        sys_id: str | None = None,
        **fields: Any,
    ) -> str:
        """Open a ticket; its sys_id. `fields` as in `agent_changes`; `at` is when, if not now."""
        with self.lock:
            when, name = stamp(self.now() if at is None else at), table or self.table
            asker = "" if caller is None else self.key_of("sys_user", caller)
            author = SYSTEM if opened_by is None and not asker else self.user_name(opened_by or asker)
            opener = "" if author == SYSTEM else self.key_of("sys_user", author)
            told = {ASKERS.get(name, "contact"): asker, **self.named(fields)}
            usual = {
                "number": f"{PREFIX[name]}{next(self._numbers):07d}", "short_description": subject,
                "description": description, "state": "1", "active": "true", "impact": "3", "urgency": "3",
                "opened_by": opener, "opened_at": when, "contact_type": "self-service", "sys_class_name": name,
                "sys_created_on": when, "sys_created_by": author, "sys_updated_on": when, "sys_updated_by": author,
                "sys_mod_count": "0", "reassignment_count": "", "priority": "5" if name == "incident" else "4",
                **({"sys_id": sys_id} if sys_id else {}),
            }  # fmt: skip
            kept = {column: value for column, value in told.items() if column in COLUMNS[name]}
            key = self.put(name, {**usual, **kept})
            row = self.tables[name][key]
            if name == "incident":
                row["incident_state"] = row["state"]
                pair = int(row["impact"] or 3), int(row["urgency"] or 3)
                row["priority"] = (
                    str(self.matrix.get(pair, "")) if self.switches.lookup_runs else row["priority"]
                )
            if self.switches.audits_inserts:
                audit(self, name, row, author, {column: ("", row[column]) for column in ("state", *kept)})
            self.hooks_hear(name, row, "insert", author)
            return key

    def named(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """Turn control words into columns: `group`, `assignee`, `caller`; None is empty."""
        plain: dict[str, str] = {}
        for name, value in fields.items():
            points = bool(value) and name in POINTERS
            where = "sys_user_group" if name == "group" else "sys_user"
            held = self.key_of(where, value) if points else value
            plain[POINTERS.get(name, name)] = "" if held is None else str(held)
        return plain

    def customer_says(self, ticket: str, text: str, *, author: str | None = None) -> None:
        """The caller (or `author`) comments; a ticket that waited for the caller goes on."""
        with self.lock:
            row = self.ticket(ticket)
            who = author or row.get("caller_id") or row.get("contact") or SYSTEM
            self._save(ticket, self.user_name(who), {"comments": text})

    def agent_says(self, ticket: str, agent: str, text: str, *, public: bool = True, **fields: Any) -> None:
        """An agent comments, or notes, and changes `fields` in the same update."""
        said = {"comments" if public else "work_notes": text}
        self._save(ticket, self.user_name(agent), {**self.named(fields), **said})

    def agent_changes(self, ticket: str, agent: str, **fields: Any) -> None:
        """An agent changes columns: `group`, `assignee`, `caller`, or the vendor's own names."""
        self._save(ticket, self.user_name(agent), self.named(fields))

    def rule_says(self, ticket: str, text: str, *, public: bool = True) -> None:
        """The platform comments, such as an automatic reply."""
        self._save(ticket, SYSTEM, {"comments" if public else "work_notes": text})

    def rule_changes(self, ticket: str, **fields: Any) -> None:
        """A scheduled job changes columns, such as closing what was resolved long ago."""
        self._save(ticket, SYSTEM, self.named(fields))

    def set_target(
        self,
        ticket: str,
        target: str = "resolution",
        *,
        stage: str = "in_progress",
        kind: str = "SLA",
        breached: bool = False,
        start: int | None = None,
        due: int | None = None,
    ) -> str:
        """Attach an SLA record; the ticket's own row does not move. Times are epoch seconds."""
        with self.lock:
            _, key = self.locate(ticket)
            sla = self.put("contract_sla", {"name": f"{kind} {target}", "type": kind, "target": target})
            return self.put(
                "task_sla",
                {
                    "task": key, "sla": sla, "stage": stage, "active": str(stage != "completed").lower(),
                    "has_breached": str(breached).lower(),
                    "start_time": stamp(self.now() if start is None else start),
                    "planned_end_time": "" if due is None else stamp(due),
                },
            )  # fmt: skip

    def touch_quietly(self, ticket: str, **fields: Any) -> None:
        """A script changes columns without stamps, revision or audit (`autoSysFields(false)`)."""
        with self.lock:
            self.ticket(ticket).update(self.named(fields))

    def delete(self, ticket: str) -> None:
        """Delete the ticket."""
        with self.lock:
            table, key = self.locate(ticket)
            row = self.tables[table].pop(key)
            self.hooks_hear(table, row, "delete", SYSTEM)

    def hide(self, ticket: str) -> None:
        """An Access Control rule hides the ticket from the bot from now on."""
        with self.lock:
            self.hidden.add(self.locate(ticket)[1])

    def commit_late(self, ticket: str, seconds: int) -> None:
        """The ticket's last update is part of a long transaction: lists show the row so many seconds from now."""
        with self.lock:
            self.late[self.locate(ticket)[1]] = self.now() + seconds

    def hide_column(self, table: str, column: str, *, hidden: bool = True) -> None:
        """An Access Control rule hides a column from the bot, or no longer."""
        with self.lock:
            seen = self.unseen.setdefault(table, set())
            (seen.add if hidden else seen.discard)(column)

    def close_column(self, table: str, column: str, *, closed: bool = True) -> None:
        """An Access Control rule lets no write of the bot reach a column, or no longer; such a write is dropped with
        a 200."""
        with self.lock:
            protected = self.protected.setdefault(table, set())
            (protected.add if closed else protected.discard)(column)

    def add_rule(
        self, name: str, when: Mapping[str, str], fields: Mapping[str, str], *, abort: bool = False
    ) -> None:
        """A Business Rule or an assignment rule: see `Rule`. `fields` as in `agent_changes`."""
        with self.lock:
            told = self.named(when), self.named(fields)
            self.rules.append(Rule(name=name, when=told[0], fields=told[1], abort=abort))

    def hooks_hear(self, table: str, row: Record, event: str, user: str) -> None:
        """The rules' condition: not what the integration's own user did."""
        if user != self.bot:
            self.hooks.tell(table, row, event)

    def journal(self, ticket: str) -> list[Record]:
        """The ticket's journal entries, oldest first."""
        _, key = self.locate(ticket)
        return [row for row in self.tables["sys_journal_field"].values() if row["element_id"] == key]

    def _save(self, ticket: str, user: str, fields: Mapping[str, str]) -> None:
        with self.lock:
            table, key = self.locate(ticket)
            unknown = sorted(set(fields) - COLUMNS[table] - set(JOURNALS))
            if unknown:
                raise ValueError(f"{table} has no {', '.join(unknown)}")
            save(self, table, self.tables[table][key], Update(user=user, fields=fields))
