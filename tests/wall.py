"""A wall clock that tests may set, forwards and back, while the monotonic one goes on: what NTP or a person does to a
machine, done to this process."""

import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.date
import apscheduler.triggers.interval

HOUR = 3600
DAY = 86400
STEPS = (-HOUR, HOUR, -DAY, DAY)

real_time = time.time


class Wall:
    """How far the wall clock is from the machine's, in seconds. `read` may ask somebody else instead."""

    def __init__(self, read: Callable[[], float] | None = None) -> None:
        self.ahead = 0.0
        self._read = read or (lambda: self.ahead)

    def time(self) -> float:
        """Stands in for `time.time`."""
        return real_time() + self._read()

    def put_up(self, put: Callable[[Any, str, Any], None]) -> None:
        """Everything of this process that asks for the wall time asks here; `put` is `setattr` or monkeypatch's."""
        wall = self

        class Datetime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> "Datetime":
                return cls.fromtimestamp(wall.time(), tz)

        put(time, "time", self.time)
        for module in (
            apscheduler.executors.base,
            apscheduler.schedulers.base,
            apscheduler.triggers.interval,
            apscheduler.triggers.date,
        ):
            put(module, "datetime", Datetime)
