"""The people and the set-up of the simulated account. Control methods name them by id, address or name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.freshdesk.simulator_records import (
    PRIORITIES,
    SOURCES,
    STATUSES,
    Record,
    agent,
    company,
    contact,
    group,
    ticket_field,
)

Ref = int | str


class Directory:
    """Agents, contacts, companies, groups, fields and SLA policies, by id."""

    def __init__(self, now: Callable[[], int], new_id: Callable[[], int]) -> None:
        self.now = now
        self.new_id = new_id
        self.agents: dict[int, Record] = {}
        self.contacts: dict[int, Record] = {}
        self.companies: dict[int, Record] = {}
        self.groups: dict[int, Record] = {}
        self.sla_policies: dict[int, Record] = {}
        self.rules: list[Record] = []
        self.statuses: dict[int, str] = dict(STATUSES)
        self.stops_timer: set[int] = {3, 6, 7}
        self.fields: dict[str, Record] = {}
        self.add_ticket_fields([{"name": name, "type": f"default_{name}"} for name in BUILT_IN])

    def add_groups(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name`; other keys overwrite the blank record's."""
        return [
            self._keep(self.groups, row, group(self._number(row), self.now(), row["name"])) for row in rows
        ]

    def add_companies(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name`."""
        return [
            self._keep(self.companies, row, company(self._number(row), self.now(), row["name"]))
            for row in rows
        ]

    def add_contacts(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name`; `company` is a ref."""
        made = []
        for row in rows:
            blank = contact(self._number(row), self.now(), row["name"], row.get("email"))
            if "company" in row:
                blank["company_id"] = self.company(row["company"])["id"]
            made.append(self._keep(self.contacts, row, blank, "company"))
        return made

    def add_agents(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name`; `groups` are refs, `admin` says who may see everything."""
        made = []
        for row in rows:
            blank = agent(self._number(row), self.now(), row["name"], row.get("email"))
            blank["admin"] = False
            number = self._keep(self.agents, row, blank, "name", "email", "groups")
            for team in row.get("groups", ()):
                self.join(number, team)
            made.append(number)
        return made

    def add_ticket_fields(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name` (`cf_...` for custom ones) and a `type` (custom_text, custom_dropdown, ...)."""
        made = []
        for row in rows:
            number, label = self._number(row), row.get("label", row["name"].removeprefix("cf_"))
            blank = ticket_field(number, self.now(), row["name"], label, row["type"])
            self.fields[row["name"]] = blank | dict(row)
            made.append(number)
        return made

    def add_sla_policies(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Each row needs a `name` and `sla_target`: `priority_1` to `priority_4`, each with `respond_within`
        and `resolve_within` in seconds."""
        made = []
        for row in rows:
            place = {"position": len(self.sla_policies) + 1, "active": True, "is_default": False}
            blank = place | {"id": self._number(row), "applicable_to": {}}
            made.append(self._keep(self.sla_policies, row, blank))
        return made

    def add_status(self, number: int, label: str) -> None:
        """A custom status, or another name for one of the first."""
        self.statuses[number] = label

    def join(self, person: Ref, team: Ref) -> None:
        """Make an agent a member of a group."""
        who, where = self.agent(person), self.group(team)
        who["group_ids"].append(where["id"])
        where["agent_ids"].append(who["id"])

    def choices(self, name: str) -> Any:
        """The choices of a field in the shape Freshdesk gives them: there are four."""
        numbered = {
            "status": {str(number): [label, label] for number, label in self.statuses.items()},
            "priority": {label: number for number, label in PRIORITIES.items()},
            "source": dict(SOURCES),
            "group": {row["name"]: row["id"] for row in self.groups.values()},
            "agent": {row["contact"]["name"]: row["id"] for row in self.agents.values()},
        }
        return numbered.get(name, self.fields[name].get("choices"))

    def timed_statuses(self) -> list[Record]:
        """The choices of the status with their timers."""
        return [
            {"id": number, "value": number, "label": label, "stop_sla_timer": number in self.stops_timer}
            for number, label in self.statuses.items()
        ]

    def agent(self, ref: Ref) -> Record:
        """The agent of that id, address or name; KeyError if there is none."""
        return _find(self.agents, ref, "agent", lambda row: (row["contact"]["email"], row["contact"]["name"]))

    def contact(self, ref: Ref) -> Record:
        """The contact of that id, address or name; KeyError if there is none."""
        return _find(self.contacts, ref, "contact", lambda row: (row["email"], row["name"]))

    def company(self, ref: Ref) -> Record:
        """The company of that id or name; KeyError if there is none."""
        return _find(self.companies, ref, "company", lambda row: (row["name"],))

    def group(self, ref: Ref) -> Record:
        """The group of that id or name; KeyError if there is none."""
        return _find(self.groups, ref, "group", lambda row: (row["name"],))

    def person(self, ref: Ref) -> Record:
        """A contact, else an agent."""
        try:
            return self.contact(ref)
        except KeyError:
            return self.agent(ref)

    def _number(self, row: Mapping[str, Any]) -> int:
        return int(row["id"]) if "id" in row else self.new_id()

    @staticmethod
    def _keep(table: dict[int, Record], row: Mapping[str, Any], blank: Record, *not_json: str) -> int:
        record = blank | {key: value for key, value in row.items() if key not in not_json}
        table[record["id"]] = record
        return int(record["id"])


BUILT_IN = ("requester", "subject", "ticket_type", "source", "status", "priority", "group", "agent")


def _find(
    table: Mapping[int, Record], ref: Ref, what: str, names: Callable[[Record], tuple[Any, ...]]
) -> Record:
    if isinstance(ref, int) and ref in table:
        return table[ref]
    for record in table.values():
        if ref in names(record):
            return record
    raise KeyError(f"the simulated account has no {what} {ref!r}; seed it first")
