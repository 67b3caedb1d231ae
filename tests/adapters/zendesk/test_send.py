"""Writes on the wire: conditional, marked, sent once, and every refusal named by what to do next."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.base import (
    AccessLost,
    Gone,
    HelpdeskError,
    NotAllowed,
    Note,
    OutcomeUnknown,
    Stale,
    TryLater,
    Unreadable,
    VendorAction,
    WontAccept,
    Write,
)
from adapters.zendesk.simulator.state import Trigger
from policies.model import Group, Need, Person, Priority, Status, Who
from policies.plan import Assign, ChangeTags, RaisePriority, SetField
from tests.adapters.recording import START
from tests.adapters.zendesk.world import ALL, PRINTER, World, world

NOTE = Note(public=False, body="escalated")
REPLY = Note(public=True, body="we are on it")
ESCALATE: tuple[VendorAction, ...] = (
    Assign(group=Group(id="12", name="Tier 2"), assignee=Person(id="22", name="Ben")),
    RaisePriority(at_least=Priority.HIGH),
    ChangeTags(add=frozenset({"escalated"})),
    NOTE,
)


def writes(acme: World, *actions: VendorAction) -> tuple[Write, ...]:
    acme.clock.at += 10
    return acme.adapter.prepare(acme.adapter.load(PRINTER, frozenset()), actions, "acme/1:p:l:1").writes


def one(acme: World, *actions: VendorAction) -> Write:
    (write,) = writes(acme, *(actions or (NOTE,)))
    return write


def body(acme: World) -> dict[str, Any]:
    """The ticket body of the last PUT that reached the account."""
    puts = [row.as_json() for row in acme.desk.log if row.as_json()["method"] == "PUT"]
    found: dict[str, Any] = puts[-1]["body"]["ticket"]
    return found


def test_a_write_is_conditional_marked_and_receipted(acme: World) -> None:
    write = one(acme, *ESCALATE)
    receipt = acme.adapter.send(write, write.expects)
    sent = body(acme)
    assert (sent["safe_update"], sent["updated_stamp"]) == (True, write.expects)
    assert sent["metadata"] == {"uptier": {"write": write.key}}
    after = acme.adapter.load(PRINTER, ALL)
    assert receipt.revision == after.revision
    assert receipt.at == START + 10
    assert set(receipt.changed) == {
        ("group", "11", "12"),
        ("assignee", None, "22"),
        ("priority", None, Priority.HIGH),
        ("tags", ("hardware",), ("escalated", "hardware")),
        ("status", Status.NEW, Status.OPEN),
    }
    ours = [each for each in (*after.messages, *after.changes) if each.act.id in receipt.facts]
    assert len(ours) == 6
    assert {(each.act.who, each.act.mark, each.act.person) for each in ours} == {
        (Who.BOT, write.key, acme.bot)
    }


def test_a_write_can_be_stored_and_sent_again_as_stored(acme: World) -> None:
    write = one(acme)
    kept = Write(key=write.key, ref=write.ref, expects=write.expects, intent=(), request=dict(write.request))
    acme.adapter.send(kept, kept.expects)
    assert body(acme)["comment"] == {"body": "escalated", "public": False}


def test_a_chain_expects_what_the_receipt_before_it_says(acme: World) -> None:
    first, second = writes(acme, *ESCALATE, REPLY)
    acme.clock.at += 3
    receipt = acme.adapter.send(first, first.expects)
    acme.clock.at += 3
    acme.adapter.send(second, receipt.revision)
    loaded = acme.adapter.load(PRINTER, frozenset({Need.MESSAGES}))
    assert [(each.body, each.public) for each in loaded.messages[1:]] == [
        ("escalated", False),
        ("we are on it", True),
    ]


def test_a_ticket_that_changed_is_stale_and_untouched(acme: World) -> None:
    write = one(acme)
    acme.clock.at += 5
    acme.desk.customer_says(1, "Wait")
    with pytest.raises(Stale):
        acme.adapter.send(write, write.expects)
    assert len(acme.adapter.load(PRINTER, frozenset({Need.MESSAGES})).messages) == 2


def test_a_change_between_our_look_and_our_write_is_caught(acme: World) -> None:
    write = one(acme)
    acme.clock.at += 5
    says = {"act": "customer_says", "ticket": 1, "text": "Wait"}
    acme.fault("edit", method="PUT", act=says)
    with pytest.raises(Stale):
        acme.adapter.send(write, write.expects)


@pytest.mark.parametrize("error", ["DatabaseConflict", "DatabaseDeadlock"])
def test_a_collision_in_the_database_was_not_applied(acme: World, error: str) -> None:
    write = one(acme)
    acme.fault("answer", method="PUT", status=409, body={"error": error, "description": "collision"})
    with pytest.raises(TryLater) as caught:
        acme.adapter.send(write, write.expects)
    assert 1 <= caught.value.wait <= 5


@pytest.mark.parametrize("where", ["status", "base"])
def test_a_closed_ticket_is_refused_for_good(where: Any) -> None:
    with world(closed_under=where) as acme:
        write = one(acme)
        acme.desk.agent_changes(1, "Ann", status="closed")
        with pytest.raises(WontAccept, match="closed prevents ticket update"):
            acme.adapter.send(write, acme.adapter.load(PRINTER, frozenset()).revision)


def answered(acme: World, **answer: Any) -> HelpdeskError:
    write = one(acme)
    acme.fault("answer", method="PUT", **answer)
    with pytest.raises(HelpdeskError) as caught:
        acme.adapter.send(write, write.expects)
    assert acme.sent() == 1
    return caught.value


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, OutcomeUnknown),
        (400, WontAccept),
        (401, AccessLost),
        (403, NotAllowed),
        (404, WontAccept),
        (405, WontAccept),
        (408, OutcomeUnknown),
        (409, Stale),
        (413, WontAccept),
        (415, WontAccept),
        (422, WontAccept),
        (429, TryLater),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (503, OutcomeUnknown),
        (504, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize(
    "words", [{"error": "Something", "description": "as it is"}, "<html>proxy</html>", ""]
)
def test_each_status_is_named_by_what_to_do_next(
    acme: World, status: int, error: type[HelpdeskError], words: Any
) -> None:
    assert type(answered(acme, status=status, body=words)) is error


def test_every_description_is_passed_on(acme: World) -> None:
    details = {
        "base": [{"description": "Type:: is required", "error": None}],
        "status": [{"description": "no way"}],
    }
    text = str(
        answered(
            acme, status=422, body={"error": "RecordInvalid", "description": "errors", "details": details}
        )
    )
    for words in ("RecordInvalid", "errors", "Type:: is required", "no way"):
        assert words in text


def test_an_error_that_is_an_object_is_read_too(acme: World) -> None:
    text = str(
        answered(acme, status=400, body={"error": {"title": "Invalid attribute", "message": "bad id"}})
    )
    assert "Invalid attribute; bad id" in text


@pytest.mark.parametrize("body", ["<html>all fine</html>", "", [], {"job_status": {}}, {"ticket": None}])
def test_a_success_that_cannot_be_read_is_an_unknown_outcome(acme: World, body: Any) -> None:
    assert type(answered(acme, status=200, body=body)) is OutcomeUnknown


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("kind", ["drop", "hang", "answer"])
def test_an_unknown_outcome_is_found_out_and_never_sent_twice(kind: str, applied: bool) -> None:
    with world() as acme:
        write = one(acme, *ESCALATE)
        acme.fault(kind, method="PUT", applied=applied, status=502)
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(write, write.expects)
        receipt = acme.adapter.find_written(write)
        assert acme.sent() == 1
        assert (receipt is not None) is applied
        if receipt:
            loaded = acme.adapter.load(PRINTER, ALL)
            assert (receipt.revision, receipt.key) == (loaded.revision, write.key)
            assert {each.act.id for each in loaded.changes if each.act.mark} == set(receipt.facts)
            assert ("group", "11", "12") in receipt.changed


def test_a_write_is_found_after_others_have_followed(acme: World) -> None:
    first, second = writes(acme, NOTE, REPLY)
    receipt = acme.adapter.send(first, first.expects)
    for _ in range(110):
        acme.clock.at += 1
        acme.desk.agent_says(1, "Ann", "busy", public=False)
    told_by_the_answer_alone = replace(receipt, after=None, acts=(), complete=False)
    assert acme.adapter.find_written(first) == told_by_the_answer_alone
    assert acme.adapter.find_written(second) is None


def test_nothing_listens_and_nothing_was_sent() -> None:
    with world() as acme:
        write = one(acme)
    with pytest.raises(TryLater, match="nothing was sent"):
        acme.adapter.send(write, write.expects)


def test_a_trigger_inside_our_audit_is_not_ours(acme: World) -> None:
    acme.desk.triggers.append(Trigger(when={"priority": "high"}, fields={"priority": "urgent"}))
    write = one(acme, RaisePriority(at_least=Priority.HIGH))
    receipt = acme.adapter.send(write, write.expects)
    assert ("priority", Priority.HIGH, Priority.URGENT) not in receipt.changed
    assert receipt.remarks == ("priority is urgent after the write, not high; a trigger may have changed it",)


def test_what_zendesk_dropped_is_remarked(acme: World) -> None:
    write = one(acme)
    written = dict(write.request["ticket"]) | {"id": 1}
    marked = Write(
        key=write.key, ref=write.ref, expects=write.expects, intent=(), request={"ticket": written}
    )
    receipt = acme.adapter.send(marked, write.expects)
    assert any("Zendesk warns" in remark for remark in receipt.remarks)


def test_a_write_draws_on_its_endpoints_budget(acme: World) -> None:
    write = one(acme)
    acme.adapter.send(write, write.expects)
    assert acme.gate.entered[-1] == ("account", "tickets-update", "per-ticket-updates/1")
    windows = {limit.bucket: limit.window for limit in acme.gate.learned}
    assert (windows["tickets-update"], windows["per-ticket-updates"]) == (60, 600)


DETAILS = {
    "base": [
        {
            "ticket_field_type": "FieldTagger",
            "ticket_field_id": 360001,
            "description": "Product:: is required when solving a ticket",
            "error": None,
        },
        {"description": "Priority: is invalid"},
        {"ticket_field_id": 99, "description": "Colour:: is required"},
    ],
    "assignee": [{"description": "Assignee: is suspended"}, {"description": "Assignee: is not a member"}],
}


def test_each_refused_part_is_named_with_every_sentence_about_it(acme: World) -> None:
    error = answered(
        acme, status=422, body={"error": "RecordInvalid", "description": "x", "details": DETAILS}
    )
    assert isinstance(error, WontAccept)
    assert [(each.field, each.vendor_field, each.text) for each in error.parts] == [
        ("custom.product", "360001", "Product:: is required when solving a ticket"),
        ("priority", "base", "Priority: is invalid"),
        ("", "99", "Colour:: is required"),
        ("assignee", "assignee", "Assignee: is suspended"),
        ("assignee", "assignee", "Assignee: is not a member"),
    ]


@pytest.mark.parametrize("details", [None, [], "x", {"base": None}, {"base": ["x"]}, {"status": {"a": []}}])
def test_details_of_any_form_are_no_more_than_a_refusal(acme: World, details: Any) -> None:
    assert type(answered(acme, status=422, body={"error": "x", "details": details})) is WontAccept


def test_a_closed_ticket_refuses_the_whole(acme: World) -> None:
    details = {"status": [{"description": "Status: closed prevents ticket update"}]}
    error = answered(acme, status=422, body={"error": "RecordInvalid", "details": details})
    assert isinstance(error, WontAccept)
    assert error.parts == ()


def test_a_404_to_an_update_of_a_ticket_that_reads_well_is_refused_for_good(acme: World) -> None:
    error = answered(acme, status=404, times=None)
    assert isinstance(error, WontAccept)
    assert "can be read" in str(error)
    acme.desk.faults.clear()
    write = one(acme)
    acme.desk.delete(1)
    with pytest.raises(Gone):
        acme.adapter.send(write, write.expects)


def test_the_limit_of_one_tickets_updates_holds_no_other(acme: World) -> None:
    headers = {"zendesk-ratelimit-per-ticket-updates": "total=30; remaining=0; resets=468"}
    error = answered(acme, status=429, headers=headers)
    assert isinstance(error, TryLater)
    assert error.wait == 468
    assert acme.gate.held == [("per-ticket-updates/1", 468)]


def test_what_a_trigger_reroutes_at_once_is_said_and_is_no_change(acme: World) -> None:
    acme.desk.triggers.append(Trigger(when={"group_id": 12}, fields={"group_id": 11, "assignee_id": 21}))
    write = one(acme, *ESCALATE)
    receipt = acme.adapter.send(write, write.expects)
    assert [(each.field, each.wanted, each.found) for each in receipt.not_taken] == [
        ("group", "12", "11"),
        ("assignee", "22", "21"),
    ]
    assert {field for field, *_ in receipt.changed} == {"priority", "tags", "status"}
    assert all(each.why for each in receipt.not_taken)


@pytest.mark.parametrize("warned", [True, False])
def test_what_zendesk_drops_is_said_with_its_warning(warned: bool) -> None:
    with world(
        dropped_keys=("priority", "tags", "custom_fields", "comment"), dropped_are_warned_of=warned
    ) as acme:
        actions = (*ESCALATE, SetField(field="custom.product", value="X200"))
        write = one(acme, *actions)
        receipt = acme.adapter.send(write, write.expects)
        assert [each.field for each in receipt.not_taken] == ["priority", "tags", "custom.product", "note"]
        tags = receipt.not_taken[1]
        assert (tags.wanted, tags.found) == (("escalated", "hardware"), ("hardware",))
        assert {field for field, *_ in receipt.changed} == {"group", "assignee", "status"}
        assert any("Zendesk warns" in remark and "priority" in remark for remark in receipt.remarks) is warned


def test_a_lost_answer_is_compared_too_once_it_is_found(acme: World) -> None:
    acme.desk.triggers.append(Trigger(when={"group_id": 12}, fields={"group_id": 11, "assignee_id": None}))
    write = one(acme, Assign(group=Group(id="12", name="Tier 2"), assignee=None))
    acme.fault("drop", method="PUT", applied=True)
    with pytest.raises(OutcomeUnknown):
        acme.adapter.send(write, write.expects)
    receipt = acme.adapter.find_written(write)
    assert receipt is not None
    assert [each.field for each in receipt.not_taken] == ["group"]


def test_an_audit_that_cannot_be_read_does_not_say_that_a_write_is_missing(acme: World) -> None:
    write = one(acme)
    acme.fault("spoil", path="*audits", place=("audits", 0), value=None)
    with pytest.raises(Unreadable):
        acme.adapter.find_written(write)
    assert acme.adapter.find_written(write) is None
