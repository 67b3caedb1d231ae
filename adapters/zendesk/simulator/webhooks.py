"""Event bodies: what an event subscription tells of one audit. Shapes: vendor sheet, section 2.

References are text here, and a missing one is "0" or "" and not null; words are upper case."""

import base64
import hashlib
import hmac
import itertools
import json
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import requests

from adapters.zendesk.simulator.records import Record, Row, stamp

ACCOUNT = 15000001
CHANGES = {
    "status": "status_changed",
    "priority": "priority_changed",
    "type": "type_changed",
    "subject": "subject_changed",
    "group_id": "group_assignment_changed",
    "assignee_id": "agent_assignment_changed",
    "requester_id": "requester_changed",
}
WORDS = ("status", "priority", "type")


def bodies(row: Row, audit: Record) -> list[Record]:
    """One body for each thing that happened in this save; all share a sequence id."""
    told = [pair for event in audit["events"] for pair in _told(event)]
    if any(event["type"] == "Create" for event in audit["events"]):
        told = [("created", {})]
    return [_body(row, audit, kind, content, place) for place, (kind, content) in enumerate(told, start=1)]


def _told(event: Record) -> Iterator[tuple[str, Record]]:
    if event["type"] == "Comment":
        author = {"id": str(event["author_id"]), "is_staff": False, "name": ""}
        comment = {
            "id": str(event["id"]),
            "body": event["body"],
            "is_public": event["public"],
            "author": author,
        }
        yield "comment_added", {"comment": comment}
    elif event["type"] == "Change":
        yield from _changed(event["field_name"], event["previous_value"], event["value"])


def _changed(name: str, before: Any, after: Any) -> Iterator[tuple[str, Record]]:
    if name == "status" and after == "deleted":
        yield "soft_deleted", {}
    elif name == "tags":
        added = [tag for tag in after if tag not in before]
        removed = [tag for tag in before if tag not in after]
        yield "tags_changed", {"tags_added": added, "tags_removed": removed}
    elif name == "follower_ids":
        yield "followers_changed", {}
    elif name in CHANGES:
        yield CHANGES[name], {"current": _word(name, after), "previous": _word(name, before)}
    elif name.isdigit():
        yield "custom_field_changed", {"current": after, "previous": before, "field": {"id": name}}


def _word(name: str, value: str | None) -> str:
    if name in WORDS:
        return (value or "").upper()
    return value or ("0" if name.endswith("_id") else "")


def _body(row: Row, audit: Record, kind: str, content: Record, place: int) -> Record:
    sequence = {"id": f"01HSEQ{audit['id']:020d}", "position": place}
    return {
        "account_id": ACCOUNT,
        "detail": _detail(row, audit),
        "event": {**content, "meta": {"sequence": sequence}},
        "id": str(uuid.UUID(int=audit["id"] * 1000 + place)),
        "subject": f"zen:ticket:{row.id}",
        "time": audit["created_at"].replace("Z", ".123456789Z"),
        "type": f"zen:event-type:ticket.{kind}",
        "zendesk_event_version": "2022-11-06",
    }


def _detail(row: Row, audit: Record) -> Record:
    ticket = row.json
    numbers = ("assignee_id", "brand_id", "group_id", "organization_id", "requester_id", "submitter_id")
    return {
        "actor_id": str(audit["author_id"]),
        "created_at": ticket["created_at"],
        "custom_status": "0",
        "description": ticket["description"] or "",
        "external_id": "",
        "form_id": str(ticket["ticket_form_id"]),
        "id": str(row.id),
        "is_public": ticket["is_public"],
        "subject": ticket["subject"] or "",
        "tags": list(ticket["tags"]),
        "updated_at": ticket["updated_at"],
        "via": {"channel": "web_service" if audit["via"]["channel"] == "api" else audit["via"]["channel"]},
        **{name: str(ticket[name] or 0) for name in numbers},
        **{name: (ticket[name] or "").upper() for name in WORDS},
    }


TRIGGER_BODY = '{"ticket_id":"{{ticket.id}}","updater":"{{current_user.id}}"}'
TIMEOUT = 10.0
TRIES = {"timeout": 5, "conflict": 3}
SOON = 60

Order = Literal["sent", "reversed", "shuffled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook: event subscription or called by a trigger, never both. `body` is the trigger's text."""

    id: str
    url: str
    secret: str
    mode: Literal["events", "trigger"] = "events"
    body: str = TRIGGER_BODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One post: what came back (None: nothing came), and whether Zendesk will try again."""

    invocation: str
    at: int
    status: int | None
    again: bool


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One message on its way; the same id and bytes at every attempt."""

    id: str
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
        secret: str,
        *,
        mode: Literal["events", "trigger"] = "events",
        body: str = TRIGGER_BODY,
    ) -> Hook:
        """Set up a webhook; it hears what happens from now on."""
        hook = Hook(id=self._ulid("HOOK"), url=url, secret=secret, mode=mode, body=body)
        self.hooks.append(hook)
        return hook

    def tell(self, row: Row, audit: Record) -> None:
        """Queue what the webhooks say of this save. Nothing is sent before `deliver` or `start`."""
        for hook in self.hooks:
            if hook.mode == "events":
                texts = [json.dumps(body, indent=2) for body in bodies(row, audit)]
            else:
                text = hook.body.replace("{{ticket.id}}", str(row.id))
                texts = [text.replace("{{current_user.id}}", str(audit["author_id"]))]
            with self._lock:
                self.waiting.extend(
                    Invocation(id=self._ulid("CALL"), hook=hook, body=text.encode(), due=self.now())
                    for text in texts
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
        """Lose everything that waits, as a paused webhook does; how many messages that was."""
        with self._lock:
            gone, self.waiting = self.waiting, []
            self.lost.extend(gone)
        return len(gone)

    def start(self, every: float = 0.1) -> None:
        """Deliver from a thread of its own, until `stop`."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(
                target=self._run, args=(every,), name="zendesk-hooks", daemon=True
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

    def _carry(self, invocation: Invocation, copies: int) -> list[Attempt]:
        attempts = [self._post(invocation) for _ in range(copies)]
        last = attempts[-1]
        with self._lock:
            if last.again:
                self.waiting.append(invocation)
            else:
                heard = last.status is not None and last.status < 300
                (self.done if heard else self.lost).append(invocation)
        return attempts

    def _post(self, invocation: Invocation) -> Attempt:
        headers = self.signed(invocation)
        status: int | None = None
        wait: str | None = None
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    invocation.hook.url, data=invocation.body, headers=headers, timeout=self.timeout
                )
                status, wait = answer.status_code, answer.headers.get("Retry-After")
        except requests.RequestException:
            status = None
        again = self._again(invocation, status, wait)
        attempt = Attempt(invocation=invocation.id, at=self.now(), status=status, again=again)
        invocation.attempts.append(attempt)
        return attempt

    def _again(self, invocation: Invocation, status: int | None, wait: str | None) -> bool:
        """Zendesk's retry rules: no answer 5 tries, 409 3 tries, 429 and 503 when they name a short wait."""
        tries = len(invocation.attempts) + 1
        if status is None:
            return tries < TRIES["timeout"]
        if status == 409:
            return tries < TRIES["conflict"]
        if status in (429, 503) and wait is not None and wait.isdigit() and int(wait) < SOON:
            invocation.due = self.now() + int(wait)
            return True
        return False

    def signed(self, invocation: Invocation) -> dict[str, str]:
        """The headers of one attempt; the stamp, and so the signature, is new each time."""
        at = stamp(self.now())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zendesk Webhook",
            "X-Zendesk-Account-Id": str(ACCOUNT),
            "X-Zendesk-Webhook-Id": invocation.hook.id,
            "X-Zendesk-Webhook-Invocation-Id": invocation.id,
            "X-Zendesk-Webhook-Signature": signature(invocation.hook.secret, at, invocation.body),
            "X-Zendesk-Webhook-Signature-Timestamp": at,
        }

    def _ulid(self, word: str) -> str:
        return f"01{word}{next(self._numbers):020d}"


def signature(secret: str, at: str, body: bytes) -> str:
    """Sign stamp and raw body with the secret as it is written, not decoded."""
    digest = hmac.new(secret.encode(), at.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
