"""A real process that applies a plan, and may kill itself (SIGKILL) at a COMMIT.

    python -m tests.crash.applying CONFIG PLAN                  applies it
    python -m tests.crash.applying CONFIG PLAN before 7         dies in front of its seventh COMMIT
    python -m tests.crash.applying CONFIG PLAN after 7          dies behind it

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


def main(config: Path, plan: Path, moment: str, at: int) -> None:
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


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        *((sys.argv[3], int(sys.argv[4])) if len(sys.argv) > 3 else ("", 0)),
    )
