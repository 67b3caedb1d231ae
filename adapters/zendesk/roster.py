"""What hardly changes and many rows need: who we are, who is who, what custom statuses are called, which values a
field takes. Asked once and remembered until the directory is read again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.base import NotAllowed
from adapters.zendesk.reading import Row
from policies.model import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """How to ask: for ourselves, one person (None: there is none), labels of custom statuses by id, and whether
    Zendesk keeps SLA targets for us. All but the first may raise NotAllowed."""

    me: Callable[[], Row]
    person: Callable[[str], Row | None]
    statuses: Callable[[], Mapping[str, str]]
    targets: Callable[[], bool]


class Roster:
    """One account's. Any thread may ask."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._bot: str | None = None
        self._met: dict[str, Row | None] = {}
        self._statuses: Mapping[str, str] | None = None
        self._targets: bool | None = None
        self.directory: Directory | None = None
        self.choices: Mapping[str, tuple[str, ...]] = {}

    def refresh(self, directory: Directory, choices: Mapping[str, tuple[str, ...]]) -> None:
        """Take a directory that was just read, and the values that fields take by their ids; people and labels are
        asked for anew when they are met again."""
        self._met = {}
        self._statuses = self._targets = None
        self.directory, self.choices = directory, choices or self.choices

    def bot(self) -> str:
        """The id of the user behind our credentials."""
        if self._bot is None:
            self._bot = str(self._sources.me()["id"])
        return self._bot

    def person(self, key: str) -> Row | None:
        """The user of that id, asked for by itself and once; None where there is no such user. Raises NotAllowed."""
        met = self._met
        if key not in met:
            met[key] = self._sources.person(key)
        return met[key]

    def role_of(self, key: str) -> str | None:
        """The role of a user, None where there is no such user. Raises NotAllowed."""
        known = self.directory.agents if self.directory else ()
        if any(agent.person.id == key for agent in known):
            return "agent"
        role = (self.person(key) or {}).get("role")
        return role if isinstance(role, str) else None

    def statuses(self) -> Mapping[str, str] | None:
        """The labels of custom statuses by id; None where Zendesk does not show them to us."""
        if self._statuses is None:
            try:
                self._statuses = self._sources.statuses()
            except NotAllowed:
                return None
        return self._statuses

    def has_targets(self) -> bool:
        """Whether this account has SLA targets, so that a ticket without any word of them hides them."""
        if self._targets is None:
            try:
                self._targets = self._sources.targets()
            except NotAllowed:
                self._targets = False
        return bool(self._targets)
