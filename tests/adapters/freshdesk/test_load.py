"""One ticket as it stands, with what is needed and no more."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.base import AccessLost, Gone, TryLater
from adapters.freshdesk.ratings import newest
from policies.model import Metric, Need, Priority, Satisfaction, Stage, Status, TicketRef, Who
from policies.phrase_packs import found, shipped
from tests.adapters.freshdesk.world import ALL, ANN, CLEO, PRINTER, TIER1, World, world
from tests.adapters.recording import START


def paths(acme: World) -> list[str]:
    return [path for _, path in acme.sent("GET")]


def test_without_needs_the_ticket_and_its_requester_are_enough(acme: World) -> None:
    acme.adapter.directory()
    acme.adapter.load(PRINTER, frozenset())
    acme.desk.log.clear()
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert paths(acme) == ["tickets/1", f"contacts/{CLEO}"]
    assert (ticket.messages, ticket.changes, ticket.counts.replies) == ((), (), None)
    assert (ticket.subject, ticket.description, ticket.status) == ("Printer", "It burns", Status.OPEN)
    assert (ticket.status_name, ticket.priority, ticket.channel) == ("Open", Priority.LOW, "portal")
    assert (ticket.custom, ticket.tags) == ({"product": "X100"}, {"hardware"})
    assert (ticket.created, ticket.read_at, ticket.status_since) == (START, START, START)
    assert ticket.link == f"{acme.url}/a/tickets/1"


def test_people_and_groups_are_known_by_name(acme: World) -> None:
    acme.desk.agent_changes(1, "Ann", assignee="Ann")
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert ticket.group is not None
    assert ticket.assignee is not None
    assert ticket.requester is not None
    assert (ticket.group.id, ticket.group.name) == (str(TIER1), "Tier 1")
    assert (ticket.assignee.id, ticket.assignee.label) == (str(ANN), "ann@acme.test")
    assert (ticket.requester.label, ticket.requester.organization) == ("cleo@initech.test", "Initech")
    assert (ticket.requester.vip, ticket.organization, ticket.language) == (True, "Initech", "pt")
    assert not ticket.partial


def test_an_agent_who_asked_is_known_too(acme: World) -> None:
    number = acme.desk.open(requester="Ben", subject="For myself")
    ticket = acme.adapter.load(TicketRef("acme", str(number)), frozenset())
    assert (ticket.requester and ticket.requester.label, ticket.partial) == ("ben@acme.test", False)


def test_a_requester_nobody_knows_makes_a_partial_ticket(acme: World) -> None:
    acme.desk.people.contacts.clear()
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert (ticket.requester and ticket.requester.name, ticket.partial) == (str(CLEO), True)


def test_the_directory_is_read_for_a_name_not_met_before_and_not_again(acme: World) -> None:
    acme.adapter.load(PRINTER, frozenset())
    acme.desk.ticket(1).json["group_id"] = 77
    acme.desk.log.clear()
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert (ticket.group and ticket.group.name, ticket.partial) == ("77", True)
    assert paths(acme).count("groups") == 1
    acme.adapter.load(PRINTER, frozenset())
    assert paths(acme).count("groups") == 1


def test_phrases_are_found_in_what_the_customer_said_and_not_in_what_we_said(acme: World) -> None:
    acme.clock.at += 60
    acme.desk.agent_says(1, "Ann", "This is unacceptable, says Cleo")
    assert found(acme.adapter.load(PRINTER, ALL), shipped().values()) == {}
    acme.clock.at += 60
    acme.desk.customer_says(1, "Let me speak to your manager.\n\n> This is unacceptable, says Cleo")
    assert found(acme.adapter.load(PRINTER, ALL), shipped().values()) == {
        "asks_for_manager": "speak to your manager"
    }


def test_history_tells_who_said_what(acme: World) -> None:
    acme.clock.at += 60
    acme.desk.agent_says(1, "Ann", "On it\nsoon", assignee="Ann", status=3)
    acme.desk.agent_says(1, "Ann", "He shouted", public=False)
    acme.clock.at += 60
    acme.desk.customer_says(1, "Thanks")
    acme.desk.customer_says(1, "I am away", auto_response=True)
    acme.desk.rule_says(1, "We received your message")
    acme.desk.rates(1)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert [(each.act.who, each.public, each.auto_reply, each.body) for each in ticket.messages] == [
        (Who.CUSTOMER, True, False, "It burns"),
        (Who.AGENT, True, False, "On it\nsoon"),
        (Who.AGENT, False, False, "He shouted"),
        (Who.CUSTOMER, True, False, "Thanks"),
        (Who.CUSTOMER, True, True, "I am away"),
        (Who.AUTOMATION, True, True, "We received your message"),
        (Who.CUSTOMER, False, False, "Great"),
    ]
    sequences = [each.act.sequence for each in ticket.messages]
    assert sequences == sorted(set(sequences))
    assert ticket.messages[0].act.person == str(CLEO)
    assert ticket.counts.replies == 1
    assert (ticket.counts.reopens, ticket.counts.reassignments, ticket.counts.bounces) == (None, None, None)
    assert (ticket.counts.group_moves, ticket.counts.group_bounces) == (None, None)


def test_the_newest_rating_is_asked_for_when_needed(acme: World) -> None:
    acme.desk.rates(1, value=-103)
    acme.clock.at += 60
    acme.desk.rates(1, value=102)
    assert acme.adapter.load(PRINTER, frozenset({Need.RATING})).satisfaction is Satisfaction.GOOD
    assert "tickets/1/satisfaction_ratings" in paths(acme)
    acme.desk.log.clear()
    assert acme.adapter.load(PRINTER, ALL - {Need.RATING}).satisfaction is None
    assert "tickets/1/satisfaction_ratings" not in paths(acme)


def test_a_plan_without_surveys_has_no_rating(acme: World) -> None:
    acme.desk.rates(1)
    acme.fault("answer", status=403, path="*/satisfaction_ratings")
    assert acme.adapter.load(PRINTER, ALL).satisfaction is None


@pytest.mark.parametrize(
    ("value", "satisfaction"),
    [
        (103, "good"),
        (101, "good"),
        (100, None),
        (-101, "bad"),
        (1, "good"),
        (2, None),
        (3, "bad"),
        (None, None),
    ],
)
def test_both_scales_of_ratings_are_read(value: int | None, satisfaction: str | None) -> None:
    assert newest([{"ratings": {"default_question": value}}]) == satisfaction
    assert newest([{"ratings": None}]) is None


def test_the_status_remembers_what_last_happened_to_it(acme: World) -> None:
    acme.clock.at += 60
    acme.desk.agent_says(1, "Ann", "Done", status=4)
    acme.clock.at += 60
    acme.desk.customer_says(1, "Not at all")
    acme.clock.at += 60
    acme.desk.agent_changes(1, "Ann", status=3)
    ticket = acme.adapter.load(PRINTER, ALL)
    told = [(each.act.at - START, each.before, each.after, each.act.who) for each in ticket.changes]
    assert told == [
        (60, None, Status.SOLVED, Who.AUTOMATION),
        (120, Status.SOLVED, Status.OPEN, Who.AUTOMATION),
        (180, Status.OPEN, Status.PENDING, Who.AUTOMATION),
    ]
    reopening = next(each for each in ticket.changes if each.after == Status.OPEN)
    complaint = next(each for each in ticket.messages if each.body == "Not at all")
    assert complaint.act.sequence < reopening.act.sequence


def test_long_histories_are_read_to_the_end(acme: World) -> None:
    for number in range(220):
        acme.clock.at += number % 2
        acme.desk.agent_says(1, "Ann", f"Note {number}", public=False)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert [message.body for message in ticket.messages[-2:]] == ["Note 218", "Note 219"]
    assert len(ticket.messages) == 221
    assert sorted(ticket.messages, key=lambda each: each.act.sequence) == list(ticket.messages)


def due(acme: World) -> dict[Metric, tuple[Stage, int | None]]:
    loaded = acme.adapter.load(PRINTER, frozenset({Need.TARGETS}))
    return {each.metric: (each.stage, each.due) for each in loaded.targets}


def test_deadlines_are_unknown_at_first_and_right_after_an_update() -> None:
    target = {"respond_within": 3600, "resolve_within": 7200}
    with world() as acme:
        acme.desk.seed(sla_policies=[{"name": "All", "sla_target": {"priority_1": target}}])
        number = acme.desk.open(requester="Cleo", subject="New")
        ref = TicketRef("acme", str(number))
        assert {each.stage for each in acme.adapter.load(ref, ALL).targets} == {Stage.UNKNOWN}
        acme.clock.at += 15
        targets = {each.metric: each for each in acme.adapter.load(ref, ALL).targets}
        assert targets[Metric.FIRST_REPLY].stage is Stage.ACTIVE
        assert targets[Metric.RESOLUTION].due == START + 7200
        assert Metric.NEXT_REPLY not in targets
        acme.desk.agent_changes(number, "Ann", priority=4)
        assert {each.stage for each in acme.adapter.load(ref, ALL).targets} == {Stage.UNKNOWN}


def test_deadlines_by_what_has_happened(acme: World) -> None:
    acme.desk.set_due(1, fr_due_by=START + 3600, due_by=START + 7200)
    acme.clock.at += 60
    assert due(acme) == {
        Metric.FIRST_REPLY: (Stage.ACTIVE, START + 3600),
        Metric.RESOLUTION: (Stage.ACTIVE, START + 7200),
    }
    acme.desk.agent_says(1, "Ann", "On it")
    acme.clock.at += 60
    acme.desk.customer_says(1, "And?")
    acme.desk.set_due(1, nr_due_by=START + 5000)
    acme.clock.at += 60
    assert due(acme)[Metric.FIRST_REPLY] == (Stage.ACHIEVED, START + 3600)
    assert due(acme)[Metric.NEXT_REPLY] == (Stage.ACTIVE, START + 5000)
    acme.desk.agent_says(1, "Ann", "Soon", status=3)
    acme.clock.at += 60
    assert due(acme)[Metric.NEXT_REPLY] == (Stage.ACHIEVED, START + 5000)
    assert due(acme)[Metric.RESOLUTION] == (Stage.PAUSED, START + 7200)
    acme.desk.agent_changes(1, "Ann", status=4)
    assert due(acme)[Metric.RESOLUTION] == (Stage.ACHIEVED, START + 7200)


@pytest.mark.parametrize(
    ("switches", "act"),
    [
        ({}, "delete"),
        ({"deleted_get": "forbidden"}, "delete"),
        ({"deleted_get": "missing"}, "delete"),
        ({}, "mark_as_spam"),
        ({}, "archive"),
        ({"archived_get": "moved"}, "archive"),
    ],
)
def test_what_left_the_desk_is_gone(switches: dict[str, Any], act: str) -> None:
    with world(**switches) as acme:
        acme.adapter.load(PRINTER, ALL)
        getattr(acme.desk, act)(1)
        with pytest.raises(Gone):
            acme.adapter.load(PRINTER, ALL)


def test_a_ticket_that_never_was_is_gone(acme: World) -> None:
    with pytest.raises(Gone):
        acme.adapter.load(TicketRef("acme", "99"), ALL)


def test_a_redirect_that_is_no_archive_is_a_wrong_url() -> None:
    with world(archived_get="moved", archive="forbidden") as acme:
        acme.desk.archive(1)
        with pytest.raises(TryLater, match="redirect"):
            acme.adapter.load(PRINTER, ALL)


def test_a_403_with_a_key_that_is_good_for_nothing_is_lost_access(acme: World) -> None:
    acme.fault("answer", status=403, times=None)
    with pytest.raises(AccessLost):
        acme.adapter.load(PRINTER, ALL)


@pytest.mark.parametrize("code", ["account_suspended", "require_feature"])
def test_a_403_about_the_account_is_not_about_the_ticket(acme: World, code: str) -> None:
    acme.fault("answer", path="*tickets/1", status=403, body={"code": code, "message": "no"})
    with pytest.raises(AccessLost, match=code):
        acme.adapter.load(PRINTER, ALL)


@pytest.mark.parametrize("number", ["", "x", "1/../2", "1?include=x", "-1", "٣"])
def test_what_is_no_freshdesk_id_is_never_asked_for(acme: World, number: str) -> None:
    with pytest.raises(Gone, match="whole numbers"):
        acme.adapter.load(TicketRef("acme", number), ALL)
    assert not acme.desk.log


def test_lost_access_is_said(acme: World) -> None:
    acme.desk.access.revoke()
    with pytest.raises(AccessLost, match="invalid_credentials"):
        acme.adapter.load(PRINTER, frozenset())


@pytest.mark.parametrize("kind", ["drop", "truncate", "cut", "hang"])
@pytest.mark.parametrize(
    "path", ["*tickets/1", "*conversations*", "*contacts*", "*groups*", "*ticket_fields*"]
)
def test_half_an_answer_is_no_ticket(kind: str, path: str) -> None:
    with world() as acme:
        acme.fault(kind, method="GET", path=path)
        with pytest.raises(TryLater):
            acme.adapter.load(PRINTER, ALL)
        assert replace(acme.adapter.load(PRINTER, ALL), messages=(), changes=()).subject == "Printer"


@pytest.mark.parametrize("body", [{"id": 1}, [], [3], "<html>", {"tickets": []}])
def test_an_answer_in_an_unexpected_form_is_a_wait(acme: World, body: Any) -> None:
    acme.adapter.load(PRINTER, ALL)
    acme.fault("answer", path="*conversations", status=200, body=[{"id": 3, "created_at": 5, "body": {}}])
    acme.adapter.load(PRINTER, ALL)
    acme.fault("answer", path="*tickets/1", status=200, body=body)
    if body == {"id": 1}:
        assert acme.adapter.load(PRINTER, ALL).status is Status.OPEN
        return
    with pytest.raises(TryLater):
        acme.adapter.load(PRINTER, ALL)


def test_the_form_may_be_closed_to_us() -> None:
    with world(fields="forbidden") as acme:
        assert acme.adapter.load(PRINTER, ALL).status_name == "Open"
