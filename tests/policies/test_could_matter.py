"""Which rows of a feed are looked into: one that is passed over could not have started anything."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policies.evaluate import could_matter
from policies.model import Counts, Priority, Status, Ticket
from policies.state import Standing
from tests.policies.lives import ANN, BEN, CLEO, NEWBORN, TIER1, TIER2, Life, policy, rules

PROVEN = settings(max_examples=40, deadline=None, derandomize=True, database=None)

CONDITIONS = (
    ('status = ["new", "open"]', ""),
    ('priority = "high"', 'tags = { has = "no" }'),
    ("replies = { over = 1 }", ""),
    ('any = [{ priority = "urgent", replies = { over = 1 } }, { tags = { has = "vip" } }]', ""),
    ('all = [{ any = [{ bounces = 2 }, { group = "Tier 2" }] }, { type = "task" }]', ""),
    ('status = "solved"\nrequester.vip = true', ""),
    ('status = "open"', "replies = { at_least = 1 }"),
    ('status = "open"', 'any = [{ replies = 0, priority = "low" }, { assignee = "ann@acme.test" }]'),
    ("assignee = { known = false }", 'all = [{ type = "task" }, { reopens = { over = 0 } }]'),
)
TEXTS = tuple(policy(when=when, unless=unless) for when, unless in CONDITIONS)

counts = st.none() | st.integers(0, 3)
tickets = st.builds(
    lambda **fields: replace(NEWBORN, **fields),
    status=st.sampled_from(Status),
    priority=st.sampled_from((None, *Priority)),
    type=st.sampled_from((None, "task", "question")),
    tags=st.frozensets(st.sampled_from(("vip", "no", "x"))),
    group=st.sampled_from((None, TIER1, TIER2)),
    assignee=st.sampled_from((None, ANN, BEN)),
    requester=st.sampled_from((None, CLEO, replace(CLEO, vip=True))),
    counts=st.builds(Counts, replies=counts, reopens=counts, reassignments=counts, bounces=counts),
)


VEILS: Mapping[str, Mapping[str, Any]] = {
    "status": {"status": Status.OPEN},
    "priority": {"priority": None},
    "type": {"type": None},
    "tags": {"tags": frozenset()},
    "group": {"group": None},
    "assignee": {"assignee": None},
    "requester.vip": {"requester": None},
}
"""What a row may hide, and what then stands in its place."""


def row(ticket: Ticket, *hides: str) -> Ticket:
    """The ticket as a feed tells it: without its history, and without what it hides."""
    bare = replace(ticket, counts=Counts(), loaded=frozenset(), messages=(), changes=())
    empty = {name: value for each in hides for name, value in VEILS[each].items()}
    return replace(bare, hidden=frozenset(hides), **empty)


@PROVEN
@given(st.sampled_from(TEXTS), tickets, st.sets(st.sampled_from(tuple(VEILS))))
def test_a_row_that_is_passed_over_could_start_nothing(text: str, ticket: Ticket, hides: set[str]) -> None:
    assume(not could_matter(row(ticket, *hides), rules(text), ()))
    life = Life(text, ticket=ticket)
    plan = life.plan(600)
    assert plan.wanted == ()
    assert plan.occurrences == ()
    assert [each.episode for each in plan.standings] == [None]


def matters(text: str, *standings: Standing, hides: tuple[str, ...] = (), **fields: Any) -> bool:
    """Whether a row with these fields, and without those that it hides, is looked into."""
    return could_matter(row(replace(NEWBORN, **fields), *hides), rules(text), standings)


LOW = policy(when='priority = "low"')


def test_a_row_that_no_policy_can_match_is_passed_over() -> None:
    assert not matters(LOW)
    assert not matters(LOW, Standing(policy="p", looked=True))
    assert matters(LOW, priority=Priority.LOW)


def test_a_row_of_an_account_that_no_policy_serves_is_passed_over() -> None:
    assert not matters(policy(more='accounts = ["other"]'))


def test_what_has_not_been_loaded_is_not_ruled_out() -> None:
    assert matters(policy(when="replies = { over = 100 }"))
    assert not matters(policy(when='replies = { over = 100 }\npriority = "low"'))
    assert matters(policy(unless="replies = { over = 0 }"))
    assert not matters(policy(unless='priority = "high"'))


def test_a_policy_that_runs_or_that_matched_must_be_told() -> None:
    life = Life(policy()).customer(0)
    life.look(1)
    assert matters(LOW, *life.standings)
    assert matters(LOW, Standing(policy="p", looked=True, matched=True))


def test_a_policy_that_skips_the_backlog_sees_every_ticket_once() -> None:
    text = policy(when='priority = "low"', more='backlog = "skip"')
    assert matters(text)
    assert not matters(text, Standing(policy="p", looked=True))


@pytest.mark.parametrize("gone", ["deleted", "spam", "merged"])
def test_a_ticket_that_is_gone_matters_if_it_was_ever_looked_at(
    gone: Literal["deleted", "spam", "merged"],
) -> None:
    assert not matters(policy(), gone=gone)
    assert matters(policy(), Standing(policy="p", looked=True), gone=gone)


def test_a_row_rules_out_by_all_that_it_tells_and_by_nothing_that_it_hides() -> None:
    vip = ("requester.vip",)
    asked = policy(when='priority = "high"\n"requester.vip" = true\ngroup = "Tier 1"')
    assert matters(asked, hides=vip), "nobody is named, and it may be a VIP"
    assert not matters(asked, hides=vip, priority=Priority.LOW)
    assert not matters(asked, hides=vip, group=TIER2)
    assert matters(asked, hides=(*vip, "group"), group=TIER2)
    assert not matters(asked, hides=("group",)), "it is told that this is no VIP"


def test_what_a_row_hides_does_not_exclude() -> None:
    asked = policy(unless='"requester.vip" = true')
    assert matters(asked, hides=("requester.vip",))
    assert matters(asked)
    assert not matters(asked, requester=replace(CLEO, vip=True))
    assert not matters(policy(unless='tags = { has = "x" }'), hides=("requester.vip",), tags=frozenset({"x"}))


def test_a_status_decides_whatever_else_is_hidden() -> None:
    solved = policy(when='status = "solved"\nrequester.vip = true')
    hides = ("requester.vip", "group", "assignee")
    assert not matters(LOW, hides=(*hides, "priority"), status=Status.SOLVED)
    assert matters(solved, hides=hides, status=Status.SOLVED)
    assert not matters(solved, hides=hides, status=Status.CLOSED)
