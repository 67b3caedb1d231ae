"""The people and the set-up of the simulated account. Control methods name them by id, address or name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.zendesk.simulator_records import (
    Record,
    custom_status,
    group,
    membership,
    organization,
    ticket_field,
    user,
)

Ref = int | str


class Directory:
    """Users, groups, organizations, fields, SLA policies and schedules, by id."""

    def __init__(self, now: Callable[[], int], new_id: Callable[[], int]) -> None:
        self.now = now
        self.new_id = new_id
        self.users: dict[int, Record] = {}
        self.groups: dict[int, Record] = {}
        self.memberships: dict[int, Record] = {}
        self.organizations: dict[int, Record] = {}
        self.ticket_fields: dict[int, Record] = {}
        self.custom_statuses: dict[int, Record] = {}
        self.sla_policies: dict[int, Record] = {}
        self.schedules: dict[int, Record] = {}

    def add_groups(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name`; other keys overwrite the blank record's."""
        return [
            self._keep(self.groups, row, group(self._number(row), self.now(), row["name"])) for row in rows
        ]

    def add_organizations(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name`."""
        made = []
        for row in rows:
            blank = organization(self._number(row), self.now(), row["name"])
            made.append(self._keep(self.organizations, row, blank))
        return made

    def add_users(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name`; `organization` is a ref; without `role` it is an end user."""
        made = []
        for row in rows:
            role = row.get("role", "end-user")
            blank = user(self._number(row), self.now(), row["name"], row.get("email"), role)
            if "organization" in row:
                blank["organization_id"] = self.organization(row["organization"])["id"]
            made.append(self._keep(self.users, row, blank, "organization", "groups"))
        return made

    def add_agents(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """As users, with `groups`: refs, the first of which is the default group."""
        made = []
        for row in rows:
            (number,) = self.add_users([{"role": "agent", **row}])
            for team in row.get("groups", ()):
                self.join(number, team)
            made.append(number)
        return made

    def add_custom_statuses(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs an `agent_label` and a `status_category`."""
        made = []
        for row in rows:
            blank = custom_status(self._number(row), self.now(), row["status_category"], row["agent_label"])
            made.append(self._keep(self.custom_statuses, row, blank))
        return made

    def add_ticket_fields(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `title` and a `type` (text, tagger, checkbox, integer, ...); drop-downs may have
        `custom_field_options`, the system's own `system_field_options`, of name and value."""
        made = []
        for row in rows:
            blank = ticket_field(self._number(row), self.now(), row["type"], row["title"])
            made.append(self._keep(self.ticket_fields, row, blank))
        return made

    def add_sla_policies(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `title` and `policy_metrics`: priority, metric, target in minutes."""
        blank = {"description": "", "filter": {"all": [], "any": []}, "metric_settings": {}}
        made = []
        for row in rows:
            extra = {"id": self._number(row), "position": len(self.sla_policies) + 1}
            made.append(self._keep(self.sla_policies, row, blank | extra))
        return made

    def add_schedules(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs `name`, `time_zone` and `intervals` (minutes since Sunday 00:00)."""
        return [self._keep(self.schedules, row, {"id": self._number(row)}) for row in rows]

    def join(self, person: Ref, team: Ref) -> None:
        """Make an agent a member of a group; the first group is the default one."""
        who, where = self.user(person), self.group(team)
        default = who["default_group_id"] is None
        row = membership(self.new_id(), self.now(), who["id"], where["id"], default)
        self.memberships[row["id"]] = row
        if default:
            who["default_group_id"] = where["id"]

    def user(self, ref: Ref) -> Record:
        """The user of that id, address or name; KeyError if there is none."""
        return _find(self.users, ref, "user", "email", "name")

    def group(self, ref: Ref) -> Record:
        """The group of that id or name; KeyError if there is none."""
        return _find(self.groups, ref, "group", "name")

    def custom_status(self, ref: Ref) -> Record:
        """The account's own status of that id or label; KeyError if there is none."""
        return _find(self.custom_statuses, ref, "custom status", "agent_label")

    def organization(self, ref: Ref) -> Record:
        """The organization of that id or name; KeyError if there is none."""
        return _find(self.organizations, ref, "organization", "name")

    def is_member(self, person: int, team: int) -> bool:
        """Whether the agent belongs to the group."""
        return any(row["user_id"] == person and row["group_id"] == team for row in self.memberships.values())

    def is_staff(self, person: int) -> bool:
        """Whether this id is an agent or admin."""
        return person in self.users and self.users[person]["role"] in ("agent", "admin")

    def _number(self, row: Mapping[str, Any]) -> int:
        return int(row["id"]) if "id" in row else self.new_id()

    @staticmethod
    def _keep(table: dict[int, Record], row: Mapping[str, Any], blank: Record, *not_json: str) -> int:
        record = blank | {key: value for key, value in row.items() if key not in not_json}
        table[record["id"]] = record
        return int(record["id"])


def _find(table: Mapping[int, Record], ref: Ref, what: str, *keys: str) -> Record:
    if isinstance(ref, int):
        if ref in table:
            return table[ref]
    else:
        for key in keys:
            for record in table.values():
                if record.get(key) == ref:
                    return record
    raise KeyError(f"the simulated account has no {what} {ref!r}; seed it first")
