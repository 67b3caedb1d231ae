"""Play one ServiceNow instance: an ASGI app for tests and the demo, written from the vendor sheet alone.

It imports nothing of the adapter or of policies: an error in the adapter's translation cannot cancel itself.

Played: the Table API (GET list and record, PATCH, POST and DELETE as far as tags need them) on incident,
sn_customerservice_case, sc_req_item, sc_task, sys_choice, sys_user, sys_user_group, sys_user_grmember,
sys_journal_field, sys_audit, task_sla, contract_sla, dl_u_priority, label, label_entry;
on_call_rota/whoisoncall; /oauth_token.do
(client_credentials, password, refresh_token). The Business Rule of docs/servicenow.md posts through
`app.state.servicenow.hooks`. Every other path answers 501. Not imitated: domains, the batch and import APIs,
attachments, mutual TLS, several nodes, asynchronous rules.

The instance's time is `now`, also in the Date header: run it with uvicorn's own Date header off
(`date_header=False`), as `adapters.simulation.server.serve` does.

Out of the box there is one user, the bot, with the credentials below; everything else comes from
`app.state.servicenow.seed(...)` or POST /_sim/seed. The control surface over HTTP: `adapters.simulation.control`.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from adapters.servicenow.simulator import reads, writes
from adapters.servicenow.simulator.reads import Call
from adapters.servicenow.simulator.records import PRIORITIES, STATES, Switches
from adapters.servicenow.simulator.rules import CANCELLED, envelope, not_played, preset, refused
from adapters.servicenow.simulator.state import ServiceNow
from adapters.simulation.answers import VERBS, Dialect, Refused, Reply, read_form, read_json
from adapters.simulation.control import app_of

BOT = "uptier.bot"
PASSWORD = "servicenow-simulator-password"
API_KEY = "servicenow-simulator-key"
CLIENT, CLIENT_SECRET = "uptier", "servicenow-simulator-client-secret"

Handler = Callable[[Call], Reply]

PLAYED: Mapping[tuple[str, bool], Handler] = {  # by method and whether one record is named
    ("GET", False): reads.listed,
    ("GET", True): reads.record,
    ("PATCH", True): writes.patch,
    ("PUT", True): writes.patch,
    ("POST", False): writes.post,
    ("DELETE", True): writes.delete,
}
NOT_JSON = refused(400, "Exception while reading request", "The payload is not valid JSON.").reply


def create(now: Callable[[], float] = time.time, **switches: Any) -> Starlette:
    """Make an instance of its own; nothing is shared between two.

    `now` gives epoch seconds. `switches` are the fields of `Switches`; TypeError names an unknown one.
    The instance is at `app.state.servicenow`.
    """
    desk = ServiceNow(now, Switches(**switches))
    _admit_bot(desk)
    dialect = Dialect(
        preset=preset, not_played=not_played, json_type="application/json;charset=UTF-8", ascii=True,
        has_sessions=True, cancelled=envelope(CANCELLED, CANCELLED),
    )  # fmt: skip

    def table(request: Request, content: bytes) -> Reply:
        return _served(desk, request, content)

    def on_call(request: Request, _: bytes) -> Reply:
        return _admitted(desk, request, reads.who_is_on_call, None)

    played = [
        (("POST",), "/oauth_token.do", lambda _, content: desk.access.grant(read_form(content))),
        (VERBS, "/api/now/table/{table}", table),
        (VERBS, "/api/now/table/{table}/{sys_id}", table),
        (("GET",), "/api/now/on_call_rota/whoisoncall", on_call),
    ]
    return app_of(desk, "servicenow", dialect, played)


def _admit_bot(desk: ServiceNow) -> None:
    desk.add_user(name="Uptier", user_name=BOT, email="bot@uptier.test", time_zone="UTC")
    desk.bot = BOT
    desk.access.passwords[BOT] = PASSWORD
    desk.access.keys[API_KEY] = BOT
    desk.access.clients[CLIENT] = (CLIENT_SECRET, BOT)
    for (impact, urgency), number in desk.matrix.items():
        desk.put("dl_u_priority", {"impact": impact, "urgency": urgency, "priority": number})
    for table, labels in STATES.items():
        for element, choices in (("state", labels), ("priority", PRIORITIES)):
            for value, label in choices.items():
                row = {"name": table, "element": element, "value": value, "label": label, "inactive": "false"}
                desk.put("sys_choice", row)


def _served(desk: ServiceNow, request: Request, content: bytes) -> Reply:
    handler = PLAYED.get((request.method, "sys_id" in request.path_params))
    if handler is None:
        raise not_played(f"{request.method} {request.url.path}")
    if "application/json" not in request.headers.get("accept", ""):
        raise refused(400, "Requested media types in Accept header is not supported", None)
    return _admitted(desk, request, handler, read_json(content, NOT_JSON))


def _admitted(desk: ServiceNow, request: Request, handler: Handler, body: Any) -> Reply:
    """Know the caller, charge the limits, and let the handler answer."""
    with desk.lock:
        user = desk.access.caller(dict(request.headers), request.cookies)
        word = request.path_params.get("table") or request.url.path.rpartition("/")[2]
        headers = desk.limits.take(desk.now(), word) | desk.access.session(request.cookies)
        call = Call(
            desk=desk,
            user=user,
            query=request.query_params,
            base=f"{request.url.scheme}://{request.headers['host']}",
            table=request.path_params.get("table", ""),
            sys_id=request.path_params.get("sys_id", ""),
            body=body,
        )
        try:
            reply = handler(call)
        except Refused as refusal:
            reply = refusal.reply
        else:
            request.scope["uptier.logged"].applied = request.method != "GET"
        return Reply(status=reply.status, body=reply.body, headers={**headers, **reply.headers})
