"""Groups and people."""

from typing import Any

import pytest

from adapters.base import AccessLost, NotAllowed, TryLater
from policies.model import Person
from tests.adapters.freshdesk.world import ANN, BEN, BOTH, TIER1, TIER2, World, world

SHAPES: list[dict[str, Any]] = [
    {},
    {"agents_list_groups": True},
    {"groups_list_members": True},
    {"agents_list_groups": True, "groups_list_members": True},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_groups_people_and_memberships(shape: dict[str, Any]) -> None:
    with world(**shape) as acme:
        found = acme.adapter.directory()
    assert [(group.id, group.name) for group in found.groups] == [
        (str(TIER1), "Tier 1"),
        (str(TIER2), "Tier 2"),
    ]
    both = found.agent("both@acme.test")
    assert both is not None
    assert (both.person.id, both.groups) == (str(BOTH), frozenset({str(TIER1), str(TIER2)}))
    assert (both.active, both.available, both.open_load, both.default_group) == (True, None, None, None)
    assert found.agent("cleo@initech.test") is None


def test_who_cannot_be_assigned_is_not_active(acme: World) -> None:
    rows: list[dict[str, Any]] = [
        {"name": "Out", "email": "out@acme.test", "deactivated": True},
        {"name": "Helper", "email": "helper@acme.test", "type": "collaborator"},
    ]
    acme.desk.seed(agents=rows)
    acme.desk.people.agent("Ben")["contact"]["active"] = False
    active = {agent.person.name for agent in acme.adapter.directory().agents if agent.active}
    assert active == {"Uptier", "Ann", "Both", "Helper", "Ben"}, "Ben never signed in and can be assigned"


@pytest.mark.parametrize("yes_no", [True, False])
def test_availability_counts_only_where_freshdesk_assigns(yes_no: bool) -> None:
    with world(yes_no_assignment=yes_no) as acme:
        acme.desk.people.group("Tier 2")["auto_ticket_assign"] = 1
        acme.desk.people.agent("Ben")["available"] = True
        agents = acme.adapter.directory().agents
    assert {agent.person.name: agent.available for agent in agents} == {
        "Uptier": None,
        "Ann": None,
        "Ben": True,
        "Both": False,
    }


def test_more_than_a_page_is_read_whole(acme: World) -> None:
    names = [{"name": f"Agent {n}", "email": f"a{n}@acme.test", "groups": ["Tier 2"]} for n in range(196)]
    acme.desk.seed(agents=names)
    found = acme.adapter.directory()
    assert len(found.agents) == 200
    assert sum(str(TIER2) in agent.groups for agent in found.agents) == 198


def test_a_group_deleted_meanwhile_is_left_out(acme: World) -> None:
    acme.fault("answer", path=f"*groups/{TIER1}", status=404)
    assert [group.name for group in acme.adapter.directory().groups] == ["Tier 2"]


def test_a_key_that_may_not_list_agents_is_told_which_right_it_lacks(acme: World) -> None:
    acme.desk.people.agent("Uptier")["admin"] = False
    with pytest.raises(NotAllowed) as told:
        acme.adapter.directory()
    assert told.value.right == "the Administrator role"


def test_one_odd_entry_costs_nobody_else(acme: World) -> None:
    for contact in (None, {}, {"name": 5, "email": []}, ...):
        row = acme.desk.people.agent("Ann")
        row["contact"] = contact
        if contact is ...:
            del row["contact"]
        agents = {each.person.id: each for each in acme.adapter.directory().agents}
        assert agents[str(ANN)].person == Person(id=str(ANN), name=str(ANN))
        assert agents[str(ANN)].groups == {str(TIER1)}
        assert agents[str(BEN)].person.address == "ben@acme.test"
        row["contact"] = {"name": "Ann", "email": "ann@acme.test"}
    ben = {"id": BEN, "contact": {"name": "Ben", "email": "ben@acme.test"}}
    acme.fault("answer", path="*agents", status=200, body=[None, {"contact": {}}, "x", {"id": True}, ben])
    assert [each.person.label for each in acme.adapter.directory().agents] == ["ben@acme.test"]


def test_a_group_that_is_refused_to_us_is_a_group_all_the_same(acme: World) -> None:
    acme.fault("answer", path=f"*groups/{TIER1}", status=403)
    assert [group.name for group in acme.adapter.directory().groups] == ["Tier 1", "Tier 2"]


@pytest.mark.parametrize("path", ["*groups", "*agents", f"*groups/{TIER2}"])
@pytest.mark.parametrize("body", [{"groups": []}, [1], [{"name": "x"}], "<html>"])
def test_a_directory_that_cannot_be_read_is_not_an_empty_one(acme: World, path: str, body: Any) -> None:
    acme.fault("answer", path=path, status=200, body=body)
    with pytest.raises((TryLater, AccessLost)):
        acme.adapter.directory()


def test_an_outage_on_a_later_page_is_not_a_short_directory(acme: World) -> None:
    acme.desk.seed(agents=[{"name": f"Agent {n}"} for n in range(150)])
    acme.fault("answer", path="*agents", skip=1, status=500)
    with pytest.raises(TryLater):
        acme.adapter.directory()
