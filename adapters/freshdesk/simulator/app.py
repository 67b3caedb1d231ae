"""Play one Freshdesk account: an ASGI app for tests and the demo, written from the vendor sheet alone.

It imports nothing of the adapter or of policies: an error in the adapter's translation cannot cancel itself.

Played under /api/v2: agents/me, agents (list, show), groups (list, show), contacts/{id}, ticket_fields,
admin/ticket_fields/{id},
sla_policies, business_hours, automations/4/rules, tickets (list, show, conversations, satisfaction_ratings, PUT),
tickets/{id}/notes and /reply, and tickets/archived/{id}. Automation webhooks are posted by
`app.state.freshdesk.hooks`. Every other path answers 501 (search, bulk updates and merging
among them), and so does what these do not imitate: other filters of the list,
embedded descriptions, keys of PUT named in `rules.NOT_PLAYED`, structured bodies, attachments.
Not imitated without saying so: conditions, hours and pauses of SLA policies, ticket forms, ticket scopes, nested
fields, notifications, the hourly allowance of webhooks.

The account's time is `now`, also in the Date header: run it with uvicorn's own Date header off
(`date_header=False`), as `adapters.simulation.server.serve` does.

Out of the box there is one administrator, the bot, with the key below; everything else comes from
`app.state.freshdesk.seed(...)` or POST /_sim/seed. The control surface over HTTP: `adapters.simulation.control`.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from adapters.freshdesk.simulator import feeds, reads, writes
from adapters.freshdesk.simulator.reads import Call
from adapters.freshdesk.simulator.records import Switches
from adapters.freshdesk.simulator.rules import not_played, preset
from adapters.freshdesk.simulator.state import Freshdesk
from adapters.simulation.answers import VERBS, Dialect, Refused, Reply, read_json
from adapters.simulation.control import app_of

BOT = "bot@uptier.test"
KEY = "freshdesk-simulator-key"

Handler = Callable[[Call], Reply]

PLAYED: dict[tuple[str, str], tuple[Handler, tuple[str, ...]]] = {  # handler, endpoint limits
    ("GET", "agents/me"): (reads.me, ()),
    ("GET", "agents"): (reads.agents, ()),
    ("GET", "agents/{id}"): (reads.agent, ()),
    ("GET", "groups"): (reads.groups, ()),
    ("GET", "groups/{id}"): (reads.group, ()),
    ("GET", "contacts/{id}"): (reads.contact, ()),
    ("GET", "ticket_fields"): (reads.ticket_fields, ()),
    ("GET", "admin/ticket_fields/{id}"): (reads.ticket_field, ()),
    ("GET", "sla_policies"): (reads.sla_policies, ()),
    ("GET", "business_hours"): (reads.business_hours, ()),
    ("GET", "automations/4/rules"): (reads.update_rules, ()),
    ("GET", "tickets"): (feeds.tickets, ("tickets-list",)),
    ("GET", "tickets/{id}"): (reads.one_ticket, ()),
    ("GET", "tickets/{id}/conversations"): (reads.conversations, ()),
    ("GET", "tickets/{id}/satisfaction_ratings"): (reads.satisfaction_ratings, ()),
    ("GET", "tickets/archived/{id}"): (reads.archived, ()),
    ("PUT", "tickets/{id}"): (writes.update_ticket, ("ticket-update",)),
    ("POST", "tickets/{id}/notes"): (writes.add_note, ()),
    ("POST", "tickets/{id}/reply"): (writes.reply, ()),
}
ONE = re.compile(
    r"(tickets/archived|admin/ticket_fields|tickets|agents|groups|contacts)/([0-9]+)(/conversations|/satisfaction_ratings|/notes|/reply)?"
)
NOT_JSON = Reply(status=400, body={"code": "invalid_json", "message": "Request body has invalid json format"})


def create(now: Callable[[], float] = time.time, **switches: Any) -> Starlette:
    """Make an account of its own; nothing is shared between two.

    `now` gives epoch seconds. `switches` are the fields of `Switches`; TypeError names an unknown one.
    The account is at `app.state.freshdesk`.
    """
    desk = Freshdesk(now, Switches(**switches))
    (bot,) = desk.people.add_agents([{"name": "Uptier", "email": BOT, "admin": True}])
    desk.access.keys[KEY] = bot
    dialect = Dialect(preset=preset, not_played=not_played)
    played = [(VERBS, "/api/v2/{path:path}", lambda request, content: _served(desk, request, content))]
    return app_of(desk, "freshdesk", dialect, played)


def _served(desk: Freshdesk, request: Request, content: bytes) -> Reply:
    """Find the handler, know the caller, charge the limits, and let the handler answer."""
    path = request.path_params["path"]
    name, params = _named(path)
    handler, limits = PLAYED.get((request.method, name), (None, ()))
    if handler is None:
        raise not_played(f"{request.method} /api/v2/{path}")
    with desk.lock:
        agent = desk.access.caller(request.headers.get("authorization", ""))
        cost = _cost(name, request.query_params.get("include", ""))
        headers = desk.limits.take(("account", *limits), cost, desk.now())
        try:
            call = Call(
                desk=desk,
                agent=desk.people.agents[agent],
                path=request.url.path,
                query=request.query_params,
                base=f"{request.url.scheme}://{request.headers['host']}",
                params=params,
                body=read_json(content, NOT_JSON),
            )
            reply = handler(call)
            request.scope["uptier.logged"].applied = handler in writes.WRITES
        except Refused as refusal:
            reply = refusal.reply
        body = _wrapped(name, reply.body) if desk.switches.wrapped else reply.body
        return Reply(status=reply.status, body=body, headers={**headers, **reply.headers})


def _wrapped(name: str, body: Any) -> Any:
    """What Freshservice makes of this answer: the thing, or the list, under its name."""
    plural = name.split("/")[0]
    return {plural: body} if isinstance(body, list) else {plural.removesuffix("s"): body}


def _named(path: str) -> tuple[str, Mapping[str, str]]:
    found = ONE.fullmatch(path)
    return (path, {}) if found is None else (f"{found[1]}/{{id}}{found[3] or ''}", {"id": found[2]})


def _cost(name: str, include: str) -> int:
    """The credits of a request: embedded things cost, on the list twice."""
    wanted = [word for word in include.split(",") if word]
    return 1 + len(wanted) * (2 if name == "tickets" else 1)
