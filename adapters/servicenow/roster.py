"""What hardly changes: who we are, who is staff, whose user name is whose, which priority follows from what."""

import threading
from collections.abc import Callable, Iterable, Mapping

from adapters.servicenow.priority import Matrix
from adapters.servicenow.rows import Row, needed, text


class Roster:
    """Answers asked once and remembered for the life of the adapter. A lock is held while one is asked for."""

    def __init__(
        self,
        *,
        me: Callable[[], Row],
        staff: Callable[[], frozenset[str]],
        users: Callable[[Iterable[str]], Mapping[str, str]],
        matrix: Callable[[], Matrix],
    ) -> None:
        self._me = me
        self._staff = staff
        self._users = users
        self._read_matrix = matrix
        self._lock = threading.RLock()
        self._self: Row | None = None
        self._agents: frozenset[str] = frozenset()
        self._strangers: frozenset[str] = frozenset()
        self._ids: dict[str, str | None] = {}
        self._matrix: Matrix | None = None

    def bot(self) -> str:
        """The user name behind our credentials."""
        return needed(self._row(), "user_name")

    def names(self) -> frozenset[str]:
        """What that user is called where something is stamped with its author."""
        return frozenset({self.bot(), text(self._row(), "name")} - {""})

    def _row(self) -> Row:
        with self._lock:
            if self._self is None:
                self._self = self._me()
            return self._self

    def is_staff(self, user: str) -> bool:
        """Whether a user is in any group. The members are read again for a user not met before."""
        with self._lock:
            if user not in self._agents | self._strangers:
                self._agents = self._staff()
                self._strangers |= {user} - self._agents
            return user in self._agents

    def ids(self, names: Iterable[str]) -> Mapping[str, str]:
        """The sys_ids of users by user name; a name that nobody has is left out."""
        with self._lock:
            asked = set(names)
            new = asked - self._ids.keys()
            if new:
                self._ids |= dict.fromkeys(new) | dict(self._users(sorted(new)))
            return {name: key for name in asked if (key := self._ids[name])}

    def matrix(self) -> Matrix:
        """The priority of each impact and urgency."""
        with self._lock:
            if self._matrix is None:
                self._matrix = self._read_matrix()
            return self._matrix
