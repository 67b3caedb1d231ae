"""The control surface over HTTP, under /_sim/, for a test whose subject runs in another process.

POST /_sim/seed      the keyword arguments of `Freshdesk.seed` as JSON; answers the ids made
POST /_sim/act       {"act": NAME, ...its arguments}; NAME is one of ACTS or HOOK_ACTS, or revoke
POST /_sim/faults    a list of faults (the fields of `Fault`) to add; an empty list clears them
GET  /_sim/requests  what came in under /api, oldest first
GET  /_sim/tickets   every ticket with its messages, as they stand
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.freshdesk.simulator_faults import Fault
from adapters.freshdesk.simulator_state import Freshdesk

ACTS = (
    "open", "customer_says", "agent_says", "agent_changes", "rule_says", "rule_changes", "rates", "set_due", "spoil",
    "delete", "mark_as_spam", "restore", "merge", "archive",
)  # fmt: skip
HOOK_ACTS = ("subscribe", "deliver", "drop", "start", "stop")


def act(desk: Freshdesk, order: Mapping[str, Any]) -> Any:
    """Carry out one act given as JSON; ValueError names an act that does not exist."""
    name = order.get("act")
    arguments = {key: value for key, value in order.items() if key != "act"}
    if name == "revoke":
        return desk.access.revoke()
    if name in ACTS:
        return getattr(desk, name)(**arguments)
    if name in HOOK_ACTS:
        return getattr(desk.hooks, name)(**arguments)
    raise ValueError(f"no act {name!r}; the acts are {', '.join((*ACTS, *HOOK_ACTS, 'revoke'))}")


def routes(desk: Freshdesk) -> list[Route]:
    """The control surface of one account."""

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
            rows = [
                {"ticket": row.json, "conversations": row.conversations, "removed": row.removed}
                for row in desk.tickets.values()
            ]
            return JSONResponse({"tickets": rows})

    return [
        Route("/_sim/seed", seed, methods=["POST"]),
        Route("/_sim/act", carry_out, methods=["POST"]),
        Route("/_sim/faults", faults, methods=["POST"]),
        Route("/_sim/requests", log, methods=["GET"]),
        Route("/_sim/tickets", tickets, methods=["GET"]),
    ]


def _script(desk: Freshdesk, rows: list[Mapping[str, Any]]) -> int:
    if not rows:
        desk.faults.clear()
    desk.faults.extend(Fault(**row) for row in rows)
    return len(desk.faults)


def _plain(result: Any) -> Any:
    """Make what an act returns fit for JSON: a hook's secret stays inside."""
    if isinstance(result, list):
        return [asdict(attempt) for attempt in result]
    return result if isinstance(result, int) else None


async def _done(work: Callable[[], Any]) -> Response:
    """Run outside the event loop, since a delivery may call back into this very server."""
    try:
        return JSONResponse({"result": await run_in_threadpool(work)})
    except (KeyError, TypeError, ValueError) as problem:
        return JSONResponse({"error": str(problem)}, status_code=400)
