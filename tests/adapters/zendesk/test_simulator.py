"""Who may call, what is told about people and set-up, and the bodies of refusals (vendor sheet 1.4, 1.7)."""

import base64
from importlib.metadata import entry_points

import pytest

from adapters.zendesk import simulator
from adapters.zendesk.simulator import API_KEY, BOT, CLIENT, CLIENT_SECRET
from tests.adapters.zendesk.simulated import BASE, Api

UNAUTHENTICATED = {"error": "Couldn't authenticate you"}


def basic(login: str, key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{key}".encode()).decode()}


def oauth(api: Api, **body: str) -> dict[str, str]:
    whole = {"client_id": CLIENT, "client_secret": CLIENT_SECRET, **body}
    reply: dict[str, str] = api.call("POST", "/oauth/tokens", json=whole).json()
    return reply


def test_the_bot_is_who_the_token_acts_as() -> None:
    api = Api()
    me = api.get("users/me").json()["user"]
    assert (me["id"], me["email"], me["role"]) == (api.bot, BOT, "admin")


def test_every_path_works_with_and_without_the_json_suffix() -> None:
    api = Api()
    for path in ("users/me", "tickets/1", "tickets/1/audits", "tickets/1/comments"):
        plain, suffixed = api.get(path), api.get(f"{path}.json")
        assert (plain.status_code, plain.json()) == (suffixed.status_code, suffixed.json())


def test_an_unknown_token_is_answered_401() -> None:
    reply = Api().call("GET", "/api/v2/users/me", token="someone-elses")
    assert (reply.status_code, reply.json()) == (401, UNAUTHENTICATED)


def test_an_address_with_its_key_is_accepted_as_basic_credentials() -> None:
    api = Api()
    right = api.call("GET", "/api/v2/users/me", headers=basic(f"{BOT}/token", API_KEY))
    password = api.call("GET", "/api/v2/users/me", headers=basic(BOT, API_KEY))
    wrong = api.call("GET", "/api/v2/users/me", headers=basic(f"{BOT}/token", "no"))
    assert [right.status_code, password.status_code, wrong.status_code] == [200, 401, 401]


def test_what_is_not_basic_at_all_is_answered_401() -> None:
    reply = Api().call("GET", "/api/v2/users/me", headers={"Authorization": "Basic !!!"})
    assert reply.status_code == 401


def test_an_oauth_token_ends_with_its_life() -> None:
    api = Api(token_life=600)
    token = oauth(api, grant_type="client_credentials")["access_token"]
    assert api.call("GET", "/api/v2/users/me", token=token).status_code == 200
    api.clock.pass_by(600)
    assert api.call("GET", "/api/v2/users/me", token=token).status_code == 401


def test_a_refresh_ends_the_old_access_and_refresh_tokens() -> None:
    api = Api()
    old = oauth(api, grant_type="client_credentials")
    new = oauth(api, grant_type="refresh_token", refresh_token=old["refresh_token"])
    again = oauth(api, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert api.call("GET", "/api/v2/users/me", token=old["access_token"]).status_code == 401
    assert api.call("GET", "/api/v2/users/me", token=new["access_token"]).status_code == 200
    assert again["error"] == "invalid_grant"


def test_a_wrong_client_secret_gets_no_token() -> None:
    assert oauth(Api(), grant_type="client_credentials", client_secret="guess")["error"] == "invalid_client"


def test_an_invalid_scope_still_yields_a_token_that_may_do_nothing() -> None:
    api = Api()
    token = oauth(api, grant_type="client_credentials", scope="everything")["access_token"]
    assert api.call("GET", "/api/v2/users/me", token=token).status_code == 403


def test_a_token_that_may_only_read_cannot_write() -> None:
    api = Api()
    token = oauth(api, grant_type="client_credentials", scope="read")["access_token"]
    path, body = "/api/v2/tickets/1", {"ticket": {"priority": "high"}}
    assert api.call("GET", path, token=token).status_code == 200
    assert api.call("PUT", path, token=token, json=body).status_code == 403
    assert api.ticket()["priority"] is None


def test_revoked_credentials_are_answered_401() -> None:
    api = Api()
    api.desk.access.revoke()
    assert api.get("users/me").status_code == 401


def test_agents_are_found_by_several_roles_at_once() -> None:
    api = Api()
    found = api.call("GET", "/api/v2/users?role[]=agent&role[]=admin").json()["users"]
    assert {user["name"] for user in found} == {"Uptier", "Ann", "Ben", "Both"}


def test_memberships_say_which_group_is_the_default() -> None:
    rows = Api().get("group_memberships").json()["group_memberships"]
    both = {row["group_id"]: row["default"] for row in rows if row["user_id"] == 23}
    assert both == {11: True, 12: False}


def test_missing_organizations_are_left_out() -> None:
    rows = Api().get("organizations/show_many", ids="31,99").json()["organizations"]
    assert [row["name"] for row in rows] == ["Initech"]


def test_more_than_a_hundred_ids_are_too_many_values() -> None:
    reply = Api().get("organizations/show_many", ids=",".join(str(number) for number in range(101)))
    assert reply.status_code == 400
    assert reply.json() == {
        "error": "TooManyValues",
        "description": "Parameter  cannot specify more than 100 values",
        "max_count": 100,
    }


def test_a_ticket_carries_its_sideloads_and_the_address_it_was_asked_under() -> None:
    reply = Api().get("tickets/1", include="users,groups,organizations,metric_sets,slas").json()
    assert reply["ticket"]["url"] == f"{BASE}/api/v2/tickets/1.json"
    assert [user["id"] for user in reply["users"]] == [41]
    assert [group["id"] for group in reply["groups"]] == [11]
    assert [organization["id"] for organization in reply["organizations"]] == [31]
    assert reply["ticket"]["metric_set"]["reply_time_in_minutes"] == {"calendar": None, "business": None}
    assert reply["ticket"]["slas"] == {"policy_metrics": []}


def test_a_fresh_ticket_has_neither_priority_nor_type_nor_assignee() -> None:
    ticket = Api().ticket()
    assert [ticket[name] for name in ("status", "priority", "type", "assignee_id")] == [
        "new",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(("empty", "body"), [(False, b'"RecordNotFound"'), (True, b"")])
def test_a_missing_ticket_is_404_with_or_without_a_body(empty: bool, body: bytes) -> None:
    reply = Api(empty_404=empty).get("tickets/99")
    assert reply.status_code == 404
    assert body in reply.content
    assert empty == (reply.content == b"")


def test_a_word_for_an_id_is_refused_with_an_object_under_error() -> None:
    reply = Api().get("tickets/first")
    assert reply.status_code == 400
    assert reply.json()["error"]["title"] == "Invalid attribute"


@pytest.mark.parametrize("path", ["slas/policies", "business_hours/schedules"])
@pytest.mark.parametrize(("gate", "status"), [("open", 200), ("forbidden", 403), ("missing", 404)])
def test_plan_gated_calls_answer_by_switch(path: str, gate: str, status: int) -> None:
    name = "slas" if path == "slas/policies" else "schedules"
    assert Api(**{name: gate}).get(path).status_code == status


@pytest.mark.parametrize(("as_object", "kind"), [(False, str), (True, dict)])
def test_a_403_names_its_reason_as_text_or_object(as_object: bool, kind: type) -> None:
    reply = Api(slas="forbidden", error_objects=as_object).get("slas/policies")
    assert isinstance(reply.json()["error"], kind)


@pytest.mark.parametrize("path", ["views", "tickets/show_many?ids=1", "tickets/1/tags", "search?query=x"])
def test_what_is_not_played_says_so(path: str) -> None:
    reply = Api().call("GET", f"/api/v2/{path}")
    assert (reply.status_code, reply.json()["error"]) == (501, "NotPlayed")


def test_a_post_of_a_ticket_is_not_played_and_makes_none() -> None:
    api = Api()
    reply = api.call("POST", "/api/v2/tickets", json={"ticket": {"subject": "x"}})
    assert reply.status_code == 501
    assert list(api.desk.tickets) == [1]


def test_an_unknown_sideload_is_not_left_out_in_silence() -> None:
    assert Api().get("tickets/1", include="users,dates").status_code == 501


def test_comments_and_audits_bring_their_authors() -> None:
    api = Api()
    api.desk.rule_says(1, "We got it")
    for path in ("comments", "audits"):
        reply = api.get(f"tickets/1/{path}", include="users").json()
        assert [user["name"] for user in reply["users"]] == ["Cleo"]
        assert "users" not in api.get(f"tickets/1/{path}").json()


@pytest.mark.parametrize("path", ["groups", "tickets/1/audits", "tickets/1/comments"])
def test_a_sideload_is_played_only_where_it_is_listed(path: str) -> None:
    assert Api().get(path, include="groups").status_code == 501


def test_offset_pages_name_their_neighbours_and_end() -> None:
    api = Api()
    first = api.get("group_memberships", per_page=3).json()
    second = api.call("GET", first["next_page"].removeprefix(BASE)).json()
    assert (first["count"], len(first["group_memberships"]), len(second["group_memberships"])) == (4, 3, 1)
    assert second["next_page"] is None
    assert second["previous_page"].startswith(BASE)


def test_offset_pages_reach_ten_thousand_records_and_no_further() -> None:
    reply = Api().get("groups", per_page=100, page=101)
    assert reply.status_code == 400
    assert "Pagination limit reached for offset model" in reply.text


def test_the_clock_is_the_accounts_own() -> None:
    api = Api()
    assert api.get("users/me").headers["date"] == "Mon, 21 Sep 2026 14:13:20 GMT"


def test_it_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="uptier.simulators", name="zendesk")
    assert found.load() is simulator.create


def test_two_accounts_share_nothing() -> None:
    one, two = Api(), Api()
    one.put(priority="high")
    assert two.ticket()["priority"] is None
    assert len(two.desk.log) == 1


def test_an_unknown_switch_is_refused() -> None:
    with pytest.raises(TypeError, match="no_such"):
        Api(no_such=True)
