"""One simulated Zammad and what people and triggers do in it: the control surface of tests and the demo.

Tickets are named by id; people and groups by id, address or name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from adapters.simulation.answers import Record, Ref, Rows, find, refused, stamp
from adapters.simulation.control import Account
from uptier_zammad.simulator.webhooks import Hooks

NOBODY = 1  # the built-in user "-": owner of what nobody owns, and author of what triggers do
NEW, OPEN, PENDING, CLOSED, MERGED = 1, 2, 3, 4, 5
STATES = {NEW: ("new", 1), OPEN: ("open", 2), PENDING: ("pending reminder", 3), CLOSED: ("closed", 5)} | {
    MERGED: ("merged", 6),
    6: ("removed", 7),
    7: ("pending close", 4),
}
PRIORITIES = {1: "1 low", 2: "2 normal", 3: "3 high"}
RELATIONS = ("group", "owner", "customer", "organization", "state", "priority")
COMMUNICATION = ("email", "phone", "web")
ESCALATIONS = ("first_response_escalation_at", "update_escalation_at", "close_escalation_at")


@dataclass(slots=True, kw_only=True)
class Switches:
    """What differs from one Zammad to the next. `coarse`: all that is stamped in one second gets one stamp.
    `drops_preferences`: what an article sends as `preferences` is not kept. `new_tags`: agents may make new tags."""

    coarse: bool = False
    drops_preferences: bool = False
    new_tags: bool = True


@dataclass(slots=True, kw_only=True)
class Row:
    """A ticket with all that belongs to it."""

    json: Record
    articles: list[Record] = field(default_factory=list)
    history: list[Record] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


class Access:
    """Which token stands for whom."""

    def __init__(self) -> None:
        self.tokens: dict[str, int] = {}

    def caller(self, header: str) -> int:
        """The user behind an Authorization header, else Refused with 401."""
        kind, _, token = header.partition(" ")
        found = self.tokens.get(token.removeprefix("token=")) if kind in ("Token", "Bearer") else None
        if found is None:
            raise refused(401, {"error": "Authentication required"})
        return found

    def revoke(self) -> None:
        """Take all tokens away."""
        self.tokens.clear()


class Zammad(Account):
    """The account: people, groups, tickets, tokens, request log, faults and webhooks."""

    ACTS = (
        "open", "customer_says", "agent_says", "agent_changes", "trigger_says", "trigger_changes", "tag", "set_due",
        "delete", "merge",
    )  # fmt: skip

    def __init__(self, now: Callable[[], float], switches: Switches) -> None:
        super().__init__(now, first_id=101)
        self.switches = switches
        self.users: dict[int, Record] = {}
        self.groups: dict[int, Record] = {}
        self.organizations: dict[int, Record] = {}
        self.states = {
            number: {"id": number, "name": name, "state_type_id": kind, "ignore_escalation": number > OPEN}
            for number, (name, kind) in STATES.items()
        }
        self.priorities: dict[int, Record] = {
            number: {"id": number, "name": name, "active": True} for number, name in PRIORITIES.items()
        }
        self.attributes: list[str] = []
        self.tickets: dict[int, Row] = {}
        self.access = Access()
        self.hooks = Hooks(self.now)
        self._second, self._thousandth = 0, 0
        self._add_user({"id": NOBODY, "name": "-", "login": "-"})

    def stamp(self, at: int | None = None) -> str:
        """An instant as Zammad writes it, to the thousandth; without `at` now, and later than the one before."""
        second = self.now() if at is None else at
        if at is None and not self.switches.coarse:
            self._thousandth = min(self._thousandth + 1, 999) if second == self._second else 0
            self._second = second
        return f"{stamp(second).removesuffix('Z')}.{self._thousandth if at is None else 0:03}Z"

    def whole_tickets(self) -> list[dict[str, Any]]:
        """Every ticket with its articles, history and tags."""
        return [asdict(row) for row in self.tickets.values()]

    def ticket(self, number: int) -> Row:
        """The ticket's row, to look at; KeyError if there is none."""
        if number not in self.tickets:
            raise KeyError(f"the simulated account has no ticket {number}; seed it first")
        return self.tickets[number]

    def user(self, ref: Ref) -> Record:
        """The user of that id, address or name."""
        return _named(self.users, ref, "user", "login", "email", "firstname")

    def group(self, ref: Ref) -> Record:
        """The group of that id or name."""
        return _named(self.groups, ref, "group", "name")

    def seed(
        self,
        *,
        groups: Rows = (),
        organizations: Rows = (),
        users: Rows = (),
        states: Rows = (),
        priorities: Rows = (),
        attributes: Iterable[str] = (),
        tickets: Rows = (),
    ) -> dict[str, list[int]]:
        """Fill the account; the ids made, by kind. `attributes` names custom fields of tickets."""
        with self.lock:
            self.attributes.extend(attributes)
            made = {
                name: [self._add(table, each) for each in rows]
                for name, table, rows in (
                    ("groups", self.groups, groups),
                    ("organizations", self.organizations, organizations),
                    ("states", self.states, states),
                    ("priorities", self.priorities, priorities),
                )
            }
            for group in self.groups.values():
                group.setdefault("follow_up_possible", "yes")
                group.setdefault("user_ids", [])
            made["users"] = [self._add_user(each) for each in users]
            return made | {"tickets": [self.open(**each) for each in tickets]}

    def _add(self, table: dict[int, Record], row: Mapping[str, Any]) -> int:
        number = int(row.get("id") or self.new_id())
        table[number] = {"active": True, **row, "id": number}
        return number

    def _add_user(self, row: Mapping[str, Any]) -> int:
        """`name`, `email`; agents have `groups`; customers may have `organization`, `vip` and `locale`."""
        number = int(row.get("id") or self.new_id())
        groups = [self.group(each) for each in row.get("groups", ())]
        named = row.get("organization")
        organization = None if named is None else _named(self.organizations, named, "organization", "name")
        self.users[number] = {
            "id": number,
            "login": row.get("login") or row.get("email") or row["name"].lower(),
            "firstname": row["name"],
            "lastname": "",
            "email": row.get("email", ""),
            "organization_id": organization and organization["id"],
            "vip": row.get("vip", False),
            "active": row.get("active", True),
            "preferences": {"locale": row["locale"]} if "locale" in row else {},
            "group_ids": {str(each["id"]): ["full"] for each in groups},
            **{f"out_of_office{end}": row.get(f"out_of_office{end}") for end in ("", "_start_at", "_end_at")},
        }
        for each in groups:
            each["user_ids"].append(number)
        return number

    def open(
        self,
        *,
        customer: Ref,
        subject: str,
        description: str = "",
        at: int | None = None,
        id: int | None = None,  # noqa: A002 (the vendor's word)
        tags: Iterable[str] = (),
        **fields: Any,
    ) -> int:
        """The customer writes a mail; the ticket's number. `fields` as in `agent_changes`; `at` is when, if not now."""
        with self.lock:
            who, stamp = self.user(customer), self.stamp(at)
            number = max(self.tickets, default=0) + 1 if id is None else id
            row = self.tickets[number] = Row(
                json={
                    "id": number,
                    "number": f"{22000 + number}",
                    "title": subject,
                    "group_id": next(iter(self.groups)),
                    "state_id": NEW,
                    "priority_id": 2,
                    "owner_id": NOBODY,
                    "customer_id": who["id"],
                    "organization_id": who["organization_id"],
                    "type": None,
                    "article_count": 0,
                    "create_article_type": "email",
                    **dict.fromkeys(("first_response_at", "close_at", *ESCALATIONS, *self.attributes)),
                    "created_by_id": who["id"],
                    "updated_by_id": who["id"],
                    "created_at": stamp,
                    "updated_at": stamp,
                }
            )
            row.json |= self.named(fields)
            self._note(row, who["id"], stamp, "created")
            for tag in tags:
                row.tags.append(tag)
                self._note(row, who["id"], stamp, "added", attribute="tag", value_to=tag)
            said = {"body": description, "type": "email", "sender": "Customer", "internal": False}
            self._say(row, who["id"], stamp, said)
            self.tell(row)
            return number

    def named(self, fields: Mapping[str, Any]) -> Record:
        """Control words as Zammad's keys: `group`, `owner`, `state` and `priority` by name."""
        tables: dict[str, tuple[Mapping[int, Record], str]] = {
            "group": (self.groups, "name"),
            "owner": (self.users, "firstname"),
            "state": (self.states, "name"),
            "priority": (self.priorities, "name"),
        }
        made: Record = {}
        for name, value in fields.items():
            if name in tables:
                table, by = tables[name]
                made[f"{name}_id"] = (
                    NOBODY if value is None else _named(table, value, name, by, "email")["id"]
                )
            else:
                made[name] = value
        return made

    def change(
        self, row: Row, by: int, fields: Mapping[str, Any], said: Mapping[str, Any] | None = None
    ) -> Record | None:
        """Carry out one update, by whoever, with one stamp: fields that differ, and an article, which is answered.

        An owner who may not own tickets of the group is made nobody. (zammad/zammad: app/models/ticket.rb)
        """
        stamp, before = self.stamp(), dict(row.json)
        row.json |= fields
        owner = self.users[row.json["owner_id"]]
        if "full" not in owner["group_ids"].get(str(row.json["group_id"]), ()):
            row.json["owner_id"] = NOBODY
        if row.json["state_id"] == CLOSED and not before["close_at"]:
            row.json["close_at"] = stamp
        for name, value in row.json.items():
            if value != before[name] and (name in self.attributes or name.endswith("_id") or name == "title"):
                self._note(row, by, stamp, "updated", **self._shown_change(name, before[name], value))
        article = None if said is None else self._say(row, by, stamp, said)
        if row.json != before or article:
            row.json |= {"updated_at": stamp, "updated_by_id": by}
            self.tell(row)
        return article

    def _shown_change(self, name: str, before: Any, after: Any) -> Record:
        """How the history shows a change: relations by id and name, all else as text."""
        if not name.endswith("_id"):
            texts = ("" if each is None else str(each) for each in (before, after))
            return dict(zip(("value_from", "value_to"), texts, strict=True)) | {"attribute": name}
        relation = name.removesuffix("_id")
        names = (self.name_of(relation, each) for each in (before, after))
        values = dict(zip(("value_from", "value_to"), names, strict=True))
        return {"attribute": relation, "id_from": before, "id_to": after, **values}

    def name_of(self, relation: str, number: Any) -> str:
        """What a related record is called; people by their login."""
        tables = {
            "group": (self.groups, "name"),
            "organization": (self.organizations, "name"),
            "state": (self.states, "name"),
            "priority": (self.priorities, "name"),
        }
        table, by = tables.get(relation, (self.users, "login"))
        return str(table[number][by]) if number in table else ""

    def _say(self, row: Row, by: int, stamp: str, said: Mapping[str, Any]) -> Record:
        """Add an article. An agent's public mail opens a new ticket and is its first response.
        (zammad/zammad: app/models/ticket/article/resets_ticket_state.rb, has_ticket_contact_attributes_impact.rb)"""
        keeps = not self.switches.drops_preferences
        made: Record = {
            "id": self.new_id(),
            "ticket_id": row.json["id"],
            "type": said.get("type", "note"),
            "sender": said.get("sender", "Agent"),
            "internal": said.get("internal", False),
            "body": said["body"],
            "content_type": said.get("content_type", "text/plain"),
            "to": said.get("to"),
            "origin_by_id": None,
            "preferences": dict(said.get("preferences") or {}) if keeps else {},
            "created_by_id": by,
            "created_at": stamp,
            "updated_at": stamp,
        }
        row.articles.append(made)
        if made["sender"] != "System":
            row.json["article_count"] += 1
        if made["sender"] == "Agent" and not made["internal"] and made["type"] in COMMUNICATION:
            row.json["first_response_at"] = row.json["first_response_at"] or stamp
            if row.json["state_id"] == NEW:
                row.json["state_id"] = OPEN
                self._note(row, by, stamp, "updated", **self._shown_change("state_id", NEW, OPEN))
        return made

    def _note(self, row: Row, by: int, stamp: str, kind: str, **what: Any) -> None:
        """One more entry of the history."""
        entry = {"id": self.new_id(), "o_id": row.json["id"], "object": "Ticket", "type": kind}
        row.history.append(entry | what | {"created_by_id": by, "created_at": stamp})

    def put_tag(self, row: Row, by: int, tag: str, *, add: bool) -> None:
        """Add or remove a tag; what is so already is no change, but touches the ticket all the same.
        (zammad/zammad: app/models/tag.rb)"""
        if add != (tag in row.tags):
            (row.tags.append if add else row.tags.remove)(tag)
            kind = "added" if add else "removed"
            self._note(row, by, self.stamp(), kind, attribute="tag", value_to=tag)
        row.json["updated_at"] = self.stamp()
        self.tell(row)

    def tell(self, row: Row) -> None:
        """Let the webhooks know."""
        self.hooks.tell(self.expanded(row.json), row.articles[-1] if row.articles else {})

    def expanded(self, json: Mapping[str, Any]) -> Record:
        """A ticket with its relations by name, as `expand=true` shows it."""
        return {**json, **{each: self.name_of(each, json.get(f"{each}_id")) or None for each in RELATIONS}}

    def customer_says(
        self, ticket: int, text: str, *, author: Ref | None = None, automatic: bool = False
    ) -> None:
        """The customer (or `author`) answers by mail; a ticket that waited or was closed opens again. `automatic` is
        what a mail program sent by itself, which the article's preferences tell.
        (zammad/zammad: app/models/channel/filter/auto_response_check.rb)"""
        with self.lock:
            row = self.ticket(ticket)
            opens = row.json["state_id"] not in (NEW, OPEN)
            said: Record = {"body": text, "type": "email", "sender": "Customer"}
            said |= {"preferences": {"is-auto-response": True}} if automatic else {}
            by = row.json["customer_id"] if author is None else self.user(author)["id"]
            self.change(row, by, {"state_id": OPEN} if opens else {}, said)

    def agent_says(self, ticket: int, agent: Ref, text: str, *, public: bool = True, **fields: Any) -> None:
        """An agent mails the customer, or notes, and changes `fields` in the same update."""
        with self.lock:
            said = {"body": text, "type": "email" if public else "note", "internal": not public}
            self.change(self.ticket(ticket), self.user(agent)["id"], self.named(fields), said)

    def agent_changes(self, ticket: int, agent: Ref, **fields: Any) -> None:
        """An agent changes fields: `group`, `owner`, `state`, `priority`, or Zammad's own keys."""
        with self.lock:
            self.change(self.ticket(ticket), self.user(agent)["id"], self.named(fields))

    def trigger_says(self, ticket: int, text: str, *, public: bool = True) -> None:
        """A trigger mails the customer, or notes."""
        with self.lock:
            said = {"body": text, "type": "email" if public else "note", "sender": "System"}
            self.change(self.ticket(ticket), NOBODY, {}, said | {"internal": not public})

    def trigger_changes(self, ticket: int, **fields: Any) -> None:
        """A trigger changes fields."""
        with self.lock:
            self.change(self.ticket(ticket), NOBODY, self.named(fields))

    def tag(self, ticket: int, agent: Ref, tag: str, *, add: bool = True) -> None:
        """An agent adds or removes a tag."""
        with self.lock:
            self.put_tag(self.ticket(ticket), self.user(agent)["id"], tag, add=add)

    def set_due(self, ticket: int, **due: int | None) -> None:
        """Set deadlines (`first_response_escalation_at` and its siblings) in epoch seconds, as an SLA would."""
        with self.lock:
            stamps = {name: None if at is None else self.stamp(at) for name, at in due.items()}
            self.ticket(ticket).json |= stamps

    def delete(self, ticket: int) -> None:
        """Remove the ticket for good."""
        with self.lock:
            del self.tickets[ticket]

    def merge(self, source: int, target: int, agent: Ref) -> None:
        """Merge `source` into `target`: its articles go there, and it stays as merged."""
        with self.lock:
            row, by = self.ticket(source), self.user(agent)["id"]
            self.ticket(target).articles.extend(row.articles)
            row.articles.clear()
            self.change(row, by, {"state_id": MERGED})


def _named(table: Mapping[int, Record], ref: Ref, what: str, *keys: str) -> Record:
    return find(table, ref, what, lambda record: [record.get(key) for key in keys])
