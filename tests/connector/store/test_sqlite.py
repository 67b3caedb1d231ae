"""One SQLite file: whose it is, how it is written, and what happens to one that is not ours to open."""

import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.store import inbox
from connector.store.database import Store
from connector.store.opening import migrate, open_store
from connector.store.trouble import StoreTrouble
from tests.connector.store.samples import REF, an_arrival
from tests.connector.stores import made_in


def test_a_new_database_is_for_its_owner_alone_and_durable(sqlite: Store) -> None:
    with sqlite.writing() as connection:
        inbox.put_news(connection, [an_arrival()])
    for path in sqlite.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with sqlite.reading() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert found == ["wal", 2, 1, 30000]


def test_a_write_transaction_holds_the_file_from_its_beginning(sqlite: Store) -> None:
    """A second process cannot slip in between reading and writing; here a second store plays it."""
    other = open_store(f"sqlite:///{sqlite.path}")
    entered = threading.Event()

    def write() -> None:
        with other.writing() as connection:
            entered.set()
            inbox.put_news(connection, [an_arrival("other")])

    with sqlite.writing() as connection:
        thread = threading.Thread(target=write)
        thread.start()
        assert not entered.wait(0.1)
        inbox.put_news(connection, [an_arrival("mine")])
    thread.join(10)
    with sqlite.reading() as connection:
        assert [row.id for row in inbox.open_rows(connection, REF)] == [1, 2]
    other.close()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreTrouble, match="No such file or directory; check the folder"):
        migrate(f"sqlite:///{tmp_path}/nowhere/uptier.db")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "uptier.db"
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StoreTrouble, match="cannot be used as a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear diary")


def test_a_database_of_a_newer_version_is_refused(sqlite: Store) -> None:
    with sqlite.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    sqlite.close()
    with pytest.raises(StoreTrouble, match=r"newer Uptier \(9999\)"):
        open_store(f"sqlite:///{sqlite.path}")


def test_two_may_make_a_new_database_at_once(tmp_path: Path) -> None:
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(made_in(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(stores) == 4
    for store in stores:
        store.close()
