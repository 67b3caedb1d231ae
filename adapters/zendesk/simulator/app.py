"""Play one Zendesk account: an ASGI app for tests and the demo, written from the vendor sheet alone.

It imports nothing of the adapter or of policies: an error in the adapter's translation cannot cancel itself.

Played, with and without `.json`: users/me, users/{id}, users (role[]), custom_statuses, groups, group_memberships,
organizations/show_many, ticket_fields, slas/policies, business_hours/schedules, search/export, tickets (list,
show, comments, audits, PUT), incremental/tickets/cursor, automations and triggers (lists; they do nothing), POST
/oauth/tokens (client_credentials, refresh_token), and webhooks: list, show, make, remove, signing_secret, invocations,
and test of one that is there (with an empty body: what Zendesk would send is not recorded). Webhooks are posted by
`app.state.zendesk.hooks`. Every other path answers 501, and so does what these do not imitate: page[before], other
sideloads, other search terms, keys of PUT named in `writes.NOT_PLAYED`, uploads. Not imitated without saying so:
policy filters and business hours of SLA targets, ticket forms, permissions between agents, the webhook circuit
breaker, and the age of search cursors.

The account's time is `now`, also in the Date header: run it with uvicorn's own Date header off
(`date_header=False`), as `adapters.simulation.server.serve` does.

Out of the box there is one admin, the bot, with the credentials below; everything else comes from
`app.state.zendesk.seed(...)` or POST /_sim/seed. The control surface over HTTP: `adapters.simulation.control`.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from adapters.simulation.answers import VERBS, Dialect, Refused, Reply, read_form, read_json
from adapters.simulation.control import app_of
from adapters.zendesk.simulator import feeds, reads, setup, writes
from adapters.zendesk.simulator.reads import Call
from adapters.zendesk.simulator.records import Switches
from adapters.zendesk.simulator.rules import forbidden, not_played, preset
from adapters.zendesk.simulator.state import Zendesk

BOT = "bot@uptier.test"
TOKEN = "zendesk-simulator-token"
API_KEY = "zendesk-simulator-key"
CLIENT, CLIENT_SECRET = "uptier", "zendesk-simulator-client-secret"

Handler = Callable[[Call], Reply]

PLAYED: dict[tuple[str, str], tuple[Handler, tuple[str, ...]]] = {  # handler, endpoint limits
    ("GET", "users/me"): (reads.me, ()),
    ("GET", "users"): (reads.users, ()),
    ("GET", "groups"): (reads.groups, ()),
    ("GET", "group_memberships"): (reads.group_memberships, ()),
    ("GET", "organizations/show_many"): (reads.organizations, ()),
    ("GET", "ticket_fields"): (reads.ticket_fields, ()),
    ("GET", "users/{id}"): (reads.one_user, ()),
    ("GET", "custom_statuses"): (reads.custom_statuses, ()),
    ("GET", "slas/policies"): (reads.sla_policies, ()),
    ("GET", "business_hours/schedules"): (reads.schedules, ()),
    ("GET", "search/export"): (feeds.search_export, ("search-export",)),
    ("GET", "incremental/tickets/cursor"): (feeds.changed_tickets, ("incremental-exports",)),
    ("GET", "tickets"): (reads.tickets, ("tickets-index",)),
    ("GET", "tickets/{id}"): (reads.one_ticket, ()),
    ("GET", "tickets/{id}/comments"): (reads.comments, ()),
    ("GET", "tickets/{id}/audits"): (reads.audits, ()),
    ("GET", "automations"): (setup.automations, ()),
    ("GET", "triggers"): (setup.triggers, ()),
    ("GET", "webhooks"): (setup.webhooks, ("webhooks",)),
    ("POST", "webhooks"): (setup.make_webhook, ("webhooks",)),
    ("POST", "webhooks/test"): (setup.test_webhook, ("webhooks-test",)),
    ("GET", "webhooks/{id}"): (setup.one_webhook, ("webhooks",)),
    ("DELETE", "webhooks/{id}"): (setup.remove_webhook, ("webhooks",)),
    ("GET", "webhooks/{id}/signing_secret"): (setup.signing_secret, ("webhooks",)),
    ("GET", "webhooks/{id}/invocations"): (setup.invocations, ("webhooks",)),
    ("PUT", "tickets/{id}"): (writes.update_ticket, ("tickets-update", "per-ticket-updates")),
}
APPLYING = (writes.update_ticket, setup.make_webhook, setup.remove_webhook)
USER = re.compile(r"users/(\d+)")
TICKET = re.compile(r"tickets/([^/]+)(/comments|/audits)?")
WEBHOOK = re.compile(r"webhooks/(01[0-9A-Z]+)(/signing_secret|/invocations)?")
APART = re.compile(r"webhooks\b")
NOT_JSON = Reply(status=422, body={"error": "Unprocessable Entity", "message": "Server could not parse JSON"})
FIXED = ("tickets/show_many", "tickets/update_many", "tickets/create_many", "tickets/count")


def create(now: Callable[[], float] = time.time, **switches: Any) -> Starlette:
    """Make an account of its own; nothing is shared between two.

    `now` gives epoch seconds. `switches` are the fields of `Switches`; TypeError names an unknown one.
    The account is at `app.state.zendesk`.
    """
    desk = Zendesk(now, Switches(**switches))
    (bot,) = desk.people.add_users([{"name": "Uptier", "email": BOT, "role": "admin"}])
    desk.access.allow(TOKEN, bot)
    desk.access.keys[BOT] = (API_KEY, bot)
    desk.access.clients[CLIENT] = (CLIENT_SECRET, bot)
    dialect = Dialect(preset=preset, not_played=not_played, types_empty=False)
    played = [
        (("POST",), "/oauth/tokens", lambda _, content: desk.access.grant(_form(content))),
        (VERBS, "/api/v2/{path:path}", lambda request, content: _served(desk, request, content)),
    ]
    return app_of(desk, "zendesk", dialect, played)


def _served(desk: Zendesk, request: Request, content: bytes) -> Reply:
    """Find the handler, know the caller, charge the limits, and let the handler answer."""
    path = request.path_params["path"].removesuffix(".json")
    name, params = _named(path)
    handler, limits = PLAYED.get((request.method, name), (None, ()))
    if handler is None:
        raise not_played(f"{request.method} /api/v2/{path}")
    with desk.lock:
        token = desk.access.caller(request.headers.get("authorization", ""))
        verb = "read" if request.method == "GET" else "write"
        if not token.scopes & {verb, f"{path.partition('/')[0]}:{verb}"}:  # in general, or for this resource
            raise forbidden(as_object=desk.switches.error_objects)
        whose = {"per-ticket-updates": f"{token.owner}/{params.get('id')}"}
        counted = limits if APART.match(path) else ("account", *limits)
        owners = {limit: whose.get(limit, "") for limit in counted}
        headers = desk.limits.take(owners, desk.now())
        call = Call(
            desk=desk,
            user=desk.people.users[token.owner],
            path=request.url.path,
            query=request.query_params,
            base=f"{request.url.scheme}://{request.headers['host']}",
            client=request.headers.get("user-agent", ""),
            params=params,
            body=read_json(content, NOT_JSON),
        )
        try:
            reply = handler(call)
        except Refused as refusal:
            reply = refusal.reply
        else:
            request.scope["uptier.logged"].applied = handler in APPLYING
        return Reply(status=reply.status, body=reply.body, headers={**headers, **reply.headers})


def _named(path: str) -> tuple[str, Mapping[str, str]]:
    if user := USER.fullmatch(path):
        return "users/{id}", {"id": user[1]}
    if hook := WEBHOOK.fullmatch(path):
        return f"webhooks/{{id}}{hook[2] or ''}", {"id": hook[1]}
    found = TICKET.fullmatch(path)
    if found is None or path in FIXED:
        return path, {}
    return f"tickets/{{id}}{found[2] or ''}", {"id": found[1]}


def _form(content: bytes) -> Mapping[str, Any]:
    """Token requests come as JSON or as a form."""
    if content.lstrip().startswith(b"{"):
        fields: Mapping[str, Any] = read_json(content, NOT_JSON)
        return fields
    return read_form(content)
