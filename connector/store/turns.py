"""Whose turn it is to write: first come, first served, with one lane that goes first."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A fair lock. SQLite has one writer at a time and no queue; without one, threads starve each other.

    A turn is handed over, never fought for: of those in the priority lane each gets the next turn, but a
    lane of one who asks again and again still lets the others in between.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._first: deque[tuple[int, threading.Event]] = deque()
        self._others: deque[tuple[int, threading.Event]] = deque()

    @contextmanager
    def turn(self, *, priority: bool = False) -> Iterator[None]:
        """Wait for a turn and hold it. RuntimeError if this thread holds one: it would wait for ever."""
        self._take(priority)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, priority: bool) -> None:
        me = threading.get_ident()
        with self._lock:
            if self._holder is None:
                self._holder = me
                return
            if self._holder == me:
                raise RuntimeError("this thread is writing already; use the connection it has")
            called = threading.Event()
            (self._first if priority else self._others).append((me, called))
        called.wait()

    def _pass_on(self) -> None:
        with self._lock:
            lane = self._first or self._others
            if not lane:
                self._holder = None
                return
            self._holder, called = lane.popleft()
        called.set()
