"""What a report is made with, tickets aside: the period, now, calendars, policies. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass

from connector.report.period import Period
from policies.language.policy import Policy, PolicySet
from policies.model import Directory, Instant, Seconds
from policies.rules.calendars import Calendar

WINDOW: Seconds = 7 * 86_400
"""How long after a solving a reopening counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`business` is the calendar of business times, None without one. `window` is how long, in
    seconds, a reopening counts."""

    period: Period
    now: Instant
    policies: PolicySet
    calendars: Mapping[str, Calendar]
    business: Calendar | None = None
    window: Seconds = WINDOW

    def policy(self, name: str) -> Policy | None:
        """The policy of this name as it is now; None if it was removed or renamed."""
        return next((each for each in self.policies.policies if each.name == name), None)

    def only_notifies(self, policy: str, level: str) -> bool:
        """Whether the level, as it is written now, does nothing but tell a channel. Such a level is no escalation."""
        known = self.policy(policy)
        found = next((each for each in known.levels if each.name == level), None) if known else None
        if found is None:
            return False
        return all(
            each.owner is None
            and not (each.assign or each.priority or each.note or each.reply)
            and not (each.tags or each.untag or each.set or each.follow)
            for each in found.variants
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Groups of one account: names by id, and the ids of each group's members; both empty if never read."""

    names: Mapping[str, str]
    members: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, directory: Directory | None) -> "People":
        """The groups as the directory tells them."""
        if directory is None:
            return cls(names={}, members={})
        members = {
            group.id: frozenset(each.person.id for each in directory.agents if group.id in each.groups)
            for group in directory.groups
        }
        return cls(names={group.id: group.name for group in directory.groups}, members=members)

    def name(self, group: object) -> str:
        """The group's name; its id where nobody knows the name."""
        return "no group" if group is None else self.names.get(str(group), str(group))
