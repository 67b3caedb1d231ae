"""What looking back costs. Ratios are asserted, times only printed: events times policies a second, on one core, where
1 %, 5 % and 20 % of the tickets match one of twenty policies."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from connector.report.backtest import Outcome, Player, Task
from connector.store import codec
from connector.store.archive import Head, Row
from policies.model import Priority, Status, Ticket, TicketRef, Who
from policies.past import UNASKED
from policies.replay import Acted, Said, Stage, happened
from tests.benchmarks.bench_policies import best
from tests.policies import lives

POLICIES = 20
MANY = 200


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


def rows(share: float) -> list[Row]:
    """Tickets of which this share matches a policy."""
    every = round(1 / share) if share else MANY + 1
    kinds = (
        f"kind {number % POLICIES}" if number % every == 0 and share else "other" for number in range(MANY)
    )
    tickets = (a_ticket(number, kind) for number, kind in enumerate(kinds))
    return [Row(account="acme", facts=codec.dump(Ticket, each), unknown=frozenset()) for each in tickets]


def player(count: int) -> Player:
    """Plays by so many policies."""
    begin, end = lives.at(0), lives.at(2000)
    head = Head(made=end, begin=begin, end=end, words_until=0, asked=(), packs={})
    task = Task(
        config=Path("none"),
        policies=None,
        directories={"acme": lives.DIRECTORY},
        head=head,
        begin=begin,
        end=end,
    )
    return Player(task, lives.rules(rules(count)))


def test_tickets_that_no_policy_could_match_cost_little(capsys: pytest.CaptureFixture[str]) -> None:
    plays = player(POLICIES)
    costs = {}
    for share in (0.0, 0.01, 0.05, 0.2, 1.0):
        meant = rows(share)
        outcome: Outcome = plays.play(meant)
        costs[share] = best(partial(plays.play, meant)) / MANY
        speed = outcome.events / MANY * POLICIES / costs[share]
        told = (
            f"{share:.0%} match: {costs[share] * 1e3:.2f} ms a life, {speed:,.0f} events x policies a second"
        )
        with capsys.disabled():
            print(f"\n{told}")  # noqa: T201
        assert outcome.failed == []
        assert bool(outcome.firings) is bool(share)
    assert costs[0.0] < costs[1.0] / 8
    assert costs[0.05] < costs[1.0] / 4


def test_twice_the_policies_cost_less_than_twice_where_none_matches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    meant = rows(0.0)
    few, many = (best(partial(player(count).play, meant)) for count in (POLICIES, 2 * POLICIES))
    with capsys.disabled():
        print(f"\n{POLICIES} policies {few:.3f} s, {2 * POLICIES} policies {many:.3f} s")  # noqa: T201
    assert many < 1.9 * few
