"""The simulated instance against the vendor sheet: shapes, queries, rules, the control surface."""

from typing import Any

import httpx
import pytest

from adapters.servicenow.simulator import create
from adapters.servicenow.simulator.reads import parse
from adapters.servicenow.simulator.rules import Rule
from adapters.simulation.faults import Dropped, Fault
from adapters.simulation.server import serve
from tests.adapters.servicenow.simulated import BASE, START, Api


@pytest.mark.parametrize(
    ("params", "state", "group", "nobody"),
    [
        ({}, "1", {"link": "LINK", "value": "ID"}, ""),
        ({"sysparm_exclude_reference_link": "true"}, "1", "ID", ""),
        ({"sysparm_display_value": "true"}, "New", {"display_value": "Tier 1", "link": "LINK"}, ""),
        (
            {"sysparm_display_value": "true", "sysparm_exclude_reference_link": "true"},
            "New",
            "Tier 1",
            "",
        ),
        (
            {"sysparm_display_value": "all"},
            {"display_value": "New", "value": "1"},
            {"display_value": "Tier 1", "link": "LINK", "value": "ID"},
            {"display_value": "", "value": ""},
        ),
        (
            {"sysparm_display_value": "all", "sysparm_exclude_reference_link": "true"},
            {"display_value": "New", "value": "1"},
            {"display_value": "Tier 1", "value": "ID"},
            {"display_value": "", "value": ""},
        ),
    ],
)
def test_the_six_shapes(params: dict[str, str], state: Any, group: Any, nobody: Any) -> None:
    api = Api()
    key = api.desk.key_of("sys_user_group", "Tier 1")
    link = f"{BASE}/api/now/table/sys_user_group/{key}"

    def filled(shape: Any) -> Any:
        if isinstance(shape, dict):
            return {name: filled(value) for name, value in shape.items()}
        return {"ID": key, "LINK": link}.get(shape, shape)

    row = api.record(**params)
    assert (row["state"], row["assignment_group"], row["assigned_to"]) == (state, filled(group), nobody)


def test_stored_stamps_are_utc_and_shown_ones_are_the_callers() -> None:
    row = Api().record(
        sysparm_display_value="all", sysparm_fields="sys_created_on,sys_id,nothing,caller_id.email"
    )
    assert row["sys_created_on"] == {"display_value": "09/21/2026 09:13:20", "value": "2026-09-21 14:13:20"}
    assert set(row) == {"sys_created_on", "sys_id", "caller_id.email"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abc"),
        ("short_description=a", "a"),
        ("short_description=A", "a"),
        ("short_description=a^ORshort_description=b^u_product=1", "a"),
        ("u_product=1^short_description=a^ORshort_description=c", "a"),
        ("short_description=a^NQshort_description=c", "ac"),
        ("short_descriptionINa,c", "ac"),
        ("short_descriptionNOT INa,c", "b"),
        ("u_product!=1", "b"),
        ("u_productISEMPTY", "c"),
        ("u_product>1", "b"),
        ("u_product>=1^ORDERBYDESCshort_description", "ba"),
        ("short_descriptionSTARTSWITHb^EQ", "b"),
        ("caller_id.name=Cleo", "abc"),
        ("u_nothing=1", "abc"),
        ("sys_created_by=javascript:gs.getUserName()", ""),
        ("short_description=javascript:gs.evil()", ""),
        ("not a condition", "abc"),
    ],
)
def test_queries_as_the_instance_reads_them(query: str, expected: str) -> None:
    api = Api()
    api.desk.tables["incident"].clear()
    for name, product in (("a", "1"), ("b", "2"), ("c", "")):
        api.desk.open(subject=name, caller="Cleo", u_product=product)
    found = [row["short_description"] for row in api.found(query)]
    assert ("".join(found) if "DESC" in query else "".join(sorted(found))) == expected


def test_a_doubled_mark_is_one_in_a_value() -> None:
    (query,) = parse("name=a^^b^active=true", str).queries
    assert [each[0].value for each in query] == ["a^b", "true"]


@pytest.mark.parametrize(
    ("mode", "status", "rows"), [("ignore", 200, 1), ("none", 200, 0), ("forbid", 403, 0)]
)
def test_the_three_fates_of_an_unknown_column(mode: str, status: int, rows: int) -> None:
    answer = Api(unknown_column=mode).listed("u_nothing=1")
    assert answer.status_code == status
    assert len(answer.json().get("result", [])) == rows


def test_rows_are_hidden_after_the_limit_was_counted() -> None:
    api = Api()
    for number in range(5):
        api.clock.at += 1
        api.desk.open(subject=str(number))
    api.desk.hide(api.key)
    answer = api.listed("ORDERBYsys_created_on", sysparm_limit="2")
    assert [row["short_description"] for row in answer.json()["result"]] == ["0"]
    assert answer.headers["x-total-count"] == "6"


def test_the_same_row_may_be_late_in_lists_and_is_never_late_by_name() -> None:
    api = Api(commit_lag=30)
    assert api.found("") == []
    assert api.record()["short_description"] == "Printer"
    api.clock.at += 30
    assert len(api.found("")) == 1


def test_a_write_bumps_once_and_only_if_something_changed() -> None:
    api = Api()
    api.clock.at += 5
    assert (
        api.patch(u_product="X", u_nothing="1", sys_mod_count="99", number="INC1").json()["result"][
            "sys_mod_count"
        ]
        == "1"
    )
    assert api.patch(u_product="X").json()["result"]["sys_mod_count"] == "1"
    row = api.record()
    assert (row["sys_updated_by"], row["sys_updated_on"]) == ("uptier.bot", "2026-09-21 14:13:25")
    assert row["number"] == "INC0010001"
    audit = api.found(f"documentkey={api.key}", "sys_audit")
    assert [(each["fieldname"], each["newvalue"], each["record_checkpoint"]) for each in audit] == [
        ("u_product", "X", "1")
    ]


def test_a_direct_priority_is_overruled() -> None:
    api = Api()
    assert api.patch(priority="1").json()["result"]["priority"] == "5"
    assert api.patch(impact="1", urgency="2").json()["result"]["priority"] == "2"
    assert Api(lookup_runs=False).patch(priority="1").json()["result"]["priority"] == "1"


def test_journals_are_appended_and_read_empty() -> None:
    api = Api()
    assert api.patch(comments="one", work_notes="two").json()["result"]["comments"] == ""
    assert [row["element"] for row in api.desk.journal(api.key)] == ["comments", "work_notes"]
    assert api.record()["sys_mod_count"] == "1"
    shown = api.record(sysparm_display_value="true", sysparm_fields="comments")["comments"]
    assert shown == "09/21/2026 09:13:20 - uptier.bot (Additional comments)\none"


def test_resolving_needs_a_code_and_notes_and_closed_stays_closed() -> None:
    api = Api()
    refused = api.patch(state="6")
    assert refused.status_code == 403
    assert "mandatory: Resolution code, Resolution notes" in refused.json()["error"]["detail"]
    assert api.patch(state="6", close_code="Fixed", close_notes="x").status_code == 200
    assert api.patch(state="2").json()["result"]["reopen_count"] == "1"
    api.desk.rule_changes(api.key, state="7")
    assert api.record()["active"] == "false"
    assert api.patch(state="2").status_code == 403


def test_the_callers_answer_ends_the_wait_for_it() -> None:
    api = Api()
    api.desk.agent_changes(api.key, "Ann", state="3", hold_reason="1")
    api.desk.agent_says(api.key, "Ann", "still waiting")
    assert api.desk.ticket(api.key)["state"] == "3"
    api.desk.customer_says(api.key, "here")
    row = api.desk.ticket(api.key)
    assert (row["state"], row["hold_reason"], row["incident_state"]) == ("2", "", "2")


def test_rules_set_and_abort() -> None:
    api = Api()
    api.desk.rules.append(Rule(when={"u_product": "X"}, fields={"category": "hardware"}))
    assert api.patch(u_product="X").json()["result"]["category"] == "hardware"
    api.desk.rules.append(Rule(name="Guard", when={"u_product": "Y"}, abort=True))
    assert f"'Guard^{api.key}'" in api.patch(u_product="Y").json()["error"]["detail"]
    assert api.record()["u_product"] == "X"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/now/table/nothing", 400),
        ("GET", "/api/now/table/incident/nothing", 404),
        ("POST", "/api/now/table/incident", 403),
        ("DELETE", "/api/now/table/incident/KEY", 403),
        ("PATCH", "/api/now/table/sys_user/BOT", 403),
        ("PATCH", "/api/now/table/incident", 501),
        ("GET", "/api/now/on_call_rota/whoisoncall", 400),
        ("POST", "/api/now/v1/batch", 501),
        ("GET", "/login.do", 501),
    ],
)
def test_what_is_refused_or_not_played(method: str, path: str, status: int) -> None:
    api = Api()
    bot = api.desk.key_of("sys_user", "uptier.bot")
    assert api.call(method, path.replace("KEY", api.key).replace("BOT", bot)).status_code == status


def test_a_call_says_what_it_takes() -> None:
    assert Api().call("GET", "/api/now/table/incident", headers={"Accept": "text/xml"}).status_code == 400
    assert Api().call("PATCH", f"/api/now/table/incident/{Api().key}", content=b"{").status_code == 400


@pytest.mark.parametrize("auth", [None, ("uptier.bot", "wrong"), ("nobody", "x")])
def test_strangers_are_not_let_in(auth: Any) -> None:
    answer = Api().call("GET", "/api/now/table/incident", auth=auth)
    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "User Not Authenticated")


@pytest.mark.parametrize("header", ["Basic !", "Basic YQ==", "Bearer x", "Odd x"])
def test_odd_credentials_are_not_let_in(header: str) -> None:
    api = Api()
    assert (
        api.call("GET", "/api/now/table/incident", auth=None, headers={"Authorization": header}).status_code
        == 401
    )


def test_a_full_hour_answers_with_its_rule() -> None:
    api = Api(hourly=1)
    assert api.listed().headers["x-ratelimit-limit"] == "1"
    refused = api.listed()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(3600 - START % 3600))
    assert "1 requests per hour" in refused.json()["error"]["detail"]
    api.clock.at += 3600
    assert api.listed().status_code == 200
    silent = Api(hourly=0, says_retry_after=False).listed()
    assert "retry-after" not in silent.headers


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ({"kind": "answer", "status": 200}, 200, "text/html"),
        ({"kind": "answer", "status": 302}, 302, "application/json"),
        ({"kind": "answer", "status": 429}, 429, "application/json"),
        ({"kind": "answer", "status": 500}, 500, "application/json"),
        ({"kind": "answer", "status": 502}, 502, "text/html"),
        ({"kind": "answer", "status": 418, "body": {"a": 1}}, 418, "application/json"),
        ({"kind": "trail"}, 200, "application/json"),
        ({"kind": "truncate"}, 200, "application/json"),
        ({"kind": "delay", "seconds": 0}, 200, "application/json"),
    ],
)
def test_faults_on_the_wire(fault: dict[str, Any], status: int, kind: str) -> None:
    api = Api()
    api.desk.faults.append(Fault(**fault))
    spoiled = api.listed()
    assert spoiled.status_code == status
    assert spoiled.headers["content-type"].startswith(kind)
    assert api.listed().json()["result"]
    assert [logged.fault for logged in api.desk.log] == [fault["kind"], None]


def test_a_trailing_error_stands_behind_the_result() -> None:
    api = Api()
    api.desk.faults.append(Fault(kind="trail"))
    assert list(api.listed().json()) == ["result", "error", "status"]


@pytest.mark.parametrize("applied", [True, False])
def test_a_dropped_write_may_have_been_applied(applied: bool) -> None:
    api = Api()
    api.desk.faults.append(Fault(kind="drop", method="PATCH", applied=applied, skip=0))
    with pytest.raises(Dropped):
        api.patch(u_product="X")
    assert (api.record()["u_product"] == "X") is applied
    assert api.desk.log[0].applied is applied


def test_faults_count_and_match() -> None:
    fault = Fault(kind="drop", method="GET", path="*/incident", times=1, skip=1)
    seen = [
        fault.matches("GET", path)
        for path in ("/x", "/incident", "/a/incident", "/a/incident", "/a/incident")
    ]
    assert seen == [False, False, True, False, False]


@pytest.fixture
def control() -> Any:
    """The control surface of a served instance."""
    with serve(create(lambda: START)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_the_control_surface_over_http(control: Any) -> None:
    def post(path: str, body: Any) -> Any:
        return control.post(f"/_sim/{path}", json=body).json()

    made = post("seed", {"users": [{"name": "Cleo"}], "tickets": [{"subject": "P", "caller": "Cleo"}]})
    (key,) = made["result"]["tickets"]
    assert post("act", {"act": "customer_says", "ticket": key, "text": "Hi"})["result"] is None
    assert len(post("act", {"act": "open", "subject": "Q"})["result"]) == 32
    assert "no act 'dance'" in post("act", {"act": "dance"})["error"]
    assert "no ticket 'x'" in post("act", {"act": "delete", "ticket": "x"})["error"]
    assert (
        "incident has no colour"
        in post("act", {"act": "rule_changes", "ticket": key, "colour": "red"})["error"]
    )
    assert post("faults", [{"kind": "answer", "status": 503}])["result"] == 1
    assert post("faults", [])["result"] == 0
    assert post("act", {"act": "deliver"})["result"] == []
    assert post("act", {"act": "revoke"})["result"] is None
    json = {"Accept": "application/json"}
    assert control.get("/api/now/table/incident", auth=("uptier.bot", "x"), headers=json).status_code == 401
    (logged,) = control.get("/_sim/requests").json()["requests"]
    assert (logged["method"], logged["path"], logged["status"]) == ("GET", "/api/now/table/incident", 401)
    tickets = control.get("/_sim/tickets").json()["tickets"]
    assert [(each["ticket"]["short_description"], len(each["journal"])) for each in tickets] == [
        ("P", 1),
        ("Q", 0),
    ]


def test_an_unknown_switch_is_refused() -> None:
    with pytest.raises(TypeError, match="speling"):
        create(speling=True)
