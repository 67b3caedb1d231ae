"""What `check --online` hears of an account."""

import pytest

from adapters.base import Finding
from adapters.zendesk.simulator import API_KEY, BOT
from tests.adapters.zendesk.world import World, world


def findings(acme: World) -> dict[str, Finding]:
    return {finding.what: finding for finding in acme.adapter.probe()}


def test_a_well_kept_account(acme: World) -> None:
    found = findings(acme)
    assert set(found) == {"credentials", "fields", "statuses", "sla targets", "schedules", "webhook"}
    assert all(finding.ok for finding in found.values())
    assert "Uptier" in found["credentials"].text


def test_lost_credentials_are_fatal_and_end_the_probe(acme: World) -> None:
    acme.desk.access.revoke()
    (finding,) = acme.adapter.probe()
    assert (finding.what, finding.ok, finding.fatal) == ("credentials", False, True)


def test_an_outage_is_a_finding_and_not_fatal(acme: World) -> None:
    acme.fault("answer", status=503)
    (finding,) = acme.adapter.probe()
    assert (finding.ok, finding.fatal) == (False, False)
    assert "Could not look" in finding.text


def test_a_bot_that_is_no_admin_is_told(acme: World) -> None:
    acme.desk.people.user("Uptier")["role"] = "agent"
    finding = findings(acme)["credentials"]
    assert not finding.ok
    assert "admin" in finding.text


def test_a_bot_that_speaks_another_language_is_told(acme: World) -> None:
    acme.desk.people.user("Uptier")["locale"] = "fr"
    assert not findings(acme)["language"].ok


def test_an_api_token_is_told_when_it_ends() -> None:
    auth = {"kind": "token", "user": BOT, "token": "secret:key"}
    with world(settings={"auth": auth, "secret": lambda _: API_KEY, "webhook": {}}) as acme:
        found = findings(acme)
    assert "2027-04-30" in found["token"].text
    assert not found["token"].ok
    assert not found["webhook"].ok


def test_a_field_that_is_not_there_is_named() -> None:
    with world(settings={"fields": {"product": "360001", "colour": "5", "size": "6"}}) as acme:
        assert "colour, size" in findings(acme)["fields"].text


@pytest.mark.parametrize("gate", ["forbidden", "missing"])
def test_what_the_plan_lacks_degrades(gate: str) -> None:
    with world(slas=gate, schedules=gate) as acme:
        found = findings(acme)
    assert not found["sla targets"].ok
    assert "[sla]" in found["sla targets"].text
    assert not found["schedules"].ok
    assert not any(finding.fatal for finding in found.values())


@pytest.mark.parametrize(("path", "what"), [("*ticket_fields*", "fields"), ("*slas*", "sla targets")])
def test_one_look_that_fails_does_not_hide_the_others(acme: World, path: str, what: str) -> None:
    acme.fault("answer", path=path, status=500)
    found = findings(acme)
    assert "Could not look" in found[what].text
    assert [name for name, finding in found.items() if not finding.ok] == [what]
