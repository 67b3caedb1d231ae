"""Which database an address names, and opening it."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from connector.store.database import Store
from connector.store.sqlite import open_sqlite
from connector.store.trouble import StoreTrouble


def open_store(address: str, password: str | None = None) -> Store:
    """Open the database at `sqlite:///PATH`, created and migrated as needed, or at `postgresql://…`, which
    `uptier migrate` has prepared. Raises StoreTrouble."""
    url = _url(address, password)
    if url.get_backend_name() == "sqlite":
        return open_sqlite(url)
    from connector.store.postgres import open_postgres  # SQLite alone needs no driver

    return open_postgres(url)


def migrate(address: str, password: str | None = None) -> str | None:
    """Bring the database to this version's tables; answers the migration it stood at, None for an empty one."""
    url = _url(address, password)
    if url.get_backend_name() == "sqlite":
        open_sqlite(url).close()
        return None
    from connector.store.postgres import migrate_postgres

    return migrate_postgres(url)


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
