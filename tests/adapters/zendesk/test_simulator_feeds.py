"""The incremental export, the lists, search, and SLA targets (vendor sheet 1.2, 1.5, 1.6)."""

import base64
from typing import Any

import pytest

from tests.adapters.zendesk.simulated import START, Api


def export(api: Api, **query: Any) -> dict[str, Any]:
    body: dict[str, Any] = api.get("incremental/tickets/cursor", **query).json()
    return body


def numbers(page: dict[str, Any]) -> list[int]:
    return [ticket["id"] for ticket in page["tickets"]]


def with_tickets(count: int, **switches: Any) -> Api:
    api = Api(**switches)
    for _ in range(count - 1):
        api.desk.open(requester="Cleo", subject="More")
    return api


def test_the_last_minute_is_left_out() -> None:
    api = Api()
    api.clock.pass_by(59)
    assert numbers(export(api, start_time=START - 1000)) == []
    api.clock.pass_by(1)
    assert numbers(export(api, start_time=START - 1000)) == [1]


def test_the_cursor_names_the_last_row_and_is_there_at_the_end_too() -> None:
    api = with_tickets(3)
    api.clock.pass_by(60)
    page = export(api, start_time=START - 1000)
    assert page["end_of_stream"] is True
    assert base64.b64decode(page["after_cursor"]) == f"{START}.0||3|".encode()
    assert "cursor=" in page["after_url"]
    assert "%3D" in page["after_url"]


def test_pages_follow_each_other_without_loss_even_within_one_second() -> None:
    api = with_tickets(5)
    api.clock.pass_by(60)
    page = export(api, start_time=START - 1000, per_page=2)
    seen = numbers(page)
    while not page["end_of_stream"]:
        page = export(api, cursor=page["after_cursor"], per_page=2)
        seen += numbers(page)
    assert seen == [1, 2, 3, 4, 5]


def test_after_the_end_the_same_cursor_gives_only_what_changed_since() -> None:
    api = with_tickets(2)
    api.clock.pass_by(60)
    cursor = export(api, start_time=START - 1000)["after_cursor"]
    assert numbers(export(api, cursor=cursor)) == []
    api.desk.agent_says(1, "Ann", "Hello")
    api.clock.pass_by(60)
    assert numbers(export(api, cursor=cursor)) == [1]


def test_the_cursor_of_an_empty_first_page_goes_on_too() -> None:
    api = Api()
    cursor = export(api, start_time=START - 1000)["after_cursor"]
    api.clock.pass_by(60)
    assert numbers(export(api, cursor=cursor)) == [1]


@pytest.mark.parametrize(("null", "kept"), [(False, True), (True, False)])
def test_an_empty_page_keeps_the_cursor_or_gives_none(null: bool, kept: bool) -> None:
    api = Api(export_null_cursor=null)
    api.clock.pass_by(60)
    cursor = export(api, start_time=START - 1000)["after_cursor"]
    assert export(api, cursor=cursor)["after_cursor"] == (cursor if kept else None)


def test_a_page_may_begin_with_the_last_row_of_the_one_before() -> None:
    api = with_tickets(3, export_repeats=True)
    api.clock.pass_by(60)
    first = export(api, start_time=START - 1000, per_page=2)
    assert numbers(export(api, cursor=first["after_cursor"])) == [2, 3]


def test_a_system_update_comes_again_with_an_old_updated_at() -> None:
    api = Api()
    api.clock.pass_by(100)
    api.desk.system_touch(1)
    api.clock.pass_by(60)
    (row,) = export(api, start_time=START + 50)["tickets"]
    assert row["generated_timestamp"] == START + 100
    assert row["updated_at"] == "2026-09-21T14:13:20Z"


def test_a_deleted_ticket_comes_scrubbed_unless_excluded() -> None:
    api = Api()
    api.desk.delete(1, "Ann")
    api.clock.pass_by(60)
    (row,) = export(api, start_time=START - 1000)["tickets"]
    assert (row["status"], row["subject"], row["description"]) == ("deleted", "SCRUBBED", "SCRUBBED")
    assert numbers(export(api, start_time=START - 1000, exclude_deleted="true")) == []


def test_an_archived_ticket_stays_in_the_export_and_leaves_the_lists() -> None:
    api = Api()
    api.desk.rule_changes(1, status="closed")
    api.desk.archive(1)
    api.clock.pass_by(60)
    assert numbers(export(api, start_time=START - 1000)) == [1]
    assert api.get("tickets").json()["tickets"] == []
    assert api.get("tickets/1").status_code == 200


@pytest.mark.parametrize(("switch", "status"), [("refuse", 400), ("empty", 200)])
def test_a_start_within_the_last_minute_is_refused_or_empty(switch: str, status: int) -> None:
    api = Api(recent_start=switch)
    assert api.get("incremental/tickets/cursor", start_time=START - 59).status_code == status
    assert api.get("incremental/tickets/cursor", start_time=START - 60).status_code == 200


def test_the_export_is_for_admins() -> None:
    api = Api()
    api.desk.access.allow("anns", 21)
    path = "/api/v2/incremental/tickets/cursor?start_time=1"
    assert api.call("GET", path, token="anns").status_code == 403


def test_the_eleventh_export_call_in_a_minute_is_429() -> None:
    api = Api()
    codes = [api.get("incremental/tickets/cursor", start_time=1).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]


@pytest.mark.parametrize("cursor", ["?", "bm9uc2Vuc2U=", "é"])
def test_a_broken_cursor_is_refused(cursor: str) -> None:
    assert Api().get("incremental/tickets/cursor", cursor=cursor).status_code == 400


def test_a_list_that_fills_its_last_page_is_followed_by_an_empty_one() -> None:
    api = with_tickets(2)
    full = api.get("tickets", **{"page[size]": 2}).json()
    assert full["meta"]["has_more"] is True
    empty = api.get("tickets", **{"page[size]": 2, "page[after]": full["meta"]["after_cursor"]}).json()
    assert empty["tickets"] == []
    assert empty["meta"] == {"has_more": False, "after_cursor": None, "before_cursor": None}
    assert empty["links"]["next"] is None


def test_a_list_goes_on_where_it_was_when_a_row_is_gone() -> None:
    api = with_tickets(4)
    cursor = api.get("tickets", **{"page[size]": 2}).json()["meta"]["after_cursor"]
    api.desk.delete(2)
    page = api.get("tickets", **{"page[size]": 2, "page[after]": cursor}).json()
    assert numbers(page) == [3, 4]


def test_search_export_finds_open_tickets_by_pages() -> None:
    api = with_tickets(3)
    api.put(2, assignee_id=21, status="solved")
    query = {"query": "type:ticket status<solved", "filter[type]": "ticket", "page[size]": 1}
    first = api.get("search/export", **query).json()
    second = api.get("search/export", **query, **{"page[after]": first["meta"]["after_cursor"]}).json()
    assert [row["id"] for row in first["results"] + second["results"]] == [1, 3]
    assert first["results"][0]["result_type"] == "ticket"
    assert first["links"]["next"].startswith("http://acme.zendesk.test/api/v2/search/export?")


def test_search_export_needs_its_filter() -> None:
    assert Api().get("search/export", query="type:ticket").status_code == 422


def test_search_export_can_be_refused_and_lag() -> None:
    query = {"query": "type:ticket", "filter[type]": "ticket"}
    assert Api(search_export="forbidden").get("search/export", **query).status_code == 403
    slow = Api(search_lag=30)
    assert slow.get("search/export", **query).json()["results"] == []
    slow.clock.pass_by(30)
    assert len(slow.get("search/export", **query).json()["results"]) == 1


def test_a_search_that_is_not_played_says_so() -> None:
    query = {"query": "type:ticket fieldvalue:1", "filter[type]": "ticket"}
    assert Api().get("search/export", **query).status_code == 501


POLICY = {
    "title": "All",
    "policy_metrics": [
        {"priority": "high", "metric": "first_reply_time", "target": 60, "business_hours": False},
        {"priority": "high", "metric": "next_reply_time", "target": 30, "business_hours": False},
    ],
}


def targets(api: Api) -> dict[str, dict[str, Any]]:
    rows = api.get("tickets/1", include="slas").json()["ticket"]["slas"]["policy_metrics"]
    return {row["metric"]: row for row in rows}


def test_a_ticket_without_priority_has_no_target() -> None:
    api = Api()
    api.desk.seed(sla_policies=[POLICY])
    assert targets(api) == {}


def test_a_deadline_passes_without_a_trace() -> None:
    api = Api()
    api.desk.seed(sla_policies=[POLICY])
    api.put(priority="high")
    first = targets(api)["first_reply_time"]
    assert first == {
        "breach_at": "2026-09-21T15:13:20Z",
        "stage": "active",
        "metric": "first_reply_time",
        "hours": 1,
    }
    before = api.ticket()
    api.clock.pass_by(3700)
    late = targets(api)["first_reply_time"]
    assert (late["stage"], late["breach_at"], late["minutes"]) == ("active", "2026-09-21T15:13:20Z", -2)
    assert api.ticket() == before


def test_a_public_reply_achieves_the_first_target_and_a_customer_starts_the_next() -> None:
    api = Api()
    api.desk.seed(sla_policies=[POLICY])
    api.put(priority="high")
    api.desk.agent_says(1, "Ann", "internal", public=False)
    assert targets(api)["first_reply_time"]["stage"] == "active"
    api.desk.agent_says(1, "Ann", "Hello")
    assert targets(api)["first_reply_time"]["stage"] == "achieved"
    api.clock.pass_by(600)
    api.desk.customer_says(1, "Still burning")
    assert targets(api)["next_reply_time"]["breach_at"] == "2026-09-21T14:53:20Z"


def test_targets_can_be_set_by_hand_and_read_null_after_an_update() -> None:
    api = Api(sla_lag=15)
    api.desk.set_target(1, "first_reply_time", stage="paused", breach=START + 90)
    assert targets(api)["first_reply_time"]["breach_at"] is None
    api.clock.pass_by(15)
    shown = targets(api)["first_reply_time"]
    assert (shown["breach_at"], shown["stage"]) == ("2026-09-21T14:14:50Z", "paused")


def test_counters_follow_what_people_do() -> None:
    api = Api()
    api.clock.pass_by(120)
    api.desk.agent_says(1, "Ann", "Hello", assignee="Ann", status="solved")
    api.clock.pass_by(60)
    api.desk.customer_says(1, "No")
    api.desk.agent_changes(1, "Ann", group="Tier 2", assignee="Ben")
    counted = api.get("tickets/1", include="metric_sets").json()["ticket"]["metric_set"]
    assert (counted["replies"], counted["reopens"]) == (1, 1)
    assert (counted["assignee_stations"], counted["group_stations"]) == (2, 2)
    assert counted["reply_time_in_minutes"] == {"calendar": 2, "business": 2}
    assert counted["solved_at"] is None


def test_a_customers_word_opens_a_solved_ticket() -> None:
    api = Api()
    api.put(assignee_id=21, status="solved")
    api.desk.customer_says(1, "No")
    assert api.ticket()["status"] == "open"


def test_an_automatic_reply_comes_through_a_rule() -> None:
    api = Api()
    api.desk.rule_says(1, "We got it")
    last = api.get("tickets/1/comments").json()["comments"][-1]
    assert (last["via"]["channel"], last["author_id"]) == ("rule", -1)


def test_a_merged_ticket_closes_with_its_tag() -> None:
    api = with_tickets(2)
    api.put(1, assignee_id=21)
    api.desk.merge(1, 2, "Ann")
    source = api.ticket(1)
    assert (source["status"], source["tags"]) == ("closed", ["closed_by_merge"])
    with pytest.raises(ValueError, match="ticket 1 is closed"):
        api.desk.agent_says(1, "Ann", "too late")


def test_spam_is_deleted_and_its_sender_suspended() -> None:
    api = Api()
    api.desk.mark_as_spam(1, "Ann")
    assert api.get("tickets/1").status_code == 404
    assert api.desk.people.user("Cleo")["suspended"] is True
