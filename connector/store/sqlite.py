"""The embedded database: one SQLite file, for one process that works and others that look; whose turn it is
to write."""

import fcntl
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from connector.store.database import Store
from connector.store.revision import Migrated, newer, older, revision, upgrade
from connector.store.schema import HEAD
from connector.store.trouble import NoDatabase, OtherVersion, StoreTrouble


class FairLock:
    """SQLite has one writer at a time and no queue; without one, threads starve each other.

    A turn is handed over, never fought for: of those in the priority lane each gets the next turn, but a
    lane of one who asks again and again still lets the others in between.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._first: deque[tuple[int, threading.Event]] = deque()
        self._others: deque[tuple[int, threading.Event]] = deque()

    @contextmanager
    def turn(self, *, priority: bool = False) -> Iterator[None]:
        """Wait for a turn and hold it. RuntimeError if this thread holds one: it would wait for ever."""
        me, called = threading.get_ident(), threading.Event()
        with self._lock:
            if self._holder == me:
                raise RuntimeError("this thread is writing already; use the connection it has")
            if self._holder is None:
                self._holder = me
                called.set()
            else:
                (self._first if priority else self._others).append((me, called))
        called.wait()
        try:
            yield
        finally:
            with self._lock:
                lane = self._first or self._others
                self._holder, following = lane.popleft() if lane else (None, None)
            if following is not None:
                following.set()


BUSY_SECONDS = 30
ADVICE = "check the disk and the file's rights"


def open_sqlite(url: URL) -> Store:
    """Open this file as it stands. Raises StoreTrouble; NoDatabase if there is none."""
    path = Path(url.database or "").absolute()
    if not path.exists():
        raise NoDatabase(f"there is no database {path}; `uptier run` makes it, or `uptier migrate`")
    found = _stands_at(path)
    if found is None:
        raise NoDatabase(f"{path} has no tables of Uptier yet; `uptier run` makes them, or `uptier migrate`")
    if found < HEAD:
        raise OtherVersion(
            older(str(path), found, "stop the Uptier that runs on it, then `uptier migrate` or `uptier run`")
        )
    if found > HEAD:
        raise OtherVersion(newer(str(path), found))
    asks = _engine(path)  # a statement alone is its own transaction
    return Store(
        reads=_beginning(asks, READING),
        asks=asks,
        writes=_beginning(asks, WRITING),
        order=FairLock(),
        name=str(path),
        advice=ADVICE,
        path=path,
    )


def migrate_sqlite(url: URL) -> Migrated:
    """Make this file, or bring it to our version after a copy was made beside it. Whoever asks holds the engine's
    lock. Raises StoreTrouble, with nothing changed."""
    path = Path(url.database or "").absolute()
    _create(path)
    found = _stands_at(path)
    if found == HEAD:
        return Migrated(found=found)
    copied = None if found is None or found > HEAD else _copy(path, found)
    engine = _engine(path)
    try:
        with _usable(path), _beginning(engine, WRITING).begin() as connection:
            done = upgrade(connection, str(path))
    finally:
        engine.dispose()
    return replace(done, copy=copied)


def _stands_at(path: Path) -> str | None:
    """Where the file stands, or None for one without tables of ours; asked without changing anything in it."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with _usable(path), engine.connect() as connection:
            return revision(connection)
    finally:
        engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", pool_size=16, max_overflow=16, pool_timeout=BUSY_SECONDS)
    event.listen(engine, "connect", _prepare)
    return engine


READING, WRITING = "sqlite+reading", "sqlite+writing"


class Reading(SQLiteDialect_pysqlite):
    """SQLite, begun as for a steady view: the driver would begin nothing. A listener on the engine's `begin` would do
    too, but then SQLAlchemy tells its listeners of every statement."""

    supports_statement_cache = True
    begins = "BEGIN"

    def do_begin(self, dbapi_connection: DBAPIConnection) -> None:
        """See SQLAlchemy."""
        dbapi_connection.execute(self.begins)


class Writing(Reading):
    """SQLite, begun as the one who writes."""

    supports_statement_cache = True
    begins = "BEGIN IMMEDIATE"


registry.register("sqlite.reading", __name__, Reading.__name__)
registry.register("sqlite.writing", __name__, Writing.__name__)


def _beginning(engine: Engine, how: str) -> Engine:
    """The same connections, each transaction begun so."""
    return create_engine(engine.url.set(drivername=how), pool=engine.pool)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    """Raises StoreTrouble for what SQLite cannot do with the file."""
    try:
        yield
    except DatabaseError as error:
        raise StoreTrouble(
            f"{path} cannot be used as a database: {error.orig}; restore or move it"
        ) from error


def _copy(path: Path, found: str) -> Path:
    """A whole copy of the file as it stands, beside it and for its owner alone. StoreTrouble if it cannot be made."""
    name = f"{path.name}.at-{found}"
    taken = {each.name for each in path.parent.glob(f"{name}*")}
    copied = path.with_name(next(each for each in _numbered(name) if each not in taken))
    _create(copied)
    try:
        with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(copied)) as there:
            here.backup(there)
    except sqlite3.Error as error:
        copied.unlink()
        raise StoreTrouble(
            f"{path} stands at {found} and was left so: the copy {copied} cannot be made: {error}; make room beside it"
        ) from error
    return copied


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


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


class AlreadyRunning(Exception):
    """Another process works on this database."""


def holder(database: Path) -> int | None:
    """The process that works on this database now; None if none does."""
    try:
        handle = os.open(lock_of(database), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(handle, 32).decode() or 0) or None
    finally:
        os.close(handle)
    return None


def lock_of(database: Path) -> Path:
    """The lock file beside a database."""
    return database.with_name(database.name + ".lock")


@contextmanager
def only_engine(database: Path) -> Iterator[None]:
    """Hold `<database>.lock` for as long as an engine runs. Raises AlreadyRunning with the holder's pid, or
    StoreTrouble where no file can be made."""
    path = lock_of(database)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreTrouble(
            f"cannot open {path}: {error.strerror}; check the folder and its rights"
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            pid = os.read(handle, 32).decode().strip() or "unknown"
            raise AlreadyRunning(
                f"another Uptier (process {pid}) runs on {database}; stop it first, or use another database"
            ) from busy
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)
