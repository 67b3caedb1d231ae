"""The three simulators as the contract wants them, each over a real socket."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

from adapters.base import Adapter, HookRequest
from adapters.contract.sandbox import RecordingGate
from policies.model import TicketRef
from tests.adapters.freshdesk.world import HOOK_SECRET
from tests.adapters.freshdesk.world import World as FreshdeskWorld
from tests.adapters.servicenow.world import World as ServiceNowWorld
from tests.adapters.zendesk.world import World as ZendeskWorld

WRITING = ("PUT", "POST", "PATCH")


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
class Simulated:
    """What the three have in common."""

    world: Any
    second: str = "Tier 2"
    agent: str = "Ben"
    custom: tuple[str, str] = ("product", "X200")

    writing: ClassVar[Mapping[str, Any]]
    refusal: ClassVar[Mapping[str, Any]]

    @property
    def adapter(self) -> Adapter:
        adapter: Adapter = self.world.adapter
        return adapter

    @property
    def desk(self) -> Any:
        return self.world.desk

    @property
    def ref(self) -> TicketRef:
        return TicketRef("acme", "1")

    def settle(self) -> None:
        self.world.clock.at += 120

    def now(self) -> int:
        return int(self.world.clock.at)

    def key(self, ref: TicketRef) -> Any:
        return int(ref.id)

    def customer_says(self, ref: TicketRef, text: str) -> None:
        self.desk.customer_says(self.key(ref), text)

    def agent_says(self, ref: TicketRef, text: str) -> None:
        self.desk.agent_says(self.key(ref), "Ann", text)

    def delete(self, ref: TicketRef) -> None:
        self.desk.delete(self.key(ref))

    def drop_reply(self, *, applied: bool) -> None:
        self.world.fault("drop", applied=applied, **self.writing)

    def busy(self, wait: int) -> None:
        self.world.fault("answer", status=429, headers={"Retry-After": str(wait)})

    def broken(self) -> None:
        self.world.fault("answer", status=503, times=None)

    def refuse(self) -> None:
        self.world.fault("answer", **self.writing, **self.refusal)

    def revoke(self) -> None:
        self.desk.access.revoke()

    @property
    def gate(self) -> RecordingGate:
        gate: RecordingGate = self.world.gate
        return gate

    def requests(self) -> int:
        return len(self.desk.log)

    def written(self) -> int:
        return sum(logged.applied for logged in self.desk.log if logged.method in WRITING)

    def hook(self, ref: TicketRef) -> HookRequest:
        taken: list[tuple[Mapping[str, str], bytes]] = []
        server = HTTPServer(("127.0.0.1", 0), type("KeepingSink", (Sink,), {"taken": taken}))
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            self.subscribe(f"http://127.0.0.1:{server.server_port}/hooks/acme")
            self.customer_says(ref, "Hello?")
            self.desk.hooks.deliver()
            self.desk.hooks.hooks.clear()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        headers, body = taken[0]
        return HookRequest(headers=headers, body=body, received_at=self.now())

    def subscribe(self, url: str) -> None:
        self.desk.hooks.subscribe(url, HOOK_SECRET)


class ZendeskSandbox(Simulated):
    """Zendesk."""

    world: ZendeskWorld
    writing: ClassVar = {"method": "PUT"}
    refusal: ClassVar = {
        "status": 422,
        "body": {"error": "RecordInvalid", "description": "Record validation errors"},
    }

    def __init__(self, world: ZendeskWorld) -> None:
        super().__init__(world, agent="ben@acme.test")

    def open(self, subject: str, **fields: Any) -> TicketRef:
        told: dict[str, Any] = {"requester": "Dan", "description": "?", "group": "Tier 1"} | fields
        return TicketRef("acme", str(self.desk.open(subject=subject, **told)))

    def every_kind(self) -> Iterator[TicketRef]:
        for status in ("new", "open", "pending", "hold", "solved", "closed"):
            yield self.open(status, status=status, assignee="Ann")
        for priority in ("low", "normal", "high", "urgent", None):
            yield self.open(str(priority), priority=priority)

    def agent_tags(self, ref: TicketRef, tag: str) -> None:
        self.desk.agent_changes(int(ref.id), "Ann", tags=["hardware", tag])


class FreshdeskSandbox(Simulated):
    """Freshdesk."""

    world: FreshdeskWorld
    writing: ClassVar = {"method": "P*", "path": "*/tickets/*"}
    refusal: ClassVar = {
        "status": 400,
        "body": {
            "description": "Validation failed",
            "errors": [
                {"field": "priority", "message": "It should be one of these", "code": "invalid_value"}
            ],
        },
    }

    def __init__(self, world: FreshdeskWorld) -> None:
        super().__init__(world, agent="ben@acme.test")

    def open(self, subject: str, **fields: Any) -> TicketRef:
        told: dict[str, Any] = {"requester": "Dan", "description": "?", "group": "Tier 1"} | fields
        return TicketRef("acme", str(self.desk.open(subject=subject, **told)))

    def every_kind(self) -> Iterator[TicketRef]:
        for status in range(2, 8):
            yield self.open(str(status), status=status)
        for priority in range(1, 5):
            yield self.open(str(priority), priority=priority)

    def agent_tags(self, ref: TicketRef, tag: str) -> None:
        self.desk.agent_changes(int(ref.id), "Ann", tags=["hardware", tag])

    def subscribe(self, url: str) -> None:
        self.desk.hooks.subscribe(url, secret=HOOK_SECRET)


class ServiceNowSandbox(Simulated):
    """ServiceNow."""

    world: ServiceNowWorld
    writing: ClassVar = {"method": "PATCH"}
    refusal: ClassVar = {
        "status": 403,
        "body": {
            "error": {"message": "Operation Failed", "detail": "Error during update (Data Policy)"},
            "status": "failure",
        },
    }

    def __init__(self, world: ServiceNowWorld) -> None:
        super().__init__(world, agent="Ben")

    @property
    def ref(self) -> TicketRef:
        return self.world.printer

    def key(self, ref: TicketRef) -> Any:
        return ref.id

    def open(self, subject: str, **fields: Any) -> TicketRef:
        told: dict[str, Any] = {"caller": "Dan", "description": "?", "group": "Tier 1"} | fields
        return TicketRef("acme", str(self.desk.open(subject=subject, **told)))

    def every_kind(self) -> Iterator[TicketRef]:
        for state in ("1", "2", "6", "7", "8"):
            yield self.open(state, state=state, active=str(state not in ("7", "8")).lower())
        for reason in ("1", "3", "4", "5"):
            yield self.open(f"held {reason}", state="3", hold_reason=reason)
        for impact, urgency in (("1", "1"), ("1", "2"), ("2", "2"), ("2", "3"), ("3", "3")):
            yield self.open(f"{impact}{urgency}", impact=impact, urgency=urgency)

    def agent_tags(self, ref: TicketRef, tag: str) -> None:
        self.desk.agent_changes(ref.id, "Ann", correlation_display=f"uptier: {tag}")
