"""Who we are, who is staff and what the form says: asked seldom and remembered for the life of the adapter."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from adapters.base import AccessLost, HelpdeskError, NotAllowed
from adapters.freshdesk.form import STATUS_NAMES, Form
from adapters.freshdesk.people import agent_of, ident
from adapters.freshdesk.session import Row
from policies.model import Agent, Directory, Group, Instant, Person, Seconds

AN_HOUR: Seconds = 3600
T = TypeVar("T")


class Roster:
    """Answers that hardly change. The whole directory is read once, and then as often as the connector does; an
    agent or a group that it does not name is asked for by itself, once. What nobody bears is remembered until the
    next reading.
    """

    def __init__(
        self,
        me: Callable[[], Row],
        read: Callable[[], Directory],
        form: Callable[[], Form],
        one_agent: Callable[[str, Directory], Agent | None],
        one_group: Callable[[str], Group | None],
    ) -> None:
        self._me = me
        self._read = read
        self._ask_form = form
        self._one_agent = one_agent
        self._one_group = one_group
        self._bot: str | None = None
        self._form: Form | None = None
        self._strange_statuses: frozenset[int] = frozenset()
        self._is_whole = False
        self._tried_at: Instant = 0
        self._lock = threading.Lock()
        self.nobody: frozenset[str] = frozenset()
        self.directory: Directory | None = None

    def bot(self) -> str:
        """The id of the agent behind our key."""
        if self._bot is None:
            self._bot = str(self._me()["id"])
        return self._bot

    def form(self, *statuses: object) -> Form:
        """The form, read again for a status number not met before."""
        numbers = frozenset(
            number for number in statuses if isinstance(number, int) and not isinstance(number, bool)
        )
        with self._lock:
            known = self._strange_statuses | STATUS_NAMES.keys()
            known |= self._form.statuses.keys() if self._form else frozenset()
            if self._form is None or numbers - known:
                self._form = self._ask_form()
                self._strange_statuses |= numbers - self._form.statuses.keys()
            return self._form

    def known_form(self) -> Form:
        """The form as last read, without any request; an empty one before that."""
        return self._form or Form()

    def renew(self, directory: Directory) -> None:
        """Take the directory over, and read the form again when it is next needed: names may be new."""
        with self._lock:
            self.directory, self._is_whole, self.nobody = directory, True, frozenset()
            self._form = None

    def naming(self, row: Row, at: Instant = 0) -> Directory | None:
        """The directory, with the row's group and agent in it if anybody bears those ids. `at` is Freshdesk's time.
        While the whole directory cannot be read, it is tried once an hour, and names are asked for one by one."""
        with self._lock:
            if not self._is_whole and not (self._tried_at and at < self._tried_at + AN_HOUR):
                read, _ = self._asked(self._read)
                self.directory, self._is_whole, self._tried_at = (
                    read or self.directory,
                    read is not None,
                    max(1, at),
                )
            known = self.directory or Directory(account="")
            group, agent = ident(row.get("group_id")), ident(row.get("responder_id"))
            if group is not None and self._is_strange(f"groups/{group}", {each.id for each in known.groups}):
                team, answered = self._asked(lambda: self._one_group(group))
                known = replace(known, groups=(*known.groups, team)) if team else known
                self.nobody |= {f"groups/{group}"} if answered and not team else frozenset()
            ids = {each.person.id for each in known.agents}
            if agent is not None and self._is_strange(f"agents/{agent}", ids):
                one, answered = self._asked(lambda: self._one_agent(agent, known))
                known = replace(known, agents=(*known.agents, one)) if one else known
                self.nobody |= {f"agents/{agent}"} if answered and not one else frozenset()
            self.directory = known
            return known

    def _is_strange(self, name: str, known: set[str]) -> bool:
        return name.partition("/")[2] not in known and name not in self.nobody

    @staticmethod
    def _asked(ask: Callable[[], T | None]) -> tuple[T | None, bool]:
        """What `ask` answers, and whether that is an answer: a ticket can be worked on without a name."""
        try:
            return ask(), True
        except AccessLost:
            raise
        except NotAllowed:
            return None, True
        except HelpdeskError:
            return None, False

    def agent(self, key: str, at: Instant = 0) -> Person | None:
        """The agent of that id, if there is one. `at` is Freshdesk's time."""
        return agent_of(self.naming({"responder_id": key}, at), key)
