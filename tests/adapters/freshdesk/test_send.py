"""Writes on the wire: read first, sent once, and every refusal named by what to do next."""

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
    Receipt,
    Stale,
    TryLater,
    Unreadable,
    VendorAction,
    WontAccept,
    Write,
)
from policies.model import Group, Message, Need, Person, Priority, Who
from policies.plan import Assign, ChangeTags, RaisePriority, SetField
from tests.adapters.freshdesk.world import ALL, BEN, PRINTER, TIER1, TIER2, World, world

NOTE = Note(public=False, body="escalated <b>now</b>\n& then")
REPLY = Note(public=True, body="we are on it")
RAISE = RaisePriority(at_least=Priority.HIGH)
TAG = ChangeTags(add=frozenset({"escalated"}))
ESCALATE: tuple[VendorAction, ...] = (
    Assign(group=Group(id=str(TIER2), name="Tier 2"), assignee=Person(id=str(BEN), name="Ben")),
    RAISE,
    TAG,
    SetField(field="custom.product", value="X200"),
)


def writes(acme: World, *actions: VendorAction) -> tuple[Write, ...]:
    acme.clock.at += 10
    return acme.adapter.prepare(acme.adapter.load(PRINTER, ALL), actions, "acme/1:p:l:1").writes


def one(acme: World, *actions: VendorAction) -> Write:
    (write,) = writes(acme, *(actions or (NOTE,)))
    return write


def chain(acme: World, *actions: VendorAction) -> list[Receipt]:
    """Send all writes of these actions, each on the revision that the one before left."""
    receipts: list[Receipt] = []
    for write in writes(acme, *actions):
        acme.clock.at += 1
        receipts.append(acme.adapter.send(write, receipts[-1].revision if receipts else write.expects))
    return receipts


def test_fields_are_one_update_with_only_what_differs(acme: World) -> None:
    write = one(acme, *ESCALATE)
    receipt = acme.adapter.send(write, write.expects)
    assert acme.body() == {
        "group_id": TIER2,
        "responder_id": BEN,
        "priority": 3,
        "tags": ["hardware", "escalated"],
        "custom_fields": {"cf_product": "X200"},
    }
    assert set(receipt.changed) == {
        ("group", str(TIER1), str(TIER2)),
        ("assignee", None, str(BEN)),
        ("priority", Priority.LOW, Priority.HIGH),
        ("tags", ("hardware",), ("escalated", "hardware")),
        ("custom.product", "X100", "X200"),
    }
    assert (receipt.facts, receipt.remarks) == ((), ())
    assert receipt.revision == acme.adapter.load(PRINTER, ALL).revision


@pytest.mark.parametrize("brief", [True, False])
@pytest.mark.parametrize("touch", [True, False])
def test_a_chain_goes_fields_note_reply_and_each_meets_what_the_one_before_left(
    brief: bool, touch: bool
) -> None:
    with world(answers_briefly=brief, notes_touch=touch) as acme:
        receipts = chain(acme, REPLY, NOTE, *ESCALATE)
        assert acme.sent() == [("PUT", "tickets/1"), ("POST", "tickets/1/notes"), ("POST", "tickets/1/reply")]
        assert acme.said() == [("escalated <b>now</b>\n& then", True), ("we are on it", False)]
        loaded = acme.adapter.load(PRINTER, ALL)
        ours = {each.act.id: each.act.who for each in loaded.messages[1:]}
        assert ours == {receipt.facts[0]: Who.BOT for receipt in receipts[1:]}
        assert receipts[-1].revision == loaded.revision


def test_privacy_is_said_and_not_left_to_freshdesk(acme: World) -> None:
    acme.adapter.send(write := one(acme), write.expects)
    assert acme.body()["private"] is True
    acme.adapter.send(write := one(acme, REPLY), write.expects)
    assert acme.body() == {"body": "we are on it"}


def test_a_write_can_be_stored_and_sent_again_as_stored(acme: World) -> None:
    write = one(acme)
    acme.adapter.send(replace(write, intent=()), write.expects)
    assert acme.said() == [("escalated <b>now</b>\n& then", True)]


def test_a_ticket_that_changed_is_stale_and_untouched(acme: World) -> None:
    for act in (
        lambda: acme.desk.customer_says(1, "Wait"),
        lambda: acme.desk.agent_changes(1, "Ann", assignee="Ann"),
        lambda: acme.desk.agent_changes(1, "Ann", tags=["hardware", "mine"]),
    ):
        write = one(acme, *ESCALATE)
        acme.clock.at += 5
        act()
        with pytest.raises(Stale):
            acme.adapter.send(write, write.expects)
    assert acme.sent() == []


def test_two_changes_in_one_second_are_told_apart(acme: World) -> None:
    acme.desk.agent_changes(1, "Ann", status=3)
    before = acme.adapter.load(PRINTER, frozenset())
    acme.desk.agent_changes(1, "Ann", tags=["hardware", "mine"])
    after = acme.adapter.load(PRINTER, frozenset())
    assert before.updated == after.updated
    assert before.revision != after.revision


def test_a_humans_tags_survive(acme: World) -> None:
    acme.desk.agent_changes(1, "Ann", tags=["hardware", "mine", "Escalated-By-Ann"])
    write = one(acme, ChangeTags(add=frozenset({"escalated"}), remove=frozenset({"hardware"})))
    acme.adapter.send(write, write.expects)
    assert acme.body()["tags"] == ["mine", "Escalated-By-Ann", "escalated"]


def test_tags_are_not_guessed_where_the_ticket_does_not_tell_them(acme: World) -> None:
    acme.desk.agent_changes(1, "Ann", tags=[])
    write = one(acme, TAG)
    row = {**acme.desk.ticket(1).json, "stats": acme.desk.ticket(1).stats}
    del row["tags"]
    acme.fault("answer", path="*tickets/1", status=200, body=row)
    with pytest.raises(TryLater, match="did not tell the tags"):
        acme.adapter.send(write, write.expects)
    assert acme.sent() == []


def test_a_change_in_the_moment_of_the_write_is_remarked_and_stops_the_chain(acme: World) -> None:
    update, reply = writes(acme, RAISE, REPLY)
    act = {"act": "agent_changes", "ticket": 1, "agent": "Ann", "status": 3}
    acme.fault("edit", method="PUT", act=act)
    receipt = acme.adapter.send(update, update.expects)
    assert receipt.remarks == ("status changed from 2 to 3 in the moment of the write",)
    assert receipt.changed == (("priority", Priority.LOW, Priority.HIGH),)
    with pytest.raises(Stale):
        acme.adapter.send(reply, receipt.revision)


def test_what_comes_out_otherwise_is_remarked(acme: World) -> None:
    write = one(acme, RAISE, TAG)
    row = {**acme.desk.ticket(1).json, "priority": 4, "tags": ["hardware"]}
    acme.fault("answer", method="PUT", status=200, body=row)
    receipt = acme.adapter.send(write, write.expects)
    assert receipt.changed == (("priority", Priority.LOW, Priority.URGENT),)
    assert [(each.field, each.wanted, each.found) for each in receipt.not_taken] == [
        ("tags", ("escalated", "hardware"), ("hardware",)),
    ]
    assert not receipt.complete
    assert all("rule" in each.why for each in receipt.not_taken)


def test_what_freshdesk_adds_to_our_write_is_no_part_that_was_not_taken(acme: World) -> None:
    by_rules = {"group_id": TIER2, "responder_id": BEN, "priority": 4, "tags": ["hardware", "ESCALATED", "x"]}
    answers_after_rules(acme, by_rules)
    write = one(acme, Assign(group=Group(id=str(TIER2), name="Tier 2"), assignee=None), RAISE, TAG)
    receipt = acme.adapter.send(write, write.expects)
    assert receipt.not_taken == ()
    assert receipt.remarks == (f"Freshdesk gave the ticket to the agent {BEN} of its group",)
    assert ("assignee", None, str(BEN)) in receipt.changed


def test_a_human_who_answers_beside_our_note_makes_the_next_write_stale(acme: World) -> None:
    note, reply = writes(acme, NOTE, REPLY)
    says = {"act": "agent_says", "ticket": 1, "agent": "Ann", "text": "I have it"}
    acme.fault("edit", method="POST", path="*notes", act=says)
    receipt = acme.adapter.send(note, note.expects)
    with pytest.raises(Stale):
        acme.adapter.send(reply, receipt.revision)
    assert acme.sent() == [("POST", "tickets/1/notes")]


def test_a_rule_that_takes_the_group_back_stops_the_chain(acme: World) -> None:
    answers_after_rules(acme, {"group_id": TIER1})
    assign = Assign(group=Group(id=str(TIER2), name="Tier 2"), assignee=None)
    update, note = writes(acme, assign, NOTE)
    receipt = acme.adapter.send(update, update.expects)
    assert [(each.field, each.wanted, each.found) for each in receipt.not_taken] == [
        ("group", str(TIER2), str(TIER1))
    ]
    assert receipt.changed == ()
    with pytest.raises(Stale):
        acme.adapter.send(note, receipt.revision)


def test_what_a_note_leaves_behind_follows_from_its_answer(acme: World) -> None:
    """It may or may not move the time of the ticket; nothing is read to know."""
    note, reply = writes(acme, NOTE, REPLY)
    receipt = acme.adapter.send(note, note.expects, fresh=True)
    second, _, state = receipt.revision.partition(".")
    assert (int(second), state) == (receipt.at, note.expects.partition(".")[2])
    assert [(each.public, each.body) for each in receipt.acts if isinstance(each, Message)] == [
        (False, NOTE.body)
    ]
    assert (len(receipt.facts), receipt.after, receipt.complete) == (1, None, True)
    assert [row.method for row in acme.desk.log][-1] == "POST"
    assert acme.adapter.send(reply, receipt.revision).complete


def answers_after_rules(acme: World, by_rules: dict[str, Any]) -> None:
    """The next update is answered as the account's rules have left the ticket."""
    row = {**acme.desk.ticket(1).json, **by_rules}
    acme.fault("answer", method="PUT", status=200, applied=True, body=row)


def test_null_tags_get_ours(acme: World) -> None:
    acme.desk.ticket(1).json["tags"] = None
    write = one(acme, TAG)
    receipt = acme.adapter.send(write, write.expects)
    assert acme.body() == {"tags": ["escalated"]}
    assert receipt.changed == (("tags", (), ("escalated",)),)


@pytest.mark.parametrize("entry", [None, {"id": 5}])
def test_a_message_that_cannot_be_read_may_be_ours(acme: World, entry: Any) -> None:
    write = one(acme)
    acme.fault("answer", path="*conversations", status=200, body=[entry])
    with pytest.raises(Unreadable):
        acme.adapter.find_written(write)
    acme.adapter.send(write, write.expects)
    rows = [entry, *acme.desk.ticket(1).conversations]
    acme.fault("answer", path="*conversations", status=200, body=rows)
    assert acme.adapter.find_written(write) is not None


@pytest.mark.parametrize("actions", [(RAISE,), (NOTE,), (REPLY,)])
@pytest.mark.parametrize("act", ["delete", "mark_as_spam"])
def test_what_is_deleted_or_spam_by_then_is_gone(acme: World, act: str, actions: Any) -> None:
    write = one(acme, *actions)
    acme.fault("edit", method="P*", act={"act": act, "ticket": 1})
    with pytest.raises(Gone, match="405"):
        acme.adapter.send(write, write.expects)


@pytest.mark.parametrize("rule", ["required_for_agents", "required_for_closure"])
def test_a_required_field_is_refused_by_name(acme: World, rule: str) -> None:
    number = 4 if rule == "required_for_closure" else 2
    acme.desk.agent_changes(1, "Ann", status=number)
    acme.desk.people.fields["cf_seats"][rule] = True
    write = one(acme, RAISE)
    with pytest.raises(WontAccept, match=r"custom_fields\.cf_seats: It should not be blank") as told:
        acme.adapter.send(write, write.expects)
    (part,) = told.value.parts
    assert (part.field, part.vendor_field) == ("priority", "custom_fields.cf_seats")
    assert "should not be blank" in part.text


def test_a_choice_that_is_none_is_a_gap_and_never_sent(acme: World) -> None:
    ticket = acme.adapter.load(PRINTER, ALL)
    made = acme.adapter.prepare(ticket, (SetField(field="custom.product", value="X300"), TAG), "k")
    assert made.gaps == ("custom.product is not set to 'X300': Freshdesk takes X100, X200",)
    assert [sorted(write.request) for write in made.writes] == [["before", "tags"]]


def test_a_choice_that_went_away_meanwhile_is_named_as_refused_and_the_rest_is_not(acme: World) -> None:
    write = one(acme, SetField(field="custom.product", value="X200"), RAISE)
    acme.desk.people.fields["cf_product"]["choices"] = ["X100"]
    with pytest.raises(WontAccept, match="X100") as told:
        acme.adapter.send(write, write.expects)
    assert [(each.field, each.vendor_field) for each in told.value.parts] == [
        ("custom.product", "custom_fields.cf_product")
    ]


def test_an_agent_outside_of_the_group_is_refused(acme: World) -> None:
    group, ben = Group(id=str(TIER1), name="Tier 1"), Person(id=str(BEN), name="Ben")
    write = one(acme, Assign(group=group, assignee=ben))
    with pytest.raises(WontAccept, match="responder_id: Agent does not belong to the group") as told:
        acme.adapter.send(write, write.expects)
    assert [each.field for each in told.value.parts] == ["assignee"]


def answered(acme: World, *actions: VendorAction, **answer: Any) -> HelpdeskError:
    write, before = one(acme, *actions), len(acme.sent())
    acme.fault("answer", method="P*", **answer)
    with pytest.raises(HelpdeskError) as caught:
        acme.adapter.send(write, write.expects)
    assert len(acme.sent()) == before + 1
    return caught.value


NEXT: dict[int, type[HelpdeskError]] = {
    301: OutcomeUnknown,
    400: WontAccept,
    401: AccessLost,
    403: NotAllowed,
    404: WontAccept,
    405: WontAccept,
    406: WontAccept,
    408: OutcomeUnknown,
    409: TryLater,
    415: WontAccept,
    429: TryLater,
    500: OutcomeUnknown,
    502: OutcomeUnknown,
    503: OutcomeUnknown,
    504: OutcomeUnknown,
}


@pytest.mark.parametrize("words", [{"code": "x", "message": "as it is"}, "<html>proxy</html>", ""])
@pytest.mark.parametrize("actions", [(RAISE,), (NOTE,), (REPLY,)])
def test_each_status_is_named_by_what_to_do_next(acme: World, words: Any, actions: Any) -> None:
    for status, error in NEXT.items():
        assert type(answered(acme, *actions, status=status, body=words)) is error, status


@pytest.mark.parametrize(
    ("headers", "wait"), [({"Retry-After": "37"}, 37), ({"Retry-After": "0"}, 1), ({}, 60)]
)
def test_a_429_is_a_wait_and_holds_the_budget(acme: World, headers: dict[str, str], wait: int) -> None:
    error = answered(acme, RAISE, status=429, headers=headers, body="")
    assert isinstance(error, TryLater)
    assert error.wait == wait
    assert acme.gate.held == [("ticket-update", wait)]


@pytest.mark.parametrize("actions", [(RAISE,), (NOTE,), (REPLY,)])
def test_a_success_that_cannot_be_read_is_an_unknown_outcome(acme: World, actions: Any) -> None:
    bodies: tuple[Any, ...] = (
        "<html>all fine</html>",
        "",
        [],
        {"job_id": "x"},
        {"id": None},
        {"id": 1, "tags": 3},
    )
    for body in bodies[: 6 if actions == (RAISE,) else 5]:
        assert type(answered(acme, *actions, status=200, body=body)) is OutcomeUnknown, body


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("kind", ["drop", "hang", "answer"])
@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("actions", [ESCALATE, (NOTE,), (REPLY,)])
def test_an_unknown_outcome_is_found_out_and_never_sent_twice(
    kind: str, applied: bool, keeps: bool, actions: Any
) -> None:
    with world(keeps_comments=keeps, notes_touch=False) as acme:
        write = one(acme, *actions)
        acme.fault(kind, method="P*", applied=applied, status=502)
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(write, write.expects)
        receipt = acme.adapter.find_written(write)
        assert len(acme.sent()) == 1
        assert (receipt is not None) is applied
        if receipt and actions is not ESCALATE:
            loaded = acme.adapter.load(PRINTER, ALL)
            assert (receipt.revision, receipt.key) == (loaded.revision, write.key)
            assert [each.act.id for each in loaded.messages if each.act.who is Who.BOT] == [*receipt.facts]
        if receipt and actions is ESCALATE:
            assert ("group", str(TIER1), str(TIER2)) in receipt.changed


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("kind", ["truncate", "cut"])
def test_half_an_answer_to_a_note_is_found_out(kind: str, keeps: bool) -> None:
    with world(keeps_comments=keeps) as acme:
        write = one(acme)
        acme.fault(kind, method="POST")
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(write, write.expects)
        assert acme.adapter.find_written(write) is not None
        assert len(acme.said()) == 1


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("touch", [True, False])
def test_the_same_words_said_before_are_not_this_note(keeps: bool, touch: bool) -> None:
    with world(keeps_comments=keeps, notes_touch=touch) as acme:
        first = one(acme)
        acme.adapter.send(first, first.expects)
        acme.clock.at += 10
        acme.desk.agent_says(1, "Ann", NOTE.body, public=False)
        acme.clock.at += 10
        loaded = acme.adapter.load(PRINTER, ALL)
        (again,) = acme.adapter.prepare(loaded, (NOTE,), "acme/1:p:l:again-1").writes
        assert acme.adapter.find_written(again) is None
        acme.fault("drop", method="POST", applied=True)
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(again, again.expects)
        receipt = acme.adapter.find_written(again)
        assert receipt is not None
        assert receipt.facts == (str(acme.desk.ticket(1).conversations[-1]["id"]),)


def test_a_write_is_found_behind_many_others(acme: World) -> None:
    note, reply = writes(acme, NOTE, REPLY)
    receipt = acme.adapter.send(note, note.expects)
    for _ in range(110):
        acme.clock.at += 1
        acme.desk.agent_says(1, "Ann", "busy", public=False)
    found = acme.adapter.find_written(note)
    assert found is not None
    assert found.facts == receipt.facts
    assert acme.adapter.find_written(reply) is None


def test_an_outage_while_looking_is_not_an_absence(acme: World) -> None:
    write = one(acme)
    acme.adapter.send(write, write.expects)
    for path in ("*tickets/1", "*agents/me", "*conversations"):
        acme.fault("answer", path=path, status=503)
        with pytest.raises(TryLater):
            acme.adapter.find_written(write)


def test_nothing_listens_and_nothing_was_sent() -> None:
    with world() as acme:
        write = one(acme)
    with pytest.raises(TryLater, match="nothing was sent"):
        acme.adapter.send(write, write.expects)


def test_a_note_carries_its_mark_where_freshdesk_keeps_it() -> None:
    with world(keeps_comments=True) as acme:
        write = one(acme)
        acme.adapter.send(write, write.expects)
        loaded = acme.adapter.load(PRINTER, frozenset({Need.MESSAGES}))
        assert [each.act.mark for each in loaded.messages] == [None, write.key]
        assert loaded.messages[1].body == NOTE.body


def test_a_reply_shows_no_customer_where_it_comes_from(acme: World) -> None:
    write = one(acme, REPLY)
    acme.adapter.send(write, write.expects)
    assert "uptier" not in str(acme.body())


def test_a_write_draws_on_its_endpoints_budget(acme: World) -> None:
    write = one(acme, RAISE)
    acme.adapter.send(write, write.expects)
    assert ("account", "ticket-update") in acme.gate.entered
    assert acme.gate.entered.count(("account", "ticket-update")) == 1
