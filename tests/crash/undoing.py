"""A real process that carries out the undos that are under way, and may kill itself (SIGKILL) at a COMMIT as
`tests.crash.child` does.

It prints how many COMMITs it made. Whoever sleeps moves its clock.
"""

import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from connector.app.undoing import carry_out_here
from connector.store import undone
from tests.connector.beside import composed
from tests.crash.child import Commits, Impatient


def main(config: Path, moment: str = "", at: int = 0) -> None:
    """Go on once."""
    commits = Commits(moment, at)

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        commits(dialect, connection)

    DefaultDialect.do_commit = commit  # type: ignore[method-assign]
    with composed(config, Impatient(), os.environ) as service:
        with service.parts.store.reading() as connection:
            refs = sorted(undone.under_way(connection))
        carry_out_here(service.parts, refs, lambda _: None)
    sys.stdout.write(f"{commits.made}\n")
