"""A database of its own for each test of the engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store.database import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/uptier.db")
    yield store
    store.close()
