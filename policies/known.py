"""What is known of the helpdesks when files are checked: groups, people and what an SLA target tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.model import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """Names one helpdesk knows. `target_start` is whether its SLA targets tell when they began; None: not known."""

    groups: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    target_start: bool | None = None

    @classmethod
    def of(cls, directory: Directory, target_start: bool | None = None) -> "KnownAccount":
        """The names in a directory; a person is known by address and by name."""
        people = [agent.person for agent in directory.agents]
        return cls(
            groups=frozenset(group.name for group in directory.groups),
            people=frozenset({p.name for p in people} | {p.address for p in people if p.address}),
            target_start=target_start,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """By account. An account that is not in it is not judged: its directory was never read."""

    accounts: Mapping[str, KnownAccount] = field(default_factory=dict)
