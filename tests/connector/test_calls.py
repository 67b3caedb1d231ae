"""How many requests one look and its write cost, on each helpdesk, counted in the simulator's own log; and what a
second that holds several changes does to them."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Event, Note
from connector.demo import CONFIG
from connector.intake.inbox import from_webhook
from connector.store import inbox
from connector.work.worker import LATE
from policies.model import Need
from tests.connector.each import EACH, Each, each, fault

vendors = pytest.mark.parametrize("vendor", EACH)

NUMBER = re.compile(r"/(?:[0-9a-f]{32}|\d+)(?=/|$)")
OF_A_TICKET = re.compile(
    r"\w+ (tickets/N.*|contacts/N|table/incident/N|table/sys_journal_field|table/sys_audit)"
)
LOOK = {
    "zendesk": ["GET tickets/N", "GET tickets/N/audits"],
    "freshdesk": ["GET tickets/N", "GET tickets/N/conversations"],
    "servicenow": ["GET table/sys_journal_field", "GET table/sys_audit", "GET table/incident/N"],
}
"""ServiceNow keeps who changed what in a table of its own, which these policies need."""

WRITE = {
    "zendesk": ["PUT tickets/N"],
    "freshdesk": ["GET tickets/N", "PUT tickets/N", "POST tickets/N/notes"],
    "servicenow": ["PATCH table/incident/N"],
}
"""Freshdesk takes fields and a note apart, and is read once more before the fields."""


def asked(one: Each) -> list[str]:
    """What was asked about tickets since this was asked last; polls, and groups and people, are read for all."""
    told = [
        f"{row.method} {NUMBER.sub('/N', row.path.split('/v2/')[-1].split('/now/')[-1])}" for row in log(one)
    ]
    log(one).clear()
    return [call for call in told if OF_A_TICKET.fullmatch(call)]


def log(one: Each) -> list[Any]:
    found: list[Any] = one.desk.desk.log
    return found


def settled(one: Each, *words: str) -> None:
    """Tickets that have been looked at, with all that is asked once and remembered."""
    one.opened("before")
    one.round()
    one.round(31)
    one.desk.answer("before", "Ann", "Done")
    one.round(30)
    one.opened(*words)
    one.round(1)
    one.round(1)
    log(one).clear()


@vendors
def test_a_level_costs_one_reading_and_its_writes(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.round(30)
        assert asked(one) == LOOK[vendor] + WRITE[vendor]
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)
        assert {"fired", "written"} <= set(one.whats())


@vendors
def test_our_own_write_is_not_read_again_when_it_comes_by(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.round(30)
        log(one).clear()
        one.rounds(until=10, every=1)
        assert asked(one) == []


@vendors
def test_the_next_level_costs_as_much_and_comes_in_time(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.rounds(until=40, every=10)
        log(one).clear()
        one.round(75)
        assert asked(one) == []
        one.round(10)
        calls = asked(one)
        if vendor == "freshdesk":  # which does not tell with a ticket when its contact changed
            calls.remove("GET contacts/N")
        assert calls == LOOK[vendor] + WRITE[vendor]
        assert (one.show().group, one.show().notes) == ("Duty managers", 2)


def test_servicenow_without_the_audit_costs_three(tmp_path: Path) -> None:
    """No policy of today does without who changed what; the adapter can."""
    with each("servicenow", tmp_path) as one:
        settled(one, "one")
        adapter = one.service.parts.desks[one.desk.account].adapter
        log(one).clear()
        ticket = adapter.load(one.ref(), frozenset({Need.MESSAGES}))
        (write,) = adapter.prepare(ticket, (Note(public=False, body="Ours."),), "k").writes
        assert adapter.send(write, write.expects, fresh=True).complete
        assert asked(one) == ["GET table/sys_journal_field", "GET table/incident/N", "PATCH table/incident/N"]


AT_ONCE = CONFIG.replace('after  = "30m"', 'after  = "0s"')
"""The first level is due as soon as a ticket is there."""


def webhook(one: Each, word: str, delivery: str = "d") -> None:
    """The helpdesk tells of the ticket, and it is looked at."""
    events = [Event(ref=one.ref(word), delivery=f"{delivery}-{word}")]
    with one.service.parts.store.writing() as connection:
        inbox.put_news(connection, from_webhook(one.desk.account, events, one.clock.now()))
    one.service.parts.engine.drain(one.service.parts.worker.work)


JUST_CHANGED = {
    "zendesk": LOOK["zendesk"],
    "freshdesk": LOOK["freshdesk"],
    "servicenow": [*LOOK["servicenow"], *LOOK["servicenow"]],
}
"""ServiceNow counts what changes, and is not waited for: the histories of a record that changed as they were read are
read once more, and so is the record in front of the write."""


@vendors
def test_a_webhook_waits_for_the_rest_of_its_second_and_reads_once(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=AT_ONCE) as one:
        one.opened("before")
        one.round()
        one.round(1)
        one.clock.advance(60)
        one.opened("one")
        log(one).clear()
        began = one.clock.monotonic()
        webhook(one, "one")
        waited = one.clock.monotonic() - began
        assert waited == 0 if vendor == "servicenow" else 0 < waited <= 1.1
        assert asked(one) == JUST_CHANGED[vendor] + WRITE[vendor]
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)


@vendors
def test_an_answer_within_the_second_before_the_reading_is_seen(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=AT_ONCE) as one:
        one.opened("before")
        one.round()
        one.clock.advance(60)
        one.opened("one")
        one.desk.answer("one", "Ann", "On it")
        written = one.applied()
        webhook(one, "one")
        one.rounds(until=3)
        assert one.applied() == written
        assert one.show("one").group == "Tier 1"


@vendors
def test_an_answer_between_reading_and_write_is_not_written_over(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=AT_ONCE) as one:
        one.opened("before")
        one.round()
        one.round(1)
        one.clock.advance(60)
        one.opened("one")
        written = one.applied()
        one.desk.answer_in_the_moment_of_the_write("one", "Ann", "I am on it.")
        webhook(one, "one")
        one.rounds(until=3)
        assert one.applied() == written
        assert one.show("one").group == "Tier 1"


@vendors
def test_an_answer_within_the_second_after_the_write_is_seen(vendor: str, tmp_path: Path) -> None:
    """The poll tells of it under the same stamp, where a helpdesk has no more than that."""
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.round(30)
        one.desk.answer("one", "Ann", "On it")
        log(one).clear()
        one.rounds(until=4, every=1)
        assert asked(one)[: len(LOOK[vendor])] == LOOK[vendor]
        assert one.whats()[-1] == "ended"
        one.rounds(until=120, every=30)
        assert one.show().group == "Tier 2"


CHAINED = (
    CONFIG
    + """
[[policy]]
name  = "moved"
clock = "created"
[policy.when]
group = "Tier 2"
[[policy.level]]
name  = "told"
after = "0s"
tags  = ["moved"]
"""
)


@vendors
def test_a_policy_that_begins_by_our_own_write_begins_at_once(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=CHAINED) as one:
        one.opened("one")
        one.round()
        one.round(31)
        one.round(0.1)
        assert {"escalated", "moved"} <= one.show().tags


@vendors
def test_a_second_change_in_the_same_second_is_no_echo(vendor: str, tmp_path: Path) -> None:
    """Somebody takes the ticket back in the very second of our write, and behind it."""
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.round(30)
        number = one.desk.tickets["one"]
        change = {"servicenow": {"short_description": "changed"}}.get(vendor, {"subject": "changed"})
        one.desk.desk.rule_changes(number, **change)
        log(one).clear()
        one.rounds(until=4, every=1)
        if (
            vendor != "freshdesk"
        ):  # whose revision does not tell the subject, which no level reads after its start
            assert asked(one)[: len(LOOK[vendor])] == LOOK[vendor]


def test_each_further_note_costs_freshdesk_one_and_a_reply_two(tmp_path: Path) -> None:
    config = CONFIG.replace('note   = "handoff"', 'note   = "handoff"\nreply  = "handoff"', 1)
    config = config.replace('clock   = "customer_waiting"', 'clock   = "customer_waiting"\npublic  = true')
    with each("freshdesk", tmp_path, config=config) as one:
        settled(one, "one")
        one.round(30)
        assert asked(one) == [
            *LOOK["freshdesk"],
            *WRITE["freshdesk"],
            "GET tickets/N",
            "POST tickets/N/reply",
        ]


@vendors
def test_a_write_that_is_refused_for_now_costs_no_second_reading_in_the_same_look(
    vendor: str, tmp_path: Path
) -> None:
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.desk.desk.faults.append(fault(vendor, "answer", status=429, headers={"Retry-After": "30"}))
        one.round(30)
        assert len(asked(one)) <= len(LOOK[vendor]) + 3


def worked(one: Each, seconds: int) -> None:
    """So much later what is due is looked at, and nothing has been polled."""
    one.clock.advance(seconds)
    one.service.parts.engine.drain(one.service.parts.worker.work)


def told_apart(one: Each) -> dict[str, int]:
    """What was sent since this was asked last, by purpose."""
    sent = Counter[str]()
    for (_, purpose), many in one.service.parts.desks[one.desk.account].budget.take_sent().items():
        sent[purpose] += many
    return dict(sent)


READING = {"zendesk": 1, "freshdesk": 3, "servicenow": 1}
"""What the helpdesk counts for one reading: Freshdesk one more for each thing that it includes."""


@vendors
def test_an_assignment_of_which_no_row_tells_is_asked_after_once(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.round(30)
        asked(one)
        told_apart(one)
        poll = one.service.parts.desks[one.desk.account].poll
        worked(one, poll)
        assert asked(one) == []
        worked(one, LATE)
        assert asked(one) == [LOOK[vendor][-1 if vendor == "servicenow" else 0]]
        assert told_apart(one) == {"assignment": READING[vendor]}
        worked(one, 10 * poll)
        assert asked(one) == []
        assert "not taken" not in one.whats()
        worked(one, 90 * 60)
        assert one.show().group == "Duty managers", "the next level comes in its time"


@vendors
def test_a_row_that_comes_by_spares_the_question(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.round(30)
        one.round(1)
        asked(one)
        told_apart(one)
        worked(one, 600)
        assert asked(one) == []
        assert told_apart(one) == {}


BACK = {
    "zendesk": {"group": "Tier 1"},
    "freshdesk": {"group": "Tier 1"},
    "servicenow": {"assignment_group": "Tier 1"},
}


@vendors
def test_an_assignment_that_was_undone_unheard_is_found_out(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        settled(one, "one")
        one.round(30)
        assert one.show().group == "Tier 2"
        one.clock.advance(1)
        one.desk.desk.rule_changes(one.desk.tickets["one"], **BACK[vendor])
        asked(one)
        told_apart(one)
        poll = one.service.parts.desks[one.desk.account].poll
        worked(one, poll + LATE)
        first = LOOK[vendor][-1 if vendor == "servicenow" else 0]
        assert asked(one)[: 1 + len(LOOK[vendor])] == [first, *LOOK[vendor]]
        assert told_apart(one)["assignment"] == READING[vendor]
        assert one.whats().count("not taken") == 1
        assert one.show().group == "Tier 2", "it was written once more"
