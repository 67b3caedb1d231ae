"""One engine a database: a lock the operating system drops when its process ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.store.trouble import StoreTrouble


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
