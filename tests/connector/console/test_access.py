"""Who gets in, who may do what, and what a request from elsewhere meets."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.requests import Request

from connector.console.access import TRIES, WITHIN, Access, MustLogIn, TooManyTries
from connector.store import ledger
from tests.connector.console.conftest import PASSWORD, Shown

PAGES = ("/", "/watch", "/tickets/acme/1", "/policies", "/matrix", "/matrix/paper", "/reports", "/reports/paper",
         "/ledger", "/health")  # fmt: skip


def csrf(client: httpx.Client, path: str = "/tickets/acme/1") -> str:
    """The word in the page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def whats(shown: Shown) -> list[tuple[str, str]]:
    with shown.store.reading() as connection:
        return [(line.what, line.who) for line in ledger.of_ticket(connection, shown.here.ref())]


def test_without_users_this_machine_gets_in(shown: Shown) -> None:
    with shown.client() as client:
        for path in PAGES:
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert "unsafe-eval" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto"])
def test_without_users_nobody_gets_in_through_a_proxy(shown: Shown, header: str) -> None:
    with shown.client() as client:
        answer = client.get("/", headers={header: "for=198.51.100.7"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_another_name_for_this_machine_is_refused(shown: Shown) -> None:
    """A page elsewhere may have its name lead here."""
    with shown.client() as client:
        for path in ("/", "/login"):
            assert client.get(path, headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/events", headers={"Host": "evil.example"}).status_code == 403


def test_a_service_that_others_reach_wants_a_login_always(shown: Shown) -> None:
    access = Access(shown.store, shown.here.clock.now, hosts=frozenset(), only_this_machine=False)
    scope = {"type": "http", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "path": "/",
             "method": "GET", "query_string": b"", "scheme": "http"}  # fmt: skip
    with pytest.raises(MustLogIn):
        access.of(Request(scope))


def test_with_a_user_everybody_logs_in(shown: Shown) -> None:
    shown.user("dana", "viewer")
    with shown.client() as client:
        for path in PAGES:
            assert client.get(path).headers.get("location") == "/login", path
        assert client.get("/events").status_code == 403


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_outlives_no_logout(shown: Shown) -> None:
    with shown.logged_in("dana", "viewer") as client:
        (cookie,) = client.cookies.jar
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "strict"
        assert client.get("/").status_code == 200
        kept = dict(client.cookies)
        assert client.post("/logout", data={"csrf": csrf(client)}).status_code == 303
        with shown.client(cookies=kept) as again:
            assert again.get("/").headers["location"] == "/login"


def test_under_another_name_than_this_machines_the_cookie_is_for_https_only(shown: Shown) -> None:
    """Under its own it could not be set at all."""
    shown.user("dana", "viewer")
    said = {"name": "dana", "password": PASSWORD}
    with shown.client() as client:
        assert "secure" not in client.post("/login", data=said).headers["set-cookie"].lower()
        answer = client.post("/login", data=said, headers={"Host": "uptier.example"})
        assert "secure" in answer.headers["set-cookie"].lower()


def test_an_order_carries_the_users_name_into_the_ledger(shown: Shown) -> None:
    with shown.logged_in("dana", "operator") as client:
        said = {"csrf": csrf(client), "verb": "acknowledge", "policy": "urgent-unanswered"}
        answer = client.post("/tickets/acme/1/orders", data=said)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/tickets/acme/1?said=")
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
        ({"verb": "acknowledge", "policy": "other"}, "no such escalation"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_words(
    shown: Shown, said: dict[str, str], why: str
) -> None:
    with shown.client() as client:
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
            assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 429
        shown.here.clock.advance(WITHIN + 1)
        assert client.post("/login", data={"name": "dana", "password": PASSWORD}).status_code == 303


def test_wrong_passwords_are_counted_for_all_processes_and_none_is_gained_by_haste(shown: Shown) -> None:
    shown.user("dana", "viewer")
    each, other = (
        Access(shown.store, shown.here.clock.now, hosts=frozenset(), only_this_machine=False)
        for _ in range(2)
    )
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
    with shown.client() as client:
        for path in ("/", "/watch", f"/tickets/acme/{shown.here.desk.tickets['bad']}"):
            assert "<script>alert" not in client.get(path).text
        assert "&lt;b&gt;" in client.get("/?said=<b>").text
