"""Whatever is posted to us, decoding it answers, or raises Malformed or NotAuthentic, and nothing else."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Adapter, HookRequest, Malformed, NotAuthentic
from adapters.contract.sandbox import RecordingGate
from adapters.freshdesk import factory as freshdesk
from adapters.servicenow import factory as servicenow
from adapters.zendesk import factory as zendesk
from adapters.zendesk.simulator.records import stamp
from tests.adapters.freshdesk.world import HOOK_SECRET
from tests.adapters.freshdesk.world import account as freshdesk_account
from tests.adapters.recording import START
from tests.adapters.servicenow.world import account as servicenow_account
from tests.adapters.zendesk.world import account as zendesk_account


def zendesk_headers(body: bytes) -> dict[str, str]:
    at = stamp(START)
    digest = hmac.new(HOOK_SECRET.encode(), at.encode() + body, hashlib.sha256).digest()
    return {
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": at,
        "x-zendesk-webhook-invocation-id": "01",
    }


def freshdesk_headers(_: bytes) -> dict[str, str]:
    return {"x-uptier-secret": HOOK_SECRET}


def servicenow_headers(body: bytes) -> dict[str, str]:
    digest = hmac.new(HOOK_SECRET.encode(), f"{START}.".encode() + body, hashlib.sha256).digest()
    return {"x-uptier-timestamp": str(START), "x-uptier-signature": base64.b64encode(digest).decode()}


MADE: dict[str, tuple[Adapter, Any]] = {
    "zendesk": (zendesk(zendesk_account(), RecordingGate()), zendesk_headers),
    "freshdesk": (freshdesk(freshdesk_account(), RecordingGate()), freshdesk_headers),
    "servicenow": (servicenow(servicenow_account(), RecordingGate()), servicenow_headers),
}
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
)
KNOWN = st.sampled_from(
    [
        "ticket_id",
        "detail",
        "id",
        "type",
        "sys_id",
        "table",
        "event",
        "freshdesk_webhook",
        "v",
        "sys_mod_count",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=400),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(KNOWN, JSON, max_size=6).map(lambda value: json.dumps(value).encode()),
    st.integers(1, 3000).map(lambda depth: b"[" * depth),
    st.integers(1, 6000).map(lambda digits: b'{"ticket_id":' + b"9" * digits + b"}"),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-zendesk-webhook-signature",
            "x-zendesk-webhook-signature-timestamp",
            "x-zendesk-webhook-invocation-id",
            "x-uptier-secret",
            "x-uptier-signature",
            "x-uptier-timestamp",
            "authorization",
            "content-type",
        ]
    ),
    st.text(max_size=60)
    | st.sampled_from(["Basic Og==", "Basic \xff", "9" * 400, "-1", "1e9", "NaN", "2026-99-99"]),
)


def decoded(adapter: Adapter, headers: dict[str, str], body: bytes) -> bool:
    try:
        events = adapter.decode(HookRequest(headers=headers, body=body, received_at=START))
    except (Malformed, NotAuthentic):
        return False
    assert all(event.ref.account == "acme" and event.ref.id and event.delivery for event in events)
    return True


@pytest.mark.parametrize("vendor", MADE)
@settings(max_examples=120)
@given(body=BODIES)
def test_an_authentic_body_of_any_kind(vendor: str, body: bytes) -> None:
    adapter, headers = MADE[vendor]
    decoded(adapter, headers(body), body)


@pytest.mark.parametrize("vendor", MADE)
@settings(max_examples=120)
@given(headers=HEADERS, body=BODIES)
def test_headers_of_any_kind_let_nobody_in(vendor: str, headers: dict[str, str], body: bytes) -> None:
    assert not decoded(MADE[vendor][0], headers, body)
