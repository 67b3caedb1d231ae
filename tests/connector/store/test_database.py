"""Opening, the two kinds of transaction, and what happens to a database that is not ours to open."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connector.store import inbox
from connector.store.database import Store, after_commit
from connector.store.opening import open_store
from connector.store.trouble import StoreTrouble
from tests.connector.store.samples import REF, an_arrival


def test_what_was_written_is_there_after_opening_again(store: Store) -> None:
    with store.writing() as connection:
        inbox.put_news(connection, [an_arrival()])
    again = open_store(store.name if store.path is None else f"sqlite:///{store.path}")
    with again.reading() as connection:
        assert inbox.backlog(connection) == 1
    again.close()


def test_an_exception_undoes_the_transaction_and_its_after_commit(store: Store) -> None:
    called: list[str] = []

    def fail() -> None:
        with store.writing() as connection:
            inbox.put_news(connection, [an_arrival()])
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
        inbox.put_news(connection, [an_arrival()])
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
        inbox.put_news(connection, [an_arrival()])
    with store.reading() as connection:
        assert inbox.backlog(connection) == 0


def test_a_reader_keeps_its_view_while_others_write(store: Store) -> None:
    with store.reading() as reader:
        assert inbox.backlog(reader) == 0
        with store.writing() as writer:
            inbox.put_news(writer, [an_arrival()])
        assert inbox.backlog(reader) == 0
    with store.reading() as reader:
        assert inbox.open_rows(reader, REF)


@pytest.mark.parametrize("url", ["", "uptier.db", "sqlite://", "mysql://db/uptier", "postgresql://db"])
def test_other_urls_are_refused_with_the_right_form(url: str) -> None:
    with pytest.raises(StoreTrouble, match="write sqlite:///PATH"):
        open_store(url)


def test_a_failed_statement_leaves_the_store_usable(store: Store) -> None:
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(text("INSERT INTO account (name) VALUES ('x')"))
    with store.writing() as connection:
        inbox.put_news(connection, [an_arrival()])
