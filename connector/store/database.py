"""The database, and the ways to be in it: reading, asking one thing, and writing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from connector.store.rows import is_of_a_row
from connector.store.trouble import StoreTrouble

AFTER_COMMIT = "uptier.after_commit"


class Order(Protocol):
    """Who may begin to write, where the database itself has no queue."""

    def turn(self, *, priority: bool = False) -> AbstractContextManager[None]:
        """Wait for a turn and hold it."""


class Store:
    """One database. Open it with `connector.store.opening`; share it between threads; close it once.

    `name` says in words which it is, without a password. `path` is the file of an embedded one; None for a server,
    which several processes may share. A database that cannot be used (locked, full, read-only, gone) raises
    StoreTrouble.
    """

    def __init__(
        self,
        *,
        reads: Engine,
        asks: Engine,
        writes: Engine,
        order: Order,
        name: str,
        advice: str,
        path: Path | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self.trouble: str | None = None
        """What the last write failed of; None when it succeeded."""
        self._refused: str | None = None
        self._reads = reads
        self._asks = asks
        self._writes = writes
        self._order = order
        self._advice = advice

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A steady view of the database; what is written through it is undone."""
        with self._named(), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """For one question. Each statement sees what is committed when it begins; on a server it costs less than
        `reading`."""
        with self._named(), self._asks.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, priority: bool = False) -> Iterator[Connection]:
        """One write transaction: committed at the end, undone by an exception. No network in it.

        Writers take turns in the order they came; `priority` is the receiver's, which answers a vendor.
        """
        calls: list[Callable[[], None]] = []
        if self._refused is not None:
            raise StoreTrouble(self._refused)
        try:
            with (
                self._order.turn(priority=priority),
                self._named(),
                self._writes.begin() as connection,
            ):
                # kept, because a connection that breaks meanwhile does not give them again
                notes = connection.info
                notes[AFTER_COMMIT] = calls
                try:
                    yield connection
                finally:
                    notes.pop(AFTER_COMMIT, None)  # the pool gives the same connection to readers
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
        except DBAPIError as error:
            if is_of_a_row(error):
                raise
            raise StoreTrouble(f"{self.name}: {in_short(error)}; {self._advice}") from error
        except NoConnection as error:
            raise StoreTrouble(f"{self.name}: no connection came free; {self._advice}") from error

    @property
    def refuses(self) -> bool:
        """Whether `refuse_writes` was said."""
        return self._refused is not None

    def refuse_writes(self, why: str) -> None:
        """From now on nobody in this process writes here: another version has taken the tables on."""
        self._refused = self.trouble = f"{self.name} {why}"

    def close(self) -> None:
        """Close every connection. Nothing may be reading or writing."""
        self._reads.dispose()


def in_short(error: DBAPIError) -> str:
    """The first line of what the database said."""
    return str(error.orig).strip().partition("\n")[0]


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Have `call` made in this thread once the write transaction is committed; never if it is undone."""
    connection.info[AFTER_COMMIT].append(call)
