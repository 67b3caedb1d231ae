"""The adapter and a simulated account, with a real socket between them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from adapters.base import Account, Adapter
from adapters.contract.sandbox import RecordingGate
from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from adapters.zendesk import factory
from adapters.zendesk.simulator import TOKEN, create
from adapters.zendesk.simulator.state import Zendesk
from policies.model import FROM_HELPDESK, Need, TicketRef
from tests.adapters.recording import Clock
from tests.hanging import hanging_in
from tests.patience import PATIENCE

HOOK_SECRET = "a-secret-of-our-own"
SECRETS = {"secret:acme-token": TOKEN, "secret:acme-webhook": HOOK_SECRET}
PRINTER = TicketRef("acme", "1")
ALL = FROM_HELPDESK
PLAIN = frozenset[Need]()


def account(url: str = "https://acme.zendesk.test", **more: Any) -> Account:
    """The account as the connector would give it."""
    auth: Mapping[str, Any] = {"kind": "bearer", "token": "secret:acme-token"}
    settings: dict[str, Any] = {
        "name": "acme",
        "url": url,
        "auth": auth,
        "webhook": {"secret": "secret:acme-webhook"},
        "secret": lambda reference: SECRETS[reference],
        "fields": {"product": "360001"},
        "vip": frozenset({"vip"}),
        "timeout": PATIENCE,
    }
    return Account(**settings | more)


@dataclass
class World:
    """One account with two groups, three agents, a customer and a ticket, and the adapter on it."""

    desk: Zendesk
    clock: Clock
    adapter: Adapter
    gate: RecordingGate
    url: str

    @property
    def bot(self) -> str:
        return str(self.desk.people.user("Uptier")["id"])

    def fault(self, kind: Any, **more: Any) -> None:
        self.desk.faults.append(Fault(kind=kind, **more))

    def sent(self, method: str = "PUT") -> int:
        """How many requests of that method reached the account."""
        return sum(1 for logged in self.desk.log if logged.as_json()["method"] == method)


@contextmanager
def world(*, settings: Mapping[str, Any] | None = None, **switches: Any) -> Iterator[World]:
    """Serve a fresh account; `settings` go to the adapter's account, `switches` to the simulator."""
    clock = Clock()
    app = create(clock, **switches)
    desk: Zendesk = app.state.zendesk
    desk.seed(
        groups=[{"name": "Tier 1", "id": 11}, {"name": "Tier 2", "id": 12}],
        organizations=[{"name": "Initech", "id": 31, "tags": ["gold"]}],
        agents=[
            {"name": "Ann", "email": "ann@acme.test", "id": 21, "groups": ["Tier 1"]},
            {"name": "Ben", "email": "ben@acme.test", "id": 22, "groups": ["Tier 2"]},
            {"name": "Both", "email": "both@acme.test", "id": 23, "groups": ["Tier 1", "Tier 2"]},
        ],
        users=[
            {
                "name": "Cleo",
                "email": "cleo@initech.test",
                "id": 41,
                "organization": "Initech",
                "tags": ["vip"],
                "locale": "de-AT",
            },
            {"name": "Dan", "email": "dan@elsewhere.test", "id": 42},
        ],
        ticket_fields=[{"title": "Product", "type": "text", "id": 360001}],
        tickets=[
            {
                "requester": "Cleo",
                "subject": "Printer",
                "description": "It burns",
                "group": "Tier 1",
                "tags": ["hardware"],
                "custom": {360001: "X100"},
            }
        ],
    )
    gate = RecordingGate()
    with serve(app) as url, hanging_in(desk.log):
        yield World(
            desk=desk, clock=clock, adapter=factory(account(url, **settings or {}), gate), gate=gate, url=url
        )
