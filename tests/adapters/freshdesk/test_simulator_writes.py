"""Writes to the simulated account, against the vendor sheet (2.5, 2.6, 4, 5)."""

from typing import Any

import pytest

from adapters.freshdesk.simulator.records import stamp
from adapters.freshdesk.simulator.state import Trigger
from tests.adapters.freshdesk.simulated import START, Api


@pytest.fixture
def api() -> Api:
    return Api()


def error(answer: Any) -> tuple[int, str, str]:
    first = answer.json()["errors"][0]
    return answer.status_code, first["field"], first["code"]


def test_only_what_is_sent_changes(api: Api) -> None:
    api.clock.pass_by(5)
    shown = api.put(priority=3, custom_fields={"cf_kind": "A"}).json()
    assert (shown["priority"], shown["status"], shown["group_id"]) == (3, 2, 11)
    assert shown["custom_fields"] == {"cf_kind": "A", "cf_text": None}
    assert shown["updated_at"] == stamp(START + 5)
    assert api.put(custom_fields={"cf_text": "x"}).json()["custom_fields"] == {"cf_kind": "A", "cf_text": "x"}


def test_sent_tags_replace_all_tags_and_nulls_clear(api: Api) -> None:
    api.put(tags=["a", "b"])
    assert api.put(tags=["c"]).json()["tags"] == ["c"]
    assert api.put(tags=[]).json()["tags"] == []
    assert api.put(group_id=None, custom_fields={"cf_kind": None}).json()["group_id"] is None


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"note": "x"}, "note", "invalid_field"),
        ({"private": True}, "private", "invalid_field"),
        ({"status": "4"}, "status", "datatype_mismatch"),
        ({"priority": True}, "priority", "datatype_mismatch"),
        ({"priority": 5}, "priority", "invalid_value"),
        ({"status": 99}, "status", "invalid_value"),
        ({"tags": "a"}, "tags", "datatype_mismatch"),
        ({"tags": ["x" * 33]}, "tags", "invalid_value"),
        ({"custom_fields": []}, "custom_fields", "datatype_mismatch"),
        ({"custom_fields": {"cf_none": 1}}, "custom_fields.cf_none", "invalid_field"),
        ({"custom_fields": {"cf_kind": "C"}}, "custom_fields.cf_kind", "invalid_value"),
        ({"group_id": 99}, "group_id", "invalid_value"),
        ({"responder_id": 41}, "responder_id", "invalid_value"),
        ({"responder_id": 22}, "responder_id", "invalid_value"),
        ({}, "body", "missing_field"),
    ],
)
def test_a_wrong_update_changes_nothing(api: Api, fields: dict[str, Any], field: str, code: str) -> None:
    before = api.ticket()
    assert error(api.put(**fields)) == (400, field, code)
    assert api.ticket() == before


def test_the_allowed_choices_are_in_the_message(api: Api) -> None:
    message = api.put(custom_fields={"cf_kind": "C"}).json()["errors"][0]["message"]
    assert message == "It should be one of these values: 'A,B'"


def test_an_agent_needs_no_membership_where_the_switch_says_so() -> None:
    assert Api(needs_member=False).put(responder_id=22).status_code == 200


def test_closing_needs_its_fields(api: Api) -> None:
    api.desk.people.fields["cf_text"]["required_for_closure"] = True
    assert api.put(priority=2).status_code == 200
    assert error(api.put(status=4)) == (400, "custom_fields.cf_text", "invalid_value")
    assert api.put(status=4, custom_fields={"cf_text": "done"}).status_code == 200


@pytest.mark.parametrize("act", ["delete", "mark_as_spam"])
def test_deleted_tickets_and_spam_take_nothing(api: Api, act: str) -> None:
    getattr(api.desk, act)(1)
    assert api.put(priority=2).status_code == 405
    assert api.post("tickets/1/notes", body="x").status_code == 405
    assert api.post("tickets/1/reply", body="x").status_code == 405


def test_a_note_is_private_unless_it_says_otherwise(api: Api) -> None:
    made = api.post("tickets/1/notes", body="a<b>b</b><!-- x -->")
    assert made.status_code == 201
    note = made.json()
    assert (note["private"], note["user_id"], note["body"], note["body_text"]) == (
        True,
        api.bot,
        "<div>a<b>b</b></div>",
        "ab",
    )
    assert "source" not in note
    assert note["notified_to"] == []
    assert made.headers["location"].endswith(str(note["id"]))
    assert api.post("tickets/1/notes", body="x", private=False).json()["private"] is False
    kept = Api(keeps_comments=True).post("tickets/1/notes", body="a<!-- x -->").json()
    assert kept["body"] == "<div>a<!-- x --></div>"


@pytest.mark.parametrize(
    ("path", "fields", "field", "code"),
    [
        ("notes", {"body": 5}, "body", "datatype_mismatch"),
        ("notes", {"body": " "}, "body", "invalid_value"),
        ("notes", {"body": "x", "private": "yes"}, "private", "datatype_mismatch"),
        ("notes", {"body": "x", "public": True}, "public", "invalid_field"),
        ("reply", {"body": "x", "private": True}, "private", "invalid_field"),
    ],
)
def test_a_wrong_message_is_refused(
    api: Api, path: str, fields: dict[str, Any], field: str, code: str
) -> None:
    assert error(api.post(f"tickets/1/{path}", **fields)) == (400, field, code)
    assert api.desk.ticket(1).conversations == []


def test_broken_json_is_refused(api: Api) -> None:
    answer = api.call("PUT", "/api/v2/tickets/1", content=b"{")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


def test_conversations_come_oldest_first_in_pages(api: Api) -> None:
    for number in range(35):
        api.desk.agent_says(1, "Ann", str(number), public=False)
    api.desk.customer_says(1, "last")
    first = api.get("tickets/1/conversations")
    assert [row["body_text"] for row in first.json()] == [str(number) for number in range(30)]
    last = api.get("tickets/1/conversations", page=2).json()[-1]
    assert (last["body_text"], last["incoming"], last["private"], last["source"]) == ("last", True, False, 0)
    embedded = api.ticket(include="conversations")["conversations"]
    assert [row["body_text"] for row in embedded] == [str(number) for number in range(10)]


def test_what_machines_wrote_is_told_or_not() -> None:
    for tells in (True, False):
        api = Api(tells_automation=tells)
        api.desk.rule_says(1, "by rule")
        (row,) = api.get("tickets/1/conversations").json()
        assert (row.get("automation_id") is not None) is tells


@pytest.mark.parametrize("touch", [True, False])
def test_whether_a_private_note_moves_the_ticket_is_a_switch(touch: bool) -> None:
    api = Api(notes_touch=touch)
    api.clock.pass_by(5)
    api.post("tickets/1/notes", body="x")
    assert api.ticket()["updated_at"] == stamp(START + (5 if touch else 0))
    api.post("tickets/1/reply", body="x")
    assert api.ticket()["updated_at"] == stamp(START + 5)


def test_stats_remember_responses_and_the_status(api: Api) -> None:
    for act in (
        lambda: api.desk.agent_says(1, "Ann", "one"),
        lambda: api.desk.agent_says(1, "Ann", "two", status=4),
        lambda: api.desk.customer_says(1, "no"),
        lambda: api.desk.agent_changes(1, "Ann", status=3),
    ):
        api.clock.pass_by(10)
        act()
    stats = api.ticket(include="stats")["stats"]
    assert {name: stats[name] for name in stats if stats[name]} == {
        "first_responded_at": stamp(START + 10),
        "agent_responded_at": stamp(START + 20),
        "requester_responded_at": stamp(START + 30),
        "resolved_at": stamp(START + 20),
        "reopened_at": stamp(START + 30),
        "pending_since": stamp(START + 40),
        "status_updated_at": stamp(START + 40),
    }


def test_a_reply_over_the_api_may_set_a_status() -> None:
    api = Api(reply_status=3)
    api.post("tickets/1/reply", body="x")
    assert api.ticket()["status"] == 3


def test_a_rule_may_take_back_what_was_written(api: Api) -> None:
    api.desk.triggers.append(Trigger(when={"group_id": 12}, fields={"group_id": 11}))
    assert api.put(group_id=12).json()["group_id"] == 12
    assert api.ticket()["group_id"] == 11


def test_a_merged_ticket_is_closed_and_says_no_more(api: Api) -> None:
    api.desk.open(requester="Cleo", subject="Same")
    api.desk.merge(1, 2, "Ann")
    assert api.ticket()["status"] == 5
    assert "merged" not in str(sorted(api.ticket()))


def test_people_do_not_change_what_is_gone(api: Api) -> None:
    api.desk.delete(1)
    with pytest.raises(ValueError, match="deleted"):
        api.desk.agent_says(1, "Ann", "x")
    api.desk.restore(1)
    api.desk.agent_says(1, "Ann", "x")
    with pytest.raises(KeyError, match="no agent 'Zoe'"):
        api.desk.agent_says(1, "Zoe", "x")
