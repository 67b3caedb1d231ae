"""A simulated helpdesk in a process of its own, without limits, that notes when each request came in.

    python -m tests.benchmarks.helpdesk VENDOR

Prints its address. Beside the simulator's own control surface it answers, as JSON:

POST /_bench/open       {"count", "since", "at", "step"}: tickets that Cleo writes, `step` seconds apart; their ids
POST /_bench/touch      {"tickets", "every"}: Ann changes each subject and a webhook tells of it, if any; when
POST /_bench/subscribe  {"service"}: webhooks to the service at this address, delivered as things happen
GET  /_bench/arrivals   [seconds since the epoch, method, path] of every request
GET  /_bench/facts      the account's table of the config file, and its secrets
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.simulation.server import serve
from tests.connector.each import DESKS

NO_LIMIT = 10**9
LIMITS = (
    "account",
    "tickets-index",
    "tickets-update",
    "per-ticket-updates",
    "incremental-exports",
    "search-export",
)
FREE: dict[str, dict[str, Any]] = {
    "zendesk": {"export_lag": 0, "limits": dict.fromkeys(LIMITS, (NO_LIMIT, 60))},
    "freshdesk": {"limits": dict.fromkeys(("account", "tickets-list", "ticket-update"), NO_LIMIT)},
    "servicenow": {},
}


class Bench:
    """The ASGI app around the simulator's."""

    desk: Any

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.arrivals: list[tuple[float, str, str]] = []
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "open": self.open,
            "touch": self.touch,
            "subscribe": self.subscribe,
            "arrivals": lambda _: self.arrivals,
            "facts": lambda _: {"config": self.desk.config(), "secrets": dict(self.desk.secrets())},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note and pass on, or answer."""
        if scope["type"] != "http" or not scope["path"].startswith("/_bench/"):
            if scope["type"] == "http" and not scope["path"].startswith("/_sim/"):
                self.arrivals.append((time.time(), scope["method"], scope["path"]))
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        answer = self.answers[scope["path"].removeprefix("/_bench/")]
        found = await run_in_threadpool(answer, json.loads(body or "{}"))
        await JSONResponse(found)(scope, receive, send)

    def open(self, of: dict[str, Any]) -> list[Any]:
        """Tickets, numbered on from `since`, the first opened at `at`."""
        numbers = range(of["since"] + 1, of["since"] + of["count"] + 1)
        for number in numbers:
            at = int(of["at"] + (number - of["since"] - 1) * of["step"])
            self.desk.open(f"t{number}", f"Printer {number}", "eu", at)
        return [self.desk.tickets[f"t{number}"] for number in numbers]

    def touch(self, of: dict[str, Any]) -> dict[str, float]:
        """Change one ticket after the other; when each was told."""
        told: dict[str, float] = {}
        column = "short_description" if self.desk.title == "ServiceNow" else "subject"
        for ticket in of["tickets"]:
            self.desk.desk.agent_changes(ticket, "Ann", **{column: f"changed {time.time()}"})
            told[str(ticket)] = time.time()
            self.desk.desk.hooks.deliver()
            time.sleep(of["every"])
        return told

    def subscribe(self, of: dict[str, Any]) -> None:
        """Webhooks from now on; with `quiet`, only those that `touch` delivers."""
        self.desk.subscribe(of["service"])
        if of.get("quiet"):
            self.desk.settle()


def main(vendor: str) -> None:
    """Serve until killed."""
    (entry,) = entry_points(group="uptier.simulators", name=vendor)
    app: Any = entry.load()(time.time, **FREE[vendor])
    bench = Bench(app)
    with serve(bench) as url:
        bench.desk = DESKS[vendor](app=app, url=url)
        bench.desk.furnish()
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
