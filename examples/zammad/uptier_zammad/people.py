"""Who is who, and what the lists of states and priorities mean. All of it hardly changes, so it is asked seldom.

Members of a group are its users with the access "full": only they may own its tickets.
https://admin-docs.zammad.org/en/latest/manage/groups/group-permissions.html
Access that comes by a role is not told by the group; such an agent is not known here.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from adapters.base import Account
from policies.model import Agent, Directory, Group, Instant, Person, Priority, Status
from uptier_zammad.client import Client, Row

NOBODY = "1"
"""The built-in user "-": owns what nobody owns, and does what triggers do.
https://docs.zammad.org/en/latest/api/ticket/index.html shows it as `owner_id` of a new ticket."""

STATES: Mapping[str, Status] = {
    "new": Status.NEW,
    "open": Status.OPEN,
    "pending reminder": Status.PENDING,
    "pending close": Status.PENDING,
    "closed": Status.SOLVED,
    "merged": Status.CLOSED,
    "removed": Status.CLOSED,
}
"""The states of a new Zammad. Further ones share a `state_type_id` with one of these.
https://docs.zammad.org/en/latest/api/ticket/states.html"""

FINAL = "new_ticket"
"""`follow_up_possible` of a group in which a closed ticket is never opened again.
https://docs.zammad.org/en/latest/api/group.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What rows are read with: states, priorities and groups by id, and the agents."""

    account: Account
    me: str = ""
    states: Mapping[str, tuple[str, Status | None]] = field(default_factory=dict)
    still: frozenset[str] = frozenset()
    priorities: Mapping[str, Priority] = field(default_factory=dict)
    final: frozenset[str] = frozenset()
    directory: Directory

    def status(self, state: str, group: str | None) -> Status | None:
        """What a state counts as in a group; None where nobody says."""
        name, known = self.states.get(state, ("", None))
        said = self.account.counts_as(state, name) if name else None
        return said or (Status.CLOSED if known is Status.SOLVED and group in self.final else known)

    def priority_of(self, wanted: Priority) -> int | None:
        """The id of a priority that counts as this one."""
        return next((int(key) for key, each in self.priorities.items() if each is wanted), None)

    def group(self, key: str | None, name: Any) -> Group | None:
        """The group of that id, under the name that the row gives it."""
        return None if key is None else Group(id=key, name=name if isinstance(name, str) and name else key)

    def agent(self, key: str | None) -> Person | None:
        """The agent of that id, called by it where the directory does not know them."""
        known = (each.person for each in self.directory.agents if each.person.id == key)
        return None if key is None else next(known, Person(id=key, name=key))

    def is_agent(self, key: str | None) -> bool:
        """Whether the directory knows this agent."""
        return any(each.person.id == key for each in self.directory.agents)


def ident(value: Any) -> str | None:
    """An id as text, None for what is none."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


class Roster:
    """The last answers of what hardly changes. A state or priority that was never met makes it ask again."""

    def __init__(self, account: Account, client: Client) -> None:
        self._account, self._client = account, client
        self._known: References | None = None
        self._strange: set[str] = set()
        self._lock = threading.Lock()

    def references(self, *rows: Row) -> References:
        """What these rows are read with."""
        with self._lock:
            met = {f"{name} {row.get(name)}" for row in rows for name in ("state_id", "priority_id")}
            if self._known is None or met - self._strange - listed(self._known):
                self._known = read(self._account, self._client)
                self._strange |= met - listed(self._known)
            return self._known

    def known(self) -> References:
        """The same as last read, without any request."""
        return self._known or References(
            account=self._account, directory=Directory(account=self._account.name)
        )

    def renew(self) -> Directory:
        """Read all of it again."""
        with self._lock:
            self._known, self._strange = read(self._account, self._client), set()
            return self._known.directory


def listed(known: References) -> set[str]:
    """The states and priorities that are known, as rows name them."""
    return {f"state_id {key}" for key in known.states} | {f"priority_id {key}" for key in known.priorities}


def read(account: Account, client: Client) -> References:
    """Ask for all of it: one request a list, and one for each agent."""
    me = str(client.get("/users/me").row()["id"])
    states = [row for row in client.every("/ticket_states") if isinstance(row, dict)]
    groups = [row for row in client.every("/groups") if isinstance(row, dict) and ident(row.get("id"))]
    members = sorted({key for row in groups for each in row.get("user_ids") or () if (key := ident(each))})
    agents = []
    for key in members:
        if key not in (me, NOBODY):
            answer = client.get(f"/users/{key}")
            agents.append(agent(answer.row(), answer.at))
    by_type = {row.get("state_type_id"): STATES[row["name"]] for row in states if row.get("name") in STATES}
    return References(
        account=account,
        me=me,
        states={
            str(row["id"]): (
                str(row["name"]),
                STATES.get(row["name"]) or by_type.get(row.get("state_type_id")),
            )
            for row in states
        },
        still=frozenset(str(row["id"]) for row in states if row.get("ignore_escalation") is True),
        priorities=priorities(account, client.every("/ticket_priorities")),
        final=frozenset(str(row["id"]) for row in groups if row.get("follow_up_possible") == FINAL),
        directory=Directory(
            account=account.name,
            groups=tuple(
                Group(id=str(row["id"]), name=str(row["name"]))
                for row in groups
                if row.get("active") is not False
            ),
            agents=tuple(agents),
        ),
    )


def priorities(account: Account, rows: list[Any]) -> Mapping[str, Priority]:
    """What each priority counts as: as the account's `priorities` say by name, else by the word in its name, which is
    `1 low`, `2 normal` and `3 high` on a new Zammad. https://docs.zammad.org/en/latest/api/ticket/priorities.html"""
    said = {name.casefold(): Priority(each) for name, each in account.settings.get("priorities", {}).items()}
    words = {each.value: each for each in Priority}
    found = {}
    for row in rows:
        name = str(row["name"]).casefold()
        if counts := said.get(name) or words.get(name.split()[-1]):
            found[str(row["id"])] = counts
    return found


def person(row: Row) -> Person:
    """A user."""
    key, address = str(row["id"]), row.get("email")
    name = " ".join(str(row.get(part) or "") for part in ("firstname", "lastname")).strip()
    organization = row.get("organization")
    return Person(
        id=key,
        name=name or str(row.get("login") or key),
        address=address or None,
        organization=organization if isinstance(organization, str) else None,
        vip=row.get("vip") is True,
    )


def agent(row: Row, at: Instant) -> Agent:
    """A user as an agent; away on the days of an out-of-office, by Zammad's own date."""
    granted = row.get("group_ids")
    access = granted.items() if isinstance(granted, dict) else ()
    return Agent(
        person=person({**row, "organization": None}),
        groups=frozenset(key for key, levels in access if "full" in levels),
        active=row.get("active") is not False,
        available=not is_away(row, datetime.fromtimestamp(at, UTC).date()),
    )


def is_away(row: Row, today: date) -> bool:
    """Whether this user is out of office on that day. https://docs.zammad.org/en/latest/api/user.html"""
    start, end = (str(row.get(f"out_of_office_{each}_at") or "") for each in ("start", "end"))
    return row.get("out_of_office") is True and start <= today.isoformat() <= (end or "9999")
