"""The simulated account, against the vendor sheet: access, limits, lists and single things (1, 2.3, 2.4, 2.8)."""

from typing import Any

import pytest

from adapters.freshdesk.simulator.records import stamp
from tests.adapters.freshdesk.simulated import START, Api

DAY = 86400
EVER = "2000-01-01T00:00:00Z"


@pytest.fixture
def api() -> Api:
    return Api()


def error(answer: Any) -> tuple[int, str, str]:
    (first,) = answer.json()["errors"]
    return answer.status_code, first["field"], first["code"]


def test_a_wrong_key_and_a_right_one(api: Api) -> None:
    refused = api.call("GET", "/api/v2/agents/me", key="wrong")
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")
    me = api.get("agents/me").json()
    assert (me["id"], me["contact"]["name"], "admin" in me) == (api.bot, "Uptier", False)
    api.desk.access.revoke()
    assert api.get("agents/me").status_code == 401


def test_what_an_agent_who_is_no_administrator_may_not_see(api: Api) -> None:
    api.desk.people.agent("Uptier")["admin"] = False
    for path in ("agents", "agents/21", "sla_policies", "automations/4/rules"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "access_denied")
    assert api.get("agents/me").status_code == api.get("groups").status_code == 200


def test_what_is_not_played_says_so(api: Api) -> None:
    for method, path in (("GET", "search/tickets"), ("PUT", "tickets/merge"), ("DELETE", "tickets/1")):
        assert api.call(method, f"/api/v2/{path}").status_code == 501
    assert api.call("GET", "/a/tickets/1").status_code == 501
    assert api.get("tickets", filter="watching").status_code == 501
    assert api.get("tickets", company_id=31).status_code == 501
    assert api.put(due_by=EVER).status_code == 501
    assert api.post("tickets/1/notes", body="x", user_id=21).status_code == 501


def test_headers_tell_the_budget_in_floats_and_embedding_costs(api: Api) -> None:
    costs = [
        api.get(path, **query).headers["X-RateLimit-Used-CurrentRequest"]
        for path, query in (
            ("agents/me", {}),
            ("tickets/1", {"include": "stats,company"}),
            ("tickets", {"include": "stats"}),
            ("tickets", {"include": "stats,requester,company"}),
        )
    ]
    assert costs == ["1.0", "3.0", "3.0", "7.0"]
    last = api.get("groups")
    assert (last.headers["X-RateLimit-Total"], last.headers["X-RateLimit-Remaining"]) == ("700.0", "685.0")
    assert Api(float_headers=False).get("groups").headers["X-RateLimit-Total"] == "700"


@pytest.mark.parametrize("says", [True, False])
def test_an_endpoints_budget_ends_while_the_accounts_has_room(says: bool) -> None:
    api = Api(plan="growth", says_retry_after=says)
    assert {api.get("tickets").status_code for _ in range(20)} == {200}
    api.clock.pass_by(13)
    full = api.get("tickets")
    assert (full.status_code, full.content) == (429, b"")
    assert full.headers.get("Retry-After") == ("47" if says else None)
    assert full.headers["X-RateLimit-Remaining"] == "180.0"
    assert api.get("groups").status_code == 200
    api.clock.pass_by(47)
    assert api.get("tickets").status_code == 200


def test_without_a_time_the_list_has_what_was_made_lately(api: Api) -> None:
    old = api.desk.open(requester="Cleo", subject="Old", at=START - 31 * DAY)
    assert api.numbers() == [1]
    assert api.numbers(updated_since=EVER) == [1, old]
    assert api.numbers(updated_since=stamp(START)) == [1]
    assert Api(since_exclusive=True).numbers(updated_since=stamp(START)) == []


def test_the_list_is_ordered_newest_creation_first_unless_asked(api: Api) -> None:
    api.clock.pass_by(5)
    api.desk.open(requester="Cleo", subject="Two")
    api.clock.pass_by(5)
    api.desk.agent_changes(1, "Ann", priority=2)
    assert api.numbers() == [2, 1]
    assert api.numbers(order_by="updated_at", order_type="asc") == [2, 1]
    assert api.numbers(order_by="updated_at") == [1, 2]


def test_spam_deleted_and_archived_tickets_leave_the_list(api: Api) -> None:
    for number in range(2, 5):
        api.desk.open(requester="Cleo", subject=str(number))
    api.desk.delete(2)
    api.desk.mark_as_spam(3)
    api.desk.archive(4)
    assert api.numbers() == [1]
    assert (api.numbers(filter="deleted"), api.numbers(filter="spam")) == ([2], [3])
    assert (api.ticket(2)["deleted"], api.ticket(3)["spam"]) == (True, True)
    assert "deleted" not in api.ticket(1)
    assert api.get("tickets/4").status_code == 404
    assert api.get("tickets/archived/4").json()["archived"] is True
    assert api.get("tickets/archived/1").status_code == 404


def test_how_removed_tickets_show_is_a_switch() -> None:
    for how, status in (("forbidden", 403), ("missing", 404)):
        api = Api(deleted_get=how)
        api.desk.delete(1)
        assert api.get("tickets/1").status_code == status
    moved = Api(archived_get="moved", archive="forbidden")
    moved.desk.archive(1)
    assert moved.get("tickets/1").status_code == 301
    assert moved.get("tickets/archived/1").json()["code"] == "require_feature"


def test_rows_of_the_list_are_shorter_than_the_ticket(api: Api) -> None:
    (row,) = api.get("tickets", include="stats").json()
    whole = api.ticket(include="stats,company,requester")
    assert "description" not in row
    assert row["stats"]["status_updated_at"] == stamp(START)
    assert (whole["description_text"], whole["company"]) == ("It burns", {"id": 31, "name": "Initech"})
    assert whole["requester"]["email"] == "cleo@initech.test"
    assert "tags" not in Api(list_has_tags=False).get("tickets").json()[0]


def test_pages_and_their_link(api: Api) -> None:
    for number in range(4):
        api.desk.open(requester="Cleo", subject=str(number))
    first = api.get("tickets", per_page=2, order_type="asc")
    assert [row["id"] for row in first.json()] == [1, 2]
    assert first.headers["link"].startswith("< http://acme.freshdesk.test/api/v2/tickets?")
    assert first.headers["link"].endswith('page=2>;rel="next"')
    last = api.get("tickets", per_page=2, page=3, order_type="asc")
    assert [row["id"] for row in last.json()] == [5]
    assert "link" not in last.headers


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"per_page": 101}, "per_page", "invalid_value"),
        ({"per_page": "x"}, "per_page", "datatype_mismatch"),
        ({"page": 0}, "page", "datatype_mismatch"),
        ({"page": 301}, "page", "invalid_value"),
        ({"status": 2}, "status", "invalid_field"),
        ({"order_by": "subject"}, "order_by", "invalid_value"),
        ({"filter": "mine"}, "filter", "invalid_value"),
        ({"include": "conversations"}, "include", "invalid_value"),
        ({"updated_since": "soon"}, "updated_since", "invalid_date"),
    ],
)
def test_a_list_refuses_what_it_does_not_know(api: Api, query: dict[str, Any], field: str, code: str) -> None:
    assert error(api.get("tickets", **query)) == (400, field, code)


def test_what_is_not_there_is_404_without_a_body(api: Api) -> None:
    for path in ("tickets/99", "contacts/21", "groups/99", "agents/99", "tickets/99/conversations"):
        answer = api.get(path)
        assert (answer.status_code, answer.content) == (404, b"")


def test_memberships_are_told_one_by_one(api: Api) -> None:
    assert "agent_ids" not in api.get("groups").json()[0]
    assert "group_ids" not in api.get("agents").json()[0]
    assert api.get("groups/11").json()["agent_ids"] == [21]
    assert api.get("agents/21").json()["group_ids"] == [11]


def test_choices_come_in_their_shapes(api: Api) -> None:
    api.desk.people.add_status(8, "In the lab")
    choices = {row["name"]: row.get("choices") for row in api.get("ticket_fields").json()}
    assert choices["status"]["8"] == ["In the lab", "In the lab"]
    assert choices["priority"]["Urgent"] == 4
    assert choices["group"] == {"Tier 1": 11, "Tier 2": 12}
    assert choices["cf_kind"] == ["A", "B"]
    assert choices["cf_text"] is None


def test_deadlines_come_late_and_follow_late() -> None:
    api = Api()
    spans = {f"priority_{n}": {"respond_within": n * 100, "resolve_within": n * 1000} for n in range(1, 5)}
    api.desk.seed(sla_policies=[{"name": "All", "sla_target": spans}])
    number = api.desk.open(requester="Cleo", subject="New", priority=4)
    assert (api.ticket(number)["due_by"], api.ticket(number)["fr_due_by"]) == (None, None)
    api.clock.pass_by(5)
    assert api.ticket(number)["due_by"] == stamp(START + 4000)
    assert api.put(number, priority=1).json()["due_by"] == stamp(START + 4000)
    api.clock.pass_by(5)
    assert api.ticket(number)["due_by"] == stamp(START + 1000)
    assert not api.ticket(number)["is_escalated"]
    api.clock.pass_by(200)
    assert (api.ticket(number)["is_escalated"], api.ticket(number)["fr_escalated"]) == (True, True)
    assert api.get("sla_policies").json()[0]["sla_target"]["priority_1"]["respond_within"] == 100


def test_deadlines_of_older_accounts_follow_at_once() -> None:
    api = Api(recomputes=False)
    spans = {f"priority_{n}": {"respond_within": 1, "resolve_within": n} for n in range(1, 5)}
    api.desk.seed(sla_policies=[{"name": "All", "sla_target": spans}])
    assert api.put(priority=3).json()["due_by"] == stamp(START + 3)


def test_the_control_surface_over_http(api: Api) -> None:
    made = api.call("POST", "/_sim/seed", json={"contacts": [{"name": "Dan"}]}).json()
    assert made["result"]["contacts"]
    order = {"act": "open", "requester": "Dan", "subject": "By wire"}
    assert api.call("POST", "/_sim/act", json=order).json() == {"result": 2}
    assert api.call("POST", "/_sim/act", json={"act": "explode"}).status_code == 400
    assert api.call("POST", "/_sim/act", json={"act": "delete", "ticket": 99}).status_code == 400
    assert api.call("POST", "/_sim/faults", json=[{"kind": "answer", "status": 503}]).json() == {"result": 1}
    assert api.get("groups").status_code == 503
    assert api.call("POST", "/_sim/faults", json=[]).json() == {"result": 0}
    requests = api.call("GET", "/_sim/requests").json()["requests"]
    assert [(row["path"], row["status"], row["fault"]) for row in requests] == [
        ("/api/v2/groups", 503, "answer")
    ]
    tickets = api.call("GET", "/_sim/tickets").json()["tickets"]
    assert [row["ticket"]["subject"] for row in tickets] == ["Printer", "By wire"]
    assert api.call("POST", "/_sim/act", json={"act": "revoke"}).json() == {"result": None}


def test_an_unknown_switch_is_an_error() -> None:
    with pytest.raises(TypeError, match="no_such"):
        Api(no_such=1)
