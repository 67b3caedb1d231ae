"""A real process of a fleet, as `uptier run --roles …` is one, until it is killed.

python -m tests.crash.node CONFIG ROLES [--quick] [--newer] [--brisk] [--wall=FILE]
"""

import os
import sys
import threading
from functools import partial
from pathlib import Path

from connector.app import leases
from connector.app import service as app_service
from connector.app.compose import roles_named
from connector.app.service import Service
from connector.clock import SystemClock
from connector.engine.fleet import FleetEngine
from connector.store import postgres, revision
from tests.connector.beside import composed
from tests.wall import Wall

NEWER = f"{int(revision.HEAD) + 1:04}"
QUICK = {"heartbeat": 0.5, "stalled_after": 3.0}
BRISK_SWEEP, BRISK_TICK, BRISK_POLL = 1, 0.5, 0.5
"""Seconds between two rounds of what production does every ten, every one, and as often as the config says."""


def main(config: Path, roles: str, *words: str) -> None:
    """Serve for ever; `--quick` gives a process up after seconds, `--brisk` looks more often what there is to do: for
    tests. `--newer` is a later release, whose tables are at `NEWER`. Its wall clock is as many seconds ahead as `FILE`
    says."""
    for word in words:
        if word.startswith("--wall="):
            file = Path(word.removeprefix("--wall="))
            Wall(partial(ahead, file)).put_up(setattr)
    if "--newer" in words:
        revision.HEAD = postgres.HEAD = NEWER
    if "--quick" in words:
        FleetEngine.__init__.__kwdefaults__.update(QUICK)
        leases.TERM = 8
    if "--brisk" in words:
        app_service.SWEEP, app_service.TICK = BRISK_SWEEP, BRISK_TICK
    with composed(config, SystemClock(), os.environ, roles_named(roles)) as service:
        for desk in service.parts.desks.values() if "--brisk" in words else ():
            object.__setattr__(desk, "poll", BRISK_POLL)  # no config may ask for so much
        serve(service)


def ahead(file: Path) -> float:
    """How far the wall clock is ahead."""
    return float(file.read_text(encoding="utf-8"))


def serve(service: Service) -> None:
    """Until a signal ends the process."""
    service.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
