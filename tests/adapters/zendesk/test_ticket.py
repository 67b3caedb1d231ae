"""Ticket rows in Zendesk's words, as tickets in ours."""

from typing import Any

import pytest

from adapters.base import language_of
from adapters.zendesk.answers import instant
from adapters.zendesk.people import References, by_id
from adapters.zendesk.ticket import read_targets, read_ticket
from policies.model import Metric, Priority, Satisfaction, Stage, Status, Target
from tests.adapters.zendesk.world import account

ROW: dict[str, Any] = {
    "id": 4711,
    "subject": "Printer",
    "status": "open",
    "created_at": "2026-11-25T10:00:00Z",
    "updated_at": "2026-11-25T11:00:00Z",
    "requester_id": 41,
    "organization_id": 31,
}
SIDES = {
    "users": [
        {"id": 41, "name": "Cleo", "email": "cleo@initech.test", "organization_id": 32, "locale": "pt-BR"},
        {"id": 21, "name": "Ann", "email": None, "role": "agent", "tags": ["night"]},
    ],
    "groups": [{"id": 11, "name": "Tier 1"}],
    "organizations": [
        {"id": 31, "name": "Initech", "tags": ["gold"]},
        {"id": 32, "name": "Hooli", "tags": []},
    ],
}


def made(row: dict[str, Any] | None = None, *, sides: dict[str, Any] = SIDES, **more: Any) -> Any:
    people = {kind: by_id(rows) for kind, rows in sides.items()}
    return read_ticket(ROW | (row or {}), References(account=account(**more), **people), read_at=5)


def test_a_row_with_nothing_set_is_a_ticket_with_nothing_known() -> None:
    bare = made({"requester_id": None, "organization_id": None}, sides={})
    assert (bare.priority, bare.type, bare.channel, bare.group, bare.assignee) == (None,) * 5
    assert (bare.requester, bare.organization, bare.language, bare.tags) == (None, None, None, frozenset())


def test_stamps_and_names_come_over() -> None:
    whole = made({"via": {"channel": "email"}, "type": "incident", "group_id": 11, "assignee_id": 21})
    assert (whole.created, whole.updated, whole.read_at) == (1795600800, 1795604400, 5)
    assert whole.revision == "2026-11-25T11:00:00Z"
    assert whole.link == "https://acme.zendesk.test/agent/tickets/4711"
    assert (whole.channel, whole.type, whole.group.name) == ("email", "incident", "Tier 1")
    assert (whole.assignee.label, whole.assignee.tags) == ("Ann", frozenset({"night"}))
    assert (whole.requester.organization, whole.organization, whole.language) == ("Hooli", "Initech", "pt")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("new", Status.NEW),
        ("open", Status.OPEN),
        ("pending", Status.PENDING),
        ("hold", Status.ON_HOLD),
        ("solved", Status.SOLVED),
        ("closed", Status.CLOSED),
        ("a word of next year", Status.OPEN),
    ],
)
def test_status(word: str, status: Status) -> None:
    row = made({"status": word})
    assert (row.status, row.status_name, row.gone) == (status, word, None)


@pytest.mark.parametrize("word", list(Priority))
def test_priority(word: str) -> None:
    assert made({"priority": word}).priority == word


@pytest.mark.parametrize(
    ("rating", "satisfaction"),
    [
        ({"score": "good", "id": 1, "comment": "Fine"}, Satisfaction.GOOD),
        ({"score": "bad"}, Satisfaction.BAD),
        ({"score": "offered"}, None),
        ({"score": "unoffered"}, None),
        (None, None),
    ],
)
def test_satisfaction(rating: Any, satisfaction: Satisfaction | None) -> None:
    assert made({"satisfaction_rating": rating}).satisfaction is satisfaction


@pytest.mark.parametrize("lists", [{"vip_organizations": {"initech"}}, {"vip_organizations": {"Hooli"}},
    {"vip_addresses": {"cleo@initech.test"}}, {"vip_addresses": {"@initech.test"}}])  # fmt: skip
def test_the_accounts_lists_make_a_vip(lists: dict[str, Any]) -> None:
    assert made(**lists).requester.vip
    assert not made().requester.vip


def test_deleted_and_merged_rows_are_gone() -> None:
    assert made({"status": "deleted"}).gone == "deleted"
    assert made({"status": "closed", "tags": ["closed_by_merge"]}).gone == "merged"
    assert made({"status": "open", "tags": ["closed_by_merge"]}).gone is None


def test_a_vip_is_made_by_tags_of_the_person_or_of_either_organization() -> None:
    assert not made().requester.vip
    assert made(vip=frozenset({"gold"})).requester.vip
    assert not made({"organization_id": None}, vip=frozenset({"gold"})).requester.vip
    tagged = {"users": [{"id": 41, "name": "Cleo", "tags": ["gold"]}]}
    assert made(sides=tagged, vip=frozenset({"gold"})).requester.vip


def test_people_who_are_not_in_the_answer_are_hidden() -> None:
    row = made({"group_id": 12}, sides={})
    assert row.hidden >= {"group", "requester.name", "requester.vip", "language"}
    assert (row.requester.id, row.requester.name, row.group.name) == ("41", "41", "12")


def test_mapped_custom_fields_keep_their_kind_and_others_stay_away() -> None:
    fields = {"product": "1", "custom.size": "2", "parts": "3", "empty": "4", "paid": "5", "lost": "6"}
    rows = [
        {"id": 1, "value": "x100"},
        {"id": 2, "value": 7},
        {"id": 3, "value": ["a", "b"]},
        {"id": 4, "value": ""},
        {"id": 5, "value": False},
        {"id": 99, "value": "not mapped"},
    ]
    assert made({"custom_fields": rows}, fields=fields).custom == {
        "product": "x100",
        "size": 7,
        "parts": ("a", "b"),
        "paid": False,
    }


def metric(name: str, stage: str, breach: str | None) -> dict[str, Any]:
    return {"metric": name, "stage": stage, "breach_at": breach, "hours": 3}


def test_targets_by_metric_and_stage() -> None:
    listed = [
        metric("next_reply_time", "achieved", "2026-11-25T09:00:00Z"),
        metric("next_reply_time", "active", "2026-11-25T12:00:00Z"),
        metric("first_reply_time", "achieved", None),
        metric("agent_work_time", "active", "2026-11-25T12:00:00Z"),
    ]
    assert set(read_targets({"policy_metrics": listed})[0]) == {
        Target(metric=Metric.NEXT_REPLY, stage=Stage.ACTIVE, due=1795608000),
        Target(metric=Metric.FIRST_REPLY, stage=Stage.ACHIEVED, due=None),
    }


def test_the_total_time_is_preferred_as_resolution_target_whatever_its_stage() -> None:
    wait = metric("requester_wait_time", "active", "2026-11-25T12:00:00Z")
    total = metric("total_resolution_time", "paused", "2026-11-25T18:00:00Z")
    assert read_targets({"policy_metrics": [wait]})[0][0].due == 1795608000
    assert read_targets({"policy_metrics": [wait, total]})[0] == (
        Target(metric=Metric.RESOLUTION, stage=Stage.PAUSED, due=1795629600),
    )


def test_an_active_target_without_a_deadline_is_unknown() -> None:
    assert (
        read_targets({"policy_metrics": [metric("first_reply_time", "active", None)]})[0][0].stage
        is Stage.UNKNOWN
    )
    assert read_targets(None)[0] == ()


def test_the_metric_set_stands_in_the_ticket_or_beside_it() -> None:
    inside = {"status_updated_at": "2026-11-25T10:30:00Z"}
    beside = {"ticket_id": 4711, "status_updated_at": "2026-11-25T10:45:00Z"}
    around = References(account=account(), metrics={"1": {"ticket_id": 1}, "4711": beside})
    assert read_ticket(ROW | {"metric_set": inside}, around, read_at=5).status_since == 1795602600
    assert read_ticket(ROW, around, read_at=5).status_since == 1795603500
    assert made().status_since is None


@pytest.mark.parametrize("text", [None, "", "yesterday", 17, "0001-01-01T00:00:00"])
def test_what_is_no_time_is_none_or_a_number(text: Any) -> None:
    assert instant(text) is None or isinstance(instant(text), int)
    assert instant("2026-11-25T10:00:00.900Z") == 1795600800


@pytest.mark.parametrize(
    ("locale", "word"), [("de-AT", "de"), ("EN", "en"), ("", None), (None, None), (7, None)]
)
def test_language(locale: Any, word: str | None) -> None:
    assert language_of(locale) == word


def test_the_system_is_nobody() -> None:
    assert References(account=account()).person(-1) == (None, frozenset())
