"""Groups, their members, who is on call, and who we are.

Who can be assigned is who is in a group: roles are seldom readable. Vendor sheet 2.4 and 2.9.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from adapters.base import AccessLost, Account, HelpdeskError, NotAllowed, TryLater
from adapters.servicenow.journal import LONGEST_NAME
from adapters.servicenow.priority import DEFAULT, LOOKUP, Matrix
from adapters.servicenow.priority import read as read_matrix
from adapters.servicenow.profile import Profile
from adapters.servicenow.query import WHO_AM_I, batches, equals, folded, is_safe, term
from adapters.servicenow.refusals import UNSAID, status
from adapters.servicenow.rows import OddValue, Row, label, number, raw, text, truth
from adapters.servicenow.session import LONG, Line, legible, sys_id
from policies.model import Agent, Directory, Group, Person

MEMBERS = "sys_user_grmember"
USER = ("user_name", "name", "email", "time_zone", "locked_out", "active")
MEMBER = (
    "group", "user", "user.name", "user.email", "user.vip", "user.active", "user.locked_out",
)  # fmt: skip
NOT_THERE = frozenset({400, 403, 404})
ON_CALL = "/on_call_rota/whoisoncall"


def me(account: Account, line: Line) -> Row:
    """The user that our credentials stand for: by name where we know it, else as the instance says."""
    name = str(account.auth.get("user") or "")
    query = equals("user_name", name) if is_safe(name) else WHO_AM_I
    try:
        rows = line.listed("sys_user", query, ("sys_id", *USER), limit=2).rows()
    except NotAllowed as error:
        raise AccessLost(str(error)) from error
    if name and len(rows) > 1:  # a database without accents takes others for us
        rows = [row for row in rows if text(row, "user_name").casefold() == name.casefold()]
    if len(rows) != 1:
        raise AccessLost(
            f"ServiceNow shows {len(rows)} users where it should show us ourselves. Let Uptier's user read sys_user"
        )
    return rows[0]


def users(line: Line, names: Iterable[str]) -> dict[str, str]:
    """The sys_ids of users by user name, as it was asked for; ServiceNow compares without case. A name as long as a
    stamp keeps may be the beginning of a longer one: it is that user's if it is no other's."""
    found: dict[str, str] = {}
    for batch in batches(names):
        rows = line.every("sys_user", {"user_name": batch}, ("user_name",)).rows
        by_name = {text(row, "user_name").casefold(): sys_id(row) for row in rows}
        found |= {name: by_name[name.casefold()] for name in batch if name.casefold() in by_name}
        for name in batch:
            if len(name) == LONGEST_NAME and name not in found:
                query = f"user_nameSTARTSWITH{term(name)}"
                longer = line.listed("sys_user", query, ("sys_id", "user_name"), limit=2).rows()
                if len(longer) == 1 and folded(text(longer[0], "user_name")).startswith(folded(name)):
                    found[name] = sys_id(longer[0])
    return found


def staff(line: Line) -> frozenset[str]:
    """Everybody who is in a group."""
    return frozenset(
        text(row, "user") for row in line.every(MEMBERS, {}, ("user",)).rows if is_text(row, "user")
    )


def is_member(line: Line, user: str) -> bool:
    """Whether one user is in any group."""
    if not is_safe(user):
        return False
    rows = line.listed(MEMBERS, equals("user", user), ("sys_id", "user"), limit=1).rows()
    return any(is_text(row, "user") and text(row, "user") == user for row in rows)


def is_text(row: Row, column: str) -> bool:
    """Whether a column can be read and holds something."""
    try:
        return bool(text(row, column))
    except OddValue:
        return False


def matrix(profile: Profile, line: Line) -> Matrix:
    """The configured matrix, else the instance's lookup, else the one ServiceNow ships. A column that the
    lookup does not have by that name is not a reason to stop."""
    if profile.matrix is not None:
        return profile.matrix
    try:
        return read_matrix(line.every(LOOKUP, {}, ("impact", "urgency", "priority")).rows)
    except NotAllowed:
        return DEFAULT


def read(profile: Profile, line: Line, rota: "Rota") -> Directory:
    """Groups, agents and who is on call. ServiceNow tells neither who is available nor who has how much. A row that
    cannot be read is nobody's; if none can, nothing is known: TryLater."""
    rows = line.every("sys_user_group", {"active": ["true"]}, ("name",)).rows
    members = line.every(MEMBERS, {}, MEMBER).rows
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

    def __init__(self, line: Line) -> None:
        self._line = line
        self._told: Mapping[str, str] = {}

    def on_call(self, groups: Iterable[Group]) -> Mapping[str, str]:
        """Who is on call for a group, by ids; empty on an instance without the plugin for it. Where ServiceNow asks
        to be left alone for long, who was told last."""
        first: dict[str, tuple[int, str]] = {}
        try:
            for batch in batches(group.id for group in groups):
                rows = self._line.get(ON_CALL, {"group_ids": ",".join(batch)}).rows()
                for row in rows:
                    turn(first, row, len(rows))
        except TryLater as error:
            if error.wait <= LONG:
                raise
            return self._told
        except HelpdeskError as error:
            if status(error) not in NOT_THERE:
                raise
            first = {}
        self._told = {group: user for group, (_, user) in first.items()}
        return self._told


def turn(first: dict[str, tuple[int, str]], row: Row, last: int) -> None:
    """Count one row of a rota in. One that cannot be read is nobody's turn."""
    try:
        order, group = number(row, "order"), text(row, "group")
        place = (order if order is not None else last, text(row, "userId"))
    except OddValue:
        return
    if place[1] and (group not in first or place < first[group]):
        first[group] = place
