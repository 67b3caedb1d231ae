"""Groups, members, who is on call."""

from typing import Any

import pytest

from adapters.base import AccessLost, TryLater
from policies.model import Agent, Group, Need
from tests.adapters.servicenow.world import World, world


def agents(acme: World) -> dict[str, Agent]:
    return {agent.person.name: agent for agent in acme.adapter.directory().agents}


def test_members_of_groups_are_agents(acme: World) -> None:
    found = acme.adapter.directory()
    assert [group.name for group in found.groups] == ["Tier 1", "Tier 2"]
    by_name = agents(acme)
    assert set(by_name) == {"Ann", "Ben", "Both"}
    assert by_name["Both"].groups == {acme.group("Tier 1"), acme.group("Tier 2")}
    assert by_name["Ann"].person.address == "ann@acme.test"
    assert (by_name["Ann"].active, by_name["Ann"].available, found.on_call) == (True, None, {})


@pytest.mark.parametrize("columns", [{"active": "false"}, {"locked_out": "true"}])
def test_who_left_or_is_locked_out_cannot_be_assigned(acme: World, columns: dict[str, str]) -> None:
    acme.desk.add_user(name="Gus", groups=["Tier 1"], **columns)
    assert not agents(acme)["Gus"].active


def test_odd_members_hurt_nobody(acme: World) -> None:
    acme.desk.add_user(name="Doe, Jane", email="", groups=["Tier 1"])
    acme.desk.put("sys_user_grmember", {"user": "", "group": acme.group("Tier 1")})
    acme.desk.put("sys_user_grmember", {"user": "vanished", "group": acme.group("Tier 1")})
    found = agents(acme)
    assert found["Doe, Jane"].person.label == "Doe, Jane"
    assert found["vanished"].person.id == "vanished"


def test_groups_of_one_name_are_told_apart(acme: World) -> None:
    acme.desk.put("sys_user_group", {"name": "Tier 1", "active": "true", "sys_id": "second"})
    names = {group.name for group in acme.adapter.directory().groups}
    assert names == {f"Tier 1 ({acme.group('Tier 1')})", "Tier 1 (second)", "Tier 2"}


def test_a_closed_group_is_left_out(acme: World) -> None:
    acme.desk.put("sys_user_group", {"name": "Old", "active": "false"})
    assert Group(id="x", name="Old").name not in {group.name for group in acme.adapter.directory().groups}


def test_a_directory_longer_than_a_page_is_read_whole(acme: World) -> None:
    for number in range(230):
        acme.desk.add_user(name=f"Extra {number}", groups=["Tier 1"])
    assert len(agents(acme)) == 233


def on_call(acme: World, *rows: dict[str, Any]) -> dict[str, str]:
    usual = {"group": acme.group("Tier 1"), "order": 1, "roster": "r"}
    acme.desk.on_call = [usual | row for row in rows]
    return dict(acme.adapter.directory().on_call)


def test_the_first_of_a_rota_is_on_call() -> None:
    with world(on_call="open") as acme:
        ann, ben = acme.user("Ann"), acme.user("Ben")
        assert on_call(acme, {"userId": ben, "order": 2}, {"userId": ann}) == {"Tier 1": "ann@acme.test"}
        assert on_call(acme, {"userId": "", "isDevice": True}, {"userId": ben, "order": "3"}) == {
            "Tier 1": "ben@acme.test"
        }
        assert on_call(acme, {"userId": "a-stranger"}) == {}
        assert on_call(acme) == {}


@pytest.mark.parametrize("status", [400, 403, 404])
def test_without_the_plugin_nobody_is_on_call(acme: World, status: int) -> None:
    acme.fault("answer", path="*whoisoncall", status=status)
    assert acme.adapter.directory().on_call == {}


@pytest.mark.parametrize("status", [500, 503, 200])
def test_an_outage_is_not_nobody_on_call(acme: World, status: int) -> None:
    acme.fault("answer", path="*whoisoncall", status=status)
    with pytest.raises(TryLater):
        acme.adapter.directory()


def test_who_we_are_is_one_user() -> None:
    with world(settings={"auth": {"kind": "key", "key": "secret:key"}}) as acme:
        acme.desk.customer_says(acme.printer.id, "Hello?")
        acme.desk.unseen["sys_user"] = {"user_name"}
        with pytest.raises(AccessLost, match="2 users where it should show us ourselves"):
            acme.load(Need.MESSAGES)
