"""Every field that a condition can read: what it reads, and where it is missing."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from policies.language.fields import FIELDS, custom, find
from policies.language.operators import OPERATORS, fits
from policies.model import Counts, Need, Person, Priority, Recent, Satisfaction, Status, Ticket, Value
from tests.policies.lives import ANN, CLEO, NEWBORN, TIER2, policy, rules

FULL = replace(
    NEWBORN,
    status=Status.ON_HOLD,
    status_name="Waiting for parts",
    priority=Priority.LOW,
    type="incident",
    channel="email",
    subject="No login",
    description="It says 403. Let me speak to your manager.",
    tags=frozenset({"b", "a"}),
    group=TIER2,
    assignee=ANN,
    assignee_away=True,
    requester=replace(CLEO, organization="Initech", tags=frozenset({"gold"}), vip=True),
    organization="Initech Ltd",
    language="de",
    counts=Counts(replies=1, reopens=2, reassignments=3, bounces=4, group_moves=5, group_bounces=6),
    satisfaction=Satisfaction.BAD,
    recent=Recent(of_requester=7, of_organization=8),
    custom={"tier": 2},
)


@dataclass(frozen=True)
class Case:
    """What a field reads on the full ticket; `gone` are the fields whose absence makes it missing."""

    name: str
    read: Value
    gone: dict[str, Any] | None = None
    missing: Value = None


NOBODY: dict[str, Any] = {"requester": None}
CASES = [
    Case("status", "on_hold"),
    Case("status_name", "Waiting for parts", {"status_name": ""}),
    Case("priority", "low", {"priority": None}),
    Case("type", "incident", {"type": None}),
    Case("channel", "email", {"channel": None}),
    Case("account", "acme"),
    Case("subject", "No login", {"subject": ""}),
    Case("description", "It says 403. Let me speak to your manager.", {"description": ""}),
    Case("phrases", ("asks_for_manager",), {"description": ""}, ()),
    Case("tags", ("a", "b"), {"tags": frozenset()}, ()),
    Case("group", "Tier 2", {"group": None}),
    Case("assignee", "ann@acme.test", {"assignee": None}),
    Case("assignee_away", True, {"assignee_away": None}),
    Case("requester.name", "Cleo", NOBODY),
    Case("requester.address", "cleo@initech.test", NOBODY),
    Case("requester.organization", "Initech", NOBODY),
    Case("requester.tags", ("gold",), NOBODY, ()),
    Case("requester.vip", True, NOBODY),
    Case("requester.recent_tickets", 7, {"recent": Recent()}),
    Case("organization", "Initech Ltd", {"organization": None}),
    Case("organization_recent_tickets", 8, {"recent": Recent()}),
    Case("language", "de", {"language": None}),
    Case("satisfaction", "bad", {"satisfaction": None}),
    Case("replies", 1, {"counts": Counts()}),
    Case("reopens", 2, {"counts": Counts()}),
    Case("reassignments", 3, {"counts": Counts()}),
    Case("bounces", 4, {"counts": Counts()}),
    Case("group_moves", 5, {"counts": Counts()}),
    Case("group_bounces", 6, {"counts": Counts()}),
]


def read(name: str, ticket: Ticket) -> Value:
    """What the field reads."""
    return FIELDS[name].read(ticket)


def test_every_field_is_here() -> None:
    assert [case.name for case in CASES] == list(FIELDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_reads_its_value(case: Case) -> None:
    assert read(case.name, FULL) == case.read


@pytest.mark.parametrize("case", [case for case in CASES if case.gone], ids=lambda case: case.name)
def test_where_there_is_none_it_is_missing_and_a_list_is_empty(case: Case) -> None:
    assert read(case.name, replace(FULL, **(case.gone or {}))) == case.missing


@pytest.mark.parametrize("name", ["type", "channel", "organization", "language"])
def test_an_empty_text_is_missing(name: str) -> None:
    emptied: dict[str, Any] = {name: ""}
    assert read(name, replace(FULL, **emptied)) is None


@pytest.mark.parametrize("name", ["requester.name", "requester.address", "requester.organization"])
def test_of_a_requester_too(name: str) -> None:
    nameless = Person(id="7", name="", address="", organization="")
    assert read(name, replace(FULL, requester=nameless)) is None


def test_an_assignee_without_an_address_goes_by_name() -> None:
    assert read("assignee", replace(FULL, assignee=replace(ANN, address=None))) == "Ann"


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_it_takes_at_least_one_operator_and_has_a_sentence(field: Any) -> None:
    assert any(fits(operator, field) for operator in OPERATORS.values())
    assert field.meaning.endswith(".")


def test_counts_need_the_history_and_nothing_else_does() -> None:
    needing = {name for name, field in FIELDS.items() if Need.CHANGES in field.needs}
    assert {name for name, field in FIELDS.items() if field.needs} - needing == {
        "assignee_away",
        "phrases",
        "satisfaction",
        "requester.recent_tickets",
        "organization_recent_tickets",
    }
    assert needing == {"replies", "reopens", "reassignments", "bounces", "group_moves", "group_bounces"}
    assert {need for field in FIELDS.values() for need in field.needs} == set(Need) - {Need.TARGETS}


def test_what_a_policy_asks_is_what_must_be_loaded() -> None:
    plain = rules(policy(clock="created")).needs
    deadline = rules(policy(clock="resolution")).needs
    assert deadline - plain == {Need.TARGETS}


def test_a_custom_field_is_found_by_its_name() -> None:
    field = find("custom.tier")
    assert field is not None
    assert (field.name, field.kind, field.settable) == ("custom.tier", "custom", True)
    assert field.read(FULL) == 2
    assert custom("other").read(FULL) is None


@pytest.mark.parametrize("name", ["custom.", "custom", "requester", "statuss", ""])
def test_anything_else_is_no_field(name: str) -> None:
    assert find(name) is None
