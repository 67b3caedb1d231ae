"""The wire: whose credentials travel where, and what one refusal or lost connection becomes."""

import threading
from typing import Any

import httpx
import pytest
import respx

from adapters.base import AccessLost, Account, HelpdeskError, Limit, NotAllowed, TryLater
from adapters.contract.sandbox import RecordingGate
from adapters.http import AGENT
from adapters.servicenow.answers import Windows, wait_of_rule
from adapters.servicenow.client import LARGEST, SMALLEST, Answer, Client, further
from adapters.servicenow.simulator import BOT, CLIENT_SECRET, PASSWORD
from adapters.servicenow.simulator.rules import RULE
from tests.adapters.recording import START
from tests.adapters.servicenow.world import BASIC, KEY, OAUTH, World, account, world

PASSWORD_GRANT = {**OAUTH, "user": BOT, "password": "secret:password"}
HOST = "https://acme.service-now.test"
GROUPS = f"{HOST}/api/now/table/sys_user_group"


class Full(RecordingGate):
    """A gate whose budget is spent."""

    def enter(self, buckets: tuple[str, ...]) -> None:
        raise TryLater(f"the budget of {buckets[0]} is spent", 17)


def groups(client: Client) -> list[Any]:
    return client.every("sys_user_group", {"active": ["true"]}, ("name",)).rows


@pytest.mark.parametrize(
    "auth", [BASIC, KEY, OAUTH, PASSWORD_GRANT], ids=["basic", "key", "client", "password"]
)
def test_every_kind_of_credentials_is_let_in(auth: dict[str, str]) -> None:
    with world(settings={"auth": auth}) as acme:
        assert acme.adapter.directory().agents
        assert acme.load().subject == "Printer"
        assert {logged.client for logged in acme.desk.log} == {AGENT}
        assert acme.desk.access.granted == (auth["kind"] == "oauth")


@respx.mock
def test_the_headers_are_those_of_the_kind() -> None:
    route = respx.get(GROUPS).respond(json={"result": []})
    for auth, header, value in (
        (BASIC, "authorization", httpx.BasicAuth(BOT, PASSWORD)._auth_header),
        (KEY, "x-sn-apikey", "servicenow-simulator-key"),
    ):
        groups(Client(account(auth=auth), RecordingGate()))
        sent = route.calls.last.request
        assert sent.headers[header] == value
        assert sent.headers["accept"] == "application/json"
        assert ("authorization" in sent.headers) is (header == "authorization")
        assert "servicenow-simulator-key" not in str(sent.url)


@respx.mock
def test_a_token_is_asked_for_by_form_and_never_in_a_url() -> None:
    asked = respx.post(f"{HOST}/oauth_token.do").respond(json={"access_token": "t1", "expires_in": "1799"})
    used = respx.get(GROUPS).respond(json={"result": []})
    groups(Client(account(auth=OAUTH), RecordingGate()))
    assert dict(httpx.QueryParams(asked.calls.last.request.content.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "uptier",
        "client_secret": CLIENT_SECRET,
    }
    assert used.calls.last.request.headers["authorization"] == "Bearer t1"


@pytest.mark.parametrize("refresh", [True, False])
def test_a_token_that_ended_is_renewed_once_and_the_request_sent_again(refresh: bool) -> None:
    with world(settings={"auth": PASSWORD_GRANT}, refresh_tokens=refresh) as acme:
        acme.load()
        acme.clock.at += 1801
        acme.load()
        assert acme.desk.access.granted == 2
        grants = [logged.body for logged in acme.desk.log if logged.path == "/oauth_token.do"]
        assert ("refresh_token" in grants[-1]) is refresh
        assert [logged.status for logged in acme.desk.log if "/table/incident" in logged.path] == [
            200,
            401,
            200,
        ]


def test_a_spent_refresh_token_gives_way_to_the_grant() -> None:
    with world(settings={"auth": PASSWORD_GRANT}, refresh_tokens=True) as acme:
        acme.load()
        acme.desk.access.refreshes.clear()
        acme.clock.at += 1801
        assert acme.load().subject == "Printer"


def test_a_write_is_sent_again_after_a_401_because_it_was_not_applied() -> None:
    from adapters.base import Note

    with world(settings={"auth": OAUTH}) as acme:
        write = acme.one(Note(public=False, body="x"))
        acme.fault("answer", method="PATCH", status=401)
        acme.adapter.send(write, write.expects)
        assert acme.sent() == 2
        assert len(acme.desk.journal(acme.printer.id)) == 1


def test_one_thread_renews_for_all() -> None:
    with world(settings={"auth": OAUTH}) as acme:
        acme.load()
        acme.clock.at += 1801
        threads = [threading.Thread(target=acme.load) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert acme.desk.access.granted == 2


def test_a_client_without_its_user_is_told_so() -> None:
    with world(settings={"auth": OAUTH}, application_user=False) as acme:
        with pytest.raises(AccessLost, match="application user"):
            acme.load()
        assert acme.desk.access.granted == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AccessLost), (400, AccessLost), (429, TryLater), (503, TryLater), (200, TryLater)],
)
def test_what_a_refused_token_means(status: int, error: type[HelpdeskError]) -> None:
    with world(settings={"auth": OAUTH}) as acme:
        acme.fault("answer", path="/oauth_token.do", status=status, body={"error": "invalid_client"})
        with pytest.raises(error):
            acme.load()


def test_a_new_secret_is_asked_for_after_a_401(acme: World) -> None:
    words = ["wrong", PASSWORD]
    asked: list[str] = []

    def secret(reference: str) -> str:
        asked.append(reference)
        return words[min(len(asked), len(words)) - 1]

    assert groups(Client(account(acme.url, secret=secret), RecordingGate()))
    assert len(asked) == 2


def test_a_wrong_password_is_not_tried_twice(acme: World) -> None:
    client = Client(account(acme.url, secret=lambda _: "wrong"), RecordingGate())
    with pytest.raises(AccessLost, match="Check the user and the secret"):
        groups(client)
    assert acme.sent("GET") == 1


def test_one_jar_keeps_the_server_session(acme: World) -> None:
    acme.load()
    acme.load()
    assert len(acme.desk.access.sessions) == 1
    assert acme.desk.log[-1].cookie == "JSESSIONID=session-1"


def test_a_session_that_ended_is_given_up_once() -> None:
    with world(strict_sessions=True) as acme:
        acme.load()
        acme.desk.access.end_sessions()
        assert acme.load().subject == "Printer"
        assert [logged.status for logged in acme.desk.log] == [200, 401, 200]


def test_a_second_factor_is_named(acme: World) -> None:
    acme.fault("answer", status=401, headers={"X-MFA_TOKEN": "invalid"}, times=None)
    with pytest.raises(AccessLost, match="second factor"):
        acme.load()


def test_a_spent_budget_sends_nothing(acme: World) -> None:
    with pytest.raises(TryLater) as caught:
        groups(Client(account(acme.url), Full()))
    assert caught.value.wait == 17
    assert not acme.desk.log


@pytest.mark.parametrize(
    ("answer", "error", "wait"),
    [
        ({"status": 202}, TryLater, 0),
        ({"status": 302}, TryLater, 300),
        (
            {"status": 400, "body": {"error": {"message": "Invalid table x", "detail": None}}},
            NotAllowed,
            None,
        ),
        ({"status": 403}, NotAllowed, None),
        ({"status": 404}, NotAllowed, None),
        ({"status": 408}, TryLater, 0),
        ({"status": 414}, TryLater, 0),
        ({"status": 429, "headers": {"Retry-After": "93"}}, TryLater, 93),
        ({"status": 429, "headers": {"Retry-After": "0"}}, TryLater, 1),
        ({"status": 429}, TryLater, 10),
        ({"status": 500}, TryLater, 5),
        ({"status": 502}, TryLater, 0),
        ({"status": 503, "headers": {"Retry-After": "8"}}, TryLater, 8),
        ({"status": 200}, TryLater, 0),
        ({"status": 200, "body": "{"}, TryLater, 0),
        ({"status": 200, "body": []}, TryLater, 0),
        ({"status": 200, "body": {}}, TryLater, 0),
        ({"status": 200, "body": {"result": None}}, TryLater, 0),
        ({"status": 200, "body": {"result": {"a": 1}}}, TryLater, 0),
        ({"status": 200, "body": {"result": ["a"]}}, TryLater, 0),
        ({"status": 200, "body": {"error": {"message": "odd", "detail": "x"}}}, TryLater, 0),
    ],
)
def test_what_a_refused_read_means(
    acme: World, answer: Any, error: type[HelpdeskError], wait: int | None
) -> None:
    acme.fault("answer", path="*sys_user_group*", **answer)
    with pytest.raises(error) as caught:
        acme.adapter.directory()
    assert getattr(caught.value, "wait", None) == wait
    assert acme.sent("GET") == 1


@pytest.mark.parametrize("kind", ["trail", "truncate"])
def test_half_an_answer_is_not_a_short_one(acme: World, kind: str) -> None:
    acme.fault(kind, path="*sys_user_group*")
    with pytest.raises(TryLater):
        acme.adapter.directory()


@pytest.mark.parametrize("kind", ["drop", "cut", "hang"])
def test_a_read_is_never_repeated_behind_our_back(kind: str) -> None:
    with world() as acme:
        acme.fault(kind, times=None)
        with pytest.raises(TryLater):
            acme.adapter.directory()
        assert acme.sent("GET") == 1


def test_a_sleeping_instance_is_called_that(acme: World) -> None:
    acme.fault("answer", status=200)
    with pytest.raises(TryLater, match="sleeps"):
        acme.load()


def test_a_redirect_is_not_followed(acme: World) -> None:
    acme.fault("answer", status=302, headers={"Location": "http://127.0.0.1:9/login.do"})
    with pytest.raises(TryLater, match="redirect"):
        acme.load()
    assert len(acme.desk.log) == 1


@pytest.mark.parametrize("kind", ["answer", "trail"])
def test_a_cancelled_list_is_asked_for_in_smaller_pages(acme: World, kind: str) -> None:
    client = Client(account(acme.url), RecordingGate())
    sizes = [client.size]
    for _ in range(6):
        acme.fault(kind, status=500)
        with pytest.raises(TryLater) as caught:
            groups(client)
        assert caught.value.wait == 5
        sizes.append(client.size)
    assert sizes == [LARGEST, 100, 50, 25, 12, SMALLEST, SMALLEST]


def test_what_a_ticket_says_cancels_nothing(acme: World) -> None:
    acme.desk.touch_quietly(
        acme.printer.id, description="Transaction cancelled: maximum execution time exceeded"
    )
    acme.adapter.poll(None, since=START, limit=50)
    acme.fault("answer", status=502)
    with pytest.raises(TryLater):
        acme.load()
    acme.adapter.poll(None, since=START, limit=1000)
    assert f"sysparm_limit={LARGEST}" in acme.desk.log[-1].query


def test_a_rule_tells_its_total_and_we_count() -> None:
    with world(hourly=3) as acme:
        for _ in range(3):
            acme.load()
        with pytest.raises(TryLater) as caught:
            acme.load()
        left = 3600 - START % 3600
        assert caught.value.wait == left
        assert [(each.remaining, each.resets_in) for each in acme.gate.learned] == [
            (2, left), (1, left), (0, left), (0, left),
        ]  # fmt: skip
        assert acme.gate.learned[0] == Limit(
            bucket=f"rule {RULE}", total=3, remaining=2, window=3600, resets_in=left
        )
        assert acme.gate.held == [(f"rule {RULE}", left)]


def test_one_rule_counts_the_requests_to_all_its_tables() -> None:
    windows = Windows()
    headers = {"x-ratelimit-limit": "10", "x-ratelimit-reset": "7200", "x-ratelimit-rule": "all"}
    assert windows.buckets("incident") == ("incident",)
    windows.limits("incident", headers, refused=False)
    (told,) = windows.limits("sys_audit", headers, refused=False)
    assert (told.bucket, told.remaining) == ("rule all", 8)
    assert windows.buckets("incident") == ("incident", "rule all")


def test_a_new_hour_counts_anew() -> None:
    windows = Windows()
    headers = {"x-ratelimit-limit": "10", "x-ratelimit-reset": "7200"}
    later = {**headers, "x-ratelimit-reset": "10800"}
    left = [
        windows.limits("incident", each, refused=False)[0].remaining for each in (headers, headers, later)
    ]
    assert left == [9, 8, 9]
    assert windows.limits("incident", {"x-ratelimit-limit": "ten"}, refused=False) == ()


def test_a_wait_may_be_in_the_end_of_the_hour() -> None:
    headers = {"x-ratelimit-reset": "100", "date": "Thu, 01 Jan 1970 00:01:00 GMT"}
    assert wait_of_rule(headers, 7) == 40
    assert wait_of_rule({}, 7) == 7


@pytest.mark.parametrize(
    ("shown", "total", "offset", "expected"),
    [
        (2, 2, 0, None),
        (2, 3, 0, 0),
        (1, 2, 0, 0),
        (2, None, 0, 0),
        (0, None, 0, None),  # nobody can tell: `Client.scout` looks behind it
        (0, None, 2, None),
        (0, 0, 0, None),
        (0, 1, 0, None),
        (0, 1, 2, None),
        (0, 9, 2, 4),
        (1, 1, 2, 0),
    ],
)
def test_where_a_list_goes_on(shown: int, total: int | None, offset: int, expected: int | None) -> None:
    answer = Answer(result=[{"sys_id": "a"}] * shown, total=total)
    assert further(answer, shown, offset, 2) == expected


def test_a_filter_that_is_left_out_is_noticed(acme: World) -> None:
    acme.desk.unseen["sys_user_group"] = {"active"}
    with pytest.raises(NotAllowed, match=r"ignores our filter on sys_user_group\.active"):
        acme.adapter.directory()


def test_a_list_of_which_all_is_hidden_is_not_an_empty_one(acme: World) -> None:
    acme.desk.hidden |= set(acme.desk.tables["sys_user_group"])
    with pytest.raises(NotAllowed, match="hides all 2 matching rows"):
        acme.adapter.directory()


def test_the_machines_proxies_are_not_asked(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    made: Account = account(acme.url)
    assert groups(Client(made, RecordingGate()))


def test_nobody_listens_means_nothing_was_sent() -> None:
    with pytest.raises(TryLater, match="nothing was sent"):
        groups(Client(account("http://127.0.0.1:1"), RecordingGate()))
