"""Settings, webhooks and what `uptier doctor` finds."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import HookRequest, Malformed, NotAuthentic
from adapters.contract.sandbox import RecordingGate
from policies.language.fields import FIELDS
from uptier_zammad import factory
from uptier_zammad.vendor import VENDOR


def signed(body: bytes, **headers: str) -> HookRequest:
    digest = hmac.new(b"a-secret-of-our-own", body, hashlib.sha1).hexdigest()
    return HookRequest(headers={"x-hub-signature": f"sha1={digest}", **headers}, body=body, received_at=0)


def test_the_payload_may_be_zammads_or_ones_own(accounts: Callable[..., Any]) -> None:
    adapter = factory(accounts(), RecordingGate())
    for body in ({"ticket": {"id": 81}, "article": {}}, {"ticket_id": "81"}):
        (event,) = adapter.decode(signed(json.dumps(body).encode()))
        assert event.ref.id == "81"
    with pytest.raises(Malformed):
        adapter.decode(signed(b'{"ticket": {"id": true}}'))


def test_a_delivery_is_known_by_its_name_whatever_its_body_says_by_then(accounts: Callable[..., Any]) -> None:
    adapter = factory(accounts(), RecordingGate())
    named = {"x-zammad-delivery": "f3b2", "x-zammad-trigger": "Uptier"}
    first, second = (
        adapter.decode(signed(json.dumps({"ticket": {"id": 81, "title": title}}).encode(), **named))[0]
        for title in ("Printer", "Printer burns")
    )
    assert (first.delivery, first.hint) == (second.delivery, "Uptier")


def test_without_a_secret_no_webhook_is_let_in(accounts: Callable[..., Any]) -> None:
    with pytest.raises(NotAuthentic):
        factory(accounts(webhook={}), RecordingGate()).decode(signed(b'{"ticket_id": 1}'))


def test_a_webhook_is_tried_four_times_more(world: Any) -> None:
    world.desk.hooks.subscribe("http://127.0.0.1:9/closed", "a-secret-of-our-own")
    world.desk.customer_says(1, "Hello?")
    tried = 0
    while world.desk.hooks.waiting:
        tried += len(world.desk.hooks.deliver())
        world.clock.at += 10
    assert (tried, len(world.desk.hooks.lost)) == (5, 1)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"url": "https://acme.test/zammad"}, "url"),
        ({"auth": {"kind": "key"}}, "auth kind"),
        ({"auth": {"kind": "token"}}, "lacks token"),
        ({"settings": {"priorities": {"3 high": "very high"}}}, "priorities"),
        ({"settings": {"priorities": ["urgent"]}}, "priorities"),
    ],
)
def test_a_setting_that_cannot_work_is_named(
    accounts: Callable[..., Any], setting: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        factory(accounts(**setting), RecordingGate())


def test_a_user_and_password_do_as_well(accounts: Callable[..., Any]) -> None:
    assert factory(
        accounts(auth={"kind": "basic", "user": "bot", "password": "secret:acme-token"}), RecordingGate()
    )


def test_every_common_field_has_its_place() -> None:
    assert VENDOR.sources.keys() == {*FIELDS, "custom.NAME"}


def test_the_probe_says_what_is_well_and_what_is_not(world: Any) -> None:
    assert [each.what for each in world.adapter.probe() if not each.ok] == []
    world.desk.seed(states=[{"id": 20, "name": "odd", "state_type_id": 99}])
    world.adapter.directory()
    world.fault("answer", status=403, path="*/tickets/search")
    found = {each.what for each in world.adapter.probe() if not each.ok}
    assert found == {"states", "tickets"}


def test_a_token_without_the_right_to_see_groups_is_told_which(world: Any) -> None:
    world.fault("answer", status=403, path="*/groups", times=None)
    (finding,) = (each for each in world.adapter.probe() if not each.ok)
    assert "admin.group" in finding.text


def test_a_needed_field_that_tickets_do_not_have_is_found(worlds: Callable[..., Any]) -> None:
    with worlds({"fields": {"product": "produkt"}}) as world:
        (finding,) = (each for each in world.adapter.probe(frozenset({"custom.product"})) if not each.ok)
        assert "custom.product" in finding.text
