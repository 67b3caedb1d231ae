"""The control surface over HTTP, under /_sim/, for a test whose subject runs in another process.

POST /_sim/seed      the keyword arguments of `ServiceNow.seed` as JSON; answers the sys_ids made
POST /_sim/act       {"act": NAME, ...its arguments}; NAME is one of ACTS or HOOK_ACTS, or revoke, end_sessions
POST /_sim/faults    a list of faults (the fields of `Fault`) to add; an empty list clears them
GET  /_sim/requests  what came in under /api and /oauth_token.do, oldest first
GET  /_sim/tickets   every ticket with its journal and audit, as they stand
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.servicenow.simulator_faults import Fault
from adapters.servicenow.simulator_hooks import Attempt
from adapters.servicenow.simulator_records import TASKS
from adapters.servicenow.simulator_state import ServiceNow

ACTS = (
    "open", "customer_says", "agent_says", "agent_changes", "rule_says", "rule_changes", "touch_quietly",
    "set_target", "delete", "hide", "add_user", "commit_late", "hide_column", "close_column", "add_rule",
)  # fmt: skip
HOOK_ACTS = ("subscribe", "deliver", "drop", "start", "stop")


def act(desk: ServiceNow, order: Mapping[str, Any]) -> Any:
    """Carry out one act given as JSON; ValueError names an act that does not exist."""
    name = order.get("act")
    arguments = {key: value for key, value in order.items() if key != "act"}
    if name in ("revoke", "end_sessions"):
        return getattr(desk.access, name)()
    if name in ACTS:
        return getattr(desk, name)(**arguments)
    if name in HOOK_ACTS:
        return getattr(desk.hooks, name)(**arguments)
    known = ", ".join((*ACTS, *HOOK_ACTS, "revoke", "end_sessions"))
    raise ValueError(f"no act {name!r}; the acts are {known}")


def routes(desk: ServiceNow) -> list[Route]:
    """The control surface of one instance."""

    async def seed(request: Request) -> Response:
        order = await request.json()
        return await _done(lambda: desk.seed(**order))

    async def carry_out(request: Request) -> Response:
        order = await request.json()
        return await _done(lambda: _plain(act(desk, order)))

    async def faults(request: Request) -> Response:
        rows = await request.json()
        return await _done(lambda: _script(desk, rows))

    async def log(_: Request) -> Response:
        return JSONResponse({"requests": [logged.as_json() for logged in desk.log]})

    async def tickets(_: Request) -> Response:
        with desk.lock:
            return JSONResponse(
                {"tickets": [_whole(desk, row) for name in TASKS for row in desk.tables[name].values()]}
            )

    return [
        Route("/_sim/seed", seed, methods=["POST"]),
        Route("/_sim/act", carry_out, methods=["POST"]),
        Route("/_sim/faults", faults, methods=["POST"]),
        Route("/_sim/requests", log, methods=["GET"]),
        Route("/_sim/tickets", tickets, methods=["GET"]),
    ]


def _whole(desk: ServiceNow, row: Mapping[str, str]) -> dict[str, Any]:
    audit = [each for each in desk.tables["sys_audit"].values() if each["documentkey"] == row["sys_id"]]
    return {"ticket": row, "journal": desk.journal(row["sys_id"]), "audit": audit}


def _script(desk: ServiceNow, rows: list[Mapping[str, Any]]) -> int:
    if not rows:
        desk.faults.clear()
    desk.faults.extend(Fault(**row) for row in rows)
    return len(desk.faults)


def _plain(result: Any) -> Any:
    """Make what an act returns fit for JSON: a hook's secret stays inside."""
    if isinstance(result, list):
        return [asdict(each) for each in result if isinstance(each, Attempt)]
    return result if isinstance(result, int | str) else None


async def _done(work: Callable[[], Any]) -> Response:
    """Run outside the event loop, since a delivery may call back into this very server."""
    try:
        return JSONResponse({"result": await run_in_threadpool(work)})
    except (KeyError, TypeError, ValueError) as problem:
        return JSONResponse({"error": str(problem)}, status_code=400)
