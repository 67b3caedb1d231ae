"""Authority limits: up to which amount a person, or anybody in a group, may decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from policies.model import Ticket

Holder = Literal["assignee", "group"]
HOLDERS: tuple[Holder, ...] = ("assignee", "group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of the config: people by address, or by name where they have none, and groups by name."""

    people: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, float] = field(default_factory=dict)

    def any_for(self, holder: Holder) -> bool:
        """Whether anybody has a limit that this holder could be judged by; a group's serves its people too."""
        return bool(self.groups or (holder == "assignee" and self.people))

    def of(self, ticket: Ticket, holder: Holder) -> tuple[str, float] | None:
        """Whose limit decides on this ticket, and the limit: the assignee's own goes before that of the ticket's
        group. None if nobody is there who has one."""
        if holder == "assignee":
            if ticket.assignee is None:
                return None
            if ticket.assignee.label in self.people:
                return ticket.assignee.label, self.people[ticket.assignee.label]
        if ticket.group is not None and ticket.group.name in self.groups:
            return ticket.group.name, self.groups[ticket.group.name]
        return None
