"""The demo's Freshdesk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.freshdesk.simulator.app import KEY
from adapters.simulation.demo import AGENTS, GROUPS, WEBHOOK_SECRET, Mail, Shown, Simulated, Someone
from adapters.simulation.faults import Fault

URGENT = 4
PRIORITIES = {1: "low", 2: "normal", 3: "high", URGENT: "urgent"}
STATUSES = {"new": 2, "open": 2, "pending": 3, "on_hold": 3, "solved": 4, "closed": 5}


@dataclass(slots=True, kw_only=True)
class Desk(Simulated):
    """One simulated Freshdesk account."""

    account: str = "fresh"
    title: str = "Freshdesk"
    auth: str = 'kind = "key", key = "secret:fresh-key"'

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_FRESH_KEY": KEY, "UPTIER_SECRET_FRESH_WEBHOOK": WEBHOOK_SECRET}

    def furnish(self) -> None:
        self.desk.seed(
            groups=[{"name": name} for name in GROUPS],
            agents=[
                {"name": name, "email": f"{name.lower()}@acme.test", "groups": groups}
                for name, groups in AGENTS.items()
            ],
            contacts=[{"name": "Cleo", "email": "cleo@initech.test"}],
        )

    def open(self, word: str, subject: str, tag: str, at: int | None = None) -> None:
        self.tickets[word] = self.desk.open(
            requester="Cleo",
            subject=subject,
            group="Tier 1",
            priority=URGENT,
            tags=[tag],
            description="Help!",
            at=at,
        )

    def answer_in_the_moment_of_the_write(self, word: str, agent: str, text: str) -> None:
        """Between the reading that decides and the one in front of the write."""
        number = self.tickets[word]
        act = {"act": "agent_says", "ticket": number, "agent": agent, "text": text}
        self.desk.faults.append(Fault(kind="edit", method="GET", path=f"*/tickets/{number}", skip=1, act=act))

    def looks(self, word: str) -> int:
        end = f"/tickets/{self.tickets[word]}/conversations"
        return sum(logged.path.endswith(end) for logged in self.desk.log)

    def show(self, word: str) -> Shown:
        row = self.desk.ticket(self.tickets[word])
        names = {each["id"]: each["name"] for each in self.desk.people.groups.values()}
        assignee = row.json["responder_id"]
        return Shown(
            name=f"#{row.json['id']}",
            subject=row.json["subject"],
            group=names[row.json["group_id"]],
            assignee=self.desk.people.agent(assignee)["contact"]["name"] if assignee else "",
            priority=PRIORITIES[row.json["priority"]],
            tags=frozenset(row.json["tags"]),
            notes=sum(said["private"] for said in row.conversations),
        )

    def fill(self, groups: Sequence[str], agents: Sequence[Someone], customers: Sequence[Someone]) -> None:
        self.know((*agents, *customers))
        companies = dict.fromkeys(each.organization for each in customers if each.organization)
        self.desk.seed(
            groups=[{"name": name} for name in groups],
            companies=[{"name": name} for name in companies],
            agents=[{"name": one.name, "email": one.address, "groups": one.groups} for one in agents],
            contacts=[
                {"name": one.name, "email": one.address}
                | ({"company": one.organization} if one.organization else {})
                for one in customers
            ],
        )

    def receive(self, word: str, mail: Mail) -> None:
        self.tickets[word] = self.desk.open(
            requester=self.names[mail.customer],
            subject=mail.subject,
            description=mail.description,
            group=mail.group,
            assignee=mail.assignee and self.names[mail.assignee],
            tags=list(mail.tags),
            **self.own_words({"priority": mail.priority}),
        )

    def promise(self, word: str, due: int) -> None:
        self.desk.set_due(self.tickets[word], due_by=due)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        words = {"status": STATUSES, "priority": {name: number for number, name in PRIORITIES.items()}}
        return {name: words[name][value] if name in words else value for name, value in fields.items()}
