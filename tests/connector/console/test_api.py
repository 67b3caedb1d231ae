"""The JSON API: tokens, roles, and what it says of itself."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route
from typer.testing import CliRunner

from connector.cli import app
from connector.console.access import digest
from connector.console.api import Api
from connector.console.openapi import DOCUMENT
from connector.store import users
from tests.connector.console.conftest import PASSWORD, Shown


def bearer(shown: Shown, name: str, role: users.Role) -> httpx.Client:
    """A program with a token of this user."""
    shown.user(name, role)
    with shown.store.writing() as connection:
        users.keep_token(connection, digest(f"token of {name}"), name, 0)
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
        assert client.get("/api/v1/watch").json()
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
    shown.here.round(1)
    assert shown.here.show().group == "Tier 1"
    assert ("deescalated", "boss") in [(line.what, line.who) for line in shown.here.lines()]


def test_the_document_names_every_call(shown: Shown) -> None:
    api = Api(store=shown.store, now=shown.here.clock.now, access=None, papers=None, budgets=None)  # type: ignore[arg-type]
    served = {
        (route.path, method.lower())
        for route in api.routes()
        if isinstance(route, Route) and not route.path.endswith("openapi.json")
        for method in (route.methods or set()) - {"HEAD"}
    }
    told = {(path, method) for path, calls in DOCUMENT["paths"].items() for method in calls}
    assert told == served
    for path, calls in DOCUMENT["paths"].items():
        named = set(re.findall(r"{(\w+)}", path))
        for call in calls.values():
            assert {one["name"] for one in call["parameters"] if one["in"] == "path"} == named


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
    assert run(app, ["user", "add", "dana", "--role", "king", *where], input=PASSWORD).exit_code == 2
    assert run(app, ["user", "add", "dana", *where], input="short\n").exit_code == 2
    made = run(app, ["user", "add", "dana", *where], input=PASSWORD + "\n")
    assert (made.exit_code, made.output.strip()) == (0, "dana may log in as operator")
    assert run(app, ["user", "list", *where]).output.strip() == "dana  operator"
    assert len(run(app, ["user", "token", "dana", *where]).output.strip()) > 40
    assert run(app, ["user", "token", "eli", *where]).exit_code == 2
    assert run(app, ["user", "remove", "dana", *where]).exit_code == 0
    assert run(app, ["user", "remove", "dana", *where]).exit_code == 2
    assert PASSWORD.encode() not in (config.parent / "uptier.db").read_bytes()
