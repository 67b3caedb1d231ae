"""Zammad's part in the demo and in drills."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from adapters.simulation.demo import WEBHOOK_SECRET, Shown, Simulated, Terms
from adapters.simulation.faults import Fault
from uptier_zammad.simulator.app import TOKEN
from uptier_zammad.simulator.state import NOBODY

WORDS = {
    "status": {
        "new": "new",
        "open": "open",
        "pending": "pending reminder",
        "on_hold": "pending reminder",
        "solved": "closed",
        "closed": "closed",
    },
    "priority": {"low": "1 low", "normal": "2 normal", "high": "3 high", "urgent": "4 urgent"},
}
NAMES = {"status": "state", "assignee": "owner"}
ALWAYS = ("group", "priority")
"""Without one of each no ticket is."""


@dataclass(slots=True, kw_only=True)
class Desk(Simulated):
    """One simulated Zammad, which has a priority that is urgent."""

    account: str = "zam"
    title: str = "Zammad"
    auth: str = 'kind = "token", token = "secret:zam-token"'
    terms: ClassVar[Terms] = Terms(agents="users", asker="customer")

    def __post_init__(self) -> None:
        self.desk.seed(priorities=[{"id": 4, "name": "4 urgent"}])

    def secrets(self) -> Mapping[str, str]:
        return {"UPTIER_SECRET_ZAM_TOKEN": TOKEN, "UPTIER_SECRET_ZAM_WEBHOOK": WEBHOOK_SECRET}

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
            assignee=self.desk.user(owner)["firstname"] if owner != NOBODY else "",
            priority=self.desk.priorities[row.json["priority_id"]]["name"].split()[-1],
            tags=frozenset(row.tags),
            notes=sum(said["internal"] for said in row.articles),
        )

    def say(self, word: str, agent: str | None, text: str, *, public: bool) -> None:
        if agent is None:
            self.desk.trigger_says(self.tickets[word], text, public=public)
        else:
            self.desk.agent_says(self.tickets[word], self.called(agent), text, public=public)

    def change(self, word: str, agent: str | None, fields: Mapping[str, Any]) -> None:
        """Tags are set and taken one by one, beside the update."""
        number, told = self.tickets[word], self.told(fields)
        by = NOBODY if agent is None else self.called(agent)
        if "tags" in told:
            tags, before = set(told.pop("tags")), self.show(word).tags
            for tag in sorted(tags ^ before):
                self.desk.tag(number, by, tag, add=tag in tags)
        if told and agent is None:
            self.desk.trigger_changes(number, **told)
        elif told:
            self.desk.agent_changes(number, by, **told)

    def promise(self, word: str, due: int) -> None:
        self.desk.set_due(self.tickets[word], close_escalation_at=due)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in fields.items() if name not in ALWAYS or value is not None}
        return {
            NAMES.get(name, name): WORDS[name][value] if name in WORDS else value
            for name, value in kept.items()
        }
