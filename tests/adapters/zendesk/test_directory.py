"""Groups and people, and that they come through zenpy."""

import logging
from typing import Any

import pytest
from zenpy.lib.api import BaseApi

from adapters.base import AccessLost, TryLater
from adapters.zendesk.people import make_zenpy
from tests.adapters.zendesk.test_session import line_to
from tests.adapters.zendesk.world import ALL, PRINTER, World, account, world


def test_groups_people_and_memberships(acme: World) -> None:
    found = acme.adapter.directory()
    assert (found.account, [(group.id, group.name) for group in found.groups]) == (
        "acme",
        [("11", "Tier 1"), ("12", "Tier 2")],
    )
    both = found.agent("both@acme.test")
    assert both is not None
    assert (both.person.id, both.groups, both.default_group) == ("23", frozenset({"11", "12"}), "11")
    assert (both.active, both.available, both.open_load) == (True, None, None)
    assert found.agent("cleo@initech.test") is None


def test_who_cannot_be_assigned_is_not_active(acme: World) -> None:
    rows = [
        {"name": "Light", "email": "light@acme.test", "only_private_comments": True},
        {"name": "Out", "email": "out@acme.test", "suspended": True},
        {"name": "Left", "email": "left@acme.test", "active": False},
    ]
    acme.desk.seed(agents=rows)
    found = acme.adapter.directory()
    active = {agent.person.name for agent in found.agents if agent.active}
    assert active == {"Uptier", "Ann", "Ben", "Both"}


def test_a_deleted_group_is_nobodys(acme: World) -> None:
    acme.desk.seed(groups=[{"name": "Old", "id": 13, "deleted": True}])
    acme.desk.people.join("Ann", "Old")
    found = acme.adapter.directory()
    ann = found.agent("ann@acme.test")
    assert found.group("Old") is None
    assert ann is not None
    assert ann.groups == frozenset({"11"})


def test_agents_carry_organization_tags_and_vip(acme: World) -> None:
    row = {"name": "Eve", "email": "eve@acme.test", "tags": ["vip", "night"], "organization": "Initech"}
    acme.desk.seed(agents=[row])
    eve = acme.adapter.directory().agent("eve@acme.test")
    assert eve is not None
    assert (eve.person.organization, eve.person.tags, eve.person.vip) == ("Initech", {"vip", "night"}, True)


def test_more_than_a_page_is_read_whole(acme: World) -> None:
    names = [{"name": f"Agent {n}", "email": f"a{n}@acme.test", "groups": ["Tier 2"]} for n in range(196)]
    acme.desk.seed(agents=names)
    found = acme.adapter.directory()
    assert len(found.agents) == 200
    assert sum("12" in agent.groups for agent in found.agents) == 198


def test_it_goes_through_zenpy(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = BaseApi._call_api

    def noted(self: Any, http_method: Any, url: str, **more: Any) -> Any:
        asked.append(url.removeprefix(acme.url).partition("?")[0])
        return real(self, http_method, url, **more)

    monkeypatch.setattr(BaseApi, "_call_api", noted)
    acme.adapter.directory()
    acme.adapter.probe()
    assert asked == [
        "/api/v2/groups.json",
        "/api/v2/group_memberships.json",
        "/api/v2/users.json",
        "/api/v2/ticket_fields.json",
        "/api/v2/ticket_fields.json",
    ]


def test_zenpy_holds_our_session_and_no_cache() -> None:
    client = line_to(account("https://acme.zendesk.test"))
    made = make_zenpy(account("https://acme.zendesk.test"), client.session)
    assert made.users.session is client.session
    assert made.users.cache.disabled
    assert made.users._build_url(made.users.endpoint()) == "https://acme.zendesk.test/api/v2/users.json"


def test_zenpy_logs_no_bodies(acme: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        acme.adapter.directory()
    assert not [record for record in caplog.records if record.name.startswith("zenpy")]


@pytest.mark.parametrize(
    "body", [{"groups": None}, {"groups": [1]}, {"count": 0}, {"groups": [{"name": "x"}]}]
)
def test_a_directory_that_cannot_be_read_is_not_an_empty_one(acme: World, body: Any) -> None:
    acme.fault("answer", path="*groups*", status=200, body=body)
    with pytest.raises(TryLater):
        acme.adapter.directory()


def test_an_outage_on_a_later_page_is_not_a_short_directory(acme: World) -> None:
    acme.desk.seed(groups=[{"name": f"Group {n}"} for n in range(150)])
    acme.fault("answer", path="*groups*", skip=1, status=500)
    with pytest.raises(TryLater):
        acme.adapter.directory()


def test_an_anonymous_greeting_is_lost_access(acme: World) -> None:
    anonymous = {"user": {"id": None, "name": "Anonymous user", "role": "end-user"}}
    acme.fault("answer", path="*users/me*", status=200, body=anonymous)
    (finding,) = acme.adapter.probe()
    assert (finding.what, finding.ok, finding.fatal) == ("credentials", False, True)
    assert "anonymous" in finding.text


def test_the_bot_must_be_known_before_history_is_read() -> None:
    with world() as acme:
        acme.fault(
            "answer", path="*users/me*", status=200, body={"user": {"id": None, "name": "Anonymous user"}}
        )
        with pytest.raises(AccessLost):
            acme.adapter.load(PRINTER, ALL)
