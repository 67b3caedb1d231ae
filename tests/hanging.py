"""A time-out that comes when a fake never answers, and not because the machine is busy.

A real time-out that is short enough for a test also ends requests nobody spoiled. So clients here are as patient as in
production, and a fake that lets a caller hang says on which port: that caller's wait ends as its time-out would end it.
"""

import select
import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

SLICE = 10
"""Milliseconds between two looks at the fakes."""

real_recv = socket.socket.recv
real_recv_into = socket.socket.recv_into
fakes: list[Callable[[], Collection[int | None]]] = []


@contextmanager
def hanging(ports: Callable[[], Collection[int | None]]) -> Iterator[None]:
    """Within the block this tells the ports of the callers a fake lets wait in vain."""
    fakes.append(ports)
    try:
        yield
    finally:
        fakes.remove(ports)


def hanging_in(log: Sequence[Any]) -> AbstractContextManager[None]:
    """The same, by the request log of a simulator."""
    return hanging(lambda: [row.hangs for row in log])


def recv(self: socket.socket, *args: Any) -> bytes:
    """Receive as usual, or be told that nothing comes."""
    await_answer(self)
    return real_recv(self, *args)


def recv_into(self: socket.socket, *args: Any) -> int:
    """Receive as usual, or be told that nothing comes."""
    await_answer(self)
    return real_recv_into(self, *args)


def await_answer(line: socket.socket) -> None:
    """Return when there is something to read. Raise TimeoutError in vain; without a time-out nothing is awaited."""
    patience = line.gettimeout()
    if not patience or not fakes or line.family == socket.AF_UNIX:
        return
    end, port, reader = time.monotonic() + patience, line.getsockname()[1], select.poll()
    reader.register(line, select.POLLIN)
    while not reader.poll(SLICE):
        if time.monotonic() > end or any(port in ports() for ports in fakes):
            raise TimeoutError("timed out")
