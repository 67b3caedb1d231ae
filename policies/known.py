"""What is known of the helpdesks when files are checked: groups, people and what SLA targets tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.model import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """Names one helpdesk knows."""

    groups: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()

    @classmethod
    def of(cls, directory: Directory) -> "KnownAccount":
        """The names in a directory; a person is known by address and by name."""
        people = [agent.person for agent in directory.agents]
        return cls(
            groups=frozenset(group.name for group in directory.groups),
            people=frozenset({p.name for p in people} | {p.address for p in people if p.address}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """By account. An account that is not in `accounts` is not judged: its directory was never read. The targets
    of those in `startless` never tell when they began."""

    accounts: Mapping[str, KnownAccount] = field(default_factory=dict)
    startless: frozenset[str] = frozenset()
