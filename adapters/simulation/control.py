"""An account as tests and the demo steer it, and the same over HTTP, for a test whose subject runs in
another process.

POST /_sim/seed      the keyword arguments of the account's `seed` as JSON; answers the ids made
POST /_sim/act       {"act": NAME, ...its arguments}; NAME is one of the account's ACTS or ACCESS_ACTS, or of HOOK_ACTS
POST /_sim/faults    a list of faults (the fields of `Fault`) to add; an empty list clears them
GET  /_sim/requests  what came in, oldest first
GET  /_sim/tickets   every ticket with all that belongs to it, as it stands
"""

import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulation.answers import Answer, Dialect, answering
from adapters.simulation.faults import Fault, Logged, Wire

HOOK_ACTS = ("subscribe", "deliver", "drop", "start", "stop")


class Account(ABC):
    """One simulated account: its time, its lock, the numbers it gives, the request log and the faults to come.

    Every act may be called from another thread.
    """

    ACTS: ClassVar[tuple[str, ...]]
    ACCESS_ACTS: ClassVar[tuple[str, ...]] = ("revoke",)
    access: Any
    hooks: Any
    seed: Callable[..., Mapping[str, Sequence[Any]]]

    def __init__(self, now: Callable[[], float], first_id: int) -> None:
        self.clock = now
        self.lock = threading.RLock()
        self.faults: list[Fault] = []
        self.log: list[Logged] = []
        self._ids = itertools.count(first_id)

    def now(self) -> int:
        """The account's time in epoch seconds."""
        return int(self.clock())

    def new_id(self) -> int:
        """The next id; later ids are greater."""
        return next(self._ids)

    @abstractmethod
    def whole_tickets(self) -> list[dict[str, Any]]:
        """Every ticket with all that belongs to it, for GET /_sim/tickets."""

    def act(self, order: Mapping[str, Any]) -> Any:
        """Carry out one act given as JSON; ValueError names an act that does not exist."""
        name = order.get("act")
        for known, actor in ((self.ACCESS_ACTS, self.access), (self.ACTS, self), (HOOK_ACTS, self.hooks)):
            if name in known:
                return getattr(actor, name)(**{key: value for key, value in order.items() if key != "act"})
        known = (*self.ACTS, *HOOK_ACTS, *self.ACCESS_ACTS)
        raise ValueError(f"no act {name!r}; the acts are {', '.join(known)}")


def app_of(
    account: Account, name: str, dialect: Dialect, played: Sequence[tuple[Sequence[str], str, Answer]]
) -> Starlette:
    """The ASGI app of an account, which stands at `app.state.<name>`. `played`: see `answering`."""
    wire = Middleware(
        Wire, dialect=dialect, log=account.log, faults=account.faults, now=account.now, act=account.act
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        account.hooks.stop()

    routes = [*_control(account), *answering(dialect, played)]
    app = Starlette(routes=routes, middleware=[wire], lifespan=lifespan)
    setattr(app.state, name, account)
    return app


def _control(account: Account) -> list[Route]:
    async def seed(request: Request) -> Response:
        order = await request.json()
        return await _done(lambda: account.seed(**order))

    async def act(request: Request) -> Response:
        order = await request.json()
        return await _done(lambda: _plain(account.act(order)))

    async def faults(request: Request) -> Response:
        rows = await request.json()
        return await _done(lambda: _script(account, rows))

    async def log(_: Request) -> Response:
        return JSONResponse({"requests": [logged.as_json() for logged in account.log]})

    async def tickets(_: Request) -> Response:
        with account.lock:
            return JSONResponse({"tickets": account.whole_tickets()})

    return [
        Route("/_sim/seed", seed, methods=["POST"]),
        Route("/_sim/act", act, methods=["POST"]),
        Route("/_sim/faults", faults, methods=["POST"]),
        Route("/_sim/requests", log, methods=["GET"]),
        Route("/_sim/tickets", tickets, methods=["GET"]),
    ]


def _script(account: Account, rows: list[Mapping[str, Any]]) -> int:
    if not rows:
        account.faults.clear()
    account.faults.extend(Fault(**row) for row in rows)
    return len(account.faults)


def _plain(result: Any) -> Any:
    """Make what an act returns fit for JSON: a hook's secret stays inside."""
    if isinstance(result, list):
        return [asdict(attempt) for attempt in result]
    return result if isinstance(result, int | str) else None


async def _done(work: Callable[[], Any]) -> Response:
    """Run outside the event loop, since a delivery may call back into this very server."""
    try:
        return JSONResponse({"result": await run_in_threadpool(work)})
    except (KeyError, TypeError, ValueError) as problem:
        return JSONResponse({"error": str(problem)}, status_code=400)
