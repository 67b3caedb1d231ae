"""A database of its own for a test, of either kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.store.database import Store
from connector.store.opening import open_store
from tests.postgres import database


@contextmanager
def fresh_store(kind: str, folder: Path) -> Iterator[Store]:
    """An empty store, closed at the end."""
    if kind == "sqlite":
        store = open_store(f"sqlite:///{folder}/uptier.db")
        yield store
        store.close()
        return
    with database() as url:
        store = open_store(url)
        yield store
        store.close()
