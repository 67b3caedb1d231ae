"""A database of its own for a test, of either kind."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from connector.store.database import Store
from connector.store.opening import migrate, open_store
from tests.postgres import database


def made_in(folder: Path) -> Store:
    """`uptier.db` in this folder, as `uptier migrate` makes it, open."""
    url = f"sqlite:///{folder}/uptier.db"
    migrate(url)
    return open_store(url)


@contextmanager
def fresh_store(kind: str, folder: Path) -> Iterator[Store]:
    """An empty store, closed at the end."""
    if kind == "sqlite":
        with closing(made_in(folder)) as store:
            yield store
        return
    with database() as url, closing(open_store(url)) as store:
        yield store
