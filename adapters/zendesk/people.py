"""Who is who: people beside the rows, the directory through zenpy's objects, and what hardly changes, remembered.

How zenpy 2.0.57 has to be held: our session (which waits and repeats nothing), no cache (its cache never
expires), the base URL as `subdomain` and `domain` split at the first dot, the scheme set on every part of the
client. Attributes that name another object, such as `user.organization`, would each send a request.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from requests import RequestException
from zenpy import Zenpy
from zenpy.lib.api import BaseApi
from zenpy.lib.exception import ZenpyException

from adapters.base import AccessLost, Account, NotAllowed, TryLater
from adapters.http import UNSAID, legible, reading, status_behind
from adapters.zendesk.answers import Odd, Row, ident, key_of, named, text, texts
from adapters.zendesk.client import Client, Session
from policies.model import Agent, Directory, Group, Person, Who

Rows = Mapping[str, Row]

STAFF = frozenset({"agent", "admin"})
SYSTEM = "-1"
"""The author id of what Zendesk itself did."""
RULE = ("rule", "8")
"""The `via.channel` of triggers and automations, as a type and as a number.

https://developer.zendesk.com/documentation/ticketing/reference-guides/via-types
"""
NO_REPLY = (*RULE, "merge", "19", "automatic_solution_suggestions", "22")
"""Comments that came so are nobody's answer: what a rule sent, what a merge left, what an article bot proposed."""
AUTOMATIC = 4
"""The comment flag of what a mail program sent by itself.

https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/#comment-flags
"""
ABOUT_A_PERSON = {"name": "name", "email": "address", "organization_id": "organization", "tags": "tags"}
"""Keys of a user that Zendesk always sends, and what of a requester each one shows."""
ALL_OF_A_PERSON = frozenset({"name", "address", "organization", "tags", "vip"})
BESIDE_THE_DIRECTORY = ALL_OF_A_PERSON - {"name", "address"}
"""What of an agent the directory does not tell."""


def by_id(rows: Any) -> Rows:
    """Side-loaded rows by their id; empty where Zendesk sent none. What has no id is nobody's."""
    found = rows if isinstance(rows, list) else []
    return {key: row for row in found if (key := named(row))}


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """The people, groups and organizations one answer mentions, with the last directory to fall back on.

    `statuses` are the labels of custom statuses by id, None where they are not known and have to be. `metrics` are
    the metric sets that stand beside the tickets, by the ticket's id.
    """

    account: Account
    users: Rows = field(default_factory=dict)
    groups: Rows = field(default_factory=dict)
    organizations: Rows = field(default_factory=dict)
    directory: Directory | None = None
    statuses: Mapping[str, str] | None = field(default_factory=dict)
    metrics: Rows = field(default_factory=dict)

    def group(self, value: Any) -> tuple[Group | None, bool]:
        """The group of that id, and whether its name is known; also true of no group. One that nobody names is called
        by its id."""
        key = ident(value)
        if key is None:
            return None, True
        name = self.groups.get(key, {}).get("name")
        if isinstance(name, str) and name:
            return Group(id=key, name=name), True
        known = self.directory.groups if self.directory else ()
        found = next((group for group in known if group.id == key), None)
        return found or Group(id=key, name=key), found is not None

    def organization(self, value: Any) -> tuple[str | None, bool]:
        """The name of the organization of that id, else its id, and whether its name is known; also true of none."""
        key = ident(value)
        name = self.organizations.get(key or "", {}).get("name")
        return (name, True) if isinstance(name, str) and name else (key, key is None)

    def person(self, value: Any, *organizations: Any) -> tuple[Person | None, frozenset[str]]:
        """The person of that id, and what of them is not shown: `name`, `address`, `organization`, `tags`, `vip`.
        `organizations` are more ids whose tags can make them a VIP."""
        key = ident(value)
        if key is None or key == SYSTEM:
            return None, frozenset()
        row = self.users.get(key)
        if row is None:
            agent = self.agent(key)
            return agent or Person(id=key, name=key), BESIDE_THE_DIRECTORY if agent else ALL_OF_A_PERSON
        try:
            found = self.read_person(row, *organizations)
        except Odd:
            return Person(id=key, name=key), ALL_OF_A_PERSON
        missing = {ours for theirs, ours in ABOUT_A_PERSON.items() if theirs not in row}
        if not self.organization(row.get("organization_id"))[1]:
            missing.add("organization")
        return found, frozenset(missing | ({"vip"} if "tags" in missing and self.account.vip else set()))

    def agent(self, key: str) -> Person | None:
        """The person of that id in the last directory."""
        known = self.directory.agents if self.directory else ()
        return next((agent.person for agent in known if agent.person.id == key), None)

    def read_person(self, row: Row, *organizations: Any) -> Person:
        """A user row as a person. Zendesk has no VIP flag: one of the account's `vip` tags on the person or on one of
        their organizations makes one. Odd where the row is."""
        key, tags = ident(row["id"]) or "", frozenset(texts(row, "tags"))
        places = [ident(each) for each in (row.get("organization_id"), *organizations)]
        around = (self.organizations.get(place, {}) for place in places if place)
        return Person(
            id=key,
            name=text(row, "name") or key,
            address=text(row, "email") or None,
            organization=self.organization(row.get("organization_id"))[0],
            tags=tags,
            vip=bool(self.account.vip & tags.union(*(texts(each, "tags") for each in around))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorClassifier:
    """Tells who did a thing from its author and its `via` (rule 11).

    Triggers run inside the audit of whoever set them off, so a `via` of `rule` wins over the author. `role_of`
    tells the role of a user whom the answer does not show, None for one who does not exist. One who does not exist any
    more is taken for a customer who wrote a comment, or for an agent who changed a field.
    """

    bot: str
    users: Rows
    role_of: Callable[[str], str | None]

    def classify(self, author: Any, via: Any, otherwise: Who) -> Who:
        """Who did it; `otherwise` where the author does not exist any more."""
        key = ident(author)
        if channel_of(via) in RULE or key is None or key == SYSTEM:
            return Who.AUTOMATION
        if key == self.bot:
            return Who.BOT
        shown = self.users.get(key, {}).get("role")
        role = shown if isinstance(shown, str) else self.role_of(key)
        if role is None:
            return otherwise
        return Who.AGENT if role in STAFF else Who.CUSTOMER


def channel_of(via: Any) -> str | None:
    """The channel of a `via`, a word or a number; None where it says none."""
    channel = via.get("channel") if isinstance(via, dict) else None
    return str(channel) if isinstance(channel, str | int) else None


def is_automatic(row: Row) -> bool:
    """Whether Zendesk marks a comment as sent by a rule, a merge or a mail program, so that it answers nobody."""
    metadata = row.get("metadata")
    flags = metadata.get("flags") if isinstance(metadata, dict) else None
    return channel_of(row.get("via")) in NO_REPLY or (isinstance(flags, list) and AUTOMATIC in flags)


class IdentityCache:
    """Who we are, people met beside the rows, labels of custom statuses and values of fields: what hardly changes of
    one account, asked for once. Any thread may ask."""

    def __init__(self, client: Client, read_fields: Callable[[], list[Row]]) -> None:
        self._client = client
        self._read_fields = read_fields
        self._fields: list[Row] | None = None
        self._just_asked = False
        self._bot: str | None = None
        self._met: dict[str, Row | None] = {}
        self._statuses: Mapping[str, str] | None = None
        self._targets: bool | None = None
        self.directory: Directory | None = None
        self.choices: Mapping[str, tuple[str, ...]] = {}

    def refresh(self, directory: Directory) -> None:
        """Take a directory that was just read, and read the values that fields take, unless that was just done; people
        and labels are asked for anew when they are met again. Where Zendesk does not tell the values now, they are as
        they were: the directory is good without them."""
        self._met = {}
        self._statuses = self._targets = None
        self.directory = directory
        if not self._just_asked:
            with suppress(NotAllowed, TryLater):
                self.ask_fields()
        self._just_asked = False

    def ask_fields(self) -> list[Row]:
        """All ticket fields, asked for now; the values that they take are known from then on."""
        self._fields = self._read_fields()
        self.choices = choices(self._fields) or self.choices
        self._just_asked = True
        return self._fields

    def known_fields(self) -> list[Row]:
        """All ticket fields as last read, or else now."""
        return self.ask_fields() if self._fields is None else self._fields

    def is_bot(self, user: Row) -> None:
        """Take the user behind our credentials, who was just asked for."""
        self._bot = str(user["id"])

    def bot(self) -> str:
        """The id of the user behind our credentials."""
        if self._bot is None:
            self._bot = str(me(self._client)["id"])
        return self._bot

    def person(self, key: str) -> Row | None:
        """The user of that id, asked for by itself and once; None where there is no such user. Raises NotAllowed where
        people are not shown to us."""
        met = self._met
        if key not in met:
            try:
                row = self._client.get(f"/users/{key}").body.get("user")
            except NotAllowed as error:
                if status_behind(error) != MISSING:
                    raise
                met[key] = None
                return None
            if not isinstance(row, dict):
                raise NotAllowed(f"Zendesk's answer to the user {key} does not hold one")
            met[key] = row
        return met[key]

    def role_of(self, key: str) -> str | None:
        """The role of a user, None where there is no such user. Raises NotAllowed."""
        known = self.directory.agents if self.directory else ()
        if any(agent.person.id == key for agent in known):
            return "agent"
        role = (self.person(key) or {}).get("role")
        return role if isinstance(role, str) else None

    def statuses(self) -> Mapping[str, str] | None:
        """The labels of custom statuses by id; None where Zendesk has none or does not show them to us."""
        if self._statuses is None:
            try:
                rows = self._client.get("/custom_statuses").rows("custom_statuses")
            except NotAllowed:
                return None
            found = {}
            for row in rows:
                with suppress(Odd):  # a status without a label cannot be named in the config either
                    found[key_of(row)] = text(row, "agent_label")
            self._statuses = found
        return self._statuses

    def has_targets(self) -> bool:
        """Whether this account has SLA policies, so that a ticket without any word of its targets hides them. A plan
        without them refuses to say."""
        if self._targets is None:
            try:
                self._targets = bool(self._client.get("/slas/policies").rows("sla_policies"))
            except NotAllowed:
                self._targets = False
        return self._targets


USER = ("id", "name", "email", "role", "tags", "active", "suspended", "organization_id", "default_group_id")
NOBODY: Row = {"name": None, "email": None, "role": None, "tags": [], "organization_id": None, "locale": None}
"""What is known of a person whom Zendesk no longer has: that there is nothing to know."""
PARTS = ("id", "name", "tags")
OPTIONS = ("custom_field_options", "system_field_options")
FIELD = ("id", "type", "title", "active", *OPTIONS)
BATCH = 100
MISSING = 404


def make_zenpy(account: Account, session: Session) -> Zenpy:
    """A zenpy client on this session. zenpy keeps state between calls, so it is made for one use."""
    logging.getLogger("zenpy").setLevel(logging.CRITICAL)  # it logs whole bodies, at debug and warning level
    url = urlsplit(account.url)
    subdomain, _, domain = url.netloc.partition(".")
    made = Zenpy(
        subdomain=subdomain, domain=domain, session=session, disable_cache=True, timeout=account.timeout
    )
    for part in vars(made).values():
        if isinstance(part, BaseApi):
            part.protocol = url.scheme
    return made


def me(client: Client) -> Row:
    """The user that our credentials stand for. Zendesk greets bad ones as an anonymous user with a 200."""
    row = client.get("/users/me").body.get("user")
    if isinstance(row, dict) and row.get("id") is None:
        raise AccessLost("Zendesk takes us for an anonymous user. Check the token of this account")
    if not isinstance(row, dict) or not named(row):
        raise TryLater("Zendesk's answer to who we are does not hold a user", UNSAID)
    return {**dict.fromkeys((*USER, "locale")), **row}


def staff(account: Account, session: Session) -> Rows:
    """All agents and admins by id, suspended ones included. A row that cannot be read is nobody."""
    users = make_zenpy(account, session).users(role=sorted(STAFF, reverse=True))
    return by_id(readable(users, (*USER, "only_private_comments")))


def ticket_fields(account: Account, session: Session) -> list[Row]:
    """All ticket fields, custom ones and the system's own, as far as they can be read."""
    with reading("Zendesk", ZenpyException, RequestException):
        return readable(make_zenpy(account, session).ticket_fields(), FIELD)


def choices(fields: Iterable[Row]) -> Mapping[str, tuple[str, ...]]:
    """The values that fields take, by the field's id, and `priority`."""
    told = [(row, values) for row in fields if (values := values_of(row))]
    return {str(row["id"]): values for row, values in told} | {
        str(row["type"]): values for row, values in told if row["type"] == "priority"
    }


def values_of(field: Row) -> tuple[str, ...]:
    """The values of a drop-down, a multi-select or a system field; none where anything can be entered."""
    options = [each for key in OPTIONS for each in listed(field.get(key))]
    return tuple(
        each["value"] for each in options if isinstance(each, Mapping) and isinstance(each.get("value"), str)
    )


def listed(value: Any) -> list[Any]:
    """A list as it came; empty for anything else. zenpy makes objects out of what it knows by name."""
    entries = list(value) if isinstance(value, list) else []
    return [
        each if isinstance(each, Mapping) else vars(each) if hasattr(each, "__dict__") else each
        for each in entries
    ]


def read_directory(account: Account, session: Session) -> Directory:
    """Groups, agents and memberships; rows that cannot be read are left out, and a list in which none can is no empty
    one. Zendesk tells here neither who is available nor who has how much."""
    with reading("Zendesk", ZenpyException, RequestException):
        zenpy = make_zenpy(account, session)
        groups = readable(zenpy.groups(), ("id", "name", "deleted"))
        members = readable(zenpy.group_memberships(), ("id", "user_id", "group_id"))
        people = staff(account, session)
        among = References(account=account, organizations=organizations(zenpy, people.values()))
    kept = [
        Group(id=key_of(row), name=row["name"])
        for row in groups
        if not row["deleted"] and is_name(row["name"])
    ]
    pairs = frozenset(pair for row in members for pair in pairs_of(row))
    return Directory(
        account=account.name,
        groups=tuple(sorted(kept, key=lambda group: group.name)),
        agents=tuple(agents(people.values(), among, pairs, {group.id for group in kept})),
    )


def is_name(value: Any) -> bool:
    """Whether a policy could name it."""
    return isinstance(value, str) and value != ""


def pairs_of(row: Row) -> Iterator[tuple[str, str]]:
    """The user and the group of a membership, if it tells both."""
    try:
        user, group = ident(row["user_id"]), ident(row["group_id"])
    except Odd:
        return
    if user and group:
        yield user, group


def agents(
    rows: Iterable[Row], among: References, pairs: Iterable[tuple[str, str]], groups: set[str]
) -> Iterator[Agent]:
    """User rows as agents. A light agent can be nobody's assignee, so for assignment it is not active; neither is one
    of whom Zendesk does not say that they are."""
    members: dict[str, set[str]] = {}
    for user, group in pairs:
        members.setdefault(user, set()).add(group)
    for row in rows:
        try:
            yield Agent(
                person=among.read_person(row),
                groups=frozenset(members.get(key_of(row), set()) & groups),
                default_group=ident(row["default_group_id"]),
                active=(row["active"], row["suspended"], row["only_private_comments"])
                == (True, False, False),
            )
        except Odd:
            continue


def organizations(zenpy: Zenpy, people: Iterable[Row]) -> Rows:
    """The organizations that these people belong to, a hundred at a time; none where they are not shown to us."""
    ids = sorted({number for row in people if isinstance(number := row["organization_id"], int) and number})
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    try:
        return by_id([row for batch in batches for row in readable(zenpy.organizations(ids=batch), PARTS)])
    except NotAllowed:
        return {}


def readable(things: Iterable[Any], names: Iterable[str]) -> list[Row]:
    """The rows of a list that have an id. Where there are rows and none of them has, the list cannot be read, and is
    no empty one: TryLater."""
    met = list(things)
    found = [row for thing in met if named(row := plain(thing, names))]
    if met and not found:
        raise TryLater("Zendesk's answer cannot be read: no row of a list has an id", UNSAID)
    return found


def plain(thing: Any, names: Iterable[str]) -> Row:
    """These attributes of a zenpy object, None where Zendesk sent none, with clean texts."""
    return {name: legible(getattr(thing, name, None)) for name in names}
