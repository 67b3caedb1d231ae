"""Backups as docs/operations.md tells: taken while the service works, restored elsewhere, and gone on with."""

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from connector.clock import ManualClock
from connector.demo import CONFIG
from connector.store import ledger
from connector.store.database import Store
from connector.store.opening import migrate, open_store
from connector.store.standings import standings_of
from tests.connector.beside import composed
from tests.connector.each import EACH, Each, each
from tests.postgres import address, database, empty_database, server

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def documented(program: str) -> list[str]:
    """The words of the one command of this program on the page."""
    (line,) = re.findall(rf"^{program} .*$", PAGE, re.MULTILINE)
    return shlex.split(line)


def replaced(words: list[str], names: dict[str, str]) -> list[str]:
    """The command with our names for the page's; every one of them must stand there."""
    for old, new in names.items():
        assert any(old in word for word in words), (old, words)
        words = [word.replace(old, new) for word in words]
    return words


def postgres(words: list[str]) -> None:
    """Run one of PostgreSQL's programs, of the server's own version."""
    done = subprocess.run(
        [str(Path(server().bin_path) / words[0]), *words[1:]],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def back_up_sqlite(folder: Path) -> Path:
    """The page's command, in `folder`; where no sqlite3 is installed, its statement by another way."""
    words = documented("sqlite3")
    if shutil.which("sqlite3"):
        subprocess.run(words, cwd=folder, check=True)
    else:
        _, name, statement = words
        with closing(sqlite3.connect(folder / name)) as connection:
            connection.execute(statement.replace("uptier-backup.db", f"{folder}/uptier-backup.db"))
    return folder / "uptier-backup.db"


def known(store: Store, one: Each) -> tuple[list[str], list[str]]:
    """The ticket's ledger and its episodes."""
    with store.reading() as connection:
        lines = [line.what for line in ledger.of_ticket(connection, one.ref())]
        running = [str(each.episode) for each in standings_of(connection, one.ref())]
    return lines, running


def test_a_running_sqlite_database(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.round()
        one.round(40)
        one.service.start()
        backup = back_up_sqlite(tmp_path)
        one.service.stop()
        expected = known(one.service.parts.store, one)
        again = open_store(f"sqlite:///{backup}")
        assert known(again, one) == expected
        again.close()
    assert "fired" in expected[0]
    assert "Tier 2" in expected[1][0]


def test_a_running_postgresql_database(tmp_path: Path) -> None:
    with database() as url, empty_database() as empty:
        line = f'database = "{url}"\n'
        config = CONFIG.replace('database      = "sqlite:///uptier.db"\n', "")
        with each("zendesk", tmp_path, config=config, service=line) as one:
            one.opened("one")
            one.round()
            one.round(40)
            one.service.start()
            dump = str(tmp_path / "uptier.dump")
            postgres(
                replaced(
                    documented("pg_dump"),
                    {"uptier.dump": dump, "postgresql://uptier@db.example/uptier": url},
                )
            )
            one.service.stop()
            expected = known(one.service.parts.store, one)
            postgres(
                replaced(
                    documented("pg_restore"),
                    {"postgresql://uptier@db.example/uptier_restored": empty, "uptier.dump": dump},
                )
            )
            migrate(empty)
            again = open_store(empty)
            assert known(again, one) == expected
            again.close()
    assert "fired" in expected[0]
    assert "Tier 2" in expected[1][0]


def test_the_command_that_makes_the_database_to_restore_into() -> None:
    name = f"uptier_made_{os.getpid()}"
    postgres(
        replaced(
            documented("createdb"),
            {"postgresql://uptier@db.example/postgres": address("postgres"), "uptier_restored": name},
        )
    )
    with psycopg.connect(address("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")


def restored(one: Each, folder: Path, mode: str) -> Path:
    """The config of the same accounts over the backup, in this mode."""
    text = (folder / "uptier.toml").read_text(encoding="utf-8").replace("uptier.db", "uptier-backup.db")
    assert 'mode          = "enforce"' in text
    path = folder / f"{mode}.toml"
    path.write_text(text.replace('mode          = "enforce"', f'mode          = "{mode}"'), encoding="utf-8")
    return path


def went_on(one: Each, config: Path, clock: ManualClock, *minutes: float) -> int:
    """How many writes the helpdesk saw while this config ran."""
    before = one.applied()
    with composed(config, clock, one.desk.secrets()) as service:
        one.service = service
        for some in minutes:
            one.round(some)
    return one.applied() - before


def notes(one: Each) -> int:
    return one.show().notes


def older_than_a_level(one: Each, folder: Path) -> None:
    """A backup, and after it level one is written."""
    one.opened("one")
    one.round()
    back_up_sqlite(folder)
    one.round(40)
    assert notes(one) == 1
    one.service.__exit__(None, None, None)


@pytest.mark.parametrize("vendor", EACH)
def test_a_level_that_fired_after_the_backup_is_written_a_second_time(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        older_than_a_level(one, tmp_path)
        went_on(one, restored(one, tmp_path, "enforce"), one.clock, 1, 5)
        assert notes(one) == 2


@pytest.mark.parametrize("vendor", EACH)
def test_observing_first_keeps_it_from_that_and_later_levels_are_written(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        older_than_a_level(one, tmp_path)
        assert went_on(one, restored(one, tmp_path, "observe"), one.clock, 1) == 0
        enforced = restored(one, tmp_path, "enforce")
        text = enforced.read_text(encoding="utf-8")
        enforced.write_text(text.replace("[[policy]]", '[[policy]]\nbacklog = "skip"'), encoding="utf-8")
        assert went_on(one, enforced, one.clock, 1, 5) == 0
        assert notes(one) == 1
        assert went_on(one, enforced, one.clock, 90) > 0
        assert notes(one) == 2
