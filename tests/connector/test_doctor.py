"""`uptier doctor` beside each helpdesk: what will not work is named, with the next step, and ends with 1."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from adapters.simulation.server import serve
from connector.cli.main import app
from connector.clock import ClockSkew, ShiftedClock
from connector.console import queries
from connector.demo import CONFIG
from connector.store.database import database_skew
from tests.connector.each import DESKS, EACH, each
from tests.connector.stores import fresh_store

vendors = pytest.mark.parametrize("vendor", EACH)


def checked() -> Result:
    return CliRunner().invoke(app, ["doctor"])


def lines(result: Result, mark: str) -> list[str]:
    return [line for line in result.stdout.splitlines() if line.startswith(mark)]


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A simulated helpdesk's config in the working directory; with `url`, something else stands at its address."""
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def made(
        vendor: str, *, url: str = "", config: str = CONFIG, skew: int = 0, **switches: Any
    ) -> Iterator[Any]:
        (entry,) = entry_points(group="uptier.simulators", name=vendor)
        sim: Any = entry.load()(lambda: time.time() + skew, **switches)
        with serve(sim) as address:
            desk: Any = DESKS[vendor](app=sim, url=url or address)
            desk.furnish()
            desk.open("one", "About one", "eu")
            (tmp_path / "uptier.toml").write_text(config + desk.config(), encoding="utf-8")
            for name, value in desk.secrets().items():
                monkeypatch.setenv(name, value)
            yield desk

    return made


@vendors
def test_all_is_well(vendor: str, beside: Callable[..., Any]) -> None:
    with beside(vendor) as desk:
        if vendor == "freshdesk":
            desk.desk.hooks.subscribe(f"http://uptier.test/hooks/{desk.account}", secret="x")
        result = checked()
    assert (result.exit_code, lines(result, "NOT")) == (0, []), result.output
    assert f"ok  {desk.account}: clock: its clock is within 30 s of ours" in result.stdout


# --- what policies need ----------------------------------------------------------------------------------------

HIDES: dict[str, dict[str, Any]] = {
    "zendesk": {"hidden_keys": ("priority",)},
    "servicenow": {},
}


@pytest.mark.parametrize("vendor", HIDES)
def test_what_policies_need_and_cannot_see_is_named(vendor: str, beside: Callable[..., Any]) -> None:
    with beside(vendor, **HIDES[vendor]) as desk:
        if vendor == "servicenow":
            desk.desk.hide_column("incident", "priority")
        result = checked()
    assert result.exit_code == 1
    assert any("priority" in line and "olicies need" in line for line in lines(result, "NOT")), result.output


@pytest.mark.parametrize("vendor", HIDES)
def test_what_no_policy_needs_may_be_hidden(vendor: str, beside: Callable[..., Any]) -> None:
    hides = {"hidden_keys": ("subject", "type")} if vendor == "zendesk" else {}
    with beside(vendor, **hides) as desk:
        if vendor == "servicenow":
            desk.desk.hide_column("incident", "short_description")
        result = checked()
    assert result.exit_code == 0, result.output


# --- who does not answer, or is somebody else -------------------------------------------------------------------


@contextmanager
def page(status: int, text: str) -> Iterator[str]:
    """A web server of somebody else: the same page on every path."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 (the name that the server looks for)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@vendors
def test_an_address_where_nobody_listens(vendor: str, beside: Callable[..., Any]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with beside(vendor, url=url) as desk:
            result = checked()
    assert result.exit_code == 1
    (line,) = lines(result, f"NOT {desk.account}: access: {url}: ")
    assert "nothing listens there; see the port" in line


@vendors
def test_a_host_that_nobody_knows(
    vendor: str, beside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    url = "https://nobody.invalid"
    with beside(vendor, url=url) as desk:
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        result = checked()
    assert result.exit_code == 1
    (line,) = lines(result, f"NOT {desk.account}: access: {url}: ")
    assert "no such host is known here" in line


@vendors
def test_https_to_a_port_that_speaks_http(vendor: str, beside: Callable[..., Any]) -> None:
    with page(200, "hello") as plain:
        url = plain.replace("http://", "https://")
        with beside(vendor, url=url) as desk:
            result = checked()
    assert result.exit_code == 1
    (line,) = lines(result, f"NOT {desk.account}: access: {url}: ")
    assert "nothing speaks TLS there" in line


@vendors
@pytest.mark.parametrize("status", [404, 200])
def test_a_page_of_somebody_else(vendor: str, status: int, beside: Callable[..., Any]) -> None:
    with page(status, "<html>No such help center</html>") as url, beside(vendor, url=url) as desk:
        result = checked()
    assert result.exit_code == 1, result.output
    (line,) = [line for line in lines(result, f"NOT {desk.account}: ") if url in line]
    advice = (
        "Check the account's url"
        if status == 404
        else f"see whether that is the address of your own {vendor}"
    )
    assert advice in line


def test_freshservice_is_named(beside: Callable[..., Any]) -> None:
    with beside("freshdesk", wrapped=True):
        result = checked()
    assert result.exit_code == 1
    assert any("Freshservice" in line for line in lines(result, "NOT")), result.output


# --- rights -----------------------------------------------------------------------------------------------------


@vendors
def test_a_bot_that_may_too_little(vendor: str, beside: Callable[..., Any]) -> None:
    with beside(vendor, **({"journal": "forbidden"} if vendor == "servicenow" else {})) as desk:
        if vendor == "zendesk":
            desk.desk.people.user("Uptier")["role"] = "agent"
        elif vendor == "freshdesk":
            desk.desk.people.agent("Uptier")["admin"] = False
        result = checked()
    what = {"zendesk": "role agent", "freshdesk": "Administrator", "servicenow": "sys_journal_field cannot"}
    assert result.exit_code == 1
    assert any(what[vendor] in line for line in lines(result, "NOT")), result.output


# --- clocks -----------------------------------------------------------------------------------------------------


@vendors
@pytest.mark.parametrize("skew", [-90, 45])
def test_a_clock_that_is_off(vendor: str, skew: int, beside: Callable[..., Any]) -> None:
    with beside(vendor, skew=skew) as desk:
        result = checked()
    assert result.exit_code == 1
    (line,) = lines(result, f"NOT {desk.account}: clock: ")
    assert ("ahead of ours" if skew > 0 else "behind ours") in line
    assert "by NTP" in line


class Ahead(ShiftedClock):
    """A machine's clock that is ahead of its database's."""

    def of_server(self, server: Callable[[], int]) -> int:
        return server()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_clock_of_a_fleets_database_is_compared(kind: str, tmp_path: Path) -> None:
    clock = Ahead()
    clock.advance(100)
    with fresh_store(kind, tmp_path) as store:
        skew = database_skew(store, clock)
    assert abs(skew - (-100 if kind == "postgres" else 0)) <= 2


def test_health_and_the_log_tell_of_clocks_that_are_off() -> None:
    skews = ClockSkew()
    skews.note("acme", 30)
    assert skews.telling() == ()
    with capture_logs() as logs:
        for _ in range(2):
            skews.note("acme", -31)
            skews.note("", 400)
    assert [(line["event"], line["seconds"]) for line in logs] == [("clock_skew", -31), ("clock_skew", 400)]
    (acme, database) = skews.telling()
    assert acme[0] == "acme"
    assert acme[1].startswith("its clock is 31 s behind ours; set ")
    assert database[0] == "the database"
    assert database[1].startswith("its clock is 400 s ahead of ours")
    with capture_logs() as logs:
        skews.note("", 0)
        skews.note("", 0)
    assert [line["event"] for line in logs] == ["clock_skew_over"]
    assert [whose for whose, _ in skews.telling()] == ["acme"]


def test_the_page_health_is_given_the_clocks(tmp_path: Path) -> None:
    with each("zendesk", tmp_path, skew=600) as one:
        one.opened("one")
        one.round()
        parts = one.service.parts
        with parts.store.reading() as connection:
            clocks = parts.skews.telling()
            shown = queries.health_page(connection, None, (), clocks, (), (), (), (), one.clock.now())
    assert [whose for whose, _ in shown.clocks] == [one.desk.account]


# --- channels ---------------------------------------------------------------------------------------------------

CHANNEL = '\n[channels.leads]\nurl = "secret:leads"\n'
SPOKEN_TO = 'notify = ["leads"]\n' + CHANNEL


def with_channel(beside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, address: str) -> Result:
    monkeypatch.setenv("UPTIER_SECRET_LEADS", address)
    with beside("zendesk", config=CONFIG + SPOKEN_TO):
        return checked()


def test_a_channel_that_listens_hears_nothing(
    beside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        channel.listen()
        port = channel.getsockname()[1]
        result = with_channel(beside, monkeypatch, f"json://127.0.0.1:{port}/hush")
        met, _ = channel.accept()
        with met:
            met.settimeout(5)
            assert met.recv(1) == b""
    assert result.exit_code == 0, result.output
    assert f"ok  channel leads: address: 127.0.0.1:{port} can be reached" in result.stdout
    assert "hush" not in result.output


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("json://127.0.0.1:{port}/hush", "127.0.0.1:{port} cannot be reached: Connection refused"),
        ("nosuch://hush", "its address is none that apprise understands"),
        ("", "secret"),
    ],
)
def test_a_channel_that_cannot_be_used(
    address: str, said: str, beside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        result = with_channel(beside, monkeypatch, address.format(port=port))
    assert result.exit_code == 1, result.output
    (line,) = lines(result, "NOT channel leads: address: ")
    assert said.format(port=port) in line
    assert "hush" not in result.output


@pytest.mark.parametrize("config", [CONFIG + CHANNEL, CONFIG.replace('"enforce"', '"observe"') + SPOKEN_TO])
def test_a_channel_that_nothing_is_sent_to_yet_is_a_tip(config: str, beside: Callable[..., Any]) -> None:
    with beside("zendesk", config=config):
        result = checked()
    assert result.exit_code == 0, result.output
    assert "tip channel leads: address: there is no secret leads" in result.stdout


def test_the_host_of_a_hosted_channel_is_tried_not_its_token(
    beside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = list[tuple[str, int]]()

    straight = socket.create_connection

    def connect(place: tuple[str, int], *words: Any, **named: Any) -> Any:
        if place[0] == "127.0.0.1":
            return straight(place, *words, **named)
        tried.append(place)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("connector.notify.sender.socket.create_connection", connect)
    address = f"slack://T{'A' * 8}/B{'B' * 8}/{'Token' * 5}/#general"
    result = with_channel(beside, monkeypatch, address)
    assert tried == [("hooks.slack.com", 443)]
    assert result.exit_code == 1
    assert "hooks.slack.com:443 cannot be reached: no such host is known here" in result.stdout
    assert "AAAA" not in result.output
    assert "Token" not in result.output
