"""The demo's ServiceNow."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.servicenow.simulator.app import BOT, PASSWORD
from adapters.simulation.demo import AGENTS, GROUPS, WEBHOOK_SECRET, Shown, Simulated
from adapters.simulation.faults import Fault

PRIORITIES = {"1": "urgent", "2": "high", "3": "normal", "4": "low", "5": "low"}


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
