"""Uptier beside a simulated Zendesk, over a real socket, with one clock for both that only the test moves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from adapters.zendesk.simulator import TOKEN, create
from adapters.zendesk.simulator.state import Zendesk
from connector.app.compose import ALL, Role
from connector.app.service import Service, Summary
from connector.clock import Clock, ManualClock
from connector.config.secrets import Secrets
from connector.config.settings import load
from connector.logs import Masker
from connector.store import holds, ledger
from connector.store.ledger import LedgerEntry
from policies.model import TicketRef

START = 1_790_000_000
MINUTE = 60
SECRETS = {"UPTIER_SECRET_ACME_TOKEN": TOKEN, "UPTIER_SECRET_ACME_WEBHOOK": "a-secret-of-our-own"}

CONFIG = """
[service]
database = "sqlite:///uptier.db"
listen = "127.0.0.1:0"
mode = "enforce"
default_owner = "Tier 2"
{service}

[accounts.acme]
adapter = "zendesk"
url = "{url}"
auth = {{ kind = "bearer", token = "secret:acme-token" }}
webhook = {{ secret = "secret:acme-webhook" }}
budget = 1.0

[templates.handoff]
en = "{{{{ policy.name }}}}, {{{{ level.name }}}}. Owner: {{{{ owner }}}}."
"""

LADDER = """
[[policy]]
name = "waits"
clock = "customer_waiting"
stop_on = ["agent_reply", "acknowledged", "assigned"]
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "one"
after = "30m"
owner = "Tier 2"
assign = { group = "Tier 2" }
tags = ["escalated"]
note = "handoff"
[[policy.level]]
name = "two"
after = "2h"
owner = "Duty"
assign = { group = "Duty" }
priority = { at_least = "urgent" }
tags = ["escalated-twice"]
note = "handoff"
"""


def furnish(desk: Zendesk, tickets: int = 1) -> None:
    """Three groups, three agents, a customer, and so many tickets that wait since now."""
    desk.seed(
        groups=[{"name": name} for name in ("Tier 1", "Tier 2", "Duty")],
        agents=[
            {"name": "Ann", "email": "ann@acme.test", "groups": ["Tier 1", "Tier 2"]},
            {"name": "Ben", "email": "ben@acme.test", "groups": ["Tier 2"]},
            {"name": "Dana", "email": "dana@acme.test", "groups": ["Duty"]},
        ],
        users=[{"name": "Cleo", "email": "cleo@initech.test"}],
        tickets=[
            {
                "requester": "Cleo",
                "subject": f"Printer {number}",
                "description": "It burns",
                "group": "Tier 1",
                "priority": "high",
                "tags": ["hardware"],
            }
            for number in range(1, tickets + 1)
        ],
    )


def composed(
    path: Path, clock: Clock, secrets: Mapping[str, str] = SECRETS, roles: frozenset[Role] = ALL
) -> Service:
    """The service of this config file, as `uptier run` composes it."""
    loaded = load(path)
    problems = "\n".join(map(str, loaded.problems))
    assert loaded.settings is not None, problems
    assert loaded.policies is not None, problems
    return Service(
        loaded.settings, loaded.policies, clock, Secrets(Masker(), secrets), roles, loaded.tests, config=path
    )


@dataclass
class Beside:
    """A simulated account and the service beside it."""

    desk: Zendesk
    clock: ManualClock
    service: Service

    def round(self, minutes: float = 0) -> Summary:
        """Let time pass, then one round of `uptier run --once`."""
        self.clock.advance(minutes * MINUTE)
        return self.service.once(lambda _: None)

    def ticket(self, number: int = 1) -> dict[str, Any]:
        return dict(self.desk.ticket(number).json)

    def group(self, number: int = 1) -> str:
        return str(self.desk.people.group(self.ticket(number)["group_id"])["name"])

    def notes(self, number: int = 1) -> list[str]:
        return [str(one["body"]) for one in self.desk.ticket(number).comments if not one["public"]]

    def puts(self) -> list[int | None]:
        """The answers to our writes, in order."""
        return [logged.status for logged in self.desk.log if logged.method == "PUT"]

    def fault(self, kind: Any, **more: Any) -> None:
        """Something goes wrong with the next write, or with what `more` names."""
        self.desk.faults.append(Fault(kind=kind, **{"method": "PUT"} | more))

    def lines(self, number: int = 1) -> list[LedgerEntry]:
        with self.service.parts.store.reading() as connection:
            return list(ledger.of_ticket(connection, TicketRef("acme", str(number))))

    def whats(self, number: int = 1) -> list[str]:
        """What the ledger says happened to the ticket, in order."""
        return [line.what for line in self.lines(number)]

    def held(self) -> list[str]:
        """The tickets that are held."""
        with self.service.parts.store.reading() as connection:
            return [hold.ref.id for hold in holds.every(connection)]

    def release(self, ticket: str = "1") -> None:
        """Let a ticket go on, or with an empty name the account, as `uptier release` does."""
        with self.service.parts.store.writing() as connection:
            holds.release(connection, "acme", ticket, who="eli", why="seen to", now=self.clock.now())


@contextmanager
def beside(
    folder: Path, policies: str = LADDER, *, service: str = "", tickets: int = 1, **switches: Any
) -> Iterator[Beside]:
    """The service, not started, beside a furnished account."""
    clock = ManualClock(START)
    app = create(clock.now, **switches)
    desk: Zendesk = app.state.zendesk
    furnish(desk, tickets)
    with serve(app) as url:
        path = folder / "uptier.toml"
        path.write_text(CONFIG.format(url=url, service=service) + policies, encoding="utf-8")
        one = Beside(desk=desk, clock=clock, service=composed(path, clock))
        try:
            yield one
        finally:
            one.service.__exit__()  # it may be another by now
