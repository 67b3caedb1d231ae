"""The demo's ServiceNow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.servicenow.simulator import BOT, PASSWORD
from adapters.servicenow.simulator_faults import Fault
from connector.demo_desk import AGENTS, GROUPS, WEBHOOK_SECRET, Shown
from policies.model import Instant

PRIORITIES = {"1": "urgent", "2": "high", "3": "normal", "4": "low", "5": "low"}


@dataclass(slots=True, kw_only=True)
class ServiceNowDesk:
    """One simulated ServiceNow instance; a ticket is an incident, its tags stand in `correlation_display`."""

    app: Any
    url: str
    account: str = "now"
    title: str = "ServiceNow"
    tickets: dict[str, Any] = field(default_factory=dict)

    @property
    def desk(self) -> Any:
        """The simulated instance."""
        return self.app.state.servicenow

    def config(self) -> str:
        return (
            f'\n[accounts.{self.account}]\nadapter = "servicenow"\nurl = "{self.url}"\nbudget = 1.0\n'
            f'auth = {{ kind = "basic", user = "{BOT}", password = "secret:{self.account}-password" }}\n'
            f'webhook = {{ secret = "secret:{self.account}-webhook" }}\n'
        )

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

    def subscribe(self, service: str) -> None:
        self.desk.hooks.subscribe(f"{service}/hooks/{self.account}", WEBHOOK_SECRET)
        self.desk.hooks.start()

    def settle(self) -> None:
        self.desk.hooks.stop()

    def open(self, word: str, subject: str, tag: str, at: Instant | None = None) -> None:
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

    def answer(self, word: str, agent: str, text: str) -> None:
        self.desk.agent_says(self.tickets[word], agent, text)

    def answer_in_the_moment_of_the_write(self, word: str, agent: str, text: str) -> None:
        """Between the reading that decides and the one in front of the write."""
        key = self.tickets[word]
        act = {"act": "agent_says", "ticket": key, "agent": agent, "text": text}
        self.desk.faults.append(Fault(kind="edit", method="GET", path=f"*/{key}", skip=1, act=act))

    def looks(self, word: str) -> int:
        return sum(self.tickets[word] in logged.path for logged in self.desk.log)

    def quiet(self) -> bool:
        return not self.desk.hooks.waiting

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
