"""Zammad's part in the demo."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.simulation.demo import AGENTS, GROUPS, WEBHOOK_SECRET, Shown, Simulated
from adapters.simulation.faults import Fault
from uptier_zammad.simulator.app import TOKEN


@dataclass(slots=True, kw_only=True)
class Desk(Simulated):
    """One simulated Zammad, which has a priority that is urgent."""

    account: str = "zam"
    title: str = "Zammad"
    auth: str = 'kind = "token", token = "secret:zam-token"'

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_ZAM_TOKEN": TOKEN, "UPTIER_SECRET_ZAM_WEBHOOK": WEBHOOK_SECRET}

    def furnish(self) -> None:
        agents = [
            {"name": name, "email": f"{name.lower()}@acme.test", "groups": groups}
            for name, groups in AGENTS.items()
        ]
        self.desk.seed(
            groups=[{"name": name} for name in GROUPS],
            priorities=[{"id": 4, "name": "4 urgent"}],
            users=[*agents, {"name": "Cleo", "email": "cleo@initech.test"}],
        )

    def open(self, word: str, subject: str, tag: str, at: int | None = None) -> None:
        self.tickets[word] = self.desk.open(
            customer="Cleo",
            subject=subject,
            group="Tier 1",
            priority="4 urgent",
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
        end = f"/by_ticket/{self.tickets[word]}"
        return sum(logged.path.endswith(end) for logged in self.desk.log)

    def show(self, word: str) -> Shown:
        row = self.desk.ticket(self.tickets[word])
        owner = row.json["owner_id"]
        return Shown(
            name=f"#{row.json['number']}",
            subject=row.json["title"],
            group=self.desk.group(row.json["group_id"])["name"],
            assignee=self.desk.user(owner)["firstname"] if owner != 1 else "",
            priority=self.desk.priorities[row.json["priority_id"]]["name"].split()[-1],
            tags=frozenset(row.tags),
            notes=sum(said["internal"] for said in row.articles),
        )
