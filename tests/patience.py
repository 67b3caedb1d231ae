"""Waiting for what other threads and processes will do: as short as they let it be, and never for good."""

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which a test gives up. Nothing that works comes near it, also on a busy machine."""


def until(holds: Callable[[], bool]) -> None:
    """Return as soon as this holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
