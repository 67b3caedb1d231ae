"""What of a ticket the policies need: held against what a helpdesk shows."""

import pytest

from policies.language.policy import PolicySet
from policies.model import Need
from policies.rules.observe import reads_of
from tests.policies.lives import HEAD
from tests.policies.lives import rules as parsed

MAPPED = '[accounts.{0}]\nfields = {{ product = "1", stage = "2" }}\n'
WITH_FIELDS = HEAD
for _name in ("acme", "other"):
    WITH_FIELDS = WITH_FIELDS.replace(f"[accounts.{_name}]\n", MAPPED.format(_name))

POLICY = """
[[policy]]
name = "waits"
clock = "{clock}"
{more}
[policy.when]
status = "open"
[policy.unless]
any = [{{ "requester.vip" = true }}, {{ "custom.product" = "router" }}]
[[policy.level]]
name = "one"
after = "1h"
{level}
"""


def rules(text: str) -> PolicySet:
    return parsed(text, WITH_FIELDS)


ALWAYS = {"status", "requester", "requester.vip", "custom.product"}


@pytest.mark.parametrize(
    ("clock", "more", "level", "also"),
    [
        ("created", "", 'note = "handoff"', {"created"}),
        ("customer_waiting", "", 'note = "handoff"', {"messages"}),
        ("created", 'stop_on = ["agent_reply"]', 'note = "handoff"', {"created", "messages"}),
        ("created", 'pause_on = ["pending"]', 'note = "handoff"', {"created", "changes"}),
        ("created", "", 'assign = { group = "Tier 2" }', {"created", "group", "assignee"}),
        ("created", "", 'priority = { at_least = "urgent" }', {"created", "priority"}),
        ("created", "", 'untag = ["calm"]', {"created", "tags"}),
        ("created", "", 'set = { "custom.stage" = "two" }', {"created", "custom.stage"}),
    ],
)
def test_conditions_clocks_and_actions(clock: str, more: str, level: str, also: set[str]) -> None:
    asked = POLICY.format(clock=clock, more=more, level=level)
    assert reads_of(rules(asked), "acme") == ALWAYS | also


def test_policies_of_other_accounts_need_nothing_here() -> None:
    asked = POLICY.format(clock="created", more='accounts = ["other"]', level='note = "handoff"')
    assert reads_of(rules(asked), "acme") == frozenset()


SLA = """
[sla.ours]
first_reply = { urgent = "1h", high = "4h", normal = "8h", low = "1d" }
"""


def test_a_deadline_that_a_table_keeps_needs_what_the_table_reads() -> None:
    asked = POLICY.format(clock="first_reply", more="", level='note = "handoff"').replace(
        "after =", "before ="
    )
    assert reads_of(rules(asked), "acme") == ALWAYS | {"targets"}
    assert reads_of(rules(asked + SLA), "acme") == ALWAYS | {"targets", "messages", "priority"}


def test_an_account_is_asked_for_what_its_own_policies_need() -> None:
    ours = POLICY.format(clock="created", more='accounts = ["acme"]', level='note = "handoff"')
    theirs = POLICY.format(clock="resolution", more='accounts = ["other"]', level='note = "handoff"')
    theirs = theirs.replace('name = "waits"', 'name = "late"').replace("after =", "before =")
    both = rules(ours + theirs)
    assert both.to_load("acme") == {Need.MESSAGES, Need.CHANGES}
    assert both.to_load("other") == {Need.MESSAGES, Need.CHANGES, Need.TARGETS}
    assert both.to_load("a third one") == frozenset()
