"""The wire: whose credentials travel where, and what one refusal or lost connection becomes."""

import threading
from typing import Any

import pytest
import requests

from adapters.base import AccessLost, Account, Gate, HelpdeskError, Limit, NotAllowed, TryLater
from adapters.contract.sandbox import RecordingGate
from adapters.http import AGENT
from adapters.zendesk.client import Client, credentials, origin
from adapters.zendesk.simulator import API_KEY, BOT
from tests.adapters.zendesk.world import World, account, world

PLAIN = frozenset[Any]()


class Full(RecordingGate):
    """A gate whose budget is spent."""

    def enter(self, buckets: tuple[str, ...]) -> None:
        raise TryLater(f"the budget of {buckets[0]} is spent", 17)


def line_to(of: Account, gate: Gate | None = None) -> Client:
    return Client(of, gate or RecordingGate(), credentials(of))


def test_each_request_says_who_we_are(acme: World) -> None:
    acme.adapter.directory()
    assert {row.as_json()["client"] for row in acme.desk.log} == {AGENT}


def test_the_legacy_token_signs_in_with_the_users_address() -> None:
    auth = {"kind": "token", "user": BOT, "token": "secret:key"}
    with world(settings={"auth": auth, "secret": lambda _: API_KEY, "webhook": {}}) as acme:
        assert acme.adapter.directory().agents
    made = credentials(account(auth=auth, secret=lambda _: "k"))
    assert made.header() == ("Authorization", "Basic " + "Ym90QHVwdGllci50ZXN0L3Rva2VuOms=")


def test_a_new_secret_is_asked_for_after_a_401(acme: World) -> None:
    tokens = ["wrong", "wrong too"]
    client = line_to(account(acme.url, secret=lambda _: tokens[-1]))
    with pytest.raises(AccessLost):
        client.get("/groups")
    tokens.append("zendesk-simulator-token")
    assert client.get("/groups").rows("groups")


def test_a_spent_budget_sends_nothing(acme: World) -> None:
    client = line_to(account(acme.url), Full())
    with pytest.raises(TryLater) as caught:
        client.get("/groups")
    assert caught.value.wait == 17
    assert not acme.desk.log


@pytest.mark.parametrize(
    ("answer", "error", "wait"),
    [
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, TryLater, 300),
        ({"status": 401}, AccessLost, None),
        ({"status": 403}, NotAllowed, None),
        ({"status": 404}, NotAllowed, None),
        ({"status": 422}, TryLater, 0),
        ({"status": 429, "headers": {"Retry-After": "93"}}, TryLater, 93),
        ({"status": 429, "headers": {"Retry-After": "0"}}, TryLater, 1),
        ({"status": 429}, TryLater, 60),
        ({"status": 500, "body": "<html>"}, TryLater, 0),
        ({"status": 503, "headers": {"Retry-After": "8"}}, TryLater, 8),
        ({"status": 200, "body": "<html>"}, TryLater, 0),
    ],
)
def test_what_a_refused_read_means(
    acme: World, answer: Any, error: type[HelpdeskError], wait: int | None
) -> None:
    acme.fault("answer", path="*groups*", **{"headers": {}, "body": {"error": "x"}} | answer)
    with pytest.raises(error) as caught:
        acme.adapter.directory()
    assert getattr(caught.value, "wait", None) == wait
    assert acme.sent("GET") == 1


@pytest.mark.parametrize("kind", ["drop", "cut", "hang"])
def test_a_read_is_never_repeated_behind_our_back(kind: str) -> None:
    with world() as acme:
        acme.fault(kind, times=None)
        with pytest.raises(TryLater):
            acme.adapter.directory()
        assert acme.sent("GET") == 1


def test_the_vendors_budgets_are_passed_on_also_with_a_refusal(acme: World) -> None:
    headers = {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "0", "ratelimit-reset": "31"}
    acme.fault("answer", status=429, headers=headers)
    with pytest.raises(TryLater):
        acme.adapter.directory()
    assert acme.gate.learned == [Limit(bucket="account", total=700, remaining=0, window=60, resets_in=31)]


def test_credentials_do_not_follow_a_link_to_another_host(acme: World) -> None:
    rows = [{"id": 11, "name": "Tier 1"}]
    away = {"groups": rows, "meta": {"has_more": True}, "links": {"next": "http://127.0.0.1:9/api/v2/groups"}}
    acme.fault("answer", path="*groups*", status=200, body=away)
    with pytest.raises(TryLater, match="another host"):
        acme.adapter.directory()
    assert acme.sent("GET") == 1


def test_origins_compare_without_the_usual_port() -> None:
    assert origin("https://acme.zendesk.test/a") == origin("https://ACME.zendesk.test:443/b")
    assert origin("https://acme.zendesk.test") != origin("http://acme.zendesk.test")
    assert origin("https://acme.zendesk.test") != origin("https://acme.zendesk.test.evil.test")


def test_each_thread_has_its_own_session(acme: World) -> None:
    client = line_to(account(acme.url))
    seen: list[requests.Session] = []

    def ask() -> None:
        client.get("/groups")
        seen.append(client.session)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(session) for session in [*seen, client.session]}) == 4


def test_the_machines_netrc_and_proxies_are_not_asked(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert acme.adapter.directory().groups
