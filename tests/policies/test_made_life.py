"""Lives that are made for policies without a test: from plain values, or none."""

import pytest

from policies.made_life import made_life
from policies.policy_tests import told
from tests.policies.lives import AFTER_120, HEAD, calendars, policy, rules

MAPPED = HEAD + "".join(f"[accounts.{name}.fields]\nseats = 1\nplan = 2\n" for name in ("acme", "other"))


def made(text: str) -> tuple[str, ...] | None:
    policies = rules(text, MAPPED)
    (one,) = policies.policies
    found = made_life(one, policies, ("acme",), calendars(policies))
    return None if found is None else told(found.test, found.found)


FIRES = ("0:30  fires one to Escalations",)


@pytest.mark.parametrize(
    "when",
    [
        'priority = "urgent"',
        'priority = { at_least = "high" }',
        'tags = { has = "vip" }',
        'tags = { has_all = ["a", "b"], lacks = "c" }',
        'subject = { contains = "the \\"bill\\"" }',
        "requester.vip = true",
        "requester.recent_tickets = { over = 3 }",
        "custom.seats = { at_least = 10 }",
        "custom.seats = { under = 10 }",
        'custom.plan = ["gold", "silver"]',
        "assignee = { known = false }",
        "organization = { known = true }",
        'status = ["new", "open"]',
        'status = { not = "pending" }',
        'any = [{ priority = "urgent" }, { tags = { has = "vip" } }]',
        'all = [{ priority = "urgent" }, { tags = { has = "vip" } }]',
    ],
)
def test_plain_values_make_a_life(when: str) -> None:
    assert made(policy(when=when)) == FIRES


@pytest.mark.parametrize(
    "when",
    [
        'phrases = { has = "complaint" }',
        'subject = { matches = "refund|chargeback" }',
        "replies = { over = 3 }",
        "assignee_away = true",
        'priority = "urgent"\ntags = { has = "a", lacks = "a" }',
    ],
)
def test_what_is_no_plain_value_needs_a_test(when: str) -> None:
    assert made(policy(when=when)) is None


@pytest.mark.parametrize("clock", ["created", "untouched", "in_status", "matching"])
def test_a_clock_that_starts_by_itself(clock: str) -> None:
    assert made(policy(clock=clock)) == FIRES


def test_clocks_that_somebody_starts() -> None:
    assert made(policy(clock="since_agent_reply")) == ("0:35  fires one to Escalations",)
    assert made(policy(clock="assignee_silent")) == FIRES
    deadline = policy('before = "30m"\nnote = "handoff"', clock="resolution")
    assert made(deadline) == ("7:30  fires one to Escalations",)


def test_it_ends_when_every_level_has_fired() -> None:
    again = 'after = "30m"\nnote = "handoff"\nrepeat = { every = "40m", times = 9 }'
    assert made(policy(again, AFTER_120)) == (
        "0:30  fires one to Escalations",
        "1:10  repeats one to Escalations",
        "1:50  repeats one to Escalations",
        "2:00  fires two to Escalations",
    )
