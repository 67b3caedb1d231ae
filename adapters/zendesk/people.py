"""Who is who in an answer: Zendesk sends ids in its rows and the people behind them beside the rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.base import Account
from adapters.zendesk.reading import Odd, Row, ident, named, text, texts
from policies.model import Directory, Group, Person, Who

Rows = Mapping[str, Row]

STAFF = frozenset({"agent", "admin"})
SYSTEM = "-1"
"""The author id of what Zendesk itself did."""
RULE = ("rule", 8)
"""The `via.channel` of triggers and automations, as a type and as a number.

https://developer.zendesk.com/documentation/ticketing/reference-guides/via-types
"""
NO_REPLY = (*RULE, "merge", 19, "automatic_solution_suggestions", 22)
"""Comments that came so are nobody's answer: what a rule sent, what a merge left, what an article bot proposed."""
AUTOMATIC = 4
"""The comment flag of what a mail program sent by itself.

https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/#comment-flags
"""
ABOUT_A_PERSON = {"name": "name", "email": "address", "organization_id": "organization", "tags": "tags"}
"""Keys of a user that Zendesk always sends, and what of a requester each one shows."""
ALL_OF_A_PERSON = frozenset({"name", "address", "organization", "tags", "vip"})


def by_id(rows: Any) -> Rows:
    """Side-loaded rows by their id; empty where Zendesk sent none. What has no id is nobody's."""
    found = rows if isinstance(rows, list) else []
    return {key: row for row in found if (key := named(row))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The people, groups and organizations one answer mentions, with the last directory to fall back on.

    `statuses` are the labels of custom statuses by id, None where they are not known.
    """

    account: Account
    users: Rows = field(default_factory=dict)
    groups: Rows = field(default_factory=dict)
    organizations: Rows = field(default_factory=dict)
    directory: Directory | None = None
    statuses: Mapping[str, str] | None = None

    def group(self, value: Any) -> Group | None:
        """The group of that id. One that nobody names is called by its id, and `names_group` says so."""
        key = ident(value)
        if key is None:
            return None
        if name := name_of(self.groups.get(key)):
            return Group(id=key, name=name)
        known = self.directory.groups if self.directory else ()
        return next((group for group in known if group.id == key), Group(id=key, name=key))

    def names_group(self, value: Any) -> bool:
        """Whether the name of the group of that id is known; also true of no group."""
        key = ident(value)
        known = self.directory.groups if self.directory else ()
        return key is None or bool(name_of(self.groups.get(key))) or any(each.id == key for each in known)

    def organization(self, value: Any) -> str | None:
        """The name of the organization of that id, else its id."""
        key = ident(value)
        return key and (name_of(self.organizations.get(key)) or key)

    def names_organization(self, value: Any) -> bool:
        """Whether the name of the organization of that id is known; also true of none."""
        key = ident(value)
        return key is None or bool(name_of(self.organizations.get(key)))

    def person(self, value: Any, *organizations: Any) -> Person | None:
        """The person of that id; `organizations` are more ids whose tags can make them a VIP."""
        key = ident(value)
        if key is None or key == SYSTEM:
            return None
        try:
            if key in self.users:
                return person(self.users[key], self, *organizations)
        except Odd:
            return Person(id=key, name=key)
        return self.agent(key) or Person(id=key, name=key)

    def agent(self, key: str) -> Person | None:
        """The person of that id in the last directory."""
        known = self.directory.agents if self.directory else ()
        return next((agent.person for agent in known if agent.person.id == key), None)

    def lacks(self, value: Any) -> bool:
        """Whether there is a person of that id of whom this answer tells nothing more."""
        key = ident(value)
        return key is not None and key != SYSTEM and key not in self.users

    def untold(self, value: Any) -> frozenset[str]:
        """What of the person of that id is not shown: `name`, `address`, `organization`, `tags`, `vip`."""
        key = ident(value)
        if key is None or key == SYSTEM:
            return frozenset()
        row = self.users.get(key)
        if row is None:
            return frozenset() if self.agent(key) else ALL_OF_A_PERSON
        try:
            person(row, self)
        except Odd:
            return ALL_OF_A_PERSON
        missing = {ours for theirs, ours in ABOUT_A_PERSON.items() if theirs not in row}
        if not self.names_organization(row.get("organization_id")):
            missing.add("organization")
        return frozenset(missing | ({"vip"} if "tags" in missing and self.account.vip else set()))

    def is_vip(self, tags: Iterable[str], *organizations: Any) -> bool:
        """Whether one of the account's `vip` tags is on the person or on one of these organizations."""
        keys = (ident(each) for each in organizations)
        rows = (self.organizations.get(key, {}) for key in keys if key)
        return bool(self.account.vip & {*tags, *(tag for row in rows for tag in texts(row, "tags"))})


def cast(
    account: Account,
    body: Mapping[str, Any],
    directory: Directory | None,
    *,
    statuses: Mapping[str, str] | None = None,
) -> Cast:
    """The cast of one answer, from `include=users,groups,organizations`."""
    return Cast(
        account=account,
        users=by_id(body.get("users")),
        groups=by_id(body.get("groups")),
        organizations=by_id(body.get("organizations")),
        directory=directory,
        statuses=statuses,
    )


def name_of(row: Row | None) -> str:
    """The name in a side-loaded row; empty where it tells none."""
    name = row.get("name") if row else None
    return name if isinstance(name, str) else ""


def person(row: Row, among: Cast, *organizations: Any) -> Person:
    """A user row as a person. Zendesk has no VIP flag: it is made of tags. Odd where the row is."""
    key = ident(row["id"]) or ""
    tags = frozenset(texts(row, "tags"))
    return Person(
        id=key,
        name=text(row, "name") or key,
        address=text(row, "email") or None,
        organization=among.organization(row.get("organization_id")),
        tags=tags,
        vip=among.is_vip(tags, row.get("organization_id"), *organizations),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """Tells who did a thing from its author and its `via` (rule 11).

    Triggers run inside the audit of whoever set them off, so a `via` of `rule` wins over the author. `role_of`
    tells the role of a user whom the answer does not show, None for one who does not exist.
    """

    bot: str
    users: Rows
    role_of: Callable[[str], str | None]

    def wrote(self, author: Any, via: Any) -> Who:
        """Who wrote a comment. An author who does not exist any more is taken for a customer."""
        return self._who(author, via, Who.CUSTOMER)

    def changed(self, author: Any, via: Any) -> Who:
        """Who changed a field. An author who does not exist any more is taken for an agent."""
        return self._who(author, via, Who.AGENT)

    def _who(self, author: Any, via: Any, nobody: Who) -> Who:
        key = ident(author)
        if channel_of(via) in RULE or key is None or key == SYSTEM:
            return Who.AUTOMATION
        if key == self.bot:
            return Who.BOT
        shown = self.users.get(key, {}).get("role")
        role = shown if isinstance(shown, str) else self.role_of(key)
        if role is None:
            return nobody
        return Who.AGENT if role in STAFF else Who.CUSTOMER


def channel_of(via: Any) -> Any:
    """The channel of a `via`, a word or a number; None where it says none."""
    channel = via.get("channel") if isinstance(via, dict) else None
    return channel if isinstance(channel, str | int) else None


def is_automatic(row: Row) -> bool:
    """Whether Zendesk marks a comment as sent by a rule, a merge or a mail program, so that it answers nobody."""
    metadata = row.get("metadata")
    flags = metadata.get("flags") if isinstance(metadata, dict) else None
    return channel_of(row.get("via")) in NO_REPLY or (isinstance(flags, list) and AUTOMATIC in flags)
