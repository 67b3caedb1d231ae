"""Groups, their members, who is on call, and who we are.

Who can be assigned is who is in a group: roles are seldom readable. Vendor sheet 2.4 and 2.9.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from adapters.base import AccessLost, Account, HelpdeskError
from adapters.servicenow.priority import DEFAULT, LOOKUP, Matrix
from adapters.servicenow.priority import read as read_matrix
from adapters.servicenow.profile import Profile
from adapters.servicenow.query import WHO_AM_I, batches, equals, is_safe
from adapters.servicenow.refusals import status
from adapters.servicenow.rows import Row, label, needed, number, text, truth
from adapters.servicenow.session import Line, legible
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
    rows = line.listed("sys_user", query, ("sys_id", *USER), limit=2).rows()
    if len(rows) != 1:
        raise AccessLost(
            f"ServiceNow shows {len(rows)} users where it should show us ourselves. Let Uptier's user read sys_user"
        )
    return rows[0]


def users(line: Line, names: Iterable[str]) -> dict[str, str]:
    """The sys_ids of users by user name, as it was asked for; ServiceNow compares without case."""
    found: dict[str, str] = {}
    for batch in batches(names):
        rows = line.every("sys_user", {"user_name": batch}, ("user_name",))
        by_name = {text(row, "user_name").casefold(): text(row, "sys_id") for row in rows}
        found |= {name: by_name[name.casefold()] for name in batch if name.casefold() in by_name}
    return found


def staff(line: Line) -> frozenset[str]:
    """Everybody who is in a group."""
    return frozenset(text(row, "user") for row in line.every(MEMBERS, {}, ("user",)))


def matrix(profile: Profile, line: Line) -> Matrix:
    """The configured matrix, else the instance's lookup, else the one ServiceNow ships. A column that the
    lookup does not have by that name is not a reason to stop."""
    if profile.matrix is not None:
        return profile.matrix
    try:
        return read_matrix(line.every(LOOKUP, {}, ("impact", "urgency", "priority")))
    except AccessLost:
        return DEFAULT


def read(profile: Profile, line: Line) -> Directory:
    """Groups, agents and who is on call. ServiceNow tells neither who is available nor who has how much."""
    rows = line.every("sys_user_group", {"active": ["true"]}, ("name",))
    members = line.every(MEMBERS, {}, MEMBER)
    with legible():
        groups = named(rows)
        agents = tuple(agents_of(members, {group.id for group in groups}))
    labels = {agent.person.id: agent.person.label for agent in agents}
    calls = on_call(line, groups)
    return Directory(
        account=profile.account.name,
        groups=groups,
        agents=agents,
        on_call={group.name: labels[calls[group.id]] for group in groups if calls.get(group.id) in labels},
    )


def named(rows: Iterable[Row]) -> tuple[Group, ...]:
    """The groups by name. Where two have the same, both are called by name and id: neither is the one meant."""
    listed = [(needed(row, "sys_id"), text(row, "name")) for row in rows]
    often = Counter(name for _, name in listed)
    groups = [Group(id=key, name=f"{name} ({key})" if often[name] > 1 else name) for key, name in listed]
    return tuple(sorted(groups, key=lambda group: group.name))


def agents_of(members: Iterable[Row], groups: set[str]) -> Iterator[Agent]:
    """The people in these rows of memberships. Who is inactive or locked out cannot be assigned."""
    by_user: dict[str, list[Row]] = {}
    for row in members:
        if text(row, "user"):
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


def on_call(line: Line, groups: Iterable[Group]) -> Mapping[str, str]:
    """Who is on call for a group, by ids; empty on an instance without the plugin for it."""
    first: dict[str, tuple[int, str]] = {}
    for batch in batches(group.id for group in groups):
        try:
            rows = line.get(ON_CALL, {"group_ids": ",".join(batch)}).rows()
        except HelpdeskError as error:
            if status(error) in NOT_THERE:
                return {}
            raise
        for row in rows:
            order = number(row, "order")
            place = (order if order is not None else len(rows), text(row, "userId"))
            group = text(row, "group")
            if place[1] and (group not in first or place < first[group]):
                first[group] = place
    return {group: user for group, (_, user) in first.items()}
