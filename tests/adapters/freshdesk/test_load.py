"""One ticket as it stands, with what is needed and no more."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.base import AccessLost, Gone, NotAllowed, TryLater, Unreadable
from adapters.freshdesk.history import newest
from policies.language.phrases import found, shipped
from policies.model import Metric, Need, Person, Priority, Satisfaction, Stage, Status, TicketRef, Who
from tests.adapters.freshdesk.world import ALL, ANN, CLEO, PRINTER, TIER1, World, world
from tests.adapters.recording import START


def paths(acme: World) -> list[str]:
    return [path for _, path in acme.sent("GET")]


def test_without_needs_the_ticket_and_its_requester_are_enough(acme: World) -> None:
    acme.adapter.directory()
    acme.adapter.load(PRINTER, frozenset())
    acme.desk.log.clear()
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert paths(acme) == ["tickets/1"], "the requester is remembered for an hour"
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


def test_an_agent_who_asked_is_known_too(acme: World) -> None:
    number = acme.desk.open(requester="Ben", subject="For myself")
    ticket = acme.adapter.load(TicketRef("acme", str(number)), frozenset())
    assert (ticket.requester and ticket.requester.label) == "ben@acme.test"


def test_a_requester_nobody_knows_is_hidden(acme: World) -> None:
    acme.desk.people.contacts.clear()
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert (ticket.requester and ticket.requester.name, "requester" in ticket.hidden) == (str(CLEO), True)


def test_the_directory_is_read_for_a_name_not_met_before_and_not_again(acme: World) -> None:
    acme.adapter.load(PRINTER, frozenset())
    acme.desk.ticket(1).json["group_id"] = 77
    acme.desk.log.clear()
    ticket = acme.adapter.load(PRINTER, frozenset())
    assert (ticket.group and ticket.group.name, "group" in ticket.hidden) == ("77", False)
    acme.adapter.load(PRINTER, frozenset())
    assert (paths(acme).count("groups"), paths(acme).count("groups/77")) == (0, 1)


def test_people_nobody_knows_cost_one_request_each_and_no_reading_of_the_directory(acme: World) -> None:
    refs = [TicketRef("acme", str(acme.desk.open(requester="Cleo", subject="x"))) for _ in range(20)]
    for place, ref in enumerate(refs):
        acme.desk.ticket(int(ref.id)).json |= {"responder_id": 5000 + place, "requester_id": 6000 + place}
    acme.adapter.directory()
    acme.desk.log.clear()
    for _ in range(2):
        for ref in refs:
            ticket = acme.adapter.load(ref, ALL)
            assert ticket.assignee is not None
            assert ticket.requester is not None
            assert (ticket.assignee.name, ticket.requester.name) == (ticket.assignee.id, ticket.requester.id)
            assert "assignee" not in ticket.hidden
            assert "requester.vip" in ticket.hidden
    asked = [path for path in paths(acme) if path.startswith(("agents", "groups"))]
    assert len(asked) == len(set(asked)) == 40 + 1
    assert "agents" not in asked


def test_an_agent_made_meanwhile_is_asked_for_by_itself(acme: World) -> None:
    acme.adapter.directory()
    (new,) = acme.desk.people.add_agents([{"name": "New", "email": "new@acme.test", "groups": ["Tier 2"]}])
    acme.desk.agent_changes(1, "New", assignee="New")
    acme.desk.log.clear()
    for _ in range(3):
        ticket = acme.adapter.load(PRINTER, frozenset())
        assert ticket.assignee is not None
        assert ticket.assignee.label == "new@acme.test"
    assert [path for path in paths(acme) if path.startswith("agents")] == [f"agents/{new}"]


@pytest.mark.parametrize("status", [403, 500])
def test_a_directory_that_cannot_be_read_stops_no_look_and_is_tried_once_an_hour(
    acme: World, status: int
) -> None:
    acme.fault("answer", path="*/groups", status=status, times=None)
    for _ in range(3):
        ticket = acme.adapter.load(PRINTER, frozenset())
        assert (ticket.group and ticket.group.name, "group" in ticket.hidden) == ("Tier 1", False)
        acme.clock.at += 60
    assert paths(acme).count("groups") == 1
    acme.clock.at += 3600
    acme.adapter.load(PRINTER, frozenset())
    assert paths(acme).count("groups") == 2


def test_a_name_that_cannot_be_asked_for_now_is_hidden_and_asked_for_again(acme: World) -> None:
    acme.adapter.directory()
    acme.desk.ticket(1).json["group_id"] = 77
    acme.fault("answer", path="*groups/77", status=500)
    assert "group" in acme.adapter.load(PRINTER, frozenset()).hidden
    assert "group" not in acme.adapter.load(PRINTER, frozenset()).hidden


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


@pytest.mark.parametrize("needs", [frozenset(), ALL])
def test_a_ticket_that_is_refused_to_us_is_that_tickets_trouble(needs: frozenset[Need]) -> None:
    with world(deleted_get="forbidden") as acme:
        acme.desk.seed(tickets=[{"requester": "Dan", "subject": "Other"}])
        acme.desk.delete(1)
        with pytest.raises(NotAllowed):
            acme.adapter.load(PRINTER, needs)
        assert acme.adapter.load(TicketRef("acme", "2"), needs).subject == "Other"


def test_a_ticket_that_never_was_is_gone(acme: World) -> None:
    with pytest.raises(Gone):
        acme.adapter.load(TicketRef("acme", "99"), ALL)


def test_a_redirect_that_is_no_archive_is_a_wrong_url() -> None:
    with world(archived_get="moved", archive="forbidden") as acme:
        acme.desk.archive(1)
        with pytest.raises(TryLater, match="redirect"):
            acme.adapter.load(PRINTER, ALL)


@pytest.mark.parametrize("code", ["account_suspended", "password_lockout"])
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
@pytest.mark.parametrize("path", ["*tickets/1", "*conversations*", "*contacts*", "*/ticket_fields"])
def test_half_an_answer_is_no_ticket(kind: str, path: str) -> None:
    with world() as acme:
        acme.fault(kind, method="GET", path=path)
        with pytest.raises(TryLater):
            acme.adapter.load(PRINTER, ALL)
        assert replace(acme.adapter.load(PRINTER, ALL), messages=(), changes=()).subject == "Printer"


@pytest.mark.parametrize(
    "body", [{"id": 1}, [], [3], {"message": "x"}, {"id": 2, "updated_at": "2026-11-25T10:00:00Z"}]
)
def test_an_answer_that_is_not_this_ticket_is_unreadable(acme: World, body: Any) -> None:
    acme.fault("answer", path="*tickets/1", status=200, body=body)
    with pytest.raises(Unreadable):
        acme.adapter.load(PRINTER, ALL)
    assert acme.adapter.load(PRINTER, ALL).subject == "Printer"


@pytest.mark.parametrize("body", ["<html>", {"ticket": {"id": 1}}])
def test_an_answer_that_is_none_of_freshdesks_is_a_wait(acme: World, body: Any) -> None:
    acme.fault("answer", path="*tickets/1", status=200, body=body)
    with pytest.raises(TryLater):
        acme.adapter.load(PRINTER, ALL)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 200, "body": [None]}, None),
        ({"status": 200, "body": [{"id": 3, "created_at": 5, "body": {}}]}, None),
        ({"status": 403}, None),
        ({"status": 200, "body": {"conversations": []}}, TryLater),
        ({"status": 500}, TryLater),
    ],
)
def test_messages_that_cannot_be_read_are_hidden_and_not_none(
    acme: World, answer: dict[str, Any], error: type[Exception] | None
) -> None:
    acme.fault("answer", path="*conversations", **answer)
    if error is not None:
        with pytest.raises(error):
            acme.adapter.load(PRINTER, ALL)
        return
    ticket = acme.adapter.load(PRINTER, ALL)
    assert {"messages", "phrases", "replies"} <= ticket.hidden
    assert ticket.counts.replies is None
    assert not {"messages", "phrases", "replies"} & acme.adapter.load(PRINTER, ALL).hidden


SHOWN: dict[str, str] = {
    "status": "status", "priority": "priority", "type": "type", "source": "channel", "subject": "subject",
    "tags": "tags", "group_id": "group", "responder_id": "assignee", "requester_id": "requester.vip",
    "created_at": "created", "custom_fields": "custom.product", "stats": "changes",
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_a_key_that_is_left_out_is_hidden_and_not_empty(acme: World, name: str) -> None:
    row = {**acme.desk.ticket(1).json, "stats": acme.desk.ticket(1).stats, "company": {}}
    assert SHOWN[name] not in acme.adapter.load(PRINTER, ALL).hidden
    del row[name]
    acme.fault("answer", path="*tickets/1", status=200, body=row)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert SHOWN[name] in ticket.hidden
    assert ticket.created == START


def test_a_contact_whose_limit_is_reached_for_an_hour_is_not_waited_for(acme: World) -> None:
    acme.fault("answer", path="*contacts*", status=429, headers={"Retry-After": "3600"})
    assert "requester.vip" in acme.adapter.load(PRINTER, ALL).hidden
    assert acme.gate.held == [("get contacts", 3600)]
    acme.fault("answer", path="*contacts*", status=429, headers={"Retry-After": "20"})
    with pytest.raises(TryLater):
        acme.adapter.load(PRINTER, ALL)


@pytest.mark.parametrize("status", [429, 500, 403, 200])
def test_a_rating_that_cannot_be_read_is_hidden_and_not_waited_for(acme: World, status: int) -> None:
    body = [None] if status == 200 else None
    acme.fault("answer", path="*satisfaction_ratings", status=status, body=body)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert (ticket.satisfaction, "satisfaction" in ticket.hidden) == (None, True)
    assert "account" not in {bucket for bucket, _ in acme.gate.held}


@pytest.mark.parametrize(
    "contact",
    [
        [],
        {"id": CLEO},
        {"id": CLEO, "tags": "vip"},
        {"id": 5, "tags": []},
        {"id": CLEO, "name": 5, "tags": []},
    ],
)
def test_a_contact_that_cannot_be_read_is_hidden(acme: World, contact: Any) -> None:
    acme.fault("answer", path="*contacts*", status=200, body=contact)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert ticket.requester == Person(id=str(CLEO), name=str(CLEO))
    assert {"requester.vip", "language"} <= ticket.hidden


def test_nobody_waits_for_a_first_reply_to_what_an_agent_began(acme: World) -> None:
    acme.desk.ticket(1).json["source"] = 10
    acme.desk.set_due(1, fr_due_by=START + 3600, due_by=START + 7200)
    acme.clock.at += 600
    assert Metric.FIRST_REPLY not in due(acme)
    acme.desk.customer_says(1, "Which printer?")
    acme.clock.at += 60
    assert due(acme)[Metric.FIRST_REPLY] == (Stage.ACTIVE, START + 600 + 3600)
    acme.desk.customer_says(1, "Hello?")
    acme.clock.at += 60
    assert due(acme)[Metric.FIRST_REPLY] == (Stage.ACTIVE, START + 600 + 3600)
    acme.desk.agent_says(1, "Ann", "That one")
    acme.clock.at += 60
    assert due(acme)[Metric.FIRST_REPLY] == (Stage.ACHIEVED, START + 600 + 3600)


def test_a_rating_asks_nothing_and_an_answer_counts_though_no_stamp_tells_it(acme: World) -> None:
    """As on a recorded ticket that an agent began: the rating moved `requester_responded_at`, and the agent's answer
    moved nothing."""
    acme.desk.ticket(1).json["source"] = 10
    acme.desk.set_due(1, fr_due_by=START + 3600, nr_due_by=START + 5400)
    acme.clock.at += 600
    acme.desk.rates(1)
    acme.clock.at += 60
    assert acme.desk.ticket(1).stats["requester_responded_at"] is not None
    assert Metric.FIRST_REPLY not in due(acme)
    acme.desk.customer_says(1, "Which printer?")
    acme.clock.at += 60
    assert due(acme)[Metric.FIRST_REPLY][0] is Stage.ACTIVE
    acme.desk.agent_says(1, "Ann", "That one")
    acme.desk.ticket(1).stats |= dict.fromkeys(("agent_responded_at", "first_responded_at"))
    acme.clock.at += 60
    assert due(acme)[Metric.FIRST_REPLY][0] is Stage.ACHIEVED
    acme.desk.rates(1, value=-103)
    acme.clock.at += 60
    assert due(acme)[Metric.NEXT_REPLY][0] is Stage.ACHIEVED, "nobody waits for an answer to a rating"


def test_deadlines_rest_as_the_status_timer_says() -> None:
    with world(settings={"statuses": {"Parked": Status.ON_HOLD}}) as acme:
        acme.desk.seed(statuses={"8": "Parked", "9": "Working"})
        acme.desk.set_due(1, due_by=START + 7200)
        for number, stage in ((8, Stage.PAUSED), (9, Stage.ACTIVE), (2, Stage.ACTIVE)):
            acme.desk.agent_changes(1, "Ann", status=number)
            acme.clock.at += 60
            assert due(acme)[Metric.RESOLUTION] == (stage, START + 7200)


def test_the_form_may_be_closed_to_us() -> None:
    with world(fields="forbidden") as acme:
        assert acme.adapter.load(PRINTER, ALL).status_name == "Open"
