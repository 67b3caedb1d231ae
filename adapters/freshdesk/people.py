"""Who is who: agents, groups and contacts behind the ids in rows; the directory is asked seldom and remembered.

https://developers.freshdesk.com/api/#list_all_agents and #view_a_group, which alone tells the members. An entry without
an id is left out: nobody could be assigned by it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from adapters.base import AccessLost, Account, HelpdeskError, NotAllowed, TryLater, language_of
from adapters.freshdesk.client import Client, Row
from adapters.freshdesk.form import STATUS_NAMES, Form, form
from adapters.http import status_behind
from policies.model import Agent, Directory, Group, Instant, Person, Seconds

A_MINUTE: Seconds = 60
"""A wait for one kind of path that is longer than Freshdesk's windows is not waited for where a ticket can do
without."""


def ident(value: Any) -> str | None:
    """An id as text, None for what is none. Ids are longer than 32 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    return value if isinstance(value, str) and value.isascii() and value.isdecimal() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asked. `known` is False where we know the id only."""

    person: Person | None = None
    language: str | None = None
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What one answer is read with: the form, the last directory, the ids that were asked for by themselves and that
    nobody bears (`agents/ID`, `groups/ID`), and the requester where one was asked for."""

    account: Account
    form: Form = field(default_factory=Form)
    directory: Directory | None = None
    nobody: frozenset[str] = frozenset()
    requester: Requester | None = None

    def group(self, value: Any) -> tuple[Group | None, bool]:
        """The group of that id, called by it where nobody names it; and whether all is known of it that can be: its
        name, or that there is none."""
        key = ident(value)
        known = self.directory.groups if self.directory else ()
        found = next((each for each in known if each.id == key), None)
        if key is None or found:
            return found, True
        return Group(id=key, name=key), f"groups/{key}" in self.nobody

    def agent(self, value: Any) -> tuple[Person | None, bool]:
        """The agent of that id, called by it where the directory does not know them; and whether all is known of them
        that can be: who it is, or that nobody is."""
        key = ident(value)
        found = agent_of(self.directory, key)
        if key is None or found:
            return found, True
        return Person(id=key, name=key), f"agents/{key}" in self.nobody

    def asked(self, value: Any) -> Requester:
        """The requester: as asked for, else known by id only."""
        key = ident(value)
        if self.requester is not None or key is None:
            return self.requester or Requester()
        return Requester(person=Person(id=key, name=key), known=False)


def agent_of(directory: Directory | None, key: str | None) -> Person | None:
    """The agent of that id."""
    agents = directory.agents if directory else ()
    return next((each.person for each in agents if each.person.id == key), None)


def requester(
    contact_of: Callable[[str], Any], account: Account, row: Row, agent: Callable[[str], Person | None]
) -> Requester:
    """Who asked, by what `contact_of` finds. Where there is no such contact, an agent asked, whom `agent` knows. Where
    the contact is refused, cannot be read, or would have to be waited for, the requester is known by id only."""
    key = ident(row.get("requester_id"))
    if key is None:
        return Requester()
    by_id = Requester(person=Person(id=key, name=key), known=False)
    try:
        contact = contact_of(key)
    except NotAllowed:
        return by_id
    except TryLater as error:
        if error.wait > A_MINUTE:
            return by_id
        raise
    if contact is None:
        known = agent(key)
        return Requester(person=known) if known else by_id
    told = person(contact, key, account, row)
    return Requester(person=told, language=language_of(contact.get("language"))) if told else by_id


def person(contact: Any, key: str, account: Account, ticket: Row) -> Person | None:
    """A contact as a person, None where it is none or leaves out what tells a VIP. Freshdesk has no VIP flag: it is
    made of the contact's tags."""
    if not isinstance(contact, dict) or ident(contact.get("id")) != key:
        return None
    name, address, told = contact.get("name"), contact.get("email"), contact.get("tags", "untold")
    if not isinstance(name, str | None) or not isinstance(address, str | None):
        return None
    if not isinstance(told, list | None) or not all(isinstance(tag, str) for tag in told or ()):
        return None
    tags = frozenset(told or ())
    return Person(
        id=key,
        name=name or key,
        address=address or None,
        organization=company(contact.get("company_id"), ticket),
        tags=tags,
        vip=bool(account.vip & tags),
    )


def company(value: Any, ticket: Row) -> str | None:
    """The name of the company of that id, if it is the ticket's own, else its id."""
    key = ident(value)
    embedded: Any = ticket.get("company")
    named: Mapping[str, Any] = embedded if isinstance(embedded, dict) else {}
    if key is not None and ident(named.get("id")) == key and named.get("name"):
        return str(named["name"])
    return key


AN_HOUR: Seconds = 3600
MOST_CONTACTS = 10_000
CONTACT = ("id", "name", "email", "tags", "company_id", "language")


def slim(contact: Any) -> Any:
    """What is read of a contact; anything else as it is."""
    if not isinstance(contact, dict):
        return contact
    return {name: contact[name] for name in CONTACT if name in contact}


T = TypeVar("T")


class IdentityCache:
    """Answers that hardly change. The whole directory is read once, and then as often as the connector does; an
    agent or a group that it does not name is asked for by itself, once. What nobody bears is remembered until the
    next reading.
    """

    def __init__(self, account: Account, client: Client) -> None:
        self._account = account
        self._client = client
        self._bot: str | None = None
        self._form: Form | None = None
        self._strange_statuses: frozenset[int] = frozenset()
        self._is_whole = False
        self._tried_at: Instant = 0
        self._lock = threading.Lock()
        self._contacts: dict[str, tuple[Instant, Any]] = {}
        self.nobody: frozenset[str] = frozenset()
        self.directory: Directory | None = None

    def bot(self) -> str:
        """The id of the agent behind our key."""
        if self._bot is None:
            self._bot = str(self._client.get("/agents/me").row()["id"])
        return self._bot

    def form(self, *statuses: object) -> Form:
        """The form, read again for a status number not met before."""
        numbers = frozenset(
            number for number in statuses if isinstance(number, int) and not isinstance(number, bool)
        )
        with self._lock:
            known = self._strange_statuses | STATUS_NAMES.keys()
            known |= self._form.statuses.keys() if self._form else frozenset()
            if self._form is None or numbers - known:
                self._form = read_form(self._client)
                self._strange_statuses |= numbers - self._form.statuses.keys()
            return self._form

    def known_form(self) -> Form:
        """The form as last read, without any request; an empty one before that."""
        return self._form or Form()

    def renew(self, directory: Directory) -> None:
        """Take the directory over, and read the form again when it is next needed: names may be new."""
        with self._lock:
            self.directory, self._is_whole, self.nobody = directory, True, frozenset()
            self._form = None

    def contact(self, key: str, at: Instant = 0) -> Any:
        """The contact of that id, asked for once an hour; None where there is none. `at` is Freshdesk's time; without
        one, nothing is remembered. A ticket does not tell when its contact changed."""
        read, found = self._contacts.get(key, (0, None))
        if not read or not read <= at < read + AN_HOUR:
            try:
                found = self._client.get(f"/contacts/{key}").body
            except TryLater as error:
                if status_behind(error) != 404:
                    raise
                found = None
            if at:
                if len(self._contacts) >= MOST_CONTACTS:
                    self._contacts = {}
                self._contacts[key] = (at, slim(found))
        return found

    def naming(self, row: Row, at: Instant = 0) -> Directory | None:
        """The directory, with the row's group and agent in it if anybody bears those ids. `at` is Freshdesk's time.
        While the whole directory cannot be read, it is tried once an hour, and names are asked for one by one."""
        with self._lock:
            if not self._is_whole and not (self._tried_at and at < self._tried_at + AN_HOUR):
                read, _ = self._asked(lambda: read_directory(self._account, self._client))
                self.directory, self._is_whole, self._tried_at = (
                    read or self.directory,
                    read is not None,
                    max(1, at),
                )
            known = self.directory or Directory(account="")
            group, agent = ident(row.get("group_id")), ident(row.get("responder_id"))
            if group is not None and self._is_strange(f"groups/{group}", {each.id for each in known.groups}):
                team, answered = self._asked(lambda: one_group(self._client, group))
                known = replace(known, groups=(*known.groups, team)) if team else known
                self.nobody |= {f"groups/{group}"} if answered and not team else frozenset()
            ids = {each.person.id for each in known.agents}
            if agent is not None and self._is_strange(f"agents/{agent}", ids):
                one, answered = self._asked(lambda: one_agent(self._client, agent, known))
                known = replace(known, agents=(*known.agents, one)) if one else known
                self.nobody |= {f"agents/{agent}"} if answered and not one else frozenset()
            self.directory = known
            return known

    def _is_strange(self, name: str, known: set[str]) -> bool:
        return name.partition("/")[2] not in known and name not in self.nobody

    @staticmethod
    def _asked(ask: Callable[[], T | None]) -> tuple[T | None, bool]:
        """What `ask` answers, and whether that is an answer: a ticket can be worked on without a name."""
        try:
            return ask(), True
        except AccessLost:
            raise
        except NotAllowed:
            return None, True
        except HelpdeskError:
            return None, False

    def agent(self, key: str, at: Instant = 0) -> Person | None:
        """The agent of that id, if there is one. `at` is Freshdesk's time."""
        return agent_of(self.naming({"responder_id": key}, at), key)


NO_AUTOMATIC = (None, 0, False)
"""What `auto_ticket_assign` says where Freshdesk assigns nothing by itself. It was a yes or no once."""

UNTOLD = frozenset({403, 404})


def read_form(client: Client) -> Form:
    """The ticket form; a form without any names where we may not see it. One more request asks for the status field as
    administrators see it, which may tell what stops the SLA clock; nothing depends on its answer."""
    try:
        entries = client.get("/ticket_fields").entries()
    except NotAllowed:
        return Form()
    plain = form(entries)
    if plain.timers or not plain.status_field.isdecimal():
        return plain
    try:
        return form(entries, client.get(f"/admin/ticket_fields/{plain.status_field}").body)
    except AccessLost:
        raise
    except HelpdeskError:
        return plain


def read_directory(account: Account, client: Client) -> Directory:
    """All groups and agents. Nobody's load is told; who is available is, where Freshdesk assigns by itself."""
    listed = rows(client, "/groups")
    groups = [whole for row in listed if (whole := with_members(client, row))]
    people = rows(client, "/agents")
    return Directory(
        account=account.name,
        groups=tuple(sorted((group(row) for row in groups), key=lambda each: each.name)),
        agents=tuple(agent(row, groups) for row in people),
    )


def rows(client: Client, path: str) -> list[Row]:
    """The entries of a list that are objects with an id. A list without any such entry is not an empty one:
    TryLater."""
    entries = client.every(path)
    found: list[Row] = [
        each for each in entries if isinstance(each, dict) and ident(each.get("id")) is not None
    ]
    if entries and not found:
        raise TryLater(f"no entry of Freshdesk's list {path} can be read", 0)
    return found


def with_members(client: Client, row: Row) -> Row | None:
    """The group with its `agent_ids`, which the list may leave out; without them where they are refused to us; None
    if it was deleted meanwhile."""
    if isinstance(row.get("agent_ids"), list):
        return row
    try:
        whole = client.get(f"/groups/{row['id']}").row()
    except NotAllowed:
        return row
    except HelpdeskError as error:
        if status_behind(error) != 404:
            raise
        return None
    return whole if ident(whole["id"]) == ident(row["id"]) else row


def group(row: Row) -> Group:
    """A row as a group; one without a name is called by its id."""
    name = row.get("name")
    return Group(id=str(row["id"]), name=name if isinstance(name, str) and name else str(row["id"]))


def agent(row: Row, groups: Iterable[Row]) -> Agent:
    """A row as an agent. One who never signed in, or is a collaborator, can be assigned as well: `contact.active` and
    `type` do not tell, and Freshdesk refuses whom it does not take. Without a contact only the id is known."""
    key = str(row["id"])
    told = members(row.get("group_ids"))
    own = [each for each in groups if key in members(each.get("agent_ids"))]
    own += [each for each in groups if str(each["id"]) in told and each not in own]
    found = row.get("contact")
    contact: Row = found if isinstance(found, dict) else {}
    name, address = contact.get("name"), contact.get("email")
    assigned = any(each.get("auto_ticket_assign") not in NO_AUTOMATIC for each in own)
    return Agent(
        person=Person(
            id=key,
            name=next((each for each in (name, address) if isinstance(each, str) and each), key),
            address=address if isinstance(address, str) and address else None,
        ),
        groups=frozenset(str(each["id"]) for each in own),
        active=row.get("deactivated") is not True,
        available=row["available"] if assigned and isinstance(row.get("available"), bool) else None,
    )


def members(ids: Any) -> frozenset[str]:
    """The ids of a list; none where there is no list."""
    return frozenset(key for each in ids if (key := ident(each))) if isinstance(ids, list) else frozenset()


def one_agent(client: Client, key: str, known: Directory) -> Agent | None:
    """The agent of that id, in those of the known groups that the agent names; None if there is none."""
    row = read_one(client, f"/agents/{key}")
    return agent(row, [{"id": each.id} for each in known.groups]) if row else None


def one_group(client: Client, key: str) -> Group | None:
    """The group of that id, None if there is none."""
    row = read_one(client, f"/groups/{key}")
    return group(row) if row else None


def read_one(client: Client, path: str) -> Row | None:
    """The thing at this path, which ends in its id; None if there is none."""
    try:
        row = client.get(path).row()
    except HelpdeskError as error:
        if status_behind(error) not in UNTOLD:
            raise
        return None
    return row if ident(row["id"]) == path.rpartition("/")[2] else None
