"""Threads and timed jobs that outlive what goes wrong in them, and what is wrong with this process just now.

Nothing that a thread or a job raises ends it: it is said once, counted while it lasts, and tried again; when it works
again that is said too. What lasts is told by `/readyz`, the page Health and the metrics.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from adapters.http import clean
from connector.store.fleet import Failing
from connector.store.trouble import StoreTrouble
from policies.model import Instant, Seconds

log = structlog.get_logger()


SAID_EVERY: Seconds = 3600
"""How often what lasts is said again, with its count."""

PROVEN_AFTER: Seconds = 60
"""A thread that was begun again is well once it has run for so long."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 30.0
"""Real seconds between two beginnings of a thread that fails at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """What is wrong with a thread or a job of this process: since when, how often, and what it last said. It is over
    when somebody says so, or with `over_at` at that time."""

    name: str
    why: str
    since: Instant
    times: int
    over_at: Instant | None
    said_at: Instant


class Ailments:
    """What is wrong with this process at the moment, by name. Any thread may tell and ask. `now` is by a clock that
    nobody sets."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[str, Ailment] = {}

    def found(self, name: str, error: BaseException, *, passes: Seconds | None = None) -> None:
        """Note that this failed again; with `passes` it is over by itself if it has not failed for so many seconds."""
        now, why = self._now(), clean(f"{type(error).__name__}: {error}")
        if isinstance(error, StoreTrouble):
            why = clean(str(error))
        with self._lock:
            before = self._known.get(name)
            say = before is None or before.why != why or now - before.said_at >= SAID_EVERY
            self._known[name] = known = Ailment(
                name=name,
                why=why,
                since=before.since if before else now,
                times=before.times + 1 if before else 1,
                over_at=None if passes is None else now + passes,
                said_at=now if say or before is None else before.said_at,
            )
        if say:
            trace = None if isinstance(error, StoreTrouble) else error
            log.error("failing", what=name, reason=why, times=known.times, exc_info=trace)

    def well(self, name: str) -> None:
        """Note that this works."""
        if name in self._known:
            with self._lock:
                known = self._known.pop(name, None)
            if known is not None:
                log.warning("works_again", what=name, times=known.times)

    def attempt(self, name: str, call: Callable[[], object]) -> bool:
        """Call this; whether it worked. It raises nothing: this is the edge of a thread."""
        try:
            call()
        except BaseException as error:  # noqa: BLE001 (the edge of a thread)
            self.found(name, error)
            return False
        self.well(name)
        return True

    def current(self) -> tuple[Ailment, ...]:
        """What is wrong now, by name."""
        now = self._now()
        with self._lock:
            known = tuple(self._known.values())
        for one in known:
            if one.over_at is not None and one.over_at <= now:
                self.well(one.name)
        return tuple(sorted((one for one in known if one.name in self._known), key=lambda one: one.name))

    def told(self, now: Instant) -> tuple[Failing, ...]:
        """The same for people and other processes, with times by the wall clock, which says `now`."""
        ours = self._now()
        return tuple(
            Failing(name=one.name, why=one.why, since=now - (ours - one.since), times=one.times)
            for one in self.current()
        )


class SupervisedWorker:
    """A thread that is begun again whenever it ends before `end` was called, after a pause that grows."""

    def __init__(self, name: str, work: Callable[[], object], ailments: Ailments) -> None:
        self.name = name
        self._work = work
        self._ailments = ailments
        self._ended = threading.Event()
        self._pause = 0.0
        self._begun = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Call it once."""
        self._begun = True
        thread = threading.Thread(target=self._serve, name=self.name, daemon=True)
        thread.start()
        self._thread = thread

    def end(self) -> None:
        """Do not begin again. What is under way is not interrupted."""
        self._ended.set()

    def join(self, timeout: float) -> bool:
        """Wait until it has ended. False if it was still running after `timeout` seconds."""
        if self._thread is None:
            return True
        self._thread.join(max(timeout, 0))
        return not self._thread.is_alive()

    def well(self) -> bool:
        """Whether it works, or will again in a moment."""
        return self._begun and not self._ended.is_set()

    def _serve(self) -> None:
        try:
            while not self._ended.is_set():
                self._once()
        finally:
            if not self._ended.wait(FIRST_PAUSE):  # whatever could break even this loop
                self.start()

    def _once(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (the edge of the thread)
            self._failed(error)
        else:
            if not self._ended.is_set():
                self._failed(RuntimeError("the thread ended by itself"))

    def _failed(self, error: BaseException) -> None:
        known = {one.name for one in self._ailments.current()}
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if self.name in known else 0.0
        self._ailments.found(self.name, error, passes=PROVEN_AFTER)
        self._ended.wait(self._pause)
        self._pause = max(self._pause, FIRST_PAUSE)
