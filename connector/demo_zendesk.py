"""The demo's Zendesk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.zendesk.simulator import TOKEN
from adapters.zendesk.simulator_faults import Fault
from connector.demo_desk import AGENTS, GROUPS, WEBHOOK_SECRET, Shown
from policies.model import Instant


@dataclass(slots=True, kw_only=True)
class ZendeskDesk:
    """One simulated Zendesk account."""

    app: Any
    url: str
    account: str = "acme"
    title: str = "Zendesk"
    tickets: dict[str, Any] = field(default_factory=dict)

    @property
    def desk(self) -> Any:
        """The simulated account."""
        return self.app.state.zendesk

    def config(self) -> str:
        return (
            f'\n[accounts.{self.account}]\nadapter = "zendesk"\nurl = "{self.url}"\nbudget = 1.0\n'
            f'auth = {{ kind = "bearer", token = "secret:{self.account}-token" }}\n'
            f'webhook = {{ secret = "secret:{self.account}-webhook" }}\n'
        )

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

    def subscribe(self, service: str) -> None:
        self.desk.hooks.subscribe(f"{service}/hooks/{self.account}", WEBHOOK_SECRET)
        self.desk.hooks.start()

    def settle(self) -> None:
        self.desk.hooks.stop()

    def open(self, word: str, subject: str, tag: str, at: Instant | None = None) -> None:
        self.tickets[word] = self.desk.open(
            requester="Cleo",
            subject=subject,
            group="Tier 1",
            priority="urgent",
            tags=[tag],
            description="Help!",
            at=at,
        )

    def answer(self, word: str, agent: str, text: str) -> None:
        self.desk.agent_says(self.tickets[word], agent, text)

    def answer_in_the_moment_of_the_write(self, word: str, agent: str, text: str) -> None:
        number = self.tickets[word]
        act = {"act": "agent_says", "ticket": number, "agent": agent, "text": text}
        self.desk.faults.append(Fault(kind="edit", method="PUT", path=f"*/tickets/{number}*", act=act))

    def looks(self, word: str) -> int:
        end = f"/tickets/{self.tickets[word]}/audits"
        return sum(logged.path.removesuffix(".json").endswith(end) for logged in self.desk.log)

    def quiet(self) -> bool:
        return not self.desk.hooks.waiting

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
