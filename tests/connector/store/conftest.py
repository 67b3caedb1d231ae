"""A database of its own for each test of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from connector.store.database import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/uptier.db")
    yield store
    store.close()


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A write transaction that lasts for the whole test."""
    with store.writing() as connection:
        yield connection
