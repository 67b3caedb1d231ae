"""PUT /tickets/{id}: what it changes, refuses and leaves as a trail (vendor sheet 1.2, 1.3, 3, 4)."""

from typing import Any

import pytest

from adapters.zendesk.simulator.state import Trigger
from tests.adapters.zendesk.simulated import Api

NOTE = {"body": "Looking into it", "public": False}


def changes(audit: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        event["field_name"]: (event["previous_value"], event["value"])
        for event in audit["events"]
        if event["type"] == "Change"
    }


def details(reply: Any) -> list[str]:
    body = reply.json()
    assert (reply.status_code, body["error"]) == (422, "RecordInvalid")
    return [problem["description"] for problems in body["details"].values() for problem in problems]


def test_one_put_is_one_audit_with_everything_in_it() -> None:
    api = Api()
    reply = api.put(priority="high", assignee_id=21, tags=["hot"], comment=NOTE).json()
    assert changes(reply["audit"]) == {
        "priority": (None, "high"),
        "assignee_id": (None, "21"),
        "tags": ([], ["hot"]),
        "status": ("new", "open"),
    }
    assert [event["type"] for event in reply["audit"]["events"]].count("Comment") == 1
    assert reply["audit"] == api.get("tickets/1/audits").json()["audits"][-1]
    assert reply["ticket"]["priority"] == api.ticket()["priority"] == "high"


def test_an_audit_names_its_author_the_user_agent_and_our_mark() -> None:
    api = Api()
    audit = api.put(comment=NOTE, metadata={"uptier": {"key": "k1"}}).json()["audit"]
    assert audit["author_id"] == api.bot
    assert audit["metadata"]["system"]["client"] == "uptier-test/1"
    assert audit["metadata"]["custom"] == {"uptier": {"key": "k1"}}
    assert audit["via"]["channel"] == "api"


def test_metadata_can_be_lost_by_switch() -> None:
    audit = Api(keeps_metadata=False).put(comment=NOTE, metadata={"uptier": {"key": "k1"}}).json()["audit"]
    assert audit["metadata"]["custom"] == {}


def test_an_audits_comment_is_the_comment() -> None:
    api = Api()
    audit = api.put(comment=NOTE).json()["audit"]
    last = api.get("tickets/1/comments").json()["comments"][-1]
    assert (last["audit_id"], last["id"]) == (audit["id"], audit["events"][0]["id"])
    assert (last["body"], last["public"], last["author_id"]) == ("Looking into it", False, api.bot)
    assert last["html_body"].startswith('<div class="zd-comment" dir="auto"><p dir="auto">')


def test_html_comes_back_as_text_too() -> None:
    api = Api()
    api.put(comment={"html_body": "<p>One &amp; two</p><p>three</p>", "public": True})
    last = api.get("tickets/1/comments").json()["comments"][-1]
    assert last["body"] == "One & two\nthree"
    assert last["html_body"] == "<p>One &amp; two</p><p>three</p>"


def test_a_comment_that_does_not_say_is_as_public_as_the_last_one() -> None:
    api = Api()
    assert api.put(comment={"body": "a"}).json()["audit"]["events"][0]["public"] is True
    api.put(comment=NOTE)
    assert api.put(comment={"body": "b"}).json()["audit"]["events"][0]["public"] is False


def test_a_blank_comment_is_refused_and_changes_nothing() -> None:
    api = Api()
    assert details(api.put(priority="high", comment={"body": " ", "public": False})) == [
        "Comment: cannot be blank"
    ]
    assert api.ticket()["priority"] is None


def test_sent_tags_replace_all_tags() -> None:
    api = Api()
    api.put(tags=["a", "b"])
    assert api.put(tags=["B", "c", "c"]).json()["ticket"]["tags"] == ["b", "c"]


def test_unknown_keys_are_dropped_and_named_in_a_header() -> None:
    api = Api()
    reply = api.put(priority="low", additional_tags=["x"], nonsense=1)
    assert reply.status_code == 200
    assert '["ticket.additional_tags", "ticket.nonsense"]' in reply.headers["X-Zendesk-API-Warn"]
    assert reply.json()["ticket"]["tags"] == []


def test_tag_verbs_work_on_a_single_put_by_switch() -> None:
    api = Api(tag_verbs_on_put=True)
    api.put(tags=["a", "b"])
    reply = api.put(additional_tags=["c"], remove_tags=["a"])
    assert reply.json()["ticket"]["tags"] == ["b", "c"]
    assert "X-Zendesk-API-Warn" not in reply.headers


def test_a_key_that_zendesk_takes_and_the_simulator_does_not_is_501() -> None:
    api = Api()
    assert api.put(priority="low", brand_id=1).status_code == 501
    assert api.ticket()["priority"] is None


@pytest.mark.parametrize("safe", [True, "true"])
def test_an_outdated_stamp_is_a_conflict_and_writes_nothing(safe: object) -> None:
    api = Api()
    stamp = api.ticket()["updated_at"]
    api.clock.pass_by(1)
    api.desk.agent_changes(1, "Ann", priority="low")
    reply = api.put(priority="urgent", safe_update=safe, updated_stamp=stamp)
    assert (reply.status_code, reply.json()["error"]) == (409, "UpdateConflict")
    assert api.ticket()["priority"] == "low"


def test_the_word_for_a_conflict_is_a_switch() -> None:
    api = Api(conflict_error="SafeUpdateConflict")
    reply = api.put(priority="low", safe_update=True, updated_stamp="2020-01-01T00:00:00Z")
    assert (reply.status_code, reply.json()["error"]) == (409, "SafeUpdateConflict")


def test_a_present_stamp_passes() -> None:
    api = Api()
    reply = api.put(priority="urgent", safe_update=True, updated_stamp=api.ticket()["updated_at"])
    assert (reply.status_code, reply.json()["ticket"]["priority"]) == (200, "urgent")


def test_a_stamp_does_not_see_a_change_within_its_second() -> None:
    api = Api()
    stamp = api.ticket()["updated_at"]
    api.desk.agent_changes(1, "Ann", priority="low")
    assert api.put(priority="urgent", safe_update=True, updated_stamp=stamp).status_code == 200


def test_a_safe_update_without_a_stamp_is_refused() -> None:
    assert Api().put(priority="urgent", safe_update=True).status_code == 400


def test_a_closed_ticket_takes_no_update() -> None:
    api = Api()
    api.desk.rule_changes(1, status="closed")
    assert details(api.put(priority="low")) == ["Status: closed prevents ticket update"]
    assert "status" in api.put(priority="low").json()["details"]


def test_a_closed_tickets_refusal_can_sit_under_base() -> None:
    api = Api(closed_under="base")
    api.desk.rule_changes(1, status="closed")
    assert list(api.put(priority="low").json()["details"]) == ["base"]


def test_a_required_field_blocks_solving_and_says_which() -> None:
    api = Api()
    api.desk.seed(ticket_fields=[{"id": 71, "title": "Cause", "type": "tagger", "required": True}])
    api.put(assignee_id=21)
    problem = api.put(status="solved").json()["details"]["base"][0]
    assert problem == {
        "ticket_field_type": "FieldTagger",
        "ticket_field_id": 71,
        "description": "Cause: is required when solving a ticket",
        "error": None,
    }
    assert api.put(status="solved", custom_fields=[{"id": 71, "value": "fire"}]).status_code == 200


def test_solving_needs_an_assignee() -> None:
    assert details(Api().put(status="solved")) == ["Assignee: is required when solving a ticket"]


@pytest.mark.parametrize("fields", [{"priority": "asap"}, {"status": "waiting"}, {"type": "bug"}])
def test_words_the_vendor_does_not_know_are_refused(fields: dict[str, str]) -> None:
    (name,) = fields
    assert details(Api().put(**fields)) == [f"{name.capitalize()}: is invalid"]


def test_new_does_not_come_back() -> None:
    api = Api()
    api.put(status="open")
    assert api.put(status="new").status_code == 422


def test_an_assignee_outside_the_group_is_refused() -> None:
    api = Api()
    assert details(api.put(group_id=11, assignee_id=22)) == ["Assignee: is not a member of the group"]
    assert api.ticket()["assignee_id"] is None


def test_an_assignee_alone_moves_the_group_when_not_a_member() -> None:
    api = Api()
    assert api.put(assignee_id=22).json()["ticket"]["group_id"] == 12


@pytest.mark.parametrize(
    ("switch", "member", "outsider"),
    [("clear_if_not_member", 23, None), ("clear", None, None), ("keep", 23, 21)],
)
def test_a_group_alone_clears_the_assignee_by_switch(
    switch: str, member: int | None, outsider: int | None
) -> None:
    api = Api(group_alone=switch)
    api.put(assignee_id=23)
    assert api.put(group_id=12).json()["ticket"]["assignee_id"] == member
    api = Api(group_alone=switch)
    api.put(assignee_id=21)
    reply = api.put(group_id=12)
    if switch == "keep":
        assert details(reply) == ["Assignee: is not a member of the group"]
        outsider = api.ticket()["assignee_id"]
    assert api.ticket()["assignee_id"] == outsider


def test_a_suspended_or_light_agent_cannot_own_a_ticket() -> None:
    api = Api()
    api.desk.people.user("Ann")["suspended"] = True
    api.desk.people.user("Both")["only_private_comments"] = True
    assert details(api.put(assignee_id=21)) == ["Assignee: is invalid"]
    assert details(api.put(assignee_id=23)) == ["Assignee: is invalid"]


def test_assigning_opens_a_new_ticket_unless_switched_off() -> None:
    assert Api().put(assignee_id=21).json()["ticket"]["status"] == "open"
    assert Api(assigning_opens=False).put(assignee_id=21).json()["ticket"]["status"] == "new"


def test_an_id_that_is_no_number_is_refused_with_an_object_under_error() -> None:
    reply = Api().put(assignee_id="ann")
    assert reply.status_code == 400
    assert "assignee_id must be an integer from api/v2/tickets/update" in reply.json()["error"]["message"]


def test_a_drop_down_value_is_also_a_tag() -> None:
    api = Api()
    api.desk.seed(ticket_fields=[{"id": 71, "title": "Cause", "type": "tagger"}])
    api.put(tags=["x"], custom_fields=[{"id": 71, "value": "fire"}])
    assert api.ticket()["tags"] == ["x", "fire"]
    reply = api.put(custom_fields=[{"id": 71, "value": "water"}]).json()
    assert reply["ticket"]["tags"] == ["x", "water"]
    assert reply["ticket"]["custom_fields"] == [{"id": 71, "value": "water"}]
    assert changes(reply["audit"])["71"] == ("fire", "water")


def test_followers_are_added_and_taken_away() -> None:
    api = Api()
    first = api.put(followers=[{"user_id": "21", "action": "put"}, {"user_email": "ben@acme.test"}]).json()
    assert first["ticket"]["follower_ids"] == first["ticket"]["collaborator_ids"] == [21, 22]
    gone = api.put(followers=[{"user_id": 21, "action": "delete"}]).json()
    assert gone["ticket"]["follower_ids"] == [22]


def test_nothing_to_change_leaves_no_trail() -> None:
    api = Api()
    before = api.ticket()
    api.clock.pass_by(5)
    reply = api.put(status="new").json()
    assert reply["audit"] is None
    assert (len(api.desk.ticket(1).audits), api.ticket()) == (1, before)


def test_nothing_to_change_leaves_an_empty_audit_by_switch() -> None:
    reply = Api(empty_update_makes_audit=True).put(status="new").json()
    assert reply["audit"]["events"] == []


def test_a_trigger_adds_to_our_audit_as_a_rule() -> None:
    api = Api()
    api.desk.triggers.append(Trigger(when={"priority": "urgent"}, fields={"tags": ["vip"]}))
    audit = api.put(priority="urgent").json()["audit"]
    assert audit["author_id"] == api.bot
    (ours, rule) = audit["events"]
    assert (ours["field_name"], "via" in ours) == ("priority", False)
    assert (rule["field_name"], rule["via"]["channel"]) == ("tags", "rule")


def test_audits_can_be_asked_newest_first_or_come_so() -> None:
    def ids(api: Api, **query: str) -> list[int]:
        return [audit["id"] for audit in api.get("tickets/1/audits", **query).json()["audits"]]

    api = Api()
    api.put(comment=NOTE)
    oldest = ids(api)
    assert oldest == sorted(oldest)
    assert ids(api, sort="-created_at") == oldest[::-1]
    stubborn = Api(audits_newest_first=True, audits_sortable=False)
    stubborn.put(comment=NOTE)
    assert ids(stubborn, sort="created_at") == sorted(ids(stubborn), reverse=True)


def test_audits_come_in_cursor_pages_in_either_direction() -> None:
    api = Api(empty_last_page=False)
    for word in "abcd":
        api.put(comment={"body": word, "public": False})
    for sort in ("created_at", "-created_at"):
        seen: list[int] = []
        query: dict[str, Any] = {"page[size]": 2, "sort": sort}
        while query:
            page = api.get("tickets/1/audits", **query).json()
            seen += [audit["id"] for audit in page["audits"]]
            query = query | {"page[after]": page["meta"]["after_cursor"]} if page["meta"]["has_more"] else {}
        everything = [audit["id"] for audit in api.desk.ticket(1).audits]
        assert seen == (everything if sort == "created_at" else everything[::-1])


def test_the_thirty_first_put_on_one_ticket_within_ten_minutes_is_429() -> None:
    api = Api()
    for count in range(30):
        assert api.put(tags=[str(count)]).status_code == 200
    reply = api.put(tags=["more"])
    assert (reply.status_code, reply.json()["error"]) == (429, "APIRateLimitExceeded")
    assert reply.headers["Retry-After"] == "600"
    assert int(reply.headers["X-Rate-Limit-Remaining"]) > 600
    api.clock.pass_by(600)
    assert api.put(tags=["more"]).status_code == 200


def test_a_429_may_come_without_retry_after() -> None:
    api = Api(limits={"account": (1, 60)}, says_retry_after=False)
    assert api.get("users/me").status_code == 200
    reply = api.get("users/me")
    assert reply.status_code == 429
    assert "Retry-After" not in reply.headers


def test_limits_are_told_in_either_spelling() -> None:
    modern = Api().put(priority="low").headers
    assert modern["zendesk-ratelimit-tickets-update"] == "total=100; remaining=99; resets=60"
    assert modern["zendesk-ratelimit-per-ticket-updates"] == "total=30; remaining=29; resets=600"
    assert (modern["X-Rate-Limit"], modern["ratelimit-remaining"]) == ("700", "699")
    older = Api(limit_headers="rate-limit", limits={"tickets-update": (20, 60)}).put(priority="low").headers
    assert older["zendesk-rate-limit-tickets-update"] == "total=20; remaining=19; resets=60"
    assert older["rate-limit-remaining"] == "699"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"comment": "text"}, 400),
        ({"comment": {"body": "x", "uploads": ["t"]}}, 501),
        ({"comment": {"body": "x", "author_id": 99}}, 422),
        ({"tags": "hot"}, 400),
        ({"tags": [1]}, 400),
        ({"custom_fields": {"71": "x"}}, 400),
        ({"metadata": "k1"}, 400),
        ({"followers": [21]}, 400),
        ({"followers": [{"user_id": 41}]}, 422),
        ({"followers": [{"user_email": "nobody@acme.test"}]}, 422),
        ({"group_id": 99}, 422),
        ({"assignee_id": 41, "group_id": 11}, 422),
        ({"safe_update": True, "updated_stamp": "yesterday"}, 400),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_and_nothing_is_written(
    fields: dict[str, Any], status: int
) -> None:
    api = Api()
    assert api.put(priority="high", **fields).status_code == status
    assert (api.ticket()["priority"], len(api.desk.ticket(1).audits)) == (None, 1)
    assert api.desk.log[0].applied is False


def test_a_light_agent_may_not_speak_in_public() -> None:
    api = Api()
    api.desk.people.user("Ann")["only_private_comments"] = True
    said = {"body": "x", "author_id": 21}
    assert api.put(comment={**said, "public": True}).status_code == 422
    assert api.put(comment={**said, "public": False}).status_code == 200


def test_an_unknown_custom_field_is_left_out() -> None:
    assert Api().put(custom_fields=[{"id": 99, "value": "x"}]).json()["ticket"]["custom_fields"] == []


def test_a_ticket_opens_with_what_it_is_given_and_says_so_in_its_first_audit() -> None:
    api = Api()
    api.desk.seed(ticket_fields=[{"id": 71, "title": "Cause", "type": "text"}])
    number = api.desk.open(
        requester="Cleo",
        subject="Old",
        submitter="Ann",
        assignee="Ben",
        custom={"71": "fire"},
        at=1_700_000_000,
    )
    ticket = api.ticket(number)
    assert (ticket["status"], ticket["assignee_id"], ticket["group_id"]) == ("open", 22, 12)
    assert (ticket["created_at"], ticket["submitter_id"]) == ("2023-11-14T22:13:20Z", 21)
    (audit,) = api.get(f"tickets/{number}/audits").json()["audits"]
    created = {event["field_name"]: event["value"] for event in audit["events"] if event["type"] == "Create"}
    assert created["71"] == "fire"
    assert created["status"] == "open"
    assert created["requester_id"] == "41"


def test_a_deleted_ticket_is_404_for_readers_and_writers() -> None:
    api = Api()
    api.desk.delete(1, "Ann")
    assert [api.get("tickets/1").status_code, api.put(priority="low").status_code] == [404, 404]


def test_a_body_that_is_not_json_or_has_no_ticket_is_refused() -> None:
    api = Api()
    assert api.call("PUT", "/api/v2/tickets/1", content=b"{").status_code == 422
    assert api.call("PUT", "/api/v2/tickets/1", json={"priority": "low"}).status_code == 400
