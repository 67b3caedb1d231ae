"""A small simulated account for the simulator's own tests, spoken to without a socket."""

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette

from adapters.zendesk.simulator import TOKEN, create
from adapters.zendesk.simulator.state import Zendesk

START = 1_790_000_000
BASE = "http://acme.zendesk.test"


class Clock:
    """The account's time, moved by hand."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def pass_by(self, seconds: int) -> None:
        self.at += seconds


class Api:
    """One account with two groups, three agents, one customer and one ticket, and a caller who is the bot."""

    def __init__(self, **switches: Any) -> None:
        self.clock = Clock()
        self.app: Starlette = create(self.clock, **switches)
        self.desk: Zendesk = self.app.state.zendesk
        self.desk.seed(
            groups=[{"name": "Tier 1", "id": 11}, {"name": "Tier 2", "id": 12}],
            organizations=[{"name": "Initech", "id": 31}],
            agents=[
                {"name": "Ann", "email": "ann@acme.test", "id": 21, "groups": ["Tier 1"]},
                {"name": "Ben", "email": "ben@acme.test", "id": 22, "groups": ["Tier 2"]},
                {"name": "Both", "email": "both@acme.test", "id": 23, "groups": ["Tier 1", "Tier 2"]},
            ],
            users=[{"name": "Cleo", "email": "cleo@initech.test", "id": 41, "organization": "Initech"}],
            tickets=[
                {"requester": "Cleo", "subject": "Printer", "description": "It burns", "group": "Tier 1"}
            ],
        )

    @property
    def bot(self) -> int:
        return int(self.desk.people.user("Uptier")["id"])

    def call(self, method: str, path: str, *, token: str = TOKEN, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "uptier-test/1"} | more.pop(
            "headers", {}
        )

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.call("GET", f"/api/v2/{path}", params=query)

    def put(self, number: int = 1, **fields: Any) -> httpx.Response:
        return self.call("PUT", f"/api/v2/tickets/{number}", json={"ticket": fields})

    def ticket(self, number: int = 1) -> dict[str, Any]:
        shown: dict[str, Any] = self.get(f"tickets/{number}").json()["ticket"]
        return shown
