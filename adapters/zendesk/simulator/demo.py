"""The demo's Zendesk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from adapters.simulation.demo import WEBHOOK_SECRET, Shown, Simulated, Terms
from adapters.simulation.faults import Fault
from adapters.zendesk.simulator.app import TOKEN


@dataclass(slots=True, kw_only=True)
class Desk(Simulated):
    """One simulated Zendesk account."""

    account: str = "acme"
    title: str = "Zendesk"
    auth: str = 'kind = "bearer", token = "secret:acme-token"'
    terms: ClassVar[Terms] = Terms(opening={"channel": "email"}, opener="submitter")

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_ACME_TOKEN": TOKEN, "UPTIER_SECRET_ACME_WEBHOOK": WEBHOOK_SECRET}

    def answer_in_the_moment_of_the_write(self, word: str, agent: str, text: str) -> None:
        number = self.tickets[word]
        act = {"act": "agent_says", "ticket": number, "agent": agent, "text": text}
        self.desk.faults.append(Fault(kind="edit", method="PUT", path=f"*/tickets/{number}*", act=act))

    def looks(self, word: str) -> int:
        end = f"/tickets/{self.tickets[word]}/audits"
        return sum(logged.path.removesuffix(".json").endswith(end) for logged in self.desk.log)

    def show(self, word: str) -> Shown:
        row = self.desk.ticket(self.tickets[word])
        group, assignee = row.json["group_id"], row.json["assignee_id"]
        return Shown(
            name=f"#{row.json['id']}",
            subject=row.json["subject"],
            group=self.desk.people.group(group)["name"] if group else "",
            assignee=self.desk.people.user(assignee)["name"] if assignee else "",
            priority=row.json["priority"] or "",
            tags=frozenset(row.json["tags"]),
            notes=sum(not comment["public"] for comment in row.comments),
        )

    def promise(self, word: str, due: int) -> None:
        self.desk.set_target(self.tickets[word], "total_resolution_time", breach=due)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: "hold" if value == "on_hold" else value for name, value in fields.items()}
