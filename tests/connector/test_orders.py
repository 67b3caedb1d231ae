"""What people order for an escalation, on each helpdesk: acknowledge, snooze, escalate, take back, approve."""

from pathlib import Path

import pytest

from connector.demo import CONFIG
from connector.store import inbox
from policies.model import Order, Verb
from tests.connector.each import EACH, Each, each

vendors = pytest.mark.parametrize("vendor", EACH)

APPROVED = CONFIG.replace(
    '[[policy.level]]\nname   = "Duty managers"',
    '[[policy.level]]\nname   = "Duty managers"\napproval = { note = "handoff" }',
)


def order(one: Each, verb: Verb, minutes: float = 0.5, **more: object) -> None:
    """Somebody orders it; then a round."""
    given = Order(verb=verb, who="dana", at=one.clock.now(), reason="I said so", **more)  # type: ignore[arg-type]
    with one.service.parts.store.writing() as connection:
        inbox.give_order(connection, one.ref(), given)
    one.round(minutes)
    one.round(0.5)


def first_level_fired(one: Each) -> None:
    one.opened("one")
    one.round()
    one.round(31)
    one.round(1)
    assert one.show().group == "Tier 2"


@vendors
def test_an_acknowledged_ticket_that_is_forgotten_climbs_again(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        first_level_fired(one)
        order(one, "acknowledge")
        assert one.lines()[-2].text == "stop_on acknowledged"
        assert [line.who for line in one.lines() if line.what == "acknowledged"] == ["dana"]
        one.rounds(until=25, every=5)
        assert one.show().notes == 1
        one.rounds(until=10, every=5)
        assert one.show().notes == 2, "thirty minutes after the acknowledgement the first level fires again"


@vendors
def test_a_snoozed_ticket_is_quiet_and_then_goes_on(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        first_level_fired(one)
        order(one, "snooze", until=one.clock.now() + 4 * 3600)
        one.rounds(until=180, every=30)
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)
        one.rounds(until=90, every=15)
        assert (one.show().group, one.show().notes) == ("Duty managers", 2)


@vendors
def test_a_person_escalates_before_the_clock_does(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        order(one, "escalate", minutes=3)
        assert one.show().group == "Tier 2"
        order(one, "escalate")
        assert (one.show().group, one.show().notes) == ("Duty managers", 2)
        order(one, "escalate")
        assert one.lines()[-1].what == "order refused"
        assert "no such level is ahead" in one.lines()[-1].text
        one.rounds(until=240, every=60)
        assert one.show().notes == 2


@vendors
def test_a_ticket_that_no_policy_escalates_can_be_escalated_by_a_name(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        first_level_fired(one)
        order(one, "deescalate")
        assert one.show().group == "Tier 1"
        order(one, "escalate", policy="urgent-unanswered")
        assert one.show().group == "Tier 2"


@vendors
def test_taken_back_it_is_as_it_was(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        before = one.show()
        one.round(121)
        one.round(1)
        assert one.show().group == "Duty managers"
        order(one, "deescalate")
        after = one.show()
        assert (after.group, after.assignee, after.priority) == (
            before.group,
            before.assignee,
            before.priority,
        )
        assert after.tags == before.tags
        assert [line.text for line in one.lines() if line.what == "ended"] == ["deescalated"]
        one.rounds(until=300, every=60)
        assert one.show() == after, "it stays so: nothing has begun anew"


@vendors
def test_what_a_human_changed_since_is_not_taken_back(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        first_level_fired(one)
        one.clock.advance(60)
        one.desk.desk.agent_changes(one.desk.tickets["one"], "Ann", group="Escalations")
        one.round(1)
        order(one, "deescalate")
        assert one.show().group == "Escalations"
        assert one.show().tags == {"eu"}


@vendors
def test_a_level_waits_for_approval(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=APPROVED) as one:
        first_level_fired(one)
        one.rounds(until=180, every=30)
        assert (one.show().group, one.show().notes) == ("Tier 2", 2), "asked once, by a note"
        assert one.whats().count("approval asked") == 1
        order(one, "approve")
        assert one.show().group == "Duty managers"


@vendors
def test_a_rejected_level_is_passed_over(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=APPROVED) as one:
        first_level_fired(one)
        one.rounds(until=180, every=60)
        order(one, "reject")
        one.rounds(until=180, every=60)
        assert one.show().group == "Tier 2"
        assert one.whats().count("rejected") == 1


@vendors
def test_an_order_that_finds_nothing_is_said(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        order(one, "acknowledge")
        order(one, "approve")
        assert [line.text.partition("; ")[2] for line in one.lines() if line.what == "order refused"] == [
            "no level has fired yet",
            "no level waits for approval",
        ]
