"""Which database an address names, and opening it."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from connector.store.database import Store
from connector.store.revision import Migrated
from connector.store.sqlite import migrate_sqlite, open_sqlite
from connector.store.trouble import StoreTrouble


def open_store(address: str, password: str | None = None, *, beside_newer: bool = False) -> Store:
    """Open the database at `sqlite:///PATH` or `postgresql://…` as it stands: it is neither made nor migrated.

    Raises StoreTrouble; NoDatabase where there is none, Unreachable where a server does not answer. Tables of another
    version are refused, but with `beside_newer` those of a newer one that a node of this version may work on.
    """
    url = _url(address, password)
    if url.get_backend_name() == "sqlite":
        return open_sqlite(url)
    from connector.store.postgres import open_postgres  # SQLite alone needs no driver

    return open_postgres(url, beside_newer=beside_newer)


def migrate(address: str, password: str | None = None) -> Migrated:
    """Make the database, or bring it to this version's tables; of a file a copy is made before. Nobody may work on a
    file meanwhile. Raises StoreTrouble, with nothing changed."""
    url = _url(address, password)
    if url.get_backend_name() == "sqlite":
        return migrate_sqlite(url)
    from connector.store.postgres import migrate_postgres

    return migrate_postgres(url)


def file_of(address: str) -> Path | None:
    """The file of an embedded database; None for a server. Raises StoreTrouble."""
    url = _url(address, None)
    return Path(url.database or "").absolute() if url.get_backend_name() == "sqlite" else None


def _url(address: str, password: str | None) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        url = None
    known = url is not None and url.database and url.get_backend_name() in {"sqlite", "postgresql"}
    if url is None or not known:
        raise StoreTrouble(
            f"database {address!r} is not one Uptier can open; write sqlite:///PATH, with a file's path, or "
            "postgresql://USER@HOST/NAME"
        )
    return url if password is None else url.set(password=password)
