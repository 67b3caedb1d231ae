"""The demo: one story in seconds instead of hours, on simulated helpdesks and the service on this machine.

It uses what everybody uses: a config file, the commands' own parts, the simulators that `uptier.simulators` names, and
what their `demo` modules say of them. Time enters through the one injected clock, which jumps when the story says "half
an hour later".
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Any

from adapters.simulation.demo import DemoDesk
from adapters.simulation.server import serve
from connector import logs
from connector.app.service import Service
from connector.cli import tickets
from connector.cli.common import echo
from connector.clock import ShiftedClock
from connector.config.secrets import Secrets
from connector.config.settings import load
from connector.demo_story import Story, Tell

SIMULATORS = "uptier.simulators"
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
        desks = [stack.enter_context(simulated(entry, made, clock)) for entry, made in taking_part()]
        if not desks:
            echo("uptier demo: no simulated helpdesk is installed; install Uptier again", err=True)
            return 1
        service = stack.enter_context(composed(folder, desks, clock, masker))
        address = service.start()
        stack.callback(service.stop)
        for desk in desks:
            desk.subscribe(address)
            stack.callback(desk.settle)
        titles = ", ".join(desk.title for desk in desks)
        tell(f"Uptier runs on this machine beside simulated helpdesks: {titles}.")
        tell("The policy in words: an urgent ticket whose customer waits goes to Tier 2 after 30 minutes and")
        tell("to the duty managers after 2 hours.\n")
        tell(f"Its console stands at {address}/ while this plays. Log in as {USER} with {visitor(service)}\n")

        def settled(what: str, seen: Callable[[], bool]) -> bool:
            return until(what, seen) and until(
                f"{what}, to the end", lambda: service.idle(1) and service.at_rest()
            )

        if not Story(desks=desks, clock=clock, tell=tell, settled=settled).play():
            tell("\nThis did not come out as told.")
            return 1
        first, last = desks[0], desks[-1]
        tell(f"\nWhat happened to {last.title}'s first ticket, by `uptier history`:\n")
        tickets.history(f"{last.account}/{last.tickets['waits']}", folder / "uptier.toml")
        tell(f"\nWhy {first.title}'s second was left alone, by `uptier explain`:\n")
        tickets.explain(f"{first.account}/{first.tickets['left']}", folder / "uptier.toml")
        tell("\nAll came out as told.")
        return 0


def visitor(service: Service) -> str:
    """Make the demo's own user; answers the password."""
    password = token_urlsafe(12)
    service.make_user(USER, "admin", password)
    return password


def taking_part() -> Iterator[tuple[EntryPoint, Callable[..., DemoDesk]]]:
    """The simulators that are installed and have a part in the demo, by their names."""
    for entry in sorted(entry_points(group=SIMULATORS), key=lambda each: each.name):
        part = f"{entry.module}.demo"
        if find_spec(part) is not None:
            yield entry, import_module(part).Desk


@contextmanager
def simulated(entry: EntryPoint, made: Callable[..., DemoDesk], clock: ShiftedClock) -> Iterator[DemoDesk]:
    """A helpdesk on loopback with people in it."""
    app: Any = entry.load()(clock.now)
    with serve(app) as url:
        desk = made(app=app, url=url)
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
