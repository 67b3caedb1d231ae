"""Automation webhooks: posted without signature, name or time, with placeholders put in as they are.

Bodies, retries and what can arrive twice: vendor sheet, section 3. The hourly allowance is not imitated."""

import base64
import itertools
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from adapters.freshdesk.simulator.records import PRIORITIES, Row

TEMPLATE = '{"ticket_id":"{{ticket.id}}","event":"{{triggered_event}}"}'
TIMEOUT = 10.0
AGAIN = (300, 1800, 3600)

Order = Literal["sent", "reversed", "shuffled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The webhook of one automation rule. `template` is its text; without one it is Freshdesk's simple form.

    It sends `headers`, and signs in with `user` and `password` where they are set.
    """

    id: int
    url: str
    template: str | None = TEMPLATE
    headers: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One post: what came back (None: nothing came), and whether Freshdesk will try again."""

    invocation: int
    at: int
    status: int | None
    again: bool


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One message on its way; the same bytes at every attempt."""

    id: int
    hook: Hook
    body: bytes
    due: int
    attempts: list[Attempt] = field(default_factory=list)


class Hooks:
    """The account's webhooks and what they still have to deliver. `done` and `lost` keep what is over."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.hooks: list[Hook] = []
        self.waiting: list[Invocation] = []
        self.done: list[Invocation] = []
        self.lost: list[Invocation] = []
        self.timeout = TIMEOUT
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(
        self,
        url: str,
        *,
        secret: str = "",
        user: str = "",
        password: str = "",
        template: str | None = TEMPLATE,
    ) -> Hook:
        """Set up a rule on creation and update; `secret` travels in X-Uptier-Secret."""
        headers = {"X-Uptier-Secret": secret} if secret else {}
        hook = Hook(
            id=next(self._numbers), url=url, template=template, headers=headers, user=user, password=password
        )
        self.hooks.append(hook)
        return hook

    def tell(self, row: Row, event: str, labels: Mapping[str, str]) -> None:
        """Queue what the rules say of this change. Nothing is sent before `deliver` or `start`."""
        for hook in self.hooks:
            text = _simple(row, labels) if hook.template is None else _filled(hook.template, row, event)
            with self._lock:
                self.waiting.append(
                    Invocation(id=next(self._numbers), hook=hook, body=text.encode(), due=self.now())
                )

    def deliver(self, *, order: Order = "sent", copies: int = 1, seed: int = 0) -> list[Attempt]:
        """Post everything that is due once, each `copies` times; what is to be tried again stays queued."""
        with self._lock:
            now = self.now()
            due = [invocation for invocation in self.waiting if invocation.due <= now]
            self.waiting = [invocation for invocation in self.waiting if invocation.due > now]
        if order == "reversed":
            due.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(due)  # noqa: S311 (a repeatable disorder, not a secret)
        return [attempt for invocation in due for attempt in self._carry(invocation, copies)]

    def drop(self) -> int:
        """Lose everything that waits, as it happens when the allowance is used up for a day."""
        with self._lock:
            gone, self.waiting = self.waiting, []
            self.lost.extend(gone)
        return len(gone)

    def start(self, every: float = 0.1) -> None:
        """Deliver from a thread of its own, until `stop`."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(
                target=self._run, args=(every,), name="freshdesk-hooks", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread after its present delivery."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @staticmethod
    def headers(hook: Hook) -> dict[str, str]:
        """The headers of a post, lower case."""
        plain = {"content-type": "application/json"} | {
            name.lower(): word for name, word in hook.headers.items()
        }
        if hook.user:
            pair = base64.b64encode(f"{hook.user}:{hook.password}".encode()).decode()
            plain["authorization"] = f"Basic {pair}"
        return plain

    def _run(self, every: float) -> None:
        while not self._stop.wait(every):
            self.deliver()

    def _carry(self, invocation: Invocation, copies: int) -> list[Attempt]:
        attempts = [self._post(invocation) for _ in range(copies)]
        with self._lock:
            if attempts[-1].again:
                self.waiting.append(invocation)
            else:
                heard = attempts[-1].status is not None and attempts[-1].status < 300
                (self.done if heard else self.lost).append(invocation)
        return attempts

    def _post(self, invocation: Invocation) -> Attempt:
        status: int | None = None
        try:
            with httpx.Client(trust_env=False, timeout=self.timeout) as client:
                answer = client.post(
                    invocation.hook.url, content=invocation.body, headers=self.headers(invocation.hook)
                )
                status = answer.status_code
        except httpx.HTTPError:
            status = None
        failed = sum(1 for attempt in invocation.attempts if attempt.again)
        again = (status is None or status >= 300) and failed < len(AGAIN)
        if again:
            invocation.due = self.now() + AGAIN[failed]
        attempt = Attempt(invocation=invocation.id, at=self.now(), status=status, again=again)
        invocation.attempts.append(attempt)
        return attempt


def _filled(template: str, row: Row, event: str) -> str:
    """The text with its placeholders put in. Nothing is escaped: a quotation mark breaks the JSON."""
    public = [each["body"] for each in row.conversations if not each["private"]]
    words = {
        "ticket.id": str(row.id),
        "ticket.subject": row.json["subject"],
        "ticket.latest_public_comment": public[-1] if public else "",
        "triggered_event": event,
    }
    for name, word in words.items():
        template = template.replace(f"{{{{{name}}}}}", word)
    return template


def _simple(row: Row, labels: Mapping[str, str]) -> str:
    """Freshdesk's own form of the body, with labels and not codes."""
    inner: dict[str, Any] = {
        "ticket_id": row.id,
        "ticket_subject": row.json["subject"],
        "ticket_status": labels["status"],
        "ticket_priority": PRIORITIES[row.json["priority"]],
    }
    return json.dumps({"freshdesk_webhook": inner})
