"""One simulated account and what people do in it. The control surface for tests and the demo, not Zendesk's.

Every method may be called from another thread. Tickets, people and groups are named by id, and people and
groups also by address or name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.simulation.answers import Record, Ref, Rows
from adapters.simulation.control import Account
from adapters.zendesk.simulator.records import (
    MESSAGING,
    SYSTEM,
    Directory,
    Fields,
    Row,
    Said,
    Switches,
    Update,
    begin_chat,
    blank,
    save,
    touch,
    via,
)
from adapters.zendesk.simulator.rules import Access, Limits, complete
from adapters.zendesk.simulator.webhooks import Hooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """On every save, a ticket whose fields equal `when` gets `fields`; the events carry via `rule`."""

    when: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str | int, Any]


class Zendesk(Account):
    """The account: directory, tickets, credentials, request log, faults and webhooks."""

    ACTS = (
        "open", "customer_says", "agent_says", "agent_changes", "chat_says", "chat_ends", "rule_says", "rule_changes",
        "system_touch", "set_target", "delete", "mark_as_spam", "merge", "archive",
    )  # fmt: skip

    def __init__(self, now: Callable[[], float], switches: Switches) -> None:
        super().__init__(now, first_id=6130907000001)
        self.switches = switches
        self.people = Directory(self.now, self.new_id)
        self.tickets: dict[int, Row] = {}
        self.triggers: list[Trigger] = []
        self.access = Access(self.now, switches)
        self.limits = Limits(switches)
        self.hooks = Hooks(self.now)

    def whole_tickets(self) -> list[dict[str, Any]]:
        """Every ticket with its comments and audits."""
        return [
            {"ticket": row.json, "comments": row.comments, "audits": row.audits}
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
        organizations: Rows = (),
        agents: Rows = (),
        users: Rows = (),
        ticket_fields: Rows = (),
        custom_statuses: Rows = (),
        sla_policies: Rows = (),
        schedules: Rows = (),
        automations: Rows = (),
        triggers: Rows = (),
        tickets: Rows = (),
    ) -> dict[str, list[int]]:
        """Fill the account; the ids made, by kind. What a row may say: `Directory.add_*`, `open`."""
        with self.lock:
            return {
                "groups": self.people.add_groups(groups),
                "organizations": self.people.add_organizations(organizations),
                "agents": self.people.add_users({"role": "agent", **row} for row in agents),
                "users": self.people.add_users(users),
                "ticket_fields": self.people.add_ticket_fields(ticket_fields),
                "custom_statuses": self.people.add_custom_statuses(custom_statuses),
                "sla_policies": self.people.add_sla_policies(sla_policies),
                "schedules": self.people.add_schedules(schedules),
                "automations": self.people.add_business_rules("automations", automations),
                "triggers": self.people.add_business_rules("triggers", triggers),
                "tickets": [self.open(**row) for row in tickets],
            }

    def open(
        self,
        *,
        requester: Ref,
        subject: str,
        description: str = "",
        submitter: Ref | None = None,
        channel: str = "web",
        at: int | None = None,
        id: int | None = None,  # noqa: A002 (the vendor's word)
        public: bool = True,
        **fields: Any,
    ) -> int:
        """Open a ticket; its number. `fields` as in `agent_changes`; `at` is when, if not now."""
        with self.lock:
            when = self.now() if at is None else at
            number = max(self.tickets, default=0) + 1 if id is None else id
            person = self.people.user(requester)
            author = person["id"] if submitter is None else self.people.user(submitter)["id"]
            told = {"subject": subject, "requester_id": person["id"], **self.named(fields)}
            row = self.tickets[number] = blank(number, when, self.new_id)
            row.json |= {
                "via": via(channel),
                "description": description,
                "submitter_id": author,
                "is_public": public,
                "from_messaging_channel": channel in MESSAGING,
            }
            row.json["organization_id"] = person["organization_id"]
            whole = {"status": "new"} | complete(row, told, self.people, self.switches)
            said = Said(author=author, body=description, public=public, staff=self.people.is_staff(author))
            self.save(
                row, Update(author=author, at=when, channel=channel, fields=whole, said=said, create=True)
            )
            return number

    def named(self, fields: Mapping[str, Any]) -> dict[str | int, Any]:
        """Turn control words into the vendor's keys: `group`, `assignee`, `custom_status`, `custom` (id to value)."""
        plain: dict[str | int, Any] = {}
        for name, value in fields.items():
            if name == "group":
                plain["group_id"] = None if value is None else self.people.group(value)["id"]
            elif name == "assignee":
                plain["assignee_id"] = None if value is None else self.people.user(value)["id"]
            elif name == "custom_status":
                own = self.people.custom_status(value)
                plain |= {"custom_status_id": own["id"], "status": own["status_category"]}
            elif name == "custom":
                plain |= {int(number): entry for number, entry in value.items()}
            else:
                plain[name] = list(value) if name == "tags" else value
        return plain

    def save(self, row: Row, update: Update) -> Record | None:
        """Save with what the triggers add, and tell the webhooks; the audit, or None for no change."""
        rule: dict[str | int, Any] = {}
        for trigger in self.triggers:
            after = row.json | {name: value for name, value in update.fields.items() if isinstance(name, str)}
            if all(after.get(name) == value for name, value in trigger.when.items()):
                rule |= trigger.fields
        keep_empty = self.switches.empty_update_makes_audit
        audit = save(row, replace(update, rule=rule), self.new_id, keep_empty=keep_empty)
        if audit is not None:
            self.hooks.tell(row, audit)
        return audit

    def customer_says(
        self,
        ticket: int,
        text: str,
        *,
        author: Ref | None = None,
        channel: str = "email",
        automatic: bool = False,
    ) -> None:
        """The requester (or `author`) answers in public; a ticket that waited or was solved opens again. `automatic` is
        what a mail program sent by itself, which Zendesk flags."""
        with self.lock:
            row = self._alive(ticket)
            who = row.json["requester_id"] if author is None else self.people.user(author)["id"]
            waits = row.json["status"] in ("pending", "hold", "solved")
            said = Said(author=who, body=text, public=True, staff=self.people.is_staff(who))
            fields: Fields = {"status": "open"} if waits else {}
            flags = (4,) if automatic else ()
            update = Update(author=who, at=self.now(), channel=channel, fields=fields, said=said, flags=flags)
            self.save(row, update)

    def agent_says(self, ticket: int, agent: Ref, text: str, *, public: bool = True, **fields: Any) -> None:
        """An agent comments, and changes `fields` in the same save."""
        with self.lock:
            row, who = self._alive(ticket), self.people.user(agent)["id"]
            said = Said(author=who, body=text, public=public, staff=True)
            self._change(row, who, fields, said)

    def agent_changes(self, ticket: int, agent: Ref, **fields: Any) -> None:
        """An agent changes fields: `group`, `assignee`, `custom`, or the vendor's own keys."""
        with self.lock:
            self._change(self._alive(ticket), self.people.user(agent)["id"], fields, None)

    def chat_says(self, ticket: int, text: str, *, author: Ref | None = None) -> None:
        """The requester, or an agent, writes in the ticket's chat, which begins with the first such message. While it
        runs the comments show nothing of it, and the ticket's `updated_at` stays."""
        with self.lock:
            row = self._alive(ticket)
            who = row.json["requester_id"] if author is None else self.people.user(author)["id"]
            chat = next((each for each in reversed(row.chats) if not each.ended), None)
            if chat is None:
                chat = begin_chat(row, self.now(), self.new_id, self.switches.chat_history)
            chat.say(who, text, self.now(), staff=self.people.is_staff(who))
            touch(row, self.now())

    def chat_ends(self, ticket: int) -> None:
        """The chat ends: a private comment by the system says so, and with the switch a public one has it all."""
        with self.lock:
            row = self._alive(ticket)
            chat = next(each for each in row.chats if not each.ended)
            chat.ended = True
            said = Said(author=SYSTEM, body="Chat ended", public=False, staff=False)
            self.save(row, Update(author=SYSTEM, at=self.now(), channel="native_messaging", said=said))
            if self.switches.chat_transcript:
                who = row.json["requester_id"]
                whole = Said(author=who, body=chat.text(), public=True, staff=False)
                self.save(row, Update(author=who, at=self.now(), channel="native_messaging", said=whole))

    def rule_says(self, ticket: int, text: str, *, public: bool = True) -> None:
        """A trigger of the account comments, such as an automatic reply."""
        with self.lock:
            said = Said(author=SYSTEM, body=text, public=public, staff=False, automatic=True)
            self.save(self._alive(ticket), Update(author=SYSTEM, at=self.now(), channel="rule", said=said))

    def rule_changes(self, ticket: int, **fields: Any) -> None:
        """An automation of the account changes fields, such as closing what was solved long ago."""
        with self.lock:
            update = Update(author=SYSTEM, at=self.now(), channel="rule", fields=self.named(fields))
            self.save(self._alive(ticket), update)

    def system_touch(self, ticket: int) -> None:
        """Zendesk's own upkeep: the ticket comes again in the export and `updated_at` stays."""
        with self.lock:
            touch(self.ticket(ticket), self.now())

    def set_target(
        self, ticket: int, metric: str, *, stage: str = "active", breach: int | None = None
    ) -> None:
        """Set an SLA target by hand, over what the policies give; `breach` in epoch seconds."""
        with self.lock:
            self.ticket(ticket).targets[metric] = (stage, breach)

    def delete(self, ticket: int, agent: Ref | None = None) -> None:
        """Delete the ticket: gone for readers, and scrubbed in the export."""
        with self.lock:
            row = self.ticket(ticket)
            author = SYSTEM if agent is None else self.people.user(agent)["id"]
            self.save(row, Update(author=author, at=self.now(), fields={"status": "deleted"}))
            scrubbed = dict.fromkeys(("subject", "raw_subject", "description"), "SCRUBBED")
            row.json |= scrubbed | {"tags": [], "custom_fields": []}

    def mark_as_spam(self, ticket: int, agent: Ref) -> None:
        """Mark as spam: the ticket is deleted and its requester suspended."""
        with self.lock:
            self.people.user(self.ticket(ticket).json["requester_id"])["suspended"] = True
            self.delete(ticket, agent)

    def merge(self, source: int, target: int, agent: Ref, *, public: bool = False) -> None:
        """Merge `source` into `target`: the source closes with the tag closed_by_merge, and both get a comment."""
        with self.lock:
            left, right = self._alive(source), self._alive(target)
            who = self.people.user(agent)["id"]
            closed: Fields = {"status": "closed", "tags": [*left.json["tags"], "closed_by_merge"]}
            for row, fields, text in (
                (left, closed, f"This request was closed and merged into request #{target}."),
                (right, {}, f"Request #{source} was closed and merged into this request."),
            ):
                said = Said(author=who, body=text, public=public, staff=True)
                update = Update(author=who, at=self.now(), channel="merge", fields=fields, said=said)
                self.save(row, update)

    def archive(self, ticket: int) -> None:
        """Archive a closed ticket: it leaves lists and search and stays readable and in the export."""
        with self.lock:
            self.ticket(ticket).archived = True

    def _change(self, row: Row, author: int, fields: Mapping[str, Any], said: Said | None) -> None:
        whole = complete(row, dict(self.named(fields)), self.people, self.switches)
        self.save(row, Update(author=author, at=self.now(), fields=whole, said=said))

    def _alive(self, ticket: int) -> Row:
        row = self.ticket(ticket)
        if row.deleted or row.json["status"] == "closed":
            raise ValueError(f"ticket {ticket} is {row.json['status']}; nobody can change it")
        return row
