"""What one simulated account holds, and the three things that happen to a ticket: it opens, fields change,
something is said."""

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.freshdesk.simulator_access import Access
from adapters.freshdesk.simulator_directory import Directory, Ref
from adapters.freshdesk.simulator_faults import Fault, Logged
from adapters.freshdesk.simulator_hooks import Hooks
from adapters.freshdesk.simulator_limits import Limits
from adapters.freshdesk.simulator_records import Record, markup, plain
from adapters.freshdesk.simulator_slas import plan
from adapters.freshdesk.simulator_switches import Switches
from adapters.freshdesk.simulator_tickets import (
    Fields,
    Row,
    Said,
    blank,
    put,
    say,
    touch,
)

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """After every change over the API, a ticket whose fields equal `when` gets `fields`, as by a rule of the
    account on ticket updates."""

    when: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any]


class Account:
    """Directory, tickets, credentials, request log, faults and webhooks."""

    def __init__(self, now: Callable[[], float], switches: Switches) -> None:
        self.clock = now
        self.switches = switches
        self.lock = threading.RLock()
        self._ids = itertools.count(1060000000101)
        self.people = Directory(self.now, self.new_id)
        self.tickets: dict[int, Row] = {}
        self.triggers: list[Trigger] = []
        self.access = Access()
        self.limits = Limits(switches)
        self.hooks = Hooks(self.now)
        self.faults: list[Fault] = []
        self.log: list[Logged] = []

    def now(self) -> int:
        """The account's time in epoch seconds."""
        return int(self.clock())

    def new_id(self) -> int:
        """The next id; later ids are greater."""
        return next(self._ids)

    def ticket(self, number: int) -> Row:
        """The ticket's row, to look at; KeyError if there is none."""
        if number not in self.tickets:
            raise KeyError(f"the simulated account has no ticket {number}; seed it first")
        return self.tickets[number]

    def seed(
        self,
        *,
        groups: Rows = (),
        companies: Rows = (),
        agents: Rows = (),
        contacts: Rows = (),
        ticket_fields: Rows = (),
        statuses: Mapping[str, str] | None = None,
        stops_timer: Iterable[int] | None = None,
        sla_policies: Rows = (),
        tickets: Rows = (),
    ) -> dict[str, list[int]]:
        """Fill the account; the ids made, by kind. What a row may say: `Directory.add_*`, `open`."""
        with self.lock:
            for number, label in (statuses or {}).items():
                self.people.add_status(int(number), label)
            if stops_timer is not None:
                self.people.stops_timer = set(stops_timer)
            return {
                "groups": self.people.add_groups(groups),
                "companies": self.people.add_companies(companies),
                "agents": self.people.add_agents(agents),
                "contacts": self.people.add_contacts(contacts),
                "ticket_fields": self.people.add_ticket_fields(ticket_fields),
                "sla_policies": self.people.add_sla_policies(sla_policies),
                "tickets": [self.open(**row) for row in tickets],
            }

    def open(
        self,
        *,
        requester: Ref,
        subject: str,
        description: str = "",
        at: int | None = None,
        id: int | None = None,  # noqa: A002 (the vendor's word)
        **fields: Any,
    ) -> int:
        """Open a ticket; its number. `fields` as in `agent_changes`; `at` is when, if not now."""
        with self.lock:
            when = self.now() if at is None else at
            number = max(self.tickets, default=0) + 1 if id is None else id
            person = self.people.person(requester)
            row = self.tickets[number] = blank(number, when)
            body = markup(description)
            row.json |= {
                "requester_id": person["id"],
                "company_id": person.get("company_id"),
                "subject": subject,
                "description": f"<div>{body}</div>",
                "description_text": plain(body),
            }
            row.json["custom_fields"] = {name: None for name in self.people.fields if name.startswith("cf_")}
            put(row, self.named(fields), when)
            plan(row, self.people.sla_policies.values(), when, self.switches.sla_lag)
            self.tell(row, "{ticket_action:created}")
            return number

    def named(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Turn control words into the vendor's keys: `group`, `assignee`, and `custom` (name to value)."""
        whole: dict[str, Any] = {}
        for name, value in fields.items():
            if name == "group":
                whole["group_id"] = None if value is None else self.people.group(value)["id"]
            elif name == "assignee":
                whole["responder_id"] = None if value is None else self.people.agent(value)["id"]
            elif name == "custom":
                whole |= value
            else:
                whole[name] = list(value) if name == "tags" else value
        return whole

    def change(self, row: Row, fields: Fields, *, touches: bool = True) -> None:
        """Carry out an update of fields, by whoever, and tell the webhooks of the first difference."""
        changed = put(row, fields, self.now())
        if touches:
            touch(row, self.now())
        if changed:
            self._replan(row)
            name, before, after = changed[0]
            self.tell(row, f"{{{name}:{{from:{before},to:{after}}}}}")

    def hear(self, row: Row, said: Said) -> Record:
        """Carry out a message, by whoever, and tell the webhooks."""
        made = say(row, said, self.now(), self.new_id)
        if self.switches.notes_touch or not said.private:
            touch(row, self.now())
        self.tell(row, f"{{note_type:{'private' if said.private else 'public'}}}")
        return made

    def run_rules(self, row: Row) -> None:
        """Let the account's rules act on what was just changed."""
        for trigger in self.triggers:
            if all(row.json.get(name) == value for name, value in trigger.when.items()):
                self.change(row, trigger.fields)

    def tell(self, row: Row, event: str) -> None:
        """Let the webhooks know."""
        status = row.json["status"]
        self.hooks.tell(row, event, {"status": self.people.statuses.get(status, str(status))})

    def _replan(self, row: Row) -> None:
        policies, lag = self.people.sla_policies.values(), self.switches.sla_lag
        plan(row, policies, self.now(), lag, at_once=not self.switches.recomputes)
