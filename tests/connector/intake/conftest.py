"""A database of its own for each test of the intake."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store.database import Store
from tests.connector.stores import fresh_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """On both databases: what holds on one holds on the other."""
    with fresh_store(request.param, tmp_path) as store:
        yield store
