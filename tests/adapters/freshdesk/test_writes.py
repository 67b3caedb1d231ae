"""Actions as requests: what differs and no more, in an order that can stop anywhere."""

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.base import Note, Prepared, VendorAction
from adapters.freshdesk.form import Form
from adapters.freshdesk.people import References
from adapters.freshdesk.ticket import mark, read_ticket
from adapters.freshdesk.writes import prepare_write, with_tags
from policies.model import Act, Directory, Group, Message, Person, Priority, Ticket, Who
from policies.plan import Assign, ChangeTags, Follow, RaisePriority, SetField
from tests.adapters.freshdesk.world import account

ROW: dict[str, Any] = {
    "id": 1,
    "status": 2,
    "priority": 2,
    "group_id": 11,
    "responder_id": 21,
    "tags": ["Hardware"],
    "custom_fields": {"cf_product": "X100", "cf_seats": "5"},
    "updated_at": "2026-11-25T11:00:00Z",
}
FORM = Form(choices={"cf_product": ("X100", "X200", "a", "b")})
BEN = Person(id="22", name="Ben")
TIER2 = Group(id="12", name="Tier 2")


def snapshot(**more: Any) -> Ticket:
    references = References(account=account(), form=Form(), directory=Directory(account="acme"))
    return read_ticket(ROW | more, references, read_at=5)


def prepared(*actions: VendorAction, of: Ticket | None = None) -> Prepared:
    return prepare_write(account(), FORM, of or snapshot(), actions, "k")


def requests(*actions: VendorAction) -> list[Any]:
    return [write.request for write in prepared(*actions).writes]


def test_nothing_wanted_is_nothing_sent() -> None:
    assert prepared() == Prepared(writes=())


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        (Assign(group=TIER2, assignee=BEN), {"group_id": 12, "responder_id": 22}),
        (Assign(group=TIER2, assignee=None), {"group_id": 12, "responder_id": None}),
        (Assign(group=None, assignee=BEN), {"responder_id": 22}),
        (Assign(group=None, assignee=None), {"group_id": None, "responder_id": None}),
        (RaisePriority(at_least=Priority.URGENT), {"priority": 4}),
        (SetField(field="custom.product", value="X200"), {"custom_fields": {"cf_product": "X200"}}),
        (SetField(field="custom.seats", value=6), {"custom_fields": {"cf_seats": 6}}),
        (SetField(field="custom.product", value=("a", "b")), {"custom_fields": {"cf_product": ["a", "b"]}}),
    ],
)
def test_each_action_is_its_fields(action: VendorAction, fields: dict[str, Any]) -> None:
    (request,) = requests(action)
    assert request["fields"] == fields


@pytest.mark.parametrize(
    "action",
    [
        Assign(group=Group(id="11", name="x"), assignee=Person(id="21", name="x")),
        RaisePriority(at_least=Priority.NORMAL),
        RaisePriority(at_least=Priority.LOW),
        ChangeTags(add=frozenset({"hardware"}), remove=frozenset({"absent"})),
        SetField(field="custom.product", value="X100"),
        SetField(field="custom.seats", value=5),
    ],
)
def test_what_holds_is_left_out(action: VendorAction) -> None:
    assert prepared(action) == Prepared(writes=())


def test_no_priority_ranks_lowest() -> None:
    (write,) = prepared(RaisePriority(at_least=Priority.LOW), of=snapshot(priority=None)).writes
    assert write.request["fields"] == {"priority": 1}
    assert write.request["before"] == {"priority": None}


def test_all_fields_go_together_and_the_words_after_them() -> None:
    note, reply = Note(public=False, body="a < b"), Note(public=True, body="hello")
    tags = ChangeTags(add=frozenset({"b"}), remove=frozenset({"hardware"}))
    more = ChangeTags(add=frozenset({"a"}))
    sets = (SetField(field="custom.product", value="X200"), SetField(field="custom.seats", value=6))
    writes = prepared(reply, note, RaisePriority(at_least=Priority.HIGH), tags, more, *sets).writes
    assert [write.key for write in writes] == ["k:1", "k:2", "k:3"]
    assert {write.expects for write in writes} == {snapshot().revision}
    assert writes[0].request == {
        "fields": {"priority": 3, "custom_fields": {"cf_product": "X200", "cf_seats": 6}},
        "tags": {"add": ["a", "b"], "remove": ["hardware"]},
        "before": {"priority": "normal", "tags": ["Hardware"], "custom.product": "X100", "custom.seats": "5"},
    }
    assert len(writes[0].intent) == 5
    assert (writes[1].intent, writes[2].intent) == ((note,), (reply,))
    assert writes[1].request["note"]["private"] is True
    assert writes[1].request["note"]["body"].startswith("a &lt; b<!-- ")
    assert mark(writes[1].request["note"]["body"]) == "k:2"
    assert writes[2].request["reply"] == {"body": "hello"}
    assert json.loads(json.dumps([write.request for write in writes])) == [write.request for write in writes]


def test_messages_with_the_same_words_are_remembered() -> None:
    note = Note(public=False, body="wait\nhere")
    said = (("7", "wait here"), ("8", "other"), ("9", "wait\n\nhere"))
    messages = tuple(
        Message(act=Act(sequence=1, id=key, at=1, who=Who.BOT), public=False, body=body) for key, body in said
    )
    (write,) = prepared(note, of=replace(snapshot(), messages=messages)).writes
    assert write.request["known"] == ["7", "9"]


def test_tags_keep_their_spelling_and_their_order() -> None:
    assert with_tags(["B", "a"], ["b", "c"], ["A"]) == ["B", "c"]
    assert with_tags([], ["x"], []) == ["x"]
    assert with_tags(["x"], [], ["x"]) == []


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (ChangeTags(add=frozenset({"x" * 33})), "32 characters"),
        (ChangeTags(add=frozenset({"a,b"})), "commas"),
        (ChangeTags(add=frozenset({" a"})), "tag ' a' is not added"),
        (SetField(field="custom.product", value="X300"), "Freshdesk takes X100, X200, a, b"),
        (SetField(field="custom.colour", value="red"), "do not map it"),
        (Follow(person=BEN), "Ben does not follow"),
    ],
)
def test_what_freshdesk_cannot_do_is_said(action: VendorAction, words: str) -> None:
    made = prepared(action)
    assert made.writes == ()
    assert words in made.gaps[0]


@pytest.mark.parametrize(
    ("row", "action", "words"),
    [
        ({"tags": ...}, ChangeTags(add=frozenset({"x"})), "tags is not changed"),
        ({"priority": ...}, RaisePriority(at_least=Priority.HIGH), "priority is not changed"),
        ({"priority": 9}, RaisePriority(at_least=Priority.HIGH), "priority is not changed"),
        ({"responder_id": ...}, Assign(group=TIER2, assignee=None), "assignee is not changed"),
        ({"group_id": ...}, Assign(group=TIER2, assignee=None), "group is not changed"),
    ],
)
def test_what_the_ticket_hides_is_not_written_over(
    row: dict[str, Any], action: VendorAction, words: str
) -> None:
    shown = {name: value for name, value in (ROW | row).items() if value is not ...}
    made = prepared(action, of=read_ticket(shown, References(account=account()), read_at=5))
    assert made.writes == ()
    assert words in made.gaps[0]


def test_null_tags_are_none_and_get_ours() -> None:
    made = prepared(ChangeTags(add=frozenset({"x"})), of=snapshot(tags=None))
    assert [write.request["tags"] for write in made.writes] == [{"add": ["x"], "remove": []}]
    assert made.gaps == ()


def test_a_field_whose_choices_are_not_told_takes_anything() -> None:
    assert requests(SetField(field="custom.seats", value="many"))
