"""Webhooks: the account signs what happened and posts it, with Zendesk's retries and its losses.

Signature, headers, bodies and retry rules: vendor sheet, section 2. In event bodies references are text, and a
missing one is "0" or "" and not null; words are upper case. The circuit breaker is not imitated.
"""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from adapters.simulation.answers import Record, stamp
from adapters.simulation.webhooks import Invocation, RetriedWebhooks, send
from adapters.zendesk.simulator.records import Row

ACCOUNT = 15000001
CHANGES = {
    "status": "status_changed", "priority": "priority_changed", "type": "type_changed", "subject": "subject_changed",
    "group_id": "group_assignment_changed", "assignee_id": "agent_assignment_changed",
    "requester_id": "requester_changed",
}  # fmt: skip
WORDS = ("status", "priority", "type")
TRIGGER_BODY = '{"ticket_id":"{{ticket.id}}","updater":"{{current_user.id}}"}'
BY_TRIGGER = "conditional_ticket_events"
SOON = 60  # seconds of Retry-After that Zendesk waits for


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook: event subscription or called by a trigger, never both. `body` is the trigger's text. It hears
    `kinds` of events, all where none is named, while it is `active`. `told` are the keys that its maker sent."""

    id: str
    url: str
    secret: str
    mode: Literal["events", "trigger"] = "events"
    body: str = TRIGGER_BODY
    kinds: frozenset[str] = frozenset()
    active: bool = True
    told: Record = field(default_factory=dict)


class Hooks(RetriedWebhooks[Hook]):
    """The account's webhooks."""

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

    def make(self, told: Record) -> Hook:
        """Keep a webhook that was made over the API, with a secret of its own."""
        kinds = frozenset(told["subscriptions"])
        number = self._ulid("HOOK")
        hook = Hook(
            id=number,
            url=told["endpoint"],
            secret=base64.b64encode(hashlib.sha256(number.encode()).digest()).decode(),
            mode="trigger" if BY_TRIGGER in kinds else "events",
            kinds=kinds - {BY_TRIGGER},
            active=told["status"] == "active",
            told=told,
        )
        self.hooks.append(hook)
        return hook

    def remove(self, hook: Hook) -> None:
        """Remove a webhook, with what waits to be posted through it."""
        self.hooks.remove(hook)
        with self._lock:
            self.waiting = [call for call in self.waiting if call.hook is not hook]

    def test(self, hook: Hook) -> int | None:
        """Post the test of a webhook, without a body, once and at once; what was answered."""
        call: Invocation[Hook] = Invocation(id=self._ulid("CALL"), hook=hook, body=b"", due=self.now())
        return send(hook.url, call.body, self.headers(call))[0]

    def tell(self, row: Row, audit: Record) -> None:
        """Queue what the webhooks say of this save."""
        for hook in self.hooks:
            if not hook.active:
                continue
            if hook.mode == "events":
                bodies = [
                    body for body in _bodies(row, audit) if not hook.kinds or body["type"] in hook.kinds
                ]
                texts = [json.dumps(body, indent=2) for body in bodies]
            else:
                text = hook.body.replace("{{ticket.id}}", str(row.id))
                texts = [text.replace("{{current_user.id}}", str(audit["author_id"]))]
            for text in texts:
                self.queue(Invocation(id=self._ulid("CALL"), hook=hook, body=text.encode(), due=self.now()))

    def wait(self, invocation: Invocation[Hook], status: int | None, retry_after: str | None) -> int | None:
        """Zendesk's retry rules: no answer 5 tries, 409 3 tries, 429 and 503 when they name a short wait."""
        tries = len(invocation.attempts) + 1
        if status is None or status == 409:
            return 0 if tries < (5 if status is None else 3) else None
        told = status in (429, 503) and retry_after is not None and retry_after.isdigit()
        return int(retry_after) if told and retry_after and int(retry_after) < SOON else None

    def headers(self, invocation: Invocation[Hook]) -> dict[str, str]:
        """The headers of one attempt; the stamp, and so the signature, is new each time."""
        at = stamp(self.now())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zendesk Webhook",
            "X-Zendesk-Account-Id": str(ACCOUNT),
            "X-Zendesk-Webhook-Id": invocation.hook.id,
            "X-Zendesk-Webhook-Invocation-Id": str(invocation.id),
            "X-Zendesk-Webhook-Signature": signature(invocation.hook.secret, at, invocation.body),
            "X-Zendesk-Webhook-Signature-Timestamp": at,
        }

    def _ulid(self, word: str) -> str:
        return f"01{word}{next(self.numbers):020d}"


def signature(secret: str, at: str, body: bytes) -> str:
    """Sign stamp and raw body with the secret as it is written, not decoded."""
    digest = hmac.new(secret.encode(), at.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _bodies(row: Row, audit: Record) -> list[Record]:
    """One body for each thing that happened in this save; all share a sequence id."""
    told = [pair for event in audit["events"] for pair in _told(event)]
    if any(event["type"] == "Create" for event in audit["events"]):
        told = [("created", {})]
    return [_body(row, audit, kind, content, place) for place, (kind, content) in enumerate(told, start=1)]


def _told(event: Record) -> Iterator[tuple[str, Record]]:
    if event["type"] == "Comment":
        author = {"id": str(event["author_id"]), "is_staff": False, "name": ""}
        comment = {"id": str(event["id"]), "body": event["body"], "is_public": event["public"]}
        yield "comment_added", {"comment": comment | {"author": author}}
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
    ticket, via = row.json, audit["via"]["channel"]
    numbers = ("assignee_id", "brand_id", "group_id", "organization_id", "requester_id", "submitter_id")
    return {
        "account_id": ACCOUNT,
        "detail": {
            "actor_id": str(audit["author_id"]), "created_at": ticket["created_at"], "custom_status": "0",
            "description": ticket["description"] or "", "external_id": "",
            "form_id": str(ticket["ticket_form_id"]), "id": str(row.id), "is_public": ticket["is_public"],
            "subject": ticket["subject"] or "", "tags": list(ticket["tags"]), "updated_at": ticket["updated_at"],
            "via": {"channel": "web_service" if via == "api" else via},
            **{name: str(ticket[name] or 0) for name in numbers},
            **{name: (ticket[name] or "").upper() for name in WORDS},
        },
        "event": {**content, "meta": {"sequence": {"id": f"01HSEQ{audit['id']:020d}", "position": place}}},
        "id": str(uuid.UUID(int=audit["id"] * 1000 + place)),
        "subject": f"zen:ticket:{row.id}",
        "time": audit["created_at"].replace("Z", ".123456789Z"),
        "type": f"zen:event-type:ticket.{kind}",
        "zendesk_event_version": "2022-11-06",
    }  # fmt: skip
