"""One simulated account and what people and rules do in it: the control surface of tests and the demo, not
Freshdesk's.

Tickets, people and groups are named by id, and people and groups also by address or name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.freshdesk.simulator.records import (
    CLOSED,
    NOTE,
    OPEN,
    REPLY,
    Directory,
    Fields,
    Row,
    Said,
    Switches,
    blank,
    markup,
    plain,
    put,
    say,
    touch,
)
from adapters.freshdesk.simulator.rules import Access, Limits, plan
from adapters.freshdesk.simulator.webhooks import Hooks
from adapters.simulation.answers import Record, Ref, Rows
from adapters.simulation.control import Account

RULE = 1060000000099  # the automation whose messages come from a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """After every change over the API, a ticket whose fields equal `when` gets `fields`, as by a rule of the
    account on ticket updates."""

    when: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any]


class Freshdesk(Account):
    """The account: directory, tickets, credentials, request log, faults and webhooks."""

    ACTS = (
        "open", "customer_says", "agent_says", "agent_changes", "rule_says", "rule_changes", "rates", "set_due",
        "spoil", "delete", "mark_as_spam", "restore", "merge", "archive",
    )  # fmt: skip

    def __init__(self, now: Callable[[], float], switches: Switches) -> None:
        super().__init__(now, first_id=1060000000101)
        self.switches = switches
        self.people = Directory(self.now, self.new_id)
        self.tickets: dict[int, Row] = {}
        self.triggers: list[Trigger] = []
        self.access = Access()
        self.limits = Limits(switches)
        self.hooks = Hooks(self.now)

    def whole_tickets(self) -> list[dict[str, Any]]:
        """Every ticket with its messages."""
        return [
            {"ticket": row.json, "conversations": row.conversations, "removed": row.removed}
            for row in self.tickets.values()
        ]

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
        business_hours: Rows = (),
        tickets: Rows = (),
    ) -> dict[str, list[int]]:
        """Fill the account; the ids made, by kind. What a row may say: `Directory.add_*`, `open`."""
        with self.lock:
            for number, label in (statuses or {}).items():
                self.people.statuses[int(number)] = label
            if stops_timer is not None:
                self.people.stops_timer = set(stops_timer)
            return {
                "groups": self.people.add_groups(groups),
                "companies": self.people.add_companies(companies),
                "agents": self.people.add_agents(agents),
                "contacts": self.people.add_contacts(contacts),
                "ticket_fields": self.people.add_ticket_fields(ticket_fields),
                "sla_policies": self.people.add_sla_policies(sla_policies),
                "business_hours": self.people.add_business_hours(business_hours),
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
            policies, lag = self.people.sla_policies.values(), self.switches.sla_lag
            plan(row, policies, self.now(), lag, at_once=not self.switches.recomputes)
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

    def customer_says(
        self, ticket: int, text: str, *, author: Ref | None = None, auto_response: bool = False
    ) -> None:
        """The requester (or `author`) answers by e-mail; a ticket that waited or was solved opens again."""
        with self.lock:
            row = self._alive(ticket)
            who = row.json["requester_id"] if author is None else self.people.person(author)["id"]
            self.hear(
                row,
                Said(
                    author=who,
                    body=markup(text),
                    private=False,
                    staff=False,
                    source=REPLY,
                    auto_response=auto_response,
                ),
            )
            if row.json["status"] != OPEN:
                self.change(row, {"status": OPEN})

    def agent_says(self, ticket: int, agent: Ref, text: str, *, public: bool = True, **fields: Any) -> None:
        """An agent replies, or notes, and then changes `fields`."""
        with self.lock:
            row, who = self._alive(ticket), self.people.agent(agent)["id"]
            source = REPLY if public else NOTE
            self.hear(row, Said(author=who, body=markup(text), private=not public, staff=True, source=source))
            if fields:
                self.change(row, self.named(fields))

    def agent_changes(self, ticket: int, agent: Ref, **fields: Any) -> None:
        """An agent changes fields: `group`, `assignee`, `custom`, or the vendor's own keys."""
        with self.lock:
            self.people.agent(agent)
            self.change(self._alive(ticket), self.named(fields))

    def rule_says(self, ticket: int, text: str, *, public: bool = True) -> None:
        """A rule of the account writes, in the name of its maker."""
        with self.lock:
            maker = next(iter(self.people.agents))
            said = Said(author=maker, body=markup(text), private=not public, staff=True, automation=RULE)
            self.hear(self._alive(ticket), said)

    def rule_changes(self, ticket: int, **fields: Any) -> None:
        """A rule of the account changes fields."""
        with self.lock:
            self.change(self._alive(ticket), self.named(fields))

    def rates(self, ticket: int, text: str = "Great", *, value: int = 103) -> None:
        """The requester answers the satisfaction survey; `value` is the answer to its first question."""
        with self.lock:
            row = self.ticket(ticket)
            who = row.json["requester_id"]
            self.hear(row, Said(author=who, body=markup(text), private=False, staff=False, source=6))
            rated = {"id": False, "ticket_id": ticket, "user_id": who, "feedback": text}
            row.ratings.append(rated | {"ratings": {"default_question": value}, "created_at": self.now()})

    def set_due(self, ticket: int, **due: int | None) -> None:
        """Set `due_by`, `fr_due_by` or `nr_due_by` by hand, over what the policies give, in epoch seconds."""
        with self.lock:
            self.ticket(ticket).by_hand |= due

    def spoil(
        self,
        ticket: int,
        *,
        shows: Mapping[str, Any] | None = None,
        hides: Iterable[str] = (),
        is_null: bool = False,
    ) -> None:
        """From now on the API shows these values and leaves these keys out, whatever the ticket holds, and a list has a
        null in its place. Without arguments it is shown as it is."""
        with self.lock:
            row = self.ticket(ticket)
            row.shows, row.hides, row.is_null = dict(shows or {}), tuple(hides), is_null

    def delete(self, ticket: int) -> None:
        """Delete the ticket: it leaves the list, and the list of deleted ones has it."""
        self._remove(ticket, "deleted")

    def mark_as_spam(self, ticket: int) -> None:
        """Mark as spam: it leaves the list, and the list of spam has it."""
        self._remove(ticket, "spam")

    def restore(self, ticket: int) -> None:
        """Take a ticket back out of trash or spam."""
        with self.lock:
            row = self.ticket(ticket)
            row.removed, row.json["spam"] = None, False
            touch(row, self.now())

    def archive(self, ticket: int) -> None:
        """Archive a closed ticket, as after 120 quiet days."""
        with self.lock:
            self.ticket(ticket).archived = True

    def merge(self, source: int, target: int, agent: Ref) -> None:
        """Merge `source` into `target`: the source closes, with a note and nothing else to tell it."""
        with self.lock:
            text = f"This ticket is closed and merged into ticket {target}"
            self.agent_says(source, agent, text, public=False, status=CLOSED)
            self.agent_says(target, agent, f"Merged from ticket {source}", public=False)

    def _remove(self, ticket: int, how: Any) -> None:
        with self.lock:
            row = self.ticket(ticket)
            row.removed = how
            row.json["spam"] = how == "spam"
            if self.switches.removal_touches:
                touch(row, self.now())

    def _alive(self, ticket: int) -> Row:
        row = self.ticket(ticket)
        if row.removed or row.archived:
            raise ValueError(f"ticket {ticket} is {row.removed or 'archived'}; nobody can change it")
        return row
