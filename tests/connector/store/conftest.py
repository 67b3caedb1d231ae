"""A database of its own for each test of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from connector.store.database import Store
from tests.connector.stores import fresh_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """On both databases: what holds on one holds on the other."""
    with fresh_store(request.param, tmp_path) as store:
        yield store


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A write transaction that lasts for the whole test."""
    with store.writing() as connection:
        yield connection


@pytest.fixture
def sqlite_connection(sqlite: Store) -> Iterator[Connection]:
    """As `connection`, for what only SQLite explains."""
    with sqlite.writing() as connection:
        yield connection


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    """For what only a file can show."""
    with fresh_store("sqlite", tmp_path) as store:
        yield store
