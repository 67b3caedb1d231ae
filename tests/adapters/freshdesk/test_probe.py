"""What `check --online` hears of an account."""

import pytest

from adapters.base import Finding
from tests.adapters.freshdesk.world import World, world


def findings(acme: World) -> dict[str, Finding]:
    return {finding.what: finding for finding in acme.adapter.probe()}


def test_a_well_kept_account(acme: World) -> None:
    acme.desk.hooks.subscribe("http://uptier.test/hooks/acme", secret="x")
    found = findings(acme)
    assert set(found) == {"credentials", "fields", "sla targets", "webhook", "webhook rule"}
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


def test_a_bot_that_is_no_administrator_is_told(acme: World) -> None:
    acme.desk.people.agent("Uptier")["admin"] = False
    found = findings(acme)
    assert "Administrator" in found["credentials"].text
    assert not found["credentials"].ok
    assert not any(finding.fatal for finding in found.values())


def test_a_field_that_is_not_there_is_named() -> None:
    with world(settings={"fields": {"product": "cf_product", "colour": "cf_colour"}}) as acme:
        assert "colour" in findings(acme)["fields"].text


def test_statuses_without_a_known_meaning_are_named(acme: World) -> None:
    acme.desk.seed(statuses={"8": "In the lab", "7": "Parked", "2": "Offen"})
    found = findings(acme)["statuses"]
    assert found.ok
    assert "In the lab, Parked." in found.text


def test_a_missing_rule_is_told(acme: World) -> None:
    found = findings(acme)["webhook rule"]
    assert not found.ok
    assert "/hooks/acme" in found.text


def test_without_webhooks_no_rule_is_looked_for() -> None:
    with world(settings={"webhook": {}}) as acme:
        found = findings(acme)
    assert not found["webhook"].ok
    assert "webhook rule" not in found


@pytest.mark.parametrize(
    ("switches", "what"), [({"slas": "forbidden"}, "sla targets"), ({"rules": "forbidden"}, "webhook rule")]
)
def test_what_is_closed_to_us_degrades(switches: dict[str, str], what: str) -> None:
    with world(**switches) as acme:
        found = findings(acme)
    assert not found[what].ok
    assert not any(finding.fatal for finding in found.values())


@pytest.mark.parametrize(
    ("path", "what"),
    [("*ticket_fields*", "fields"), ("*sla_policies*", "sla targets"), ("*agents", "credentials")],
)
def test_one_look_that_fails_does_not_hide_the_others(acme: World, path: str, what: str) -> None:
    acme.desk.hooks.subscribe("http://uptier.test/hooks/acme", secret="x")
    acme.fault("answer", path=path, status=500)
    found = findings(acme)
    assert "Could not look" in found[what].text
    assert [name for name, finding in found.items() if not finding.ok] == [what]
