"""Webhooks of the Business Rule in docs/servicenow.md: is it ours, and which record does it name. Pure.

The rule signs `TIMESTAMP.BODY`, or the raw body alone, with HMAC-SHA256 and sends the digest as base64, as
ServiceNow's `generateMac` gives it; its key goes in as base64 of the secret. Vendor sheet 3.2 and 3.3.
"""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from adapters.base import Account, Event, HookRequest, Malformed, NotAuthentic
from adapters.servicenow.query import SYS_ID
from policies.model import Seconds, TicketRef

FRESH: Seconds = 300
"""How far a signature's time may lie from ours. An asynchronous rule signs when it runs, not when it is queued."""

SIGNATURE = "x-uptier-signature"
STAMP = "x-uptier-timestamp"


def sign(secret: str, stamp: str | None, body: bytes) -> bytes:
    """The signature of the raw body, with its time in front where there is one."""
    message = body if stamp is None else stamp.encode("utf-8", "replace") + b"." + body
    return b64encode(hmac.digest(secret.encode(), message, hashlib.sha256))


def authenticate(secret: str, request: HookRequest) -> None:
    """Raise NotAuthentic unless the raw body is signed with `secret`, and, where a time is signed with it, came in
    at about that time. A rule of one's own may sign the body alone: replayed, it makes us look once more."""
    stamp = request.headers.get(STAMP)
    given = request.headers.get(SIGNATURE, "").encode("utf-8", "replace")
    if not hmac.compare_digest(sign(secret, stamp, request.body), given):
        raise NotAuthentic("the webhook's signature does not match; check the secret in the Business Rule")
    if stamp is None:
        return
    at = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 15 else None
    if at is None or abs(request.received_at - at) > FRESH:
        raise NotAuthentic(
            f"the webhook was signed at {stamp[:20]!r}, more than {FRESH} s away; check the clock"
        )


def decode(account: str, table: str, secret: str, request: HookRequest) -> tuple[Event, ...]:
    """The event of an authentic webhook; none for another table. Raises NotAuthentic or Malformed, nothing else.

    `current` is read when the rule runs: two quick updates may send the same twice, and it is the same then.
    """
    authenticate(secret, request)
    body = document(request.body)
    key = body.get("sys_id")
    if not isinstance(key, str) or not SYS_ID.fullmatch(key):
        raise Malformed("the webhook names no record; its body must carry sys_id")
    if body.get("table", table) != table:
        return ()
    event = str(body.get("event", "update"))[:40]
    revision = str(body.get("sys_mod_count", ""))[:20]
    return (Event(ref=TicketRef(account, key), delivery=f"{key}:{revision}:{event}", hint=event),)


def document(body: bytes) -> Mapping[str, Any]:
    """The body as an object; Malformed when it is none."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise Malformed("the webhook's body is not a JSON object")
    return read


def secret(account: Account) -> str | None:
    """The secret of the Business Rule, or None without webhooks; ValueError for an empty one."""
    reference = account.webhook.get("secret")
    if not reference:
        return None
    found = account.secret(reference)
    if not found:
        raise ValueError(
            f"account {account.name}: webhook.secret is empty; store what the Business Rule signs with"
        )
    return found
