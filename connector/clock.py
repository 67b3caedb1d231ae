"""The only place that asks the system for the time, reads one that a person typed, or makes a thread wait for it; and
how far others' clocks are from ours: each helpdesk's, and on a fleet the database's."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import structlog

from policies import model
from policies.model import Instant, Seconds

STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
LOOK_AGAIN = 0.01  # real seconds between two looks of a thread that waits on a manual clock

TELLING: Seconds = 30
"""A clock that is further off is told of."""

DATABASE = "the database"
NEXT = "set this machine's clock by NTP, or theirs"

log = structlog.get_logger()


class Clock(Protocol):
    """What the connector knows of time. A test or the demo gives a `ManualClock` instead of the system's."""

    def now(self) -> Instant:
        """Whole seconds since 1970-01-01T00:00Z, rounded down."""

    def rest_of_second(self) -> float:
        """How long it takes until `now` is a second later."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean something."""

    def of_server(self, server: Callable[[], Instant]) -> Instant:
        """The time by which machines understand each other: what `server`, the database's, answers."""

    def sleep(self, seconds: float) -> None:
        """Come back after `seconds`; at once if they are not positive."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Come back when `event` is set (True) or after `seconds` (False)."""


class SystemClock:
    """The machine's time."""

    def now(self) -> Instant:
        """Whole seconds of the machine's wall clock."""
        return int(time.time())

    def rest_of_second(self) -> float:
        """By the machine's wall clock."""
        return 1.0 - time.time() % 1.0

    def monotonic(self) -> float:
        """The machine's monotonic clock; where there is one that goes on while the machine is suspended, that."""
        return time.clock_gettime(STEADY)

    def of_server(self, server: Callable[[], Instant]) -> Instant:
        """The server's own."""
        return server()

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

    def of_server(self, server: Callable[[], Instant]) -> Instant:
        """The server's own, moved as far as ours."""
        return server() + self._offset

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

    def rest_of_second(self) -> float:
        """A whole second where it was moved to one."""
        return 1.0 - self._seconds % 1.0

    def monotonic(self) -> float:
        """The same time, with its fraction."""
        return self._seconds

    def of_server(self, server: Callable[[], Instant]) -> Instant:  # noqa: ARG002 (the port's)
        """The same: there is one time for all."""
        return self.now()

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


class Steps:
    """Notices when the wall clock is set, forwards or back, while the machine's monotonic one goes on."""

    def __init__(self) -> None:
        self._ahead = self._now_ahead()

    def since_last(self, least: float) -> float:
        """By how many seconds the wall clock was set since this was asked last; 0 for less than `least`."""
        ahead = self._now_ahead()
        step = ahead - self._ahead
        if abs(step) < least:
            return 0.0
        self._ahead = ahead
        return step

    @staticmethod
    def _now_ahead() -> float:
        return time.time() - time.clock_gettime(STEADY)


def moment_asked(text: str, now: Instant) -> Instant:
    """`now`, `+2h`, `-24h`, or a date with a time such as `2026-11-26 14:00`. ValueError says what would do."""
    said = text.strip()
    if said == "now":
        return now
    if said.startswith("+"):
        return now + model.seconds(said[1:])
    if said.startswith("-"):
        return now - model.seconds(said[1:])
    try:
        return int(datetime.fromisoformat(said).astimezone().timestamp())
    except ValueError:
        raise ValueError(f'{text!r} is no time; write "now", "+2h", "-24h" or "2026-11-26 14:00"') from None


class ClockSkew:
    """The last difference seen of each account's clock, and of the database's under an empty name, which no account
    has: theirs minus ours. Signed webhooks are refused beyond five minutes, and what is stored for others to go by is
    stamped by the database. Any thread may use it."""

    def __init__(self) -> None:
        self._seen: dict[str, Seconds] = {"": 0}

    def note(self, account: str, skew: Seconds) -> None:
        """Keep it, and say when it becomes more than `TELLING` or no longer is."""
        before, self._seen[account] = self._seen.get(account, 0), skew
        whose = {"account": account} if account else {"whose": DATABASE}
        if abs(skew) > TELLING >= abs(before):
            log.warning("clock_skew", seconds=skew, next=NEXT, **whose)
        elif abs(before) > TELLING >= abs(skew):
            log.info("clock_skew_over", seconds=skew, **whose)

    def seen(self) -> dict[str, Seconds]:
        """By account, and of the database under an empty name."""
        return dict(self._seen)

    def telling(self) -> tuple[tuple[str, str], ...]:
        """Whose clock is too far from this process's, and what to do."""
        return telling(self._seen)


def telling(skews: Mapping[str, Seconds]) -> tuple[tuple[str, str], ...]:
    """Of clocks by account, and of the database's under an empty name, those that are too far off, and what to do."""
    known = sorted(skews.items(), key=lambda one: (one[0] == "", one[0]))
    return tuple((whose or DATABASE, said(skew)) for whose, skew in known if abs(skew) > TELLING)


def said(skew: Seconds) -> str:
    """How far a clock is from ours, and what to do where that is too far."""
    if abs(skew) <= TELLING:
        return f"its clock is within {TELLING} s of ours"
    return f"its clock is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} ours; {NEXT}"
