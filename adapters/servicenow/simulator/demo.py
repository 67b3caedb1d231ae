"""The demo's ServiceNow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from adapters.servicenow.simulator.app import BOT, PASSWORD
from adapters.simulation.demo import WEBHOOK_SECRET, Shown, Simulated, Terms
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
    terms: ClassVar[Terms] = Terms(
        agents="users",
        organizations="companies",
        organization="company",
        asker="caller",
        opener="opened_by",
    )

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_NOW_PASSWORD": PASSWORD, "UPTIER_SECRET_NOW_WEBHOOK": WEBHOOK_SECRET}

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
            group=groups[row["assignment_group"]]["name"] if row["assignment_group"] else "",
            assignee=users[row["assigned_to"]]["name"] if row["assigned_to"] else "",
            priority=PRIORITIES[row["priority"]],
            tags=frozenset(filter(None, map(str.strip, kept.split(",")))),
            notes=len(notes),
        )

    def write(self, word: str, text: str, *, author: str | None = None, automatic: bool = False) -> None:
        """A comment leaves a resolved incident resolved; who is not content reopens it with the portal's button. What
        a machine sends in is written by the platform."""
        key = self.tickets[word]
        if automatic:
            self.desk.rule_says(key, text)
            return
        self.desk.customer_says(key, text, author=author and self.called(author))
        row = self.desk.ticket(key)
        if row["state"] == STATES["solved"]["state"] and row["caller_id"]:
            self.desk.agent_changes(key, row["caller_id"], **STATES["open"])

    def numbered(self, key: str) -> dict[str, Any]:
        return {"sys_id": key}

    def promise(self, word: str, due: int) -> None:
        self.desk.set_target(self.tickets[word], "resolution", due=due)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name, value in fields.items():
            if name == "status":
                told |= STATES[value]
            elif name == "priority":
                told |= {} if value is None else dict(zip(("impact", "urgency"), MATRIX[value], strict=True))
            elif name == "tags":
                told["correlation_display"] = f"uptier: {', '.join(value)}" if value else ""
            else:
                told[name] = value
        return told
