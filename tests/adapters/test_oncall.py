"""Chains of Grafana OnCall and PagerDuty as policies."""

from typing import Any

import pytest

from adapters.oncall import Page, carry

ANN = {"type": "user_reference", "id": "PANN", "summary": "Ann"}
PRIMARY = {"type": "schedule_reference", "id": "PSCH", "summary": "Primary"}
DUTY = Page(groups={"Primary": "Duty", "SCHED": "Duty", "TEAM": "Tier 2"})


def pagerduty(*rules: tuple[int, list[dict[str, Any]]], loops: int = 0) -> Any:
    rows = [{"escalation_delay_in_minutes": delay, "targets": targets} for delay, targets in rules]
    return {"escalation_policies": [{"id": "P", "name": "Ops", "num_loops": loops, "escalation_rules": rows}]}


def grafana(*steps: dict[str, Any]) -> Any:
    rows = [{"escalation_chain_id": "C", "position": place, **step} for place, step in enumerate(steps)]
    return {
        "escalation_chains": {"results": [{"id": "C", "name": "Ops"}]},
        "escalation_policies": {"results": rows[::-1]},
        "users": {"results": [{"id": "UANN", "email": "ann@acme.test"}]},
    }


def ladder(export: Any, page: Page = DUTY) -> list[tuple[str, str]]:
    (found,) = carry(export, page)
    assert found.policy, found
    return [(level["after"], level["owner"]) for level in found.policy["level"]]


def why(export: Any, page: Page = DUTY) -> str:
    (found,) = carry(export, page)
    assert found.policy == {}
    return found.why or next(line.why for line in found.lines if line.why)


def test_a_rule_of_pagerduty_asks_at_once_and_its_delay_is_before_the_next() -> None:
    assert ladder(pagerduty((30, [ANN]), (90, [PRIMARY]), (5, [ANN]))) == [
        ("0m", "Ann"), ("30m", "on_call(Duty)"), ("2h", "Ann"),
    ]  # fmt: skip


def test_people_of_pagerduty_go_by_their_addresses_where_the_list_of_users_is_there() -> None:
    known = {**pagerduty((10, [ANN])), "users": [{"id": "PANN", "name": "Ann", "email": "ann@acme.test"}]}
    assert ladder(known) == [("0m", "ann@acme.test")]


def test_loops_are_the_rules_once_more() -> None:
    assert ladder(pagerduty((10, [ANN]), (20, [PRIMARY]), loops=1)) == [
        ("0m", "Ann"), ("10m", "on_call(Duty)"), ("30m", "Ann"), ("40m", "on_call(Duty)"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ((10, [ANN, PRIMARY]), "several at once"),
        ((10, []), "several at once"),
        ((0, [ANN]), "how long"),
        ((10, [{"type": "schedule_reference", "id": "X", "summary": "Other"}]), '--group "Other=GROUP"'),
        ((10, [{"type": "escalation_policy_reference", "id": "X"}]), "not known here"),
        ((10, [{"type": "user_reference", "id": "X"}]), "who X is"),
    ],
)
def test_a_rule_that_is_more_than_one_owner_says_so(rule: Any, said: str) -> None:
    assert said in why(pagerduty(rule))


WAIT = {"type": "wait", "duration": 300}
ASK_ANN = {"type": "notify_persons", "persons_to_notify": ["UANN"]}
ASK_DUTY = {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": "SCHED"}


def test_a_chain_of_grafana_in_the_order_of_its_positions() -> None:
    team = {"type": "notify_team_members", "team_to_notify": "TEAM"}
    assert ladder(grafana(WAIT, ASK_ANN, WAIT, WAIT, ASK_DUTY, WAIT, team)) == [
        ("5m", "ann@acme.test"), ("15m", "on_call(Duty)"), ("20m", "Tier 2"),
    ]  # fmt: skip


def test_a_chain_that_begins_anew_does_so_five_times() -> None:
    found = ladder(grafana(ASK_ANN, WAIT, {"type": "repeat_escalation"}))
    assert [after for after, _ in found] == ["0m", "5m", "10m", "15m", "20m", "25m"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((ASK_ANN, ASK_DUTY), "same time"),
        ((ASK_ANN, WAIT, ASK_DUTY, {"type": "repeat_escalation"}), "same time"),
        (({"type": "repeat_escalation"}, ASK_ANN), "before other steps"),
        (({"type": "notify_persons", "persons_to_notify": ["UANN", "UBEN"]},), "does not ask one person"),
        (({"type": "notify_persons", "persons_to_notify": ["UBEN"]},), "list of users"),
        (
            ({"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": "X"},),
            '--group "X=GROUP"',
        ),
        (({"type": "wait"}, ASK_ANN), "how long"),
        ((ASK_ANN, {"type": "notify_if_time_from_to"}), "`within`"),
        ((ASK_ANN, {"type": "trigger_webhook"}), "`notify`"),
        ((ASK_ANN, {"type": "resolve"}), "never changes a status"),
        ((ASK_ANN, {"type": "something new"}), "not known here"),
        ((WAIT,), "asks nobody"),
    ],
)
def test_a_step_that_cannot_be_carried_over_says_why(steps: Any, said: str) -> None:
    assert said in why(grafana(*steps))


def test_turns_of_one_person_are_that_person() -> None:
    turns = {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": ["UANN"]}
    assert ladder(grafana(turns)) == [("0m", "ann@acme.test")]
    assert "takes turns" in why(grafana({**turns, "persons_to_notify_next_each_time": ["UANN", "UBEN"]}))


def test_one_page_of_several_is_refused_and_all_of_them_are_not() -> None:
    whole = grafana(ASK_ANN, WAIT, ASK_DUTY)
    steps = whole.pop("escalation_policies")["results"]
    pages = [{"results": steps[:2], "next": "https://x.test/?page=2"}, {"results": steps[2:], "next": None}]
    assert ladder([*pages, whole])[0] == ("0m", "ann@acme.test")
    with pytest.raises(ValueError, match="one page of several"):
        carry([pages[0], whole], DUTY)
    with pytest.raises(ValueError, match="one page of several"):
        carry({**whole, "escalation_policies": pages[0]}, DUTY)
    with pytest.raises(ValueError, match="one page of several"):
        carry({**pagerduty((10, [ANN])), "more": True}, DUTY)


def test_pages_and_bare_lists_are_read_too() -> None:
    whole = grafana(ASK_ANN)
    bare = [whole["escalation_policies"], whole["escalation_chains"], {"users": whole["users"]["results"]}]
    assert ladder(bare) == [("0m", "ann@acme.test")]
    assert ladder(pagerduty((10, [ANN]))["escalation_policies"]) == [("0m", "Ann")]
    assert ladder({"escalation_policy": pagerduty((10, [ANN]))["escalation_policies"][0]}) == [("0m", "Ann")]


def test_the_tag_and_the_channel_are_what_was_said() -> None:
    (found,) = carry(pagerduty((10, [ANN])), Page(tag="sev1", channel="pager"))
    assert found.policy["when"]["tags"] == {"has": "sev1"}
    assert found.policy["level"][0]["notify"] == ["pager"]


def test_of_several_chains_each_begins_with_a_tag_of_its_own() -> None:
    rows = [
        pagerduty((10, [ANN]))["escalation_policies"][0] | {"name": name}
        for name in ("On call: Ops", "On call Ops", "é")
    ]
    found = carry(rows, DUTY)
    assert [each.policy["when"]["tags"]["has"] for each in found] == [
        "page_on_call_ops",
        "page_on_call_ops_2",
        "page_chain",
    ]


@pytest.mark.parametrize("export", [{}, [], None, 5, {"users": []}, {"escalation_policies": [{"id": "x"}]}])
def test_what_holds_no_chain_is_refused(export: Any) -> None:
    with pytest.raises(ValueError, match="neither"):
        carry(export, Page())


def resource(kind: str, **values: Any) -> Any:
    return {"type": kind, "mode": "managed", "name": "x", "values": values}


def state(*resources: Any, modules: tuple[Any, ...] = ()) -> Any:
    """What `terraform show -json` prints: https://developer.hashicorp.com/terraform/internals/json-format"""
    module = {"resources": list(resources), "child_modules": [{"resources": [each]} for each in modules]}
    return {"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": module}}


def step(place: int, kind: str, **more: Any) -> Any:
    """A step as the provider reads it back: what a step has not is empty, nought or null."""
    nothing = {"duration": 0, "persons_to_notify": None, "notify_to_team_members": "", "group_to_notify": ""}
    values = {"escalation_chain_id": "C", "position": place, "type": kind, **nothing, **more}
    return resource("grafana_oncall_escalation", **values)


CHAIN = (
    resource("grafana_oncall_escalation_chain", id="C", name="Ops"),
    resource("grafana_oncall_user", id="UANN", email="ann@acme.test", username="ann"),
    resource("grafana_oncall_schedule", id="S", name="Primary"),
    resource("grafana_oncall_team", id="T", name="Second line"),
    step(2, "notify_on_call_from_schedule", notify_on_call_from_schedule="S"),
    step(0, "notify_persons", persons_to_notify=["UANN"]),
    step(1, "wait", duration=900),
    step(4, "notify_team_members", notify_to_team_members="T"),
)
WHOLE = Page(groups={"Primary": "Duty", "Second line": "Tier 2"})


def test_a_chain_out_of_the_state_of_terraform() -> None:
    found = state(*CHAIN, modules=(step(3, "wait", duration=300),))
    assert ladder(found, WHOLE) == [
        ("0m", "ann@acme.test"), ("15m", "on_call(Duty)"), ("20m", "Tier 2"),
    ]  # fmt: skip
    (one,) = carry(found, WHOLE)
    assert one.title == "Ops"


def test_a_chain_of_which_a_state_holds_a_part_is_not_carried_over() -> None:
    assert "whole chain" in why(state(*CHAIN), WHOLE)
    assert "whole chain" in why(state(*CHAIN[:-1], step(2, "wait", duration=300)), WHOLE)


def test_who_is_asked_stands_in_the_state_or_is_said_to_be_missing() -> None:
    everybody = resource("grafana_oncall_users", users=[{"id": "UANN", "email": "ann@acme.test"}])
    asked = (CHAIN[0], step(0, "notify_persons", persons_to_notify=["UANN"]))
    assert ladder(state(*asked, everybody)) == [("0m", "ann@acme.test")]
    assert "list of users" in why(state(*asked))


def test_an_escalation_policy_out_of_the_state_of_terraform() -> None:
    ann = {"type": "user_reference", "id": "PANN"}
    primary = {"type": "schedule_reference", "id": "PSCH"}
    rules = [
        {"escalation_delay_in_minutes": delay, "target": [target]}
        for delay, target in ((10, ann), (5, primary))
    ]
    found = state(
        resource("pagerduty_user", id="PANN", name="Ann", email="ann@acme.test"),
        resource("pagerduty_schedule", id="PSCH", name="Primary"),
        resource("pagerduty_escalation_policy", id="P", name="Ops", num_loops=1, rule=rules),
    )
    assert ladder(found) == [
        ("0m", "ann@acme.test"), ("10m", "on_call(Duty)"), ("15m", "ann@acme.test"), ("25m", "on_call(Duty)"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "file",
    [
        {"format_version": "1.2", "planned_values": {"root_module": {}}, "resource_changes": []},
        {"version": 4, "terraform_version": "1.9.0", "resources": [{"type": "x", "instances": []}]},
    ],
)
def test_a_plan_and_the_state_file_itself_are_refused_with_what_to_give(file: Any) -> None:
    with pytest.raises(ValueError, match="terraform show -json"):
        carry(file, DUTY)


def test_a_state_without_chains_is_refused() -> None:
    for each in (state(), {"format_version": "1.0"}, state(resource("aws_instance", id="i"))):
        with pytest.raises(ValueError, match="neither"):
            carry(each, DUTY)
