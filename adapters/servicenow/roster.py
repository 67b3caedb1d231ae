"""What hardly changes: who we are, who is staff, whose user name is whose, which priority follows from what."""

import threading
from collections.abc import Callable, Iterable, Mapping

from adapters.base import AccessLost
from adapters.servicenow.journal import LONGEST_NAME
from adapters.servicenow.priority import Matrix
from adapters.servicenow.rows import Row, text
from policies.model import Instant, Seconds

KEPT: Seconds = 3600
"""How long it is believed who is staff and whose name is whose."""


class Roster:
    """Answers asked once and remembered. A lock is held while one is asked for.

    Who is staff is read whole at most once an hour, by ServiceNow's own clock (`now`); of somebody who was not among
    them it is asked once in that time whether they are by now.
    """

    def __init__(
        self,
        *,
        me: Callable[[], Row],
        staff: Callable[[], frozenset[str]],
        is_member: Callable[[str], bool],
        users: Callable[[Iterable[str]], Mapping[str, str]],
        matrix: Callable[[], Matrix],
        now: Callable[[], Instant],
    ) -> None:
        self._me = me
        self._staff = staff
        self._is_member = is_member
        self._users = users
        self._read_matrix = matrix
        self._now = now
        self._lock = threading.RLock()
        self._self: Row | None = None
        self._members: dict[str, bool] = {}
        self._members_at: Instant | None = None
        self._ids: dict[str, str | None] = {}
        self._ids_at: Instant = 0
        self._matrix: Matrix | None = None

    def bot(self) -> str:
        """The user name behind our credentials, as far as it is stamped on what we write."""
        found = text(self._row(), "user_name")
        if not found:
            raise AccessLost(
                "ServiceNow does not show us our own user_name. Let Uptier's user read it in sys_user"
            )
        return found[:LONGEST_NAME]

    def names(self) -> frozenset[str]:
        """What that user is called where something is stamped with its author."""
        row = self._row()
        return frozenset({self.bot(), text(row, "user_name"), text(row, "name")} - {""})

    def _row(self) -> Row:
        with self._lock:
            if self._self is None:
                self._self = self._me()
            return self._self

    def is_staff(self, user: str) -> bool:
        """Whether a user is in any group."""
        with self._lock:
            if self._members_at is None or self._now() - self._members_at > KEPT:
                self._members = dict.fromkeys(self._staff(), True)
                self._members_at = self._now()
            elif user not in self._members:
                self._members[user] = self._is_member(user)
            return self._members.setdefault(user, False)

    def ids(self, names: Iterable[str]) -> Mapping[str, str]:
        """The sys_ids of users by user name; a name that nobody has is left out."""
        with self._lock:
            if self._now() - self._ids_at > KEPT:
                self._ids, self._ids_at = {}, self._now()
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
