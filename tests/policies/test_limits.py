"""Authority limits: whose limit decides, and what is above it."""

from dataclasses import replace
from typing import Any

import pytest

from policies.language.conditions import Limits
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.present.explain import explain, traced
from tests.policies.lives import ANN, BEN, HEAD, TIER1, TIER2, Life, policy

MAPPED = HEAD.replace("[accounts.acme]", "[accounts.acme.fields]\nrefund = 1").replace(
    "[accounts.other]", "[accounts.other.fields]\nrefund = 1"
)
LIMITS = '[people."ann@acme.test"]\nlimit = 500\nmanager = "dan@acme.test"\n[groups."Tier 1"]\nlimit = 200\n'


def life(refund: Any, holder: str = "assignee", **fields: Any) -> Life:
    text = policy(when=f'custom.refund = {{ over_limit_of = "{holder}" }}')
    return Life(text, MAPPED + LIMITS).with_fields(custom={"refund": refund}, **({"assignee": ANN} | fields))


def holds(life: Life) -> bool:
    return traced(life.plan(5))[0].holds


@pytest.mark.parametrize(("refund", "held"), [(500, False), (500.01, True), ("501", True), (499, False)])
def test_above_the_assignees_own_limit_and_not_at_it(refund: Any, held: bool) -> None:
    assert holds(life(refund)) is held


def test_an_assignee_without_one_has_that_of_the_tickets_group() -> None:
    assert holds(life(201, assignee=BEN))
    assert not holds(life(200, assignee=BEN))
    assert not holds(life(9999, assignee=BEN, group=TIER2)), "Tier 2 has none"
    assert not holds(life(9999, assignee=BEN, group=None))


def test_nobody_assigned_has_no_limit() -> None:
    assert not holds(life(9999, assignee=None))
    assert holds(life(9999, "group", assignee=None))


def test_the_groups_limit_is_read_whoever_has_the_ticket() -> None:
    assert holds(life(201, "group"))
    assert not holds(life(200, "group"))
    assert not holds(life(9999, "group", group=TIER2))


@pytest.mark.parametrize("refund", [None, "", "a lot", True])
def test_a_value_that_is_no_number_is_missing(refund: Any) -> None:
    assert not holds(life(refund))


def test_somebody_without_an_address_goes_by_name() -> None:
    limits = Limits(people={"Ann": 5})
    assert limits.of(replace(life(1).ticket, assignee=replace(ANN, address=None)), "assignee") == ("Ann", 5)
    assert limits.of(replace(life(1).ticket, group=TIER1), "assignee") is None


def test_explain_shows_the_limit() -> None:
    text = explain(traced(life(620).plan(5)))
    assert (
        "yes custom.refund is over the limit of the assignee (it is 620, the limit of ann@acme.test is 500)"
        in text
    )
    assert "(it is 620, the assignee has no limit)" in explain(
        traced(life(620, assignee=BEN, group=TIER2).plan(5))
    )
    assert "(it is missing)" in explain(traced(life(None).plan(5)))


def problems(text: str) -> list[tuple[str, str]]:
    document = read("uptier.toml", text)
    assert isinstance(document, Document)
    return [(each.code, each.severity) for each in parse([document]).problems]


@pytest.mark.parametrize(
    ("holder", "limits", "warned"),
    [
        ("assignee", "", True),
        ("group", "", True),
        ("group", '[people."ann@acme.test"]\nlimit = 5\n', True),
        ("assignee", '[people."ann@acme.test"]\nlimit = 5\n', False),
        ("assignee", '[groups."Tier 1"]\nlimit = 5\n', False),
        ("group", '[groups."Tier 1"]\nlimit = 0\n', False),
    ],
)
def test_limits_that_nobody_has_are_warned_of(holder: str, limits: str, warned: bool) -> None:
    text = policy(when=f'custom.refund = {{ over_limit_of = "{holder}" }}')
    assert problems(MAPPED + limits + text) == [("no-limits", "warning")] * warned


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LIMITS + policy(when='custom.refund = { over_limit_of = "manager" }'), "unknown-value"),
        (LIMITS + policy(when="custom.refund = { over_limit_of = 500 }"), "wrong-type"),
        (LIMITS + policy(when='replies = { over_limit_of = "group" }'), "wrong-operator"),
        ('[groups."Tier 1"]\nlimit = "200"\n', "wrong-type"),
        ('[people."ann@acme.test"]\nlimit = true\n', "wrong-type"),
        ('[people."ann@acme.test"]\nlimit = -1\n', "out-of-range"),
        ('[people."ann@acme.test"]\nlimits = 1\n', "unknown-key"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, code: str) -> None:
    assert problems(MAPPED + text) == [(code, "error")]
