"""Records as tickets: every shape a column comes in, every state and priority, and what is hidden."""

from typing import Any

import pytest

from adapters.servicenow.answers import OddValue, instant, label, literal, moment, number, raw, text, truth
from adapters.servicenow.profile import profile
from adapters.servicenow.ticket import read_targets, read_ticket
from policies.model import Group, Metric, Person, Priority, Stage, Status, Ticket
from tests.adapters.servicenow.world import account, world

ROW: dict[str, Any] = {
    "sys_id": {"display_value": "9d38", "value": "9d38"},
    "short_description": {"display_value": "Printer", "value": "Printer"},
    "state": {"display_value": "In Progress", "value": "2"},
    "priority": {"display_value": "2 - High", "value": "2"},
    "active": {"display_value": "true", "value": "true"},
    "assignment_group": {"display_value": "Tier 1", "value": "g1"},
    "caller_id": {"display_value": "Cleo", "value": "u1", "link": "https://acme.service-now.test/x"},
    "caller_id.email": {"display_value": "cleo@initech.test", "value": "cleo@initech.test"},
    "caller_id.vip": {"display_value": "true", "value": "true"},
    "caller_id.company": {"display_value": "Hooli", "value": "c2"},
    "company": {"display_value": "Initech", "value": "c1"},
    "sys_created_on": {"display_value": "11/25/2026 05:00:00", "value": "2026-11-25 10:00:00"},
    "sys_updated_on": {"display_value": "11/25/2026 05:00:01", "value": "2026-11-25 10:00:01"},
    "sys_mod_count": {"display_value": "4", "value": "4"},
}
AT = 1795600800


def made(*, table: str = "incident", without: tuple[str, ...] = (), **row: Any) -> Ticket:
    settings = {"table": table, **row.pop("settings", {})}
    kept = {name: value for name, value in (ROW | row).items() if name not in without}
    return read_ticket(profile(account(settings=settings)), kept, read_at=5)


def test_the_accounts_lists_make_a_vip() -> None:
    plain = ROW | {"caller_id.vip": {"display_value": "false", "value": "false"}}
    for lists in (
        {"vip_addresses": {"@initech.test"}},
        {"vip_organizations": {"Initech"}},
        {"vip_organizations": {"hooli"}},
        {},
    ):
        found = read_ticket(profile(account(**lists)), plain, read_at=5)
        assert found.requester is not None
        assert found.requester.vip is bool(lists)


def test_a_record_is_read_raw_and_named_by_its_labels() -> None:
    found = made()
    assert (found.ref.id, found.subject, found.revision, found.read_at) == ("9d38", "Printer", "4", 5)
    assert (found.status, found.status_name, found.priority) == (Status.OPEN, "In Progress", Priority.HIGH)
    assert (found.created, found.updated) == (AT, AT + 1)
    assert found.group == Group(id="g1", name="Tier 1")
    assert found.requester == Person(
        id="u1", name="Cleo", address="cleo@initech.test", organization="Hooli", vip=True
    )
    assert found.organization == "Initech"
    assert found.link == "https://acme.service-now.test/incident.do?sys_id=9d38"


@pytest.mark.parametrize(
    ("held", "stored", "shown"),
    [
        ("2", "2", "2"),
        ("", "", ""),
        (None, "", ""),
        (3, "3", "3"),
        ({"value": "2", "display_value": "Two"}, "2", "Two"),
        ({"value": "", "display_value": ""}, "", ""),
        ({"value": None, "display_value": None}, "", ""),
        ({"display_value": "Ann", "link": "x", "value": "id"}, "id", "Ann"),
        ({"link": "x", "value": "id"}, "id", "id"),
    ],
)
def test_every_shape_of_a_column(held: Any, stored: str, shown: str) -> None:
    assert (raw({"a": held}, "a"), label({"a": held}, "a")) == (stored, shown)


def test_a_hidden_column_is_not_an_empty_one() -> None:
    assert raw({}, "a") is None
    assert text({}, "a") == ""
    assert (number({}, "a"), number({"a": ""}, "a"), number({"a": "-5"}, "a")) == (None, None, -5)
    assert (truth({}, "a"), truth({"a": "0"}, "a"), truth({"a": "1"}, "a")) == (None, False, True)


@pytest.mark.parametrize("stamp", ["", "yesterday", "11/25/2026 05:00:00", "2026-13-01 00:00:00"])
def test_what_is_no_stamp_is_none(stamp: str) -> None:
    assert moment(stamp) is None


def test_stamps_are_utc() -> None:
    assert moment("1970-01-01 00:00:10") == 10
    assert instant({"a": "2026-11-25 10:00:00"}, "a") == AT
    assert literal(AT) == "2026-11-25 10:00:00"


@pytest.mark.parametrize(
    ("table", "state", "reason", "expected"),
    [
        ("incident", "1", "", Status.NEW),
        ("incident", "2", "", Status.OPEN),
        ("incident", "3", "", Status.ON_HOLD),
        ("incident", "3", "1", Status.PENDING),
        ("incident", "3", "3", Status.ON_HOLD),
        ("incident", "4", "", Status.PENDING),
        ("incident", "5", "", Status.ON_HOLD),
        ("incident", "6", "", Status.SOLVED),
        ("incident", "7", "", Status.CLOSED),
        ("incident", "8", "", Status.CLOSED),
        ("incident", "-2", "", Status.OPEN),
        ("incident", "", "", Status.OPEN),
        ("sc_task", "-5", "", Status.PENDING),
        ("sc_task", "1", "", Status.OPEN),
        ("sc_task", "2", "", Status.OPEN),
        ("sc_task", "3", "", Status.CLOSED),
        ("sc_task", "4", "", Status.CLOSED),
        ("sc_task", "7", "", Status.CLOSED),
        ("sn_customerservice_case", "1", "", Status.NEW),
        ("sn_customerservice_case", "10", "", Status.OPEN),
        ("sn_customerservice_case", "18", "", Status.PENDING),
        ("sn_customerservice_case", "6", "", Status.SOLVED),
        ("sn_customerservice_case", "3", "", Status.CLOSED),
        ("sn_customerservice_case", "7", "", Status.CLOSED),
        ("x_acme_task", "2", "", Status.OPEN),
        ("x_acme_task", "-5", "", Status.PENDING),
        ("change_request", "-5", "", Status.OPEN),
        ("problem", "107", "", Status.OPEN),
    ],
)
def test_every_state_by_its_table(table: str, state: str, reason: str, expected: Status) -> None:
    assert made(table=table, state=state, hold_reason=reason).status is expected


def test_an_unknown_state_is_closed_only_where_the_record_is_not_active() -> None:
    assert made(state="-2", active="false").status is Status.CLOSED
    assert made(state="-2", without=("active",)).status is Status.OPEN
    assert made(state={"value": "-2", "display_value": "Triage"}).status_name == "Triage"


def test_a_customers_state_can_be_told() -> None:
    assert made(state="-2", settings={"states": {"-2": "pending"}}).status is Status.PENDING


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("1", Priority.URGENT),
        ("2", Priority.HIGH),
        ("3", Priority.NORMAL),
        ("4", Priority.LOW),
        ("5", Priority.LOW),
        ("9", None),
        ("", None),
        (None, None),
    ],
)
def test_every_priority(stored: Any, expected: Priority | None) -> None:
    assert made(priority=stored).priority is expected


def test_an_empty_record_is_still_a_ticket() -> None:
    bare = read_ticket(profile(account()), {"sys_id": "a", "sys_mod_count": "0"}, read_at=0)
    assert (bare.group, bare.assignee, bare.requester, bare.priority) == (None, None, None, None)
    assert (bare.created, bare.updated, bare.organization, bare.channel) == (0, 0, None, None)


@pytest.mark.parametrize("column", ["sys_id", "sys_mod_count"])
def test_without_an_id_or_a_revision_nothing_works(column: str) -> None:
    with pytest.raises(OddValue, match=column):
        made(without=(column, "sys_updated_on"))


def test_the_requester_is_whoever_the_table_says() -> None:
    opener = {"opened_by": {"value": "u9", "display_value": "Ann"}}
    assert (made(**opener).requester or Person(id="", name="")).id == "u1"
    assert made(caller_id="", **opener).requester is None
    case = made(table="sn_customerservice_case", contact={"value": "u7", "display_value": "Eve"}, **opener)
    assert (case.requester or Person(id="", name="")).name == "Eve"


def sla(**columns: str) -> dict[str, str]:
    usual = {"sla.type": "SLA", "sla.target": "resolution", "stage": "in_progress", "active": "true"}
    stamps = {"start_time": "2026-11-25 10:00:00", "planned_end_time": "2026-11-25 12:00:00"}
    return usual | stamps | {name.replace("__", "."): value for name, value in columns.items()}


@pytest.mark.parametrize(
    ("stage", "expected", "due"),
    [
        ("in_progress", Stage.ACTIVE, AT + 7200),
        ("breached", Stage.ACTIVE, AT + 7200),
        ("paused", Stage.PAUSED, None),
        ("completed", Stage.ACHIEVED, AT + 7200),
        ("odd", Stage.UNKNOWN, AT + 7200),
    ],
)
def test_every_stage_of_a_target(stage: str, expected: Stage, due: int | None) -> None:
    (target,) = read_targets([sla(stage=stage)])
    assert (target.metric, target.stage, target.due, target.start) == (Metric.RESOLUTION, expected, due, AT)


def test_a_target_without_an_end_is_not_counted_on() -> None:
    (target,) = read_targets([sla(planned_end_time="")])
    assert target.stage is Stage.UNKNOWN


def test_one_target_a_metric_and_the_one_that_runs() -> None:
    rows = [
        sla(stage="completed"),
        sla(planned_end_time="2026-11-25 14:00:00"),
        sla(planned_end_time="2026-11-25 13:00:00"),
        sla(stage="cancelled", planned_end_time="2026-11-25 11:00:00"),
        sla(sla__type="OLA", planned_end_time="2026-11-25 11:00:00"),
        sla(sla__target="response", stage="paused"),
    ]
    found = {each.metric: (each.stage, each.due) for each in read_targets(rows)}
    assert found == {
        Metric.RESOLUTION: (Stage.ACTIVE, AT + 3 * 3600),
        Metric.FIRST_REPLY: (Stage.PAUSED, None),
    }


def test_the_requesters_company_is_walked_to_over_the_wire() -> None:
    with world() as acme:
        requester = acme.load().requester
    assert requester is not None
    assert (requester.name, requester.organization, requester.vip) == ("Cleo", "Initech", True)
