"""Opening the database, and the two ways to be in it: reading and writing."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, NotSupportedError, ProgrammingError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from connector.store.schema import HEAD
from connector.store.trouble import StoreTrouble
from connector.store.turns import Turns

BUSY_SECONDS = 30
AFTER_COMMIT = "uptier.after_commit"
OUR_MISTAKES = (IntegrityError, ProgrammingError, DataError, NotSupportedError)
"""Errors of a statement, not of the database."""


class Store:
    """One database. Open it with `open_store`; share it between threads; close it once.

    A database that cannot be used (locked, full, read-only, gone) raises StoreTrouble.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self.path = path
        self.trouble: str | None = None
        """What the last write failed of; None when it succeeded."""
        self._reads = engine
        self._writes = engine.execution_options(begin="BEGIN IMMEDIATE")
        self._turns = Turns()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A steady view of the database; what is written through it is undone."""
        with self._named(), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, priority: bool = False) -> Iterator[Connection]:
        """One write transaction: committed at the end, undone by an exception. No network in it.

        Writers take turns in the order they came; `priority` is the receiver's, which answers a vendor.
        """
        calls: list[Callable[[], None]] = []
        try:
            with self._turns.turn(priority=priority), self._named(), self._writes.begin() as connection:
                connection.info[AFTER_COMMIT] = calls
                try:
                    yield connection
                finally:
                    del connection.info[AFTER_COMMIT]  # the pool gives the same connection to readers
        except StoreTrouble as trouble:
            self.trouble = str(trouble)
            raise
        self.trouble = None
        for call in calls:
            call()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OUR_MISTAKES:
            raise
        except DatabaseError as error:
            raise StoreTrouble(f"{self.path}: {error.orig}; check the disk and the file's rights") from error

    def close(self) -> None:
        """Close every connection. Nothing may be reading or writing."""
        self._reads.dispose()


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Have `call` made in this thread once the write transaction is committed; never if it is undone."""
    connection.info[AFTER_COMMIT].append(call)


def open_store(url: str) -> Store:
    """Open the database at `sqlite:///PATH`, creating and migrating it as needed. Raises StoreTrouble."""
    path = _database_path(url)
    _create(path)
    engine = create_engine(f"sqlite:///{path}", pool_size=16, max_overflow=16, pool_timeout=BUSY_SECONDS)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        _migrate(engine, path)
    except DatabaseError as error:
        engine.dispose()
        raise StoreTrouble(
            f"{path} cannot be used as a database: {error.orig}; restore or move it"
        ) from error
    return Store(engine, path)


def _database_path(url: str) -> Path:
    parsed = make_url(url) if "://" in url else None
    if parsed is None or parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise StoreTrouble(
            f"database {url!r} is not one Uptier can open; write sqlite:///PATH, with a file's path"
        )
    return Path(parsed.database).absolute()


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


def _migrate(engine: Engine, path: Path) -> None:
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    from connector.store.migrate import upgrade  # Alembic is slow to import and seldom needed

    with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        found = _revision(connection)
        if not upgrade(connection, found):
            raise StoreTrouble(
                f"{path} was written by a newer Uptier ({found}); install that version or newer"
            )


def _revision(connection: Connection) -> str | None:
    """Where the database stands, or None before its first migration."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
