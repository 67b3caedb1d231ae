"""What Zendesk refuses belongs to the path that it refused: the rest works, and what is missing is unknown."""

from typing import Any

import pytest

from adapters.base import AccessLost, NotAllowed, TryLater, Unreadable
from policies.model import Need, Status, TicketRef, Who
from tests.adapters.recording import START
from tests.adapters.zendesk.world import ALL, PLAIN, PRINTER, World, world


def refuse(acme: World, path: str, status: int = 403, **more: Any) -> None:
    acme.fault("answer", path=path, status=status, times=None, **more)


def test_a_403_on_one_ticket_is_that_tickets(acme: World) -> None:
    acme.desk.seed(tickets=[{"requester": "Dan", "subject": "Other"}])
    refuse(acme, "/api/v2/tickets/1")
    with pytest.raises(NotAllowed, match="403 to GET"):
        acme.adapter.load(PRINTER, PLAIN)
    assert acme.adapter.load(TicketRef("acme", "2"), ALL).subject == "Other"


def test_a_403_on_the_export_alone_says_which_right_is_missing() -> None:
    with world() as acme:
        acme.desk.people.user("Uptier")["role"] = "agent"
        acme.clock.at += 100
        with pytest.raises(NotAllowed) as told:
            acme.adapter.poll(None, since=START - 1000, limit=10)
        assert "no admin" in told.value.right
        assert acme.adapter.census(None).tickets


def test_only_who_we_are_decides_over_our_credentials(acme: World) -> None:
    refuse(acme, "*users/me*")
    with pytest.raises(AccessLost):
        acme.adapter.load(PRINTER, ALL)


@pytest.mark.parametrize(
    ("path", "needs", "hidden"),
    [("*audits", ALL, "changes"), ("*comments", ALL - {Need.CHANGES}, "messages")],
)
@pytest.mark.parametrize("status", [403, 404])
def test_a_history_that_is_refused_is_unknown_and_the_rest_works(
    acme: World, path: str, needs: frozenset[Need], hidden: str, status: int
) -> None:
    refuse(acme, path, status)
    ticket = acme.adapter.load(PRINTER, needs)
    assert ticket.hidden == frozenset({hidden})
    assert (not ticket.changes) if hidden == "changes" else (not ticket.messages)


def test_a_limit_on_one_endpoint_holds_that_endpoint_alone(acme: World) -> None:
    acme.adapter.load(PRINTER, ALL)
    headers = {"Retry-After": "3600", "X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "690"}
    refuse(acme, "*audits", 429, headers=headers)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert ticket.hidden == frozenset({"changes"})
    assert [message.body for message in ticket.messages] == ["It burns"]
    assert acme.gate.held == [("ticket-audits", 3600)]


def test_a_short_limit_is_waited_for(acme: World) -> None:
    refuse(acme, "*audits", 429, headers={"Retry-After": "9"})
    with pytest.raises(TryLater) as told:
        acme.adapter.load(PRINTER, ALL)
    assert told.value.wait == 9


def test_the_side_loads_of_a_lower_plan_are_done_without(acme: World) -> None:
    acme.fault("answer", path="/api/v2/tickets/1", status=403)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert (ticket.subject, ticket.hidden) == ("Printer", frozenset())
    acme.desk.seed(
        sla_policies=[
            {
                "title": "All",
                "policy_metrics": [{"priority": "high", "metric": "first_reply_time", "target": 60}],
            }
        ]
    )
    acme.adapter.directory()
    acme.fault("answer", path="/api/v2/tickets/1", status=403)
    assert acme.adapter.load(PRINTER, ALL).hidden == frozenset({"targets"})


def test_an_answer_about_one_ticket_that_cannot_be_read_is_that_tickets(acme: World) -> None:
    acme.fault("spoil", path="/api/v2/tickets/1", place=("ticket", "priority"), value=["urgent"])
    with pytest.raises(Unreadable, match="priority is"):
        acme.adapter.load(PRINTER, PLAIN)
    acme.fault("spoil", path="/api/v2/tickets/1", place=("ticket",), absent=True)
    with pytest.raises(Unreadable):
        acme.adapter.load(PRINTER, PLAIN)


def test_a_requester_whom_the_answer_does_not_show_is_asked_for_once(acme: World) -> None:
    acme.fault("spoil", path="/api/v2/tickets/1", place=("users",), value=[], times=None)
    for _ in range(3):
        ticket = acme.adapter.load(PRINTER, ALL)
    assert ticket.requester is not None
    assert (ticket.requester.label, "requester.address" in ticket.hidden) == ("cleo@initech.test", False)
    assert sum(row.path == "/api/v2/users/41" for row in acme.desk.log) == 1


@pytest.mark.parametrize(("status", "unknown"), [(404, False), (403, True)])
def test_a_person_nobody_knows_is_nobody_and_one_whom_we_may_not_see_is_unknown(
    status: int, unknown: bool
) -> None:
    with world() as acme:
        acme.fault("spoil", path="/api/v2/tickets/1", place=("users",), value=[], times=None)
        refuse(acme, "/api/v2/users/41", status)
        ticket = acme.adapter.load(PRINTER, PLAIN)
        acme.adapter.load(PRINTER, PLAIN)
        assert ("requester.address" in ticket.hidden) is unknown
        assert all(row.path != "/api/v2/users.json" for row in acme.desk.log)


def test_a_reopening_by_a_copied_customer_is_no_agents(acme: World) -> None:
    acme.desk.agent_says(1, "Ann", "Done", assignee="Ann", status="solved")
    acme.clock.at += 60
    acme.desk.customer_says(1, "Me too", author="Dan")
    ticket = acme.adapter.load(PRINTER, frozenset({Need.CHANGES}))
    assert [each.act.who for each in ticket.changes if each.before is Status.SOLVED] == [Who.CUSTOMER]
    assert ticket.counts.replies == 1


def test_what_a_merge_or_a_mail_program_sends_answers_nobody(acme: World) -> None:
    (other,) = acme.desk.seed(tickets=[{"requester": "Cleo", "subject": "Same"}])["tickets"]
    acme.clock.at += 60
    acme.desk.merge(other, 1, "Ann", public=True)
    acme.desk.customer_says(1, "I am on holiday", author="Ann", automatic=True)
    ticket = acme.adapter.load(PRINTER, ALL)
    assert [each.auto_reply for each in ticket.messages] == [False, True, True]
    assert ticket.counts.replies == 0


OWN = [{"id": 77, "agent_label": "Cancelled", "status_category": "open"},
       {"id": 78, "agent_label": "Waiting for parts", "status_category": "hold"}]  # fmt: skip


@pytest.mark.parametrize("named", ["77", "cancelled"])
def test_the_account_says_what_its_own_statuses_count_as(named: str) -> None:
    with world(settings={"statuses": {named: Status.CLOSED}}) as acme:
        acme.desk.seed(custom_statuses=OWN)
        acme.clock.at += 60
        acme.desk.agent_changes(1, "Ann", custom_status="Waiting for parts")
        acme.desk.agent_changes(1, "Ann", custom_status="Cancelled")
        ticket = acme.adapter.load(PRINTER, ALL)
        assert ticket.status is Status.CLOSED
        told = [(each.before, each.after) for each in ticket.changes if each.field == "status"]
        assert told[-1] == (Status.ON_HOLD, Status.CLOSED)
        acme.clock.at += 100
        assert acme.adapter.poll(None, since=START - 1000, limit=10).tickets[0].status is Status.CLOSED


def test_where_the_labels_are_not_shown_the_status_is_unknown() -> None:
    with world(settings={"statuses": {"Cancelled": Status.CLOSED}}, custom_statuses="forbidden") as acme:
        acme.desk.seed(custom_statuses=OWN)
        assert acme.adapter.load(PRINTER, PLAIN).status is Status.NEW
        acme.desk.agent_changes(1, "Ann", custom_status="Cancelled")
        assert "status" in acme.adapter.load(PRINTER, PLAIN).hidden
