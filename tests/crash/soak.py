"""Kills and faults at random, on all helpdesks at once, with webhooks and humans in between.

    python -m tests.crash.soak --kills 200 --seed 1

A process serves as in production and is killed (SIGKILL) again and again while tickets come due, writes fail in
every way, webhooks arrive twice and out of order, and people move tickets. In the end the helpdesks' own logs
are judged: nothing lost, nothing twice, no human overwritten, no accepted webhook forgotten. The seed decides
what goes wrong; when exactly, in a process of its own, the machine decides.
"""

import argparse
import hashlib
import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from connector.demo import CONFIG
from tests.connector.each import DESKS, fault
from tests.crash.hasty import BEGAN, HastyClock
from tests.crash.town import ROOT, Town, town

ONE_LEVEL = CONFIG[: CONFIG.rindex("[[policy.level]]")].replace('"30m"', '"1m"')
LIFE = (1.5, 6.0)
"""Real seconds that a process lives; it takes one or two to start."""

PATIENCE = 90.0
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("drop", {"applied": False}),
    ("drop", {"applied": True}),
    ("answer", {"status": 500}),
    ("answer", {"status": 502, "applied": True}),
    ("answer", {"status": 503}),
    ("answer", {"status": 429, "headers": {"Retry-After": "20"}}),
    ("truncate", {}),
    ("cut", {}),
    ("drop", {"method": "GET", "path": "*"}),
    ("answer", {"method": "GET", "path": "*", "status": 503}),
    ("truncate", {"method": "GET", "path": "*"}),
)

Tell = Callable[[str], object]


@dataclass
class Story:
    """What has happened so far."""

    here: Town
    chance: random.Random
    clock: HastyClock
    tickets: int = 0
    kills: int = 0
    moved: set[tuple[str, str]] = field(default_factory=set)

    def chapter(self, process: subprocess.Popen[bytes]) -> None:
        """One life of one process."""
        until = time.monotonic() + self.chance.uniform(*LIFE)
        self.something_happens()
        while time.monotonic() < until:
            self.deliver()
            time.sleep(0.05)
        process.kill()
        process.wait(60)
        self.kills += 1

    def something_happens(self) -> None:
        """New tickets, a fault or two on each helpdesk, and now and then a human answers one and takes it away."""
        new = self.chance.randint(0, 2)
        self.here.open(new, since=self.tickets, overdue=0)
        self.tickets += new
        for vendor, desk in self.here.desks.items():
            for kind, more in self.chance.sample(FAULTS, self.chance.randint(0, 2)):
                desk.desk.faults.append(fault(vendor, kind, skip=self.chance.randint(0, 3), **more))
            if self.tickets and self.chance.random() < 0.3:
                word = f"t{self.chance.randint(1, self.tickets)}"
                desk.answer(word, "Eli", "This is mine now.")
                desk.desk.agent_changes(desk.tickets[word], "Eli", group="Escalations")
                self.moved.add((vendor, word))

    def deliver(self) -> None:
        """Webhooks, some twice, some in the wrong order; nobody listens while the process starts."""
        for desk in self.here.desks.values():
            order = self.chance.choice(("sent", "reversed", "shuffled"))
            desk.desk.hooks.deliver(order=order, copies=self.chance.choice((1, 1, 2)), seed=self.kills)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the helpdesks' logs say. All but `kills`, `tickets` and `writes` should be empty."""

    kills: int
    tickets: int
    writes: int
    lost: list[str]
    doubled: list[str]
    overwritten: list[str]
    forgotten: list[str]

    def well(self) -> bool:
        return not (self.lost or self.doubled or self.overwritten or self.forgotten)


def soak(
    folder: Path, *, kills: int, seed: int, tell: Tell = str, vendors: tuple[str, ...] = tuple(DESKS)
) -> Verdict:
    """So many lives and deaths, then a quiet life, then the verdict."""
    clock = HastyClock(time.time())
    listen = f"127.0.0.1:{free_port()}"
    with town(folder, *vendors, tickets=0, listen=listen, now=clock.monotonic, config=ONE_LEVEL) as here:
        for desk in here.desks.values():
            desk.subscribe(f"http://{listen}")
            desk.settle()
        story = Story(here=here, chance=random.Random(seed), clock=clock)  # noqa: S311 (repeatable)
        while story.kills < kills:
            story.chapter(serve(here, clock))
            if story.kills % 10 == 0:
                tell(
                    f"{story.kills} kills, {story.tickets} tickets on each helpdesk, {here.applied()} writes"
                )
        quiet(story)
        return judge(story)


def serve(here: Town, clock: HastyClock) -> subprocess.Popen[bytes]:
    """A process that serves until it is killed."""
    with (here.config.parent / "uptier.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.crash.serving", str(here.config)],
            cwd=ROOT,
            env=here.environment() | {BEGAN: repr(clock.began)},
            stdout=log,
            stderr=log,
        )


def quiet(story: Story) -> None:
    """No more faults, no more news: one life that is long enough to make everything good."""
    for desk in story.here.desks.values():
        desk.desk.faults.clear()
    process = serve(story.here, story.clock)
    patience = time.monotonic() + PATIENCE
    still = 0
    while time.monotonic() < patience and still < 40:
        before = story.here.sent()
        story.deliver()
        time.sleep(0.25)
        owed = any(story.here.notes_of(vendor, word) == 0 for vendor, word in unmoved(story))
        still = 0 if owed or story.here.sent() != before else still + 1
    process.terminate()
    process.wait(60)


def unmoved(story: Story) -> list[tuple[str, str]]:
    """The tickets that no human has answered."""
    every = [(vendor, word) for vendor, desk in story.here.desks.items() for word in desk.tickets]
    return [each for each in every if each not in story.moved]


def judge(story: Story) -> Verdict:
    """What the helpdesks show now."""
    here = story.here
    every = [(vendor, word) for vendor, desk in here.desks.items() for word in desk.tickets]
    shown = {each: here.desks[each[0]].show(each[1]) for each in every}
    return Verdict(
        kills=story.kills,
        tickets=len(every),
        writes=here.applied(),
        lost=[
            f"{vendor} {word}: {shown[vendor, word]}"
            for vendor, word in unmoved(story)
            if shown[vendor, word].group != "Tier 2"
            or not shown[vendor, word].tags >= {"eu", "escalated"}
            or shown[vendor, word].notes != 1
        ],
        doubled=[
            f"{vendor} {word}: {shown[vendor, word]}"
            for vendor, word in every
            if shown[vendor, word].notes > 1
        ],
        overwritten=[
            f"{vendor} {word}: {shown[vendor, word]}"
            for vendor, word in sorted(story.moved)
            if shown[vendor, word].group != "Escalations"
        ],
        forgotten=forgotten(here),
    )


def forgotten(here: Town) -> list[str]:
    """Webhooks of Zendesk that were answered 202 and are not in the inbox, by the digest of what was signed."""
    if "zendesk" not in here.desks:
        return []
    with sqlite3.connect(here.config.parent / "uptier.db") as database:
        kept = " ".join(
            row[0] for row in database.execute("SELECT delivery FROM inbox WHERE kind = 'webhook'")
        )
    database.close()
    accepted = {hashlib.sha256(each.body).hexdigest() for each in here.desks["zendesk"].desk.hooks.done}
    return sorted(each for each in accepted if each not in kept)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Kill Uptier again and again and see whether anything is lost."
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    folder = Path(mkdtemp(prefix="uptier-soak-"))
    verdict = soak(folder, kills=words.kills, seed=words.seed, tell=print)
    print(f"{verdict}\nThe log and the database are in {folder}")  # noqa: T201 (a command of its own)
    return 0 if verdict.well() else 1


if __name__ == "__main__":
    raise SystemExit(main())
