"""Who is who: Freshdesk's rows carry ids; contacts, agents and groups are asked for beside them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.base import Account, HelpdeskError
from adapters.freshdesk.form import Form
from adapters.freshdesk.refusals import status
from adapters.freshdesk.session import Line, Row
from policies.model import Directory, Group, Person

UNTOLD = frozenset({403, 404})
LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


def ident(value: Any) -> str | None:
    """An id as text, None where there is none. Ids are longer than 32 bits."""
    return None if value is None or value == "" or isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asked. `known` is False where we know the id only."""

    person: Person | None = None
    language: str | None = None
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What one answer is read with: the form, the last directory, and the requester where one was asked for."""

    account: Account
    form: Form = field(default_factory=Form)
    directory: Directory | None = None
    requester: Requester | None = None

    def group(self, value: Any) -> Group | None:
        """The group of that id. One that nobody names is called by its id."""
        key = ident(value)
        if key is None:
            return None
        known = self.directory.groups if self.directory else ()
        return next((each for each in known if each.id == key), Group(id=key, name=key))

    def agent(self, value: Any) -> Person | None:
        """The agent of that id, called by it where the directory does not know them."""
        key = ident(value)
        return None if key is None else agent_of(self.directory, key) or Person(id=key, name=key)

    def asked(self, value: Any) -> Requester:
        """The requester: as asked for, else known by id only."""
        key = ident(value)
        if self.requester is not None or key is None:
            return self.requester or Requester()
        return Requester(person=Person(id=key, name=key), known=False)

    def lacks(self, row: Row) -> bool:
        """Whether the row's group or agent is one that the last directory does not name."""
        return not knows(self.directory, row)


def knows(directory: Directory | None, row: Row) -> bool:
    """Whether the directory names the row's group and agent."""
    group, agent = ident(row.get("group_id")), ident(row.get("responder_id"))
    groups = {each.id for each in directory.groups} if directory else set()
    return (group is None or group in groups) and (agent is None or agent_of(directory, agent) is not None)


def agent_of(directory: Directory | None, key: str) -> Person | None:
    """The agent of that id."""
    agents = directory.agents if directory else ()
    return next((each.person for each in agents if each.person.id == key), None)


def requester(line: Line, account: Account, row: Row, agent: Callable[[str], Person | None]) -> Requester:
    """Who asked, with one request. Where there is no such contact, an agent asked, whom `agent` knows."""
    key = ident(row.get("requester_id"))
    if key is None:
        return Requester()
    try:
        contact = line.get(f"/contacts/{key}").row()
    except HelpdeskError as error:
        if status(error) not in UNTOLD:
            raise
        known = agent(key)
        return Requester(person=known or Person(id=key, name=key), known=known is not None)
    return Requester(person=person(contact, account, row), language=language(contact.get("language")))


def person(contact: Row, account: Account, ticket: Row) -> Person:
    """A contact as a person. Freshdesk has no VIP flag: it is made of the contact's tags."""
    tags = frozenset(str(tag) for tag in contact.get("tags") or ())
    return Person(
        id=str(contact["id"]),
        name=str(contact.get("name") or contact["id"]),
        address=contact.get("email") or None,
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


def language(code: Any) -> str | None:
    """`pt` for `pt-BR`: policies and templates name languages without their region."""
    found = LANGUAGE.match(code) if isinstance(code, str) else None
    return found[0].lower() if found else None
