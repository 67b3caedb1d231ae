"""A real process that applies a plan, and may kill itself (SIGKILL) at a COMMIT as `tests.crash.child` does.

It prints how many COMMITs it made and how each line ended. Whoever sleeps moves its clock.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from connector.app.applying import apply_here
from connector.work.plans import from_file
from tests.connector.beside import composed
from tests.crash.child import Commits, Impatient


def main(config: Path, plan: Path, moment: str = "", at: int = 0) -> None:
    """Apply it once."""
    commits = Commits(moment, at)

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        commits(dialect, connection)

    DefaultDialect.do_commit = commit  # type: ignore[method-assign]
    with composed(config, Impatient(), os.environ) as service:
        done = apply_here(service.parts, from_file(plan.read_text(encoding="utf-8")), "eli", lambda _: None)
    ended = {ticket: fate for ticket, (fate, _) in done.fates.items()}
    sys.stdout.write(
        json.dumps({"commits": commits.made, "fates": ended, "waiting": dict(done.waiting)}) + "\n"
    )
