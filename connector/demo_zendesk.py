"""The demo's story on a simulated Zendesk: who is there, what happens, and what must come of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapters.zendesk.simulator import TOKEN
from adapters.zendesk.simulator_faults import Fault
from connector.clock import ShiftedClock

MINUTE = 60
HOUR = 3600
WEBHOOK_SECRET = "only-for-this-demo"  # noqa: S105 - it signs webhooks between two parts of this process

Tell = Callable[[str], object]
Until = Callable[[str, Callable[[], bool]], bool]


@dataclass(slots=True, kw_only=True)
class ZendeskDesk:
    """One simulated Zendesk account, and what the story does there."""

    account: Any
    url: str
    name: str = "acme"
    tickets: dict[str, int] = field(default_factory=dict)

    def config(self) -> str:
        """The account's part of the config file."""
        return (
            f'\n[accounts.{self.name}]\nadapter = "zendesk"\nurl = "{self.url}"\nbudget = 1.0\n'
            f'auth = {{ kind = "bearer", token = "secret:{self.name}-token" }}\n'
            f'webhook = {{ secret = "secret:{self.name}-webhook" }}\n'
        )

    def secrets(self) -> dict[str, str]:
        """What the environment holds for it."""
        return {"UPTIER_SECRET_ACME_TOKEN": TOKEN, "UPTIER_SECRET_ACME_WEBHOOK": WEBHOOK_SECRET}

    def furnish(self) -> None:
        """Groups, agents and a customer."""
        self.account.seed(
            groups=[{"name": name} for name in ("Tier 1", "Tier 2", "Duty managers", "Escalations")],
            agents=[
                {"name": "Ann", "email": "ann@acme.test", "groups": ["Tier 1", "Tier 2"]},
                {"name": "Dana", "email": "dana@acme.test", "groups": ["Duty managers"]},
                {"name": "Eli", "email": "eli@acme.test", "groups": ["Escalations"]},
            ],
            users=[{"name": "Cleo", "email": "cleo@initech.test"}],
        )

    def subscribe(self, service: str) -> None:
        """Webhooks to the service, delivered as things happen."""
        self.account.hooks.subscribe(f"{service}/hooks/{self.name}", WEBHOOK_SECRET)
        self.account.hooks.start()

    def story(self, clock: ShiftedClock, tell: Tell, until: Until) -> bool:
        """Tell it from the first message to the answer; False as soon as something comes out otherwise."""
        tell("0:00  Cleo writes three urgent tickets to Zendesk. One is tagged no-escalation.")
        for word, subject in (
            ("waits", "Nobody can log in"),
            ("left", "Test"),
            ("taken", "Invoices are wrong"),
        ):
            tags = ["no-escalation"] if word == "left" else ["eu"]
            self.tickets[word] = self.account.open(
                requester="Cleo",
                subject=subject,
                group="Tier 1",
                priority="urgent",
                tags=tags,
                description="Help!",
            )
        if not until("the service looks at the tickets", lambda: self.looked_at("waits", "left", "taken")):
            return False
        self.human_in_the_moment_of_the_write()
        tell("0:31  Half an hour later nobody has answered.")
        clock.advance(31 * MINUTE)
        if not until(
            "level 1 fires", lambda: self.group("waits") == "Tier 2" and self.assignee("taken") == "Ann"
        ):
            return False
        self.show("waits", tell)
        tell("      Ann took the third ticket in the very moment of our write. The human wins:")
        self.show("taken", tell)
        tell("2:01  Still nobody. Level 2.")
        clock.advance(90 * MINUTE)
        if not until("level 2 fires", lambda: self.group("waits") == "Duty managers"):
            return False
        self.show("waits", tell)
        tell("2:06  Dana answers Cleo. The ladder stops.")
        clock.advance(5 * MINUTE)
        before = self.looks("waits")
        self.account.agent_says(self.tickets["waits"], "Dana", "We have found it; try again now, please.")
        if not until(
            "the answer is seen", lambda: self.looks("waits") > before and not self.account.hooks.waiting
        ):
            return False
        tell("5:06  Three hours later all is quiet:")
        clock.advance(3 * HOUR)
        for word in self.tickets:
            self.show(word, tell)
        return self.came_out_right()

    def human_in_the_moment_of_the_write(self) -> None:
        """Ann takes the third ticket between our reading and our writing."""
        number = self.tickets["taken"]
        act = {"act": "agent_changes", "ticket": number, "agent": "Ann", "assignee": "Ann"}
        self.account.faults.append(Fault(kind="edit", method="PUT", path=f"*/tickets/{number}*", act=act))

    def came_out_right(self) -> bool:
        """Two notes and both levels' marks on the first ticket; nothing of ours on the others."""
        tags = set(self.row("waits")["tags"])
        return (
            tags == {"eu", "escalated", "escalated-managers"}
            and [self.notes(word) for word in ("waits", "left", "taken")] == [2, 0, 0]
            and self.group("taken") == "Tier 1"
        )

    def show(self, word: str, tell: Tell) -> None:
        """The ticket as Zendesk now shows it."""
        row = self.row(word)
        tell(
            f"      #{row['id']} {row['subject']}: {self.group(word)}, {self.assignee(word) or 'nobody'}, "
            f"{row['priority']}, tags {' '.join(row['tags'])}, {self.notes(word)} of our notes"
        )

    def row(self, word: str) -> dict[str, Any]:
        """The ticket's fields."""
        return dict(self.account.ticket(self.tickets[word]).json)

    def group(self, word: str) -> str:
        """The name of the ticket's group."""
        return str(self.account.people.group(self.row(word)["group_id"])["name"])

    def assignee(self, word: str) -> str | None:
        """The name of the ticket's assignee."""
        number = self.row(word)["assignee_id"]
        return None if number is None else str(self.account.people.user(number)["name"])

    def notes(self, word: str) -> int:
        """How many internal notes the ticket has."""
        return sum(not comment["public"] for comment in self.account.ticket(self.tickets[word]).comments)

    def looks(self, word: str) -> int:
        """How often somebody read the ticket's history."""
        end = f"/tickets/{self.tickets[word]}/audits"
        return sum(logged.path.removesuffix(".json").endswith(end) for logged in self.account.log)

    def looked_at(self, *words: str) -> bool:
        """Whether each of these tickets was read."""
        return all(self.looks(word) for word in words)
