"""The demo's Freshdesk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from adapters.freshdesk.simulator.app import KEY
from adapters.simulation.demo import WEBHOOK_SECRET, Shown, Simulated, Terms
from adapters.simulation.faults import Fault

PRIORITIES = {1: "low", 2: "normal", 3: "high", 4: "urgent"}
OUTBOUND = 10  # a ticket's source: nobody is told who wrote such a mail
STATUSES = {"new": 2, "open": 2, "pending": 3, "on_hold": 3, "solved": 4, "closed": 5}


@dataclass(slots=True, kw_only=True)
class Desk(Simulated):
    """One simulated Freshdesk account."""

    account: str = "fresh"
    title: str = "Freshdesk"
    auth: str = 'kind = "key", key = "secret:fresh-key"'
    terms: ClassVar[Terms] = Terms(
        customers="contacts",
        organizations="companies",
        organization="company",
        outbound={"source": OUTBOUND},
        automatic="auto_response",
    )

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_FRESH_KEY": KEY, "UPTIER_SECRET_FRESH_WEBHOOK": WEBHOOK_SECRET}

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
            group=names.get(row.json["group_id"], ""),
            assignee=self.desk.people.agent(assignee)["contact"]["name"] if assignee else "",
            priority=PRIORITIES[row.json["priority"]],
            tags=frozenset(row.json["tags"]),
            notes=sum(said["private"] for said in row.conversations),
        )

    def promise(self, word: str, due: int) -> None:
        self.desk.set_due(self.tickets[word], due_by=due)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        words = {"status": STATUSES, "priority": {name: number for number, name in PRIORITIES.items()}}
        kept = {name: value for name, value in fields.items() if name != "priority" or value is not None}
        return {name: words[name][value] if name in words else value for name, value in kept.items()}
