"""Webhooks: is it Zendesk's, and which ticket does it name. Pure.

Two kinds of body arrive: that of an event subscription, and the one our trigger is set up to send,
`{"ticket_id": "{{ticket.id}}"}`, in which a placeholder may have broken the JSON around it.
https://developer.zendesk.com/documentation/webhooks/verifying/"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from adapters.base import Event, HookRequest, Malformed, NotAuthentic
from adapters.http import clean, read_object
from adapters.zendesk.answers import instant
from policies.model import Seconds, TicketRef

PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105 - everybody's, and therefore refused
FRESH: Seconds = 300
"""How far a signature's time may lie from ours. Zendesk names no limit; every attempt is stamped afresh."""

SIGNATURE = "x-zendesk-webhook-signature"
STAMP = "x-zendesk-webhook-signature-timestamp"
ANY_EVENT = "zen:event-type:"
EVENT_TYPE = "zen:event-type:ticket."
SUBJECT = re.compile(r"zen:ticket:(\d{1,19})")
FIRST = re.compile(rb'\s*\{\s*"ticket_id"\s*:\s*"?\s*(\d{1,19})\b')
LATER = re.compile(rb'[,{]\s*"ticket_id"\s*:\s*"?\s*(\d{1,19})\b')
UNFILLED = re.compile(rb"\{\{\s*ticket\.id\s*\}\}")
DIGITS = re.compile(r"[0-9]{1,19}")
MOST = 10
"""Tickets that one broken body may name. To look at one too many does no harm."""
TEST = re.compile(rb"\btest", re.IGNORECASE)


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
    """The events of an authentic webhook, mostly one; none where Zendesk tells of something else than a ticket, or
    tests the webhook. Raises NotAuthentic or Malformed, nothing else."""
    authenticate(secret, request)
    body = read_object(request.body)
    number = ticket_number(body)
    numbers = found_in(request.body) if not body else (number,) if number else ()
    if not numbers and not is_of_another_kind(body, request.body):
        if UNFILLED.search(request.body):
            raise Malformed(
                "the webhook names no ticket: its body still says {{ticket.id}}, which Zendesk did not fill in. "
                "Zendesk's own test of a webhook does that; a trigger fills it in"
            )
        raise Malformed("the webhook names no ticket; its body must carry ticket_id or be a ticket event")
    kind = clean(str(body.get("type", "trigger"))).removeprefix(EVENT_TYPE)[:100]
    key = delivery(request, body)
    several = len(numbers) > 1
    return tuple(
        Event(ref=TicketRef(account, number), delivery=f"{key}-{number}" if several else key, hint=kind)
        for number in numbers
    )


def is_of_another_kind(body: Mapping[str, Any], raw: bytes) -> bool:
    """Whether Zendesk tells of a user, an organization, an article or an agent, or tests the webhook with a text
    or with nothing. An error would count against the webhook, and its breaker would take the tickets' events along."""
    kind = body.get("type")
    if isinstance(kind, str) and kind.startswith(ANY_EVENT):
        return not kind.startswith(EVENT_TYPE)
    return not raw or (b"ticket_id" not in raw and TEST.search(raw) is not None)


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


def found_in(body: bytes) -> tuple[str, ...]:
    """The `ticket_id` in a body that is no JSON object, because a quotation mark or a line break in a placeholder
    broke it. At the very top it is the body's own; further in a text may hold one too, and each is looked at."""
    first = FIRST.match(body)
    found = [first[1]] if first else [each[1] for each in LATER.finditer(body)]
    numbers = (digits(each.decode()) for each in found)
    return tuple(dict.fromkeys(number for number in numbers if number))[:MOST]


def delivery(request: HookRequest, body: Mapping[str, Any]) -> str:
    """What stays the same when the same thing is posted again, out of what is signed: an event's body with its own id,
    else stamp and body. The id of the invocation is not signed, so a copy could carry any."""
    kind, number = body.get("type"), body.get("id")
    is_event = (
        isinstance(kind, str) and kind.startswith(ANY_EVENT) and isinstance(number, str) and number != ""
    )
    stamp = b"" if is_event else request.headers.get(STAMP, "").encode("utf-8", "replace")
    return hashlib.sha256(stamp + request.body).hexdigest()
