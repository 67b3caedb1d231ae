"""Webhooks: is it from this account's automation, and which ticket does it name. Pure.

Freshdesk signs nothing and names no delivery. So the automation is set up to sign in, or to send a secret in a
header, and the body is only a hint: a placeholder may have broken the JSON around it.
https://support.freshdesk.com/support/solutions/articles/132589"""

import hashlib
import hmac
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from adapters.base import Account, Event, HookRequest, Malformed, NotAuthentic
from adapters.http import clean
from policies.model import TicketRef

HEADER = "x-uptier-secret"
VALUE = rb'"ticket_id"\s*:\s*"?\s*((?:#|[A-Za-z]{1,8}-)?[0-9]{1,18})\b'
TICKET_ID = re.compile(VALUE)
FIRST_KEY = re.compile(rb'\s*\{\s*(?:"freshdesk_webhook"\s*:\s*\{\s*)?' + VALUE)
LAST_KEY = re.compile(rb"," + rb"\s*" + VALUE + rb'\s*"?\s*\}\s*\}?\s*\Z')
OTHER_KIND = re.compile(
    r"(contact|compan|agent|user|organization|group|article|solution|topic|survey|time_entr|test)"
)
"""How the keys begin of what an automation or an app may send of other things than tickets."""

UNFILLED = re.compile(rb"\{\{\s*ticket\.")
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
        return lambda request: hmac.compare_digest(
            secret.encode(), request.headers.get(HEADER, "").encode("utf-8", "replace")
        )
    return lambda request: signs_in(f"{said['user']}:{secret}", request.headers.get("authorization", ""))


def signs_in(ours: str, header: str) -> bool:
    """Whether a header holds these Basic credentials."""
    kind, _, rest = header.partition(" ")
    try:
        given = b64decode(rest.encode("ascii"), validate=True)
    except ValueError:
        return False
    return kind.lower() == "basic" and hmac.compare_digest(ours.encode(), given)


def decode(account: str, is_trusted: Trusted, request: HookRequest) -> tuple[Event, ...]:
    """The one event of an authentic webhook, or none of one that is about something else than a ticket. Raises
    NotAuthentic or Malformed, nothing else.

    Freshdesk sends the same bytes for two changes of a ticket as for one change twice. To lose none, the second
    it came in is part of its name, and a redelivery is looked at again.
    """
    if not is_trusted(request):
        raise NotAuthentic("the webhook's credentials do not match; compare webhook and automation rule")
    body = document(request.body)
    number = found_in(request.body) if body is None else ticket_number(body)
    if number is None and UNFILLED.search(request.body):
        raise Malformed(
            "the webhook names no ticket: its placeholder {{ticket.id}} was sent as it stands, so the automation is no "
            "rule of Freshdesk on tickets, or it was tested by hand"
        )
    if number is None and body and "ticket_id" not in body and any(map(OTHER_KIND.match, body)):
        return ()
    if number is None:
        raise Malformed("the webhook names no ticket; its body must carry ticket_id")
    digest = hashlib.sha256(request.body).hexdigest()
    return (
        Event(
            ref=TicketRef(account, number),
            delivery=f"{request.received_at}:{digest[:32]}",
            hint=clean(hint(body or {}, request.body)),
        ),
    )


def document(body: bytes) -> Mapping[str, Any] | None:
    """The body as an object, without the envelope of Freshdesk's simple form; None when it is no JSON, and empty when
    it is another kind of it."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    inner = read.get("freshdesk_webhook", read) if isinstance(read, dict) else {}
    return inner if isinstance(inner, dict) else {}


def ticket_number(body: Mapping[str, Any]) -> str | None:
    """The ticket a body names, as digits."""
    value = body.get("ticket_id")
    return digits(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None


def found_in(body: bytes) -> str | None:
    """The `ticket_id` of a body that quotation marks have broken. Customers write what stands between them, so that of
    the body's own first or last key counts before any other."""
    found = FIRST_KEY.match(body) or LAST_KEY.search(body) or TICKET_ID.search(body)
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
