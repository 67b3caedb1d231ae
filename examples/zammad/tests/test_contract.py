"""The adapter holds the contract that every adapter has to hold, against its simulator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from adapters.base import Adapter, HookRequest
from adapters.contract import Contract, Sandbox
from adapters.contract.sandbox import RecordingGate
from policies.model import TicketRef


class Sink(BaseHTTPRequestHandler):
    """Takes a webhook and keeps it as it came."""

    taken: ClassVar[list[tuple[Mapping[str, str], bytes]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Silence."""


@dataclass
class ZammadSandbox:
    """The simulator as the contract wants it."""

    world: Any
    second: str = "Tier 2"
    agent: str = "ben@acme.test"
    custom: tuple[str, str] = ("product", "X200")

    @property
    def adapter(self) -> Adapter:
        adapter: Adapter = self.world.adapter
        return adapter

    @property
    def gate(self) -> RecordingGate:
        gate: RecordingGate = self.world.gate
        return gate

    @property
    def ref(self) -> TicketRef:
        return TicketRef("acme", "1")

    def settle(self) -> None:
        self.world.clock.at += 120

    def now(self) -> int:
        return int(self.world.clock.at)

    def open(self, subject: str, **fields: Any) -> TicketRef:
        told: dict[str, Any] = {"customer": "Dan", "description": "?", "group": "Tier 1"} | fields
        return TicketRef("acme", str(self.world.desk.open(subject=subject, **told)))

    def every_kind(self) -> Iterator[TicketRef]:
        for state in ("new", "open", "pending reminder", "pending close", "closed"):
            yield self.open(state, state=state)
        yield self.open("closed for good", state="closed", group="Tier 2")
        for priority in ("1 low", "2 normal", "3 high", "4 disaster"):
            yield self.open(priority, priority=priority)

    def customer_says(self, ref: TicketRef, text: str) -> None:
        self.world.desk.customer_says(int(ref.id), text)

    def agent_says(self, ref: TicketRef, text: str) -> None:
        self.world.desk.agent_says(int(ref.id), "Ann", text)

    def agent_tags(self, ref: TicketRef, tag: str) -> None:
        self.world.desk.tag(int(ref.id), "Ann", tag)

    def delete(self, ref: TicketRef) -> None:
        self.world.desk.delete(int(ref.id))

    def drop_reply(self, *, applied: bool) -> None:
        self.world.fault("drop", applied=applied, method="PUT")

    def busy(self, wait: int) -> None:
        self.world.fault("answer", status=429, headers={"Retry-After": str(wait)})

    def broken(self) -> None:
        self.world.fault("answer", status=503, times=None)

    def refuse(self) -> None:
        self.world.fault("answer", method="PUT", status=422, body={"error": "Invalid value"})

    def revoke(self) -> None:
        self.world.desk.access.revoke()

    def requests(self) -> int:
        return len(self.world.desk.log)

    def written(self) -> int:
        return sum(logged.applied for logged in self.world.desk.log)

    def hook(self, ref: TicketRef) -> HookRequest:
        taken: list[tuple[Mapping[str, str], bytes]] = []
        server = HTTPServer(("127.0.0.1", 0), type("KeepingSink", (Sink,), {"taken": taken}))
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            hooks = self.world.desk.hooks
            hooks.subscribe(f"http://127.0.0.1:{server.server_port}/hooks/acme", "a-secret-of-our-own")
            self.customer_says(ref, "Hello?")
            hooks.deliver()
            hooks.hooks.clear()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        headers, body = taken[0]
        return HookRequest(headers=headers, body=body, received_at=self.now())


class TestZammad(Contract):
    @pytest.fixture
    def sandbox(self, world: Any) -> Sandbox:
        return ZammadSandbox(world)
