"""Uptier beside a simulated Freshdesk, over a real socket, with one clock for both that only the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.freshdesk.simulator import KEY, create
from adapters.freshdesk.simulator.state import Freshdesk
from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from connector.app.service import Service, Summary
from connector.clock import ManualClock
from tests.connector.beside import CONFIG, LADDER, MINUTE, START, composed

ACCOUNT = """
[accounts.acme]
adapter = "freshdesk"
url = "{url}"
auth = {{ kind = "key", key = "secret:acme-key" }}
webhook = {{ secret = "secret:acme-webhook" }}
budget = 1.0
"""
SECRETS = {"UPTIER_SECRET_ACME_KEY": KEY, "UPTIER_SECRET_ACME_WEBHOOK": "a-secret-of-our-own"}


def furnish(desk: Freshdesk, tickets: int = 1) -> None:
    """Three groups, three agents, a customer, and so many tickets that wait since now."""
    desk.seed(
        groups=[{"name": name} for name in ("Tier 1", "Tier 2", "Duty")],
        agents=[
            {"name": "Ann", "email": "ann@acme.test", "groups": ["Tier 1", "Tier 2"]},
            {"name": "Ben", "email": "ben@acme.test", "groups": ["Tier 2"]},
            {"name": "Dana", "email": "dana@acme.test", "groups": ["Duty"]},
        ],
        contacts=[{"name": "Cleo", "email": "cleo@initech.test"}],
        tickets=[
            {
                "requester": "Cleo",
                "subject": f"Printer {number}",
                "description": "It burns",
                "group": "Tier 1",
                "priority": 3,
                "tags": ["hardware"],
            }
            for number in range(1, tickets + 1)
        ],
    )


@dataclass
class BesideFreshdesk:
    """A simulated account and the service beside it."""

    desk: Freshdesk
    clock: ManualClock
    service: Service

    def round(self, minutes: float = 0) -> Summary:
        """Let time pass, then one round of `uptier run --once`."""
        self.clock.advance(minutes * MINUTE)
        return self.service.once(lambda _: None)

    def group(self, number: int = 1) -> str:
        held = self.desk.ticket(number).json["group_id"]
        return next(each["name"] for each in self.desk.people.groups.values() if each["id"] == held)

    def notes(self, number: int = 1) -> list[str]:
        return [str(row["body_text"]) for row in self.desk.ticket(number).conversations if row["private"]]

    def writes(self) -> list[tuple[str, str, int | None]]:
        """Method, last part of the path and status of each write, in order."""
        rows = [logged for logged in self.desk.log if logged.method in ("PUT", "POST")]
        return [(row.method, row.path.rpartition("/")[2], row.status) for row in rows]

    def fault(self, kind: Any, **more: Any) -> None:
        self.desk.faults.append(Fault(kind=kind, **more))


@contextmanager
def beside_freshdesk(
    folder: Path, policies: str = LADDER, *, tickets: int = 1, **switches: Any
) -> Iterator[BesideFreshdesk]:
    """The service, not started, beside a furnished account."""
    clock = ManualClock(START)
    app = create(clock.now, **switches)
    desk: Freshdesk = app.state.freshdesk
    furnish(desk, tickets)
    with serve(app) as url:
        head, _, templates = CONFIG.partition("\n[accounts.acme]")
        path = folder / "uptier.toml"
        text = (
            head.format(service="")
            + ACCOUNT.format(url=url)
            + templates[templates.index("\n[templates") :].format()
        )
        path.write_text(text + policies, encoding="utf-8")
        with composed(path, clock, SECRETS) as running:
            yield BesideFreshdesk(desk=desk, clock=clock, service=running)
