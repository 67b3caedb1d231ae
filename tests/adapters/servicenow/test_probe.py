"""What `uptier doctor` is told."""

from typing import Any

import pytest

from adapters.base import Finding
from policies.model import Status
from tests.adapters.recording import START
from tests.adapters.servicenow.world import World, world


def findings(acme: World) -> dict[str, Finding]:
    return {finding.what: finding for finding in acme.adapter.probe()}


def populated(acme: World) -> World:
    acme.desk.agent_says(acme.printer.id, "Ann", "Hi", state="2")
    acme.desk.set_target(acme.printer.id, due=START + 60)
    return acme


def test_a_good_account_has_nothing_to_complain_of(acme: World) -> None:
    found = findings(populated(acme))
    assert [each for each in found.values() if not each.ok] == []
    assert set(found) == {
        "credentials", "records", "columns", "tags", "statuses", "values of priority", "journal", "audit",
        "sla targets", "priority", "webhook secret",
    }  # fmt: skip
    assert "100 characters in all" in found["tags"].text
    assert "uptier.bot" in found["credentials"].text


def test_lost_credentials_are_fatal_and_alone(acme: World) -> None:
    acme.desk.access.revoke()
    (finding,) = acme.adapter.probe()
    assert finding.fatal
    assert not finding.ok


def test_an_instance_that_sleeps_is_not_fatal(acme: World) -> None:
    acme.fault("answer", status=200, times=None)
    (finding,) = acme.adapter.probe()
    assert not finding.fatal
    assert "sleeps" in finding.text


@pytest.mark.parametrize(
    ("switches", "settings", "what", "words"),
    [
        ({"journal": "forbidden"}, {}, "journal", "who replied"),
        ({"journal": "hidden"}, {}, "journal", "all rows are hidden"),
        ({"audit": "hidden"}, {}, "audit", "all rows are hidden"),
        ({"slas": "missing"}, {}, "sla targets", "deadlines itself"),
        ({"query_range": False}, {}, "records", "query_range"),
        ({}, {"fields": {"product": "u_typo"}}, "columns", "u_typo"),
        ({}, {"settings": {"tags": "u_none"}}, "tags", "not there or hidden"),
        ({}, {"webhook": {}}, "webhook secret", "No webhook secret"),
    ],
)
def test_what_is_missing_is_named(switches: Any, settings: Any, what: str, words: str) -> None:
    with world(settings=settings, **switches) as acme:
        finding = findings(populated(acme))[what]
        assert not finding.ok
        assert not finding.fatal
        assert words in finding.text


@pytest.mark.parametrize(
    ("settings", "what", "words"),
    [
        ({"tags": "label_entry"}, "tags", "ServiceNow's own"),
        ({"tags": "u_tags"}, "tags", "kept in u_tags"),
        ({"priority": "direct"}, "priority", "written directly"),
        ({"matrix": {"1-1": 1}}, "priority", "this instance's matrix"),
    ],
)
def test_what_is_set_is_said(settings: Any, what: str, words: str) -> None:
    with world(settings={"settings": settings}) as acme:
        finding = findings(populated(acme))[what]
        assert finding.ok
        assert words in finding.text


def test_what_is_taken_hidden_or_double_is_said(acme: World) -> None:
    acme.desk.touch_quietly(acme.printer.id, correlation_display="JIRA")
    acme.desk.hide(acme.desk.open(subject="secret"))
    acme.desk.tables["sys_user"][acme.bot]["time_zone"] = "US/Pacific"
    acme.desk.unseen["sys_audit"] = {"user"}
    found = findings(populated(acme))
    assert "1 of 1 records are used by others" in found["tags"].text
    assert "hides 1 of 2 records" in found["records"].text
    assert "US/Pacific" in found["time zone"].text
    assert "sys_audit hides user" in found["audit"].text


@pytest.mark.parametrize(
    ("needed", "column"),
    [
        ("status", "state"),
        ("priority", "impact"),
        ("assignee", "assigned_to.email"),
        ("requester.vip", "caller_id.vip"),
        ("requester", "caller_id"),
        ("created", "sys_created_on"),
        ("organization", "company"),
        ("custom.product", "u_product"),
        ("tags", "correlation_display"),
        ("messages", "sys_created_on"),
    ],
)
def test_what_the_policies_need_and_cannot_see_is_named(acme: World, needed: str, column: str) -> None:
    acme.desk.agent_changes(acme.printer.id, "Ann", assignee="Ann")
    assert all(each.ok for each in acme.adapter.probe(frozenset({needed})) if each.what.startswith("needs"))
    acme.desk.hide_column("incident", column)
    found = {each.what: each for each in acme.adapter.probe(frozenset({needed, "type"}))}
    assert not found[f"needs {needed}"].ok
    assert f"incident.{column}" in found[f"needs {needed}"].text
    assert "needs type" not in found


def test_each_state_is_listed_with_what_it_counts_as() -> None:
    with world(settings={"statuses": {"Triage": Status.NEW}}) as acme:
        for value, label in (("-2", "Triage"), ("-3", "Waiting for parts"), ("-4", "Cancelled by user")):
            row = {
                "name": "incident",
                "element": "state",
                "value": value,
                "label": label,
                "inactive": "false",
            }
            acme.desk.put("sys_choice", row)
        found = {each.what: each for each in acme.adapter.probe()}
        assert not found["statuses"].ok
        for told in (
            "-2 Triage: new",
            "-3 Waiting for parts: open",
            "-4 Cancelled by user: closed",
            "6 Resolved: solved",
        ):
            assert told in found["statuses"].text
        assert "Guessed: -3 Waiting for parts, -4 Cancelled by user" in found["statuses"].text
        assert "1 (1 - Critical)" in found["values of priority"].text


def test_a_list_without_totals_is_said() -> None:
    with world(says_total=False) as acme:
        assert "X-Total-Count" in findings(populated(acme))["totals"].text


def test_an_empty_table_tells_little(acme: World) -> None:
    acme.desk.delete(acme.printer.id)
    assert not findings(acme)["columns"].ok
