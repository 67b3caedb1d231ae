"""Who is who in an answer: Zendesk sends ids in its rows and the people behind them beside the rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.base import Account
from policies.model import Directory, Group, Person, Who

Row = Mapping[str, Any]
Rows = Mapping[str, Row]

STAFF = frozenset({"agent", "admin"})
SYSTEM = "-1"
"""The author id of what Zendesk itself did."""


def ident(value: Any) -> str | None:
    """An id as text. Zendesk writes none as null, and in events and audits also as an empty text or a 0."""
    return None if value in (None, "", "0", 0) else str(value)


def by_id(rows: Any) -> Rows:
    """Side-loaded rows by their id; empty where Zendesk sent none."""
    found = rows if isinstance(rows, list) else []
    return {str(row["id"]): row for row in found if isinstance(row, dict) and row.get("id") is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The people, groups and organizations one answer mentions, with the last directory to fall back on."""

    account: Account
    users: Rows = field(default_factory=dict)
    groups: Rows = field(default_factory=dict)
    organizations: Rows = field(default_factory=dict)
    directory: Directory | None = None

    def group(self, value: Any) -> Group | None:
        """The group of that id. One that nobody names is called by its id."""
        key = ident(value)
        if key is None:
            return None
        if key in self.groups:
            return Group(id=key, name=str(self.groups[key].get("name") or key))
        known = self.directory.groups if self.directory else ()
        return next((group for group in known if group.id == key), Group(id=key, name=key))

    def organization(self, value: Any) -> str | None:
        """The name of the organization of that id, else its id."""
        key = ident(value)
        return key and str(self.organizations.get(key, {}).get("name") or key)

    def person(self, value: Any, *organizations: Any) -> Person | None:
        """The person of that id; `organizations` are more ids whose tags can make them a VIP."""
        key = ident(value)
        if key is None or key == SYSTEM:
            return None
        if key in self.users:
            return person(self.users[key], self, *organizations)
        known = self.directory.agents if self.directory else ()
        return next((agent.person for agent in known if agent.person.id == key), Person(id=key, name=key))

    def lacks(self, value: Any) -> bool:
        """Whether there is a person of that id of whom this answer tells nothing more."""
        key = ident(value)
        return key is not None and key != SYSTEM and key not in self.users

    def is_vip(self, tags: Iterable[str], *organizations: Any) -> bool:
        """Whether one of the account's `vip` tags is on the person or on one of these organizations."""
        keys = (ident(each) for each in organizations)
        rows = (self.organizations.get(key, {}) for key in keys if key)
        return bool(self.account.vip & {*tags, *(tag for row in rows for tag in row.get("tags") or ())})


def cast(account: Account, body: Mapping[str, Any], directory: Directory | None) -> Cast:
    """The cast of one answer, from `include=users,groups,organizations`."""
    return Cast(
        account=account,
        users=by_id(body.get("users")),
        groups=by_id(body.get("groups")),
        organizations=by_id(body.get("organizations")),
        directory=directory,
    )


def person(row: Row, among: Cast, *organizations: Any) -> Person:
    """A user row as a person. Zendesk has no VIP flag: it is made of tags."""
    key = str(row["id"])
    tags = frozenset(str(tag) for tag in row.get("tags") or ())
    return Person(
        id=key,
        name=str(row.get("name") or key),
        address=row.get("email") or None,
        organization=among.organization(row.get("organization_id")),
        tags=tags,
        vip=among.is_vip(tags, row.get("organization_id"), *organizations),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """Tells who did a thing from its author and its `via` (rule 11).

    Triggers run inside the audit of whoever set them off, so a `via` of `rule` wins over the author.
    """

    bot: str
    users: Rows
    is_staff: Callable[[str], bool]

    def wrote(self, author: Any, via: Any) -> Who:
        """Who wrote a comment. An author in no list is a customer unless the staff list has them."""
        return self._who(author, via) or (Who.AGENT if self.is_staff(str(author)) else Who.CUSTOMER)

    def changed(self, author: Any, via: Any) -> Who:
        """Who changed a field. An author in no list is an agent: customers change no fields by themselves."""
        return self._who(author, via) or Who.AGENT

    def _who(self, author: Any, via: Any) -> Who | None:
        """The kind of author where the answer itself tells."""
        key = ident(author)
        if by_rule(via) or key is None or key == SYSTEM:
            return Who.AUTOMATION
        if key == self.bot:
            return Who.BOT
        role = self.users.get(key, {}).get("role")
        if role is None:
            return None
        return Who.AGENT if role in STAFF else Who.CUSTOMER


def by_rule(via: Any) -> bool:
    """Whether a trigger or an automation did it."""
    return isinstance(via, dict) and via.get("channel") == "rule"
