"""The only place that asks the system for the time, or makes a thread wait for it."""

import threading
import time
from typing import Protocol

from policies.model import Instant

LOOK_AGAIN = 0.01  # real seconds between two looks of a thread that waits on a manual clock


class Clock(Protocol):
    """What the connector knows of time. A test or the demo gives a `ManualClock` instead of the system's."""

    def now(self) -> Instant:
        """Whole seconds since 1970-01-01T00:00Z, rounded down."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean something."""

    def sleep(self, seconds: float) -> None:
        """Come back after `seconds`; at once if they are not positive."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Come back when `event` is set (True) or after `seconds` (False)."""


class SystemClock:
    """The machine's time."""

    def now(self) -> Instant:
        """Whole seconds of the machine's wall clock."""
        return int(time.time())

    def monotonic(self) -> float:
        """The machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(max(0.0, seconds))

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Block this thread until the event, at most `seconds`."""
        return event.wait(max(0.0, seconds))


class ShiftedClock(SystemClock):
    """The machine's time and an offset that only grows: seconds pass by themselves, hours by `advance`."""

    def __init__(self) -> None:
        self._offset = 0

    def now(self) -> Instant:
        """Whole seconds, the offset included."""
        return int(time.time()) + self._offset

    def advance(self, seconds: int) -> None:
        """Let time jump. ValueError if that would be backwards."""
        if seconds < 0:
            raise ValueError(f"time cannot run backwards: advance({seconds})")
        self._offset += seconds


class ManualClock:
    """Time that stands still until somebody moves it. Any thread may read and move it.

    Whoever sleeps moves it; whoever waits on an event does not, and comes back once others have moved it on.
    """

    def __init__(self, start: Instant) -> None:
        self._seconds = float(start)
        self._lock = threading.Lock()

    def now(self) -> Instant:
        """The seconds it was moved to, rounded down."""
        return int(self._seconds)

    def monotonic(self) -> float:
        """The same time, with its fraction."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move it on. ValueError if that would be backwards."""
        if seconds < 0:
            raise ValueError(f"time cannot run backwards: advance({seconds})")
        with self._lock:
            self._seconds += seconds

    def sleep(self, seconds: float) -> None:
        """Move it on by `seconds` and come back at once."""
        self.advance(max(0.0, seconds))

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Come back when the event is set, or when others have moved the time by `seconds`."""
        until = self._seconds + seconds
        while self._seconds < until:
            if event.wait(LOOK_AGAIN):
                return True
        return event.is_set()
