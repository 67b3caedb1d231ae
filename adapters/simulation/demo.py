"""What the demo's story and a drill ask of a simulated helpdesk: who is there, what happens, and how a ticket stands.

A simulator takes part by a module `demo` in the package of its `create`, with a class `Desk` in it, which is made of
`app` and `url`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

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


GROUPS = ("Tier 1", "Tier 2", "Duty managers", "Escalations")
STAFF = (
    Someone(label="Ann", name="Ann", address="ann@acme.test", groups=("Tier 1", "Tier 2")),
    Someone(label="Dana", name="Dana", address="dana@acme.test", groups=("Duty managers",)),
    Someone(label="Eli", name="Eli", address="eli@acme.test", groups=("Escalations",)),
)
CLEO = Someone(label="Cleo", name="Cleo", address="cleo@initech.test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a customer writes first, in common words. `status` is None for the usual one, `agent` is who wrote it for
    them, `id` is the ticket's, if that is not the helpdesk's to choose."""

    customer: str
    subject: str
    description: str
    priority: str | None
    status: str | None = None
    group: str | None = None
    assignee: str | None = None
    tags: tuple[str, ...] = ()
    agent: str | None = None
    id: str | None = None


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
        """`GROUPS`, `STAFF` and `CLEO`."""

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

    def receive(self, word: str, mail: Mail, at: int | None = None) -> None:
        """A customer writes a new ticket; `at` is when in epoch seconds, if not now."""

    def write(self, word: str, text: str, *, author: str | None = None, automatic: bool = False) -> None:
        """Its customer, or `author`, writes again; `automatic` is what a machine of theirs sent."""

    def say(self, word: str, agent: str | None, text: str, *, public: bool) -> None:
        """An agent, or a rule of the account, answers or notes."""

    def change(self, word: str, agent: str | None, fields: Mapping[str, Any]) -> None:
        """An agent, or a rule of the account, changes status, priority, group, assignee or tags; in common words."""

    def promise(self, word: str, due: int) -> None:
        """The helpdesk's own target: solved by then, in epoch seconds."""


def lacking(part: object) -> tuple[str, ...]:
    """What of `DemoDesk` a simulator's part, or one of another version of Uptier, does not have."""
    asked = (name for name, each in vars(DemoDesk).items() if callable(each) and not name.startswith("_"))
    abstract: frozenset[str] = getattr(part, "__abstractmethods__", frozenset())
    return tuple(sorted({name for name in asked if not hasattr(part, name)} | abstract))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a simulator calls people and things where two do not agree: the rows that it is seeded with, a customer's
    organization, who asks on a new ticket, and the mark of what a machine sent. `opening` is what a new ticket is
    opened with beside that, `outbound` the same for one that an agent writes, and `opener` is that agent."""

    agents: str = "agents"
    customers: str = "users"
    organizations: str = "organizations"
    organization: str = "organization"
    asker: str = "requester"
    opening: Mapping[str, Any] = field(default_factory=dict)
    outbound: Mapping[str, Any] = field(default_factory=dict)
    opener: str | None = None
    automatic: str = "automatic"


@dataclass(slots=True, kw_only=True)
class Simulated(ABC):
    """What the demo's helpdesks have in common. `auth` are the keys of the account's credentials, as configured."""

    terms: ClassVar[Terms]
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

    def quiet(self) -> bool:
        return not self.desk.hooks.waiting

    def furnish(self) -> None:
        self.fill(GROUPS, STAFF, (CLEO,))

    def fill(self, groups: Sequence[str], agents: Sequence[Someone], customers: Sequence[Someone]) -> None:
        self.names |= {each.label: each.name for each in (*agents, *customers)}
        terms = self.terms
        organizations = dict.fromkeys(each.organization for each in customers if each.organization)
        rows: dict[str, list[dict[str, Any]]] = {
            "groups": [{"name": name} for name in groups],
            terms.organizations: [{"name": name} for name in organizations],
            terms.agents: [{"name": one.name, "email": one.address, "groups": one.groups} for one in agents],
        }
        rows.setdefault(terms.customers, []).extend(
            {"name": one.name, "email": one.address}
            | ({terms.organization: one.organization} if one.organization else {})
            for one in customers
        )
        self.desk.seed(**rows)

    def open(self, word: str, subject: str, tag: str, at: int | None = None) -> None:
        mail = Mail(
            customer=CLEO.label,
            subject=subject,
            description="Help!",
            priority="urgent",
            group=GROUPS[0],
            tags=(tag,),
        )
        self.receive(word, mail, at)

    def receive(self, word: str, mail: Mail, at: int | None = None) -> None:
        names = ("status", "priority", "group", "assignee", "tags")
        told = {name: getattr(mail, name) for name in names}
        self.tickets[word] = self.desk.open(
            **{self.terms.asker: self.called(mail.customer)},
            subject=mail.subject,
            description=mail.description,
            at=at,
            **self.opened_with(mail.agent),
            **({} if mail.id is None else self.numbered(mail.id)),
            **self.told({name: value for name, value in told.items() if value is not None}),
        )

    def answer(self, word: str, agent: str, text: str) -> None:
        self.say(word, agent, text, public=True)

    def write(self, word: str, text: str, *, author: str | None = None, automatic: bool = False) -> None:
        by = {} if author is None else {"author": self.called(author)}
        flag = {self.terms.automatic: True} if automatic else {}
        self.desk.customer_says(self.tickets[word], text, **by, **flag)

    def say(self, word: str, agent: str | None, text: str, *, public: bool) -> None:
        if agent is None:
            self.desk.rule_says(self.tickets[word], text, public=public)
        else:
            self.desk.agent_says(self.tickets[word], self.called(agent), text, public=public)

    def change(self, word: str, agent: str | None, fields: Mapping[str, Any]) -> None:
        if agent is None:
            self.desk.rule_changes(self.tickets[word], **self.told(fields))
        else:
            self.desk.agent_changes(self.tickets[word], self.called(agent), **self.told(fields))

    def told(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The values as this helpdesk has them, with people by their names."""
        assignee = fields.get("assignee")
        return self.own_words(fields if assignee is None else {**fields, "assignee": self.called(assignee)})

    def called(self, label: str) -> str:
        """The name of the person whom the story calls so."""
        return self.names.get(label, label)

    def opened_with(self, agent: str | None) -> dict[str, Any]:
        """What a new ticket is opened with, if this agent writes it, or nobody but the customer."""
        terms = self.terms
        if agent is None:
            return {**terms.opening}
        return {
            **terms.opening,
            **terms.outbound,
            **({terms.opener: self.called(agent)} if terms.opener else {}),
        }

    def numbered(self, key: str) -> dict[str, Any]:
        """What makes a new ticket have this id."""
        return {"id": int(key)}

    @abstractmethod
    def own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The values as this helpdesk has them; what it cannot have, such as no priority, is left out."""
