"""Of each value that is read at a past instant, how it is known: as then, as now, or unknown."""

from dataclasses import replace

import pytest

from policies.hindsight import How, judged_then
from policies.model import Act, Change, Metric, Priority, Stage, Target, Who
from policies.past import COUNTED, MOVED, unknown_past
from policies.replay import Rulebook
from tests.policies.lives import DIRECTORY, LADDER, Life, at


def of(life: Life, minute: float = 0) -> tuple[How, frozenset[str]]:
    scene = life.plan(10_000).scene
    assert scene is not None
    unknown = unknown_past(scene.ticket, only_ours=False)
    return How(ticket=scene.ticket, unknown=unknown, at=at(minute)), unknown


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("priority", "as then"),
        ("tags", "as then"),
        ("custom.plan", "as then"),
        ("messages", "as then"),
        ("type", "as now"),
        ("requester.vip", "as now"),
        ("requester.recent_tickets", "unknown"),
        ("reopens", "as then"),
    ],
)
def test_where_a_helpdesk_tells_all_changes(name: str, known: str) -> None:
    how, _ = of(Life(LADDER).with_fields(custom={"plan": "gold"}).customer(0))
    assert how.of(name) == known


def test_where_nobody_tells_who_changed_what() -> None:
    life = Life(LADDER).with_fields(actors_hidden=True).customer(0)
    life.change(5, "status", "pending", by="ann")
    how, unknown = of(life)
    assert unknown >= {*MOVED, *COUNTED}
    assert [how.of(name) for name in ("priority", "group", "status", "reopens", "changes", "messages")] == [
        *("as now", "as now", "unknown", "unknown", "unknown", "as then")
    ]
    assert how.of_all(["priority", "messages"]) == "as now"
    assert how.of_all(["priority", "status"]) == "unknown"
    assert of(life, 6)[0].of("status") == "as now", "nothing has moved it since"


def test_targets_are_those_of_now_and_hidden_fields_are_unknown() -> None:
    target = Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=at(500))
    how, _ = of(Life(LADDER).with_fields(targets=(target,), hidden=frozenset({"type"})).customer(0))
    assert (how.of("targets"), how.of("type")) == ("as now", "unknown")


def test_changes_that_do_not_lead_to_what_stands_there_make_it_unknown() -> None:
    life = Life(LADDER).customer(0)
    act = Act(sequence=99, id="x", at=at(5), who=Who.AGENT, person="ann")
    odd = Change(act=act, field="priority", before="high", after="low")
    life.with_fields(changes=(odd,), priority=Priority.URGENT)
    how, _ = of(life)
    assert how.of("priority") == "unknown"


def test_the_life_is_played_by_hand_to_the_minute() -> None:
    """30 minutes after the customer wrote, level one; Ann, at 50, answers: at 60 nothing waits any more."""
    life = Life(LADDER).customer(0).agent(50, "ann")
    scene = life.plan(10_000).scene
    assert scene is not None
    ticket = replace(scene.ticket, assignee_away=None)
    rules = Rulebook(policies=life.policies, calendars=life.calendars, first_ran={"p": 0})

    def verdict(minute: float) -> str:
        seen = judged_then(ticket, frozenset(), rules, DIRECTORY, at(minute))
        (trace,) = seen.trace
        return trace.verdict

    assert verdict(29).startswith('waits for level "one": due ')
    assert verdict(30) == 'fires level "one"'
    assert verdict(31).startswith('waits for level "two": due ')
    assert verdict(60).startswith("matches, but its last episode ended (")
