"""The directory, read through zenpy's objects on our own session.

How zenpy 2.0.57 has to be held: our session (which waits and repeats nothing), no cache (its cache never
expires), the base URL as `subdomain` and `domain` split at the first dot, the scheme set on every part of the
client. Attributes that name another object, such as `user.organization`, would each send a request.
"""

import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from requests import RequestException
from zenpy import Zenpy
from zenpy.lib.api import BaseApi
from zenpy.lib.exception import ZenpyException

from adapters.base import AccessLost, Account
from adapters.zendesk.people import STAFF, Cast, Row, Rows, by_id, ident, person
from adapters.zendesk.session import Session, legible
from policies.model import Agent, Directory, Group

logging.getLogger("zenpy").setLevel(logging.CRITICAL)  # it logs whole bodies, at debug and warning level

USER = ("id", "name", "email", "role", "tags", "active", "suspended", "organization_id", "default_group_id")
PARTS = ("id", "name", "tags")
BATCH = 100


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
        return plain(user, (*USER, "locale"))


def staff(account: Account, session: Session) -> Rows:
    """All agents and admins by id, suspended ones included."""
    with legible(ZenpyException, RequestException):
        users = client(account, session).users(role=sorted(STAFF, reverse=True))
        return by_id([plain(user, (*USER, "only_private_comments")) for user in users])


def custom_field_ids(account: Account, session: Session) -> frozenset[str]:
    """The ids of all ticket fields."""
    with legible(ZenpyException, RequestException):
        return frozenset(str(field.id) for field in client(account, session).ticket_fields())


def read(account: Account, session: Session) -> Directory:
    """Groups, agents and memberships. Zendesk tells here neither who is available nor who has how much."""
    with legible(ZenpyException, RequestException):
        zenpy = client(account, session)
        groups = [plain(group, ("id", "name", "deleted")) for group in zenpy.groups()]
        members = [plain(each, ("user_id", "group_id")) for each in zenpy.group_memberships()]
        people = staff(account, session)
        among = Cast(account=account, organizations=organizations(zenpy, people.values()))
    kept = [Group(id=str(row["id"]), name=row["name"]) for row in groups if not row["deleted"]]
    pairs = {(str(row["user_id"]), str(row["group_id"])) for row in members}
    return Directory(
        account=account.name,
        groups=tuple(sorted(kept, key=lambda group: group.name)),
        agents=tuple(agent(row, among, pairs, {group.id for group in kept}) for row in people.values()),
    )


def agent(row: Row, among: Cast, pairs: Iterable[tuple[str, str]], groups: set[str]) -> Agent:
    """A user row as an agent. A light agent can be nobody's assignee, so for assignment it is not active."""
    key = str(row["id"])
    usable = row["active"] is not False and not row["suspended"] and not row["only_private_comments"]
    return Agent(
        person=person(row, among),
        groups=frozenset(group for user, group in pairs if user == key and group in groups),
        default_group=ident(row["default_group_id"]),
        active=usable,
    )


def organizations(zenpy: Zenpy, people: Iterable[Row]) -> Rows:
    """The organizations that these people belong to, a hundred at a time."""
    ids = sorted({row["organization_id"] for row in people if row["organization_id"]})
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    found = [plain(each, PARTS) for batch in batches for each in zenpy.organizations(ids=batch)]
    return by_id(found)


def plain(thing: Any, names: Iterable[str]) -> Row:
    """These attributes of a zenpy object, None where Zendesk sent none. LookupError if it has no id."""
    if getattr(thing, "id", None) is None:
        raise LookupError(f"a {type(thing).__name__} without an id")
    return {name: getattr(thing, name, None) for name in names}
