"""Who is who: groups, members, who is on call and who did a thing; what hardly changes is remembered.

Who can be assigned is who is in a group: roles are seldom readable. Vendor sheet 2.4 and 2.9.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from adapters.base import AccessLost, Account, HelpdeskError, NotAllowed, TryLater
from adapters.http import UNSAID, status_behind
from adapters.servicenow.answers import (
    LONGEST_NAME,
    OddValue,
    Row,
    label,
    number,
    raw,
    text,
    truth,
)
from adapters.servicenow.client import LONG, Client, legible, sys_id
from adapters.servicenow.profile import (
    DEFAULT,
    LOOKUP,
    WHO_AM_I,
    Matrix,
    Profile,
    batches,
    equals,
    folded,
    is_safe,
    term,
)
from adapters.servicenow.profile import read as read_matrix
from policies.model import Agent, Directory, Group, Instant, Person, Seconds, Who

SYSTEM = frozenset({"", "system", "glide.maint"})
GUEST = "guest"
PERSON = {"email": "address", "vip": "vip", "company": "organization"}
"""What is asked of a person beside the name, by walking through the reference, and what policies call it."""

CONSUMER = {"email": "address"}
"""A consumer of Customer Service Management is no user and has no more than that."""


def person(row: Row, column: str) -> Person | None:
    """The person a reference column names, with what was walked to."""
    key = text(row, column)
    if not key:
        return None
    return Person(
        id=key,
        name=label(row, column) or key,
        address=text(row, f"{column}.email") or None,
        organization=label(row, f"{column}.company") or None,
        vip=truth(row, f"{column}.vip") is True,
    )


def group(row: Row, column: str) -> Group | None:
    """The group a reference column names."""
    key = text(row, column)
    return Group(id=key, name=label(row, column) or key) if key else None


def parts_of(column: str) -> Mapping[str, str]:
    """What is asked of the person in that column."""
    return CONSUMER if column == "consumer" else PERSON


def requester_column(profile: Profile, row: Row) -> str | None:
    """The column that says whose wish this record is; None where nobody's."""
    return next((column for column in profile.requesters if text(row, column)), None)


def hidden_of_requester(profile: Profile, row: Row) -> frozenset[str]:
    """What cannot be told of whoever wishes it, by common name: somebody may stand in a column that is not shown.
    Walking through a reference that is empty gives no column either, and that hides nobody."""
    column = requester_column(profile, row)
    if column is None:
        walked = {name: name.rpartition(".")[0] for name in profile.requesters}
        absent = [
            name for name, through in walked.items() if raw(row, name) is None and raw(row, through) != ""
        ]
        return frozenset(
            {"requester", *(f"requester.{part}" for part in ("name", *PERSON.values()))} if absent else ()
        )
    parts = parts_of(column).items()
    return frozenset(f"requester.{name}" for part, name in parts if raw(row, f"{column}.{part}") is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorClassifier:
    """Tells who did a thing from the user name that ServiceNow stamps on it (rule 11).

    Rules run as whoever set them off, so what a rule did inside a person's update is that person's here. The
    audit may give a full name instead, so `bot` are both of ours. `users` are sys_ids by user name. The platform
    acts as `system`, and as `guest` where nobody signed in.
    """

    bot: frozenset[str]
    requester: str | None
    users: Mapping[str, str]
    is_staff: Callable[[str], bool]

    def wrote(self, user: str, *, public: bool) -> Who:
        """Who wrote a journal entry. Work notes are for staff alone; a comment by a guest came from outside."""
        if user in self.bot:
            return Who.BOT
        if user in SYSTEM:
            return Who.AUTOMATION
        if not public:
            return Who.AGENT
        return Who.CUSTOMER if user == GUEST else self._person(user)

    def changed(self, user: str) -> Who:
        """Who changed a column. Nobody from outside does so but the requester."""
        if user in self.bot:
            return Who.BOT
        if user in SYSTEM or user == GUEST:
            return Who.AUTOMATION
        return self._person(user) if self.person(user) == self.requester else Who.AGENT

    def person(self, user: str) -> str | None:
        """The sys_id of a user, the name itself where there is none; None for the platform."""
        return None if user in SYSTEM or user == GUEST else self.users.get(user, user)

    def _person(self, user: str) -> Who:
        return Who.AGENT if self.is_staff(self.users.get(user, user)) else Who.CUSTOMER


KEPT: Seconds = 3600
"""How long it is believed who is staff and whose name is whose."""


class IdentityCache:
    """Answers asked once and remembered. A lock is held while one is asked for.

    Who is staff is read whole at most once an hour, by ServiceNow's own clock; of somebody who was not among
    them it is asked once in that time whether they are by now.
    """

    def __init__(self, profile: Profile, client: Client) -> None:
        self._profile = profile
        self._client = client
        self._lock = threading.RLock()
        self._self: Row | None = None
        self._members: dict[str, bool] = {}
        self._members_at: Instant | None = None
        self._ids: dict[str, str | None] = {}
        self._ids_at: Instant = 0
        self._matrix: Matrix | None = None

    def bot(self) -> str:
        """The user name behind our credentials, as far as it is stamped on what we write."""
        found = text(self._row(), "user_name")
        if not found:
            raise AccessLost(
                "ServiceNow does not show us our own user_name. Let Uptier's user read it in sys_user"
            )
        return found[:LONGEST_NAME]

    def names(self) -> frozenset[str]:
        """What that user is called where something is stamped with its author."""
        row = self._row()
        return frozenset({self.bot(), text(row, "user_name"), text(row, "name")} - {""})

    def _row(self) -> Row:
        with self._lock:
            if self._self is None:
                self._self = me(self._profile.account, self._client)
            return self._self

    def is_staff(self, user: str) -> bool:
        """Whether a user is in any group."""
        with self._lock:
            if self._members_at is None or self._client.now - self._members_at > KEPT:
                self._members = dict.fromkeys(staff(self._client), True)
                self._members_at = self._client.now
            elif user not in self._members:
                self._members[user] = is_member(self._client, user)
            return self._members.setdefault(user, False)

    def ids(self, names: Iterable[str]) -> Mapping[str, str]:
        """The sys_ids of users by user name; a name that nobody has is left out."""
        with self._lock:
            if self._client.now - self._ids_at > KEPT:
                self._ids, self._ids_at = {}, self._client.now
            asked = set(names)
            new = asked - self._ids.keys()
            if new:
                self._ids |= dict.fromkeys(new) | dict(users(self._client, sorted(new)))
            return {name: key for name in asked if (key := self._ids[name])}

    def matrix(self) -> Matrix:
        """The priority of each impact and urgency."""
        with self._lock:
            if self._matrix is None:
                self._matrix = matrix(self._profile, self._client)
            return self._matrix


MEMBERS = "sys_user_grmember"
USER = ("user_name", "name", "email", "time_zone", "locked_out", "active")
MEMBER = (
    "group", "user", "user.name", "user.email", "user.vip", "user.active", "user.locked_out",
)  # fmt: skip
NOT_THERE = frozenset({400, 403, 404})
ON_CALL = "/on_call_rota/whoisoncall"


def me(account: Account, client: Client) -> Row:
    """The user that our credentials stand for: by name where we know it, else as the instance says."""
    name = str(account.auth.get("user") or "")
    query = equals("user_name", name) if is_safe(name) else WHO_AM_I
    try:
        rows = client.listed("sys_user", query, ("sys_id", *USER), limit=2).rows()
    except NotAllowed as error:
        raise AccessLost(str(error)) from error
    if name and len(rows) > 1:  # a database without accents takes others for us
        rows = [row for row in rows if text(row, "user_name").casefold() == name.casefold()]
    if len(rows) != 1:
        raise AccessLost(
            f"ServiceNow shows {len(rows)} users where it should show us ourselves. Let Uptier's user read sys_user"
        )
    return rows[0]


def users(client: Client, names: Iterable[str]) -> dict[str, str]:
    """The sys_ids of users by user name, as it was asked for; ServiceNow compares without case. A name as long as a
    stamp keeps may be the beginning of a longer one: it is that user's if it is no other's."""
    found: dict[str, str] = {}
    for batch in batches(names):
        rows = client.every("sys_user", {"user_name": batch}, ("user_name",)).rows
        by_name = {text(row, "user_name").casefold(): sys_id(row) for row in rows}
        found |= {name: by_name[name.casefold()] for name in batch if name.casefold() in by_name}
        for name in batch:
            if len(name) == LONGEST_NAME and name not in found:
                query = f"user_nameSTARTSWITH{term(name)}"
                longer = client.listed("sys_user", query, ("sys_id", "user_name"), limit=2).rows()
                if len(longer) == 1 and folded(text(longer[0], "user_name")).startswith(folded(name)):
                    found[name] = sys_id(longer[0])
    return found


def staff(client: Client) -> frozenset[str]:
    """Everybody who is in a group."""
    return frozenset(
        text(row, "user") for row in client.every(MEMBERS, {}, ("user",)).rows if is_text(row, "user")
    )


def is_member(client: Client, user: str) -> bool:
    """Whether one user is in any group."""
    if not is_safe(user):
        return False
    rows = client.listed(MEMBERS, equals("user", user), ("sys_id", "user"), limit=1).rows()
    return any(is_text(row, "user") and text(row, "user") == user for row in rows)


def is_text(row: Row, column: str) -> bool:
    """Whether a column can be read and holds something."""
    try:
        return bool(text(row, column))
    except OddValue:
        return False


def matrix(profile: Profile, client: Client) -> Matrix:
    """The configured matrix, else the instance's lookup, else the one ServiceNow ships. A column that the
    lookup does not have by that name is not a reason to stop."""
    if profile.matrix is not None:
        return profile.matrix
    try:
        return read_matrix(client.every(LOOKUP, {}, ("impact", "urgency", "priority")).rows)
    except NotAllowed:
        return DEFAULT


def read_directory(profile: Profile, client: Client, rota: "Rota") -> Directory:
    """Groups, agents and who is on call. ServiceNow tells neither who is available nor who has how much. A row that
    cannot be read is nobody's; if none can, nothing is known: TryLater."""
    rows = client.every("sys_user_group", {"active": ["true"]}, ("name",)).rows
    members = client.every(MEMBERS, {}, MEMBER).rows
    with legible():
        groups = named(rows)
        agents = tuple(agents_of(members, {group.id for group in groups}))
    if (rows and not groups) or (members and not agents):
        raise TryLater("none of the rows of groups or members can be read", UNSAID)
    labels = {agent.person.id: agent.person.label for agent in agents}
    calls = rota.on_call(groups)
    return Directory(
        account=profile.account.name,
        groups=groups,
        agents=agents,
        on_call={group.name: labels[calls[group.id]] for group in groups if calls.get(group.id) in labels},
    )


def named(rows: Iterable[Row]) -> tuple[Group, ...]:
    """The groups by name. Where two have the same, both are called by name and id: neither is the one meant."""
    listed = [(sys_id(row), text(row, "name").strip()) for row in rows if is_text(row, "name")]
    often = Counter(name for _, name in listed)
    groups = [Group(id=key, name=f"{name} ({key})" if often[name] > 1 else name) for key, name in listed]
    return tuple(sorted(groups, key=lambda group: group.name))


def agents_of(members: Iterable[Row], groups: set[str]) -> Iterator[Agent]:
    """The people in these rows of memberships. Who is inactive or locked out cannot be assigned."""
    by_user: dict[str, list[Row]] = {}
    for row in members:
        if readable(row) and text(row, "user"):
            by_user.setdefault(text(row, "user"), []).append(row)
    for key, rows in by_user.items():
        row = rows[0]
        yield Agent(
            person=Person(
                id=key,
                name=text(row, "user.name") or label(row, "user"),
                address=text(row, "user.email") or None,
                vip=truth(row, "user.vip") is True,
            ),
            groups=frozenset(text(each, "group") for each in rows) & groups,
            active=truth(row, "user.active") is not False and truth(row, "user.locked_out") is not True,
        )


def readable(row: Row) -> bool:
    """Whether every column of a membership can be read."""
    try:
        return all(raw(row, column) is None or label(row, column) is not None for column in MEMBER)
    except OddValue:
        return False


class Rota:
    """Who is on call, as far as it was last told."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._told: Mapping[str, str] = {}

    def on_call(self, groups: Iterable[Group]) -> Mapping[str, str]:
        """Who is on call for a group, by ids; empty on an instance without the plugin for it. Where ServiceNow asks
        to be left alone for long, who was told last."""
        first: dict[str, tuple[int, str]] = {}
        try:
            for batch in batches(group.id for group in groups):
                rows = self._client.get(ON_CALL, {"group_ids": ",".join(batch)}).rows()
                for row in rows:
                    with suppress(OddValue):  # one that cannot be read is nobody's turn
                        order, group = number(row, "order"), text(row, "group")
                        place = (order if order is not None else len(rows), text(row, "userId"))
                        if place[1]:
                            first[group] = min(place, first.get(group, place))
        except TryLater as error:
            if error.wait <= LONG:
                raise
            return self._told
        except HelpdeskError as error:
            if status_behind(error) not in NOT_THERE:
                raise
            first = {}
        self._told = {group: user for group, (_, user) in first.items()}
        return self._told
