"""Webhooks: signatures, freshness, bodies, and that nothing but two errors comes out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Event, HookRequest, Malformed, NotAuthentic, Note
from adapters.contract.sandbox import RecordingGate
from adapters.servicenow import factory, webhooks
from adapters.servicenow.profile import profile
from adapters.servicenow.simulator.webhooks import payload, signed
from adapters.servicenow.webhooks import SIGNATURE, STAMP, sign
from policies.model import TicketRef
from tests.adapters.servicenow.world import HOOK_SECRET, World, account

NOW = 1795600800
BODY = {
    "v": 1,
    "table": "incident",
    "sys_id": "9d385017c611228701d22104cc95c371",
    "sys_mod_count": "7",
    "event": "update",
}


def decode(secret: str, request: HookRequest, **settings: Any) -> tuple[Event, ...]:
    return webhooks.decode(profile(account(settings=settings)), secret, request)


def hook(body: bytes, *, secret: str = HOOK_SECRET, at: str = str(NOW), received: int = NOW) -> HookRequest:
    return HookRequest(
        headers={STAMP: at, SIGNATURE: sign(secret, at, body).decode()}, body=body, received_at=received
    )


def events(body: Any, **more: Any) -> tuple[Event, ...]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(HOOK_SECRET, hook(raw, **more))


def test_the_recipe_as_any_other_program_computes_it() -> None:
    # printf '%s' '1795600800.{"sys_id":"a"}' | openssl dgst -sha256 -hmac 'a-secret-of-our-own' -binary | base64
    assert sign(HOOK_SECRET, str(NOW), b'{"sys_id":"a"}') == b"teanukW7lofZyBEA3OJlH21D0EX9tD2H5KYpnj7OHIQ="


def test_a_webhook_names_its_record_and_the_same_thing_alike() -> None:
    (event,) = events(BODY)
    assert event.ref == TicketRef("acme", str(BODY["sys_id"]))
    assert event.hint == "update"
    assert events(BODY, at=str(NOW + 5))[0].delivery == event.delivery
    assert events({**BODY, "sys_mod_count": "8"})[0].delivery != event.delivery
    assert events({**BODY, "event": "delete"})[0].delivery != event.delivery


def test_another_table_is_nobodys_business() -> None:
    assert events({**BODY, "table": "problem"}) == ()


@pytest.mark.parametrize("table", ["incident_task_of_ours", "u_security_incident", "x_acme_request"])
def test_a_table_below_ours_reaches_the_account(table: str) -> None:
    (event,) = events({**BODY, "table": table})
    assert event.ref == TicketRef("acme", str(BODY["sys_id"]))


@pytest.mark.parametrize("table", ["sys_user", "kb_knowledge", "change_request", 7, None, []])
def test_webhooks_of_other_kinds_are_nobodys_business(table: Any) -> None:
    assert events({"table": table, "text": "hello"}) == ()


@pytest.mark.parametrize("key", ["${current.sys_id}", "{{sys_id}}", "$[sys_id]"])
def test_a_placeholder_that_was_left_is_named(key: str) -> None:
    with pytest.raises(Malformed, match="placeholder"):
        events({**BODY, "sys_id": key})


@pytest.mark.parametrize("count", [{}, {"sys_mod_count": ""}, {"sys_mod_count": None}])
def test_without_a_count_only_the_very_same_post_is_a_repeat(count: dict[str, Any]) -> None:
    body = {name: value for name, value in BODY.items() if name != "sys_mod_count"} | count
    (first,), (same,), (later,) = events(body), events(body), events(body, at=str(NOW + 1))
    assert first.delivery == same.delivery != later.delivery
    alone = [
        HookRequest(headers={SIGNATURE: sign(HOOK_SECRET, None, b).decode()}, body=b, received_at=NOW + more)
        for b in [json.dumps(body).encode()]
        for more in (0, 9)
    ]
    keys = [decode(HOOK_SECRET, each, allow_unstamped=True)[0].delivery for each in alone]
    assert keys[0] != keys[1]


def test_half_a_character_is_none() -> None:
    (event,) = events({**BODY, "event": "\ud83d", "sys_mod_count": "\ud83d"})
    event.hint.encode()
    event.delivery.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"sys_id": 7}',
        b'{"sys_id": ""}',
        b'{"sys_id": "../x"}',
        b"\xff",
    ],
)
def test_what_names_no_record_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        events(body)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secret": "another"}, "signature"),
        ({"received": NOW + 301}, "more than 300 s"),
        ({"received": NOW - 301}, "more than 300 s"),
        ({"at": "soon"}, "more than 300 s"),
        ({"at": "-5"}, "more than 300 s"),
        ({"at": "9" * 400}, "more than 300 s"),
        ({"at": "²"}, "more than 300 s"),
    ],
)
def test_what_is_not_signed_now_and_by_us_is_not_authentic(more: Any, words: str) -> None:
    with pytest.raises(NotAuthentic, match=words):
        events(BODY, **more)


def test_a_changed_body_or_time_breaks_the_signature() -> None:
    good = hook(b'{"sys_id":"a"}')
    for headers, body in (
        (good.headers, b'{"sys_id":"b"}'),
        ({**good.headers, STAMP: str(NOW + 1)}, good.body),
    ):
        with pytest.raises(NotAuthentic):
            decode(HOOK_SECRET, HookRequest(headers=headers, body=body, received_at=NOW))


def test_a_signature_of_the_body_alone_is_taken_where_the_account_says_so() -> None:
    body = json.dumps({"sys_id": "a" * 32, "table": "incident"}).encode()
    alone = HookRequest(
        headers={SIGNATURE: sign(HOOK_SECRET, None, body).decode()}, body=body, received_at=NOW
    )
    (event,) = decode(HOOK_SECRET, alone, allow_unstamped=True)
    assert event.ref.id == "a" * 32
    for headers in (
        {**alone.headers, STAMP: str(NOW)},
        {SIGNATURE: sign("another", None, body).decode()},
        {SIGNATURE: sign(HOOK_SECRET, str(NOW), body).decode()},
    ):
        with pytest.raises(NotAuthentic):
            decode(
                HOOK_SECRET, HookRequest(headers=headers, body=body, received_at=NOW), allow_unstamped=True
            )
    with pytest.raises(NotAuthentic, match=r"without a time.*allow_unstamped"):
        decode(HOOK_SECRET, alone)


def test_without_a_secret_nothing_is_authentic() -> None:
    adapter = factory(account(webhook={}), RecordingGate())
    with pytest.raises(NotAuthentic, match="no webhook secret"):
        adapter.decode(hook(b"{}", secret=""))


@given(
    st.binary(max_size=200), st.dictionaries(st.sampled_from([STAMP, SIGNATURE]), st.text()), st.booleans()
)
def test_nothing_else_is_ever_raised(body: bytes, headers: dict[str, str], ours: bool) -> None:
    request = hook(body) if ours else HookRequest(headers=headers, body=body, received_at=NOW)
    try:
        decode(HOOK_SECRET, request)
    except (NotAuthentic, Malformed):
        return


def test_what_the_simulated_rule_posts_is_authentic(acme: World) -> None:
    acme.desk.hooks.subscribe("http://127.0.0.1:9/hooks/acme", HOOK_SECRET)
    acme.desk.customer_says(acme.printer.id, "Hello")
    (job,) = acme.desk.hooks.waiting
    body = payload(job, acme.row)
    headers = {name.lower(): value for name, value in signed(HOOK_SECRET, NOW, body).items()}
    (event,) = acme.adapter.decode(HookRequest(headers=headers, body=body, received_at=NOW))
    assert event.ref == acme.printer
    assert event.delivery == f"{acme.printer.id}:1:update"


def test_our_own_updates_send_nothing(acme: World) -> None:
    acme.desk.hooks.subscribe("http://127.0.0.1:9/hooks/acme", HOOK_SECRET)
    write = acme.one(Note(public=False, body="x"))
    acme.adapter.send(write, write.expects)
    assert acme.desk.hooks.waiting == []
