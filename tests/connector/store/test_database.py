"""Opening, the two kinds of transaction, and what happens to a database that is not ours to open."""

import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connector.store import inbox
from connector.store.database import Store, after_commit, open_store
from connector.store.trouble import StoreTrouble
from tests.connector.store.samples import REF, an_arrival


def test_a_new_database_is_for_its_owner_alone_and_durable(store: Store) -> None:
    with store.writing() as connection:
        inbox.put(connection, [an_arrival()])
    for path in store.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with store.reading() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert found == ["wal", 2, 1, 30000]


def test_what_was_written_is_there_after_opening_again(store: Store) -> None:
    with store.writing() as connection:
        inbox.put(connection, [an_arrival()])
    store.close()
    again = open_store(f"sqlite:///{store.path}")
    with again.reading() as connection:
        assert inbox.backlog(connection) == 1
    again.close()


def test_an_exception_undoes_the_transaction_and_its_after_commit(store: Store) -> None:
    called: list[str] = []

    def fail() -> None:
        with store.writing() as connection:
            inbox.put(connection, [an_arrival()])
            after_commit(connection, lambda: called.append("never"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.reading() as connection:
        assert inbox.backlog(connection) == 0
    assert called == []


def test_after_commit_sees_what_was_committed_and_may_write(store: Store) -> None:
    seen: list[int] = []

    def look() -> None:
        with store.writing() as connection:
            seen.append(inbox.backlog(connection))

    with store.writing() as connection:
        inbox.put(connection, [an_arrival()])
        after_commit(connection, look)
        assert seen == []
    assert seen == [1]


def test_after_commit_is_forgotten_with_its_transaction(store: Store) -> None:
    called: list[str] = []
    with store.writing() as connection:
        after_commit(connection, lambda: called.append("once"))
    with store.writing():
        pass
    assert called == ["once"]


def test_after_commit_has_no_meaning_while_reading(store: Store) -> None:
    with store.writing():
        pass
    with store.reading() as connection, pytest.raises(KeyError):
        after_commit(connection, print)


def test_what_is_written_while_reading_is_undone(store: Store) -> None:
    with store.reading() as connection:
        inbox.put(connection, [an_arrival()])
    with store.reading() as connection:
        assert inbox.backlog(connection) == 0


def test_a_reader_keeps_its_view_while_others_write(store: Store) -> None:
    with store.reading() as reader:
        assert inbox.backlog(reader) == 0
        with store.writing() as writer:
            inbox.put(writer, [an_arrival()])
        assert inbox.backlog(reader) == 0
    with store.reading() as reader:
        assert inbox.open_rows(reader, REF)


def test_a_write_transaction_holds_the_file_from_its_beginning(store: Store) -> None:
    """A second process cannot slip in between reading and writing; here a second store plays it."""
    other = open_store(f"sqlite:///{store.path}")
    entered = threading.Event()

    def write() -> None:
        with other.writing() as connection:
            entered.set()
            inbox.put(connection, [an_arrival("other")])

    with store.writing() as connection:
        thread = threading.Thread(target=write)
        thread.start()
        assert not entered.wait(0.1)
        inbox.put(connection, [an_arrival("mine")])
    thread.join(10)
    with store.reading() as connection:
        assert [row.id for row in inbox.open_rows(connection, REF)] == [1, 2]
    other.close()


@pytest.mark.parametrize("url", ["", "uptier.db", "sqlite://", "postgresql://db/uptier"])
def test_other_urls_are_refused_with_the_right_form(url: str) -> None:
    with pytest.raises(StoreTrouble, match="write sqlite:///PATH"):
        open_store(url)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreTrouble, match="No such file or directory; check the folder"):
        open_store(f"sqlite:///{tmp_path}/nowhere/uptier.db")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "uptier.db"
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StoreTrouble, match="cannot be used as a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear diary")


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreTrouble, match=r"newer Uptier \(9999\)"):
        open_store(f"sqlite:///{store.path}")


def test_two_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    stores: list[Store] = []
    url = f"sqlite:///{tmp_path}/uptier.db"
    threads = [threading.Thread(target=lambda: stores.append(open_store(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(stores) == 4
    for store in stores:
        store.close()


def test_a_failed_statement_leaves_the_store_usable(store: Store) -> None:
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(text("INSERT INTO account (name) VALUES ('x')"))
    with store.writing() as connection:
        inbox.put(connection, [an_arrival()])
