"""The demo's Zendesk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.simulation.demo import AGENTS, GROUPS, WEBHOOK_SECRET, Mail, Shown, Simulated, Someone
from adapters.simulation.faults import Fault
from adapters.zendesk.simulator.app import TOKEN


@dataclass(slots=True, kw_only=True)
class Desk(Simulated):
    """One simulated Zendesk account."""

    account: str = "acme"
    title: str = "Zendesk"
    auth: str = 'kind = "bearer", token = "secret:acme-token"'

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_ACME_TOKEN": TOKEN, "UPTIER_SECRET_ACME_WEBHOOK": WEBHOOK_SECRET}

    def furnish(self) -> None:
        self.desk.seed(
            groups=[{"name": name} for name in GROUPS],
            agents=[
                {"name": name, "email": f"{name.lower()}@acme.test", "groups": groups}
                for name, groups in AGENTS.items()
            ],
            users=[{"name": "Cleo", "email": "cleo@initech.test"}],
        )

    def open(self, word: str, subject: str, tag: str, at: int | None = None) -> None:
        self.tickets[word] = self.desk.open(
            requester="Cleo",
            subject=subject,
            group="Tier 1",
            priority="urgent",
            tags=[tag],
            description="Help!",
            at=at,
        )

    def answer_in_the_moment_of_the_write(self, word: str, agent: str, text: str) -> None:
        number = self.tickets[word]
        act = {"act": "agent_says", "ticket": number, "agent": agent, "text": text}
        self.desk.faults.append(Fault(kind="edit", method="PUT", path=f"*/tickets/{number}*", act=act))

    def looks(self, word: str) -> int:
        end = f"/tickets/{self.tickets[word]}/audits"
        return sum(logged.path.removesuffix(".json").endswith(end) for logged in self.desk.log)

    def show(self, word: str) -> Shown:
        row = self.desk.ticket(self.tickets[word])
        assignee = row.json["assignee_id"]
        return Shown(
            name=f"#{row.json['id']}",
            subject=row.json["subject"],
            group=self.desk.people.group(row.json["group_id"])["name"],
            assignee=self.desk.people.user(assignee)["name"] if assignee else "",
            priority=row.json["priority"],
            tags=frozenset(row.json["tags"]),
            notes=sum(not comment["public"] for comment in row.comments),
        )

    def fill(self, groups: Sequence[str], agents: Sequence[Someone], customers: Sequence[Someone]) -> None:
        self.know((*agents, *customers))
        companies = dict.fromkeys(each.organization for each in customers if each.organization)
        self.desk.seed(
            groups=[{"name": name} for name in groups],
            organizations=[{"name": name} for name in companies],
            agents=[{"name": one.name, "email": one.address, "groups": one.groups} for one in agents],
            users=[
                {"name": one.name, "email": one.address}
                | ({"organization": one.organization} if one.organization else {})
                for one in customers
            ],
        )

    def receive(self, word: str, mail: Mail) -> None:
        self.tickets[word] = self.desk.open(
            requester=self.names[mail.customer],
            subject=mail.subject,
            description=mail.description,
            channel="email",
            priority=mail.priority,
            group=mail.group,
            assignee=mail.assignee and self.names[mail.assignee],
            tags=mail.tags,
        )

    def promise(self, word: str, due: int) -> None:
        self.desk.set_target(self.tickets[word], "total_resolution_time", breach=due)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: "hold" if value == "on_hold" else value for name, value in fields.items()}
