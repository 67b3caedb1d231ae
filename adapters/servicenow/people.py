"""Who is who: groups and people out of a row's own columns, and who did a thing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.servicenow.profile import Profile
from adapters.servicenow.rows import Row, label, raw, text, truth
from policies.model import Group, Person, Who

SYSTEM = frozenset({"", "system", "glide.maint"})
GUEST = "guest"
PERSON = {"email": "address", "vip": "vip", "company": "organization"}
"""What is asked of a person beside the name, by walking through the reference, and what policies call it."""

CONSUMER = {"email": "address"}
"""A consumer of Customer Service Management is no user and has no more than that."""


def person(row: Row, column: str) -> Person | None:
    """The person a reference column names, with what was walked to."""
    key = text(row, column)
    if not key:
        return None
    return Person(
        id=key,
        name=label(row, column) or key,
        address=text(row, f"{column}.email") or None,
        organization=label(row, f"{column}.company") or None,
        vip=truth(row, f"{column}.vip") is True,
    )


def group(row: Row, column: str) -> Group | None:
    """The group a reference column names."""
    key = text(row, column)
    return Group(id=key, name=label(row, column) or key) if key else None


def parts_of(column: str) -> Mapping[str, str]:
    """What is asked of the person in that column."""
    return CONSUMER if column == "consumer" else PERSON


def requester_column(profile: Profile, row: Row) -> str | None:
    """The column that says whose wish this record is; None where nobody's."""
    return next((column for column in profile.requesters if text(row, column)), None)


def hidden_of_requester(profile: Profile, row: Row) -> frozenset[str]:
    """What cannot be told of whoever wishes it, by common name: somebody may stand in a column that is not shown.
    Walking through a reference that is empty gives no column either, and that hides nobody."""
    column = requester_column(profile, row)
    if column is None:
        walked = {name: name.rpartition(".")[0] for name in profile.requesters}
        absent = [
            name for name, through in walked.items() if raw(row, name) is None and raw(row, through) != ""
        ]
        return frozenset(
            {"requester", *(f"requester.{part}" for part in ("name", *PERSON.values()))} if absent else ()
        )
    parts = parts_of(column).items()
    return frozenset(f"requester.{name}" for part, name in parts if raw(row, f"{column}.{part}") is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """Tells who did a thing from the user name that ServiceNow stamps on it (rule 11).

    Rules run as whoever set them off, so what a rule did inside a person's update is that person's here. The
    audit may give a full name instead, so `bot` are both of ours. `users` are sys_ids by user name. The platform
    acts as `system`, and as `guest` where nobody signed in.
    """

    bot: frozenset[str]
    requester: str | None
    users: Mapping[str, str]
    is_staff: Callable[[str], bool]

    def wrote(self, user: str, *, public: bool) -> Who:
        """Who wrote a journal entry. Work notes are for staff alone; a comment by a guest came from outside."""
        if user in self.bot:
            return Who.BOT
        if user in SYSTEM:
            return Who.AUTOMATION
        if not public:
            return Who.AGENT
        return Who.CUSTOMER if user == GUEST else self._person(user)

    def changed(self, user: str) -> Who:
        """Who changed a column. Nobody from outside does so but the requester."""
        if user in self.bot:
            return Who.BOT
        if user in SYSTEM or user == GUEST:
            return Who.AUTOMATION
        return self._person(user) if self.person(user) == self.requester else Who.AGENT

    def person(self, user: str) -> str | None:
        """The sys_id of a user, the name itself where there is none; None for the platform."""
        return None if user in SYSTEM or user == GUEST else self.users.get(user, user)

    def _person(self, user: str) -> Who:
        return Who.AGENT if self.is_staff(self.users.get(user, user)) else Who.CUSTOMER
