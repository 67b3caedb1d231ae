"""What policies may refer to: accounts, calendars, templates, and the groups and people of the helpdesks, as far
as known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from policies.language.conditions import Limits
from policies.language.document import Path, did_you_mean
from policies.language.fields import CUSTOM, PHRASES, Field
from policies.language.phrases import Pack
from policies.language.policy import SlaSpec
from policies.language.reader import Table
from policies.model import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """Names one helpdesk knows. `staffed` are the groups with somebody in them, `on_call` those with a schedule."""

    groups: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    staffed: frozenset[str] = frozenset()
    on_call: frozenset[str] = frozenset()

    @classmethod
    def of(cls, directory: Directory) -> "KnownAccount":
        """The names in a directory; a person is known by address and by name."""
        people = [agent.person for agent in directory.agents]
        return cls(
            groups=frozenset(group.name for group in directory.groups),
            staffed=frozenset(
                group.name
                for group in directory.groups
                if any(group.id in agent.groups for agent in directory.agents)
            ),
            on_call=frozenset(directory.on_call),
            people=frozenset({p.name for p in people} | {p.address for p in people if p.address}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """By account. An account that is not in `accounts` is not judged: its directory was never read. The targets
    of those in `startless` never tell when they began."""

    accounts: Mapping[str, KnownAccount] = field(default_factory=dict)
    startless: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """`custom` maps each account to the custom fields it names; `people` are those the config itself knows,
    `on_call` the groups for which it says who is on call, `skills` those that anybody there has."""

    accounts: tuple[str, ...]
    custom: Mapping[str, frozenset[str]]
    calendars: Collection[str]
    templates: Collection[str]
    channels: Collection[str]
    people: frozenset[str]
    known: Known
    slas: tuple[SlaSpec, ...] = ()
    on_call: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    packs: Mapping[str, Pack] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def serving(self, accounts: frozenset[str] | None) -> tuple[str, ...]:
        """The accounts a policy serves; all if it names none."""
        return tuple(name for name in self.accounts if accounts is None or name in accounts)

    def choices(self, field: Field) -> Collection[str]:
        """The values that a condition may ask of this field; empty where any will do."""
        named: Mapping[str, Collection[str]] = {"account": self.accounts, PHRASES: tuple(self.packs)}
        return named.get(field.name, field.choices)

    def check_group(self, table: Table, key: str | Path, name: str, serves: Collection[str]) -> None:
        """Note every served account whose helpdesk has no such group."""
        for account, names in self.directories(serves):
            self.check(table, key, name, account, "group", names.groups)

    def check_person(self, table: Table, key: str | Path, name: str, serves: Collection[str]) -> None:
        """Note every served account whose helpdesk has no such person."""
        for account, names in self.directories(serves):
            self.check(table, key, name, account, "agent", names.people, "unknown-person")

    def check_owner(self, table: Table, key: str | Path, name: str, serves: Collection[str]) -> None:
        """Note every served account that knows neither group nor person of this name, nor does the config."""
        for account, names in self.directories(serves):
            known = names.groups | names.people | self.people
            self.check(table, key, name, account, "group or person", known, "unknown-owner")

    def check(
        self,
        table: Table,
        key: str | Path,
        name: str,
        account: str,
        what: str,
        known: Collection[str],
        code: str = "unknown-group",
    ) -> None:
        """Note a name that a helpdesk does not know."""
        if name not in known:
            hint = did_you_mean(name, known) or " Correct the name, or create it in the helpdesk."
            table.report(key, code, f'account {account} has no {what} "{name}".{hint}')

    def startless(self, serves: Collection[str], metric: str) -> list[str]:
        """The served accounts where a target of this metric never tells when it began, nor does `[sla]`."""
        told = {
            account
            for account in serves
            for sla in self.slas
            if sla.serves(account) and metric in sla.targets
        }
        return [account for account in serves if account in self.known.startless and account not in told]

    def is_mapped(self, table: Table, key: str | Path, field: Field, serves: Collection[str]) -> bool:
        """Whether every served account maps this custom field; each that does not is noted."""
        name = field.name.removeprefix(CUSTOM)
        lacking = [account for account in serves if name not in self.custom.get(account, ())]
        for account in lacking:
            hint = did_you_mean(name, self.custom.get(account, ()))
            text = f"`{field.name}` is not mapped for account {account}; add {name} under [accounts.{account}.fields]."
            table.report(key, "unmapped-field", text + hint)
        return not lacking

    def directories(self, serves: Collection[str]) -> list[tuple[str, KnownAccount]]:
        """The served accounts whose directory is known."""
        return [(name, self.known.accounts[name]) for name in serves if name in self.known.accounts]
