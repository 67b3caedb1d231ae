"""A real process of a fleet, as `uptier run --roles …` is one, until it is killed.

python -m tests.crash.node CONFIG ROLES [--quick]
"""

import os
import sys
import threading
from pathlib import Path

from connector import leaseholder
from connector.clock import SystemClock
from connector.engine.fleet import FleetEngine
from connector.roles import roles_named
from connector.service import Service
from tests.connector.beside import composed

QUICK = {"heartbeat": 0.5, "stalled_after": 3.0}


def main(config: Path, roles: str, *words: str) -> None:
    """Serve for ever; `--quick` gives a process up after seconds, for tests."""
    if words:
        FleetEngine.__init__.__kwdefaults__.update(QUICK)
        leaseholder.TERM = 8
    with composed(config, SystemClock(), os.environ, roles_named(roles)) as service:
        serve(service)


def serve(service: Service) -> None:
    """Until a signal ends the process."""
    service.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
