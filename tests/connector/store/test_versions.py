"""A database is changed by `migrate` alone, and who may work on one of another version is told by the database."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from connector.store import accounts, inbox, revision
from connector.store.database import Store
from connector.store.opening import migrate, open_store
from connector.store.revision import configuration, oldest_beside
from connector.store.schema import HEAD
from connector.store.trouble import NoDatabase, StoreTrouble, Unreachable
from tests.connector.stores import made_in
from tests.postgres import empty_database

BEFORE = f"{int(HEAD) - 1:04}"
AFTER = f"{int(HEAD) + 1:04}"


def at(connection: Connection, number: str) -> None:
    """Bring the connection's empty database to this migration."""
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, number)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that the release before has made, with a row in it."""
    path = tmp_path / "uptier.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        at(connection, BEFORE)
        connection.execute(
            text(
                "INSERT INTO inbox (account, delivery, ticket, kind, hint, received_at)"
                " VALUES ('acme', 'd1', '1', 'webhook', '', 100)"
            )
        )
    engine.dispose()
    return path


def stands_at(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_a_file_of_the_version_before_is_opened_by_nobody_and_stays_as_it_was(old: Path) -> None:
    with pytest.raises(StoreTrouble, match=f"stands at {BEFORE}, not at {HEAD}; .*uptier migrate"):
        open_store(f"sqlite:///{old}")
    assert stands_at(old) == BEFORE


def test_migrating_a_file_leaves_a_copy_of_what_it_was_for_its_owner_alone(old: Path) -> None:
    done = migrate(f"sqlite:///{old}")
    assert done.found == BEFORE
    assert done.copy == old.with_name(f"uptier.db.at-{BEFORE}")
    assert stands_at(done.copy) == BEFORE
    assert stat.S_IMODE(done.copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(done.copy)) as copied:
        assert copied.execute("SELECT count(*) FROM inbox").fetchone() == (1,)
    store = open_store(f"sqlite:///{old}")
    with store.reading() as connection:
        assert inbox.backlog(connection) == 1
    store.close()


def test_a_copy_replaces_none_that_stands_there(old: Path) -> None:
    kept = old.with_name(f"uptier.db.at-{BEFORE}")
    kept.write_text("of the first try")
    assert migrate(f"sqlite:///{old}").copy == old.with_name(f"uptier.db.at-{BEFORE}-2")
    assert kept.read_text() == "of the first try"


def test_a_file_of_which_no_copy_can_be_made_is_left_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, found: str) -> Path:
        raise StoreTrouble(f"stands at {found} and was left so")

    monkeypatch.setattr("connector.store.sqlite._copy", full)
    with pytest.raises(StoreTrouble, match="was left so"):
        migrate(f"sqlite:///{old}")
    assert stands_at(old) == BEFORE


def test_a_new_file_and_one_at_our_version_need_no_copy(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/uptier.db"
    assert (migrate(url).found, migrate(url).copy) == (None, None)
    assert [path.name for path in tmp_path.iterdir() if ".at-" in path.name] == []


def test_a_path_without_a_database_is_refused_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoDatabase, match=r"there is no database .*uptier run"):
        open_store(f"sqlite:///{tmp_path}/uptier.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(NoDatabase, match="no tables of Uptier yet"):
        open_store(f"sqlite:///{tmp_path}/empty.db")


def test_a_server_that_does_not_answer_is_told_from_one_without_tables(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        open_store(f"postgresql://uptier@/uptier?host={tmp_path}")
    with empty_database() as url, pytest.raises(NoDatabase, match="run `uptier migrate`"):
        open_store(url)


def test_a_server_at_the_version_before_is_refused_until_it_is_migrated() -> None:
    with empty_database() as url:
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
        with engine.begin() as connection:
            at(connection, BEFORE)
        engine.dispose()
        for beside in (False, True):
            with pytest.raises(StoreTrouble, match=f"stands at {BEFORE}, not at {HEAD}; make a dump"):
                open_store(url, beside_newer=beside)
        assert migrate(url).found == BEFORE
        open_store(url).close()


@pytest.fixture(params=["sqlite", "postgresql"])
def ahead(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Store]]:
    """A database whose tables went on."""
    with empty_database() as shared:
        url = shared if request.param == "postgresql" else f"sqlite:///{tmp_path}/uptier.db"
        if request.param == "sqlite":
            made_in(tmp_path).close()
        else:
            migrate(url)
        store = open_store(url)
        with store.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :after"), {"after": AFTER})
        yield url, store
        store.close()


@pytest.mark.parametrize(("oldest", "may"), [(HEAD, True), (BEFORE, True), (AFTER, False), (None, False)])
def test_a_node_works_on_beside_a_newer_one_where_the_database_says_so(
    ahead: tuple[str, Store], oldest: str | None, may: bool
) -> None:
    url, store = ahead
    with store.writing() as connection:
        if oldest is None:
            accounts.forget_cursor(connection, "", revision.OLDEST)
        else:
            revision.keep_oldest(connection, oldest)
        said = revision.left_behind(connection)
    assert (said is None) is may
    assert may or f"stands at {AFTER}" in str(said)
    if may and store.path is None:
        open_store(url, beside_newer=True).close()
    else:
        with pytest.raises(StoreTrouble, match="written by a newer Uptier"):
            open_store(url, beside_newer=True)
    with pytest.raises(StoreTrouble, match="written by a newer Uptier"):  # whoever only reads
        open_store(url)


def test_migrating_tells_the_nodes_which_versions_work_on(store: Store) -> None:
    with store.reading() as connection:
        assert accounts.read_cursor(connection, "", revision.OLDEST) == oldest_beside()
        assert revision.left_behind(connection) is None


def shape(connection: Connection) -> dict[str, dict[str, bool]]:
    """By table and column, whether a row may be written that does not name the column."""
    found = inspect(connection)
    return {
        table: {
            column["name"]: bool(
                column["nullable"] or column.get("default") or column.get("autoincrement") is True
            )
            for column in found.get_columns(table)
        }
        for table in found.get_table_names()
        if table != "alembic_version" and not table.startswith("procrastinate_")
    }


def test_a_migration_with_which_the_release_before_cannot_live_says_so() -> None:
    """Columns that went, or that an older node's rows would have to name, take a `STOPS_OLDER`."""
    scripts = [*ScriptDirectory.from_config(configuration()).walk_revisions()][::-1]
    with empty_database() as url:
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
        with engine.begin() as connection:
            before: dict[str, dict[str, bool]] = {}
            for script in scripts:
                with Operations.context(MigrationContext.configure(connection)):
                    script.module.upgrade()
                after = shape(connection)
                if script.revision > "0009" and not getattr(script.module, "STOPS_OLDER", False):
                    for table, columns in before.items():
                        assert columns.keys() <= after[table].keys(), (script.revision, table)
                        new = after[table].keys() - columns.keys()
                        assert all(after[table][name] for name in new), (script.revision, table, new)
                before = after
        engine.dispose()
