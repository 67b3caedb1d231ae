"""`uptier demo`: a simulated helpdesk, a story on it, and the service beside it.

It uses what everybody uses: a config file, the commands' own parts, the simulators that `uptier.simulators` names, and
what their `demo` modules say of them. Time enters through the one injected clock, which jumps when the story says "half
an hour later".
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Any

from adapters.simulation.demo import DemoDesk, Shown, lacking
from adapters.simulation.server import serve
from connector import logs
from connector.app.service import Service
from connector.cli import tickets
from connector.cli.common import echo
from connector.clock import ShiftedClock
from connector.config.secrets import Secrets
from connector.config.settings import load
from connector.config.values import entries
from connector.store import accounts

MINUTE = 60
HOUR = 3600
SUBJECTS = {"waits": "Nobody can log in", "left": "Test", "taken": "Invoices are wrong"}

Tell = Callable[[str], object]
Settled = Callable[[str, Callable[[], bool]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`settled` waits until the helpdesks show something and nothing is under way; False if it never happens."""

    desks: Sequence[DemoDesk]
    clock: ShiftedClock
    tell: Tell
    settled: Settled

    def play(self) -> bool:
        """From the first message to the answer; False as soon as something comes out otherwise."""
        chapters = (self.three_tickets, self.level_one, self.level_two, self.the_answer)
        return all(chapter() for chapter in chapters) and self.the_end()

    def three_tickets(self) -> bool:
        """Cleo writes, and the service looks."""
        self.tell("0:00  Cleo writes three urgent tickets to each helpdesk. One is tagged no-escalation.")
        for desk in self.desks:
            for word, subject in SUBJECTS.items():
                desk.open(word, subject, "no-escalation" if word == "left" else "eu")
        return self.settled("the service looks at the tickets", lambda: self.all_looked_at(SUBJECTS, {}))

    def level_one(self) -> bool:
        """Nobody answers in time, or too late to see it before we decide."""
        for desk in self.desks:
            desk.answer_in_the_moment_of_the_write("taken", "Ann", "I am on it.")
        self.tell("0:31  Half an hour later nobody has answered. Level 1.")
        self.clock.advance(31 * MINUTE)
        if not self.settled("level 1 fires", lambda: self.all_in("waits", "Tier 2")):
            return False
        self.show("waits")
        self.tell("      Ann answers the third ticket in the very moment of our write. The human wins:")
        self.show("taken")
        return True

    def level_two(self) -> bool:
        """Nobody answers again."""
        self.tell("2:01  Still nobody. Level 2.")
        self.clock.advance(90 * MINUTE)
        if not self.settled("level 2 fires", lambda: self.all_in("waits", "Duty managers")):
            return False
        self.show("waits")
        return True

    def the_answer(self) -> bool:
        """Somebody answers at last."""
        self.tell("2:06  Dana answers Cleo. The ladder stops.")
        self.clock.advance(5 * MINUTE)
        before = {desk.account: desk.looks("waits") for desk in self.desks}
        for desk in self.desks:
            desk.answer("waits", "Dana", "We have found it; try again now, please.")
        return self.settled("the answer is seen", lambda: self.all_looked_at(["waits"], before))

    def the_end(self) -> bool:
        """Both levels' marks on the first ticket; nothing of ours on the others."""
        self.tell("5:06  Three hours later all is quiet:")
        self.clock.advance(3 * HOUR)
        self.settled("nothing more", lambda: True)
        for word in SUBJECTS:
            self.show(word)
        return all(came_out_right({word: desk.show(word) for word in SUBJECTS}) for desk in self.desks)

    def show(self, word: str) -> None:
        """The ticket as each helpdesk now shows it."""
        for desk in self.desks:
            self.tell(f"      {desk.title:11}{desk.show(word)}")

    def all_in(self, word: str, group: str) -> bool:
        """Whether the ticket stands in this group everywhere."""
        return all(desk.show(word).group == group for desk in self.desks)

    def all_looked_at(self, words: Sequence[str] | dict[str, str], before: dict[str, int]) -> bool:
        """Whether each of these tickets was read once more, everywhere, and no webhook is on its way."""
        return all(
            desk.quiet() and all(desk.looks(word) > before.get(desk.account, 0) for word in words)
            for desk in self.desks
        )


def came_out_right(shown: dict[str, Shown]) -> bool:
    """Whether one helpdesk shows the end that the story tells."""
    return (
        shown["waits"].tags == {"eu", "escalated", "escalated-managers"}
        and shown["waits"].group == "Duty managers"
        and shown["left"].tags == {"no-escalation"}
        and shown["taken"].tags == {"eu"}
        and shown["taken"].group == "Tier 1"
        and [shown[word].notes for word in SUBJECTS] == [2, 0, 0]
    )


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
        desks = []
        for entry, made in taking_part():
            if lacks := lacking(made):
                echo(f"uptier demo: without {entry.name}, whose part has no {', '.join(lacks)}", err=True)
            else:
                desks.append(stack.enter_context(simulated(entry, made, clock)))
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

        listed = until("the service has listed what is open", lambda: all_listed(service))
        if not (listed and Story(desks=desks, clock=clock, tell=tell, settled=settled).play()):
            tell("\nThis did not come out as told.")
            return 1
        first, last = desks[0], desks[-1]
        tell(f"\nWhat happened to {last.title}'s first ticket, by `uptier history`:\n")
        tickets.history(f"{last.account}/{last.tickets['waits']}", folder / "uptier.toml")
        tell(f"\nWhy {first.title}'s second was left alone, by `uptier explain`:\n")
        tickets.explain(f"{first.account}/{first.tickets['left']}", folder / "uptier.toml")
        tell("\nAll came out as told.")
        return 0


def all_listed(service: Service) -> bool:
    """Whether each account's first census is over: a ticket that it lists and that no policy could want is not read."""
    with service.parts.store.reading() as connection:
        return all(one.census_at is not None for one in accounts.every(connection))


def visitor(service: Service) -> str:
    """Make the demo's own user; answers the password."""
    password = token_urlsafe(12)
    service.make_user(USER, "admin", password)
    return password


def taking_part() -> Iterator[tuple[EntryPoint, Callable[..., DemoDesk]]]:
    """The simulators that are installed and have a part in the demo, by their names."""
    for entry in entries(SIMULATORS).values():
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
