"""Whether a backtest says what the service did: a town of tickets is lived beside the service, archived and played.

    python -m tests.connector.equal [--tickets 10000] [--vendors zendesk,memory] [--minutes 60]

So many tickets of each helpdesk, in towns of some hundred, each with a service, a database and an archive of its own;
two helpdesks at a time. It says how far it is, ends with 1 at the first town that is not the same, and after so many
minutes with what it has.
"""

import argparse
import logging
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
import structlog

from adapters.base import Account, Adapter, Gate, Note, Receipt, Write, held_by
from connector.app.service import Service
from connector.clock import ManualClock
from connector.demo import CONFIG
from connector.intake.past import Pull, head_of
from connector.report.backtest import Outcome, Task, played
from connector.store import ledger, writes
from connector.store.archive import Archive
from connector.work.messages import digest
from policies.language.policy import PolicySet
from policies.model import Directory, Instant, Priority, Seconds, Status, Ticket, TicketRef, Value, Who
from policies.past import life_of, read_by
from policies.replay import Acted, Life, Rulebook, Shown, Stage, Step, happened, replay
from tests.benchmarks.helpdesk import FREE
from tests.connector.beside import SECRETS, START, composed
from tests.connector.each import EACH, Each, each
from tests.connector.memory import PEOPLE, TEAMS, Memory

DAY = 86400
MINUTES = 250
"""So long a town is watched."""

MOMENTS = 24
"""How often something happens in it, to several tickets at once."""

RULES = (
    CONFIG.replace(
        "[templates",
        "[service.caps]\nescalations_per_hour = 1000000\nwrites_per_day = 1000\ndue_at_start = 1000000\n[templates",
        1,
    )
    + """
[[policy]]
name    = "complaints"
clock   = "created"
[policy.when]
status  = ["new", "open", "pending"]
subject = { contains = "bill" }
phrases = { has = "complaint" }
[[policy.level]]
name    = "Look"
after   = "20m"
owner   = "Duty managers"
priority = { at_least = "urgent" }
tags    = ["complaint"]
note    = "handoff"

[[policy]]
name    = "idle"
clock   = "untouched"
[policy.when]
status  = ["new", "open", "pending"]
tags    = { has = "vip" }
[[policy.level]]
name    = "Ask"
after   = "45m"
assign  = { group = "Escalations" }
note    = "handoff"
[[policy.level]]
name    = "Ask again"
after   = "3h"
owner   = "Duty managers"
note    = "handoff"
"""
)

ACTS = ("answers", "says more", "notes", "priority", "group", "takes", "solves", "rule", "moves", "gives")
TAGS = ("eu", "eu", "vip", "no-escalation")
SUBJECTS = ("About the bill", "It is slow", "It is slow", "A bill, again")
IDLE = ("It is slow", "no-escalation")
"""A ticket that is no policy's business, whoever does what to it."""


BUSY = 0.25
"""Which share of a town's tickets may come to be a policy's business."""

SHM = Path("/dev/shm")  # noqa: S108 (a place for files in memory)

# --- towns -----------------------------------------------------------------------------------------------------


class Helpdesk(Protocol):
    """Where the town writes to."""

    def open(self, word: str, subject: str, tag: str) -> None:
        """Cleo writes an urgent ticket."""

    def happens(self, word: str, what: str) -> None:
        """One of `ACTS`."""


@dataclass
class OverHttp:
    """A simulated helpdesk."""

    one: Each

    def open(self, word: str, subject: str, tag: str) -> None:
        """Of the demo's kind."""
        self.one.desk.open(word, subject, tag)

    def happens(self, word: str, what: str) -> None:
        """By the simulator's own words."""
        desk, ticket, vendor = self.one.desk.desk, self.one.desk.tickets[word], self.one.vendor
        match what:
            case "answers":
                desk.agent_says(ticket, "Ann", "Have you tried turning it off?")
            case "notes":
                desk.agent_says(ticket, "Ann", "Hm.", public=False)
            case "says more":
                desk.customer_says(ticket, "This is a complaint, I am fed up.")
            case "priority":
                desk.agent_changes(ticket, "Ann", **LOW[vendor])
            case "group":
                desk.agent_changes(ticket, "Ann", group="Tier 2")
            case "takes":
                desk.agent_changes(ticket, "Ann", assignee="Ann")
            case "rule":
                desk.rule_says(ticket, "We have your ticket.")
            case "moves":
                desk.agent_changes(ticket, "Ann", group="Duty managers")
            case "gives":
                desk.agent_says(ticket, "Ann", "This one is yours.", assignee="Dana")
            case "solves":
                desk.agent_changes(ticket, "Ann", **SOLVED[vendor])


LOW: dict[str, dict[str, Any]] = {
    "zendesk": {"priority": "low"},
    "freshdesk": {"priority": 1},
    "servicenow": {"impact": "3", "urgency": "3"},
}
SOLVED: dict[str, dict[str, Any]] = {
    "zendesk": {"status": "solved"},
    "freshdesk": {"status": 4},
    "servicenow": {"state": "6"},
}


@dataclass
class InMemory:
    """A helpdesk without sockets."""

    desk: Memory

    def open(self, word: str, subject: str, tag: str) -> None:
        """Of the same kind."""
        self.desk.open(word, subject, tag)

    def happens(self, word: str, what: str) -> None:
        """By the acts that `Memory` knows."""
        ann: Callable[..., None] = lambda *said, **fields: self.desk.act(  # noqa: E731
            word, Who.AGENT, "Ann", *said, **fields
        )
        match what:
            case "answers":
                ann("Have you tried turning it off?")
            case "notes":
                ann("Hm.", public=False)
            case "says more":
                self.desk.act(word, Who.CUSTOMER, "Cleo", "This is a complaint, I am fed up.")
            case "priority":
                ann(priority=Priority.LOW)
            case "group":
                ann(group=TEAMS["Tier 2"])
            case "takes":
                ann(assignee=PEOPLE["Ann"])
            case "rule":
                self.desk.act(word, Who.AUTOMATION, None, "We have your ticket.")
            case "moves":
                ann(group=TEAMS["Duty managers"])
            case "gives":
                ann("This one is yours.", assignee=PEOPLE["Dana"])
            case "solves":
                ann(status=Status.SOLVED)


@dataclass
class Sent:
    """Notes what is written to a helpdesk, by the keys of the writes: texts do not outlive their writes elsewhere."""

    adapter: Adapter
    done: dict[str, tuple[Write, Receipt]]

    @classmethod
    def by(cls, adapter: Adapter) -> "Sent":
        """From now on, all that is taken."""
        noted = cls(adapter=adapter, done={})
        send = adapter.send

        def sending(write: Write, expects: str, *, fresh: bool = False) -> Receipt:
            receipt = send(write, expects, fresh=fresh)
            noted.done[write.key] = write, receipt
            return receipt

        setattr(adapter, "send", sending)  # noqa: B010 (a method)
        return noted


@dataclass
class Town:
    """A helpdesk, the service beside it, and what it has written."""

    vendor: str
    account: str
    folder: Path
    helpdesk: Helpdesk
    service: Service
    clock: ManualClock
    sent: Sent

    @property
    def settle(self) -> Seconds:
        """So much after something happened its helpdesk lets it be decided on."""
        return self.service.parts.desks[self.account].adapter.capabilities.settle

    def live(self, tickets: int, busy: float, seed: int) -> None:
        """An afternoon: customers write, agents answer, take and move tickets, of which a `busy` share may come to be
        a policy's business. The service looks at once, and at each instant at which something is due."""
        chance, words = Random(seed), [f"t{number}" for number in range(tickets)]  # noqa: S311 - the same each time
        moments = sorted(chance.sample(range(2, MINUTES - 10), MOMENTS))
        ahead: dict[int, list[tuple[str, str]]] = {moment: [] for moment in moments}
        for word in words:
            opens = chance.randrange(MOMENTS // 2)
            ahead[moments[opens]].append((word, "opens"))
            for _ in range(max(0, chance.randrange(-3, 4))):
                ahead[chance.choice(moments[opens + 1 :])].append((word, chance.choice(ACTS)))
        self.service.once(lambda _: None)
        for place, moment in enumerate(moments, 1):
            # seconds of its own: what falls due by it never falls into another moment, which is looked at a second late
            self.until(START + moment * 60 + 2 * place)
            for word, what in ahead[moment]:
                if what == "opens":
                    is_busy = chance.random() < busy
                    told = (chance.choice(SUBJECTS), chance.choice(TAGS)) if is_busy else IDLE
                    self.helpdesk.open(word, *told)
                else:
                    self.helpdesk.happens(word, what)
            self.clock.advance(self.settle)
            self.service.once(lambda _: None)
        self.until(START + MINUTES * 60)

    def until(self, at: Instant) -> None:
        """Look at what is due when it is due, up to this instant."""
        parts = self.service.parts
        while (due := self.service.next_due()) is not None and due <= at:
            self.clock.advance(max(0, due - self.clock.now()))
            parts.engine.drain(parts.worker.work)
        self.clock.advance(max(0, at - self.clock.now()))

    @contextmanager
    def archived(self) -> Iterator[Archive]:
        """All tickets, with their words."""
        parts, now = self.service.parts, self.clock.now()
        policies = parts.rules().policies
        said = head_of(policies, START - DAY, now + 1, now, now + DAY)
        with closing(Archive.create(self.folder / "town.sqlite3", said)) as archive:
            Pull(
                archive=archive,
                store=parts.store,
                desk=parts.desks[self.account],
                share=1.0,
                policies=policies,
                clock=self.clock,
                told=lambda _: None,
            ).run()
            yield archive


@contextmanager
def town(vendor: str, folder: Path) -> Iterator[Town]:
    """An empty one, of a simulated helpdesk over HTTP, or of `memory`."""
    if vendor != "memory":
        with each(vendor, folder, config=RULES, **FREE[vendor]) as one:
            yield town_of(vendor, one.desk.account, folder, OverHttp(one), one.service, one.clock)
        return
    clock, made = ManualClock(START), list[Memory]()

    def factory(account: Account, gate: Gate) -> Adapter:
        made.append(Memory(account, gate, clock.now))
        return made[-1]

    table = (
        '\n[accounts.acme]\nadapter = "zendesk"\nurl = "http://127.0.0.1"\nbudget = 1.0\n'
        'auth = { kind = "bearer", token = "secret:acme-token" }\n'
    )
    path = folder / "uptier.toml"
    path.write_text(RULES + table, encoding="utf-8")
    entry = SimpleNamespace(load=lambda: factory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connector.app.compose.entries", lambda _: {"zendesk": entry})
        with composed(path, clock, SECRETS) as service:
            yield town_of(vendor, "acme", folder, InMemory(made[0]), service, clock)


def town_of(
    vendor: str, account: str, folder: Path, helpdesk: Helpdesk, service: Service, clock: ManualClock
) -> Town:
    """A town that notes what is sent."""
    return Town(
        vendor=vendor,
        account=account,
        folder=folder,
        helpdesk=helpdesk,
        service=service,
        clock=clock,
        sent=Sent.by(service.parts.desks[account].adapter),
    )


# --- what was done, and what would have been --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Fired:
    """A level that fired: when it was due, who owned it then, which fields were written with it and as what, and the
    digest of what was said with it. What nothing but an act made fire says how long that took, which is a moment more
    where it has to settle first: of that no digest is kept."""

    ref: TicketRef
    policy: str
    level: str
    due: Instant | None
    owner: str
    writes: tuple[tuple[str, str], ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class Both:
    """What the service did and what the backtest says of the tickets whose history tells all, with words and without
    (then without digests too, if that was asked for); how the written fields of each of them stand in the end, and how
    they would. `tickets` counts all that were archived."""

    tickets: int
    looks: int
    failed: tuple[str, ...]
    did: Counter[Fired]
    said: Counter[Fired]
    wordless: Counter[Fired] | None
    stands: Mapping[TicketRef, Mapping[str, Any]]
    would_stand: Mapping[TicketRef, Mapping[str, Any]]

    def unlike(self) -> list[str]:
        """What is not the same, for a person."""
        quiet = Counter(replace(each, text="") for each in self.did.elements())
        found = [f"not played: {each}" for each in self.failed]
        wordless = quiet if self.wordless is None else self.wordless
        for what, some, others in (
            ("only the service", self.did, self.said),
            ("only the backtest", self.said, self.did),
            ("only the service, and the backtest without words does not", quiet, wordless),
            ("only the backtest without words", wordless, quiet),
        ):
            found += [f"{what}: {each}" for each in sorted((some - others).elements(), key=repr)]
        for ref, fields in self.stands.items():
            if self.would_stand[ref] != fields:
                found.append(f"{ref} stands at {fields}, not {self.would_stand[ref]}")
        return found


def a_town(vendor: str, tickets: int, seed: int, *, busy: float = BUSY, without_words: bool = True) -> Both:
    """What `both` says of a town that nobody hears of, whose files are in memory where the machine has them there."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with TemporaryDirectory(prefix="uptier-town-", dir=SHM if SHM.is_dir() else None) as folder:
        return both(vendor, Path(folder), tickets, seed, busy=busy, without_words=without_words)


def both(vendor: str, folder: Path, tickets: int, seed: int, *, busy: float, without_words: bool) -> Both:
    """Live a town and play it, with its words and, if that is asked for, without."""
    with town(vendor, folder) as here:
        here.live(tickets, busy, seed)
        policies = here.service.parts.rules().policies
        with here.archived() as archive:
            task = Task(
                config=folder / "uptier.toml",
                policies=None,
                directories=archive.directories(),
                head=archive.said(),
                begin=START - DAY,
                end=here.clock.now() + 1,
            )
            with noting_ends() as ends:
                said = played(task, policies, archive.rows(), processes=1)
            whole = dict(complete(archive, policies))
            archive.forget_words()
            wordless = None
            if without_words:
                wordless = played(replace(task, head=archive.said()), policies, archive.rows(), processes=1)
        return Both(
            tickets=said.lives,
            looks=said.looks,
            failed=(*said.failed, *(wordless.failed if wordless else ())),
            did=Counter(done(here, whole.keys())),
            said=fired(said, here.settle),
            wordless=None if wordless is None else fired(wordless, here.settle),
            stands={ref: fields(ticket) for ref, ticket in whole.items()},
            would_stand={ref: ends.get(ref) or left_alone(whole[ref], task) for ref in whole},
        )


@contextmanager
def noting_ends() -> Iterator[dict[TicketRef, dict[str, Any]]]:
    """How the written fields stand at the end of each life that is played within the block."""
    ends: dict[TicketRef, dict[str, Any]] = {}

    def noting(life: Life, rules: Rulebook, directory: Directory, until: Instant) -> Iterator[Step]:
        for step in replay(life, rules, directory, until):
            ends[life.ticket.ref] = fields(step.after.ticket)
            yield step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connector.report.backtest.replay", noting)
        yield ends


def complete(archive: Archive, policies: PolicySet) -> Iterator[tuple[TicketRef, Ticket]]:
    """The tickets of which all is told that the policies read."""
    for row in archive.rows():
        if not row.unknown & read_by(policies, row.account):
            ticket = row.ticket()
            yield ticket.ref, ticket


def left_alone(ticket: Ticket, task: Task) -> dict[str, Any]:
    """How the written fields stand at the end of a life that no policy can have a say in."""
    directory = task.directories[ticket.ref.account]
    stage = Stage(ticket=(life := life_of(ticket, directory)).ticket)
    for event in life.events:
        if isinstance(event, Acted | Shown):
            stage = happened(stage, event, directory)
    return fields(stage.ticket)


def done(here: Town, whole: Container[TicketRef]) -> Iterator[Fired]:
    """What the service fired on these tickets, by its ledger, and what came to the helpdesk of it."""
    with here.service.parts.store.reading() as connection:
        for line in ledger.onward(connection, 0):
            ref = TicketRef(line.account, line.ticket)
            if line.what != "fired" or ref not in whole:
                continue
            kept = writes.of_ticket(connection, ref)
            chain = [each for each in kept if line.episode in each.episodes and each.planned_at == line.at]
            sent = [here.sent.done[each.write.key] for each in sorted(chain, key=lambda each: each.place)]
            texts = [action for write, _ in sent for action in write.intent if isinstance(action, Note)]
            written = {name: after for _, receipt in sent for name, _, after in receipt.changed}
            due = line.data.get("due")
            yield Fired(
                ref=ref,
                policy=line.policy,
                level=line.level or "",
                due=due,
                owner=line.owner or "",
                writes=spelled(written),
                text="" if due is None and here.settle else digest(texts),
            )


def fired(outcome: Outcome, settle: Seconds) -> Counter[Fired]:
    """What a backtest says, of a helpdesk that settles so."""
    return Counter(
        Fired(
            ref=TicketRef(one.account, one.ticket),
            policy=one.policy,
            level=one.level,
            due=one.due,
            owner=one.owner,
            writes=spelled(one.writes),
            text="" if one.due is None and settle else one.text,
        )
        for one in outcome.firings
    )


def spelled(values: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    """Fields and what stands in them, to be compared."""
    lists = {
        name: sorted(value) if isinstance(value, tuple | list) else value for name, value in values.items()
    }
    return tuple(sorted((name, str(value)) for name, value in lists.items()))


def fields(ticket: Ticket) -> dict[str, Any]:
    """What policies may write."""
    return held_by(ticket, ("priority", "group", "assignee", "tags"))


# --- the command -----------------------------------------------------------------------------------------------

EVERY = (*EACH, "memory")
TOGETHER = 200
"""Tickets in one town."""


def prove(vendors: list[str], tickets: int, minutes: float) -> int:
    """Town after town, the helpdesks in turn; the exit code."""
    until = time.monotonic() + minutes * 60
    towns = iter(
        [
            (vendor, min(TOGETHER, tickets - begin), seed)
            for seed, begin in enumerate(range(0, tickets, TOGETHER), 1)
            for vendor in vendors
        ]
    )
    counts = {vendor: Counter[str]() for vendor in vendors}
    under_way: deque[tuple[str, int, Future[Both]]] = deque()
    with ProcessPoolExecutor(2, get_context("spawn"), max_tasks_per_child=10) as pool:
        while True:
            while len(under_way) < 3 and time.monotonic() < until and (one := next(towns, None)):
                under_way.append((one[0], one[2], pool.submit(a_town, *one)))
            if not under_way:
                return 0
            vendor, seed, future = under_way.popleft()
            found = future.result()
            counts[vendor] += Counter(
                tickets=found.tickets, whole=len(found.stands), firings=found.did.total()
            )
            counted = counts[vendor]
            sys.stdout.write(
                f"{vendor}: {counted['tickets']} of {tickets} tickets, {counted['whole']} of them whole, "
                f"{counted['firings']} firings\n"
            )
            sys.stdout.flush()
            if unlike := found.unlike():
                sys.stdout.write(f"{vendor}, seed {seed}: not the same\n" + "\n".join(unlike) + "\n")
                pool.shutdown(cancel_futures=True)
                return 1


def main() -> None:
    """The command."""
    said = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    said.add_argument("--tickets", type=int, default=10_000)
    said.add_argument("--vendors", default=",".join(EVERY))
    said.add_argument("--minutes", type=float, default=24 * 60)
    asked = said.parse_args()
    sys.exit(prove(asked.vendors.split(","), asked.tickets, asked.minutes))


if __name__ == "__main__":
    main()
