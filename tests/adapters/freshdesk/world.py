"""The adapter and a simulated account, with a real socket between them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from adapters.base import Account, Adapter
from adapters.contract.sandbox import RecordingGate
from adapters.freshdesk import factory
from adapters.freshdesk.simulator import KEY, create
from adapters.freshdesk.simulator.state import Freshdesk
from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from policies.model import FROM_HELPDESK, TicketRef
from tests.adapters.recording import Clock
from tests.hanging import hanging_in
from tests.patience import PATIENCE

HOOK_SECRET = "a-secret-of-our-own"
SECRETS = {"secret:acme-key": KEY, "secret:acme-webhook": HOOK_SECRET}
PRINTER = TicketRef("acme", "1")
ALL = FROM_HELPDESK
TIER1, TIER2 = 1060000000011, 1060000000012
ANN, BEN, BOTH = 1060000000021, 1060000000022, 1060000000023
CLEO, DAN = 1060000000041, 1060000000042


def account(url: str = "https://acme.freshdesk.test", **more: Any) -> Account:
    """The account as the connector would give it."""
    auth: Mapping[str, Any] = {"kind": "key", "key": "secret:acme-key"}
    settings: dict[str, Any] = {
        "name": "acme",
        "url": url,
        "auth": auth,
        "webhook": {"secret": "secret:acme-webhook"},
        "secret": lambda reference: SECRETS[reference],
        "fields": {"product": "cf_product", "seats": "cf_seats"},
        "vip": frozenset({"vip"}),
        "timeout": PATIENCE,
    }
    return Account(**settings | more)


@dataclass
class World:
    """One account with two groups, three agents, two customers and a ticket, and the adapter on it."""

    desk: Freshdesk
    clock: Clock
    adapter: Adapter
    gate: RecordingGate
    url: str

    @property
    def bot(self) -> str:
        return str(self.desk.people.agent("Uptier")["id"])

    def fault(self, kind: Any, **more: Any) -> None:
        self.desk.faults.append(Fault(kind=kind, **more))

    def sent(self, *methods: str) -> list[tuple[str, str]]:
        """Method and path of the requests of these methods that reached the account."""
        rows = [row.as_json() for row in self.desk.log]
        return [
            (row["method"], row["path"].removeprefix("/api/v2/"))
            for row in rows
            if row["method"] in (methods or ("PUT", "POST"))
        ]

    def body(self) -> dict[str, Any]:
        """The body of the last write that reached the account."""
        found: dict[str, Any] = [row.body for row in self.desk.log if row.method != "GET"][-1]
        return found

    def said(self, ticket: int = 1) -> list[tuple[str, bool]]:
        """Text and privacy of what was said on a ticket after its description."""
        return [(row["body_text"], row["private"]) for row in self.desk.ticket(ticket).conversations]


@contextmanager
def world(*, settings: Mapping[str, Any] | None = None, **switches: Any) -> Iterator[World]:
    """Serve a fresh account; `settings` go to the adapter's account, `switches` to the simulator."""
    clock = Clock()
    app = create(clock, **{"limits": {"account": 100_000, "tickets-list": 10_000}} | switches)
    desk: Freshdesk = app.state.freshdesk
    desk.seed(
        groups=[{"name": "Tier 1", "id": TIER1}, {"name": "Tier 2", "id": TIER2}],
        companies=[{"name": "Initech", "id": 1060000000031}],
        agents=[
            {"name": "Ann", "email": "ann@acme.test", "id": ANN, "groups": ["Tier 1"]},
            {"name": "Ben", "email": "ben@acme.test", "id": BEN, "groups": ["Tier 2"]},
            {"name": "Both", "email": "both@acme.test", "id": BOTH, "groups": ["Tier 1", "Tier 2"]},
        ],
        contacts=[
            {
                "name": "Cleo",
                "email": "cleo@initech.test",
                "id": CLEO,
                "company": "Initech",
                "tags": ["vip"],
                "language": "pt-BR",
            },
            {"name": "Dan", "email": "dan@elsewhere.test", "id": DAN},
        ],
        ticket_fields=[
            {"name": "cf_product", "type": "custom_dropdown", "choices": ["X100", "X200"]},
            {"name": "cf_seats", "type": "custom_number"},
        ],
        tickets=[
            {
                "requester": "Cleo",
                "subject": "Printer",
                "description": "It burns",
                "group": "Tier 1",
                "tags": ["hardware"],
                "custom": {"cf_product": "X100"},
            }
        ],
    )
    gate = RecordingGate()
    with serve(app) as url, hanging_in(desk.log):
        yield World(
            desk=desk, clock=clock, adapter=factory(account(url, **settings or {}), gate), gate=gate, url=url
        )
