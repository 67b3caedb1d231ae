"""A small simulated account for the simulator's own tests, spoken to without a socket."""

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette

from adapters.freshdesk.simulator import KEY, create
from adapters.freshdesk.simulator.state import Freshdesk

START = 1_790_000_000
BASE = "http://acme.freshdesk.test"


class Clock:
    """The account's time, moved by hand."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def pass_by(self, seconds: int) -> None:
        self.at += seconds


class Api:
    """One account with two groups, two agents, one customer and one ticket, and a caller who is the bot."""

    def __init__(self, **switches: Any) -> None:
        self.clock = Clock()
        self.app: Starlette = create(self.clock, **switches)
        self.desk: Freshdesk = self.app.state.freshdesk
        self.desk.seed(
            groups=[{"name": "Tier 1", "id": 11}, {"name": "Tier 2", "id": 12}],
            companies=[{"name": "Initech", "id": 31}],
            agents=[
                {"name": "Ann", "email": "ann@acme.test", "id": 21, "groups": ["Tier 1"]},
                {"name": "Ben", "email": "ben@acme.test", "id": 22, "groups": ["Tier 2"]},
            ],
            contacts=[{"name": "Cleo", "email": "cleo@initech.test", "id": 41, "company": "Initech"}],
            ticket_fields=[
                {"name": "cf_kind", "type": "custom_dropdown", "choices": ["A", "B"]},
                {"name": "cf_text", "type": "custom_text"},
            ],
            tickets=[
                {"requester": "Cleo", "subject": "Printer", "description": "It burns", "group": "Tier 1"}
            ],
        )

    @property
    def bot(self) -> int:
        return int(self.desk.people.agent("Uptier")["id"])

    def call(self, method: str, path: str, *, key: str = KEY, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE, auth=(key, "X")) as client:
                return await client.request(method, path, **more)

        return asyncio.run(send())

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.call("GET", f"/api/v2/{path}", params=query)

    def put(self, number: int = 1, **fields: Any) -> httpx.Response:
        return self.call("PUT", f"/api/v2/tickets/{number}", json=fields)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        return self.call("POST", f"/api/v2/{path}", json=fields)

    def ticket(self, number: int = 1, **query: Any) -> dict[str, Any]:
        shown: dict[str, Any] = self.get(f"tickets/{number}", **query).json()
        return shown

    def numbers(self, **query: Any) -> list[int]:
        return [row["id"] for row in self.get("tickets", **query).json()]
