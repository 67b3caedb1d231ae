"""Uptier beside any one of the simulated helpdesks, spoken to in the demo's words."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from adapters.freshdesk.simulator.demo import Desk as Freshdesk
from adapters.servicenow.simulator.demo import Desk as ServiceNow
from adapters.simulation.demo import DemoDesk, Shown
from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from adapters.zendesk.simulator.demo import Desk as Zendesk
from connector.app.service import Service, Summary
from connector.clock import ManualClock
from connector.config.values import entries
from connector.demo import CONFIG
from connector.store import ledger, writes
from connector.store.ledger import LedgerEntry
from policies.model import TicketRef
from tests.connector.beside import MINUTE, START, composed
from tests.hanging import hanging_in

DESKS: Mapping[str, Callable[..., DemoDesk]] = {
    "zendesk": Zendesk,
    "freshdesk": Freshdesk,
    "servicenow": ServiceNow,
}
EACH = tuple(DESKS)
WRITING = ("PUT", "POST", "PATCH")
FAULTY = {
    "zendesk": {"method": "PUT", "path": "*/tickets/*"},
    "freshdesk": {"method": "P[UO]*", "path": "*/tickets/*"},
    "servicenow": {"method": "PATCH", "path": "*/incident/*"},
}
"""What a write looks like on the wire."""


def fault(vendor: str, kind: str, **more: Any) -> Any:
    """Something that goes wrong with the next write, or with what `more` names."""
    return Fault(kind=kind, **FAULTY[vendor] | more)


@dataclass
class Each:
    """A simulated helpdesk and the service beside it. Tickets go by the word they were opened with."""

    vendor: str
    desk: Any
    clock: ManualClock
    service: Service

    def opened(self, *words: str, tag: str = "eu") -> None:
        """Cleo writes urgent tickets."""
        for word in words:
            self.desk.open(word, f"About {word}", tag)

    def round(self, minutes: float = 0) -> Summary:
        """Let time pass, then one round of `uptier run --once`."""
        self.clock.advance(int(minutes * MINUTE))
        return self.service.once(lambda _: None)

    def rounds(self, *, until: int, every: float = 0.5) -> None:
        """One round after the other for so many minutes."""
        for _ in range(int(until / every)):
            self.round(every)

    def show(self, word: str = "one") -> Shown:
        shown: Shown = self.desk.show(word)
        return shown

    def ref(self, word: str = "one") -> TicketRef:
        return TicketRef(self.desk.account, str(self.desk.tickets[word]))

    def log(self) -> list[Any]:
        """The writes that came in, in order."""
        return [row for row in self.desk.desk.log if row.method in WRITING and "oauth" not in row.path]

    def applied(self) -> int:
        """How many writes the helpdesk carried out."""
        return sum(row.applied for row in self.log())

    def fault(self, kind: str, **more: Any) -> None:
        """Something goes wrong with the next write, or with what `more` names."""
        self.desk.desk.faults.append(fault(self.vendor, kind, **more))

    def lines(self, word: str = "one") -> list[LedgerEntry]:
        """What the ledger says happened to the ticket."""
        with self.service.parts.store.reading() as connection:
            return list(ledger.of_ticket(connection, self.ref(word)))

    def whats(self, word: str = "one") -> list[str]:
        return [line.what for line in self.lines(word)]

    def states(self, word: str = "one") -> list[str]:
        """How each of the ticket's writes stands."""
        with self.service.parts.store.reading() as connection:
            found = writes.in_state(connection, self.ref(word), *writes.State)
            return [str(kept.state) for kept in found]


@contextmanager
def each(
    vendor: str,
    folder: Path,
    *,
    config: str = CONFIG,
    service: str = "",
    skew: int = 0,
    secrets: Mapping[str, str] = MappingProxyType({}),
    furnished: bool = True,
    **switches: Any,
) -> Iterator[Each]:
    """The service, not started, beside a furnished account whose clock is `skew` seconds ahead of ours.
    `service` are further lines of `[service]`, `secrets` what they refer to."""
    clock = ManualClock(START)
    app: Any = entries("uptier.simulators")[vendor].load()(lambda: clock.now() + skew, **switches)
    with serve(app) as url:
        desk: Any = DESKS[vendor](app=app, url=url)
        if furnished:
            desk.furnish()
        path = folder / "uptier.toml"
        path.write_text(
            config.replace("[service]", f"[service]\n{service}", 1) + desk.config(), encoding="utf-8"
        )
        hung = hanging_in(desk.desk.log)
        with hung, composed(path, clock, {**desk.secrets(), **secrets}) as running:
            yield Each(vendor=vendor, desk=desk, clock=clock, service=running)
