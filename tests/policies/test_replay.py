"""`policies.replay`: what would happen is asked of the very `evaluate` that runs live, and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies import replay as replaying
from policies.model import Order, Priority, Who
from policies.plan import Assign
from policies.replay import (
    Acted,
    Event,
    Life,
    Ordered,
    Rulebook,
    Ruled,
    Said,
    Shown,
    Step,
    judged_at,
    replay,
)
from policies.state import How
from tests.policies.lives import DIRECTORY, LADDER, NEWBORN, at, calendars, policy, rules

ROOT = Path(__file__).parents[2]
OPENS = Acted(at=at(0), who=Who.CUSTOMER, person="cleo", says=(Said(body="Help"),))


def rulebook(text: str = LADDER) -> Rulebook:
    policies = rules(text)
    first = {each.name: at(-1) for each in policies.policies}
    return Rulebook(policies=policies, calendars=calendars(policies), first_ran=first)


def played(*events: Event, text: str = LADDER, until: float = 300) -> list[Step]:
    return list(replay(Life(ticket=NEWBORN, events=(OPENS, *events)), rulebook(text), DIRECTORY, at(until)))


def lines(steps: list[Step], *what: str) -> list[tuple[float, str, str | None]]:
    return [
        ((step.now - at(0)) / 60, line.what, line.level)
        for step in steps
        for line in step.lines
        if line.what in what
    ]


def test_levels_fire_at_their_second_and_the_next_sees_what_the_one_before_wrote() -> None:
    steps = played()
    assert lines(steps, "fired") == [(30, "fired", "one"), (120, "fired", "two")]
    ticket = steps[-1].after.ticket
    assert (ticket.group and ticket.group.name, ticket.priority) == ("Duty", Priority.URGENT)
    assert ticket.tags == {"l1", "l2"}
    ours = [change for change in ticket.changes if change.act.who is Who.BOT]
    assert {change.act.id for change in ours} <= steps[-1].after.receipts.keys()


def test_what_happens_at_the_due_second_comes_before_the_firing() -> None:
    reply = Acted(at=at(30), who=Who.AGENT, person="ann", says=(Said(),))
    assert lines(played(reply), "fired") == []


def test_orders_rules_and_what_a_helpdesk_only_shows_are_events_like_any_other() -> None:
    snooze = Ordered(order=Order(verb="snooze", who="lee", at=at(10), until=at(60)))
    assert lines(played(snooze, until=100), "fired", "snoozed") == [
        (10, "snoozed", None),
        (60, "fired", "one"),
    ]
    later = Ruled(at=at(20), rules=rulebook(LADDER.replace("30m", "45m")))
    assert lines(played(later, until=100), "fired") == [(45, "fired", "one")]
    gone = Shown(at=at(40), fields={"gone": "deleted"})
    assert lines(played(gone), "fired", "ended") == [(30, "fired", "one"), (40, "ended", None)]


def test_a_ticket_that_is_first_seen_late_has_one_look_at_all_of_it() -> None:
    reply = Acted(at=at(10), who=Who.AGENT, person="ann", says=(Said(),))
    again = Acted(at=at(20), who=Who.CUSTOMER, person="cleo", says=(Said(),))
    life = Life(ticket=NEWBORN, events=(OPENS, reply, again), first_seen=at(55))
    steps = list(replay(life, rulebook(), DIRECTORY, at(60)))
    assert lines(steps, "fired") == [(55, "fired", "one")]


def test_a_life_with_no_end_is_held_where_it_begins_to_go_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "ROUNDS", 1)  # so that the look behind the first write is too many
    steps = played()
    assert lines(steps, "held") == [(30, "held", None)]
    assert steps[-1].now == at(30)


def test_round_robin_remembers_whom_it_served() -> None:
    text = policy(
        *(f'after = "{n}h"\nassign = {{ group = "Tier 2", agent = "round_robin" }}' for n in (1, 2)),
        clock="assignee_silent",
    )
    ben = Acted(at=at(0), who=Who.AGENT, person="ann", sets=(("assignee", "ben"), ("group", "g2")))
    steps = played(ben, text=text)
    made = [w.action for step in steps for w in step.plan.wanted if isinstance(w.action, Assign)]
    assert [each.assignee.id for each in made if each.assignee] == ["cat", "ben"]


def test_a_later_instant_is_judged_after_what_falls_due_before_it() -> None:
    life = Life(ticket=NEWBORN, events=(OPENS,))
    step = judged_at(life, rulebook(), DIRECTORY, at(60))
    (standing,) = step.plan.standings
    assert standing.episode is not None
    assert [(each.level, each.how) for each in standing.episode.passed] == [("one", How.FIRED)]
    assert step.now == at(60)
    with pytest.raises(ValueError, match="had not been seen"):
        judged_at(life, rulebook(), DIRECTORY, at(-5))


def test_a_life_goes_on_from_the_middle_of_it() -> None:
    half = played(until=60)[-1].after
    life = Life(ticket=half.ticket, first_seen=at(61), standings=half.standings, receipts=half.receipts)
    steps = list(replay(life, rulebook(), DIRECTORY, at(300)))
    assert lines(steps, "fired") == [(120, "fired", "two")]
    acts = {change.act.sequence for change in steps[-1].after.ticket.changes}
    assert max(acts) > half.sequence


def importers(name: str) -> Iterator[str]:
    """The files that can reach this function of `policies.evaluate`: by its name, or by the whole module."""
    for folder in ("policies", "adapters", "connector"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                said: set[str] = set()
                if isinstance(node, ast.ImportFrom) and node.module == "policies.evaluate":
                    said = {each.name for each in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module == "policies":
                    said = {name for each in node.names if each.name == "evaluate"}
                elif isinstance(node, ast.Import):
                    said = {name for each in node.names if each.name == "policies.evaluate"}
                if name in said:
                    yield str(file.relative_to(ROOT))


def callers(method: str) -> Iterator[str]:
    """The files that call a method of this name on something called rules."""
    for file in (ROOT / "connector").rglob("*.py"):
        if f"rules.{method}(" in file.read_text(encoding="utf-8"):
            yield str(file.relative_to(ROOT))


def test_only_the_worker_and_replay_reach_evaluate() -> None:
    """`Rules.judge` is how the worker asks it; so do the notifier, which asks whether a level still stands now, and the
    plan that is to be applied, which the worker judges once more in the same way, and explain of a ticket that no look
    was needed for. Whoever asks what would happen over time calls `policies.replay`."""
    assert sorted(importers("evaluate")) == ["connector/work/context.py", "policies/replay.py"]
    assert sorted(callers("judge")) == [
        "connector/notify/eligibility.py",
        "connector/work/context.py",
        "connector/work/planning.py",
        "connector/work/plans.py",
        "connector/work/worker.py",
    ]
