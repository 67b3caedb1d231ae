"""From actions to PUT bodies: fewest requests, nothing that already holds, gaps said."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from adapters.base import Note, Prepared, VendorAction
from adapters.zendesk.people import References
from adapters.zendesk.ticket import read_ticket
from adapters.zendesk.writes import prepare_write
from policies.model import Group, Person, Priority, Ticket
from policies.plan import Assign, ChangeTags, Follow, RaisePriority, SetField
from tests.adapters.zendesk.world import account

TIER_2 = Group(id="12", name="Tier 2")
BEN = Person(id="22", name="Ben", address="ben@acme.test")
NOTE = Note(public=False, body="escalated")
REPLY = Note(public=True, body="we are on it")
FIELDS = {"product": "360001", "size": "360002", "parts": "360003"}


def snapshot(**row: Any) -> Ticket:
    whole = {
        "id": 1,
        "status": "open",
        "priority": "normal",
        "tags": ["hardware", "vip"],
        "group_id": 11,
        "assignee_id": 21,
        "updated_at": "2026-11-25T11:00:00Z",
        "custom_fields": [{"id": 360001, "value": "X100"}, {"id": 360002, "value": "7"}],
    }
    return read_ticket(whole | row, References(account=account(fields=FIELDS)), read_at=0)


def prepared(*actions: VendorAction, **row: Any) -> Prepared:
    return prepare_write(account(fields=FIELDS), snapshot(**row), actions, "acme/1:p:l:1")


def body(*actions: VendorAction, **row: Any) -> Any:
    """The ticket body of the only write, or None if there is none."""
    writes = prepared(*actions, **row).writes
    assert len(writes) <= 1
    return writes[0].request["ticket"] if writes else None


def test_everything_travels_in_one_request_with_the_first_comment() -> None:
    actions: tuple[VendorAction, ...] = (
        Assign(group=TIER_2, assignee=BEN),
        RaisePriority(at_least=Priority.HIGH),
        ChangeTags(add=frozenset({"escalated"}), remove=frozenset({"hardware"})),
        SetField(field="custom.product", value="X200"),
        SetField(field="custom.parts", value=("a", "b")),
        Follow(person=BEN),
        NOTE,
        REPLY,
    )
    first, second = prepared(*actions).writes
    assert first.request["ticket"] == {
        "group_id": 12,
        "assignee_id": 22,
        "priority": "high",
        "tags": ["escalated", "vip"],
        "custom_fields": [{"id": 360001, "value": "X200"}, {"id": 360003, "value": ["a", "b"]}],
        "followers": [{"user_id": "22", "action": "put"}],
        "comment": {"body": "escalated", "public": False},
    }
    assert second.request["ticket"] == {"comment": {"body": "we are on it", "public": True}}
    assert (first.key, second.key) == ("acme/1:p:l:1:1", "acme/1:p:l:1:2")
    assert (first.intent, second.intent) == (actions[:-1], (REPLY,))
    assert first.expects == second.expects == "2026-11-25T11:00:00Z"
    assert json.loads(json.dumps(asdict(first)["request"])) == first.request


@pytest.mark.parametrize(
    "action",
    [
        Assign(group=Group(id="11", name="other spelling"), assignee=Person(id="21", name="Ann")),
        RaisePriority(at_least=Priority.NORMAL),
        RaisePriority(at_least=Priority.LOW),
        ChangeTags(add=frozenset({"vip"}), remove=frozenset({"absent"})),
        SetField(field="custom.product", value="X100"),
        SetField(field="custom.size", value=7),
        SetField(field="custom.parts", value=None),
    ],
)
def test_what_already_holds_is_left_out(action: VendorAction) -> None:
    assert prepared(action) == Prepared(writes=())


def test_a_comment_alone_is_one_request() -> None:
    assert body(NOTE, RaisePriority(at_least=Priority.LOW)) == {
        "comment": {"body": "escalated", "public": False}
    }


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Assign(group=TIER_2, assignee=None), {"group_id": 12, "assignee_id": None}),
        (Assign(group=TIER_2, assignee=Person(id="21", name="Ann")), {"group_id": 12, "assignee_id": 21}),
        (Assign(group=None, assignee=None), {"group_id": None, "assignee_id": None}),
        (Assign(group=None, assignee=BEN), {"assignee_id": 22}),
    ],
)
def test_an_assignment_names_group_and_assignee(action: VendorAction, expected: dict[str, Any]) -> None:
    assert body(action) == expected


def test_no_priority_ranks_lowest() -> None:
    assert body(RaisePriority(at_least=Priority.LOW), priority=None) == {"priority": "low"}


def test_tags_are_the_whole_list_with_ours_added_and_taken() -> None:
    assert body(ChangeTags(add=frozenset({"b", "a"}))) == {"tags": ["a", "b", "hardware", "vip"]}
    assert body(ChangeTags(remove=frozenset({"hardware", "vip"}))) == {"tags": []}
    assert body(ChangeTags(add=frozenset({"vip"}), remove=frozenset({"vip"}))) is None


@pytest.mark.parametrize("tag", ["two words", "Upper", "a,b", "", "x" * 256])
def test_a_tag_zendesk_would_change_is_a_gap(tag: str) -> None:
    done = prepared(ChangeTags(add=frozenset({tag, "good"})))
    assert done.writes[0].request["ticket"]["tags"] == ["good", "hardware", "vip"]
    assert done.writes[0].intent == (ChangeTags(add=frozenset({"good"})),)
    assert len(done.gaps) == 1
    assert prepared(ChangeTags(add=frozenset({tag}))).writes == ()


def test_a_field_nobody_mapped_is_a_gap() -> None:
    done = prepared(SetField(field="custom.colour", value="red"), NOTE)
    assert done.gaps == ("custom.colour is not set: the account's fields do not map it",)
    assert done.writes[0].intent == (NOTE,)


def test_emptying_a_field_sends_null() -> None:
    assert body(SetField(field="custom.product", value=None)) == {
        "custom_fields": [{"id": 360001, "value": None}]
    }
