"""A small simulated instance for the simulator's own tests, spoken to without a socket."""

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette

from adapters.servicenow.simulator import BOT, PASSWORD, create
from adapters.servicenow.simulator.state import ServiceNow

START = 1_790_000_000
BASE = "http://acme.service-now.test"


class Clock:
    """The instance's time, moved by hand."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


class Api:
    """One instance with a group, an agent, a caller and an incident, and a caller who is the bot."""

    def __init__(self, **switches: Any) -> None:
        self.clock = Clock()
        self.app: Starlette = create(self.clock, **switches)
        self.desk: ServiceNow = self.app.state.servicenow
        made = self.desk.seed(
            groups=[{"name": "Tier 1"}],
            users=[{"name": "Ann", "groups": ["Tier 1"]}, {"name": "Cleo"}],
            tickets=[{"caller": "Cleo", "subject": "Printer", "group": "Tier 1"}],
        )
        (self.key,) = made["tickets"]

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        more.setdefault("auth", (BOT, PASSWORD))
        headers = {"Accept": "application/json"} | more.pop("headers", {})

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    def listed(self, query: str = "", table: str = "incident", **params: Any) -> httpx.Response:
        return self.call("GET", f"/api/now/table/{table}", params={"sysparm_query": query, **params})

    def found(self, query: str, table: str = "incident", **params: Any) -> list[Any]:
        rows: list[Any] = self.listed(query, table, **params).json()["result"]
        return rows

    def record(self, key: str | None = None, **params: Any) -> dict[str, Any]:
        shown = self.call("GET", f"/api/now/table/incident/{key or self.key}", params=params).json()
        row: dict[str, Any] = shown["result"]
        return row

    def patch(self, **fields: Any) -> httpx.Response:
        return self.call("PATCH", f"/api/now/table/incident/{self.key}", json=fields)
