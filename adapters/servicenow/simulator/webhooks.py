"""What the Business Rule of docs/servicenow.md does: one signed post for each update of the table.

The rule is asynchronous: `current` is as of when it runs, so two quick updates may send the same twice. It tries
once; what is not taken is lost. Vendor sheet 3.2 to 3.4."""

import base64
import hashlib
import hmac
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import httpx

TIMEOUT = 10.0
Order = Literal["sent", "reversed", "shuffled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One installed rule: where it posts, what it signs with, on which table."""

    url: str
    secret: str
    table: str = "incident"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a rule that waits in the scheduler."""

    hook: Hook
    sys_id: str
    event: str
    number: str
    deleted: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One post and what came back; None: nothing came."""

    at: int
    body: str
    status: int | None


class Hooks:
    """The instance's rules and what they still have to post. `done` and `lost` keep what is over."""

    def __init__(self, now: Callable[[], int], read: Callable[[str, str], Mapping[str, str] | None]) -> None:
        self.now = now
        self.read = read
        self.hooks: list[Hook] = []
        self.waiting: list[Job] = []
        self.done: list[Attempt] = []
        self.lost: list[Attempt] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(self, url: str, secret: str, *, table: str = "incident") -> Hook:
        """Install the rule; it hears what happens from now on."""
        hook = Hook(url=url, secret=secret, table=table)
        self.hooks.append(hook)
        return hook

    def tell(self, table: str, row: Mapping[str, str], event: str) -> None:
        """Queue what the rules say of this. Nothing is sent before `deliver` or `start`."""
        gone = dict(row) if event == "delete" else None
        with self._lock:
            self.waiting += [
                Job(hook=hook, sys_id=row["sys_id"], event=event, number=row["number"], deleted=gone)
                for hook in self.hooks
                if hook.table == table
            ]

    def deliver(self, *, order: Order = "sent", copies: int = 1, seed: int = 0) -> list[Attempt]:
        """Run everything that waits, each `copies` times."""
        with self._lock:
            due, self.waiting = self.waiting, []
        if order == "reversed":
            due.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(due)  # noqa: S311 (a repeatable disorder, not a secret)
        return [self._post(job) for job in due for _ in range(copies)]

    def drop(self) -> int:
        """Lose everything that waits; how much that was."""
        with self._lock:
            gone, self.waiting = self.waiting, []
        return len(gone)

    def start(self, every: float = 0.1) -> None:
        """Deliver from a thread of its own, until `stop`."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(
                target=self._run, args=(every,), name="servicenow-hooks", daemon=True
            )
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

    def _post(self, job: Job) -> Attempt:
        body = payload(job, job.deleted or self.read(job.hook.table, job.sys_id) or {})
        status: int | None = None
        try:
            with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
                answer = client.post(
                    job.hook.url, content=body, headers=signed(job.hook.secret, self.now(), body)
                )
                status = answer.status_code
        except httpx.HTTPError:
            status = None
        attempt = Attempt(at=self.now(), body=body.decode(), status=status)
        (self.done if status is not None and status < 300 else self.lost).append(attempt)
        return attempt


def payload(job: Job, row: Mapping[str, str]) -> bytes:
    """What the rule's script sends: ids only, in ASCII."""
    body = {
        "v": 1,
        "table": job.hook.table,
        "sys_id": job.sys_id,
        "number": job.number,
        "sys_updated_on": row.get("sys_updated_on", ""),
        "sys_mod_count": row.get("sys_mod_count", ""),
        "sys_updated_by": row.get("sys_updated_by", ""),
        "event": job.event,
    }
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def signed(secret: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of one post. `generateMac` takes the secret as base64 and gives the digest as base64."""
    key = base64.b64decode(base64.b64encode(secret.encode()))
    digest = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-Uptier-Timestamp": str(at),
        "X-Uptier-Signature": base64.b64encode(digest).decode(),
    }
