"""A clock that runs fast, the same in every process that is told where it began."""

import os
import threading
import time
from collections.abc import Callable

from policies.model import Instant

RATE = 20
BEGAN = "UPTIER_TEST_CLOCK_BEGAN"


class HastyClock:
    """`RATE` seconds pass in each real one, counted from `began` (real epoch seconds)."""

    def __init__(self, began: float) -> None:
        self.began = began

    @classmethod
    def told(cls) -> "HastyClock":
        """The clock of the process that started this one."""
        return cls(float(os.environ[BEGAN]))

    def now(self) -> Instant:
        return int(self.monotonic())

    def monotonic(self) -> float:
        return self.began + (time.time() - self.began) * RATE

    def rest_of_second(self) -> float:
        return 1.0 - self.monotonic() % 1.0

    def of_server(self, server: Callable[[], Instant]) -> Instant:  # noqa: ARG002 (the port's)
        return self.now()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / RATE)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(max(0.0, seconds) / RATE)
