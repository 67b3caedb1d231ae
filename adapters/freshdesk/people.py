"""Who is who: Freshdesk's rows carry ids; contacts, agents and groups are asked for beside them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.base import Account, NotAllowed, TryLater
from adapters.freshdesk.form import Form
from adapters.freshdesk.refusals import status
from adapters.freshdesk.session import Line, Row
from policies.model import Directory, Group, Person, Seconds

A_MINUTE: Seconds = 60
"""A wait for one kind of path that is longer than Freshdesk's windows is not waited for where a ticket can do
without."""

LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


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
class Cast:
    """What one answer is read with: the form, the last directory, the ids that were asked for by themselves and that
    nobody bears (`agents/ID`, `groups/ID`), and the requester where one was asked for."""

    account: Account
    form: Form = field(default_factory=Form)
    directory: Directory | None = None
    nobody: frozenset[str] = frozenset()
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

    def names_group(self, value: Any) -> bool:
        """Whether all is known of this group that can be: its name, or that there is none."""
        key = ident(value)
        known = {each.id for each in self.directory.groups} if self.directory else set()
        return key is None or key in known or f"groups/{key}" in self.nobody

    def names_agent(self, value: Any) -> bool:
        """Whether all is known of this agent that can be: who it is, or that nobody is."""
        key = ident(value)
        return key is None or agent_of(self.directory, key) is not None or f"agents/{key}" in self.nobody


def agent_of(directory: Directory | None, key: str) -> Person | None:
    """The agent of that id."""
    agents = directory.agents if directory else ()
    return next((each.person for each in agents if each.person.id == key), None)


def requester(line: Line, account: Account, row: Row, agent: Callable[[str], Person | None]) -> Requester:
    """Who asked, with one request. Where there is no such contact, an agent asked, whom `agent` knows. Where the
    contact is refused, cannot be read, or would have to be waited for, the requester is known by id only."""
    key = ident(row.get("requester_id"))
    if key is None:
        return Requester()
    by_id = Requester(person=Person(id=key, name=key), known=False)
    try:
        contact = line.get(f"/contacts/{key}").body
    except NotAllowed:
        return by_id
    except TryLater as error:
        if status(error) == 404:
            known = agent(key)
            return Requester(person=known) if known else by_id
        if error.wait > A_MINUTE:
            return by_id
        raise
    told = person(contact, key, account, row)
    return Requester(person=told, language=language(contact.get("language"))) if told else by_id


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


def language(code: Any) -> str | None:
    """`pt` for `pt-BR`: policies and templates name languages without their region."""
    found = LANGUAGE.match(code) if isinstance(code, str) else None
    return found[0].lower() if found else None
