"""Webhooks that are made over Zendesk's API: what the simulated account takes (vendor sheet 2), and what the adapter
makes of it."""

from typing import Any

import pytest

from adapters.base import HookRequest, MakesHooks, NotAllowed, OutcomeUnknown, WontAccept
from adapters.zendesk.hooks import HEARD, ZendeskHooks
from adapters.zendesk.simulator.webhooks import signature
from tests.adapters.zendesk.simulated import Api
from tests.adapters.zendesk.test_simulator_hooks import Ear, listening
from tests.adapters.zendesk.world import World, account, world

ADDRESS = "https://uptier.test/hooks/acme"
WANTED = {
    "name": "ours",
    "endpoint": ADDRESS,
    "http_method": "POST",
    "request_format": "json",
    "status": "active",
    "subscriptions": ["zen:event-type:ticket.status_changed"],
}


def made(api: Api, **more: Any) -> dict[str, Any]:
    answer = api.call("POST", "/api/v2/webhooks", json={"webhook": {**WANTED, **more}})
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json()["webhook"]
    return webhook


def test_a_webhook_is_shown_as_it_was_made_and_never_with_its_secret() -> None:
    api = Api()
    row = made(api)
    assert {key: row[key] for key in WANTED} == WANTED
    assert api.get(f"webhooks/{row['id']}").json()["webhook"] == row
    told = api.get(f"webhooks/{row['id']}/signing_secret").json()["signing_secret"]
    assert told["algorithm"] == "SHA256"
    assert told["secret"] not in str(row)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"http_method": "GET"},
        {"request_format": "xml"},
        {"subscriptions": []},
        {"subscriptions": ["conditional_ticket_events", "zen:event-type:ticket.created"]},
        {"endpoint": "uptier.test"},
    ],
)
def test_a_webhook_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    api = Api()
    answer = api.call("POST", "/api/v2/webhooks", json={"webhook": {**WANTED, **wrong}})
    assert answer.status_code == 400
    assert api.get("webhooks").json()["webhooks"] == []


def test_pages_of_webhooks_begin_with_the_newest() -> None:
    api = Api()
    names = [made(api, name=f"n{number}")["name"] for number in range(3)]
    first = api.get("webhooks", **{"page[size]": 2}).json()
    assert first["meta"]["has_more"]
    rest = api.get("webhooks", **{"page[size]": 2, "page[after]": first["meta"]["after_cursor"]}).json()
    assert not rest["meta"]["has_more"]
    assert [row["name"] for row in first["webhooks"] + rest["webhooks"]] == names[::-1]


def test_webhooks_have_a_limit_apart_from_the_accounts() -> None:
    api = Api(limits={"webhooks-test": (0, 60)})
    row = made(api)
    before = api.get("users/me").headers["x-rate-limit-remaining"]
    assert api.get("webhooks").headers["x-rate-limit"] == "100"
    assert int(api.get("users/me").headers["x-rate-limit-remaining"]) == int(before) - 1
    answer = api.call("POST", f"/api/v2/webhooks/test?webhook_id={row['id']}", json={"request": {}})
    assert answer.status_code == 429


def test_only_the_events_that_were_asked_for_are_posted() -> None:
    api = Api()
    with listening() as ear:
        made(api, endpoint=ear.url)
        api.put(priority="high")
        api.put(status="pending")
        api.desk.hooks.deliver()
        assert [body["type"] for body in ear.bodies()] == ["zen:event-type:ticket.status_changed"]


def test_what_waits_for_a_removed_webhook_is_lost() -> None:
    api = Api()
    with listening() as ear:
        row = made(api, endpoint=ear.url)
        api.put(status="pending")
        assert api.call("DELETE", f"/api/v2/webhooks/{row['id']}").status_code == 204
        assert api.desk.hooks.deliver() == []
    assert api.get(f"webhooks/{row['id']}").status_code == 404
    assert api.call("DELETE", f"/api/v2/webhooks/{row['id']}").status_code == 404


# --- the adapter -------------------------------------------------------------------------------------------------


def hooks(acme: World) -> ZendeskHooks:
    assert isinstance(acme.adapter, MakesHooks)
    assert isinstance(acme.adapter.hooks, ZendeskHooks)
    return acme.adapter.hooks


def test_a_made_webhook_is_listed_and_its_test_can_be_read_with_its_secret(acme: World) -> None:
    ear: Ear
    with listening() as ear:
        one = hooks(acme).make("Uptier acme 1", ear.url)
        assert hooks(acme).listed() == (one,)
        assert (one.name, one.address, one.active) == ("Uptier acme 1", ear.url, True)
        assert hooks(acme).test(one.id) == 200
        (headers, body) = ear.heard[0]
        secret = hooks(acme).secret_of(one.id)
        stamp = headers["x-zendesk-webhook-signature-timestamp"]
        assert headers["x-zendesk-webhook-signature"] == signature(secret, stamp, body)
        ours = account(secret=lambda _: secret)
        from adapters.zendesk import factory

        taken = HookRequest(headers=headers, body=body, received_at=acme.clock())
        assert factory(ours, acme.gate).decode(taken) == ()


def test_every_event_that_is_asked_for_is_one_of_zendesks(acme: World) -> None:
    hooks(acme).make("Uptier acme 1", ADDRESS)
    (row,) = acme.desk.hooks.hooks
    assert row.kinds == {f"zen:event-type:ticket.{kind}" for kind in HEARD}
    assert len(HEARD) == len(set(HEARD))


def test_a_test_without_an_answer_says_so(acme: World) -> None:
    one = hooks(acme).make("Uptier acme 1", "http://127.0.0.1:1/hooks/acme")
    assert hooks(acme).test(one.id) is None


def test_what_is_removed_already_is_well(acme: World) -> None:
    one = hooks(acme).make("Uptier acme 1", ADDRESS)
    hooks(acme).remove(one.id)
    hooks(acme).remove(one.id)
    assert hooks(acme).listed() == ()


def test_a_lost_answer_leaves_the_fate_unknown_and_the_name_to_be_found(acme: World) -> None:
    acme.fault("drop", method="POST", path="*/webhooks", applied=True)
    with pytest.raises(OutcomeUnknown):
        hooks(acme).make("Uptier acme 1", ADDRESS)
    assert [one.name for one in hooks(acme).listed()] == ["Uptier acme 1"]


def test_a_refused_webhook_is_refused_for_good(acme: World) -> None:
    with pytest.raises(WontAccept, match="endpoint"):
        hooks(acme).make("Uptier acme 1", "uptier.test")


def test_who_is_no_admin_is_told_what_is_missing() -> None:
    with world() as acme:
        acme.desk.people.user("Uptier")["role"] = "agent"
        with pytest.raises(NotAllowed) as refused:
            hooks(acme).listed()
    assert "admin" in refused.value.right


def test_more_than_a_page_of_webhooks_is_read(acme: World) -> None:
    for number in range(101):
        acme.desk.hooks.subscribe(f"https://other.test/{number}", "x" * 16)
    one = hooks(acme).make("Uptier acme 1", ADDRESS)
    there = hooks(acme).listed()
    assert len(there) == 102
    assert one in there


def test_webhook_calls_draw_on_a_budget_of_their_own(acme: World) -> None:
    hooks(acme).listed()
    assert acme.gate.entered[-1] == ("webhooks",)
    assert acme.gate.learned[-1].bucket == "webhooks"
