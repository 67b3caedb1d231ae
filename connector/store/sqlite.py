"""The embedded database: one SQLite file, for one process that works and others that look."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from connector.store.database import Store
from connector.store.revision import revision
from connector.store.schema import HEAD
from connector.store.trouble import StoreTrouble
from connector.store.turns import Turns

BUSY_SECONDS = 30
ADVICE = "check the disk and the file's rights"


def open_sqlite(url: URL) -> Store:
    """Open this file, creating and migrating it as needed. Raises StoreTrouble."""
    path = Path(url.database or "").absolute()
    _create(path)
    engine = create_engine(f"sqlite:///{path}", pool_size=16, max_overflow=16, pool_timeout=BUSY_SECONDS)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    writes = engine.execution_options(begin="BEGIN IMMEDIATE")
    try:
        _migrate(engine, writes, path)
    except StoreTrouble:
        engine.dispose()
        raise
    except DatabaseError as error:
        engine.dispose()
        raise StoreTrouble(
            f"{path} cannot be used as a database: {error.orig}; restore or move it"
        ) from error
    return Store(
        reads=engine, asks=engine, writes=writes, order=Turns(), name=str(path), advice=ADVICE, path=path
    )


def _create(path: Path) -> None:
    """Create the file for its owner alone; SQLite gives its side files the same rights."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreTrouble(
            f"cannot open {path}: {error.strerror}; check the folder and its rights"
        ) from error


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


@retry(
    retry=retry_if_exception(_is_busy),
    stop=stop_after_delay(BUSY_SECONDS),
    wait=wait_fixed(0.02),
    reraise=True,
)
def _use_wal(connection: sqlite3.Connection) -> None:
    """While another one switches a new database to WAL, SQLite says "locked" at once, whatever the timeout."""
    connection.execute("PRAGMA journal_mode = WAL")


def _begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql(options.get("begin", "BEGIN"))


def _migrate(engine: Engine, writes: Engine, path: Path) -> None:
    with engine.connect() as connection:
        if revision(connection) == HEAD:
            return
    from connector.store.migrate import upgrade  # Alembic is slow to import and seldom needed

    with writes.begin() as connection:
        upgrade(connection, str(path))
