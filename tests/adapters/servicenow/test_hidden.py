"""What the instance does not show is unknown: never empty, never 1970, and never written over."""

from typing import Any

import pytest

from adapters.base import NotAllowed, Note, TryLater, VendorAction, WontAccept
from adapters.servicenow.profile import profile
from adapters.servicenow.simulator.rules import RULE
from adapters.servicenow.ticket import read_ticket
from policies.model import Group, Metric, Need, Person, Priority, Stage, Status, TicketRef, Who
from policies.plan import Assign, ChangeTags, RaisePriority, SetField
from tests.adapters.recording import START
from tests.adapters.servicenow.world import ALL, World, account, world

HIDDEN: dict[str, set[str]] = {
    "short_description": {"subject", "phrases"},
    "description": {"description", "phrases"},
    "state": {"status", "status_name"},
    "priority": {"priority"},
    "sys_class_name": {"type"},
    "contact_type": {"channel"},
    "assignment_group": {"group"},
    "assigned_to": {"assignee"},
    "assigned_to.email": {"assignee"},
    "company": {"organization"},
    "correlation_display": {"tags"},
    "u_product": {"custom.product"},
    "sys_created_on": {"created"},
    "caller_id": {
        "requester", "requester.name", "requester.address", "requester.organization", "requester.vip",
    },
    "caller_id.email": {"requester.address"},
    "caller_id.company": {"requester.organization"},
    "sys_mod_count": set(),
}  # fmt: skip


@pytest.mark.parametrize("column", sorted(HIDDEN))
def test_a_hidden_column_is_unknown_in_every_reader(acme: World, column: str) -> None:
    acme.desk.agent_changes(acme.printer.id, "Ann", assignee="Ann")
    assert acme.load().hidden == frozenset()
    acme.desk.hide_column("incident", column)
    (listed,) = acme.adapter.poll(None, since=START - 10, limit=10).tickets
    (counted,) = acme.adapter.census(None).tickets
    for found in (listed, counted, acme.load()):
        assert found.hidden == HIDDEN[column]
        assert (found.created, found.updated) == (START, START)
        assert found.revision == ("1" if column != "sys_mod_count" else acme.row["sys_updated_on"])


def test_an_empty_column_is_not_hidden(acme: World) -> None:
    acme.desk.touch_quietly(acme.printer.id, assigned_to="", caller_id="", u_product="", short_description="")
    found = acme.load()
    assert (found.hidden, found.assignee, found.requester, found.custom) == (frozenset(), None, None, {})


def test_a_vip_of_the_accounts_lists_is_one_whatever_is_hidden() -> None:
    with world(settings={"vip_addresses": frozenset({"cleo@initech.test"})}) as acme:
        acme.desk.hide_column("incident", "caller_id.vip")
        found = acme.load()
        assert found.requester is not None
        assert (found.requester.vip, found.hidden) == (True, frozenset())


@pytest.mark.parametrize("column", ["sys_created_on", "caller_id"])
def test_a_conversation_without_a_beginning_or_a_customer_is_unknown(acme: World, column: str) -> None:
    acme.desk.hide_column("incident", column)
    acme.desk.customer_says(acme.printer.id, "Hello?")
    found = acme.load(*ALL)
    assert found.messages == ()
    assert "messages" in found.hidden
    assert found.loaded == ALL - {Need.MESSAGES}


@pytest.mark.parametrize(
    ("column", "action"),
    [
        ("assigned_to", Assign(group=Group(id="g", name="G"), assignee=Person(id="u", name="U"))),
        ("assignment_group", Assign(group=Group(id="g", name="G"), assignee=None)),
        ("priority", RaisePriority(at_least=Priority.URGENT)),
        ("correlation_display", ChangeTags(add=frozenset({"late"}))),
        ("u_product", SetField(field="custom.product", value="X")),
    ],
)
def test_nothing_is_written_that_needs_what_is_hidden(acme: World, column: str, action: VendorAction) -> None:
    write = acme.one(action, Note(public=False, body="x"))
    acme.desk.hide_column("incident", column)
    prepared = acme.adapter.prepare(acme.load(), (action, Note(public=False, body="x")), "k")
    assert [each.intent for each in prepared.writes] == [(Note(public=False, body="x"),)]
    assert len(prepared.gaps) == 1
    assert f"incident.{column} is hidden" in prepared.gaps[0]
    held = dict(acme.row)
    receipt = acme.adapter.send(write, write.expects)  # hidden only after it was prepared
    assert len(receipt.not_taken) in (1, 2)
    assert "hidden" in receipt.not_taken[0].why
    assert all(acme.row[name] == held[name] for name in (column, "assigned_to", "impact", "urgency"))


@pytest.mark.parametrize("gate", ["silent", "hidden", "forbidden", "query", "missing"])
def test_an_audit_that_shows_nothing_of_a_changed_record_is_unknown(gate: str) -> None:
    with world(audit=gate, total_counts_hidden=gate != "silent") as acme:
        assert acme.load(Need.CHANGES).hidden == (
            frozenset() if gate in ("silent", "hidden") else {"changes"}
        )
        for number in range(12):
            acme.desk.agent_changes(acme.printer.id, "Ann", assignee=("Ann", "Ben")[number % 2])
        found = acme.load(*ALL)
        assert (found.hidden, found.counts.reassignments) == ({"changes"}, None)
        assert found.loaded == ALL - {Need.CHANGES}


def test_an_audit_that_shows_other_changes_is_believed(acme: World) -> None:
    acme.desk.agent_changes(acme.printer.id, "Ann", category="network")
    found = acme.load(Need.CHANGES)
    assert (found.hidden, found.counts.reassignments) == (frozenset(), 0)
    acme.desk.customer_says(acme.printer.id, "Hello?")
    assert acme.load(Need.CHANGES).counts.reassignments == 0


def test_our_own_changes_are_known_without_the_count_of_updates(acme: World) -> None:
    acme.desk.hide_column("incident", "sys_mod_count")
    write = acme.one(SetField(field="custom.product", value="X200"))
    receipt = acme.adapter.send(write, write.expects)
    (change,) = acme.load(Need.CHANGES).changes
    assert change.act.id in receipt.facts
    assert receipt.revision == acme.load().revision


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("Data Policy Exception: The following fields are mandatory: Assigned to", ["assignee"]),
        ("Data Policy Exception: The following fields are mandatory: Reason, Cost", ["", ""]),
        ("Business Rule said: invalid value for u_product", ["custom.product"]),
        ("Business Rule said no", []),
    ],
)
def test_what_a_refusal_names_is_a_part(acme: World, words: str, fields: list[str]) -> None:
    assign = Assign(group=Group(id=acme.group("Tier 2"), name="Tier 2"), assignee=None)
    write = acme.one(assign, SetField(field="custom.product", value="X200"))
    body = {"error": {"message": "Operation Failed", "detail": words}, "status": "failure"}
    acme.fault("answer", method="PATCH", status=403, body=body)
    with pytest.raises(WontAccept) as told:
        acme.adapter.send(write, write.expects)
    assert [part.field for part in told.value.parts] == fields


def test_a_rule_that_reroutes_is_told_and_only_what_stands_is_changed(acme: World) -> None:
    tiers = acme.group("Tier 1"), acme.group("Tier 2")
    acme.desk.add_rule("Reroute", {"group": "Tier 2"}, {"group": "Tier 1", "assignee": "Both"})
    write = acme.one(
        Assign(group=Group(id=tiers[1], name="Tier 2"), assignee=None), Note(public=False, body="x")
    )
    receipt = acme.adapter.send(write, write.expects)
    assert [(each.field, each.wanted, each.found) for each in receipt.not_taken] == [
        ("group", tiers[1], tiers[0]),
        ("assignee", None, acme.user("Both")),
    ]
    assert receipt.changed == (("assignee", None, acme.user("Both")),)


def test_a_refused_record_and_a_refused_table_are_named(acme: World) -> None:
    acme.fault("answer", path=f"*incident/{acme.printer.id}", status=403)
    with pytest.raises(NotAllowed):
        acme.load()
    acme.desk.hide_column("incident", "sys_updated_on")
    with pytest.raises(NotAllowed, match=r"incident\.sys_updated_on") as told:
        acme.adapter.poll(None, since=START - 10, limit=10)
    assert told.value.right == "read incident.sys_updated_on"
    (row,) = acme.adapter.census(None).tickets
    assert row.hidden == {"updated"}


def test_a_limit_belongs_to_its_table() -> None:
    with world(hourly_of={"sys_audit": 0, "whoisoncall": 0}, on_call="open") as acme:
        acme.desk.agent_says(acme.printer.id, "Ann", "Hi", assignee="Ann")
        found = acme.load(*ALL)
        assert (found.hidden, found.loaded) == ({"changes"}, ALL - {Need.CHANGES})
        assert acme.adapter.directory().agents
        rules = {f"rule {RULE}{table}" for table in ("sys_audit", "whoisoncall")}
        assert {bucket for bucket, _ in acme.gate.held} == rules
        assert {bucket for buckets in acme.gate.entered for bucket in buckets} >= {"incident", "sys_user"}
    with world(hourly_of={"sys_user_group": 0}) as acme:
        with pytest.raises(TryLater):
            acme.adapter.directory()
        assert acme.load(*ALL).loaded == ALL


@pytest.mark.parametrize(
    ("table", "settings", "row", "expected"),
    [
        ("incident", {}, {"caller_id": "", "opened_by": "ann"}, None),
        ("sc_req_item", {}, {"requested_for": "cleo", "opened_by": "ann"}, "cleo"),
        ("sc_req_item", {}, {"requested_for": "", "request": "r", "request.requested_for": "dan"}, "dan"),
        ("sc_task", {}, {"request_item": "i", "request_item.requested_for": "cleo"}, "cleo"),
        ("sn_hr_core_case", {}, {"opened_for": "cleo", "opened_by": "ann"}, "cleo"),
        ("sn_hr_core_case_payroll", {}, {"opened_for": "", "subject_person": "dan"}, "dan"),
        ("sn_si_incident", {}, {"affected_user": "cleo", "opened_by": "ann"}, "cleo"),
        ("sn_customerservice_case", {}, {"contact": "", "consumer": "dan"}, "dan"),
        ("change_request", {}, {"requested_by": "cleo"}, "cleo"),
        ("problem", {}, {"opened_by": "ann"}, None),
        ("incident", {"requester": "u_for"}, {"caller_id": "cleo", "u_for": "dan"}, "dan"),
        ("incident", {"requester": []}, {"caller_id": "cleo"}, None),
    ],
)
def test_who_waits(table: str, settings: dict[str, Any], row: dict[str, str], expected: str | None) -> None:
    whole = {"sys_id": "a", "sys_mod_count": "1", "sys_updated_on": "2026-11-25 10:00:00", **row}
    made = read_ticket(profile(account(settings={"table": table, **settings})), whole, read_at=1)
    assert (made.requester and made.requester.id) == expected
    assert "requester" not in made.hidden


def test_nobody_waits_on_an_alert(acme: World) -> None:
    key = acme.desk.open(subject="Disk full", opened_by="Ann")
    found = acme.adapter.load(TicketRef("acme", key), ALL)
    assert (found.requester, found.messages[0].act.who) == (None, Who.AUTOMATION)


def test_a_requested_item_is_whose_it_was_requested_for() -> None:
    with world(settings={"settings": {"table": "sc_req_item"}}) as acme:
        key = acme.desk.open(subject="Laptop", caller="Cleo", opened_by="Ann", table="sc_req_item")
        found = acme.adapter.load(TicketRef("acme", key), ALL)
        assert found.requester is not None
        assert found.requester.name == "Cleo"


def test_slas_without_a_name_are_unknown_and_breached_stays_breached(acme: World) -> None:
    acme.desk.set_target(acme.printer.id, "", due=START + 60)
    assert acme.load(*ALL).hidden == {"targets"}
    acme.desk.set_target(acme.printer.id, "response", stage="completed", breached=True, due=START - 60)
    acme.desk.set_target(acme.printer.id, "response", stage="completed", due=START - 90)
    found = {each.metric: each for each in acme.load(*ALL).targets}
    assert (found[Metric.FIRST_REPLY].stage, found[Metric.FIRST_REPLY].breached) == (Stage.ACHIEVED, True)
    assert found[Metric.RESOLUTION].stage is Stage.UNKNOWN
    finding = {each.what: each for each in acme.adapter.probe()}["sla names"]
    assert "contract_sla.target" in finding.text


@pytest.mark.parametrize("number", ["-7", "Cancelled by user", "cancelled BY USER"])
def test_the_accounts_statuses_win(number: str) -> None:
    row = {
        "sys_id": "a",
        "sys_mod_count": "1",
        "state": {"value": "-7", "display_value": "Cancelled by user"},
    }
    plain = read_ticket(profile(account()), row, read_at=1)
    told = read_ticket(profile(account(statuses={number: Status.PENDING})), row, read_at=1)
    assert (plain.status, told.status) == (Status.CLOSED, Status.PENDING)
