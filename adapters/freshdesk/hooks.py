"""Webhooks: is it from this account's automation, and which ticket does it name. Pure.

Freshdesk signs nothing and names no delivery. So the automation is set up to sign in, or to send a secret in a
header, and the body is only a hint: a placeholder may have broken the JSON around it.
https://support.freshdesk.com/support/solutions/articles/132589
"""

import hashlib
import hmac
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from adapters.base import Account, Event, HookRequest, Malformed, NotAuthentic
from policies.model import TicketRef

HEADER = "x-uptier-secret"
TICKET_ID = re.compile(rb'"ticket_id"\s*:\s*"?\s*((?:#|[A-Za-z]{1,8}-)?[0-9]{1,18})\b')
NUMBER = re.compile(r"(?:#|[A-Za-z]{1,8}-)?([0-9]{1,18})")
EVENT = re.compile(rb'"event"\s*:\s*"?([^"\r\n]{1,100})')

Trusted = Callable[[HookRequest], bool]


def trusted(account: Account) -> Trusted:
    """How this account's webhooks are told from others; without a setting none is. ValueError for half of one."""
    said = account.webhook
    place = f"account {account.name}"
    names = {name for name in ("secret", "user", "password") if said.get(name)}
    if not names:
        return lambda _: False
    if names not in ({"secret"}, {"user", "password"}):
        raise ValueError(f"{place}: webhook takes a secret, or a user and a password")
    secret = account.secret(said["secret" if "secret" in names else "password"])
    if not secret:
        raise ValueError(f"{place}: the webhook's secret is empty; make one up and store it")
    if "secret" in names:
        return lambda request: equal(secret, request.headers.get(HEADER, ""))
    return lambda request: signs_in(f"{said['user']}:{secret}", request.headers.get("authorization", ""))


def equal(ours: str, given: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace"))


def signs_in(ours: str, header: str) -> bool:
    """Whether a header holds these Basic credentials."""
    kind, _, rest = header.partition(" ")
    try:
        given = b64decode(rest.encode("ascii"), validate=True)
    except ValueError:
        return False
    return kind.lower() == "basic" and hmac.compare_digest(ours.encode(), given)


def decode(account: str, is_trusted: Trusted, request: HookRequest) -> tuple[Event, ...]:
    """The one event of an authentic webhook. Raises NotAuthentic or Malformed, nothing else.

    Freshdesk sends the same bytes for two changes of a ticket as for one change twice. To lose none, the second
    it came in is part of its name, and a redelivery is looked at again.
    """
    if not is_trusted(request):
        raise NotAuthentic("the webhook's credentials do not match; compare webhook and automation rule")
    body = document(request.body)
    number = ticket_number(body) if body else found_in(request.body)
    if number is None:
        raise Malformed("the webhook names no ticket; its body must carry ticket_id")
    digest = hashlib.sha256(request.body).hexdigest()
    return (
        Event(
            ref=TicketRef(account, number),
            delivery=f"{request.received_at}:{digest[:32]}",
            hint=hint(body, request.body),
        ),
    )


def document(body: bytes) -> Mapping[str, Any]:
    """The body as an object, without the envelope of Freshdesk's simple form; empty when it is none."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    inner = read.get("freshdesk_webhook", read) if isinstance(read, dict) else {}
    return inner if isinstance(inner, dict) else {}


def ticket_number(body: Mapping[str, Any]) -> str | None:
    """The ticket a body names, as digits."""
    value = body.get("ticket_id")
    return digits(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None


def found_in(body: bytes) -> str | None:
    """The first `ticket_id` that can be recognised in a body that is no JSON object."""
    found = TICKET_ID.search(body)
    return digits(found[1].decode()) if found else None


def digits(text: str) -> str | None:
    """`11` for `11`, `#11` and `INC-11`, without leading noughts; None for anything else."""
    found = NUMBER.fullmatch(text.strip())
    return (found[1].lstrip("0") or None) if found else None


def hint(body: Mapping[str, Any], raw: bytes) -> str:
    """What the automation says happened. It names the first of several things only."""
    if body:
        return str(body.get("event", "automation"))[:100]
    found = EVENT.search(raw)
    return found[1].decode("utf-8", "replace").strip() if found else "automation"
