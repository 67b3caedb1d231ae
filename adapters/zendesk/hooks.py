"""Webhooks: is it Zendesk's, and which ticket does it name. Pure.

Two kinds of body arrive: that of an event subscription, and the one our trigger is set up to send,
`{"ticket_id": "{{ticket.id}}"}`, in which a placeholder may have broken the JSON around it.
https://developer.zendesk.com/documentation/webhooks/verifying/
"""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from adapters.base import Event, HookRequest, Malformed, NotAuthentic
from adapters.zendesk.ticket import instant
from policies.model import Seconds, TicketRef

PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105 - everybody's, and therefore refused
FRESH: Seconds = 300
"""How far a signature's time may lie from ours. Zendesk names no limit; every attempt is stamped afresh."""

SIGNATURE = "x-zendesk-webhook-signature"
STAMP = "x-zendesk-webhook-signature-timestamp"
INVOCATION = "x-zendesk-webhook-invocation-id"
EVENT_TYPE = "zen:event-type:ticket."
SUBJECT = re.compile(r"zen:ticket:(\d{1,19})")
TICKET_ID = re.compile(rb'"ticket_id"\s*:\s*"?\s*(\d{1,19})\b')
DIGITS = re.compile(r"[0-9]{1,19}")


def sign(secret: str, stamp: str, body: bytes) -> bytes:
    """Zendesk's signature: the secret is used as it is written, though it looks like base64."""
    message = stamp.encode("utf-8", "replace") + body
    return b64encode(hmac.digest(secret.encode(), message, hashlib.sha256))


def authenticate(secret: str, request: HookRequest) -> None:
    """Raise NotAuthentic unless the raw body is signed with `secret`, at about the time it came in."""
    stamp = request.headers.get(STAMP, "")
    given = request.headers.get(SIGNATURE, "").encode("utf-8", "replace")
    if not hmac.compare_digest(sign(secret, stamp, request.body), given):
        raise NotAuthentic("the webhook's signature does not match; check the webhook's secret")
    at = instant(stamp)
    if at is None or abs(request.received_at - at) > FRESH:
        raise NotAuthentic(f"the webhook was signed at {stamp!r}, more than {FRESH} s away; check the clock")


def decode(account: str, secret: str, request: HookRequest) -> tuple[Event, ...]:
    """The one event of an authentic webhook. Raises NotAuthentic or Malformed, nothing else."""
    authenticate(secret, request)
    body = document(request.body)
    number = ticket_number(body) or found_in(request.body)
    if number is None:
        raise Malformed("the webhook names no ticket; its body must carry ticket_id or be a ticket event")
    return (
        Event(
            ref=TicketRef(account, number),
            delivery=delivery(request, body),
            hint=str(body.get("type", "trigger")).removeprefix(EVENT_TYPE)[:100],
        ),
    )


def document(body: bytes) -> Mapping[str, Any]:
    """The body as an object; empty when it is none."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def ticket_number(body: Mapping[str, Any]) -> str | None:
    """The ticket a trigger's or a ticket event's body names, as digits."""
    if "ticket_id" in body:
        return digits(body["ticket_id"])
    subject = SUBJECT.fullmatch(str(body.get("subject", "")))
    detail = body.get("detail")
    if not (subject or str(body.get("type", "")).startswith(EVENT_TYPE)):
        return None
    return (
        (digits(detail.get("id")) if isinstance(detail, dict) else None) or (subject and subject[1]) or None
    )


def digits(value: Any) -> str | None:
    """An id, text or number, as text without leading noughts; None for anything else."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.lstrip("0") or None if DIGITS.fullmatch(text) else None


def found_in(body: bytes) -> str | None:
    """A `ticket_id` that can be recognised in a body that is no JSON object."""
    found = TICKET_ID.search(body)
    return digits(found[1].decode()) if found and not document(body) else None


def delivery(request: HookRequest, body: Mapping[str, Any]) -> str:
    """What stays the same over the retries of one webhook call: its invocation, its event, else its bytes."""
    invocation = request.headers.get(INVOCATION, "").strip()
    event = body.get("id") if str(body.get("type", "")).startswith(EVENT_TYPE) else None
    if invocation or isinstance(event, str):
        return invocation[:100] or str(event)[:100]
    return hashlib.sha256(
        request.headers.get(STAMP, "").encode("utf-8", "replace") + request.body
    ).hexdigest()
