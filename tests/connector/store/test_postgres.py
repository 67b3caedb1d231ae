"""What only the shared database has: a server that may drop its connections at any time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.store import accounts, postgres
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from tests.connector.stores import fresh_store
from tests.postgres import drop_connections


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store("postgresql", tmp_path) as store:
        yield store


def drop_all_but_one(store: Store) -> None:
    """Several connections lie in the pool; the server drops them."""
    with store.reading() as one, store.asking(), store.reading():
        drop_connections(one)


def names(store: Store) -> list[str]:
    with store.reading() as connection:
        return [one.name for one in accounts.every(connection)]


def test_a_connection_that_has_rested_is_asked_whether_it_lives(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "TRUSTED_FOR", 0)
    drop_all_but_one(store)
    assert names(store) == []
    with store.writing() as connection:
        accounts.ensure(connection, "acme", 1)
    assert names(store) == ["acme"]


def test_at_the_first_dead_connection_in_steady_use_all_are_replaced(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "TRUSTED_FOR", 1000)
    drop_all_but_one(store)
    failures = 0
    for _ in range(5):
        try:
            with store.asking() as connection:
                accounts.every(connection)
        except StoreTrouble:
            failures += 1
    assert failures <= 1
    assert names(store) == []


def test_one_question_sees_what_was_committed_since_the_last(store: Store) -> None:
    with store.asking() as asking, store.reading() as reading:
        assert accounts.every(asking) == accounts.every(reading) == ()
        with store.writing() as connection:
            accounts.ensure(connection, "acme", 1)
        assert [one.name for one in accounts.every(asking)] == ["acme"]
        assert accounts.every(reading) == (), "a steady view"


def test_a_connection_that_breaks_within_a_transaction_is_trouble_like_any_other(store: Store) -> None:
    def write() -> None:
        with store.writing() as connection:
            accounts.ensure(connection, "acme", 1)
            with store.reading() as other:
                drop_connections(other)
            accounts.ensure(connection, "beta", 1)

    with pytest.raises(StoreTrouble, match="check the server"):
        write()
    assert store.trouble is not None
    assert names(store) == []
    with store.writing() as connection:
        accounts.ensure(connection, "acme", 1)
    assert store.trouble is None


def test_what_is_committed_survives_a_crash_whatever_the_server_is_set_to(store: Store) -> None:
    """The tests' server is set to forget."""
    setting = text("SELECT reset_val, setting FROM pg_settings WHERE name = 'synchronous_commit'")
    with store.writing() as connection:
        assert tuple(connection.execute(setting).one()) == ("off", "on")
