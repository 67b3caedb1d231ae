"""`uptier init` beside each simulated helpdesk: from an empty directory to what is due, and every slip on the way."""

import re
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked
from typer.testing import CliRunner, Result

from adapters import base
from adapters.servicenow.simulator import app as servicenow
from adapters.simulation.server import serve
from adapters.zendesk.simulator.app import CLIENT, CLIENT_SECRET
from connector.app.service import Service, Summary
from connector.cli import init
from connector.cli.common import stamp
from connector.cli.main import app
from connector.config.settings import load
from policies.language.vocabulary import Mode
from tests.connector.each import DESKS, EACH
from tests.connector.test_cli import InMemory
from tests.connector.test_doctor import page

vendors = pytest.mark.parametrize("vendor", EACH)
KINDS = {"zendesk": "bearer", "freshdesk": "key", "servicenow": "basic"}
READS = frozenset({"GET", "HEAD"})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=["keyring", "none"])
def vault(request: pytest.FixtureRequest) -> Iterator[str]:
    """A machine with a keyring, and one without."""
    before = keyring.get_keyring()
    keyring.set_keyring(InMemory() if request.param == "keyring" else NoKeyring())
    yield request.param
    keyring.set_keyring(before)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemory]:
    before, mine = keyring.get_keyring(), InMemory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits at the terminal."""
    monkeypatch.setattr(init, "somebody_is_there", lambda: True)


@contextmanager
def helpdesk(vendor: str, *, skew: int = 0, tickets: int = 1, **switches: Any) -> Iterator[Any]:
    """A furnished account, with a ticket that waits since a moment more than a day."""
    (entry,) = entry_points(group="uptier.simulators", name=vendor)
    sim: Any = entry.load()(lambda: time.time() + skew, **switches)
    with serve(sim) as url:
        desk: Any = DESKS[vendor](app=sim, url=url)
        desk.furnish()
        for number in range(tickets):
            desk.open(f"t{number}", "Nobody can log in", "eu", at=int(time.time()) - 86403)
        yield desk


def secret_of(desk: Any) -> str:
    """What its credentials are, without the webhook's."""
    (value,) = (value for name, value in desk.secrets().items() if "WEBHOOK" not in name)
    return str(value)


def uptier(*words: str, said: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=said and f"{said}\n")


def flags(vendor: str, desk: Any) -> list[str]:
    more = ["--user", "uptier.bot"] if vendor == "servicenow" else []
    if vendor == "servicenow":
        (more[1],) = [word.split('"')[1] for word in desk.auth.split(", ") if word.startswith("user")]
    return ["--helpdesk", vendor, "--url", desk.url, "--account", "acme", "--auth", KINDS[vendor], *more]


def token_in(folder: Path, desk: Any) -> str:
    file = folder / "token"
    file.write_text(secret_of(desk) + "\n")
    file.chmod(0o600)
    return str(file)


def wrote_nothing(desk: Any) -> bool:
    """Whether all that came in were reads and requests for a token."""
    return all(row.method in READS or "oauth" in row.path for row in desk.desk.log)


# --- the straight way ----------------------------------------------------------------------------------------------


@vendors
def test_from_an_empty_directory_to_what_is_due(vendor: str, here: Path, vault: str) -> None:
    with helpdesk(vendor) as desk:
        result = uptier("init", *flags(vendor, desk), "--token-file", token_in(here, desk))
        assert wrote_nothing(desk)
        assert result.exit_code in (0, 1), result.output
        assert [line for line in result.stdout.splitlines() if line.startswith("NOT ")] == [], result.output
        assert result.exit_code == 0, result.output
        assert "overdue: 3" in result.stdout, result.output
        assert "nobody-took-it / Tier 1" in result.stdout
        assert secret_of(desk) not in result.output
        loaded = load(here / "uptier.toml")
        assert loaded.problems == ()
        assert loaded.settings is not None
        assert loaded.policies is not None
        observe: Mode = "observe"
        assert loaded.settings.service.mode == observe
        assert {level.owner for each in loaded.policies.policies for level in each.levels} <= {
            "Tier 1",
            "Tier 2",
            "Duty managers",
        }
        assert len(loaded.policies.policies) == 3
        assert not list(here.glob(".*.init")), "nothing is left to go on with"
        assert secret_of(desk) not in (here / "uptier.toml").read_text()
        if vault == "keyring":
            assert keyring.get_password(
                "uptier",
                "acme-"
                + ("token" if vendor == "zendesk" else "key" if vendor == "freshdesk" else "password"),
            ) == secret_of(desk)
            strict = uptier("check", "--strict")
            assert strict.exit_code == 0, strict.output
            due = uptier("due")
            assert (due.exit_code, "nobody-took-it" in due.stdout) == (0, True)
        else:
            assert f"_FILE={here / 'token'}" in result.stdout
        assert wrote_nothing(desk)


@vendors
def test_asked_at_the_terminal(vendor: str, here: Path, kept: InMemory, somebody: None) -> None:
    with helpdesk(vendor) as desk:
        user = [flags(vendor, desk)[-1]] if vendor == "servicenow" else []
        kind = [] if vendor == "freshdesk" else [KINDS[vendor]]  # one way to sign in is not asked for
        said = [vendor.upper(), desk.url, "acme", *kind, *user, secret_of(desk), "", "tier 2", "", ""]
        result = uptier("init", said="\n".join(said) + "\n")
        assert result.exit_code == 0, result.output
        assert "A user for Uptier alone." in result.stdout
        assert "Which group takes an escalated ticket" in result.stdout
        assert "nobody-took-it / Tier 1" in result.stdout
        assert secret_of(desk) not in result.output
        assert wrote_nothing(desk)


def test_secrets_by_standard_input(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk") as desk:
        result = uptier("init", *flags("zendesk", desk), "--token-stdin", said=secret_of(desk) + "\n")
        assert result.exit_code == 0, result.output
        assert kept.get_password("uptier", "acme-token") == secret_of(desk)


def test_no_secret_is_taken_on_the_command_line() -> None:
    told = uptier("init", "--help").output
    assert "--token-file" in told
    for flag in ("--token ", "--key ", "--password ", "--client-secret "):
        assert flag not in told


def test_what_the_helpdesk_has_stands_in_the_file(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk") as desk:
        desk.desk.seed(
            ticket_fields=[{"title": "Product line", "type": "tagger"}],
            custom_statuses=[{"status_category": "hold", "agent_label": "Waiting for parts"}],
            schedules=[
                {
                    "name": "EMEA",
                    "time_zone": "Berlin",
                    "intervals": [
                        {"start_time": 1980, "end_time": 2460},
                        {"start_time": 3420, "end_time": 3900},
                    ],
                }
            ],
        )
        result = uptier("init", *flags("zendesk", desk), "--token-file", token_in(here, desk))
        assert result.exit_code == 0, result.output
    text = (here / "uptier.toml").read_text()
    (number,) = (key for key, row in desk.desk.people.ticket_fields.items() if row["title"] == "Product line")
    assert f'# product_line = "{number}"   # Product line' in text
    assert '# "Waiting for parts" = "on_hold"' in text
    loaded = load(here / "uptier.toml")
    assert loaded.policies is not None
    calendar = loaded.policies.calendars["support"]
    assert calendar.timezone == "Europe/Berlin"
    assert 'mon = ["09:00-17:00"], tue = ["09:00-17:00"]' in text
    assert all(each.calendar == "support" for each in loaded.policies.policies)
    uncommented = text.replace("# [accounts.acme.fields]", "[accounts.acme.fields]").replace(
        "# product_line", "product_line"
    )
    (here / "uptier.toml").write_text(uncommented)
    assert load(here / "uptier.toml").problems == ()


VARIES = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d \([^)]*\) *", "THEN "),
    (r"(open|waiting) for \d+h\w*", "for SPAN"),
    (r"127\.0\.0\.1:80\d\d", "LISTEN"),
    (r"sign in as \S+", "NAME"),
)


def plain(text: str) -> str:
    """A transcript without what differs from run to run."""
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_the_page_shows_what_a_run_prints(here: Path, kept: InMemory, somebody: None) -> None:
    with helpdesk("zendesk") as desk:
        said = ["zendesk", desk.url, "acme", "", CLIENT, CLIENT_SECRET, "", "", "", ""]
        result = uptier("init", said="\n".join(said) + "\n")
        assert result.exit_code == 0, result.output
        assert CLIENT_SECRET not in result.output
        assert wrote_nothing(desk)
        told = result.stdout.replace(desk.url, "https://acme.zendesk.com")
    page = (Path(init.__file__).parents[2] / "docs" / "start.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n\$ uptier init\n(.*?)```", page, re.DOTALL)
    assert plain(shown) == plain(told), told


def test_where_no_keyring_is_a_file_keeps_the_secret_or_nobody_does(
    here: Path, somebody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", NoKeyring)
    (here / "mine").write_text("something of somebody's")
    with helpdesk("zendesk") as desk:
        stopped = uptier(
            "init", *flags("zendesk", desk), said=f"wrong-one\nmine\n\n\n\n{secret_of(desk)}\n\n"
        )
        assert stopped.exit_code == 1, stopped.output
        assert "mine: File exists; name another" in stopped.output
        file = here / "acme-token.secret"
        assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (secret_of(desk) + "\n", 0o600)
        assert (here / "mine").read_text() == "something of somebody's"
        again = uptier("init", said="\n\n\n\n")
        assert again.exit_code == 0, again.output
        assert "which is not shown" not in again.output, "nothing is asked twice"
        assert f"export UPTIER_SECRET_ACME_TOKEN_FILE={file}" in again.stdout
        (here / "uptier.toml").unlink()
        nowhere = uptier("init", *flags("zendesk", desk), said=f"{secret_of(desk)}\n-\n\n\n\n\n")
        assert nowhere.exit_code == 0, nowhere.output
        assert "is not in a keyring of this machine" in nowhere.stdout
        assert secret_of(desk) not in nowhere.output


# --- stopped, and again --------------------------------------------------------------------------------------------


def test_stopped_half_way_it_goes_on_and_asks_nothing_twice(
    here: Path, kept: InMemory, somebody: None
) -> None:
    with helpdesk("zendesk") as desk:
        first = uptier("init", said=f"zendesk\n{desk.url}\nacme\nbearer\n{secret_of(desk)}\n")
        assert first.exit_code == 1, first.output
        assert "goes on from here" in first.output
        (half,) = here.glob(".*.init")
        assert stat.S_IMODE(half.stat().st_mode) == 0o600
        assert secret_of(desk) not in half.read_text()
        assert not (here / "uptier.toml").exists()
        asked = len(desk.desk.log)
        second = uptier("init", said="\n\n\n\n")
        assert second.exit_code == 0, second.output
        assert (
            f"Going on where the last call stopped: helpdesk zendesk, address {desk.url}, called acme"
            in second.output
        )
        assert "Which helpdesk" not in second.output
        assert "which is not shown" not in second.output
        assert len(desk.desk.log) > asked
        assert not list(here.glob(".*.init"))


def test_stopped_behind_the_file_it_goes_on_with_the_round(
    here: Path, kept: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> bool:
        raise KeyboardInterrupt

    with helpdesk("zendesk") as desk:
        with monkeypatch.context() as patch:
            patch.setattr(init, "first_round", stopped)
            first = uptier("init", *flags("zendesk", desk), "--token-file", token_in(here, desk))
        assert first.exit_code == 1
        before = (here / "uptier.toml").read_text()
        second = uptier("init")
        assert second.exit_code == 0, second.output
        assert "nobody-took-it" in second.stdout
        assert (here / "uptier.toml").read_text() == before


def test_run_again_it_adds_an_account_and_leaves_the_rest(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk") as one, helpdesk("freshdesk") as other:
        assert uptier("init", *flags("zendesk", one), "--token-file", token_in(here, one)).exit_code == 0
        mine = (here / "uptier.toml").read_text().replace('after  = "30m"', 'after  = "45m"   # mine')
        (here / "uptier.toml").write_text(mine)
        words = flags("freshdesk", other)
        words[words.index("acme")] = "fresh"
        again = uptier("init", *words, "--token-file", token_in(here, other))
        assert again.exit_code == 0, again.output
        text = (here / "uptier.toml").read_text()
        assert text.startswith(mine.rstrip("\n"))
        loaded = load(here / "uptier.toml")
        assert loaded.problems == ()
        assert loaded.settings is not None
        assert set(loaded.settings.accounts) == {"acme", "fresh"}
        assert loaded.settings.accounts["fresh"].mode == "observe"
        assert "fresh/" in again.stdout
        same = uptier("init", *words, "--token-file", token_in(here, other))
        assert same.exit_code == 2
        assert "fresh is in the config already; `uptier doctor fresh` looks at it" in same.output
        assert (here / "uptier.toml").read_text() == text


def test_where_something_is_enforced_no_round_is_made(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk") as one, helpdesk("freshdesk") as other:
        assert uptier("init", *flags("zendesk", one), "--token-file", token_in(here, one)).exit_code == 0
        file = here / "uptier.toml"
        file.write_text(file.read_text().replace('mode          = "observe"', 'mode          = "enforce"'))
        words = flags("freshdesk", other)
        words[words.index("acme")] = "fresh"
        again = uptier("init", *words, "--token-file", token_in(here, other))
        assert again.exit_code == 0, again.output
        assert "no round is made now" in again.stdout
        assert wrote_nothing(one)
        assert wrote_nothing(other)


def test_a_file_that_cannot_be_read_is_left_alone(here: Path) -> None:
    (here / "uptier.toml").write_text("[service\n")
    result = uptier("init", "--helpdesk", "zendesk")
    assert result.exit_code == 2
    assert "It is left as it is" in result.output
    assert (here / "uptier.toml").read_text() == "[service\n"


# --- slips ---------------------------------------------------------------------------------------------------------


def test_nobody_there_and_a_flag_missing(here: Path) -> None:
    result = uptier("init")
    assert result.exit_code == 2
    assert "Say it with --helpdesk" in result.output
    result = uptier("init", "--helpdesk", "zendesc")
    assert result.exit_code == 2
    assert 'Did you mean "zendesk"' in result.output


@vendors
def test_a_wrong_subdomain_or_port(vendor: str, here: Path, kept: InMemory) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with helpdesk(vendor) as desk:
            words = flags(vendor, desk)
            words[words.index(desk.url)] = closed
            result = uptier("init", *words, "--token-file", token_in(here, desk))
            assert result.exit_code == 2
            assert "nothing listens there; see the port" in result.output
    with page(404, "<html>No such help center</html>") as url, helpdesk(vendor) as desk:
        words = flags(vendor, desk)
        words[words.index(desk.url)] = url
        result = uptier("init", *words, "--token-file", token_in(here, desk))
        assert result.exit_code == 1, result.output
        assert url in result.output
        assert "Check the account's url" in result.output
        assert not (here / "uptier.toml").exists()
        right = uptier("init", "--url", desk.url)
        assert right.exit_code == 0, right.output


@vendors
def test_a_wrong_secret(vendor: str, here: Path, kept: InMemory, somebody: None) -> None:
    with helpdesk(vendor) as desk:
        again = {"zendesk": 2, "freshdesk": 1, "servicenow": 3}[vendor]
        said = ["wrong-one", *[""] * again, secret_of(desk)]
        result = uptier("init", *flags(vendor, desk), said="\n".join([*said, "", "", "", ""]) + "\n")
        assert result.exit_code == 0, result.output
        assert result.output.count("which is not shown") == 2
        assert secret_of(desk) not in result.output
        assert "wrong-one" not in result.output
        assert ".. " not in result.output
        assert kept.get_password(
            "uptier", f"acme-{KINDS[vendor].replace('bearer', 'token').replace('basic', 'password')}"
        ) == secret_of(desk)


def test_a_wrong_secret_in_a_script(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk") as desk:
        (here / "token").write_text("wrong-one\n")
        more = ["--duty", "Escalations", "--outside", "uptier.acme.example"]
        result = uptier("init", *flags("zendesk", desk), *more, "--token-file", "token")
        assert result.exit_code == 1
        assert "it keeps the rest" in result.output
        token_in(here, desk)
        again = uptier("init", "--token-file", "token")
        assert again.exit_code == 0, again.output
        written = load(here / "uptier.toml").settings
        assert written is not None
        assert (written.service.outside, written.service.default_owner) == (
            "https://uptier.acme.example",
            "Escalations",
        ), "flags are remembered too"


def test_a_refused_secret_stays_nowhere_and_the_address_is_offered_again(
    here: Path, vault: str, somebody: None
) -> None:
    with helpdesk("zendesk") as desk:
        stopped = uptier("init", *flags("zendesk", desk), said="wrong-one" + "\n" * (vault == "none"))
        assert stopped.exit_code == 1, stopped.output
        assert [file.name for file in here.iterdir()] == [".uptier.toml.init"]
        mine = keyring.get_keyring()
        assert not isinstance(mine, InMemory) or mine.kept == {}
        assert f"[{desk.url}]" in uptier("init", said="\n").output


def test_a_round_that_only_waits_ends_well_and_says_until_when(
    here: Path, kept: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Service.once

    def waits(service: Service, progress: Any) -> Summary:
        return replace(
            real(service, progress), needs_human=("acme/1: not done yet",), waits_until=1_790_000_000
        )

    monkeypatch.setattr(Service, "once", waits)
    with helpdesk("zendesk") as desk:
        result = uptier("init", *flags("zendesk", desk), "--token-file", token_in(here, desk))
    assert result.exit_code == 0, result.output
    assert f"`uptier run --once` goes on with it from {stamp(1_790_000_000)} on" in result.stdout


def test_a_secret_of_the_environment_that_is_refused(
    here: Path, kept: InMemory, somebody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTIER_SECRET_ACME_TOKEN", "wrong-one")
    with helpdesk("zendesk") as desk:
        result = uptier("init", *flags("zendesk", desk), said="\n\n")
        assert result.exit_code == 2
        assert "correct it there" in result.output
        assert "UPTIER_SECRET_ACME_TOKEN" in result.output


@pytest.mark.parametrize("vendor", ["zendesk", "freshdesk"])
def test_a_role_that_may_too_little(vendor: str, here: Path, kept: InMemory, somebody: None) -> None:
    with helpdesk(vendor) as desk:
        people = desk.desk.people
        row = people.user("Uptier") if vendor == "zendesk" else people.agent("Uptier")
        key, low, high = ("role", "agent", "admin") if vendor == "zendesk" else ("admin", False, True)
        row[key] = low
        result = uptier("init", *flags(vendor, desk), said=f"{secret_of(desk)}\n")
        assert result.exit_code == 1
        assert ("admin" if vendor == "zendesk" else "Administrator") in result.output
        row[key] = high
        again = uptier("init", said="\n\n\n\n\n\n")
        assert again.exit_code == 0, again.output


def test_a_group_that_is_misspelt(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk") as desk:
        words = (*flags("zendesk", desk), "--token-file", token_in(here, desk))
        result = uptier("init", *words, "--next", "Teir 2")
        assert result.exit_code == 2
        assert 'Did you mean "Tier 2"' in result.output
        assert not (here / "uptier.toml").exists()


def test_a_clock_that_is_off(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk", skew=600) as desk:
        result = uptier("init", *flags("zendesk", desk), "--token-file", token_in(here, desk))
        assert result.exit_code == 1
        assert "NOT clock" in result.output
        assert "by NTP" in result.output


def test_no_group_at_all(here: Path, kept: InMemory) -> None:
    (entry,) = entry_points(group="uptier.simulators", name="zendesk")
    sim: Any = entry.load()(time.time)
    with serve(sim) as url:
        desk: Any = DESKS["zendesk"](app=sim, url=url)
        result = uptier("init", *flags("zendesk", desk), "--token-file", token_in(here, desk))
        assert result.exit_code == 1
        assert "No group is shown" in result.output


def test_a_secret_file_that_is_not_there_or_empty(here: Path, kept: InMemory) -> None:
    with helpdesk("zendesk") as desk:
        for name, why in (("nowhere", "cannot read the secret file"), ("empty", "is empty")):
            (here / "empty").write_text("")
            result = uptier("init", *flags("zendesk", desk), "--token-file", name)
            assert result.exit_code == 1
            assert why in result.output
            assert desk.desk.log == [] or {row.method for row in desk.desk.log} == {"HEAD"}
        right = uptier("init", "--token-file", token_in(here, desk))
        assert right.exit_code == 0, right.output


def test_a_keyring_that_is_locked_keeps_nothing_and_all_goes_on(
    here: Path, kept: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any) -> None:
        raise KeyringLocked("locked")

    monkeypatch.setattr(InMemory, "set_password", locked)
    with helpdesk("zendesk") as desk:
        result = uptier("init", *flags("zendesk", desk), "--token-file", token_in(here, desk))
        assert result.exit_code == 0, result.output
        assert f"Secret acme-token is in {here / 'token'}" in result.stdout
        export = f"    export UPTIER_SECRET_ACME_TOKEN_FILE={here / 'token'}"
        assert f"Next:\n{export}\n" in result.stdout, "the first step is the one that the others need"


def test_an_address_to_listen_on_that_is_taken(here: Path, kept: InMemory, somebody: None) -> None:
    with helpdesk("zendesk") as desk, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        words = (*flags("zendesk", desk), "--token-file", token_in(here, desk))
        result = uptier("init", *words, "--listen", place, said="\n\n\n127.0.0.1:0\n")
        assert result.exit_code == 0, result.output
        assert "another program has it; end that, or name another port" in result.stdout
        assert 'listen        = "127.0.0.1:0"' in (here / "uptier.toml").read_text()


def test_a_config_elsewhere(here: Path, kept: InMemory) -> None:
    (here / "etc").mkdir()
    with helpdesk("zendesk") as desk:
        words = (*flags("zendesk", desk), "--token-file", token_in(here, desk))
        result = uptier("init", *words, "--config", "etc/mine.toml")
        assert result.exit_code == 0, result.output
        assert "uptier doctor --config etc/mine.toml" in result.stdout
        assert (here / "etc" / "uptier.db").exists()
        nowhere = uptier("init", *words, "--config", "none/mine.toml")
        assert nowhere.exit_code == 2
        assert "make it first" in nowhere.output


def test_two_secrets_come_from_two_files(here: Path, kept: InMemory) -> None:
    with helpdesk("servicenow") as desk:
        (here / "client").write_text(servicenow.CLIENT_SECRET)
        (here / "word").write_text(servicenow.PASSWORD)
        words = ["--helpdesk", "servicenow", "--url", desk.url, "--account", "it", "--auth", "oauth"]
        words += ["--client-id", servicenow.CLIENT, "--user", servicenow.BOT]
        words += ["--token-file", "client_secret=client", "--token-file", "password=word"]
        result = uptier("init", *words)
        assert result.exit_code == 0, result.output
        loaded = load(here / "uptier.toml")
        assert loaded.settings is not None
        assert dict(loaded.settings.accounts["it"].auth) == {
            "kind": "oauth",
            "client_id": servicenow.CLIENT,
            "client_secret": "secret:it-client-secret",
            "user": servicenow.BOT,
            "password": "secret:it-password",
        }


def test_opening_hours_and_statuses_of_freshdesk(here: Path, kept: InMemory) -> None:
    day = {"start_time": "08:30:00 am", "end_time": "11:59:59 pm"}
    with helpdesk("freshdesk") as desk:
        desk.desk.seed(
            ticket_fields=[{"name": "cf_product", "type": "custom_text"}],
            statuses={"9": "Waiting for parts"},
            business_hours=[
                {
                    "name": "Night",
                    "time_zone": "A zone of next year",
                    "is_default": True,
                    "business_hours": {"monday": day},
                },
                {
                    "name": "Day",
                    "time_zone": "Eastern Time (US & Canada)",
                    "business_hours": {"monday": day, "friday": {}},
                },
            ],
        )
        result = uptier("init", *flags("freshdesk", desk), "--token-file", token_in(here, desk))
        assert result.exit_code == 0, result.output
    text = (here / "uptier.toml").read_text()
    assert "# [calendars.support]" not in text
    assert 'timezone = "America/New_York"' in text
    assert 'hours    = { mon = ["08:30-24:00"] }' in text
    assert '# product = "cf_product"' in text
    assert '# "Waiting for parts" = "' in text


def test_states_of_servicenow(here: Path, kept: InMemory) -> None:
    with helpdesk("servicenow") as desk:
        result = uptier("init", *flags("servicenow", desk), "--token-file", token_in(here, desk))
        assert result.exit_code == 0, result.output
    text = (here / "uptier.toml").read_text()
    assert '# "On Hold" = "on_hold"' in text
    assert "# [calendars.support]" in text, "no opening hours are read there"
    opened = text.replace("# [calendars.support]", "[calendars.support]").replace("# timezone", "timezone")
    opened = opened.replace("# hours ", "hours ").replace('# calendar = "support"', 'calendar = "support"')
    (here / "uptier.toml").write_text(opened)
    assert load(here / "uptier.toml").problems == ()


def test_words_of_the_helpdesk_break_no_file(here: Path, kept: InMemory) -> None:
    odd = 'Tier "1"\\ \x7f\x1b[2J\u2028 <&> {{ x }}'
    with helpdesk("zendesk") as desk:
        desk.desk.seed(
            groups=[{"name": odd}],
            ticket_fields=[{"title": odd, "type": "text"}],
            custom_statuses=[{"status_category": "hold", "agent_label": odd}],
        )
        words = (*flags("zendesk", desk), "--token-file", token_in(here, desk), "--first", odd)
        result = uptier("init", *words)
        assert result.exit_code == 0, result.output
        assert "\x1b" not in result.output
    loaded = load(here / "uptier.toml")
    assert loaded.problems == ()
    assert loaded.policies is not None
    assert odd in {level.owner for each in loaded.policies.policies for level in each.levels}


class NoSurveyor:
    """What no adapter is."""


def test_an_adapter_that_tells_nothing_of_itself(
    here: Path, kept: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "Surveyor", NoSurveyor)
    with helpdesk("zendesk") as desk:
        result = uptier("init", *flags("zendesk", desk), "--token-file", token_in(here, desk))
        assert result.exit_code == 0, result.output
    assert load(here / "uptier.toml").problems == ()


def test_a_helpdesk_that_only_a_proxy_reaches(
    here: Path, kept: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        result = uptier("init", "--helpdesk", "zendesk", "--url", url)
    assert result.exit_code == 2
    assert "a proxy, which is not used towards helpdesks: let it out to that host" in result.output
