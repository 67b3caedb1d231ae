"""What the commands do to a database, and without one: only `migrate` and `run` change it, and nothing else is needed
to read what happened."""

import json
import logging
import time
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine
from typer.testing import CliRunner, Result

from connector.app import databases
from connector.cli.main import app
from connector.clock import ManualClock
from connector.config.secrets import Secrets
from connector.config.settings import load
from connector.logs import Masker
from connector.store.revision import configuration
from connector.store.schema import HEAD
from connector.store.sqlite import only_engine
from connector.store.trouble import Unreachable
from tests.connector.beside import CONFIG, LADDER, SECRETS, START, composed
from tests.connector.stores import made_in
from tests.postgres import database, empty_database

BEFORE = f"{int(HEAD) - 1:04}"
READING = (
    ("history", "acme/1"),
    ("explain", "acme/1"),
    ("ledger", "export"),
    ("gaps",),
    ("release",),
    ("user", "list"),
    ("report", "--from", "2026-03-01", "--to", "2026-03-02"),
)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`uptier.toml` of a helpdesk that nobody asks."""
    path = tmp_path / "uptier.toml"
    path.write_text(CONFIG.format(url="http://127.0.0.1:9", service="") + LADDER, encoding="utf-8")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return path


def uptier(*words: str, said: str | None = None) -> Result:
    root = logging.getLogger()
    handlers = root.handlers[:]
    result = CliRunner().invoke(app, list(words), input=said)
    root.handlers[:] = handlers
    return result


def older_file(folder: Path) -> Path:
    path = folder / "uptier.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        setup = configuration()
        setup.attributes["connection"] = connection
        command.upgrade(setup, BEFORE)
    engine.dispose()
    return path


def on_postgres(config: Path, url: str) -> None:
    config.write_text(config.read_text().replace("sqlite:///uptier.db", url), encoding="utf-8")


@pytest.mark.parametrize("words", READING)
def test_without_a_database_there_is_nothing_to_read_and_none_is_made(
    config: Path, words: tuple[str, ...]
) -> None:
    result = uptier(*words)
    assert result.exit_code == 2
    assert "there is no database" in result.stderr
    assert "`uptier run` makes it" in result.stderr
    assert not config.with_name("uptier.db").exists()


@pytest.mark.parametrize("words", READING)
def test_an_older_file_is_read_by_nobody_and_stays_as_it_is(config: Path, words: tuple[str, ...]) -> None:
    path = older_file(config.parent)
    before = path.read_bytes()
    result = uptier(*words)
    assert result.exit_code == 2
    assert f"stands at {BEFORE}, not at {HEAD}" in result.stderr
    assert "`uptier migrate`" in result.stderr
    assert path.read_bytes() == before


def test_migrate_says_where_the_copy_is_and_the_next_start_needs_none(config: Path) -> None:
    path = older_file(config.parent)
    said = uptier("migrate").stdout
    assert f"it stood at {BEFORE}" in said
    assert str(path.with_name(f"uptier.db.at-{BEFORE}")) in said
    assert uptier("user", "list").exit_code == 0
    assert "it stood at" in uptier("migrate").stdout
    assert len(list(config.parent.glob("uptier.db.at-*"))) == 1


def test_migrate_leaves_a_file_alone_on_which_uptier_runs(config: Path) -> None:
    path = older_file(config.parent)
    with only_engine(path):
        result = uptier("migrate")
    assert result.exit_code == 2
    assert "another Uptier (process" in result.stderr
    assert list(config.parent.glob("uptier.db.at-*")) == []


def test_a_start_brings_its_own_file_along(config: Path) -> None:
    older_file(config.parent)
    composed(config, ManualClock(START)).__exit__()
    assert uptier("user", "list").exit_code == 0
    assert config.with_name(f"uptier.db.at-{BEFORE}").exists()


def test_a_start_and_a_command_on_an_older_server_are_refused_until_it_is_migrated(config: Path) -> None:
    with empty_database() as url:
        on_postgres(config, url)
        for words in (("run", "--once"), ("history", "acme/1")):
            result = uptier(*words)
            assert result.exit_code == 2
            assert "run `uptier migrate` once" in result.stderr
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
        with engine.begin() as connection:
            setup = configuration()
            setup.attributes["connection"] = connection
            command.upgrade(setup, BEFORE)
        engine.dispose()
        assert f"stands at {BEFORE}" in uptier("run", "--once").stderr
        migrated = uptier("migrate")
        assert "make a dump first" in migrated.stderr
        assert "the database is ready" in migrated.stdout
        assert uptier("user", "list").exit_code == 0
        assert "make a dump" not in uptier("migrate").stderr


def test_what_happened_is_read_while_the_policies_have_errors(config: Path) -> None:
    made_in(config.parent).close()
    config.write_text(config.read_text().replace('after = "30m"', 'after = "soon"'), encoding="utf-8")
    assert "acme/1 has not been seen" in uptier("history", "acme/1").stderr
    assert uptier("ledger", "export").exit_code == 0
    assert "has not been seen" in uptier("explain", "acme/1").stderr
    gaps = uptier("gaps")
    assert gaps.exit_code == 0
    assert "the policies have errors" in gaps.stderr
    assert json.loads(uptier("gaps", "--format", "json").stdout)["never_fired"] is None
    assert uptier("purge").exit_code == 0
    assert uptier("run", "--once").exit_code == 2


def test_a_warning_is_told_by_what_runs_the_config_and_not_by_each_command(config: Path) -> None:
    made_in(config.parent).close()
    text = config.read_text().replace("[service]", '[service]\npolicies = ["more/*.toml"]', 1)
    config.write_text(text, encoding="utf-8")
    assert "no-file" in uptier("check").stdout
    assert uptier("check", "--strict").exit_code == 2
    for words in (*READING, ("matrix",), ("escalate", "acme/1", "--policy", "no", "--reason", "x")):
        assert "no-file" not in uptier(*words).stderr, words
    assert "no-file" in uptier("reload").stderr


def test_a_wrong_file_still_checks_without_its_database(config: Path) -> None:
    older_file(config.parent)
    result = uptier("check")
    assert result.exit_code == 0
    assert "Groups and people are not checked" in result.stderr


def secrets() -> Secrets:
    return Secrets(Masker(), SECRETS)


def test_a_start_waits_for_a_server_and_says_so(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with database() as url:
        on_postgres(config, url)
        settings = load(config).settings
        assert settings is not None
        clock, said, asked = ManualClock(START), list[str](), 0
        opening = databases.open_store

        def third_time(*words: object, **named: object) -> object:
            nonlocal asked
            asked += 1
            if asked < 3:
                raise Unreachable("db: connection refused; check the server and the way to it")
            return opening(*words, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(databases, "open_store", third_time)
        databases.wait_for_database(settings, secrets(), clock, 60, said.append)
        assert [line.rpartition("; ")[2] for line in said] == ["asked again for 60 s", "asked again for 58 s"]


def test_a_start_gives_a_server_up_after_a_while(config: Path, tmp_path: Path) -> None:
    on_postgres(config, f"postgresql://uptier@/uptier?host={tmp_path}")
    began = time.monotonic()
    result = uptier("run", "--once", "--wait", "1s")
    assert result.exit_code == 2
    assert "asked again for 1 s" in result.stderr
    assert time.monotonic() - began < 20
    assert "is not a duration" in uptier("run", "--wait", "soon").stderr


def test_a_config_saved_with_a_byte_order_mark_is_read(config: Path) -> None:
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
    assert uptier("check").exit_code == 0


@pytest.mark.parametrize("zone", ["EST", "MST", "Etc/GMT+5"])
def test_a_zone_without_summer_time_is_warned_of(config: Path, zone: str) -> None:
    calendar = f'\n[calendars.support]\ntimezone = "{zone}"\nhours = {{ mon-fri = "09:00-17:00" }}\n'
    config.write_text(config.read_text() + calendar, encoding="utf-8")
    result = uptier("check")
    assert f"{zone} knows no summer time" in result.stdout


def test_where_there_is_no_keyring_the_advice_is_a_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UPTIER_SECRET_ACME_TOKEN")
    monkeypatch.setattr("connector.config.secrets._backends", lambda: ((), "there is none"))
    said = uptier("run", "--once").stderr
    assert "put it into a file and name that in UPTIER_SECRET_ACME_TOKEN_FILE" in said
    assert "for example: uptier secret set" not in said


def test_doctor_names_the_address_that_cannot_be_reached(config: Path) -> None:
    result = uptier("doctor")
    assert result.exit_code == 1
    assert "http://127.0.0.1:9" in result.stdout
