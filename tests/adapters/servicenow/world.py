"""The adapter and a simulated instance, with a real socket between them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from adapters.base import Account, Adapter, VendorAction, Write
from adapters.contract.sandbox import RecordingGate
from adapters.servicenow import factory
from adapters.servicenow.simulator import API_KEY, BOT, CLIENT_SECRET, PASSWORD, create
from adapters.servicenow.simulator.state import ServiceNow
from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from policies.model import FROM_HELPDESK, Need, Ticket, TicketRef
from tests.adapters.recording import Clock
from tests.hanging import hanging_in
from tests.patience import PATIENCE

HOOK_SECRET = "a-secret-of-our-own"
SECRETS = {
    "secret:password": PASSWORD,
    "secret:key": API_KEY,
    "secret:client": CLIENT_SECRET,
    "secret:webhook": HOOK_SECRET,
}
ALL = FROM_HELPDESK
BASIC = {"kind": "basic", "user": BOT, "password": "secret:password"}
KEY = {"kind": "key", "key": "secret:key"}
OAUTH = {"kind": "oauth", "client_id": "uptier", "client_secret": "secret:client"}


def account(url: str = "https://acme.service-now.test", **more: Any) -> Account:
    """The account as the connector would give it."""
    settings: dict[str, Any] = {
        "name": "acme",
        "url": url,
        "auth": BASIC,
        "webhook": {"secret": "secret:webhook"},
        "secret": lambda reference: SECRETS[reference],
        "fields": {"product": "u_product"},
        "timeout": PATIENCE,
    }
    return Account(**settings | more)


@dataclass
class World:
    """One instance with two groups, three agents, a caller and an incident, and the adapter on it."""

    desk: ServiceNow
    clock: Clock
    adapter: Adapter
    gate: RecordingGate
    url: str
    printer: TicketRef

    @property
    def bot(self) -> str:
        return self.desk.key_of("sys_user", BOT)

    @property
    def row(self) -> dict[str, str]:
        """The printer's row as the instance stores it."""
        return self.desk.ticket(self.printer.id)

    def user(self, name: str) -> str:
        return self.desk.key_of("sys_user", name)

    def group(self, name: str) -> str:
        return self.desk.key_of("sys_user_group", name)

    def fault(self, kind: Any, **more: Any) -> None:
        self.desk.faults.append(Fault(kind=kind, **more))

    def sent(self, method: str = "PATCH") -> int:
        """How many requests of that method reached the instance."""
        return sum(1 for logged in self.desk.log if logged.method == method)

    def body(self, method: str = "PATCH") -> dict[str, Any]:
        """The body of the last request of that method."""
        bodies = [logged.body for logged in self.desk.log if logged.method == method]
        found: dict[str, Any] = bodies[-1]
        return found

    def load(self, *needs: Need) -> Ticket:
        return self.adapter.load(self.printer, frozenset(needs))

    def writes(self, *actions: VendorAction, needs: frozenset[Need] = frozenset()) -> tuple[Write, ...]:
        """What is prepared on the ticket as it stands, ten seconds later."""
        self.clock.at += 10
        return self.adapter.prepare(self.adapter.load(self.printer, needs), actions, "acme/1:p:l:1").writes

    def one(self, *actions: VendorAction) -> Write:
        (write,) = self.writes(*actions)
        return write


@contextmanager
def world(*, settings: Mapping[str, Any] | None = None, **switches: Any) -> Iterator[World]:
    """Serve a fresh instance; `settings` go to the adapter's account, `switches` to the simulator."""
    clock = Clock()
    app = create(clock, **switches)
    desk: ServiceNow = app.state.servicenow
    made = desk.seed(
        groups=[{"name": "Tier 1"}, {"name": "Tier 2"}],
        companies=[{"name": "Initech"}],
        users=[
            {"name": "Ann", "groups": ["Tier 1"]},
            {"name": "Ben", "groups": ["Tier 2"]},
            {"name": "Both", "groups": ["Tier 1", "Tier 2"]},
            {"name": "Cleo", "email": "cleo@initech.test", "vip": "true", "company": "Initech"},
            {"name": "Dan"},
        ],
        tickets=[
            {
                "caller": "Cleo",
                "subject": "Printer",
                "description": "It burns",
                "group": "Tier 1",
                "u_product": "X100",
            }
        ],
    )
    gate = RecordingGate()
    with serve(app) as url, hanging_in(desk.log):
        yield World(
            desk=desk,
            clock=clock,
            adapter=factory(account(url, **settings or {}), gate),
            gate=gate,
            url=url,
            printer=TicketRef("acme", made["tickets"][0]),
        )
