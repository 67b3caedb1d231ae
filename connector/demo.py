"""The demo: one story in seconds instead of hours, on simulated helpdesks and the service on this machine.

It uses what everybody uses: a config file, the commands' own parts, the simulators that `uptier.simulators`
names. Time enters through the one injected clock, which jumps when the story says "half an hour later".
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Any

from adapters.simulation.server import serve
from connector import logs
from connector.app.service import Service
from connector.cli import tickets
from connector.cli.common import echo
from connector.clock import ShiftedClock
from connector.config.secrets import Secrets
from connector.config.settings import load
from connector.demo_desk import DemoDesk
from connector.demo_freshdesk import FreshdeskDesk
from connector.demo_servicenow import ServiceNowDesk
from connector.demo_story import Story, Tell
from connector.demo_zendesk import ZendeskDesk

DESKS: Mapping[str, Callable[..., DemoDesk]] = {
    "zendesk": ZendeskDesk,
    "freshdesk": FreshdeskDesk,
    "servicenow": ServiceNowDesk,
}
USER = "demo"
PATIENCE = 20.0
"""Real seconds to wait for the service to do what the story says; it takes a few."""

CONFIG = """[service]
database      = "sqlite:///uptier.db"
listen        = "127.0.0.1:0"
mode          = "enforce"
default_owner = "Escalations"

[templates.handoff]
en = "{{ policy.name }}, {{ level.name }}: {{ reasons | join('; ') }}. Owner: {{ owner }}. {{ next_step }}"

[[policy]]
name    = "urgent-unanswered"
clock   = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]

[policy.when]
status   = ["new", "open"]
priority = "urgent"

[policy.unless]
tags = { has = "no-escalation" }

[[policy.level]]
name   = "Second line"
after  = "30m"
owner  = "Tier 2"
assign = { group = "Tier 2" }
tags   = ["escalated"]
note   = "handoff"

[[policy.level]]
name   = "Duty managers"
after  = "2h"
owner  = "Duty managers"
assign = { group = "Duty managers" }
tags   = ["escalated-managers"]
note   = "handoff"
"""


def play(tell: Tell) -> int:
    """Play the story; answers the exit code: 0 if everything came out as told."""
    clock = ShiftedClock()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="uptier-demo-")))
        masker = logs.Masker()
        logs.configure(
            masker, clock, stack.enter_context((folder / "uptier.log").open("w", encoding="utf-8"))
        )
        desks = [stack.enter_context(simulated(vendor, clock)) for vendor in DESKS]
        service = stack.enter_context(composed(folder, desks, clock, masker))
        address = service.start()
        stack.callback(service.stop)
        for desk in desks:
            desk.subscribe(address)
            stack.callback(desk.settle)
        tell(
            "Uptier runs on this machine beside a simulated Zendesk, a Freshdesk and a ServiceNow. The policy"
        )
        tell(
            "in words: an urgent ticket whose customer waits goes to Tier 2 after 30 minutes and to the duty"
        )
        tell("managers after 2 hours.\n")
        tell(f"Its console stands at {address}/ while this plays. Log in as {USER} with {visitor(service)}\n")

        def settled(what: str, seen: Callable[[], bool]) -> bool:
            return until(what, seen) and until(
                f"{what}, to the end", lambda: service.idle(1) and service.at_rest()
            )

        if not Story(desks=desks, clock=clock, tell=tell, settled=settled).play():
            tell("\nThis did not come out as told.")
            return 1
        first, second = desks[0], desks[1]
        tell(f"\nWhat happened to {first.title}'s first ticket, by `uptier history`:\n")
        tickets.history(f"{first.account}/{first.tickets['waits']}", folder / "uptier.toml")
        tell(f"\nWhy {second.title}'s second was left alone, by `uptier explain`:\n")
        tickets.explain(f"{second.account}/{second.tickets['left']}", folder / "uptier.toml")
        tell("\nAll came out as told.")
        return 0


def visitor(service: Service) -> str:
    """Make the demo's own user; answers the password."""
    password = token_urlsafe(12)
    service.make_user(USER, "admin", password)
    return password


@contextmanager
def simulated(vendor: str, clock: ShiftedClock) -> Iterator[DemoDesk]:
    """A helpdesk on loopback with people in it."""
    (entry,) = entry_points(group="uptier.simulators", name=vendor)
    app: Any = entry.load()(clock.now)
    with serve(app) as url:
        desk = DESKS[vendor](app=app, url=url)
        desk.furnish()
        yield desk


def composed(folder: Path, desks: Sequence[DemoDesk], clock: ShiftedClock, masker: logs.Masker) -> Service:
    """The service beside these helpdesks, from a config file, as `uptier run` composes it."""
    path = folder / "uptier.toml"
    path.write_text(CONFIG + "".join(desk.config() for desk in desks), encoding="utf-8")
    loaded = load(path)
    if loaded.settings is None or loaded.policies is None:
        raise RuntimeError("\n".join(map(str, loaded.problems)))
    kept = dict(os.environ)
    for desk in desks:
        kept |= desk.secrets()
    return Service(loaded.settings, loaded.policies, clock, Secrets(masker, kept))


def until(what: str, seen: Callable[[], bool]) -> bool:
    """Wait until the helpdesk shows it; False, with a word on standard error, if it never does."""
    patience = time.monotonic() + PATIENCE
    while not seen():
        if time.monotonic() > patience:
            echo(f"uptier demo: this did not happen: {what}", err=True)
            return False
        time.sleep(0.05)
    return True
