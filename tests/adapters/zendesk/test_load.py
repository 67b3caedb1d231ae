"""One ticket as it stands, with what is needed and no more."""

from dataclasses import replace

import pytest

from adapters.base import AccessLost, Gone, TryLater
from policies.language.phrases import found, shipped
from policies.model import Counts, Metric, Need, Priority, Stage, Status, TicketRef, Who
from tests.adapters.recording import START
from tests.adapters.zendesk.world import ALL, PRINTER, World, world


def paths(acme: World) -> list[str]:
    return [row.as_json()["path"].removeprefix("/api/v2/") for row in acme.desk.log]


def test_without_needs_one_request_is_enough(acme: World) -> None:
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert paths(acme) == ["tickets/1"]
    assert (ticket.messages, ticket.changes, ticket.counts.replies) == ((), (), None)
    assert (ticket.subject, ticket.status, ticket.custom) == ("Printer", Status.NEW, {"product": "X100"})
    assert (ticket.created, ticket.read_at, ticket.status_since) == (START, START, START)


def test_messages_and_changes_are_asked_for_when_needed(acme: World) -> None:
    acme.adapter.load(PRINTER, frozenset({Need.MESSAGES}))
    assert paths(acme)[:2] == ["tickets/1", "tickets/1/comments"]
    acme.desk.log.clear()
    ticket = acme.adapter.load(PRINTER, frozenset({Need.CHANGES}))
    assert paths(acme) == ["tickets/1", "tickets/1/audits"]
    assert (ticket.messages, ticket.loaded) == ((), frozenset({Need.CHANGES}))


@pytest.mark.parametrize("needs", [ALL, frozenset({Need.MESSAGES})])
def test_the_last_word_is_the_last_by_time_not_by_id(needs: frozenset[Need], acme: World) -> None:
    """Zendesk gives ids out in blocks: an answer may have a smaller id than the question minutes before it."""
    acme.clock.at += 60
    acme.desk.customer_says(1, "Hello?")
    acme.clock.at += 60
    acme.desk.agent_says(1, "Ann", "On it", status="pending")
    row = acme.desk.ticket(1)
    asked, answered = row.audits[-2:]
    asked["id"], answered["id"] = answered["id"], asked["id"]
    for audit, said in ((asked, row.comments[-2]), (answered, row.comments[-1])):
        said["audit_id"] = audit["id"]
    acme.clock.at += 120
    ticket = acme.adapter.load(PRINTER, needs)
    assert [each.body for each in ticket.messages] == ["It burns", "Hello?", "On it"]
    places = [each.act.sequence for each in ticket.messages]
    assert places == sorted(set(places))
    if Need.CHANGES in needs:
        assert ticket.changes[-1].after is Status.PENDING
        assert ticket.changes[-1].act.sequence == places[-1]


def test_the_bot_is_asked_for_once(acme: World) -> None:
    acme.adapter.load(PRINTER, ALL)
    acme.adapter.load(PRINTER, ALL)
    assert paths(acme).count("users/me") == 1


def test_phrases_are_found_in_what_the_customer_said_and_not_in_what_we_said(acme: World) -> None:
    acme.clock.at += 60
    acme.desk.agent_says(1, "Ann", "This is unacceptable, says Cleo")
    assert found(acme.adapter.load(PRINTER, ALL), shipped().values()) == {}
    acme.clock.at += 60
    acme.desk.customer_says(1, "Let me speak to your manager.\n\n> This is unacceptable, says Cleo")
    assert found(acme.adapter.load(PRINTER, ALL), shipped().values()) == {
        "asks_for_manager": "speak to your manager"
    }


def test_history_tells_who_did_what(acme: World) -> None:
    acme.clock.at += 60
    acme.desk.agent_says(1, "Ann", "On it", assignee="Ann", status="pending")
    acme.clock.at += 60
    acme.desk.customer_says(1, "Thanks")
    acme.desk.rule_says(1, "We received your message")
    acme.desk.rule_changes(1, priority="high")
    ticket = acme.adapter.load(PRINTER, ALL)
    assert [(each.act.who, each.public, each.auto_reply, each.body) for each in ticket.messages] == [
        (Who.CUSTOMER, True, False, "It burns"),
        (Who.AGENT, True, False, "On it"),
        (Who.CUSTOMER, True, False, "Thanks"),
        (Who.AUTOMATION, True, True, "We received your message"),
    ]
    told = {(each.field, each.before, each.after): each.act for each in ticket.changes}
    assert told["assignee", None, "21"].who is Who.AGENT
    assert told["status", Status.PENDING, Status.OPEN].who is Who.CUSTOMER
    assert told["priority", None, Priority.HIGH].who is Who.AUTOMATION
    assert told["priority", None, Priority.HIGH].person is None
    assert ticket.counts.replies == 1
    assert ticket.status_since == START + 120


def test_long_histories_are_read_to_the_end(acme: World) -> None:
    for number in range(120):
        acme.clock.at += 1
        acme.desk.agent_says(1, "Ann", f"Note {number}", public=False)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert [message.body for message in ticket.messages[-2:]] == ["Note 118", "Note 119"]
    assert len(ticket.messages) == 121


def test_the_order_zendesk_gives_does_not_matter() -> None:
    with world(audits_newest_first=True) as acme:
        acme.desk.agent_changes(1, "Ann", status="open")
        acme.desk.agent_changes(1, "Ann", status="pending")
        loaded = acme.adapter.load(PRINTER, ALL)
        assert [each.after for each in loaded.changes if each.field == "status"] == ["new", "open", "pending"]


def test_sla_targets_come_with_the_ticket(acme: World) -> None:
    acme.desk.set_target(1, "first_reply_time", breach=START + 3600)
    acme.desk.set_target(1, "requester_wait_time", stage="paused", breach=START + 7200)
    loaded = acme.adapter.load(PRINTER, frozenset({Need.TARGETS}))
    assert {(each.metric, each.stage, each.due, each.start) for each in loaded.targets} == {
        (Metric.FIRST_REPLY, Stage.ACTIVE, START + 3600, None),
        (Metric.RESOLUTION, Stage.PAUSED, START + 7200, None),
    }


@pytest.mark.parametrize("empty", [True, False])
def test_a_ticket_that_is_not_there_is_gone(empty: bool) -> None:
    with world(empty_404=empty) as acme:
        with pytest.raises(Gone):
            acme.adapter.load(TicketRef("acme", "99"), ALL)
        acme.desk.delete(1)
        with pytest.raises(Gone):
            acme.adapter.load(PRINTER, ALL)


@pytest.mark.parametrize("number", ["", "x", "1/../2", "1?include=x", "-1"])
def test_what_is_no_zendesk_id_is_never_asked_for(acme: World, number: str) -> None:
    with pytest.raises(Gone, match="whole numbers"):
        acme.adapter.load(TicketRef("acme", number), ALL)
    assert not acme.desk.log


def test_a_merged_ticket_says_so(acme: World) -> None:
    acme.desk.seed(tickets=[{"requester": "Dan", "subject": "Same"}])
    acme.desk.merge(1, 2, "Ann")
    assert acme.adapter.load(PRINTER, frozenset()).gone == "merged"


def test_lost_access_is_said(acme: World) -> None:
    acme.desk.access.revoke()
    with pytest.raises(AccessLost):
        acme.adapter.load(PRINTER, frozenset())


@pytest.mark.parametrize("kind", ["drop", "truncate", "cut", "hang"])
@pytest.mark.parametrize("path", ["*tickets/1", "*comments*", "*audits*"])
def test_half_an_answer_is_no_ticket(kind: str, path: str) -> None:
    with world() as acme:
        acme.fault(kind, method="GET", path=path)
        with pytest.raises(TryLater):
            acme.adapter.load(PRINTER, frozenset({Need.MESSAGES}) if "comments" in path else ALL)
        assert replace(acme.adapter.load(PRINTER, ALL), messages=(), changes=()).subject == "Printer"


def test_a_history_in_an_unexpected_form_is_hidden_and_an_unreadable_list_of_it_a_wait(acme: World) -> None:
    acme.adapter.load(PRINTER, ALL)
    acme.fault("answer", path="*audits*", status=200, body={"audits": [{"id": "x", "events": 3}], "meta": {}})
    ticket = acme.adapter.load(PRINTER, ALL)
    assert (ticket.hidden, ticket.changes, ticket.counts) == (frozenset({"changes"}), (), Counts())
    assert [message.body for message in ticket.messages] == ["It burns"]
    acme.fault("answer", path="*audits*", status=200, body={"audits": None})
    with pytest.raises(TryLater, match="no list of audits"):
        acme.adapter.load(PRINTER, ALL)
