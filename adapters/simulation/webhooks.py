"""Webhooks of a simulated account: what waits, in which order it is posted, what is tried again and what is lost."""

import itertools
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

import httpx

TIMEOUT = 10.0  # seconds
Order = Literal["sent", "reversed", "shuffled"]


class Due(Protocol):
    """What waits to be posted, from `due` on (epoch seconds)."""

    due: int


class Posted(Protocol):
    """One post: what came back (None: nothing came), and whether it is tried again."""

    @property
    def status(self) -> int | None: ...

    @property
    def again(self) -> bool: ...


D = TypeVar("D", bound=Due)
P = TypeVar("P", bound=Posted)
H = TypeVar("H")


class Webhooks(ABC, Generic[H, D, P]):
    """The account's webhooks and what they still have to post. `done` and `lost` keep what is over."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.hooks: list[H] = []
        self.waiting: list[D] = []
        self.done: list[D] = []
        self.lost: list[D] = []
        self.numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def post(self, message: D) -> P:
        """Post a message once."""

    def queue(self, *messages: D) -> None:
        """Let messages wait. Nothing is sent before `deliver` or `start`."""
        with self._lock:
            self.waiting.extend(messages)

    def deliver(self, *, order: Order = "sent", copies: int = 1, seed: int = 0) -> list[P]:
        """Post everything that is due once, each `copies` times; what is to be tried again stays queued."""
        with self._lock:
            now = self.now()
            due = [message for message in self.waiting if message.due <= now]
            self.waiting = [message for message in self.waiting if message.due > now]
        if order == "reversed":
            due.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(due)  # noqa: S311 (a repeatable disorder, not a secret)
        return [attempt for message in due for attempt in self._carry(message, copies)]

    def drop(self) -> int:
        """Lose everything that waits, as while the vendor's webhooks are paused; how many messages that was."""
        with self._lock:
            gone, self.waiting = self.waiting, []
            self.lost.extend(gone)
        return len(gone)

    def start(self, every: float = 0.1) -> None:
        """Deliver from a thread of its own, every so many seconds, until `stop`."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, args=(every,), name="webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread after its present delivery."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, every: float) -> None:
        while not self._stop.wait(every):
            self.deliver()

    def _carry(self, message: D, copies: int) -> list[P]:
        attempts = [self.post(message) for _ in range(copies)]
        last = attempts[-1]
        with self._lock:
            if last.again:
                self.waiting.append(message)
            else:
                heard = last.status is not None and last.status < 300
                (self.done if heard else self.lost).append(message)
        return attempts


def send(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int | None, str | None]:
    """Post once: the status and Retry-After that came back, None where none came."""
    try:
        with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
            answer = client.post(url, content=body, headers=headers)
            return answer.status_code, answer.headers.get("Retry-After")
    except httpx.HTTPError:
        return None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One post of a message: what came back (None: nothing came), and whether the vendor will try again."""

    invocation: str | int
    at: int
    status: int | None
    again: bool


@dataclass(slots=True, kw_only=True)
class Invocation(Generic[H]):
    """One message on its way; the same id and bytes at every attempt."""

    id: str | int
    hook: H
    body: bytes
    due: int
    attempts: list[Attempt] = field(default_factory=list)


class RetriedWebhooks(Webhooks[H, Invocation[H], Attempt]):
    """Webhooks of a vendor that tries again."""

    @abstractmethod
    def headers(self, invocation: Invocation[H]) -> dict[str, str]:
        """The headers of one attempt."""

    @abstractmethod
    def wait(self, invocation: Invocation[H], status: int | None, retry_after: str | None) -> int | None:
        """The seconds until the next try after such an answer; None for no other try."""

    def post(self, invocation: Invocation[H]) -> Attempt:
        """Post once, and set when the next try is due."""
        hook: Any = invocation.hook
        status, retry_after = send(hook.url, invocation.body, self.headers(invocation))
        wait = self.wait(invocation, status, retry_after)
        if wait is not None:
            invocation.due = self.now() + wait
        attempt = Attempt(invocation=invocation.id, at=self.now(), status=status, again=wait is not None)
        invocation.attempts.append(attempt)
        return attempt
