"""What admins set up: webhooks, which the API makes too, triggers and automations, which it shows.

Shapes, statuses and headers as recorded; vendor sheet, section 2."""

import base64
from dataclasses import replace
from typing import Any

from adapters.simulation.answers import Record, Reply, refused, stamp
from adapters.zendesk.simulator import rules
from adapters.zendesk.simulator.reads import LARGEST, Call, gate, paged, with_url
from adapters.zendesk.simulator.webhooks import BY_TRIGGER, Hook

NEEDED = ("name", "endpoint", "http_method", "request_format", "status")
TAKEN = (*NEEDED, "description", "subscriptions")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FORMATS = ("json", "xml", "form_encoded")
EVENT = "zen:event-type:"


def automations(call: Call) -> Reply:
    """GET /automations, for admins."""
    return _rules(call, "automations")


def triggers(call: Call) -> Reply:
    """GET /triggers, for admins."""
    return _rules(call, "triggers")


def _rules(call: Call, kind: str) -> Reply:
    call.need_admin()
    page = paged(call, call.desk.people.business_rules[kind].values())
    return Reply(body={kind: [with_url(call, kind, row) for row in page.rows], **page.about})


def webhooks(call: Call) -> Reply:
    """GET /webhooks: the newest first, in cursor pages; `filter[name_contains]` leaves others out."""
    call.need_admin()
    if "page[before]" in call.query or "sort" in call.query:
        raise rules.not_played("page[before] or sort on webhooks")
    part = call.query.get("filter[name_contains]", "")
    rows = [shown(hook) for hook in reversed(call.desk.hooks.hooks) if part in shown(hook)["name"]]
    start = int(base64.b64decode(call.query["page[after]"])) if "page[after]" in call.query else 0
    size = call.number("page[size]", LARGEST, most=LARGEST)
    meta: Record = {"has_more": start + size < len(rows)}
    links: Record = {}
    if meta["has_more"]:
        meta["after_cursor"] = base64.b64encode(str(start + size).encode()).decode()
        links["next"] = call.address({"page[after]": meta["after_cursor"]})
    return Reply(body={"webhooks": rows[start : start + size], "meta": meta, "links": links})


def one_webhook(call: Call) -> Reply:
    """GET /webhooks/{id}."""
    return Reply(body={"webhook": shown(_found(call))})


def make_webhook(call: Call) -> Reply:
    """POST /webhooks: for events it is posted to with JSON; it can hear events or be called by triggers, not both."""
    call.need_admin()
    told = call.body.get("webhook") if isinstance(call.body, dict) else None
    if not isinstance(told, dict):
        raise _invalid("webhook is missing")
    if lacking := [name for name in NEEDED if not told.get(name)]:
        raise _invalid(f"{', '.join(lacking)} is missing")
    if unplayed := sorted(told.keys() - {*TAKEN}):
        raise rules.not_played(f"{', '.join(unplayed)} on POST webhooks")
    if told["http_method"] not in METHODS or told["request_format"] not in FORMATS:
        raise _invalid("http_method or request_format is not one that there is")
    if told["status"] not in ("active", "inactive") or not str(told["endpoint"]).startswith(
        ("https://", "http://")
    ):
        raise _invalid("status or endpoint is not one that there can be")
    kinds: Any = told.get("subscriptions") or []
    events = [kind for kind in kinds if str(kind).startswith(EVENT)]
    if not kinds or (len(events) != len(kinds) and kinds != [BY_TRIGGER]):
        raise _invalid("subscriptions are events, or conditional_ticket_events alone")
    if events and (told["http_method"], told["request_format"]) != ("POST", "json"):
        raise _invalid("a webhook for events needs POST and json")
    at = stamp(call.desk.now()).replace("Z", ".242420291Z")
    hook = call.desk.hooks.make(
        {**told, "subscriptions": kinds, "created_at": at, "created_by": str(call.user["id"])}
    )
    return Reply(status=201, body={"webhook": shown(hook)})


def remove_webhook(call: Call) -> Reply:
    """DELETE /webhooks/{id}: what waits to be posted through it is lost."""
    call.desk.hooks.remove(_found(call))
    return Reply(status=204)


def signing_secret(call: Call) -> Reply:
    """GET /webhooks/{id}/signing_secret."""
    return Reply(body={"signing_secret": {"secret": _found(call).secret, "algorithm": "SHA256"}})


def invocations(call: Call) -> Reply:
    """GET /webhooks/{id}/invocations: the newest first. Their words for what arrived are not recorded: a switch."""
    hook = _found(call)
    gate(call, call.desk.switches.invocations)
    arrived, lost = call.desk.switches.delivery_words
    hooks = call.desk.hooks
    over = [(each, arrived) for each in hooks.done] + [(each, lost) for each in hooks.lost]
    rows = sorted(
        ({"id": each.id, "status": word} for each, word in over if each.hook is hook),
        key=lambda row: str(row["id"]),
        reverse=True,
    )
    return Reply(body={"invocations": rows[: call.number("page[size]", LARGEST, most=LARGEST)]})


def test_webhook(call: Call) -> Reply:
    """POST /webhooks/test?webhook_id=: posted at once, to the webhook's own address, signed with its own secret."""
    if call.body != {"request": {}} or "webhook_id" not in call.query:
        raise rules.not_played("a test with a request of its own")
    status = call.desk.hooks.test(_found(replace(call, params={"id": call.query["webhook_id"]})))
    answered: Record = {} if status is None else {"status_code": status, "payload": ""}
    return Reply(body={"response": {"headers": [], **answered}})


def shown(hook: Hook) -> Record:
    """A webhook as the API shows it: never with its secret."""
    plain = {
        "name": hook.id,
        "status": "active",
        "subscriptions": [BY_TRIGGER] if hook.mode == "trigger" else [f"{EVENT}ticket.created"],
        "endpoint": hook.url,
        "http_method": "POST",
        "request_format": "json",
    }
    return {"id": hook.id, **plain, **hook.told}


def _found(call: Call) -> Hook:
    call.need_admin()
    hooks: list[Hook] = call.desk.hooks.hooks
    for hook in hooks:
        if hook.id == call.params["id"]:
            return hook
    raise call.missing()


def _invalid(why: str) -> Exception:
    return refused(400, {"error": "InvalidWebhook", "description": why})
