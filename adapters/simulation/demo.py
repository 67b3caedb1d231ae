"""What the demo's story and a drill ask of a simulated helpdesk: who is there, what happens, and how a ticket stands.

A simulator takes part by a module `demo` in the package of its `create`, with a class `Desk` in it, which is made of
`app` and `url`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

GROUPS = ("Tier 1", "Tier 2", "Duty managers", "Escalations")
AGENTS: Mapping[str, tuple[str, ...]] = {
    "Ann": ("Tier 1", "Tier 2"),
    "Dana": ("Duty managers",),
    "Eli": ("Escalations",),
}
WEBHOOK_SECRET = "only-for-this-demo"  # noqa: S105 - it signs webhooks between two parts of this process


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A ticket as its helpdesk shows it."""

    name: str
    subject: str
    group: str
    assignee: str
    priority: str
    tags: frozenset[str]
    notes: int

    def __str__(self) -> str:
        told = ", ".join((self.group, self.assignee or "nobody", self.priority, *sorted(self.tags)))
        return f"{self.name} {self.subject}: {told}; {self.notes} of our notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """Somebody of a drill: how they are named in it, whom the helpdesk shows, and where they belong."""

    label: str
    name: str
    address: str
    groups: tuple[str, ...] = ()
    organization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a customer of a drill writes first. `priority` is a common word, and so is all else."""

    customer: str
    subject: str
    description: str
    priority: str
    group: str | None
    assignee: str | None
    tags: tuple[str, ...]


class DemoDesk(Protocol):
    """One simulated helpdesk. Tickets are called by the word the story has for them, people of a drill by their
    labels."""

    account: str
    title: str
    url: str
    tickets: dict[str, Any]

    def config(self) -> str:
        """The account's table of the config file."""

    def secrets(self) -> Mapping[str, str]:
        """What the environment holds for it."""

    def furnish(self) -> None:
        """`GROUPS`, `AGENTS` and a customer named Cleo."""

    def subscribe(self, service: str) -> None:
        """Webhooks to the service at this address, delivered as things happen."""

    def settle(self) -> None:
        """Deliver no more webhooks."""

    def open(self, word: str, subject: str, tag: str, at: int | None = None) -> None:
        """Cleo writes an urgent ticket, which lands in Tier 1; `at` is when in epoch seconds, if not now."""

    def answer(self, word: str, agent: str, text: str) -> None:
        """An agent answers Cleo."""

    def answer_in_the_moment_of_the_write(self, word: str, agent: str, text: str) -> None:
        """The same, at the last moment before Uptier's write in which it can be noticed."""

    def looks(self, word: str) -> int:
        """How often somebody read the ticket's history."""

    def quiet(self) -> bool:
        """Whether no webhook waits to be delivered."""

    def show(self, word: str) -> Shown:
        """How the ticket stands now."""

    def fill(self, groups: Sequence[str], agents: Sequence[Someone], customers: Sequence[Someone]) -> None:
        """These groups and people, and nobody else."""

    def receive(self, word: str, mail: Mail) -> None:
        """A customer writes a new ticket."""

    def write(self, word: str, text: str) -> None:
        """Its customer writes again."""

    def say(self, word: str, agent: str, text: str, *, public: bool) -> None:
        """An agent answers, or notes."""

    def change(self, word: str, agent: str | None, fields: Mapping[str, Any]) -> None:
        """An agent, or a rule of the account, changes status, priority, group, assignee or tags; in common words."""

    def promise(self, word: str, due: int) -> None:
        """The helpdesk's own target: solved by then, in epoch seconds."""


@dataclass(slots=True, kw_only=True)
class Simulated:
    """What the demo's helpdesks have in common. `auth` are the keys of the account's credentials, as configured."""

    app: Any
    url: str
    account: str
    title: str
    auth: str
    tickets: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> Any:
        """The simulated account."""
        return getattr(self.app.state, self.title.lower())

    def config(self) -> str:
        return (
            f'\n[accounts.{self.account}]\nadapter = "{self.title.lower()}"\nurl = "{self.url}"\nbudget = 1.0\n'
            f'auth = {{ {self.auth} }}\nwebhook = {{ secret = "secret:{self.account}-webhook" }}\n'
        )

    def subscribe(self, service: str) -> None:
        self.desk.hooks.subscribe(f"{service}/hooks/{self.account}", secret=WEBHOOK_SECRET)
        self.desk.hooks.start()

    def settle(self) -> None:
        self.desk.hooks.stop()

    def answer(self, word: str, agent: str, text: str) -> None:
        self.desk.agent_says(self.tickets[word], agent, text)

    def quiet(self) -> bool:
        return not self.desk.hooks.waiting

    def write(self, word: str, text: str) -> None:
        self.desk.customer_says(self.tickets[word], text)

    def say(self, word: str, agent: str, text: str, *, public: bool) -> None:
        self.desk.agent_says(self.tickets[word], self.names[agent], text, public=public)

    def change(self, word: str, agent: str | None, fields: Mapping[str, Any]) -> None:
        ticket, told = self.tickets[word], self.own_words(fields)
        if told.get("assignee") is not None:
            told["assignee"] = self.names[told["assignee"]]
        if agent is None:
            self.desk.rule_changes(ticket, **told)
        else:
            self.desk.agent_changes(ticket, self.names[agent], **told)

    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The values as this helpdesk has them."""
        raise NotImplementedError

    def know(self, people: Iterable[Someone]) -> None:
        """From now on these are called by their labels."""
        self.names |= {each.label: each.name for each in people}
