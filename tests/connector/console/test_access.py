"""Who gets in, who may do what, and what a request from elsewhere meets."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from connector.clock import SystemClock
from connector.console.access import (
    TRIES,
    WITHIN,
    Access,
    MustLogIn,
    TooManyTries,
    hasher,
    neighbourhood,
)
from connector.console.pages import HASH_AT_ONCE, STREAMS_EACH, WAIT_AT_MOST
from connector.store import ledger, schema, users
from connector.store.database import server_now
from policies.model import Instant
from tests.connector.console.conftest import PASSWORD, Shown, beside, csrf
from tests.connector.stores import fresh_store

PAGES = ("/", "/now", "/due", "/tickets/acme/1", "/policies", "/matrix", "/matrix/paper", "/reports", "/reports/paper",
         "/ledger", "/health", "/plan")  # fmt: skip


def whats(shown: Shown) -> list[tuple[str, str]]:
    with shown.store.reading() as connection:
        return [(line.what, line.who) for line in ledger.of_ticket(connection, shown.here.ref())]


def test_pages_bring_the_headers_that_browsers_need(shown: Shown) -> None:
    with shown.logged_in("dana", "viewer") as client:
        for path in (*PAGES, "/tokens"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert "unsafe-eval" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"


STRANGERS: tuple[dict[str, str], ...] = (
    {},
    {"Host": "127.0.0.1:8080"},
    {"Host": "localhost"},
    {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Cookie": "uptier-session=; uptier_session=local"},
)


@pytest.mark.parametrize("users_there", [False, True])
def test_nobody_gets_in_without_a_login(shown: Shown, users_there: bool) -> None:
    """Also not from this machine, also not while there is no user, whatever the request has or lacks."""
    if users_there:
        shown.user("dana", "admin")
    before = whats(shown)
    for headers in STRANGERS:
        with shown.client(headers=headers) as client:
            for path in (*PAGES, "/tokens"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
            for path in ("/tickets/acme/1/orders", "/holds/release", "/tokens/revoke", "/logout"):
                answer = client.post(path, data={"verb": "deescalate", "reason": "x", "csrf": ""})
                assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
            assert client.get("/events").status_code == 403
            assert client.get("/first").status_code == 403
    shown.here.round(1)
    assert whats(shown) == before


def test_the_last_user_leaves_a_closed_door(shown: Shown) -> None:
    with shown.logged_in("dana", "admin") as client:
        with shown.store.writing() as connection:
            assert users.remove(connection, "dana")
        assert client.get("/").headers["location"] == "/login"


def test_another_name_for_this_machine_is_refused(shown: Shown) -> None:
    """A page elsewhere may have its name lead here."""
    with shown.client() as client:
        for path in ("/", "/login", "/first"):
            assert client.get(path, headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/events", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "",
        "[",
        "[::1",
        "evil@127.0.0.1",
        "127.0.0.1@evil",
        "127.0.0.1:80:80",
        "127.0.0.1:",
        "localhost/x",
        "a b",
    ],
)
def test_a_host_that_is_no_name_is_refused(shown: Shown, host: str) -> None:
    with shown.client(headers={"Host": host}) as client:
        for path in ("/", "/login", "/first"):
            assert client.get(path).status_code in {400, 403}
        assert client.get("/events").status_code in {400, 403}


def test_no_answer_leads_to_a_host_that_a_request_names(shown: Shown) -> None:
    with shown.client(headers={"Host": "evil.example"}) as client:
        for path in (
            "/login/",
            "/due/",
            "/api/v1/health/",
            "/healthz/",
            "/hooks/acme/",
            "/static/console.js/",
        ):
            answer = client.get(path)
            assert (answer.status_code, "location" in answer.headers) == (404, False), path


def word_of(path: str | None) -> str:
    assert path is not None
    assert path.startswith("/first?word=")
    return path.removeprefix("/first?word=")


def test_the_first_administrator_is_made_through_one_link_once(shown: Shown) -> None:
    path = shown.here.service.invitation()
    assert len(word_of(path)) > 40
    said = {"name": "ann", "password": PASSWORD}
    with shown.client() as client, shown.client() as other:
        assert "Make this administrator" in client.get(f"{path}").text
        assert client.post("/first?word=guessed", data=said).status_code == 403
        assert client.post(f"{path}", data=said | {"password": "short"}).status_code == 400
        assert client.post(f"{path}", data=said | {"name": " "}).status_code == 400
        assert client.post(f"{path}", data=said, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert client.post(f"{path}", data=said).headers["location"] == "/"
        assert "ann, admin" in client.get("/now").text
        assert other.get(f"{path}").status_code == 403
        assert other.post(f"{path}", data={"name": "eve", "password": PASSWORD}).status_code == 403
    with shown.store.reading() as connection:
        assert [(user.name, user.role) for user in users.every(connection)] == [("ann", "admin")]
    assert shown.here.service.invitation() is None


def test_two_who_have_the_link_make_one_administrator(shown: Shown) -> None:
    access = Access(shown.store, shown.here.clock, hosts=frozenset(), by_https=False)
    word = access.invite()
    assert word is not None

    def made(name: str) -> bool:
        try:
            return bool(access.make_first(word, name, PASSWORD))
        except MustLogIn:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(made, ["ann", "bob", "cleo", "dana"])) == 1
    with shown.store.reading() as connection:
        assert len(users.every(connection)) == 1


def test_the_link_is_good_for_ten_minutes_and_while_there_is_no_user(shown: Shown) -> None:
    path = shown.here.service.invitation()
    shown.here.clock.advance(601)
    with shown.client() as client:
        assert client.get(f"{path}").status_code == 403
        path = shown.here.service.invitation()
        assert client.get(f"{path}").status_code == 200
        shown.user("dana", "viewer")
        assert client.post(f"{path}", data={"name": "eve", "password": PASSWORD}).status_code == 403


def test_the_link_is_void_for_good_once_somebody_was_added(shown: Shown) -> None:
    path = shown.here.service.invitation()
    shown.user("dana", "viewer")
    with shown.store.writing() as connection:
        assert users.remove(connection, "dana")
    with shown.client() as client:
        assert client.post(f"{path}", data={"name": "eve", "password": PASSWORD}).status_code == 403
        assert client.get(f"{path}").status_code == 403
        path = shown.here.service.invitation()
        assert client.post(f"{path}", data={"name": "eve", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize(
    "service", ['outside = "https://uptier.example"', 'proxies = ["127.0.0.1"]', 'hosts = ["uptier.example"]']
)
def test_no_link_is_given_where_others_may_come(tmp_path: Path, service: str) -> None:
    with beside(tmp_path, service) as shown:
        assert shown.here.service.invitation() is None


@pytest.mark.parametrize("terminal", [True, False])
def test_the_link_is_printed_on_a_terminal_alone(tmp_path: Path, terminal: bool) -> None:
    (tmp_path / "uptier.toml").write_text(
        '[service]\nlisten = "127.0.0.1:0"\n[accounts.acme]\nadapter = "zendesk"\nurl = "http://127.0.0.1:9"\n'
        'auth = { kind = "bearer", token = "secret:acme-token" }\n',
        encoding="utf-8",
    )
    ours, theirs = os.openpty() if terminal else os.pipe()
    command = [
        sys.executable,
        "-c",
        "from connector.cli.main import app; app()",
        "run",
        "--config",
        str(tmp_path / "uptier.toml"),
    ]
    kept = os.environ | {"UPTIER_SECRET_ACME_TOKEN": "not-a-real-token"}
    with subprocess.Popen(command, env=kept, stdout=theirs, stderr=subprocess.PIPE, text=True) as service:
        os.close(theirs)
        assert service.stderr is not None
        started = any('"started"' in line for line in service.stderr)
        said = os.read(ours, 4096).decode() if terminal else ""
        service.send_signal(signal.SIGTERM)
        service.stderr.read()
        said += "" if terminal else os.read(ours, 4096).decode()
    os.close(ours)
    assert started
    assert ("/first?word=" in said) is terminal


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_outlives_no_logout(shown: Shown) -> None:
    with shown.logged_in("dana", "viewer") as client:
        (cookie,) = client.cookies.jar
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "strict"
        assert client.get("/now").status_code == 200
        kept = dict(client.cookies)
        assert client.post("/logout", data={"csrf": csrf(client)}).status_code == 303
        with shown.client(cookies=kept) as again:
            assert again.get("/").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("service", "secure"),
    [
        ("", False),
        ('outside = "http://127.0.0.1:8080"', False),
        ('outside = "https://uptier.example"', True),
        ('hosts = ["uptier.example"]', True),
    ],
)
def test_the_cookie_is_for_https_as_the_configured_address_says(
    tmp_path: Path, service: str, secure: bool
) -> None:
    """What the request calls the host does not matter."""
    with beside(tmp_path, service) as shown:
        shown.user("dana", "viewer")
        for host in ("localhost", *(["uptier.example"] if "uptier.example" in service else [])):
            with shown.client(headers={"Host": host}) as client:
                answer = client.post("/login", data={"name": "dana", "password": PASSWORD})
            assert answer.status_code == 303
            cookie = answer.headers["set-cookie"]
            assert ("; secure" in cookie.lower()) is secure
            assert cookie.startswith("__Host-uptier-session=" if secure else "uptier-session=")


def test_a_login_form_on_another_site_is_refused(shown: Shown) -> None:
    shown.user("dana", "viewer")
    with shown.client(headers={"Sec-Fetch-Site": "cross-site"}) as client:
        answer = client.post("/login", data={"name": "dana", "password": PASSWORD})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_a_login_form_of_another_origin_is_refused(tmp_path: Path) -> None:
    with beside(tmp_path, 'outside = "https://uptier.example"') as shown:
        shown.user("dana", "viewer")

        def status(origin: str, host: str) -> int:
            with shown.client(headers={"Origin": origin, "Host": host}) as client:
                return client.post("/login", data={"name": "dana", "password": PASSWORD}).status_code

        for origin in (
            "null",
            "",
            "https://evil.example",
            "http://127.0.0.1:9",
            "https://uptier.example@evil.example",
        ):
            assert status(origin, "uptier.example") == 403, origin
        assert status("https://uptier.example:8443", "uptier.example") == 303
        assert status("http://127.0.0.1:80", "127.0.0.1:80") == 303


FORMS = {
    "/login": {"name": "ada", "password": PASSWORD},
    "/first?word={word}": {"name": "ada", "password": PASSWORD},
    "/tokens/revoke": {"user": "ada", "name": "api"},
    "/tickets/{account}/{ticket}/orders": {"verb": "acknowledge", "policy": "urgent-unanswered"},
    "/holds/release": {"account": "acme", "ticket": "1"},
    "/plan": {"policy": "there is none"},
    "/plan/apply": {"hash": "of no plan"},
    "/undo": {"asked": "of nobody"},
    "/policies/try": {"policy": "urgent-unanswered", "text": "nothing"},
    "/policies/try/cancel": {"policy": "urgent-unanswered"},
    "/look": {"look": "dark"},
    "/now/orders": {"verb": "acknowledge", "t:acme/1": "urgent-unanswered"},
    "/views": {"name": "mine", "back": "mine=yes"},
    "/wall": {"token": "of nobody"},
    "/settings": {"zone": "there is none"},
    "/act/{word}": {"reason": "of no link"},
    "/logout": {},
}
"""Every form of the console, by its address: in a browser the cookie comes along whoever sends it."""


def changing_routes(shown: Shown) -> set[str]:
    """The addresses that change something by a cookie: all that is not only read, but for webhooks, which are signed,
    and the API, which a browser cannot be made to bring a token to."""
    assert shown.here.service._listener is not None
    served: Any = shown.here.service._listener._config.app
    return {
        route.path
        for route in served.routes
        if set(route.methods) - {"GET", "HEAD"} and not route.path.startswith(("/hooks/", "/api/v1/"))
    }


def test_every_form_of_the_console_is_known_here(shown: Shown) -> None:
    assert {path.partition("?")[0] for path in FORMS} == changing_routes(shown)


@pytest.mark.parametrize("path", FORMS)
def test_every_form_from_another_site_is_refused(shown: Shown, path: str) -> None:
    word = shown.here.service._access.invite() if path.startswith("/first") else "f" * 64  # type: ignore[union-attr]
    named = path.format(account="acme", ticket="1", word=word)
    with shown.client() as client:
        data = dict(FORMS[path])
        if path not in ("/login", "/first?word={word}"):
            shown.user("ada", "admin")
            client.post("/login", data=FORMS["/login"])
            data["csrf"] = csrf(client)
        elif path == "/login":
            shown.user("ada", "admin")
        before = stored(shown)
        for header, said in (
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Origin", ""),
            ("Origin", "http://127.0.0.1:9"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ):
            answer = client.post(named, data=data, headers={header: said})
            assert answer.status_code == 403, (header, said)
            assert "the form is from another site" in answer.text
        assert stored(shown) == before
        ours = client.post(named, data=data, headers={"Origin": shown.url, "Sec-Fetch-Site": "same-origin"})
        assert "another site" not in ours.text
        known = (410,) if path.startswith("/act") else (303, 400)
        assert ours.status_code in known  # there is no such token, hold, plan or link; all else is done


def stored(shown: Shown) -> list[int]:
    """How much is in the tables that a form could change."""
    with shown.store.reading() as connection:
        counted = (schema.user, schema.session, schema.token, schema.login_try, schema.inbox, schema.ledger)
        return [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in counted]


def test_one_user_cannot_have_every_place_to_listen(shown: Shown) -> None:
    with (
        shown.logged_in("dana", "viewer") as dana,
        shown.logged_in("eli", "viewer") as eli,
        ExitStack() as open_,
    ):
        read = []  # a reader that is gone closes its line
        for _ in range(STREAMS_EACH):
            answer = open_.enter_context(dana.stream("GET", "/events"))
            assert answer.status_code == 200
            read.append(answer.iter_text())
            next(read[-1])
        assert open_.enter_context(dana.stream("GET", "/events")).status_code == 503
        assert open_.enter_context(eli.stream("GET", "/events")).status_code == 200


def test_an_order_carries_the_users_name_into_the_ledger(shown: Shown) -> None:
    with shown.logged_in("dana", "operator") as client:
        said = {"csrf": csrf(client), "verb": "acknowledge", "policy": "urgent-unanswered"}
        answer = client.post("/tickets/acme/1/orders", data=said)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/tickets/acme/1?said=acknowledge"
        assert "acknowledge is carried out with the next look" in client.get(answer.headers["location"]).text
    shown.here.round(1)
    assert ("acknowledged", "dana") in whats(shown)


@pytest.mark.parametrize("word", ["", "wrong"])
def test_a_form_from_elsewhere_changes_nothing(shown: Shown, word: str) -> None:
    with shown.logged_in("dana", "operator") as client:
        before = whats(shown)
        answer = client.post("/tickets/acme/1/orders", data={"csrf": word, "verb": "acknowledge"})
        assert answer.status_code == 403
    shown.here.round(1)
    assert whats(shown) == before


def test_a_viewer_looks_and_does_nothing(shown: Shown) -> None:
    with shown.logged_in("vera", "viewer") as client:
        page = client.get("/tickets/acme/1").text
        assert "Acknowledge" not in page
        said = {"csrf": csrf(client), "verb": "acknowledge"}
        assert client.post("/tickets/acme/1/orders", data=said).status_code == 403


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"verb": "dance"}, "there is no order"),
        ({"verb": "snooze", "for": "1h"}, "wants a reason"),
        ({"verb": "snooze", "for": "soon", "reason": "x"}, "how long"),
        ({"verb": "acknowledge", "policy": "other"}, "serves this account"),
        ({"verb": "approve"}, "no level waits for approval"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_words(
    shown: Shown, said: dict[str, str], why: str
) -> None:
    with shown.logged_in("dana", "operator") as client:
        answer = client.post("/tickets/acme/1/orders", data=said | {"csrf": csrf(client)})
        assert answer.status_code == 400
        assert why in answer.text


def test_wrong_passwords_are_counted_by_name_and_by_address(shown: Shown) -> None:
    shown.user("dana", "viewer")
    shown.user("ann", "viewer")
    with shown.client() as client:
        for _ in range(TRIES):
            answer = client.post("/login", data={"name": "dana", "password": "wrong"})
            assert answer.status_code == 403
        for name in ("dana", "ann", "nobody"):
            refused = client.post("/login", data={"name": name, "password": PASSWORD})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, str(WITHIN))
        shown.here.clock.advance(WITHIN + 1)
        assert client.post("/login", data={"name": "dana", "password": PASSWORD}).status_code == 303


def test_wrong_passwords_are_counted_for_all_processes_and_none_is_gained_by_haste(shown: Shown) -> None:
    shown.user("dana", "viewer")
    each, other = (Access(shown.store, shown.here.clock, hosts=frozenset(), by_https=False) for _ in range(2))
    for _ in range(TRIES):
        each.log_in("dana", PASSWORD, "192.0.2.1")  # what succeeds is not counted

    def outcome(access: Access) -> str:
        try:
            access.log_in("dana", "wrong", "192.0.2.1")
        except (MustLogIn, TooManyTries) as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(2 * TRIES) as pool:
        said = Counter(pool.map(outcome, [each, other] * TRIES))
    assert said == {"MustLogIn": TRIES, "TooManyTries": TRIES}


class Off(SystemClock):
    """A machine's clock that is so many seconds ahead of the others'."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead

    def now(self) -> Instant:
        return super().now() + self._ahead


def test_wrong_passwords_are_counted_by_the_clock_that_all_nodes_share(tmp_path: Path) -> None:
    """By their own clocks one node would take every try of the other for long past, and forget it."""
    with fresh_store("postgresql", tmp_path) as store:
        with store.writing() as connection:
            users.keep(connection, users.User(name="dana", role="viewer", password=hasher.hash(PASSWORD)), 0)
        nodes = [
            Access(store, Off(ahead), hosts=frozenset(), by_https=False)
            for ahead in (2 * WITHIN, -2 * WITHIN)
        ]
        for number in range(TRIES):
            with pytest.raises(MustLogIn):
                nodes[number % 2].log_in("dana", "wrong", "192.0.2.1")
        for node in nodes:
            with pytest.raises(TooManyTries):
                node.log_in("dana", PASSWORD, "192.0.2.1")
        with store.reading() as connection:
            stamps = connection.execute(select(schema.login_try.c.at)).scalars().all()
            assert all(abs(server_now(connection) - stamp) < WITHIN for stamp in stamps)
        assert len(stamps) == 2 * TRIES


def test_a_name_that_is_unknown_is_answered_like_a_wrong_password(shown: Shown) -> None:
    shown.user("dana", "viewer")
    with shown.client() as client:
        answers = [client.post("/login", data={"name": n, "password": "x"}) for n in ("dana", "nobody")]
        assert answers[0].text == answers[1].text
        assert {answer.status_code for answer in answers} == {403}


def test_what_is_shown_is_escaped(shown: Shown) -> None:
    number = shown.here.desk.open("bad", "<script>alert(1)</script>", "eu")
    assert number is None
    shown.here.round(1)
    with shown.logged_in("dana", "viewer") as client:
        for path in ("/now", "/due", f"/tickets/acme/{shown.here.desk.tickets['bad']}"):
            assert "<script>alert" not in client.get(path).text


def test_what_stands_in_the_address_bar_is_not_said(shown: Shown) -> None:
    with shown.logged_in("dana", "viewer") as client:
        told = client.get("/now", params={"said": "Your session ended. Call 555-0100"}).text
        assert "555-0100" not in told
        assert 'class="said"' not in told
        assert "What was held goes on." in client.get("/now?said=release").text


def test_the_proxys_word_for_an_address_counts_only_if_it_was_named(tmp_path: Path) -> None:
    for service, answers in (("", {403: TRIES, 429: 3}), ('proxies = ["127.0.0.0/8"]', {403: TRIES + 3})):
        folder = tmp_path / str(len(service))
        folder.mkdir()
        with beside(folder, service) as shown, shown.client() as client:
            said = Counter(
                client.post(
                    "/login",
                    data={"name": f"nobody-{number}", "password": "wrong"},
                    headers={"X-Forwarded-For": f"198.51.100.{number}"},
                ).status_code
                for number in range(TRIES + 3)
            )
            assert said == answers


def test_what_a_client_writes_before_the_proxys_word_does_not_count(tmp_path: Path) -> None:
    with beside(tmp_path, 'proxies = ["127.0.0.1"]') as shown, shown.client() as client:
        said = Counter(
            client.post(
                "/login",
                data={"name": f"nobody-{number}", "password": "wrong"},
                headers={"X-Forwarded-For": f"10.0.0.{number}, 198.51.100.7"},
            ).status_code
            for number in range(TRIES + 1)
        )
        assert said == {403: TRIES, 429: 1}


def test_the_half_of_an_address_that_its_owner_may_choose_does_not_count() -> None:
    assert (
        neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:2") != neighbourhood("2001:db8:0:1::1")
    )
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")
    assert neighbourhood("::ffff:192.0.2.1") != neighbourhood("::ffff:192.0.2.2")
    assert neighbourhood("testclient") == "testclient"


def test_a_flood_of_logins_checks_two_passwords_at_once_and_lets_few_wait(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check takes 64 MiB: 120 at once took 1.5 GB."""
    going, most, open_up = [0], [0], threading.Event()

    def slow(kept: str, password: str) -> bool:
        going[0] += 1
        most[0] = max(most[0], going[0])
        assert open_up.wait(60)
        going[0] -= 1
        return False

    def knock(number: int) -> int:
        with shown.client(timeout=60) as client:
            data = {"name": f"nobody-{number}", "password": "wrong"}
            answer = client.post("/login", data=data)
            assert (answer.headers.get("retry-after") is not None) is (answer.status_code in (429, 503))
            return answer.status_code

    with shown.logged_in("dana", "viewer") as inside, ThreadPoolExecutor(120) as pool:
        monkeypatch.setattr("connector.console.access.verified", slow)
        knocking = [pool.submit(knock, number) for number in range(120)]
        turned_away = 0
        for answer in as_completed(knocking):
            turned_away += answer.result() == 503
            if turned_away == 120 - WAIT_AT_MOST:
                break
        assert inside.get("/now").status_code == 200  # the pages go on meanwhile
        open_up.set()
        said = Counter(answer.result() for answer in knocking)
    assert most[0] <= HASH_AT_ONCE
    assert said[503] == 120 - WAIT_AT_MOST
    assert said[403] + said[429] == WAIT_AT_MOST
