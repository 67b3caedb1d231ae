"""`uptier doctor` beside each helpdesk: what will not work is named, with the next step, and ends with 1."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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
from connector.store import inbox
from connector.store.database import database_skew
from connector.store.inbox import Arrival
from connector.store.opening import open_store
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
            if vendor != "servicenow":
                desk.desk.hooks.subscribe(f"http://uptier.test/hooks/{desk.account}", secret="x")
            (tmp_path / "uptier.toml").write_text(config + desk.config(), encoding="utf-8")
            for name, value in desk.secrets().items():
                monkeypatch.setenv(name, value)
            yield desk

    return made


@vendors
def test_all_is_well(vendor: str, beside: Callable[..., Any]) -> None:
    with beside(vendor) as desk:
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


# --- what each helpdesk is asked -------------------------------------------------------------------------------------


@vendors
def test_nothing_is_asked_twice_and_nothing_is_written(vendor: str, beside: Callable[..., Any]) -> None:
    with beside(vendor) as desk:
        result = checked()
        assert result.exit_code == 0, result.output
        asked = [(row.method, row.path, row.query) for row in desk.desk.log]
    assert [each for each in asked if asked.count(each) > 1] == []
    assert {method for method, _, _ in asked} <= {"GET", "HEAD"}
    assert len(asked) <= {"zendesk": 14, "freshdesk": 20, "servicenow": 15}[vendor]


PLANS: dict[str, tuple[dict[str, Any], str, str]] = {
    "zendesk": (
        {"limits": {"account": (200, 60)}},
        "Suite Team or Support Team",
        "1 request, 1s within our share.\n",
    ),
    "freshdesk": (
        {"plan": "growth"},
        "Growth",
        "3 requests, 5s within our share. Closed tickets stand in its list too, and count.\n",
    ),
}


@pytest.mark.parametrize("vendor", PLANS)
def test_limits_plan_and_census_are_told(vendor: str, beside: Callable[..., Any]) -> None:
    switches, plan, price = PLANS[vendor]
    with beside(vendor, **switches) as desk:
        before = checked()
        assert CliRunner().invoke(app, ["run", "--once"]).exit_code == 0
        after = checked()
    name = desk.account
    assert (
        f"ok  {name}: limits: 200 requests in 1m (as on {plan}); ours at most 200 (`budget`)."
        in before.stdout
    )
    assert lines(before, f"??? {name}: census: not seen: ") != []
    assert "uptier run --once" in lines(before, f"??? {name}: census: ")[0]
    assert f"ok  {name}: census: 1 open ticket: about {price}" in after.stdout


def test_a_helpdesk_that_tells_no_limit_is_not_called_well(beside: Callable[..., Any]) -> None:
    with beside("servicenow") as desk:
        result = checked()
    assert lines(result, f"??? {desk.account}: limits: not seen: ") != []


def test_what_the_plan_lacks_names_the_policies_that_go_by_it(beside: Callable[..., Any]) -> None:
    config = CONFIG.replace('clock   = "customer_waiting"', 'clock   = "resolution"')
    config = config.replace('clock    = "customer_waiting"', 'clock    = "resolution"')
    assert config != CONFIG
    with beside("zendesk", config=config, slas="missing") as desk:
        result = checked()
    (line,) = lines(result, f"tip {desk.account}: sla targets: ")
    assert "Write [sla] tables" in line
    assert 'It concerns "urgent-unanswered".' in line


def test_groups_of_one_name_are_said(beside: Callable[..., Any]) -> None:
    with beside("servicenow") as desk:
        desk.desk.put("sys_user_group", {"name": "Escalations", "active": "true"})
        result = checked()
    (line,) = lines(result, f"tip {desk.account}: groups: ")
    assert "Several groups are named Escalations; policies must say NAME (ID)" in line


def test_one_account_alone(beside: Callable[..., Any]) -> None:
    with beside("zendesk") as desk:
        result = CliRunner().invoke(app, ["doctor", desk.account])
        other = CliRunner().invoke(app, ["doctor", "acmee"])
    assert result.exit_code == 0, result.output
    assert {line[4:].split(":")[0] for line in result.stdout.splitlines() if line[3:4] == " "} == {
        desk.account
    }
    assert other.exit_code == 2
    assert f'Did you mean "{desk.account}"' in other.output


def test_for_a_program(beside: Callable[..., Any]) -> None:
    with beside("zendesk") as desk:
        desk.desk.people.user("Uptier")["role"] = "agent"
        result = CliRunner().invoke(app, ["doctor", "--format", "json"])
    told = json.loads(result.stdout)
    states = {(each["about"], each["what"]): each["state"] for each in told["findings"]}
    assert states[desk.account, "credentials"] == "not ok"
    assert states[desk.account, "census"] == "not seen"
    assert states[desk.account, "clock"] == "ok"
    assert told["problems"] == []


# --- webhooks --------------------------------------------------------------------------------------------------------


def test_a_webhook_that_nobody_saw_is_never_well(beside: Callable[..., Any]) -> None:
    with beside("servicenow") as desk:
        result = checked()
    assert lines(result, f"??? {desk.account}: last webhook: not seen: none has come in yet") != []
    assert lines(result, "??? outside: address: not seen: ") != []
    assert not any("webhook" in line and "secret" not in line for line in lines(result, "ok ")), result.output


@pytest.mark.parametrize(("ago", "mark"), [(60, "ok "), (3 * 86400, "tip")])
def test_when_the_last_webhook_came_in(
    ago: int, mark: str, beside: Callable[..., Any], tmp_path: Path
) -> None:
    with beside("zendesk") as desk:
        assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
        at = int(time.time()) - ago
        row = Arrival(account=desk.account, ticket="1", delivery="webhook:1", kind="webhook", received_at=at)
        with (
            closing(open_store(f"sqlite:///{tmp_path / 'uptier.db'}")) as store,
            store.writing() as connection,
        ):
            inbox.put_news(connection, [row])
        result = checked()
    assert len(lines(result, f"{mark} {desk.account}: last webhook: the last one came in ")) == 1, (
        result.output
    )


# --- what can be read of the config ----------------------------------------------------------------------------------


def test_of_a_config_with_errors_what_can_be_read_is_asked(
    beside: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "uptier.toml"
    with beside("zendesk") as desk:
        whole = file.read_text(encoding="utf-8")
        file.write_text(whole + '\n[accounts.lame]\nadapter = "zendesc"\nurl = "https://lame.test"\n')
        lame = checked()
        file.write_text(whole.replace('clock   = "customer_waiting"', 'clock   = "customer_whining"', 1))
        policy = checked()
        file.write_text(whole + "\n[policy\n")
        nothing = checked()
    assert lame.exit_code == policy.exit_code == nothing.exit_code == 2
    for result in (lame, policy):
        assert lines(result, f"ok  {desk.account}: credentials: ") != [], result.output
    assert lines(lame, "??? lame: not seen: its table has errors") != []
    assert "zendesc" in lame.stdout
    assert lines(policy, '??? policies: not seen: policy "urgent-unanswered" has errors') != [], policy.output
    assert "ok " not in nothing.stdout
    assert "uptier.toml:" in nothing.output


def test_it_includes_what_check_finds(beside: Callable[..., Any], tmp_path: Path) -> None:
    config = CONFIG.replace("[service]", "[service]\n", 1) + '\n[calendars.old]\ntimezone = "Etc/GMT+5"\n'
    config += 'hours = { mon-fri = "09:00-17:00" }\n'
    with beside("zendesk", config=config):
        CliRunner().invoke(app, ["run", "--once"])
        check, result = CliRunner().invoke(app, ["check"]), checked()
    told = [line for line in check.stdout.splitlines() if "uptier.toml:" in line and "no errors" not in line]
    assert told != []
    assert [line for line in told if line not in result.stdout.splitlines()] == []


def test_a_group_with_nobody_in_it_is_seen_in_the_directory_just_read(beside: Callable[..., Any]) -> None:
    config = CONFIG.replace(
        'assign = { group = "Tier 2" }', 'assign = { group = "Empty", agent = "least_loaded" }'
    )
    assert "Empty" in config
    with beside("zendesk", config=config) as desk:
        desk.desk.seed(groups=[{"name": "Empty"}])
        result = checked()
    assert any("empty-audience" in line for line in result.stdout.splitlines()), result.output


def test_a_group_that_is_not_there_is_said_wherever_somebody_looks(beside: Callable[..., Any]) -> None:
    config = CONFIG.replace('assign = { group = "Tier 2" }', 'assign = { group = "Tier 22" }')
    assert "Tier 22" in config
    config = config.replace('mode          = "enforce"', 'mode          = "observe"')
    said = ' has no group "Tier 22" (did you mean "Tier 2"?); correct the name, or make it there'
    with beside("zendesk", config=config):
        once = CliRunner().invoke(app, ["run", "--once"])
        due, result = CliRunner().invoke(app, ["due"]), checked()
    assert (once.exit_code, due.exit_code, result.exit_code) == (1, 0, 1)
    assert [said in each for each in (once.stdout, due.stderr)] == [True, True]
    assert said in lines(result, "NOT acme: names: ")[0]


def test_a_list_keeps_its_lines_and_connect_is_not_sent_to_before_its_address(
    beside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with beside("zendesk") as desk:
        desk.desk.hooks.hooks.clear()
        (line,) = lines(checked(), "NOT acme: webhook: ")
        assert "`uptier connect acme` makes one. Before that, write under [service]" in line
        for name in desk.secrets():
            monkeypatch.delenv(name, raising=False)
        told = checked().stdout.splitlines()
    first = next(place for place, line in enumerate(told) if line.startswith("NOT acme: access: there is no"))
    assert [line[:8] for line in told[first + 1 : first + 5]] == [
        f"      {number}." for number in range(1, 5)
    ]


# --- this machine ----------------------------------------------------------------------------------------------------


def test_an_address_to_listen_on_that_another_program_has(beside: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "uptier.toml"
    with beside("zendesk"), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        file.write_text(file.read_text(encoding="utf-8").replace('"127.0.0.1:0"', f'"{place}"'))
        result = checked()
    assert result.exit_code == 1
    (line,) = lines(result, "NOT this machine: listen: ")
    assert place in line
    assert "another program has it; end that, or name another port in `listen`" in line


def test_a_proxy_in_the_environment_is_said_and_not_used(
    beside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with beside("zendesk") as desk:
        result = checked()
    assert result.exit_code == 0, result.output
    assert "must be let out to them directly" in lines(result, "tip this machine: proxy: ")[0]
    assert lines(result, f"ok  {desk.account}: credentials: ") != []


def test_a_database_that_is_not_there_yet_or_of_another_kind(
    beside: Callable[..., Any], tmp_path: Path
) -> None:
    with beside("zendesk"):
        before = checked()
        (tmp_path / "uptier.db").write_text("no database\n" * 100)
        wrong = checked()
    assert (
        lines(before, "??? database: access: not seen: there is none yet; `uptier run --once` makes it") != []
    )
    assert wrong.exit_code == 1
    assert lines(wrong, "NOT database: access: ") != []
