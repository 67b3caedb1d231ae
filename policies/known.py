"""What is known of the helpdesks when files are checked: groups, people and what SLA targets tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
