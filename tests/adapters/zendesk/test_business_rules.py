"""Zendesk's triggers, automations and SLA policies as policies: what is carried over means the same, and of all else is
said why not."""

from typing import Any

import pytest

from adapters.base import ExportsRules
from adapters.carry import Carried, Names
from adapters.zendesk.business_rules import carry
from tests.adapters.zendesk.world import world

NAMES = Names(
    groups={"12": "Tier 2"},
    people={"21": "ann@acme.test"},
    organizations={"31": "Initech"},
    fields={"360001": "product", "360002": "urgent_box", "360003": "due_day"},
)
KINDS = [
    {"id": 360001, "type": "tagger"},
    {"id": 360002, "type": "checkbox"},
    {"id": 360003, "type": "date"},
]
TAG = {"field": "current_tags", "value": "done"}
A_DAY = {"field": "NEW", "operator": "greater_than", "value": "24"}
UNSOLVED = ["new", "open", "pending", "on_hold"]
EVERY = [*UNSOLVED, "solved"]


def one(kind: str, all_: list[dict[str, Any]], actions: list[dict[str, Any]], **more: Any) -> Carried:
    conditions = {"all": all_, "any": more.pop("any", [])}
    row = {"title": "Rule", "active": True, "conditions": conditions, "actions": actions, **more}
    (found,) = carry({kind: [row], "ticket_fields": KINDS}, NAMES)
    return found


def when(*conditions: dict[str, Any], **more: Any) -> Any:
    found = one("automations", [A_DAY, *conditions], [TAG], **more)
    assert found.policy, found
    return found.policy["when"]


def is_(field: str, value: str, operator: str = "is") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("condition", "table"),
    [
        (is_("status", "solved", "less_than"), {"status": UNSOLVED}),
        (is_("status", "pending", "greater_than"), {"status": ["on_hold", "solved"]}),
        (is_("status", "open", "is_not"), {"status": ["new", "pending", "on_hold", "solved"]}),
        (is_("priority", "urgent"), {"status": EVERY, "priority": "urgent"}),
        (is_("priority", ""), {"status": EVERY, "priority": {"known": False}}),
        (is_("priority", "low", "greater_than"), {"status": EVERY, "priority": ["normal", "high", "urgent"]}),
        (
            is_("priority", "urgent", "is_not"),
            {"status": EVERY, "any": [{"priority": {"not": "urgent"}}, {"priority": {"known": False}}]},
        ),
        (is_("type", "incident"), {"status": EVERY, "type": "incident"}),
        (is_("group_id", "12"), {"status": EVERY, "group": "Tier 2"}),
        (is_("group_id", ""), {"status": EVERY, "group": {"known": False}}),
        (is_("group_id", "", "is_not"), {"status": EVERY, "group": {"known": True}}),
        (is_("assignee_id", "21"), {"status": EVERY, "assignee": "ann@acme.test"}),
        (is_("organization_id", "31"), {"status": EVERY, "organization": "Initech"}),
        (is_("current_tags", "a b", "includes"), {"status": EVERY, "tags": {"has": ["a", "b"]}}),
        (is_("current_tags", "a b", "not_includes"), {"status": EVERY, "tags": {"lacks": ["a", "b"]}}),
        (is_("current_tags", "VIP Gold", "includes"), {"status": EVERY, "tags": {"has": ["vip", "gold"]}}),
        (is_("via_id", "4"), {"status": EVERY, "channel": "email"}),
        (is_("custom_fields_360001", "router"), {"status": EVERY, "custom": {"product": "router"}}),
        (is_("custom_fields_360002", "true"), {"status": EVERY, "custom": {"urgent_box": True}}),
        (
            is_("custom_fields_360001", "", "present"),
            {"status": EVERY, "custom": {"product": {"known": True}}},
        ),
    ],
)
def test_a_condition_on_how_the_ticket_stands(condition: dict[str, Any], table: dict[str, Any]) -> None:
    assert when(condition) == table


def test_what_asks_the_same_field_twice_stands_side_by_side() -> None:
    found = when(is_("current_tags", "vip", "includes"), is_("current_tags", "done", "not_includes"))
    assert found == {"status": EVERY, "tags": {"has": ["vip"]}, "all": [{"tags": {"lacks": ["done"]}}]}


def test_several_of_any_are_or_and_one_of_any_is_and() -> None:
    two = [is_("priority", "high"), is_("type", "incident")]
    assert when(any=two) == {"status": EVERY, "any": [{"priority": "high"}, {"type": "incident"}]}
    assert when(any=two[:1]) == {"status": EVERY, "priority": "high"}


@pytest.mark.parametrize(
    ("all_", "clock", "after"),
    [
        ([A_DAY], "created", "24h"),
        ([is_("PENDING", "48", "greater_than"), is_("status", "pending")], "in_status", "48h"),
        ([is_("HOLD", "72", "greater_than"), is_("status", "hold")], "in_status", "72h"),
        ([is_("SOLVED", "1", "greater_than"), is_("status", "solved")], "in_status", "1h"),
    ],
)
def test_hours_since(all_: list[dict[str, Any]], clock: str, after: str) -> None:
    found = one("automations", all_, [TAG])
    assert (found.policy["clock"], found.policy["level"][0]["after"]) == (clock, after)
    assert found.policy["mode"] == "observe"
    assert "backlog" not in found.policy


def test_what_acts_in_one_hour_only_is_carried_over_where_nothing_else_can_become_true_later() -> None:
    pending = [is_("PENDING", "48"), is_("status", "pending")]
    assert one("automations", pending, [TAG]).policy["backlog"] == "skip"
    assert "in that one hour" in one("automations", [*pending, is_("priority", "high")], [TAG]).why


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ([A_DAY, is_("update_type", "Create")], "what happened in one update"),
        ([A_DAY, is_("status", "", "changed")], "what happened in one update"),
        ([A_DAY, is_("priority", "high", "less_than")], "without a priority"),
        ([A_DAY, is_("group_id", "99")], "which group is 99 is not known"),
        ([A_DAY, is_("assignee_id", "current_user")], "another person at each ticket"),
        ([A_DAY, is_("via_id", "48")], "not certain"),
        ([A_DAY, is_("custom_fields_77", "x")], "has no name in the config"),
        ([A_DAY, is_("custom_fields_360002", "false")], "nobody touched"),
        ([A_DAY, is_("custom_fields_360003", "2026-01-01")], "not certain"),
        ([A_DAY, is_("reopens", "2", "greater_than")], "counts what rules did"),
        ([A_DAY, is_("subject_includes_word", "refund", "includes")], "cuts words"),
        ([A_DAY, is_("ticket_form_id", "1")], "no condition of a policy asks for it"),
        ([A_DAY, is_("current_tags", "a", "is")], "operator is"),
        ([is_("updated_at", "24", "greater_than")], "`untouched`"),
        ([is_("requester_updated_at", "24", "greater_than")], "`customer_waiting`"),
        ([is_("assignee_updated_at", "24", "greater_than")], "`assignee_silent`"),
        ([is_("assigned_at", "24", "greater_than")], "`assignee_silent`"),
        ([is_("until_due_date", "24", "less_than")], "due date"),
        ([is_("sla_next_breach_at", "2", "less_than")], "`sla-guard`"),
        ([is_("NEW", "24", "greater_than_business_hours")], "`calendar`"),
        ([is_("NEW", "24", "less_than")], "however late"),
        ([is_("NEW", "soon", "greater_than")], "no number of hours"),
    ],
)
def test_a_condition_that_cannot_be_carried_over_says_why(conditions: list[dict[str, Any]], why: str) -> None:
    found = one("automations", conditions, [TAG])
    assert found.policy == {}
    assert any(why in line.why for line in found.lines), found


@pytest.mark.parametrize(
    ("all_", "why"),
    [
        ([is_("PENDING", "24", "greater_than")], "still pending"),
        ([is_("PENDING", "24", "greater_than"), is_("status", "solved", "less_than")], "still pending"),
        ([is_("status", "open")], "no condition on time"),
        ([A_DAY, is_("OPEN", "2", "greater_than"), is_("status", "open")], "more than one condition on time"),
    ],
)
def test_a_rule_whose_time_is_not_plain_is_not_carried_over(all_: list[dict[str, Any]], why: str) -> None:
    found = one("automations", all_, [TAG])
    assert found.policy == {}
    assert why in found.why


@pytest.mark.parametrize(
    ("actions", "level"),
    [
        ([TAG, {"field": "remove_tags", "value": "a b"}], {"tags": ["done"], "untag": ["a", "b"]}),
        ([{"field": "priority", "value": "urgent"}], {"priority": {"at_least": "urgent"}}),
        (
            [{"field": "group_id", "value": "12"}, {"field": "assignee_id", "value": "21"}],
            {"assign": {"group": "Tier 2", "agent": "ann@acme.test"}},
        ),
        ([{"field": "follower", "value": "21"}], {"follow": ["ann@acme.test"]}),
        ([{"field": "custom_fields_360001", "value": "router"}], {"set": {"custom": {"product": "router"}}}),
        (
            [
                {"field": "comment_value", "value": "Look!"},
                {"field": "comment_mode_is_public", "value": "false"},
            ],
            {"note": "Rule"},
        ),
        (
            [
                {"field": "comment_value", "value": ["channel:all", "Hi."]},
                {"field": "comment_mode_is_public", "value": True},
            ],
            {"reply": "Rule"},
        ),
    ],
)
def test_an_action(actions: list[dict[str, Any]], level: dict[str, Any]) -> None:
    found = one("automations", [A_DAY], actions)
    assert found.policy["level"] == [{"name": "After 24 hours", "after": "24h", **level}]
    assert found.policy.get("public", False) == ("reply" in level)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({"field": "status", "value": "closed"}, "never changes a status"),
        ({"field": "set_tags", "value": "a"}, "replaces all tags"),
        ({"field": "group_id", "value": ""}, "takes no group away"),
        ({"field": "assignee_id", "value": "current_user"}, "another person"),
        ({"field": "follower", "value": "current_user"}, "another person"),
        ({"field": "priority", "value": "high"}, "may lower"),
        ({"field": "notification_user", "value": ["requester_id", "S", "T"]}, "write a `reply`"),
        ({"field": "notification_user", "value": ["assignee_id", "S", "T"]}, "`--mail-as-note`"),
        ({"field": "notification_target", "value": ["1", "T"]}, "`notify` tells a channel"),
        ({"field": "comment_value", "value": "Look at {{ticket.id}}"}, "placeholders"),
        ({"field": "comment_value", "value": "Look"}, "whether it is public"),
        ({"field": "custom_fields_360003", "value": "2026-01-01"}, "not certain"),
        ({"field": "brand_id", "value": "1"}, "no level does this"),
    ],
)
def test_an_action_that_cannot_be_carried_over_says_why(action: dict[str, Any], why: str) -> None:
    found = one("automations", [A_DAY], [TAG, action])
    assert found.policy == {}
    assert why in next(line.why for line in found.lines if line.why), found


def test_a_priority_below_urgent_is_only_raised_where_the_conditions_say_so() -> None:
    high = [{"field": "priority", "value": "high"}]
    assert one("automations", [A_DAY, is_("priority", "normal")], high).policy
    assert one("automations", [A_DAY, is_("priority", "")], high).policy
    assert not one("automations", [A_DAY, is_("priority", "urgent")], high).policy


def test_mail_to_agents_becomes_a_note_where_that_was_asked_for() -> None:
    mail = {"field": "notification_user", "value": ["assignee_id", "Subject", "Nobody has answered"]}
    row = {"title": "Rule", "conditions": {"all": [A_DAY], "any": []}, "actions": [mail]}
    (plain,) = carry({"automations": [row]}, Names())
    (asked,) = carry({"automations": [row]}, Names(mail_as_note=True))
    assert (bool(plain.policy), bool(asked.policy)) == (False, True)
    assert asked.templates == {"Rule": "Nobody has answered"}
    assert any("mail became an internal note" in remark for remark in asked.remarks)


# --- triggers and SLA policies ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("all_", "actions"),
    [
        ([is_("current_tags", "done", "not_includes")], [TAG]),
        ([is_("current_tags", "vip", "includes")], [{"field": "remove_tags", "value": "vip"}]),
        ([is_("priority", "urgent", "is_not")], [{"field": "priority", "value": "urgent"}]),
        ([is_("group_id", "")], [{"field": "group_id", "value": "12"}]),
    ],
)
def test_a_trigger_that_ends_itself_is_carried_over(
    all_: list[dict[str, Any]], actions: list[dict[str, Any]]
) -> None:
    found = one("triggers", all_, actions)
    assert (found.policy["clock"], found.policy["level"][0]["after"]) == ("matching", "0m")


@pytest.mark.parametrize(
    ("all_", "actions"),
    [
        ([is_("priority", "high")], [TAG]),
        ([is_("current_tags", "vip gold", "includes")], [{"field": "remove_tags", "value": "vip"}]),
        ([is_("group_id", "12")], [{"field": "group_id", "value": "12"}]),
        ([], [TAG]),
    ],
)
def test_a_trigger_that_acts_at_every_update_is_not(
    all_: list[dict[str, Any]], actions: list[dict[str, Any]]
) -> None:
    found = one("triggers", all_, actions)
    assert found.policy == {}
    assert "acts at every update" in found.why


def test_a_rule_that_does_nothing_says_so() -> None:
    public = [{"field": "comment_mode_is_public", "value": "true"}]
    for actions in ([], public):
        assert one("automations", [A_DAY], actions).why == "it does nothing"


@pytest.mark.parametrize(
    ("statuses", "condition", "same"),
    [
        ({}, is_("status", "open"), True),
        ({"open": "open"}, is_("status", "open"), True),
        ({"Waiting": "on_hold"}, is_("status", "open"), False),
        ({"waiting": "on_hold"}, is_("status", "solved", "less_than"), True),
        ({"77": "on_hold"}, is_("status", "hold"), False),
        ({"Waiting": "closed"}, is_("status", "solved", "less_than"), False),
        ({"Waiting": "closed"}, is_("status", "pending"), True),
        ({"Nobody knows": "on_hold"}, is_("status", "pending"), False),
    ],
)
def test_statuses_of_ones_own_do_not_change_what_a_rule_means(
    statuses: dict[str, str], condition: dict[str, Any], same: bool
) -> None:
    row = {"title": "Rule", "conditions": {"all": [A_DAY, condition]}, "actions": [TAG]}
    own = [{"id": 77, "agent_label": "Waiting", "status_category": "open"}]
    (found,) = carry({"automations": [row], "custom_statuses": own}, Names(statuses=statuses))
    assert bool(found.policy) is same, found
    assert same or "`statuses`" in found.why


def test_what_is_switched_off_is_not_carried_over() -> None:
    assert "switched off" in one("automations", [A_DAY], [TAG], active=False).why


def test_sla_targets_stay_where_they_are() -> None:
    metrics = [
        {"priority": "high", "metric": "first_reply_time", "target": 60},
        {"priority": "high", "metric": "agent_work_time", "target": 60},
    ]
    (found,) = carry({"sla_policies": [{"title": "Gold", "policy_metrics": metrics}]}, Names())
    assert (found.fate, [bool(line.why) for line in found.lines]) == ("nothing to do", [False, True])


@pytest.mark.parametrize(
    "export",
    [
        {"automation": {"title": "A", "conditions": {"all": [A_DAY]}, "actions": [TAG]}},
        [{"title": "A", "conditions": {"all": [A_DAY]}, "actions": [TAG]}],
        [{"automations": [{"title": "A", "conditions": {"all": [A_DAY]}, "actions": [TAG]}], "count": 1}],
        {"automations": [{"title": "A", "all": [A_DAY], "any": [], "actions": [TAG]}]},
    ],
)
def test_the_forms_in_which_rules_come(export: Any) -> None:
    (found,) = carry(export, Names())
    assert (found.kind, found.fate) == ("automation", "carried over")


@pytest.mark.parametrize("more", [{"next_page": "https://x.test"}, {"meta": {"has_more": True}}])
def test_one_page_of_several_is_refused(more: dict[str, Any]) -> None:
    page = {"triggers": [{"title": "T", "conditions": {}, "actions": [TAG]}]}
    with pytest.raises(ValueError, match="one page of several"):
        carry({**page, **more}, Names())
    assert (
        len(carry([{**page, **more}, {**page, "next_page": None, "meta": {"has_more": False}}], Names())) == 2
    )


@pytest.mark.parametrize("export", [{}, [], 4711, None, {"tickets": []}, {"automations": "no"}])
def test_what_holds_no_rules_is_refused(export: Any) -> None:
    with pytest.raises(ValueError, match="holds no automations"):
        carry(export, Names())


@pytest.mark.parametrize(
    "row",
    [
        {"title": None, "conditions": None, "actions": None},
        {"conditions": {"all": "x", "any": 4}, "actions": {"a": 1}},
        {"conditions": {"all": [{}, 4, None]}, "actions": [{}, "x", {"field": "current_tags"}]},
        {
            "conditions": {"all": [{"field": 4, "operator": [], "value": {}}]},
            "actions": [{"field": "priority", "value": 4}],
        },
    ],
)
def test_odd_rows_are_said_and_never_carried_over(row: Any) -> None:
    for kind in ("automations", "triggers"):
        (found,) = carry({kind: [row]}, Names())
        assert found.policy == {}
        assert found.why or any(line.why for line in found.lines)


def test_the_account_is_read_page_by_page_and_nothing_is_written() -> None:
    with world() as acme:
        of_initech = {"all": [A_DAY, is_("organization_id", "31")], "any": []}
        acme.desk.seed(
            automations=[{"title": f"A{number}"} for number in range(150)],
            triggers=[{"title": "T", "conditions": of_initech}],
        )
        assert isinstance(acme.adapter, ExportsRules)
        export = acme.adapter.export_rules()
        assert (len(export["automations"]), len(export["triggers"])) == (150, 1)
        assert {"id": "11", "name": "Tier 1"} in export["groups"]
        assert [row["name"] for row in export["organizations"]] == ["Initech"]
        assert {row.method for row in acme.desk.log} == {"GET"}
        assert len(carry(export, Names())) == 151
