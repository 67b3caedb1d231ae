"""Webhooks: is it from this account's trigger, and which ticket does it name. Pure.

`X-Hub-Signature` is `sha1=` and the HMAC of the body; `X-Zammad-Delivery` names the delivery, the same at each of its
tries. https://admin-docs.zammad.org/en/latest/manage/webhook/payload.html,
https://admin-docs.zammad.org/en/latest/manage/webhook/add.html
"""

import hashlib
import hmac
from typing import Any

from adapters.base import Account, Event, HookRequest, Malformed, NotAuthentic
from adapters.http import clean, read_object
from policies.model import TicketRef


def secret(account: Account) -> str | None:
    """The signature token, None without webhooks. ValueError for an empty one."""
    reference = account.webhook.get("secret")
    if not reference:
        return None
    found = account.secret(reference)
    if not found:
        raise ValueError(f"account {account.name}: the webhook's secret is empty; make one up and store it")
    return found


def decode(account: str, token: str | None, request: HookRequest) -> tuple[Event, ...]:
    """The one event of an authentic webhook. Raises NotAuthentic or Malformed, nothing else."""
    signed = request.headers.get("x-hub-signature", "")
    ours = "" if token is None else hmac.new(token.encode(), request.body, hashlib.sha1).hexdigest()
    if token is None or not hmac.compare_digest(f"sha1={ours}".encode(), signed.encode("utf-8", "replace")):
        raise NotAuthentic(
            "the signature does not match; compare the account's secret with the webhook's token"
        )
    number = named(read_object(request.body))
    if not number.isdecimal() or not number.isascii() or len(number) > 18:
        raise Malformed(
            "the webhook names no ticket; send the default payload, or ticket_id in one of your own"
        )
    delivery = request.headers.get("x-zammad-delivery") or hashlib.sha256(request.body).hexdigest()
    hint = request.headers.get("x-zammad-trigger", "")
    return (Event(ref=TicketRef(account, number), delivery=clean(delivery)[:100], hint=clean(hint)[:100]),)


def named(body: dict[str, Any]) -> str:
    """The ticket of the default payload, or `ticket_id` of one's own."""
    ticket = body.get("ticket")
    found = ticket.get("id") if isinstance(ticket, dict) else body.get("ticket_id")
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
