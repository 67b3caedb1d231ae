"""Webhooks of the Business Rule in docs/servicenow.md: is it ours, and which record does it name. Pure.

The rule signs `TIMESTAMP.BODY`, or the raw body alone, with HMAC-SHA256 and sends the digest as base64, as
ServiceNow's `generateMac` gives it; its key goes in as base64 of the secret. Vendor sheet 3.2 and 3.3."""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from adapters.base import Account, Event, HookRequest, Malformed, NotAuthentic
from adapters.http import clean
from adapters.servicenow.profile import SYS_ID, Profile
from policies.model import Seconds, TicketRef

FRESH: Seconds = 300
"""How far a signature's time may lie from ours. An asynchronous rule signs when it runs, not when it is queued."""

OWN = ("u_", "x_")
"""How the names of a customer's own tables begin."""

TEMPLATE = re.compile(r"\$\{.*\}|\{\{.*\}\}|\$\[.*\]", re.DOTALL)
SIGNATURE = "x-uptier-signature"
STAMP = "x-uptier-timestamp"


def sign(secret: str, stamp: str | None, body: bytes) -> bytes:
    """The signature of the raw body, with its time in front where there is one."""
    message = body if stamp is None else stamp.encode("utf-8", "replace") + b"." + body
    return b64encode(hmac.digest(secret.encode(), message, hashlib.sha256))


def authenticate(secret: str, request: HookRequest, *, unstamped: bool) -> None:
    """Raise NotAuthentic unless the raw body is signed with `secret` together with a time, and came in at about that
    time. `unstamped` lets a rule of one's own sign the body alone, which anybody who saw it may send again."""
    stamp = request.headers.get(STAMP)
    given = request.headers.get(SIGNATURE, "").encode("utf-8", "replace")
    if not hmac.compare_digest(sign(secret, stamp, request.body), given):
        raise NotAuthentic("the webhook's signature does not match; check the secret in the Business Rule")
    if stamp is None:
        if unstamped:
            return
        raise NotAuthentic(
            "the webhook is signed without a time: let the Business Rule send X-Uptier-Timestamp and sign "
            "TIMESTAMP.BODY (docs/servicenow.md), or set allow_unstamped = true on the account"
        )
    at = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 15 else None
    if at is None or abs(request.received_at - at) > FRESH:
        raise NotAuthentic(
            f"the webhook was signed at {stamp[:20]!r}, more than {FRESH} s away; check the clock"
        )


def decode(profile: Profile, secret: str, request: HookRequest) -> tuple[Event, ...]:
    """The event of an authentic webhook; none for a record of another kind. Raises NotAuthentic or Malformed, nothing
    else.

    `current` is read when the rule runs: two quick updates may send the same twice, and it is the same then. Without
    a count of updates only the very same post is.
    """
    authenticate(secret, request, unstamped=profile.unstamped)
    body = document(request.body)
    for name in ("table", "sys_id"):
        said = body.get(name)
        if isinstance(said, str) and TEMPLATE.search(said):
            raise Malformed(
                f"the webhook's {name} is {clean(said)[:40]!r}, a placeholder that nothing was put in for"
            )
    if not is_ours(profile.name, body.get("table", profile.name)):
        return ()
    key = body.get("sys_id")
    if not isinstance(key, str) or not SYS_ID.fullmatch(key):
        raise Malformed("the webhook names no record; its body must carry sys_id")
    event = clean(str(body.get("event", "update")))[:40]
    count = body.get("sys_mod_count")
    revision = clean(str(count))[:20] if isinstance(count, str | int) and str(count) else posted(request)
    ref = TicketRef(profile.account.name, key)
    return (Event(ref=ref, delivery=f"{key}:{revision}:{event}", hint=event),)


def is_ours(table: str, named: Any) -> bool:
    """Whether a record of the named table may be one of this account's. A table below ours is named by its own name,
    and only ServiceNow knows which those are: one whose name begins like ours, or one of the customer's own."""
    return isinstance(named, str) and (named == table or named.startswith((f"{table}_", *OWN)))


def posted(request: HookRequest) -> str:
    """What names one post and no other: its signed time and body, or, where no time is signed, when it came in."""
    stamp = request.headers.get(STAMP) or str(request.received_at)
    return hashlib.sha256(stamp.encode("utf-8", "replace") + b"." + request.body).hexdigest()[:20]


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
