"""A real process that works one round of `uptier run --once` and may kill itself (SIGKILL) at a COMMIT: `before` 7 in
front of its seventh, `after` 7 behind it; without these it works until nothing is due.

It prints how many COMMITs it made. Its clock is the machine's, but whoever sleeps moves it instead.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from connector.clock import ShiftedClock
from tests.connector.beside import composed


class Impatient(ShiftedClock):
    """Nobody waits: a sleep moves the time."""

    def sleep(self, seconds: float) -> None:
        """Move the time on, by whole seconds."""
        self.advance(int(seconds) + 1)


class Commits:
    """Counts COMMITs, and kills the process at the one it was told."""

    def __init__(self, moment: str, at: int) -> None:
        self.made = 0
        self._moment, self._at = moment, at
        self._commit = DefaultDialect.do_commit

    def __call__(self, dialect: DefaultDialect, connection: Any) -> None:
        """Stands in for the dialect's own commit."""
        self.made += 1
        if self.made == self._at and self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        self._commit(dialect, connection)
        if self.made == self._at and self._moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)


def main(config: Path, moment: str = "", at: int = 0) -> None:
    """One round."""
    commits = Commits(moment, at)

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        commits(dialect, connection)

    DefaultDialect.do_commit = commit  # type: ignore[method-assign]
    with composed(config, Impatient(), os.environ) as service:
        service.once(lambda _: None)
    sys.stdout.write(f"{commits.made}\n")
