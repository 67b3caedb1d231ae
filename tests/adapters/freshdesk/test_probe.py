"""What `uptier doctor` hears of an account."""

import pytest

from adapters.base import Finding, TryLater
from policies.model import Status
from tests.adapters.freshdesk.world import PRINTER, World, world


def findings(acme: World) -> dict[str, Finding]:
    return {finding.what: finding for finding in acme.adapter.probe()}


def test_a_well_kept_account(acme: World) -> None:
    acme.desk.hooks.subscribe("http://uptier.test/hooks/acme", secret="x")
    found = findings(acme)
    assert set(found) == {
        "credentials",
        "fields",
        "statuses",
        "sla targets",
        "webhook secret",
        "webhook rule",
    }
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
    found = findings(acme)
    assert found["statuses"].text == (
        "Offen (2): open; Pending (3): pending; Resolved (4): solved; Closed (5): closed; "
        "Waiting on Customer (6): pending; Parked (7): on_hold, a guess; In the lab (8): open, a guess."
    )
    assert not found["statuses guessed"].ok
    assert (
        "a guess: Parked, In the lab. Say it under [accounts.acme.statuses]" in found["statuses guessed"].text
    )


def test_what_the_settings_say_of_a_status_is_no_guess() -> None:
    said = {"in the LAB": Status.ON_HOLD, "7": Status.CLOSED, "Nowhere": Status.OPEN, "99": Status.OPEN}
    with world(settings={"statuses": said}) as acme:
        acme.desk.seed(statuses={"8": "In the lab", "7": "Parked"})
        found = findings(acme)
    assert (
        "Parked (7): closed, by your settings; In the lab (8): on_hold, by your settings."
        in found["statuses"].text
    )
    assert "statuses guessed" not in found
    assert "no status Nowhere, 99" in found["statuses mapped"].text


@pytest.mark.parametrize("shown", ["form", "admin"])
def test_where_timers_are_shown_nothing_is_guessed(shown: str) -> None:
    with world(status_timers=shown) as acme:
        acme.desk.seed(statuses={"8": "In the lab"}, stops_timer=[8, 6])
        found = findings(acme)
        acme.desk.agent_changes(1, "Ann", status=8)
        assert acme.adapter.load(PRINTER, frozenset()).status is Status.ON_HOLD
    assert "In the lab (8): on_hold, by its SLA timer" in found["statuses"].text
    assert "statuses guessed" not in found


def test_freshservice_is_known_by_its_envelopes_and_that_is_fatal() -> None:
    with world(wrapped=True) as acme:
        (finding,) = acme.adapter.probe()
        assert (finding.ok, finding.fatal) == (False, True)
        assert "Freshservice" in finding.text
        assert "give the address" in finding.text
        with pytest.raises(TryLater, match="Freshservice"):
            acme.adapter.poll(None, since=0, limit=10)
        with pytest.raises(TryLater, match="Freshservice"):
            acme.adapter.load(PRINTER, frozenset())


def test_a_list_that_is_refused_names_the_right(acme: World) -> None:
    acme.fault("answer", path="*/tickets", status=403, times=None)
    found = findings(acme)
    for what in ("tickets", "deleted tickets", "spam tickets"):
        assert not found[what].ok
        assert "Global access" in found[what].text


def test_what_the_policies_need_and_a_ticket_does_not_show_is_named(acme: World) -> None:
    needed = frozenset(
        {"priority", "custom.product", "custom.seats", "requester.vip", "messages", "type", "targets"}
    )
    assert "hidden fields" not in {each.what for each in acme.adapter.probe(needed)}
    acme.desk.spoil(1, hides=["priority", "due_by", "fr_due_by"])
    acme.fault("answer", path="*conversations", status=403)
    (hidden,) = [each for each in acme.adapter.probe(needed) if each.what == "hidden fields"]
    assert not hidden.ok
    assert "does not show priority, targets, messages to our agent" in hidden.text


def test_the_values_that_a_needed_field_takes_are_told(acme: World) -> None:
    found = {each.what: each.text for each in acme.adapter.probe(frozenset({"custom.product"}))}
    assert found["custom.product"] == "It takes X100, X200."
    assert "custom.product" not in findings(acme)


def test_mandatory_fields_and_rows_that_cannot_be_read_are_told(acme: World) -> None:
    acme.desk.people.fields["cf_seats"]["required_for_agents"] = True
    acme.desk.seed(tickets=[{"requester": "Dan", "subject": "Odd"}])
    acme.desk.spoil(2, shows={"priority": ["urgent"]})
    found = findings(acme)
    assert "on which cf_seats is empty" in found["mandatory field"].text
    assert "1 of the newest 30 tickets" in found["tickets"].text


def test_a_missing_rule_is_told(acme: World) -> None:
    found = findings(acme)["webhook rule"]
    assert not found.ok
    assert "/hooks/acme" in found.text


def test_without_webhooks_no_rule_is_looked_for() -> None:
    with world(settings={"webhook": {}}) as acme:
        found = findings(acme)
    assert not found["webhook secret"].ok
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
    [("*/ticket_fields", "fields"), ("*sla_policies*", "sla targets"), ("*agents", "credentials")],
)
def test_one_look_that_fails_does_not_hide_the_others(acme: World, path: str, what: str) -> None:
    acme.desk.hooks.subscribe("http://uptier.test/hooks/acme", secret="x")
    acme.fault("answer", path=path, status=500)
    found = findings(acme)
    assert "Could not look" in found[what].text
    assert [name for name, finding in found.items() if not finding.ok] == [what]
