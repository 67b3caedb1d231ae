"""Who we are and who is staff, asked once and remembered for the life of the adapter."""

import threading
from collections.abc import Callable

from adapters.zendesk.people import Row, Rows
from policies.model import Directory


class Roster:
    """Answers that hardly change. The last directory lends its names to rows that come without people."""

    def __init__(self, me: Callable[[], Row], staff: Callable[[], Rows]) -> None:
        self._me = me
        self._staff = staff
        self._bot: str | None = None
        self._agents: frozenset[str] = frozenset()
        self._strangers: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self.directory: Directory | None = None

    def bot(self) -> str:
        """The id of the user behind our credentials."""
        if self._bot is None:
            self._bot = str(self._me()["id"])
        return self._bot

    def is_staff(self, user: str) -> bool:
        """Whether a user is an agent or admin. The staff list is read again for a user not met before."""
        with self._lock:
            if user not in self._agents | self._strangers:
                self._agents = frozenset(self._staff())
                self._strangers |= {user} - self._agents
            return user in self._agents
