"""What looking back costs. In `make test` ratios are asserted and times only printed; the figures of RESULTS.md are of

    python -m tests.benchmarks.bench_backtest [--lives 10000] [--write]

Lives are tickets that were answered after a while, waited, and were solved, of which 1 %, 5 % and 20 % match one of
twenty policies.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from connector.report.backtest import Outcome, Player, Task, played
from connector.store import codec
from connector.store.archive import Head, Row
from policies.model import Priority, Status, Ticket, TicketRef, Who
from policies.past import UNASKED
from policies.replay import Acted, Said, Stage, happened
from tests.policies import lives

RESULTS = Path(__file__).with_name("RESULTS.md")
BEGIN, END = "<!-- looked back -->", "<!-- so far back -->"
POLICIES = 20
SHARES = (0.01, 0.05, 0.2)
MANY, FEW = 200, 20
"""Lives where most match no policy, and where all do."""

TRIES = 3


def rules(count: int) -> str:
    """Each for one type of ticket."""
    return "".join(
        lives.policy(
            'after = "30m"\nassign = { group = "Tier 2" }\ntags = ["l1"]\nnote = "handoff"',
            'after = "2h"\nnote = "handoff"',
            name=f"p{number}",
            clock="customer_waiting",
            when=f'status = ["new", "open"]\ntype = "kind {number}"\npriority = ["high", "urgent"]',
        )
        for number in range(count)
    )


def a_ticket(number: int, kind: str) -> Ticket:
    """One that was answered after a while, waited, and was solved."""
    chance = Random(number)  # noqa: S311 - the same tickets each time
    first = chance.randrange(10, 400)
    born = replace(lives.NEWBORN, ref=TicketRef("acme", str(number)), type=kind, priority=Priority.HIGH)
    said, cleo, ann = (Said(),), (Who.CUSTOMER, "cleo"), (Who.AGENT, "ann")
    acts = (
        (0, cleo, said, ()),
        (first, ann, (), (("assignee", "ann"),)),
        (first + 20, ann, said, (("status", str(Status.PENDING)),)),
        (first + 90, cleo, said, ()),
        (first + 100, ann, said, ()),
        (first + 200, ann, (), (("status", str(Status.SOLVED)),)),
    )
    stage = Stage(ticket=born)
    for minute, (who, person), says, sets in acts:
        act = Acted(at=lives.at(minute), who=who, person=person, says=says, sets=sets)
        stage = happened(stage, act, lives.DIRECTORY)
    return replace(stage.ticket, read_at=lives.at(1000), hidden=frozenset({UNASKED}))


def rows(share: float, many: int) -> Iterator[Row]:
    """So many tickets, of which this share matches a policy."""
    every = round(1 / share) if share else many + 1
    for number in range(many):
        kind = f"kind {number % POLICIES}" if number % every == 0 and share else "other"
        yield Row(account="acme", facts=codec.dump(Ticket, a_ticket(number, kind)), unknown=frozenset())


def task(config: Path = Path("none")) -> Task:
    """All of these lives."""
    begin, end = lives.at(0), lives.at(2000)
    head = Head(made=end, begin=begin, end=end, words_until=0, asked=(), packs={})
    return Task(
        config=config,
        policies=None,
        directories={"acme": lives.DIRECTORY},
        head=head,
        begin=begin,
        end=end,
    )


def player(count: int) -> Player:
    """Plays by so many policies."""
    return Player(task(), lives.rules(rules(count)))


def best(work: Callable[[], object]) -> float:
    """The shortest of a few runs, in seconds: what else the machine does only adds."""
    taken = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def test_tickets_that_no_policy_could_match_cost_little(capsys: pytest.CaptureFixture[str]) -> None:
    plays = player(POLICIES)
    costs = {}
    for share, many in ((0.0, MANY), (0.05, MANY), (1.0, FEW)):
        meant = list(rows(share, many))
        outcome: Outcome = plays.play(meant)
        costs[share] = best(partial(plays.play, meant)) / many
        with capsys.disabled():
            print(f"\n{share:.0%} match: {costs[share] * 1e3:.2f} ms a life")  # noqa: T201
        assert outcome.failed == []
        assert bool(outcome.firings) is bool(share)
    assert costs[0.0] < costs[1.0] / 8
    assert costs[0.05] < costs[1.0] / 4


def test_twice_the_policies_cost_less_than_twice_where_none_matches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    meant = list(rows(0.0, MANY))
    few, many = (best(partial(player(count).play, meant)) for count in (POLICIES, 2 * POLICIES))
    with capsys.disabled():
        print(f"\n{POLICIES} policies {few:.3f} s, {2 * POLICIES} policies {many:.3f} s")  # noqa: T201
    assert many < 1.9 * few


# --- the figures of RESULTS.md ---------------------------------------------------------------------------------

CONFIG = lives.HEAD.replace("[service]", '[service]\ndatabase = "sqlite:///uptier.db"').replace(
    "[accounts.acme]\n[accounts.other]\n",
    '[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.zendesk.com"\n'
    'auth = { kind = "bearer", token = "secret:acme-token" }\n',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of work of this process, seconds on the clock, what was played, and the most memory that this process and
    the largest of its own had, in MiB."""

    worked: float
    took: float
    events: int
    memory: int


def cost(share: float, many: int, config: Path, processes: int | None) -> Cost:
    """Of so many lives, a thousand again and again, which are there before the clocks run."""
    policies = lives.rules(rules(POLICIES))
    kept = list(rows(share, 1000))
    again = (kept[number % len(kept)] for number in range(many))
    worked, began = time.process_time(), time.perf_counter()
    outcome = played(task(config), policies, again, processes)
    worked, took = time.process_time() - worked, time.perf_counter() - began
    assert outcome.failed == []
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    memory = sum(resource.getrusage(each).ru_maxrss for each in whose) // 1024
    return Cost(worked=worked, took=took, events=outcome.events, memory=memory)


def measured(many: int, folder: Path) -> Iterator[str]:
    """The lines of the table."""
    config = folder / "uptier.toml"
    config.write_text(CONFIG + rules(POLICIES), encoding="utf-8")
    heads = ("s of one core", "events x policies a second")
    yield f"| {many:,} lives, {POLICIES} policies | {' | '.join(heads)} |"
    yield "|---|---|---|"
    for share in SHARES:
        one = alone(share, many, config, 1)
        yield f"| {share:.0%} match | {one.worked:.1f} | {one.events * POLICIES / one.worked:,.0f} |"
    few, ten = (alone(0.05, times * many, config, None) for times in (1, 10))
    yield ""
    yield (
        f"On all cores, 5 % matching: {many:,} lives in {few.took:.1f} s on the clock with {few.memory} MiB, "
        f"{10 * many:,} lives in {ten.took:.1f} s with {ten.memory} MiB."
    )


def alone(share: float, many: int, config: Path, processes: int | None) -> Cost:
    """In a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(cost, share, many, config, processes).result()


def main() -> None:
    """The command."""
    said = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    said.add_argument("--lives", type=int, default=10_000)
    said.add_argument("--write", action="store_true")
    asked = said.parse_args()
    with TemporaryDirectory(prefix="uptier-back-") as folder:
        drawn = "\n".join(measured(asked.lives, Path(folder)))
    sys.stdout.write(drawn + "\n")
    if asked.write:
        page = RESULTS.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        RESULTS.write_text(f"{before}{BEGIN}\n\n{drawn}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
