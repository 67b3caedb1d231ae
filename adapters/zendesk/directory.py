"""The directory, read through zenpy's objects on our own session.

How zenpy 2.0.57 has to be held: our session (which waits and repeats nothing), no cache (its cache never
expires), the base URL as `subdomain` and `domain` split at the first dot, the scheme set on every part of the
client. Attributes that name another object, such as `user.organization`, would each send a request.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from requests import RequestException
from zenpy import Zenpy
from zenpy.lib.api import BaseApi
from zenpy.lib.exception import ZenpyException

from adapters.answers import legible as fit
from adapters.base import AccessLost, Account, NotAllowed, TryLater
from adapters.zendesk.people import STAFF, Cast, Rows, by_id, person
from adapters.zendesk.reading import Odd, Row, ident, key_of, named, text
from adapters.zendesk.refusals import UNSAID, status
from adapters.zendesk.session import Line, Session, legible
from policies.model import Agent, Directory, Group

logging.getLogger("zenpy").setLevel(logging.CRITICAL)  # it logs whole bodies, at debug and warning level

USER = ("id", "name", "email", "role", "tags", "active", "suspended", "organization_id", "default_group_id")
NOBODY: Row = {"name": None, "email": None, "role": None, "tags": [], "organization_id": None, "locale": None}
"""What is known of a person whom Zendesk no longer has: that there is nothing to know."""
PARTS = ("id", "name", "tags")
OPTIONS = ("custom_field_options", "system_field_options")
FIELD = ("id", "type", "title", "active", *OPTIONS)
BATCH = 100
MISSING = 404


def client(account: Account, session: Session) -> Zenpy:
    """A zenpy client on this session. zenpy keeps state between calls, so it is made for one use."""
    url = urlsplit(account.url)
    subdomain, _, domain = url.netloc.partition(".")
    made = Zenpy(
        subdomain=subdomain, domain=domain, session=session, disable_cache=True, timeout=account.timeout
    )
    for part in vars(made).values():
        if isinstance(part, BaseApi):
            part.protocol = url.scheme
    return made


def me(account: Account, session: Session) -> Row:
    """The user that our credentials stand for. Zendesk greets bad ones as an anonymous user with a 200."""
    with legible(ZenpyException, RequestException):
        user = client(account, session).users.me()
        if user.id is None:
            raise AccessLost("Zendesk takes us for an anonymous user. Check the token of this account")
        found = plain(user, (*USER, "locale"))
        key_of(found)
        return found


def one_person(line: Line, key: str) -> Row | None:
    """The user of that id; None where there is none. Raises NotAllowed where people are not shown to us."""
    try:
        row = line.get(f"/users/{key}").body.get("user")
    except NotAllowed as error:
        if status(error) == MISSING:
            return None
        raise
    if not isinstance(row, dict):
        raise NotAllowed(f"Zendesk's answer to the user {key} does not hold one")
    return row


def status_labels(line: Line) -> Mapping[str, str]:
    """The labels of the account's own statuses by their ids. Raises NotAllowed where it has none or shows none."""
    found = {}
    for row in line.get("/custom_statuses").rows("custom_statuses"):
        try:
            found[key_of(row)] = text(row, "agent_label")
        except Odd:  # a status without a label cannot be named in the config either
            continue
    return found


def has_targets(line: Line) -> bool:
    """Whether the account has SLA policies. Raises NotAllowed on a plan without them."""
    return bool(line.get("/slas/policies").rows("sla_policies"))


def staff(account: Account, session: Session) -> Rows:
    """All agents and admins by id, suspended ones included. A row that cannot be read is nobody."""
    users = client(account, session).users(role=sorted(STAFF, reverse=True))
    return by_id(readable(users, (*USER, "only_private_comments")))


def ticket_fields(account: Account, session: Session) -> list[Row]:
    """All ticket fields, custom ones and the system's own, as far as they can be read."""
    with legible(ZenpyException, RequestException):
        return readable(client(account, session).ticket_fields(), FIELD)


def choices(account: Account, session: Session) -> Mapping[str, tuple[str, ...]]:
    """The values that fields take, by the field's id, and `priority`; empty where Zendesk does not tell them now:
    the directory is good without them."""
    try:
        fields = ticket_fields(account, session)
    except (NotAllowed, TryLater):
        return {}
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


def read(account: Account, session: Session) -> Directory:
    """Groups, agents and memberships; rows that cannot be read are left out, and a list in which none can is no empty
    one. Zendesk tells here neither who is available nor who has how much."""
    with legible(ZenpyException, RequestException):
        zenpy = client(account, session)
        groups = readable(zenpy.groups(), ("id", "name", "deleted"))
        members = readable(zenpy.group_memberships(), ("id", "user_id", "group_id"))
        people = staff(account, session)
        among = Cast(account=account, organizations=organizations(zenpy, people.values()))
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
    rows: Iterable[Row], among: Cast, pairs: Iterable[tuple[str, str]], groups: set[str]
) -> Iterator[Agent]:
    """User rows as agents. A light agent can be nobody's assignee, so for assignment it is not active; neither is one
    of whom Zendesk does not say that they are."""
    members: dict[str, set[str]] = {}
    for user, group in pairs:
        members.setdefault(user, set()).add(group)
    for row in rows:
        try:
            yield Agent(
                person=person(row, among),
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
    return {name: fit(getattr(thing, name, None)) for name in names}
