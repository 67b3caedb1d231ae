"""A real process that serves as `uptier run` does, on a fast clock, until it is killed.

python -m tests.crash.serving CONFIG
"""

import os
import sys
import threading
from pathlib import Path

from tests.connector.beside import composed
from tests.crash.hasty import HastyClock


def main(config: Path) -> None:
    """Serve for ever."""
    with composed(config, HastyClock.told(), os.environ) as service:
        service.start()
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
