"""The demo's ServiceNow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.servicenow.simulator.app import BOT, PASSWORD
from adapters.simulation.demo import AGENTS, GROUPS, WEBHOOK_SECRET, Mail, Shown, Simulated, Someone
from adapters.simulation.faults import Fault

PRIORITIES = {"1": "urgent", "2": "high", "3": "normal", "4": "low", "5": "low"}
MATRIX = {"urgent": ("1", "1"), "high": ("1", "2"), "normal": ("2", "2"), "low": ("2", "3")}
STATES = {
    "new": {"state": "1"},
    "open": {"state": "2"},
    "pending": {"state": "3", "hold_reason": "1"},
    "on_hold": {"state": "3", "hold_reason": "4"},
    "solved": {"state": "6"},
    "closed": {"state": "7"},
}


@dataclass(slots=True, kw_only=True)
class Desk(Simulated):
    """One simulated ServiceNow instance; a ticket is an incident, its tags stand in `correlation_display`."""

    account: str = "now"
    title: str = "ServiceNow"
    auth: str = f'kind = "basic", user = "{BOT}", password = "secret:now-password"'

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_NOW_PASSWORD": PASSWORD, "UPTIER_SECRET_NOW_WEBHOOK": WEBHOOK_SECRET}

    def furnish(self) -> None:
        self.desk.seed(
            groups=[{"name": name} for name in GROUPS],
            users=[
                *({"name": name, "groups": groups} for name, groups in AGENTS.items()),
                {"name": "Cleo", "email": "cleo@initech.test"},
            ],
        )

    def open(self, word: str, subject: str, tag: str, at: int | None = None) -> None:
        self.tickets[word] = self.desk.open(
            caller="Cleo",
            subject=subject,
            group="Tier 1",
            impact="1",
            urgency="1",
            correlation_display=f"uptier: {tag}",
            description="Help!",
            at=at,
        )

    def answer_in_the_moment_of_the_write(self, word: str, agent: str, text: str) -> None:
        """Behind the histories that decide, and in front of the record, which is read last."""
        key = self.tickets[word]
        act = {"act": "agent_says", "ticket": key, "agent": agent, "text": text}
        self.desk.faults.append(Fault(kind="edit", method="GET", path=f"*/{key}", act=act))

    def looks(self, word: str) -> int:
        return sum(self.tickets[word] in logged.path for logged in self.desk.log)

    def show(self, word: str) -> Shown:
        row = self.desk.ticket(self.tickets[word])
        users, groups = self.desk.tables["sys_user"], self.desk.tables["sys_user_group"]
        kept = row["correlation_display"].removeprefix("uptier:")
        notes = [each for each in self.desk.journal(self.tickets[word]) if each["element"] == "work_notes"]
        return Shown(
            name=row["number"],
            subject=row["short_description"],
            group=groups[row["assignment_group"]]["name"],
            assignee=users[row["assigned_to"]]["name"] if row["assigned_to"] else "",
            priority=PRIORITIES[row["priority"]],
            tags=frozenset(tag.strip() for tag in kept.split(",")),
            notes=len(notes),
        )

    def fill(self, groups: Sequence[str], agents: Sequence[Someone], customers: Sequence[Someone]) -> None:
        self.know((*agents, *customers))
        companies = dict.fromkeys(each.organization for each in customers if each.organization)
        self.desk.seed(
            groups=[{"name": name} for name in groups],
            companies=[{"name": name} for name in companies],
            users=[
                *({"name": one.name, "email": one.address, "groups": one.groups} for one in agents),
                *(
                    {"name": one.name, "email": one.address, "company": one.organization or ""}
                    for one in customers
                ),
            ],
        )

    def receive(self, word: str, mail: Mail) -> None:
        self.tickets[word] = self.desk.open(
            caller=self.names[mail.customer],
            subject=mail.subject,
            description=mail.description,
            group=mail.group,
            assignee=mail.assignee and self.names[mail.assignee],
            **self.own_words({"priority": mail.priority, "tags": mail.tags}),
        )

    def write(self, word: str, text: str) -> None:
        """A comment leaves a resolved incident resolved; who is not content reopens it with the portal's button."""
        self.desk.customer_says(self.tickets[word], text)
        row = self.desk.ticket(self.tickets[word])
        if row["state"] == STATES["solved"]["state"]:
            self.desk.agent_changes(self.tickets[word], row["caller_id"], **STATES["open"])

    def promise(self, word: str, due: int) -> None:
        self.desk.set_target(self.tickets[word], "resolution", due=due)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name, value in fields.items():
            if name == "status":
                told |= STATES[value]
            elif name == "priority":
                told["impact"], told["urgency"] = MATRIX[value]
            elif name == "tags":
                told["correlation_display"] = f"uptier: {', '.join(value)}" if value else ""
            else:
                told[name] = value
        return told
