"""Webhooks: signatures, freshness, bodies, and that nothing but two errors comes out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Adapter, Event, HookRequest, Malformed, NotAuthentic
from adapters.contract.sandbox import RecordingGate
from adapters.zendesk import factory
from adapters.zendesk.webhooks import PUBLIC_SECRET, SIGNATURE, STAMP, decode, sign
from policies.model import TicketRef
from tests.adapters.zendesk.world import HOOK_SECRET, World, account

NOW = 1795600800
INVOCATION = "x-zendesk-webhook-invocation-id"
AT = "2026-11-25T10:00:00Z"
EVENT = {
    "id": "b5a1",
    "subject": "zen:ticket:4711",
    "type": "zen:event-type:ticket.status_changed",
    "detail": {"id": "4711", "assignee_id": "0"},
}


def hook(
    body: bytes, *, secret: str = HOOK_SECRET, at: str = AT, received: int = NOW, **headers: str
) -> HookRequest:
    signed = {STAMP: at, SIGNATURE: sign(secret, at, body).decode()}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(headers=signed | named, body=body, received_at=received)


def adapter(**more: Any) -> Adapter:
    return factory(account(**more), RecordingGate())


def event(body: Any, **more: Any) -> Event:
    raw = body if isinstance(body, bytes) else json.dumps(body, indent=2).encode()
    (only,) = adapter().decode(hook(raw, **more))
    return only


def test_the_vendors_own_signature_vector() -> None:
    signature = sign(PUBLIC_SECRET, "2021-03-25T05:09:27Z", b'{"id":1}')
    assert signature == b"ywpRZiAB7t63lmd+pF7GH2wmTjBlyoVl8feO7lD518g="


@pytest.mark.parametrize(
    "body",
    [
        {"ticket_id": "4711", "updater": "Ann"},
        {"ticket_id": 4711},
        EVENT,
        EVENT | {"detail": {}},
        EVENT | {"subject": "else"},
        b'{"ticket_id": "4711", "title": "it says "no""}',
        b'{"ticket_id":"4711","body":"two\nlines',
        b'\xff{"ticket_id" : 4711}',
        b'{"title": "it says "no"", "ticket_id": "4711"}',
        b'{"ticket_id": "4711", "comment": "it says "no", "ticket_id": "13" and more"}',
        {"ticket_id": "4711", "first": "x" * 195_000, "second": 'say "no"' * 24_000},
    ],
)
def test_bodies_that_name_a_ticket(body: Any) -> None:
    assert event(body).ref == TicketRef("acme", "4711")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"4711",
        b'{"ticket_id": ""}',
        b'{"ticket_id": "0"}',
        b'{"ticket_id": null}',
        b'{"ticket_id": true}',
        b'{"ticket_id": "12/../13"}',
        b'{"detail": {"ticket_id": "4711"}}',
        b'{"type": "zen:event-type:ticket.status_changed", "detail": {}}',
        b"[" * 100_000,
        b'{"comment": "{\\"ticket_id\\": \\"13\\"}"}',
    ],
)
def test_bodies_that_name_none_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="names no ticket"):
        adapter().decode(hook(body))


def test_the_event_type_is_a_hint() -> None:
    assert event(EVENT).hint == "status_changed"
    assert event({"ticket_id": "1"}).hint == "trigger"


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "zen:user:4711", "type": "zen:event-type:user.deleted", "detail": {"id": "4711"}},
        {"subject": "zen:organization:5", "type": "zen:event-type:organization.created"},
        {"subject": "zen:article:5", "type": "zen:event-type:article.published"},
        {"subject": "zen:agent:5", "type": "zen:event-type:agent.state_changed"},
        {"message": "This is a test"},
        b"Testing the webhook",
        b"",  # Zendesk's test over its API, asked for without a body
    ],
)
def test_what_is_not_about_tickets_is_ignored_and_no_error_that_trips_the_breaker(body: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert adapter().decode(hook(raw)) == ()


@pytest.mark.parametrize(
    "body", ['{"ticket_id": "{{ticket.id}}"}', '{"ticket_id": {{ ticket.id }}, "a": "b"}']
)
def test_a_placeholder_that_was_not_filled_in_is_named(body: str) -> None:
    with pytest.raises(Malformed, match=r"still says \{\{ticket.id\}\}"):
        adapter().decode(hook(body.encode()))


def test_where_a_broken_body_may_name_several_tickets_each_is_looked_at() -> None:
    body = b'{"comment": "it says "no", "ticket_id": "13" and more", "ticket_id": "4711"}'
    found = adapter().decode(hook(body))
    assert [each.ref.id for each in found] == ["13", "4711"]
    assert len({each.delivery for each in found}) == 2


def test_half_a_character_in_a_body_does_no_harm() -> None:
    raw = b'{"ticket_id": "1", "type": "\\ud83d\\u0000"}'
    (found,) = adapter().decode(hook(raw))
    assert (found.ref.id, found.hint) == ("1", "\ufffd\ufffd")


def test_a_copy_under_another_invocation_is_known_by_what_is_signed() -> None:
    trigger = {"ticket_id": "1"}
    one, two = {INVOCATION.replace("-", "_"): "01HAN9"}, {INVOCATION.replace("-", "_"): "01HANX"}
    for body in (EVENT, trigger):
        assert event(body, **one).delivery == event(body, **two).delivery
    later = {"at": "2026-11-25T10:00:09Z"}
    assert event(EVENT).delivery == event(EVENT, **later).delivery != event(EVENT | {"id": "b5a2"}).delivery
    assert event(trigger).delivery == event(trigger).delivery
    assert event(trigger).delivery != event(trigger, **later).delivery
    assert event(trigger).delivery != event({"ticket_id": "2"}).delivery


def refused(request: HookRequest) -> bool:
    with pytest.raises(NotAuthentic):
        adapter().decode(request)
    return True


def test_forged_changed_and_stale_webhooks_are_not_authentic() -> None:
    body = json.dumps(EVENT, indent=2).encode()
    good = hook(body)
    assert adapter().decode(good)
    assert refused(hook(body, secret="another"))
    assert refused(HookRequest(headers=good.headers, body=json.dumps(EVENT).encode(), received_at=NOW))
    assert refused(HookRequest(headers={}, body=body, received_at=NOW))
    assert refused(HookRequest(headers={**good.headers, SIGNATURE: "é"}, body=body, received_at=NOW))
    assert refused(
        HookRequest(headers={**good.headers, STAMP: "2026-11-25T10:00:01Z"}, body=body, received_at=NOW)
    )


@pytest.mark.parametrize(("received", "fresh"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_signature_is_good_for_five_minutes_either_way(received: int, fresh: bool) -> None:
    request = hook(b'{"ticket_id": "1"}', received=NOW + received)
    assert adapter().decode(request) if fresh else refused(request)


def test_a_signed_stamp_that_is_no_time_is_not_authentic() -> None:
    assert refused(hook(b'{"ticket_id": "1"}', at="now"))


def test_without_a_secret_nothing_is_authentic() -> None:
    with pytest.raises(NotAuthentic, match="no webhook secret"):
        adapter(webhook={}).decode(hook(b'{"ticket_id": "1"}'))


@given(
    body=st.one_of(st.binary(), st.text().map(str.encode), st.from_regex(rb'\{"ticket_id":.{0,30}\}')),
    headers=st.dictionaries(st.sampled_from([SIGNATURE, STAMP, INVOCATION, "content-type"]), st.text()),
    honest=st.booleans(),
)
def test_any_bytes_give_an_event_or_one_of_two_errors(
    body: bytes, headers: dict[str, str], honest: bool
) -> None:
    request = hook(body) if honest else HookRequest(headers=headers, body=body, received_at=NOW)
    try:
        found = decode("acme", HOOK_SECRET, request)
    except (NotAuthentic, Malformed):
        return
    assert all(each.ref.id.isdecimal() for each in found)


@pytest.mark.parametrize("mode", ["events", "trigger"])
def test_what_the_simulated_account_signs_is_read(acme: World, mode: Any) -> None:
    acme.desk.hooks.subscribe("http://127.0.0.1:9/hooks/acme", HOOK_SECRET, mode=mode)
    acme.desk.customer_says(1, 'It says "no"')
    invocation = acme.desk.hooks.waiting[0]
    headers = {name.lower(): value for name, value in acme.desk.hooks.headers(invocation).items()}
    body = invocation.body if isinstance(invocation.body, bytes) else invocation.body.encode()
    request = HookRequest(headers=headers, body=body, received_at=acme.clock())
    (found,) = acme.adapter.decode(request)
    assert found.ref == TicketRef("acme", "1")
