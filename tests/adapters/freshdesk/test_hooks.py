"""Webhooks: who may send them, what they may look like, and that nothing but two errors comes out."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Adapter, Event, HookRequest, Malformed, NotAuthentic
from adapters.contract.sandbox import RecordingGate
from adapters.freshdesk import factory
from adapters.freshdesk.webhooks import HEADER, decode, trusted
from policies.model import TicketRef
from tests.adapters.freshdesk.world import HOOK_SECRET, World, account

NOW = 1795600800
BASIC = {"user": "uptier", "password": "secret:acme-webhook"}
TRUSTED = trusted(account())


def signed_in(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def hook(body: bytes, headers: dict[str, str] | None = None, received: int = NOW) -> HookRequest:
    return HookRequest(
        headers={HEADER: HOOK_SECRET} if headers is None else headers, body=body, received_at=received
    )


def adapter(**more: Any) -> Adapter:
    return factory(account(**more), RecordingGate())


def event(body: Any, **more: Any) -> Event:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    (only,) = adapter().decode(hook(raw, **more))
    return only


@pytest.mark.parametrize(
    "body",
    [
        {"ticket_id": "4711", "event": "{ticket_action:created}"},
        {"ticket_id": 4711},
        {"ticket_id": "#4711"},
        {"ticket_id": "INC-4711"},
        {"ticket_id": " 4711 "},
        {"freshdesk_webhook": {"ticket_id": 4711, "ticket_status": "Offen"}},
        b'{"ticket_id":"4711","subject":"it says "no""}',
        b'{"ticket_id":"4711","comment":"<div style="x">two\nlines',
        b'{"freshdesk_webhook":{"ticket_id":4711,"ticket_description":"a\tb"}',
        b'\xff{"ticket_id" : "#4711"',
        b'{"ticket_id":"4711","subject":""ticket_id":13"}',
        b'{"comment":"he said "ticket_id": 13, "ticket_id":14","event":"x","ticket_id":"4711"}',
        b'{"freshdesk_webhook":{"ticket_description":" ,"ticket_id":13,","ticket_id":4711}}',
        b'{"ticket_id":"4711","comment":"' + b"long " * 80_000 + b'"}',
        b'{"ticket_id":"4711","comment":"it"s ' + b"long " * 80_000 + b'"}',
    ],
)
def test_bodies_that_name_a_ticket(body: Any) -> None:
    assert event(body).ref == TicketRef("acme", "4711")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"4711",
        b'{"ticket_id": ""}',
        b'{"ticket_id": "0"}',
        b'{"ticket_id": null}',
        b'{"ticket_id": true}',
        b'{"ticket_id": 1.5}',
        b'{"ticket_id": "12/../13"}',
        b'{"freshdesk_webhook": [1]}',
        b'{"ticket": {"id": 4711}}',
        b"[" * 100_000,
        b'{"comment": "{\\"ticket_id\\": \\"13\\"}"}',
    ],
)
def test_bodies_that_name_none_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="names no ticket"):
        adapter().decode(hook(body))


@pytest.mark.parametrize("body", [{"ticket_id": "{{ticket.id}}"}, b'{"ticket_id":"{{ ticket.id }}","x":"""}'])
def test_a_placeholder_that_was_not_filled_is_named(body: Any) -> None:
    with pytest.raises(Malformed, match=r"placeholder \{\{ticket.id\}\}"):
        event(body)


@pytest.mark.parametrize(
    "body",
    [{"contact_id": 5}, {"freshdesk_webhook": {"company_name": "Initech"}}, {"test": True}, {"article": {}}],
)
def test_what_is_about_something_else_is_no_event_and_no_fault(body: Any) -> None:
    assert adapter().decode(hook(json.dumps(body).encode())) == ()


def test_an_odd_character_in_a_hint_is_replaced() -> None:
    assert event(b'{"ticket_id": 1, "event": "\\ud83d\\u0000"}').hint == "\ufffd\ufffd"


def test_what_triggered_it_is_a_hint() -> None:
    assert event({"ticket_id": 1, "event": "{status:{from:2,to:6}}"}).hint == "{status:{from:2,to:6}}"
    assert event(b'{"ticket_id":"1","event":"{note_type:private}","x":"""}').hint == "{note_type:private}"
    assert event({"ticket_id": 1}).hint == event(b'{"ticket_id":1,').hint == "automation"


def test_the_same_bytes_later_are_another_event() -> None:
    body = {"ticket_id": "1"}
    assert event(body).delivery == event(body).delivery
    assert event(body).delivery != event(body, received=NOW + 1).delivery
    assert event(body).delivery != event({"ticket_id": "2"}).delivery


GOOD = b'{"ticket_id": "1"}'


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ""},
        {HEADER: "another"},
        {HEADER: HOOK_SECRET + " "},
        {HEADER: "é"},
        {"authorization": f"Bearer {HOOK_SECRET}"},
        signed_in("uptier", HOOK_SECRET),
    ],
)
def test_a_wrong_secret_is_not_authentic(headers: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        adapter().decode(hook(GOOD, headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: HOOK_SECRET},
        signed_in("uptier", "another"),
        signed_in("other", HOOK_SECRET),
        {"authorization": "Basic !!"},
        {"authorization": "Basic é"},
        {"authorization": signed_in("uptier", HOOK_SECRET)["authorization"].replace("Basic", "Digest")},
    ],
)
def test_wrong_credentials_are_not_authentic(headers: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        adapter(webhook=BASIC).decode(hook(GOOD, headers))


def test_right_credentials_are_authentic() -> None:
    assert adapter(webhook=BASIC).decode(hook(GOOD, signed_in("uptier", HOOK_SECRET)))


def test_without_a_secret_nothing_is_authentic() -> None:
    with pytest.raises(NotAuthentic):
        adapter(webhook={}).decode(hook(GOOD, {HEADER: ""}))


@given(
    body=st.one_of(st.binary(), st.text().map(str.encode), st.from_regex(rb'\{"ticket_id":.{0,30}\}')),
    headers=st.dictionaries(st.sampled_from([HEADER, "authorization", "content-type"]), st.text()),
    honest=st.booleans(),
)
def test_any_bytes_give_an_event_or_one_of_two_errors(
    body: bytes, headers: dict[str, str], honest: bool
) -> None:
    try:
        found = decode("acme", TRUSTED, hook(body, None if honest else headers))
    except (NotAuthentic, Malformed):
        return
    assert all(each.ref.id.isdecimal() for each in found)


TEMPLATES = (
    '{"ticket_id":"{{ticket.id}}","event":"{{triggered_event}}"}',
    '{"ticket_id":{{ticket.id}},"said":"{{ticket.latest_public_comment}}","subject":"{{ticket.subject}}"}',
    None,
)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("basic", [True, False])
def test_what_the_simulated_account_sends_is_read(acme: World, template: str | None, basic: bool) -> None:
    how = {"user": "uptier", "password": HOOK_SECRET} if basic else {"secret": HOOK_SECRET}
    acme.desk.hooks.subscribe("http://127.0.0.1:9/hooks/acme", template=template, **how)
    acme.desk.customer_says(1, 'It says "no"\nand <b style="x">more</b>')
    (invocation, *_) = acme.desk.hooks.waiting
    request = hook(invocation.body, acme.desk.hooks.headers(invocation))
    (found,) = adapter(webhook=BASIC if basic else {"secret": "secret:acme-webhook"}).decode(request)
    assert found.ref == TicketRef("acme", "1")
