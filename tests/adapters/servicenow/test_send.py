"""Writes on the wire: once, on the revision expected, held against what was asked, found again when lost."""

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
    VendorAction,
    WontAccept,
    Write,
)
from adapters.servicenow.answers import reference
from adapters.servicenow.simulator.rules import Rule
from policies.model import Group, Need, Person, Priority, Who
from policies.plan import Assign, ChangeTags, Follow, RaisePriority, SetField
from tests.adapters.recording import START
from tests.adapters.servicenow.world import ALL, World, world

NOTE = Note(public=False, body="escalated")
REPLY = Note(public=True, body="we are on it")
HIGH = RaisePriority(at_least=Priority.HIGH)
LATE = ChangeTags(add=frozenset({"late"}))
X200 = SetField(field="custom.product", value="X200")


def assign(acme: World, group: str = "Tier 2", person: str | None = "Ben") -> Assign:
    assignee = Person(id=acme.user(person), name=person) if person else None
    return Assign(group=Group(id=acme.group(group), name=group), assignee=assignee)


def everything(acme: World) -> tuple[VendorAction, ...]:
    follow = Follow(person=Person(id=acme.user("Both"), name="Both"))
    return (assign(acme), HIGH, LATE, X200, follow, NOTE, REPLY)


def test_one_update_carries_everything_and_is_receipted(acme: World) -> None:
    write = acme.one(*everything(acme))
    receipt = acme.adapter.send(write, write.expects)
    assert acme.sent() == 1
    assert acme.body() == {
        "assignment_group": acme.group("Tier 2"),
        "assigned_to": acme.user("Ben"),
        "u_product": "X200",
        "impact": "2",
        "urgency": "1",
        "correlation_display": "uptier: late",
        "work_notes_list": acme.user("Both"),
        "work_notes": f"escalated\n[{reference(write.key)}]",
        "comments": "we are on it",
    }
    after = acme.load(*ALL)
    assert (receipt.revision, receipt.at, receipt.remarks) == (after.revision, START + 10, ())
    assert set(receipt.changed) == {
        ("group", acme.group("Tier 1"), acme.group("Tier 2")),
        ("assignee", None, acme.user("Ben")),
        ("priority", Priority.LOW, Priority.HIGH),
        ("tags", (), ("late",)),
        ("custom.product", "X100", "X200"),
    }
    facts = [*after.messages[1:], *after.changes]
    assert len(facts) == 7
    assert all({each.act.id, each.act.mark} & {*receipt.facts} and each.act.who is Who.BOT for each in facts)


@pytest.mark.parametrize("checkpoints", [True, False])
def test_what_we_did_comes_back_as_ours_and_what_a_rule_did_does_not(checkpoints: bool) -> None:
    with world(audit_checkpoints=checkpoints) as acme:
        acme.desk.rules.append(Rule(when={"correlation_display": "uptier: late"}, fields={"u_product": "X9"}))
        write = acme.one(LATE, HIGH)
        receipt = acme.adapter.send(write, write.expects)
        found = {each.field: each.act.id in receipt.facts for each in acme.load(Need.CHANGES).changes}
        assert found == {"tags": True, "priority": True, "custom.product": False}


def test_a_note_is_internal_and_a_reply_is_public(acme: World) -> None:
    write = acme.one(NOTE, REPLY)
    acme.adapter.send(write, write.expects)
    said = {row["element"]: row["value"] for row in acme.desk.journal(acme.printer.id)}
    assert said["comments"] == "we are on it"
    assert said["work_notes"].startswith("escalated")
    found = acme.load(Need.MESSAGES).messages[1:]
    assert {(each.public, each.body) for each in found} == {(True, "we are on it"), (False, "escalated")}
    marks = {each.act.mark for each in found}
    assert reference(write.key) in marks


def test_a_write_can_be_stored_and_sent_as_stored(acme: World) -> None:
    write = acme.one(NOTE)
    kept = Write(key=write.key, ref=write.ref, expects=write.expects, intent=(), request=dict(write.request))
    assert acme.adapter.send(kept, kept.expects).revision == "1"


def test_a_chain_expects_what_the_receipt_before_it_says(acme: World) -> None:
    first, second = acme.writes(HIGH, NOTE, Note(public=False, body="more"))
    receipt = acme.adapter.send(first, first.expects)
    acme.adapter.send(second, receipt.revision)
    assert [row["element"] for row in acme.desk.journal(acme.printer.id)] == ["work_notes"] * 2


def test_a_ticket_that_a_human_changed_is_stale_and_untouched(acme: World) -> None:
    write = acme.one(HIGH, NOTE)
    acme.desk.agent_changes(acme.printer.id, "Ann", state="2")
    with pytest.raises(Stale, match="revision 1, not 0"):
        acme.adapter.send(write, write.expects)
    assert acme.sent() == 0


def test_a_change_between_our_look_and_our_write_is_told(acme: World) -> None:
    write = acme.one(HIGH, NOTE)
    act = {"act": "agent_changes", "ticket": acme.printer.id, "agent": "Ann", "assignee": "Ann"}
    acme.fault("edit", method="PATCH", act=act)
    receipt = acme.adapter.send(write, write.expects)
    assert receipt.revision == "2"
    assert any("moved by 2 updates" in remark for remark in receipt.remarks)
    assert any("assigned_to went from" in remark for remark in receipt.remarks)
    ours = {each.act.id for each in acme.load(Need.CHANGES).changes if each.act.who is Who.BOT}
    assert ours <= set(receipt.facts)


@pytest.mark.parametrize("blank", ["omit", "blank"])
def test_columns_that_are_dropped_without_a_word_are_told(blank: str) -> None:
    with world(hidden_columns=blank) as acme:
        acme.desk.protected["incident"] = {"assignment_group", "assigned_to"}
        write = acme.one(assign(acme), NOTE)
        receipt = acme.adapter.send(write, write.expects)
        told = [each for each in receipt.not_taken if "was not written" in each.why]
        assert [each.why.split()[0] for each in told] == ["assignment_group", "assigned_to"]
        assert [(each.field, each.wanted, each.found) for each in told] == [
            ("group", acme.group("Tier 2"), acme.group("Tier 1")),
            ("assignee", acme.user("Ben"), None),
        ]
        assert receipt.changed == ()


@pytest.mark.parametrize("bumps", [True, False])
def test_a_write_of_which_nothing_is_stored_is_refused(bumps: bool) -> None:
    with world(noop_bumps=bumps) as acme:
        acme.desk.protected["incident"] = {"u_product"}
        write = acme.one(X200)
        with pytest.raises(WontAccept, match=r"stored nothing.*u_product was not written"):
            acme.adapter.send(write, write.expects)


def test_a_column_that_a_rule_turns_into_something_else_is_told(acme: World) -> None:
    acme.desk.rules.append(Rule(when={"assigned_to": ""}, fields={"assigned_to": acme.user("Both")}))
    acme.desk.agent_changes(acme.printer.id, "Ann", assignee="Ann")
    write = acme.one(assign(acme, person=None))
    receipt = acme.adapter.send(write, write.expects)
    (missing,) = receipt.not_taken
    assert missing.why.startswith("assigned_to is")
    assert (missing.field, missing.wanted, missing.found) == ("assignee", None, acme.user("Both"))
    assert ("assignee", acme.user("Ann"), acme.user("Both")) in receipt.changed


def test_columns_that_are_hidden_are_neither_written_nor_called_written(acme: World) -> None:
    write = acme.one(X200, HIGH)
    acme.desk.hide_column("incident", "u_product")
    receipt = acme.adapter.send(write, write.expects)
    assert [(each.field, each.why) for each in receipt.not_taken] == [
        ("custom.product", "incident.u_product is hidden")
    ]
    assert acme.row["u_product"] == "X100"
    assert [name for name, _, _ in receipt.changed] == ["priority"]
    prepared = acme.adapter.prepare(acme.load(), (X200,), "k")
    assert prepared.writes == ()
    assert prepared.gaps == (
        "custom.product cannot be changed: incident.u_product is hidden from Uptier's user",
    )


@pytest.mark.parametrize("wanted", [Priority.NORMAL, Priority.HIGH, Priority.URGENT])
def test_a_priority_is_never_written_and_always_reached(acme: World, wanted: Priority) -> None:
    write = acme.one(RaisePriority(at_least=wanted))
    receipt = acme.adapter.send(write, write.expects)
    assert set(acme.body()) <= {"impact", "urgency"}
    assert acme.load().priority is wanted
    assert receipt.changed == (("priority", Priority.LOW, wanted),)


def test_the_instances_own_matrix_is_read(acme: World) -> None:
    acme.desk.matrix.update({(3, 1): 2, (2, 1): 1})
    for row in acme.desk.tables["dl_u_priority"].values():
        row["priority"] = str(acme.desk.matrix[int(row["impact"]), int(row["urgency"])])
    write = acme.one(HIGH)
    acme.adapter.send(write, write.expects)
    assert acme.body() == {"urgency": "1"}
    assert acme.load().priority is Priority.HIGH


@pytest.mark.parametrize("gate", ["forbidden", "missing", "hidden"])
def test_without_the_lookup_the_default_matrix_serves(gate: str) -> None:
    with world(lookup=gate) as acme:
        write = acme.one(HIGH)
        acme.adapter.send(write, write.expects)
        assert acme.load().priority is Priority.HIGH


def test_a_configured_matrix_wins() -> None:
    with world(settings={"settings": {"matrix": {"1-1": 1, "3-1": 2}}}, lookup="forbidden") as acme:
        acme.desk.matrix[3, 1] = 2
        write = acme.one(HIGH)
        acme.adapter.send(write, write.expects)
        assert acme.body() == {"urgency": "1"}


def test_a_priority_that_does_not_follow_is_told() -> None:
    with world(lookup_runs=False) as acme:
        write = acme.one(HIGH)
        receipt = acme.adapter.send(write, write.expects)
        (missing,) = receipt.not_taken
        assert "the priority is 5 after the write, not 2" in missing.why
        assert (missing.field, missing.wanted, missing.found) == ("priority", Priority.HIGH, Priority.LOW)


@pytest.mark.parametrize("column", ["impact", "urgency"])
def test_a_priority_whose_grounds_are_hidden_is_refused(acme: World, column: str) -> None:
    acme.desk.unseen["incident"] = {column}
    write = acme.one(HIGH)
    with pytest.raises(WontAccept, match="cannot be reached"):
        acme.adapter.send(write, write.expects)
    assert acme.sent() == 0


def test_a_table_with_a_free_priority_is_written_directly() -> None:
    with world(settings={"settings": {"table": "sn_customerservice_case"}}) as acme:
        key = acme.desk.open(subject="Case", caller="Cleo", table="sn_customerservice_case")
        ticket = acme.adapter.load(type(acme.printer)("acme", key), frozenset())
        (write,) = acme.adapter.prepare(ticket, (HIGH,), "k").writes
        acme.adapter.send(write, write.expects)
        assert acme.body() == {"priority": "2"}


def test_a_priority_that_holds_meanwhile_needs_no_write(acme: World) -> None:
    write = acme.one(HIGH)
    acme.desk.touch_quietly(acme.printer.id, priority="1")
    receipt = acme.adapter.send(write, write.expects)
    assert (receipt.revision, receipt.changed, acme.sent()) == (write.expects, (), 0)


def test_a_priority_that_no_pair_reaches_is_refused() -> None:
    with world(settings={"settings": {"matrix": {"3-3": 4}}}) as acme:
        write = acme.one(HIGH)
        with pytest.raises(WontAccept, match="cannot be reached"):
            acme.adapter.send(write, write.expects)


def test_followers_that_are_hidden_are_told(acme: World) -> None:
    acme.desk.unseen["incident"] = {"work_notes_list"}
    write = acme.one(Follow(person=Person(id=acme.user("Ben"), name="Ben")))
    with pytest.raises(WontAccept, match="nobody can be made to follow"):
        acme.adapter.send(write, write.expects)


def test_a_note_of_which_nothing_can_be_learned_is_open() -> None:
    with world() as acme:
        acme.desk.unwritable.add("incident")
        write = acme.one(NOTE)
        row = {"sys_mod_count": write.expects, "sys_id": acme.printer.id}
        acme.fault("answer", method="PATCH", status=200, body={"result": row})
        acme.fault("answer", path="*sys_journal_field*", status=503)
        with pytest.raises(OutcomeUnknown, match="shows nothing of it"):
            acme.adapter.send(write, write.expects)


def test_followers_are_added_and_none_is_lost(acme: World) -> None:
    acme.desk.touch_quietly(acme.printer.id, work_notes_list=f"boss@acme.test,{acme.user('Ann')}")
    people = [Follow(person=Person(id=acme.user(name), name=name)) for name in ("Ann", "Ben")]
    write = acme.one(*people)
    acme.adapter.send(write, write.expects)
    assert acme.row["work_notes_list"] == f"boss@acme.test,{acme.user('Ann')},{acme.user('Ben')}"
    again = acme.one(*people)
    assert acme.adapter.send(again, again.expects).revision == again.expects
    assert acme.sent() == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 400, "body": {"error": {"message": "odd", "detail": None}}}, WontAccept),
        ({"status": 401, "times": None}, AccessLost),
        ({"status": 403}, NotAllowed),
        ({"status": 404}, Gone),
        ({"status": 408}, OutcomeUnknown),
        ({"status": 429}, TryLater),
        ({"status": 500}, OutcomeUnknown),
        ({"status": 500, "applied": True}, OutcomeUnknown),
        ({"status": 502}, OutcomeUnknown),
        ({"status": 503}, OutcomeUnknown),
        ({"status": 200}, OutcomeUnknown),
        ({"status": 200, "body": {"result": []}}, OutcomeUnknown),
        ({"status": 200, "body": {"result": {"state": "2"}}}, OutcomeUnknown),
        (
            {"status": 200, "body": {"result": {"sys_mod_count": "1"}, "error": {"message": "x"}}},
            OutcomeUnknown,
        ),
        ({"status": 302}, OutcomeUnknown),
    ],
)
def test_what_a_refused_write_means(acme: World, answer: Any, error: type[HelpdeskError]) -> None:
    write = acme.one(HIGH, NOTE)
    acme.fault("answer", method="PATCH", **answer)
    with pytest.raises(error):
        acme.adapter.send(write, write.expects)
    assert acme.sent() == (2 if answer["status"] == 401 else 1)  # once more without the old session


def test_a_rule_that_aborts_is_named(acme: World) -> None:
    acme.desk.rules.append(Rule(name="No VIPs", when={"u_product": "X200"}, abort=True))
    write = acme.one(X200)
    with pytest.raises(WontAccept, match=r"Business Rule 'No VIPs'\."):
        acme.adapter.send(write, write.expects)


def test_a_table_we_may_not_write_is_refused(acme: World) -> None:
    acme.desk.unwritable.add("incident")
    write = acme.one(X200)
    with pytest.raises(NotAllowed, match="security constraints"):
        acme.adapter.send(write, write.expects)


@pytest.mark.parametrize("kind", ["drop", "hang", "truncate", "cut", "trail"])
@pytest.mark.parametrize("said", [(NOTE,), (REPLY,), (HIGH,), (LATE, X200), (HIGH, NOTE, REPLY)])
def test_a_write_whose_answer_is_lost_is_found(kind: str, said: tuple[VendorAction, ...]) -> None:
    with world() as acme:
        write = acme.one(*said)
        acme.fault(kind, method="PATCH", applied=True)
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(write, write.expects)
        receipt = acme.adapter.find_written(write)
        assert receipt is not None
        assert (receipt.key, receipt.revision) == (write.key, "1")
        after = acme.load(*ALL)
        assert all(each.act.id in receipt.facts for each in [*after.messages[1:], *after.changes])
        assert acme.sent() == 1


@pytest.mark.parametrize("kind", ["drop", "hang"])
@pytest.mark.parametrize("said", [NOTE, REPLY, HIGH, LATE, X200])
def test_a_write_that_never_arrived_is_not_found(kind: str, said: VendorAction) -> None:
    with world() as acme:
        acme.desk.agent_says(acme.printer.id, "Ann", "we are on it", public=True)
        acme.desk.agent_says(acme.printer.id, "Ann", "escalated", public=False)
        write = acme.one(said)
        acme.fault(kind, method="PATCH")
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(write, write.expects)
        assert acme.adapter.find_written(write) is None


def test_the_same_reply_said_before_is_not_this_one(acme: World) -> None:
    write = acme.one(REPLY)
    acme.adapter.send(write, write.expects)
    (again,) = acme.writes(REPLY, needs=ALL)
    assert acme.adapter.find_written(again) is None
    acme.adapter.send(again, again.expects)
    assert acme.adapter.find_written(again) is not None


def test_found_writes_tell_what_changed(acme: World) -> None:
    write = acme.one(*everything(acme))
    sent = acme.adapter.send(write, write.expects)
    found = acme.adapter.find_written(write)
    assert found is not None
    assert set(found.changed) == set(sent.changed)
    assert found.revision == sent.revision


def test_a_written_ticket_that_is_deleted_is_gone(acme: World) -> None:
    write = acme.one(NOTE)
    acme.desk.delete(acme.printer.id)
    with pytest.raises(Gone):
        acme.adapter.find_written(write)
    with pytest.raises(Gone):
        acme.adapter.send(write, write.expects)


def test_a_note_that_was_written_is_written_whatever_the_journal_says(acme: World) -> None:
    write = acme.one(HIGH, NOTE)
    acme.fault("spoil", method="PATCH", place=("result", "work_notes"), absent=True)
    acme.fault("answer", path="*sys_journal_field*", status=503)
    receipt = acme.adapter.send(write, write.expects)
    assert any("could not be read back" in remark for remark in receipt.remarks)
    (_, said) = acme.load(Need.MESSAGES).messages
    assert said.act.mark in receipt.facts


def test_a_note_that_is_dropped_without_a_word_is_told(acme: World) -> None:
    acme.desk.protected["incident"] = {"work_notes", "comments"}
    write = acme.one(HIGH, NOTE)
    receipt = acme.adapter.send(write, write.expects)
    assert [each.field for each in receipt.not_taken] == ["note"]
    assert "work_notes cannot be found" in receipt.not_taken[0].why
    for alone in (NOTE, REPLY):
        write = acme.one(alone)
        with pytest.raises(WontAccept, match="cannot be found in the journal"):
            acme.adapter.send(write, write.expects)


CLOSED: list[dict[str, Any]] = [
    {"journal": "forbidden"},
    {"journal": "hidden"},
    {"journal": "hidden", "total_counts_hidden": False},
]


@pytest.mark.parametrize("switches", CLOSED)
def test_a_note_is_found_though_the_journal_is_closed(switches: dict[str, Any]) -> None:
    with world(**switches) as acme:
        write = acme.one(NOTE)
        receipt = acme.adapter.send(write, write.expects)
        assert (receipt.revision, receipt.remarks) == ("1", ())
        found = acme.adapter.find_written(write)
        assert found is not None
        assert reference(write.key) in found.facts
        assert acme.sent() == 1


@pytest.mark.parametrize("switches", CLOSED)
def test_a_reply_is_never_sent_again_though_the_journal_is_closed(switches: dict[str, Any]) -> None:
    with world(**switches) as acme:
        write = acme.one(REPLY)
        acme.fault("spoil", method="PATCH", place=("result", "comments"), absent=True)
        receipt = acme.adapter.send(write, write.expects)
        assert len(receipt.remarks) == 1
        if switches.get("total_counts_hidden", True):
            with pytest.raises(NotAllowed):
                acme.adapter.find_written(write)
        else:
            assert acme.adapter.find_written(write) is None
        assert acme.sent() == 1
