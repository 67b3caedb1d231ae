"""What `uptier doctor` hears of an account."""

from dataclasses import replace

import pytest

from adapters.base import Finding
from adapters.simulation.webhooks import Invocation
from adapters.zendesk.simulator import API_KEY, BOT
from adapters.zendesk.simulator.app import CLIENT, CLIENT_SECRET
from adapters.zendesk.simulator.webhooks import Hook
from policies.model import Priority, Status
from policies.plan import ChangeTags, RaisePriority, SetField
from tests.adapters.zendesk.world import PRINTER, World, world


def findings(acme: World) -> dict[str, Finding]:
    return {finding.what: finding for finding in acme.adapter.probe()}


def heard(acme: World, times: int = 1) -> Hook:
    """A webhook that posts to us, whose first deliveries arrived."""
    hook = acme.desk.hooks.subscribe("https://uptier.test/hooks/acme", secret="x")
    acme.desk.hooks.done += [Invocation(id=f"1{n}", hook=hook, body=b"", due=0) for n in range(times)]
    return hook


def test_a_well_kept_account(acme: World) -> None:
    heard(acme)
    found = findings(acme)
    assert set(found) == {
        "credentials", "scopes", "fields", "statuses", "sla targets", "schedules", "webhook secret", "webhook",
    }  # fmt: skip
    assert [name for name, finding in found.items() if not finding.ok] == ["scopes"]
    assert found["scopes"].unseen
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
    assert not found["webhook secret"].ok


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
    heard(acme)
    acme.fault("answer", path=path, status=500)
    found = findings(acme)
    assert "Could not look" in found[what].text
    assert [name for name, finding in found.items() if not finding.ok and not finding.unseen] == [what]


def test_every_status_of_the_account_is_listed_with_what_it_counts_as() -> None:
    with world(settings={"statuses": {"Parked": Status.ON_HOLD, "Nirvana": Status.CLOSED}}) as acme:
        acme.desk.seed(
            custom_statuses=[
                {"id": 77, "agent_label": "Parked", "status_category": "open"},
                {"id": 78, "agent_label": "In triage", "status_category": "open"},
                {"id": 79, "agent_label": "Beyond", "status_category": "a word of next year"},
            ]
        )
        told = [finding for finding in acme.adapter.probe() if finding.what == "statuses"]
    assert [finding.ok for finding in told] == [True, False, False]
    assert told[0].text == (
        "Parked (77, open) counts as on_hold; In triage (78, open) counts as open, by its category."
    )
    assert "Beyond (79, a word of next year)" in told[1].text
    assert "names Nirvana" in told[2].text


def test_what_policies_need_and_our_user_cannot_see_is_named() -> None:
    with world(hidden_keys=("priority",)) as acme:
        acme.fault("answer", path="*audits", status=403, times=None)
        found = {each.what: each for each in acme.adapter.probe(frozenset({"priority", "changes", "status"}))}
    assert not found["hidden"].ok
    assert "does not show us changes, priority," in found["hidden"].text


def test_nothing_hidden_is_well_and_the_values_are_told(acme: World) -> None:
    options = [{"name": "X 100", "value": "x100"}, {"name": "X 200", "value": "x200"}]
    acme.desk.people.ticket_fields[360001] |= {"type": "tagger", "custom_field_options": options}
    found = {each.what: each for each in acme.adapter.probe(frozenset({"custom.product", "messages"}))}
    assert found["hidden"].ok
    assert found["values of custom.product"].text == "Zendesk has x100, x200."


def test_a_deactivated_field_is_named(acme: World) -> None:
    acme.desk.people.ticket_fields[360001]["active"] = False
    assert "Deactivated in Zendesk: product" in findings(acme)["fields"].text
    assert "custom.product" in acme.adapter.load(PRINTER, frozenset()).hidden


def test_a_value_that_does_not_exist_is_a_gap_once_the_values_are_known(acme: World) -> None:
    options = [{"name": "X 100", "value": "x100"}]
    acme.desk.people.ticket_fields[360001] |= {"type": "tagger", "custom_field_options": options}
    priorities = [{"name": "Normal", "value": "normal"}, {"name": "High", "value": "high"}]
    acme.desk.seed(ticket_fields=[{"title": "Priority", "type": "priority", "removable": False,
                                   "system_field_options": priorities}])  # fmt: skip
    ticket = acme.adapter.load(PRINTER, frozenset())
    actions = (SetField(field="custom.product", value="x300"), RaisePriority(at_least=Priority.URGENT))
    assert acme.adapter.prepare(ticket, actions, "k").gaps == ()
    acme.adapter.directory()
    prepared = acme.adapter.prepare(ticket, actions, "k")
    assert prepared.writes == ()
    assert prepared.gaps == (
        "custom.product is not set: Zendesk has no value 'x300' for it. It has x100",
        "priority is not set: this account has no urgent. It has normal, high",
    )


def test_tags_that_are_not_shown_are_not_replaced() -> None:
    with world(hidden_keys=("tags",)) as acme:
        ticket = acme.adapter.load(PRINTER, frozenset())
        prepared = acme.adapter.prepare(ticket, (ChangeTags(add=frozenset({"escalated"})),), "k")
        assert prepared.writes == ()
        assert "does not show the ticket's tags" in prepared.gaps[0]


def test_a_webhook_that_is_not_there_or_not_active_is_said(acme: World) -> None:
    acme.desk.hooks.subscribe("https://elsewhere.test/hooks/other", secret="x")
    assert "No webhook posts to /hooks/acme. `uptier connect acme`" in findings(acme)["webhook"].text
    hook = heard(acme)
    acme.desk.hooks.hooks[-1] = replace(hook, active=False, told={"status": "inactive"})
    finding = findings(acme)["webhook"]
    assert (finding.ok, finding.unseen) == (False, False)
    assert "is not active. Activate it" in finding.text


@pytest.mark.parametrize(
    ("arrived", "lost", "mark"), [(0, 0, "unseen"), (2, 0, "ok"), (0, 2, "not"), (3, 1, "hint")]
)
def test_what_zendesk_says_of_its_last_deliveries(acme: World, arrived: int, lost: int, mark: str) -> None:
    hook = heard(acme, arrived)
    acme.desk.hooks.lost += [Invocation(id=f"2{n}", hook=hook, body=b"", due=0) for n in range(lost)]
    finding = findings(acme)["webhook"]
    assert (finding.ok, finding.unseen, finding.hint) == (mark == "ok", mark == "unseen", mark == "hint")
    assert f"{arrived} success" in finding.text or not arrived
    assert f"{lost} failed" in finding.text or not lost


def test_deliveries_that_nobody_can_see_are_never_well() -> None:
    with world(invocations="missing") as acme:
        heard(acme)
        hidden = findings(acme)["webhook"]
    with world(delivery_words=("a word of next year", "failed")) as acme:
        heard(acme)
        strange = findings(acme)["webhook"]
    with world() as acme:
        acme.fault("answer", path="*/webhooks", status=403)
        refused = findings(acme)["webhook"]
    for finding in (hidden, strange, refused):
        assert (finding.ok, finding.unseen) == (False, True)
    assert "a word of next year" in strange.text
    assert "webhooks:read" in refused.text


def test_what_the_probe_asked_is_not_asked_again_by_what_follows_it(acme: World) -> None:
    acme.adapter.probe(frozenset({"priority", "changes"}))
    acme.adapter.directory()
    told = acme.adapter.survey()
    paths = [row.path for row in acme.desk.log]
    assert len(paths) == len({*paths}) + 2, "statuses and schedules, which only a first config needs"
    assert told.calendars == ()
    acme.adapter.directory()
    assert sum("ticket_fields" in row.path for row in acme.desk.log) == 2, "a later directory reads them anew"


def test_a_scope_that_lets_nothing_be_written_is_said() -> None:
    auth = {"kind": "oauth", "client_id": CLIENT, "client_secret": "secret:client"}
    given = {"auth": auth, "secret": lambda _: CLIENT_SECRET, "webhook": {}}
    with world(settings=given) as acme:
        assert "scopes" not in findings(acme), "we ask for what we need"
    with world(settings={**given, "auth": {**auth, "scope": "read"}}) as acme:
        assert "Add write to it, or leave it out" in findings(acme)["scopes"].text
