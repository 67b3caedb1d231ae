"""The adapter and a simulated Zammad, with a real socket between them, and one clock that only the test moves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

pytest.register_assert_rewrite("adapters.contract")

from adapters.base import Account, Adapter  # noqa: E402 (the line above comes first)
from adapters.contract.sandbox import RecordingGate  # noqa: E402
from adapters.simulation.faults import Fault  # noqa: E402
from adapters.simulation.server import serve  # noqa: E402
from policies.model import FROM_HELPDESK, Ticket, TicketRef  # noqa: E402
from uptier_zammad import factory  # noqa: E402
from uptier_zammad.simulator import TOKEN, create  # noqa: E402
from uptier_zammad.simulator.state import Row, Zammad  # noqa: E402

START = 1_790_000_000
SECRETS = {"secret:acme-token": TOKEN, "secret:acme-webhook": "a-secret-of-our-own"}


def account(url: str = "https://acme.zammad.test", **more: Any) -> Account:
    """The account as the connector would give it."""
    settings: dict[str, Any] = {
        "name": "acme",
        "url": url,
        "auth": {"kind": "token", "token": "secret:acme-token"},
        "webhook": {"secret": "secret:acme-webhook"},
        "secret": lambda reference: SECRETS[reference],
        "fields": {"product": "product"},
        "settings": {"priorities": {"4 disaster": "urgent"}},
    }
    return Account(**settings | more)


class Clock:
    """The account's time, moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


@dataclass
class World:
    """One account with two groups, three agents, two customers and a ticket, and the adapter on it."""

    desk: Zammad
    clock: Clock
    adapter: Adapter
    gate: RecordingGate

    @property
    def ref(self) -> TicketRef:
        return TicketRef("acme", "1")

    @property
    def row(self) -> Row:
        return self.desk.ticket(1)

    def load(self) -> Ticket:
        """The ticket with everything, once what happened has settled."""
        self.clock.at += 120
        return self.adapter.load(self.ref, FROM_HELPDESK)

    def fault(self, kind: Any, **more: Any) -> None:
        self.desk.faults.append(Fault(kind=kind, **more))

    def written(self) -> list[tuple[str, Any]]:
        """Path and body of the writes that were carried out."""
        return [(row.path.removeprefix("/api/v1/"), row.body) for row in self.desk.log if row.applied]


@contextmanager
def serving(settings: Mapping[str, Any] | None = None, **switches: Any) -> Iterator[World]:
    """Serve a fresh account; `settings` go to the adapter's account, `switches` to the simulator."""
    clock = Clock()
    app = create(clock, **switches)
    desk: Zammad = app.state.zammad
    desk.seed(
        groups=[{"name": "Tier 1"}, {"name": "Tier 2", "follow_up_possible": "new_ticket"}],
        organizations=[{"name": "Initech"}],
        priorities=[{"id": 4, "name": "4 disaster"}],
        attributes=["product"],
        users=[
            {"name": "Ann", "email": "ann@acme.test", "groups": ["Tier 1"]},
            {"name": "Ben", "email": "ben@acme.test", "groups": ["Tier 2"]},
            {"name": "Both", "email": "both@acme.test", "groups": ["Tier 1", "Tier 2"]},
            {
                "name": "Cleo",
                "email": "cleo@initech.test",
                "organization": "Initech",
                "vip": True,
                "locale": "pt-br",
            },
            {"name": "Dan", "email": "dan@elsewhere.test"},
        ],
        tickets=[{"customer": "Cleo", "subject": "Printer", "description": "It burns", "group": "Tier 1"}],
    )
    gate = RecordingGate()
    with serve(app) as url:
        yield World(desk=desk, clock=clock, adapter=factory(account(url, **settings or {}), gate), gate=gate)


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh account and the adapter on it."""
    with serving() as made:
        yield made


@pytest.fixture
def worlds() -> Any:
    """A world with settings and switches of one's own: `with worlds(coarse=True) as world`."""
    return serving


@pytest.fixture
def accounts() -> Any:
    """An account with settings of one's own."""
    return account
