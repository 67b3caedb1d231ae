"""From actions to requests: as few as can be, nothing that already holds, gaps said."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from adapters.base import Note, Prepared, VendorAction
from adapters.servicenow.answers import LONGEST, mark_of, noted, reference, replied
from adapters.servicenow.profile import profile
from adapters.servicenow.ticket import read_ticket
from adapters.servicenow.writes import prepare_write
from policies.model import Group, Person, Priority, Ticket
from policies.plan import Assign, ChangeTags, Follow, RaisePriority, SetField
from tests.adapters.servicenow.world import account

TIER_2 = Group(id="g2", name="Tier 2")
BEN = Person(id="u2", name="Ben")
NOTE = Note(public=False, body="escalated")
REPLY = Note(public=True, body="we are on it")
KEY = "acme/1:p:l:1"
FIELDS = {"product": "u_product", "flag": "u_flag"}


def snapshot(settings: dict[str, Any], **row: Any) -> Ticket:
    whole = {
        "sys_id": "a",
        "sys_mod_count": "4",
        "sys_updated_on": "2026-11-25 10:00:00",
        "state": "2",
        "priority": "3",
        "assignment_group": "g1",
        "assigned_to": "u1",
        "u_product": "X100",
        "u_flag": "",
        "correlation_display": "uptier: hardware,vip",
    }
    return read_ticket(profile(account(fields=FIELDS, settings=settings)), whole | row, read_at=0)


def prepared(*actions: VendorAction, settings: dict[str, Any] | None = None, **row: Any) -> Prepared:
    made = profile(account(fields=FIELDS, settings=settings or {}))
    return prepare_write(made, snapshot(settings or {}, **row), actions, KEY)


def request(*actions: VendorAction, **more: Any) -> Any:
    """The request of the only write, or None if there is none."""
    writes = prepared(*actions, **more).writes
    assert len(writes) <= 1
    return writes[0].request if writes else None


def test_everything_travels_in_one_request() -> None:
    actions: tuple[VendorAction, ...] = (
        Assign(group=TIER_2, assignee=BEN),
        RaisePriority(at_least=Priority.HIGH),
        ChangeTags(add=frozenset({"escalated"}), remove=frozenset({"hardware"})),
        SetField(field="custom.product", value="X200"),
        SetField(field="custom.flag", value=True),
        Follow(person=BEN),
        NOTE,
        REPLY,
    )
    (write,) = prepared(*actions).writes
    assert write.request == {
        "columns": {"assignment_group": "g2", "assigned_to": "u2", "u_product": "X200", "u_flag": "true"},
        "priority": 2,
        "tags": {"add": ["escalated"], "remove": ["hardware"]},
        "follow": ["u2"],
        "before": {
            "group": "g1",
            "assignee": "u1",
            "custom.product": "X100",
            "custom.flag": None,
            "priority": "normal",
            "tags": ["hardware", "vip"],
        },
        "say": {
            "work_notes": f"escalated\n[{reference(KEY + ':1')}]",
            "comments": "we are on it",
        },
        "known": [],
        "since": "2026-11-25 09:59:55",
    }
    assert (write.key, write.expects, write.intent) == (f"{KEY}:1", "4", actions)
    assert json.loads(json.dumps(asdict(write)["request"])) == write.request


def test_a_second_note_or_reply_is_a_request_of_its_own() -> None:
    more = Note(public=False, body="more")
    first, second = prepared(NOTE, more, REPLY, RaisePriority(at_least=Priority.HIGH)).writes
    assert first.intent == (RaisePriority(at_least=Priority.HIGH), NOTE, REPLY)
    assert second.intent == (more,)
    assert list(second.request["say"]) == ["work_notes"]
    assert (first.key, second.key) == (f"{KEY}:1", f"{KEY}:2")
    assert reference(first.key) in first.request["say"]["work_notes"]
    assert reference(second.key) in second.request["say"]["work_notes"]


@pytest.mark.parametrize(
    "action",
    [
        Assign(group=Group(id="g1", name="other spelling"), assignee=Person(id="u1", name="Ann")),
        Assign(group=None, assignee=Person(id="u1", name="Ann")),
        RaisePriority(at_least=Priority.NORMAL),
        RaisePriority(at_least=Priority.LOW),
        ChangeTags(add=frozenset({"vip"}), remove=frozenset({"absent"})),
        ChangeTags(add=frozenset({"vip"}), remove=frozenset({"vip"})),
        SetField(field="custom.product", value="X100"),
        SetField(field="custom.flag", value=None),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"tags": "label_entry"}])
def test_what_already_holds_is_left_out(action: VendorAction, settings: dict[str, Any]) -> None:
    shown = {"sys_tags": {"value": "", "display_value": "hardware, vip"}}
    assert prepared(action, settings=settings, **shown) == Prepared(writes=())


@pytest.mark.parametrize(
    ("action", "columns"),
    [
        (Assign(group=TIER_2, assignee=None), {"assignment_group": "g2", "assigned_to": ""}),
        (Assign(group=None, assignee=None), {"assignment_group": "", "assigned_to": ""}),
        (Assign(group=None, assignee=BEN), {"assigned_to": "u2"}),
        (SetField(field="custom.product", value=None), {"u_product": ""}),
        (SetField(field="custom.product", value=7), {"u_product": "7"}),
        (SetField(field="custom.product", value=("a", "b")), {"u_product": "a,b"}),
    ],
)
def test_columns_hold_text_and_none_is_empty(action: VendorAction, columns: dict[str, str]) -> None:
    assert request(action)["columns"] == columns


@pytest.mark.parametrize("wanted", list(Priority))
def test_no_priority_ranks_lowest(wanted: Priority) -> None:
    assert request(RaisePriority(at_least=wanted), priority="")["priority"] == 5 - wanted.rank


@pytest.mark.parametrize("tag", ["a,b", "a^b", "", " a", "two\nlines"])
def test_a_tag_that_would_not_come_back_is_a_gap(tag: str) -> None:
    done = prepared(ChangeTags(add=frozenset({tag, "good"})))
    assert done.writes[0].request["tags"] == {"add": ["good"], "remove": []}
    assert done.writes[0].intent == (ChangeTags(add=frozenset({"good"})),)
    assert len(done.gaps) == 1


def test_tags_that_do_not_fit_are_a_gap() -> None:
    done = prepared(ChangeTags(add=frozenset({"x" * 90})), NOTE)
    assert done.gaps == ("tags stay as they are: correlation_display holds 100 characters in all",)
    assert "tags" not in done.writes[0].request
    assert prepared(ChangeTags(add=frozenset({"x" * 90})), settings={"tags": "u_tags"}, u_tags="").gaps == ()


def test_labels_are_a_request_each() -> None:
    action = ChangeTags(add=frozenset({"late", "no-dash"}), remove=frozenset({"vip"}))
    shown = {"sys_tags": {"value": "", "display_value": "hardware, vip"}}
    done = prepared(action, NOTE, settings={"tags": "label_entry"}, **shown)
    assert [write.request.get("label") for write in done.writes] == [
        None,
        {"name": "late", "on": True},
        {"name": "vip", "on": False},
    ]
    assert len(done.gaps) == 1


def test_a_field_nobody_mapped_is_a_gap() -> None:
    done = prepared(SetField(field="custom.colour", value="red"), NOTE)
    assert done.gaps == ("custom.colour is not set: the account's fields do not map it",)
    assert done.writes[0].intent == (NOTE,)


def test_long_texts_are_cut_and_said() -> None:
    done = prepared(Note(public=False, body="n" * 5000), Note(public=True, body="r" * 5000))
    said = done.writes[0].request["say"]
    assert {name: len(text) for name, text in said.items()} == {"work_notes": LONGEST, "comments": LONGEST}
    assert said["work_notes"].endswith(f"[{reference(KEY + ':1')}]")
    assert said["comments"].endswith(" […]")
    assert len(done.gaps) == 2
    assert prepared(Note(public=True, body="r" * LONGEST)).gaps == ()


def test_nothing_of_a_customers_becomes_markup() -> None:
    assert replied("[code]<script>[/CODE]") == "(code)<script>(/CODE)"
    assert "[code]" not in noted("[Code]x", KEY)


def test_a_reply_is_known_by_its_words_and_a_note_by_its_reference() -> None:
    assert mark_of("comments", "we  are\non it") == mark_of("comments", "we are on it")
    assert mark_of("comments", "a [ref:0123456789ab]").startswith("words:")
    assert mark_of("work_notes", noted("a", KEY)) == reference(KEY)
