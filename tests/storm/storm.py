"""Accounts whose answers are not all well-formed, thousands of ways, on all three helpdesks.

    python -m tests.storm.storm --mutations 3000 --seed 1 [--vendor zendesk]

A batch opens some tickets that are due, some that must be left alone, and breaks one thing about each of a dozen of
them. Then one thing at a time is broken that is about no ticket, and mended again. What counts is what the helpdesk
shows: every other due ticket is escalated once, nothing is written that a careful human would call wrong, and
what was set aside is visible. The seed decides all of it.
"""

import argparse
import logging
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from adapters.simulation.server import serve
from connector.clock import ManualClock
from connector.store import accounts, inbox, ledger, tickets
from tests.connector.beside import START, composed
from tests.connector.each import DESKS, EACH, Each
from tests.hanging import hanging_in
from tests.storm.odd import Mutation, Odd, of_envelope, of_ticket

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

[[policy]]
name  = "ancient"
clock = "created"
when  = { status = ["new", "open"] }
[[policy.level]]
name  = "A year"
after = "8760h"
owner = "Tier 2"
tags  = ["ancient"]

[[policy]]
name  = "nobody"
clock = "created"
when  = { status = ["new", "open"], subject = { contains = "held" }, assignee = { known = false } }
[[policy.level]]
name   = "Take it"
after  = "10m"
owner  = "Tier 2"
assign = { group = "Duty managers" }
tags   = ["nobody"]
"""

KINDS = ("due", "held", "low", "left", "answered", "solved")
"""What a broken ticket is: due; held by Ann and due; of low priority; with a tag that excludes it; answered; solved."""

CHANGES: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "zendesk": {
        "held": {"assignee": "Ann"},
        "low": {"priority": "low"},
        "solved": {"status": "solved", "assignee": "Ann"},
    },
    "freshdesk": {
        "held": {"assignee": "Ann"},
        "low": {"priority": 1},
        "solved": {"status": 4, "assignee": "Ann"},
    },
    "servicenow": {
        "held": {"assignee": "Ann"},
        "low": {"impact": "3", "urgency": "3"},
        "solved": {"state": "6", "close_code": "Solved", "close_notes": "Done", "assignee": "Ann"},
    },
}
ONE = {
    "zendesk": {"GET": r".*/tickets/{0}(\.json|/.*)?", "PUT": r".*/tickets/{0}(\.json)?"},
    "freshdesk": {
        "GET": r".*/tickets/{0}(/.*)?",
        "PUT": r".*/tickets/{0}",
        "POST": r".*/tickets/{0}/notes",
    },
    "servicenow": {"GET": r".*/table/incident/{0}", "PATCH": r".*/table/incident/{0}"},
}
"""The paths of one ticket, by method."""

ENVELOPES = {
    "zendesk": {
        "the feed": r".*/incremental/tickets/cursor.*",
        "the census": r".*/(search.*|tickets(\.json)?)",
        "the directory": r".*/(groups|users|group_memberships).*",
        "the probe": r".*/(users/me|ticket_fields|slas|webhooks|triggers|account|custom_statuses).*",
    },
    "freshdesk": {
        "the lists": r".*/api/v2/tickets",
        "the directory": r".*/api/v2/(agents|groups)",
        "the probe": r".*/(agents/me|ticket_fields|sla_policies|automations).*",
    },
    "servicenow": {
        "the table": r".*/table/incident",
        "the histories": r".*/table/sys_(audit|journal_field)",
        "the directory": r".*/table/sys_user(_group|_grmember)?",
        "the probe": r".*/table/(sys_user|sys_dictionary|sys_properties|sys_choice|task_sla|contract_sla).*",
    },
}

BATCH = 12
HEALTHY = 3
POLLS = 3


@dataclass
class OddEach(Each):
    """Uptier beside a helpdesk whose answers can be broken."""

    odd: Odd

    def tick(self, minutes: float) -> str:
        """A round some minutes later; what it says needs a human. It comes back whatever is broken."""
        return "; ".join(self.round(minutes).needs_human)

    def paused(self) -> list[str]:
        """Why accounts are paused now."""
        with self.service.parts.store.reading() as connection:
            known = accounts.every(connection)
        return [str(each.paused_reason) for each in known if each.paused_at is not None]

    def said(self, word: str) -> bool:
        """Whether anything says of this ticket why it is as it is: its ledger, its trace, that it is
        gone, or what it waits for."""
        with self.service.parts.store.reading() as connection:
            known = tickets.known(connection, self.ref(word))
            lines = ledger.of_ticket(connection, self.ref(word))
            timer = inbox.timer_of(connection, self.ref(word))
        if known is None or lines or (timer is not None and timer.holds) or known.judged:
            return True
        return known.ticket.gone is not None


@contextmanager
def odd(vendor: str, folder: Path, **switches: Any) -> Iterator[OddEach]:
    """A furnished account with a wire that can be broken, and the service beside it."""
    clock = ManualClock(START)
    (entry,) = entry_points(group="uptier.simulators", name=vendor)
    app: Any = entry.load()(clock.now, **switches)
    wire = Odd(app)
    with serve(wire) as url:
        desk: Any = DESKS[vendor](app=app, url=url)
        desk.furnish()
        path = folder / "uptier.toml"
        path.write_text(CONFIG + desk.config(), encoding="utf-8")
        with hanging_in(desk.desk.log), composed(path, clock, desk.secrets()) as running:
            yield OddEach(vendor=vendor, desk=desk, clock=clock, service=running, odd=wire)


def open_ticket(one: OddEach, word: str, kind: str = "due") -> None:
    """A ticket of this kind, opened now."""
    one.desk.open(word, f"About {kind} {word}", "no-escalation" if kind == "left" else "eu")
    change = CHANGES[one.vendor].get(kind)
    if change:
        one.desk.desk.agent_changes(one.desk.tickets[word], "Ann", **change)
    if kind == "answered":
        one.desk.answer(word, "Ann", "We are at it.")


def wrong(one: OddEach, word: str, kind: str, before: Any, *, healthy: bool) -> Iterator[str]:
    """What a careful human would call wrong about this ticket now."""
    shown = one.show(word)
    who = f"{kind} ticket {word}"
    if shown.notes > 1:
        yield f"{who} has {shown.notes} of our notes"
    if "ancient" in shown.tags:
        yield f"{who} was taken for one from 1970"
    if kind != "due" and "nobody" in shown.tags:
        yield f"{who} was taken for one that nobody has"
    if kind in ("held", "solved") and shown.assignee != "Ann":
        yield f"{who} was taken from Ann"
    if kind in ("low", "answered", "solved") and shown != before:
        yield f"{who} was written to: {shown}, before {before}"
    if kind == "left" and (shown.group, shown.assignee) != (before.group, before.assignee):
        yield f"{who} was reassigned: {shown}"
    if kind in ("due", "held") and shown.group not in ("Tier 1", "Tier 2"):
        yield f"{who} is in {shown.group}"
    if healthy and (shown.group, shown.notes, "escalated" in shown.tags) != ("Tier 2", 1, True):
        yield f"{who} was not escalated once: {shown}; ledger {one.whats(word)}"


def silent(one: OddEach, word: str, kind: str, mutation: Mutation) -> Iterator[str]:
    """A due ticket that is not escalated because something about it is broken says so somewhere."""
    shown = one.show(word)
    if kind not in ("due", "held") or not mutation.hits or shown.notes == 1:
        return
    if not one.said(word):
        yield f"{kind} ticket {word} ({mutation}) is not escalated, and nothing says why"


def broken_tickets(
    one: OddEach, batch: str, seeds: Sequence[int], told: Sequence[Mutation] = ()
) -> list[str]:
    """A batch of tickets with one thing broken about each, some healthy ones beside them. What went wrong."""
    chance = random.Random(seeds[0])  # noqa: S311 (repeatable)
    words = {f"{batch}-{seed}": chance.choice(KINDS) if not told else KINDS[seed % 2] for seed in seeds}
    healthy = [f"{batch}-well-{number}" for number in range(HEALTHY)]
    for word, kind in words.items():
        open_ticket(one, word, kind)
    for word in healthy:
        open_ticket(one, word)
    before = {word: one.show(word) for word in (*words, *healthy)}
    broken = {}
    for (word, _), seed in zip(words.items(), seeds, strict=True):
        key = one.desk.tickets[word]
        paths = {method: path.format(key) for method, path in ONE[one.vendor].items()}
        broken[word] = replace(told[seed], ticket=key) if told else of_ticket(seed, key, paths)
    one.odd.mutations[:] = broken.values()
    for minutes in (1, 31, 1, 5, 10):
        one.tick(minutes)
    found: list[str] = []
    for word, kind in words.items():
        about = f"{one.vendor} seed {word.rsplit('-', 1)[-1]} ({broken[word]}): "
        found += [about + text for text in wrong(one, word, kind, before[word], healthy=False)]
        found += [about + text for text in silent(one, word, kind, broken[word])]
    one.odd.mutations.clear()
    for word in healthy:
        found += [
            f"{one.vendor} {batch}: {text}" for text in wrong(one, word, "due", before[word], healthy=True)
        ]
    found += trouble(one, batch)
    _close(one, (*words, *healthy))
    return found


def trouble(one: OddEach, what: str) -> list[str]:
    """An account that was paused by what is one ticket's."""
    return [f"{one.vendor} {what}: the account is paused: {why}" for why in one.paused()]


def broken_envelope(one: OddEach, seed: int, told: Mutation | None = None) -> list[str]:
    """Something about no ticket alone is broken for three polls, then mended."""
    mutation = told or of_envelope(seed, ENVELOPES[one.vendor])
    about = f"{one.vendor} seed {seed} ({mutation}): "
    word = f"envelope-{seed}"
    quiet = f"quiet-{seed}"
    open_ticket(one, word)
    open_ticket(one, quiet, "low")
    before = {each: one.show(each) for each in (word, quiet)}
    one.odd.mutations[:] = [mutation]
    said = [one.tick(minutes) for minutes in (31, *[1] * POLLS)]
    found = [about + text for text in wrong(one, word, "due", before[word], healthy=False)]
    if one.show(word).notes == 0 and mutation.hits and not any(said) and not one.said(word):
        found.append(f"{about}nothing was said within {POLLS} polls")
    one.odd.mutations.clear()
    for _ in range(8):
        one.tick(15)
        if one.show(word).notes:
            break
    found += [about + text for text in wrong(one, word, "due", before[word], healthy=True)]
    found += [about + text for text in wrong(one, quiet, "low", before[quiet], healthy=False)]
    found += trouble(one, about)
    _close(one, (word, quiet))
    return found


def _close(one: OddEach, words: Iterable[str]) -> None:
    """Out of the way of what comes next."""
    for word in words:
        one.desk.desk.agent_changes(one.desk.tickets[word], "Ann", **CHANGES[one.vendor]["solved"])
    one.tick(1)


def storm(vendor: str, mutations: int, seed: int, tell: Any = str) -> list[str]:
    """So many mutations, three in four of tickets and the rest of envelopes. What went wrong."""
    found: list[str] = []
    done = 0
    while done < mutations:
        with TemporaryDirectory(prefix="uptier-storm-") as folder, odd(vendor, Path(folder)) as one:
            for _ in range(4):
                if done >= mutations:
                    break
                seeds = [seed * 1_000_000 + done + number for number in range(BATCH)]
                found += broken_tickets(one, f"b{done}", seeds)
                done += BATCH
                for number in range(BATCH // 3):
                    found += broken_envelope(one, seed * 1_000_000 + done + number)
                done += BATCH // 3
                tell(f"{vendor}: {done} mutations, {len(found)} findings")
    return found


def told_storm(vendor: str) -> list[str]:
    """The mutations that `tests/storm/told/VENDOR.py` tells as functions. What went wrong."""
    told = import_module(f"tests.storm.told.{vendor}").MUTATIONS
    made = [Mutation(about=about, what=name, seed=0, told=call) for name, about, call in told]
    of_tickets = [each for each in made if each.about != "envelope"]
    found: list[str] = []
    for first in range(0, len(of_tickets), BATCH):
        some = of_tickets[first : first + BATCH]
        with TemporaryDirectory(prefix="uptier-storm-") as folder, odd(vendor, Path(folder)) as one:
            found += broken_tickets(one, f"told{first}", range(len(some)), some)
    with TemporaryDirectory(prefix="uptier-storm-") as folder, odd(vendor, Path(folder)) as one:
        for number, each in enumerate(made):
            if each.about == "envelope":
                found += broken_envelope(one, number, each)
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Break one thing at a time in what helpdesks answer.")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--told", action="store_true", help="those that are told as functions, each once")
    parser.add_argument("--vendor", action="append", choices=EACH)
    words = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found: list[str] = []
    if words.told:
        found += [text for vendor in words.vendor or EACH for text in told_storm(vendor)]
    for vendor in (words.vendor or EACH) if not words.told else ():
        found += storm(vendor, words.mutations, words.seed, lambda text: print(text, flush=True))  # noqa: T201
    for text in found:
        sys.stdout.write(text + "\n")
    sys.stdout.write(f"{len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
