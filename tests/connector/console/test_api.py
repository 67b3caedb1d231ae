"""The JSON API: tokens, roles, and what it says of itself."""

import ast
import inspect
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route
from typer.testing import CliRunner

from connector.cli.main import app
from connector.config.values import DAY
from connector.console import api, listing, pages
from connector.console.access import BACK, digest
from connector.console.api import CALLS, Call, described
from connector.console.pages import Console
from connector.demo import CONFIG
from connector.store import holds, users
from connector.store.holds import Hold
from connector.store.schema import token as tokens_table
from connector.store.trouble import Unreachable
from connector.store.users import Token
from policies.model import TicketRef
from tests.connector.console import conftest
from tests.connector.console.conftest import PASSWORD, Shown, csrf
from tests.patience import until


def bearer(shown: Shown, name: str, role: users.Role) -> httpx.Client:
    """A program with a token of this user."""
    shown.user(name, role)
    with shown.store.writing() as connection:
        now = shown.here.clock.now()
        made = Token(user=name, name="api", since=now, until=now + DAY, used=None)
        assert users.keep_token(connection, digest(f"token of {name}"), made)
    return shown.client(headers={"Authorization": f"Bearer token of {name}"})


def test_nothing_is_told_without_a_token(shown: Shown) -> None:
    with shown.client() as client:
        for path in ("/api/v1/escalations", "/api/v1/ledger", "/api/v1/tickets/acme/1"):
            for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic YTpi"}):
                assert client.get(path, headers=headers).status_code == 401


def test_it_tells_what_the_pages_show(shown: Shown) -> None:
    with bearer(shown, "robot", "viewer") as client:
        (row,) = [row for row in client.get("/api/v1/escalations").json()["rows"] if row["level"]]
        assert row["ref"] == {"account": "acme", "id": "1"}
        assert (row["level"], row["owner"]) == ("Second line", "Tier 2")
        assert row["next_level"] == "Duty managers"
        due = client.get("/api/v1/due", params={"account": "acme", "within": "3h"}).json()
        assert [(row["ref"]["id"], row["stand"], row["level"]) for row in due["rows"]] == [
            ("2", "coming", "Second line"),
            ("1", "coming", "Duty managers"),
        ]
        assert client.get("/api/v1/due", params={"from": "1"}).json()["rows"] == due["rows"][1:]
        for wrong in ({"account": "x"}, {"within": "soon"}, {"from": "-1"}):
            assert client.get("/api/v1/due", params=wrong).status_code == 400
        assert client.get("/api/v1/watch").status_code == 404
        assert client.get("/api/v1/health").json()["accounts"][0]["name"] == "acme"
        lines = client.get("/api/v1/ledger", params={"after": "0"}).json()
        assert lines[0]["what"] == "started"
        assert client.get("/api/v1/ledger", params={"after": str(lines[0]["id"])}).json()[0] == lines[1]
        assert client.get("/api/v1/tickets/acme/1").json()["known"]["owner"] == "Tier 2"
        said = client.get("/api/v1/policies").json()
        assert said["policies"][0]["words"]["levels"][0]["name"]
        assert said["noise"][0]["fired"] == 1
        assert client.get("/api/v1/matrix").json()["rows"][0]["account"] == "acme"
        assert client.get("/api/v1/report").json()["tickets"] == 2
        assert client.get("/api/v1/report", params={"from": "yesterday"}).status_code == 400
        assert client.get("/api/v1/tickets/acme/999").status_code == 404
        for no_id in ("x", "-1", "1.5", "9" * 30):
            answer = client.get("/api/v1/ledger", params={"after": no_id})
            assert (answer.status_code, "no line's id" in answer.text) == (400, True)


def test_orders_want_the_role(shown: Shown) -> None:
    order = {"verb": "deescalate", "reason": "sorted out by phone"}
    with bearer(shown, "robot", "viewer") as client:
        assert client.post("/api/v1/tickets/acme/1/orders", json=order).status_code == 403
    with bearer(shown, "boss", "operator") as client:
        assert client.post("/api/v1/tickets/acme/1/orders", json=order).status_code == 200
        assert client.post("/api/v1/holds/release", json={"account": "acme"}).status_code == 403
        assert client.post("/api/v1/tickets/acme/1/orders", content=b"{").status_code == 400
        assert client.post("/api/v1/tickets/acme/1/orders", json={"verb": 1}).status_code == 400
        deep = b"[" * 8000
        assert client.post("/api/v1/tickets/acme/1/orders", content=deep).status_code == 400
        half = b'{"account": "acme", "ticket": "\\ud83d", "verb": "\\ud83d", "reason": "\\ud83d\\u0000"}'
        for path in ("tickets/acme/1/orders", "holds/release"):
            assert client.post(f"/api/v1/{path}", content=half).status_code < 500
    shown.here.round(1)
    assert shown.here.show().group == "Tier 1"
    assert ("deescalated", "boss") in [(line.what, line.who) for line in shown.here.lines()]


def test_a_token_ends_at_its_time_and_its_last_use_is_known(shown: Shown) -> None:
    def used() -> int | None:
        with shown.store.reading() as connection:
            (token,) = users.tokens(connection, shown.here.clock.now())
        return token.used

    with bearer(shown, "robot", "viewer") as client:
        made = shown.here.clock.now()
        assert used() is None
        assert client.get("/api/v1/health").status_code == 200
        assert used() == made
        shown.here.clock.advance(30)
        assert client.get("/api/v1/health").status_code == 200
        assert used() == made  # noted to the minute
        shown.here.clock.advance(30)
        assert client.get("/api/v1/health").status_code == 200
        assert used() == made + 60
        shown.here.clock.advance(DAY)
        assert client.get("/api/v1/health").status_code == 401
        with shown.store.reading() as connection:
            assert users.tokens(connection, shown.here.clock.now()) == ()


def test_a_token_of_an_earlier_release_has_a_name_and_an_end(shown: Shown) -> None:
    shown.user("dana", "viewer")
    now = shown.here.clock.now()
    with shown.store.writing() as connection:
        connection.execute(tokens_table.insert().values(digest="abcdef0123456789", user="dana", since=now))
        (token,) = users.tokens(connection, now)
        assert (token.name, token.until) == ("abcdef01", now + 365 * DAY)
        assert users.bearer(connection, "abcdef0123456789", now + 365 * DAY - 1) is not None
        assert users.bearer(connection, "abcdef0123456789", now + 365 * DAY) is None
        assert users.revoke(connection, "dana", "abcdef01")
        assert users.tokens(connection, now) == ()


def change_password(shown: Shown) -> None:
    shown.user("dana", "operator")


def lower_the_role(shown: Shown) -> None:
    with shown.store.writing() as connection:
        assert users.set_role(connection, "dana", "viewer")


def remove(shown: Shown) -> None:
    with shown.store.writing() as connection:
        assert users.remove(connection, "dana")


@pytest.mark.parametrize("change", [change_password, lower_the_role, remove])
def test_whatever_lets_somebody_in_ends_with_what_it_stood_on(
    shown: Shown, change: Callable[[Shown], None]
) -> None:
    """A token, a session, and a page that listens."""
    with bearer(shown, "dana", "operator") as client, shown.client() as page:
        assert page.post("/login", data={"name": "dana", "password": PASSWORD}).status_code == 303
        assert client.get("/api/v1/health").status_code == 200
        with page.stream("GET", "/events", timeout=30) as stream:
            assert stream.status_code == 200
            told = stream.iter_lines()
            assert next(told) == "retry: 3000"
            change(shown)
            assert len(list(told)) < 20  # and then no more
        assert client.get("/api/v1/health").status_code == 401
        assert page.get("/").headers["location"] == "/login"


def test_a_higher_role_ends_nothing(shown: Shown) -> None:
    with bearer(shown, "dana", "viewer") as client:
        with shown.store.writing() as connection:
            assert users.set_role(connection, "dana", "admin")
        assert client.get("/api/v1/health").status_code == 200


def test_tokens_are_revoked_one_by_one_by_their_owner_or_an_admin(shown: Shown) -> None:
    def called() -> list[tuple[str, str]]:
        with shown.store.reading() as connection:
            found = users.tokens(connection, shown.here.clock.now())
        return [(token.user, token.name) for token in found]

    with shown.logged_in("dana", "viewer") as client, shown.logged_in("boss", "admin") as boss:
        now = shown.here.clock.now()
        with shown.store.writing() as connection:
            for user, name in (("dana", "ci"), ("dana", "chart"), ("boss", "ci")):
                made = Token(user=user, name=name, since=now, until=now + DAY, used=None)
                assert users.keep_token(connection, digest(f"{user} {name}"), made)
            assert not users.keep_token(connection, "another", made)
        page = client.get("/tokens").text
        assert "chart" in page
        assert "boss" not in page
        assert "boss" in boss.get("/tokens").text
        said = {"csrf": csrf(client, "/tokens"), "user": "dana", "name": "ci"}
        assert client.post("/tokens/revoke", data=said | {"csrf": "no"}).status_code == 403
        assert client.post("/tokens/revoke", data=said | {"user": "boss"}).status_code == 403
        assert client.post("/tokens/revoke", data=said).headers["location"] == "/tokens?said=revoke"
        assert client.post("/tokens/revoke", data=said).status_code == 400
        assert called() == [("boss", "ci"), ("dana", "chart")]
        said = {"csrf": csrf(boss, "/tokens"), "user": "dana", "name": "chart"}
        assert boss.post("/tokens/revoke", data=said).status_code == 303
        assert called() == [("boss", "ci")]


def asked(shown: Shown) -> Mapping[Call, dict[str, str]]:
    """For each call that only reads: what it is asked with, so that it has something to tell."""
    special = {
        "/api/v1/undo": {"episode": "acme/1:urgent-unanswered:1"},
        "/api/v1/wall": {"worst": "1"},
        "/api/v1/tickets/{account}/{ticket}/ahead": {"in": "4h"},
        "/api/v1/ledger": {"before": "now"},
    }
    return {call: special.get(call.path, {}) for call in CALLS if call.method == "GET"}


def test_every_answer_is_what_the_document_says(shown: Shown) -> None:
    document = httpx.get(f"{shown.url}/api/openapi.json").json()
    shown.here.clock.advance(31 * 60)
    with shown.store.writing() as connection:
        hold = Hold(ref=TicketRef("acme", "2"), scope="loop", why="it goes round", since=1)
        assert holds.put_hold(connection, hold)
    with bearer(shown, "boss", "admin") as client:

        def told(call: Call, answer: httpx.Response, status: int = 200) -> Any:
            assert answer.status_code == status, (call.path, answer.text)
            content = document["paths"][call.path][call.method.lower()]["responses"][str(status)]["content"]
            schema = content["application/json"]["schema"] | {"components": document["components"]}
            Draft202012Validator(schema).validate(answer.json())
            return answer.json()

        assert client.post("/api/v1/plan", json={}).status_code == 200
        until(lambda: not client.get("/api/v1/plan").json()["progress"])
        for call, words in asked(shown).items():
            answer = client.get(call.path.format(account="acme", ticket="1"), params=words)
            assert told(call, answer), call.path
        for call in CALLS:
            path = call.path.format(account="acme", ticket="nobody's")
            answer = client.request(call.method, path, **{
                "params" if call.method == "GET" else "json": {"there is no such": "word"}
            })  # fmt: skip
            assert told(call, answer, 400)["message"].startswith("there is no 'there is no such' here; ")
        plan = client.get("/api/v1/plan").json()["plan"]
        undo = client.get("/api/v1/undo", params={"episode": "acme/1:urgent-unanswered:1"}).json()
        sent = {
            "/api/v1/tickets/{account}/{ticket}/orders": {"verb": "acknowledge"},
            "/api/v1/holds/release": {"account": "acme", "ticket": "2"},
            "/api/v1/undo": {
                "episode": "acme/1:urgent-unanswered:1",
                "digest": undo["digest"],
                "reason": "x",
            },
            "/api/v1/plan": {"account": "acme"},
            "/api/v1/plan/apply": {"hash": plan["hash"]},
            "/api/v1/tokens/revoke": {"user": "boss", "name": "api"},  # the one that it brings
        }
        posts = sorted((c for c in CALLS if c.method == "POST"), key=lambda c: list(sent).index(c.path))
        for call in posts:
            until(lambda: not client.get("/api/v1/plan").json()["progress"])
            body = dict(sent[call.path])
            if call.path == "/api/v1/plan/apply":
                body["hash"] = client.get("/api/v1/plan").json()["plan"]["hash"]
            path = call.path.format(account="acme", ticket="1")
            assert told(call, client.post(path, json=body))["count"] == 1


def test_the_document_is_openapi_and_names_what_is_served() -> None:
    document = described()
    Draft202012Validator.check_schema({"$defs": document["components"]["schemas"]})
    served = [(call.path, call.method.lower()) for call in CALLS]
    assert sorted(served) == sorted((path, way) for path, ways in document["paths"].items() for way in ways)
    for path, ways in document["paths"].items():
        for call in ways.values():
            named = {one["name"] for one in call["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
    refs = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert refs == set(document["components"]["schemas"])


NO_CALL = {
    "/static/{name}",
    "/login",
    "/login/provider",
    BACK,
    "/first",
    "/logout",
    "/look",
    "/settings",
    "/views",
    "/events",
    "/policies/try",
    "/policies/try/cancel",
    "/act/{word}",
}
"""How people get in and out, and what only a page needs: a trial ends with its page, `uptier backtest` does without; a
link in a message is for people, programs give the order."""


def test_every_page_and_every_form_has_its_call(shown: Shown) -> None:
    console = Console(
        store=shown.store,
        now=shown.here.clock.now,
        access=None,
        papers=None,
        planning=None,
        trying=None,
        health_now=None,
        sign_on=None,
    )  # type: ignore[arg-type]
    reads = {page for call in CALLS for page in call.pages if call.method == "GET"}
    acts = {page for call in CALLS for page in call.pages if call.method == "POST"}
    for route in console.routes():
        assert isinstance(route, Route)
        if route.path not in NO_CALL:
            assert route.path in (reads if "GET" in (route.methods or ()) else acts), route.path


ASKED_OF = {"queries", "story", "papers", "planning", "ledger", "users", "tickets", "holds", "commands"}


def test_every_question_of_a_page_is_one_of_the_api() -> None:
    """By their source: what the pages ask of the store, of the papers and of the planning, and the orders they give."""

    def questions(module: object) -> set[str]:
        tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                of = node.value
                name = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
                if name in ASKED_OF:
                    found.add(f"{name}.{node.attr}")
            if isinstance(node, ast.ImportFrom) and node.module == "connector.console.commands":
                found |= {f"commands.{name.name}" for name in node.names}
        return found

    only_for_pages = {
        "papers.days",  # which days a form shows
        "papers.levels",  # what a level does, beside its name: the API has it in its policies
        "queries.SHOWN",
        "queries.troubles",  # of the health that the API tells, and in its overview
        "queries.start_of",  # where the next page begins
        "users.views",  # addresses of a page, and how they are kept
        "users.keep_view",
        "users.drop_view",
        "users.VIEWS",
        "commands.LinkOver",  # a link in a message is for people
        "commands.act",
        "commands.good_link",
        "commands.give_many",  # many orders of one form: the API has a call for each
        "story.AT_ONCE",
        "story.happenings",  # how what happened is put together
        "story.by_weight",  # and policies sorted
        "users.set_reading",  # how pages tell one
        "ledger.newest_id",  # whether a page is to be read again
    }
    assert questions(pages) - questions(api) <= only_for_pages


def test_what_is_asked_badly_is_said_and_changes_nothing(shown: Shown) -> None:
    orders, before = "/api/v1/tickets/acme/1/orders", len(shown.here.lines())
    with bearer(shown, "boss", "admin") as client:
        for body, said in (
            ({"verb": "dance"}, "there is no verb 'dance'; there are "),
            ({"verb": "snooze", "until": "2h"}, "there is no 'until' here; it takes verb, "),
            ({}, "verb is missing"),
            ({"verb": "snooze", "for": "2h", "reason": "x" * 1001}, "reason is longer than 1000"),
            ({"verb": "snooze", "for": "soon", "reason": "x"}, "how long: "),
        ):
            answer = client.post(orders, json=body)
            assert (answer.status_code, answer.json()["message"][: len(said)]) == (400, said)
        large = client.post(orders, json={"verb": "x" * 20_000})
        assert (large.status_code, large.json()["message"]) == (413, "the body is larger than 16 KiB")
        twice = client.get("/api/v1/due?account=acme&account=other")
        assert (twice.status_code, "twice" in twice.text) == (400, True)
        assert client.get("/api/v1/ledger", params={"after": "1", "before": "2"}).status_code == 400
        for worst in ("0", "51", "-1", "many", "9" * 40):
            assert client.get("/api/v1/wall", params={"worst": worst}).status_code == 400
        nowhere = client.get("/api/v1/nowhere")
        assert (nowhere.status_code, "openapi" in nowhere.json()["message"]) == (404, True)
        wrong = client.delete("/api/v1/due")
        assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD")
    shown.here.round()
    assert len(shown.here.lines()) == before


def test_a_database_away_says_when_to_come_again(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_said: object) -> NoReturn:
        raise Unreachable("the database does not answer")

    with shown.logged_in("dana", "viewer") as page, bearer(shown, "robot", "viewer") as client:
        monkeypatch.setattr(users, "bearer", away)
        monkeypatch.setattr(users, "find", away)
        for answer in (client.get("/api/v1/due"), page.get("/due"), page.get("/wall")):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert 'http-equiv="refresh"' in page.get("/wall").text  # the screen comes back by itself


def test_a_wall_is_fed_by_a_token_that_can_only_look(shown: Shown) -> None:
    with bearer(shown, "robot", "viewer") as client:
        wall = client.get("/api/v1/wall", params={"worst": "1"}).json()
        assert wall["levels"] == [["Second line", 1]]
        assert (wall["due"]["counts"], [row["ref"]["id"] for row in wall["due"]["rows"]]) == (
            {"coming": 2},
            ["2"],
        )
        assert "Second line" in client.get("/wall").text  # by the header
    with bearer(shown, "boss", "operator"), shown.client() as screen:
        asks = screen.get("/wall")
        assert (asks.status_code, 'type="password"' in asks.text) == (401, True)
        assert screen.post("/wall", data={"token": "token of nobody"}).status_code == 400
        refused = screen.post("/wall", data={"token": "token of boss"})
        assert (refused.status_code, "may do more than look" in refused.text) == (403, True)
        there = screen.post("/wall", data={"token": "token of robot"})
        assert (there.status_code, there.headers["location"]) == (303, "/wall")
        page = screen.get("/wall")
        assert (page.status_code, "acme/2" in page.text) == (200, True)
        assert '<meta http-equiv="refresh" content="30">' in page.text
        assert "<script" not in page.text
        assert screen.get("/").status_code == 303  # and opens nothing else
        assert screen.get("/api/v1/due").status_code == 401
        with shown.store.writing() as connection:
            assert users.revoke(connection, "robot", "api")
        assert screen.get("/wall").status_code == 401


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "uptier.toml"
    path.write_text(
        '[service]\n[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.example"\n'
        'auth = { kind = "bearer", token = "secret:acme-token" }\n',
        encoding="utf-8",
    )
    return path


def test_users_are_made_listed_and_removed_on_the_command_line(config: Path) -> None:
    run, where = CliRunner().invoke, ["--config", str(config)]
    before = run(app, ["user", "add", "dana", *where], input=PASSWORD + "\n")
    assert (before.exit_code, "uptier migrate" in before.output) == (2, True)  # there is no database yet
    assert run(app, ["migrate", *where]).exit_code == 0
    assert run(app, ["user", "add", "dana", "--role", "king", *where], input=PASSWORD).exit_code == 2
    assert run(app, ["user", "add", "dana", *where], input="short\n").exit_code == 2
    made = run(app, ["user", "add", "dana", *where], input=PASSWORD + "\n")
    assert (made.exit_code, made.output.strip()) == (0, "dana may log in as operator")
    listed = run(app, ["user", "list", *where]).output.splitlines()
    assert [line.split() for line in listed] == [
        ["USER", "ROLE", "COMES", "BY"],
        ["dana", "operator", "password"],
    ]
    assert len(run(app, ["user", "token", "dana", *where]).stdout.strip()) > 40
    assert run(app, ["user", "token", "dana", *where]).exit_code == 2  # it has one of that name
    made = run(app, ["user", "token", "dana", "--name", "ci", "--for", "1d", *where])
    assert (made.exit_code, "it is good until" in made.stderr) == (0, True)
    assert run(app, ["user", "token", "dana", "--name", "x", "--for", "soon", *where]).exit_code == 2
    assert run(app, ["user", "token", "eli", *where]).exit_code == 2
    listed = run(app, ["user", "tokens", *where]).output.splitlines()
    assert [line.split()[:2] for line in listed] == [["USER", "TOKEN"], ["dana", "api"], ["dana", "ci"]]
    assert all("never used" in line for line in listed[1:])
    assert run(app, ["user", "revoke", "dana", "api", *where]).exit_code == 0
    assert run(app, ["user", "revoke", "dana", "api", *where]).exit_code == 2
    assert len(run(app, ["user", "tokens", "dana", *where]).output.splitlines()) == 2
    assert run(app, ["user", "remove", "dana", *where]).exit_code == 0
    assert run(app, ["user", "remove", "dana", *where]).exit_code == 2
    assert PASSWORD.encode() not in (config.parent / "uptier.db").read_bytes()


def test_what_was_only_observed_is_said_as_what_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "CONFIG", CONFIG.replace('"enforce"', '"observe"'))
    with conftest.beside(tmp_path) as shown, shown.logged_in("dana", "operator") as client:
        now, ticket = client.get("/now").text, client.get("/tickets/acme/1").text
    assert "would be Second line" in now
    assert "would fire" in now
    assert "would have fired; nobody was told" in ticket
    assert "What would happen next" in ticket


def test_the_page_due_says_the_same_and_leads_on(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    with shown.logged_in("dana", "viewer") as client:
        page = client.get("/due").text
        assert re.search(r"Coming</span></span> <strong>2<", page)
        assert page.index("acme/2") < page.index("acme/1")
        assert "owner Duty managers" in page
        assert "further on" not in page
        monkeypatch.setattr(listing, "PAGE", 1)
        page = client.get("/due?policy=urgent-unanswered&state=coming").text
        assert 'href="/due?policy=urgent-unanswered&amp;state=coming&amp;from=1"' in page
        assert "acme/1<" in client.get("/due?policy=urgent-unanswered&from=1").text
        late = client.get("/due?state=overdue&within=3h").text
        assert "acme/1<" not in late
        assert "Nothing is due that is like that" in late
        assert 'href="/due?state=coming&amp;within=3h"' in late  # what comes is counted, and one click away
        assert client.get("/due?state=gone").status_code == 400
        assert "Nothing is due" in client.get("/due?policy=another").text
        assert client.get("/watch").status_code == 404
