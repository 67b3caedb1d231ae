"""The wire, answered by respx: credentials, addresses, and what a refusal or a lost connection becomes."""

import gc
from base64 import b64encode
from typing import Any

import httpx
import pytest
import respx

from adapters.base import AccessLost, HelpdeskError, NotAllowed, OutcomeUnknown, TryLater, WontAccept
from adapters.contract.sandbox import RecordingGate
from adapters.freshdesk.answers import code
from adapters.freshdesk.client import Answer, Client, further
from adapters.http import AGENT, status_behind
from tests.adapters.freshdesk.world import World, account, world

BASE = "https://acme.freshdesk.test/api/v2"


class Full(RecordingGate):
    """A gate whose budget is spent."""

    def enter(self, buckets: tuple[str, ...]) -> None:
        raise TryLater(f"the budget of {buckets[0]} is spent", 17)


def client(**more: Any) -> Client:
    return Client(account(**more), RecordingGate())


@respx.mock
def test_a_request_carries_the_key_and_says_who_we_are() -> None:
    route = respx.get(f"{BASE}/agents/me").respond(json={"id": 1})
    client(url="https://acme.freshdesk.test/", secret=lambda _: "k").get("/agents/me")
    headers = route.calls.last.request.headers
    assert headers["authorization"] == "Basic " + b64encode(b"k:X").decode()
    assert (headers["user-agent"], headers["accept"]) == (AGENT, "application/json")


@respx.mock
def test_a_new_key_is_asked_for_after_a_401_and_nothing_is_sent_again() -> None:
    keys = iter(["old", "new"])
    route = respx.get(f"{BASE}/groups").mock(side_effect=[httpx.Response(401), httpx.Response(200, json=[])])
    one = client(secret=lambda _: next(keys))
    with pytest.raises(AccessLost):
        one.get("/groups")
    assert route.call_count == 1
    assert one.get("/groups").rows() == []
    assert route.calls.last.request.headers["authorization"] == "Basic " + b64encode(b"new:X").decode()


@respx.mock
def test_a_spent_budget_sends_nothing() -> None:
    route = respx.get(f"{BASE}/groups")
    with pytest.raises(TryLater) as caught:
        Client(account(), Full()).get("/groups")
    assert (caught.value.wait, route.call_count) == (17, 0)


@respx.mock
@pytest.mark.parametrize(
    ("answer", "error", "wait"),
    [
        (httpx.Response(302, headers={"location": "https://elsewhere.test"}), TryLater, 300),
        (httpx.Response(400, json={"description": "Validation failed", "errors": []}), TryLater, 0),
        (httpx.Response(401), AccessLost, None),
        (httpx.Response(403, json={"code": "access_denied"}), NotAllowed, None),
        (httpx.Response(403, json={"code": "account_suspended"}), AccessLost, None),
        (httpx.Response(404), TryLater, 300),
        (httpx.Response(409), TryLater, 0),
        (httpx.Response(429, headers={"retry-after": "93"}), TryLater, 93),
        (httpx.Response(429), TryLater, 60),
        (httpx.Response(500, json={"code": "internal_error"}), TryLater, 0),
        (httpx.Response(502, html="<html>"), TryLater, 0),
        (httpx.Response(503, headers={"retry-after": "8"}), TryLater, 8),
        (httpx.Response(200, html="<html>"), TryLater, 0),
        (httpx.Response(200, text=""), TryLater, 0),
        (httpx.Response(200, text='{"id": 1'), TryLater, 0),
        (httpx.Response(200, text="[" * 100_000), TryLater, 0),
        (httpx.Response(200, text="7"), TryLater, 0),
    ],
)
def test_what_a_refused_read_means(
    answer: httpx.Response, error: type[HelpdeskError], wait: int | None
) -> None:
    route = respx.get(f"{BASE}/groups").mock(return_value=answer)
    with pytest.raises(error) as caught:
        client().get("/groups")
    assert getattr(caught.value, "wait", None) == wait
    assert route.call_count == 1


@respx.mock
@pytest.mark.parametrize(
    ("lost", "read", "write"),
    [
        (httpx.ConnectError, TryLater, TryLater),
        (httpx.ConnectTimeout, TryLater, TryLater),
        (httpx.PoolTimeout, TryLater, TryLater),
        (httpx.ReadTimeout, TryLater, OutcomeUnknown),
        (httpx.WriteTimeout, TryLater, OutcomeUnknown),
        (httpx.ReadError, TryLater, OutcomeUnknown),
        (httpx.RemoteProtocolError, TryLater, OutcomeUnknown),
    ],
)
def test_what_a_lost_connection_means(
    lost: type[httpx.RequestError], read: type[HelpdeskError], write: type[HelpdeskError]
) -> None:
    respx.route().mock(side_effect=lost("gone"))
    with pytest.raises(read):
        client().get("/groups")
    with pytest.raises(write):
        client().put("/tickets/1", {"priority": 1})
    with pytest.raises(write):
        client().post("/tickets/1/notes", {"body": "x"})


@respx.mock
def test_each_field_is_named_with_its_reason() -> None:
    errors = [
        {"field": "custom_fields.cf_x", "message": "It should not be blank", "code": "missing_field"},
        {"message": "no field here"},
        "what",
    ]
    respx.put(f"{BASE}/tickets/1").respond(400, json={"description": "Validation failed", "errors": errors})
    with pytest.raises(WontAccept) as caught:
        client().put("/tickets/1", {})
    text = str(caught.value)
    assert (
        "Validation failed; custom_fields.cf_x: It should not be blank: missing_field; no field here" in text
    )
    assert (status_behind(caught.value), code(caught.value)) == (400, "")


@respx.mock
def test_a_word_for_the_refusal_is_readable() -> None:
    respx.get(f"{BASE}/sla_policies").respond(403, json={"code": "require_feature", "message": "no"})
    with pytest.raises(NotAllowed, match="require_feature; no") as caught:
        client().get("/sla_policies")
    assert caught.value.right == "a plan that has this feature"
    assert code(caught.value) == "require_feature"
    assert status_behind(TryLater("x", 1)) is None
    assert code(TryLater("x", 1)) == ""


@pytest.mark.parametrize(
    "spelling", ['<https://x>; rel="next"', '< https://x>;rel="next"', "<https://x>;rel=next"]
)
@respx.mock
def test_a_next_page_is_known_by_its_link(spelling: str) -> None:
    respx.get(f"{BASE}/groups").respond(json=[{"id": 1}], headers={"link": spelling})
    assert client().get("/groups").more


def test_a_full_page_is_followed_up_even_without_a_link() -> None:
    assert further(Answer(body=[{}, {}]), 2)
    assert not further(Answer(body=[{}]), 2)
    assert further(Answer(body=[], more=True), 2)


@pytest.mark.parametrize("kind", ["drop", "cut", "hang"])
def test_a_read_is_never_repeated_behind_our_back(kind: str) -> None:
    with world() as acme:
        acme.fault(kind, times=None)
        with pytest.raises(TryLater):
            acme.adapter.directory()
        assert len(acme.sent("GET")) == 1


def test_the_machines_netrc_and_proxies_are_not_asked(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert acme.adapter.directory().groups


def test_a_line_that_nobody_holds_is_closed(acme: World) -> None:
    one = Client(account(acme.url), RecordingGate())
    client = one._http
    one.get("/agents/me")
    del one
    gc.collect()
    assert client.is_closed


@respx.mock
@pytest.mark.parametrize("answer", [httpx.Response(401), httpx.Response(403), httpx.Response(404)])
def test_who_is_refused_its_own_name_has_lost_access(answer: httpx.Response) -> None:
    respx.get(f"{BASE}/agents/me").mock(return_value=answer)
    with pytest.raises(AccessLost):
        client().get("/agents/me")


@respx.mock
@pytest.mark.parametrize(
    ("path", "right"),
    [("/tickets/1", "Global access"), ("/tickets", "Global access"), ("/agents", "Administrator")],
)
def test_a_403_names_the_right_that_may_be_missing(path: str, right: str) -> None:
    respx.get(f"{BASE}{path}").respond(403, json={"code": "access_denied", "message": "no"})
    with pytest.raises(NotAllowed) as caught:
        client().get(path)
    assert right in caught.value.right


@respx.mock
@pytest.mark.parametrize(
    ("headers", "bucket"),
    [
        ({"x-ratelimit-total": "700", "x-ratelimit-remaining": "0"}, "account"),
        ({"x-ratelimit-total": "700", "x-ratelimit-remaining": "612"}, "get contacts"),
        ({}, "get contacts"),
    ],
)
def test_a_429_holds_only_what_announced_it(headers: dict[str, str], bucket: str) -> None:
    respx.get(f"{BASE}/contacts/41").respond(429, headers={**headers, "retry-after": "3600"})
    gate = RecordingGate()
    with pytest.raises(TryLater):
        Client(account(), gate).get("/contacts/41")
    assert gate.held == [(bucket, 3600)]
