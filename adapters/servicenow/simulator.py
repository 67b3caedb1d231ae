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
(`date_header=False`), as `adapters.simulator_server.serve` does.

Out of the box there is one user, the bot, with the credentials below; everything else comes from
`app.state.servicenow.seed(...)` or POST /_sim/seed. The control surface over HTTP: `simulator_control`.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.servicenow import simulator_tables as tables
from adapters.servicenow.simulator_control import act, routes
from adapters.servicenow.simulator_errors import Refused, Reply, not_played, refused
from adapters.servicenow.simulator_faults import Wire
from adapters.servicenow.simulator_records import PRIORITIES, STATES
from adapters.servicenow.simulator_state import ServiceNow
from adapters.servicenow.simulator_switches import Switches
from adapters.servicenow.simulator_tables import Call

BOT = "uptier.bot"
PASSWORD = "servicenow-simulator-password"
API_KEY = "servicenow-simulator-key"
CLIENT, CLIENT_SECRET = "uptier", "servicenow-simulator-client-secret"

Handler = Callable[[Call], Reply]

PLAYED: Mapping[tuple[str, bool], Handler] = {  # by method and whether one record is named
    ("GET", False): tables.listed,
    ("GET", True): tables.record,
    ("PATCH", True): tables.patch,
    ("PUT", True): tables.patch,
    ("POST", False): tables.post,
    ("DELETE", True): tables.delete,
}


def create(now: Callable[[], float] = time.time, **switches: Any) -> Starlette:
    """Make an instance of its own; nothing is shared between two.

    `now` gives epoch seconds. `switches` are the fields of `Switches`; TypeError names an unknown one.
    The instance is at `app.state.servicenow`.
    """
    desk = ServiceNow(now, Switches(**switches))
    _admit_bot(desk)
    wire = Middleware(
        Wire, log=desk.log, faults=desk.faults, now=desk.now, act=lambda order: act(desk, order)
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.hooks.stop()

    app = Starlette(routes=[*routes(desk), *_api(desk)], middleware=[wire], lifespan=lifespan)
    app.state.servicenow = desk
    return app


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


def _api(desk: ServiceNow) -> list[Route]:
    async def table(request: Request) -> Response:
        content = await request.body()
        return _guarded(lambda: _served(desk, request, content))

    async def on_call(request: Request) -> Response:
        return _guarded(lambda: _admitted(desk, request, tables.who_is_on_call, None))

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        return _guarded(lambda: desk.access.grant(form))

    async def other(request: Request) -> Response:
        return _guarded(lambda: _unknown(request))

    verbs = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [
        Route("/oauth_token.do", token, methods=["POST"]),
        Route("/api/now/table/{table}", table, methods=verbs),
        Route("/api/now/table/{table}/{sys_id}", table, methods=verbs),
        Route("/api/now/on_call_rota/whoisoncall", on_call, methods=["GET"]),
        Route("/{path:path}", other, methods=verbs),
    ]


def _guarded(work: Callable[[], Reply]) -> Response:
    try:
        reply = work()
    except Refused as refusal:
        reply = refusal.reply
    return _response(reply)


def _served(desk: ServiceNow, request: Request, content: bytes) -> Reply:
    handler = PLAYED.get((request.method, "sys_id" in request.path_params))
    if handler is None:
        raise not_played(f"{request.method} {request.url.path}")
    if "application/json" not in request.headers.get("accept", ""):
        raise refused(400, "Requested media types in Accept header is not supported", None)
    return _admitted(desk, request, handler, _json(content))


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


def _json(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise refused(400, "Exception while reading request", "The payload is not valid JSON.") from None


def _unknown(request: Request) -> Reply:
    raise not_played(f"{request.method} {request.url.path}")


def _response(reply: Reply) -> Response:
    if reply.body is None:
        return Response(status_code=reply.status, headers=dict(reply.headers))
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
    kind = reply.headers.get("Content-Type", "application/json;charset=UTF-8")
    return Response(text, status_code=reply.status, headers=dict(reply.headers), media_type=kind)
