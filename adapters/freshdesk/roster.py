"""Who we are, who is staff and what the form says: asked seldom and remembered for the life of the adapter."""

import threading
from collections.abc import Callable

from adapters.freshdesk.form import STATUS_NAMES, Form
from adapters.freshdesk.people import agent_of, knows
from adapters.freshdesk.session import Row
from policies.model import Directory, Person


class Roster:
    """Answers that hardly change. Each is asked for again only when a row names what is not in it."""

    def __init__(
        self, me: Callable[[], Row], read: Callable[[], Directory], form: Callable[[], Form]
    ) -> None:
        self._me = me
        self._read = read
        self._ask_form = form
        self._bot: str | None = None
        self._form: Form | None = None
        self._strange_statuses: frozenset[int] = frozenset()
        self._strangers: frozenset[tuple[str, str]] = frozenset()
        self._lock = threading.Lock()
        self.directory: Directory | None = None

    def bot(self) -> str:
        """The id of the agent behind our key."""
        if self._bot is None:
            self._bot = str(self._me()["id"])
        return self._bot

    def form(self, *statuses: object) -> Form:
        """The form, read again for a status number not met before."""
        numbers = frozenset(number for number in statuses if isinstance(number, int))
        with self._lock:
            known = self._strange_statuses | STATUS_NAMES.keys()
            known |= self._form.statuses.keys() if self._form else frozenset()
            if self._form is None or numbers - known:
                self._form = self._ask_form()
                self._strange_statuses |= numbers - self._form.statuses.keys()
            return self._form

    def renew(self, directory: Directory) -> None:
        """Take the directory over, and read the form again when it is next needed: names may be new."""
        with self._lock:
            self.directory, self._form = directory, None

    def naming(self, row: Row) -> Directory | None:
        """The directory, read again for a group or an agent not met before."""
        named = (str(row.get("group_id")), str(row.get("responder_id")))
        with self._lock:
            if not knows(self.directory, row) and named not in self._strangers:
                self.directory = self._read()
                if not knows(self.directory, row):
                    self._strangers |= {named}
            return self.directory

    def agent(self, key: str) -> Person | None:
        """The agent of that id, if there is one."""
        return agent_of(self.naming({"responder_id": key}), key)
