"""The database, the ways to be in it, what the two kinds of it are spoken to differently, and what one bad row may
cost.

One that begins in the future was stamped before the clock was set back; left alone, it would last as much longer. It is
cut to its own length, from now.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    bindparam,
    literal,
    select,
    text,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as NoConnection

from adapters.http import clean
from connector.clock import Clock
from connector.store.schema import aside, login_try, notice, pause, timer, write
from connector.store.trouble import StoreTrouble
from policies.model import Instant, Seconds, TicketRef

log = structlog.get_logger()


STATEMENT_ERRORS = (IntegrityError, ProgrammingError, DataError, NotSupportedError)
LIMIT = "54"
"""PostgreSQL's class of errors about something too long for it, an indexed text above all."""

LONGEST_ID = 200

UNFORESEEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a row of a shape that nobody foresaw may raise while it is read, judged or stored."""


class BrokenRow(Exception):
    """This row cannot be kept, by no database and at no other time; the text says why."""


def is_usable_id(ticket: str) -> bool:
    """Whether this can be a ticket's id: logs, addresses and commands say `account/id`."""
    return 0 < len(ticket) <= LONGEST_ID and "/" not in ticket


def is_of_a_row(error: DBAPIError) -> bool:
    """Whether the database refused what it was given, rather than being in trouble itself."""
    return isinstance(error, STATEMENT_ERRORS) or str(getattr(error.orig, "sqlstate", "")).startswith(LIMIT)


@contextmanager
def of_one_row() -> Iterator[None]:
    """Within the block one row, or one page of them, is judged and stored: what is wrong with it raises BrokenRow."""
    try:
        yield
    except UNFORESEEN as error:
        raise BrokenRow(f"{type(error).__name__}: {error}"[:500]) from error
    except StatementError as error:
        if isinstance(error, DBAPIError) and not is_of_a_row(error):
            raise
        raise BrokenRow(str(error.orig).strip().partition("\n")[0][:500]) from error


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


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT in this database's dialect."""
    return insert_in(connection.dialect.name, table)


def insert_in(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """The same for a dialect by its name, so that a statement can be built once for each."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def rows_of(account: Column[str], ticket: Column[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The rows of one ticket, in a statement that is built once; `the(ref)` names the ticket when it is executed."""
    return account == bindparam("the_account"), ticket == bindparam("the_ticket")


def the(ref: TicketRef, **more: Any) -> dict[str, Any]:
    """The ticket of a statement's `rows_of`, and what else the statement wants to be told."""
    return {"the_account": ref.account, "the_ticket": ref.id} | more


def one_of(column: Column[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """The column has one of these. Unlike `in_`, nothing is left to be written out when it is executed."""
    return column.in_([literal(str(value)) for value in values])


def shared_now(connection: Connection, clock: Clock) -> Instant:
    """What is stored for others to go by is stamped by the database server's clock; on SQLite by ours."""
    if connection.dialect.name != "postgresql":
        return clock.now()
    return clock.of_server(lambda: server_now(connection))


_NOW = text("SELECT floor(extract(epoch FROM clock_timestamp()))")


def server_now(connection: Connection) -> Instant:
    """The time at a PostgreSQL server."""
    return int(connection.execute(_NOW).scalar_one())


def database_skew(store: Store, clock: Clock) -> Seconds:
    """The database server's clock minus ours; 0 on SQLite, which has none of its own. Raises StoreTrouble."""
    with store.asking() as connection:
        return shared_now(connection, clock) - clock.now()


def put_row(
    connection: Connection, statement: sqlite.Insert | postgresql.Insert, column: Column[Any]
) -> bool:
    """Carry out an INSERT of one row with its ON CONFLICT. False if that left everything as it was; a row count would
    not tell on PostgreSQL. `column` is any of the table's."""
    return connection.execute(statement.returning(column)).first() is not None


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def advisory_lock(connection: Connection, name: str) -> None:
    """Until this write transaction ends, no other one is alone with `name`. SQLite has one writer at a time anyway.

    Whoever takes several takes the wider first: an account, then a ticket of it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"name": clean(name)})


def put(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    keep: frozenset[str] = frozenset(),
    only_if: Callable[[Any], ColumnElement[bool]] | None = None,
) -> None:
    """Insert rows, or replace what stands under their primary keys, but for the columns in `keep`.

    All rows name the same columns. `only_if`, one and the same function each time, is given the incoming row's columns
    and guards the replacing; the table's own columns are the standing row.
    """
    if not rows:
        return
    statement = _upsert(connection.dialect.name, table, tuple(rows[0]), keep, only_if)
    connection.execute(statement, rows[0] if len(rows) == 1 else list(rows))


@lru_cache(maxsize=256)
def _upsert(
    dialect: str,
    table: Table,
    columns: tuple[str, ...],
    keep: frozenset[str],
    only_if: Callable[[Any], ColumnElement[bool]] | None,
) -> sqlite.Insert | postgresql.Insert:
    statement = insert_in(dialect, table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keep and name not in key}
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=key)
    guard = None if only_if is None else only_if(statement.excluded)
    return statement.on_conflict_do_update(index_elements=key, set_=changed, where=guard)


SLACK: Seconds = 30
"""By so much the clocks of a fleet may differ."""

Spans = tuple[tuple[Table, Column[Instant], Column[Instant] | None], ...]

SPANS: Spans = (
    (pause, pause.c.since, pause.c.until),
    (timer, timer.c.since, timer.c.due),
    (notice, notice.c.since, notice.c.due),
    (aside, aside.c.tried_at, aside.c.next_try),
    (write, write.c.sent_at, write.c.next_try),
    (login_try, login_try.c.at, None),
)
"""Each table with where its rows begin and end; a failed login lasts as long as who asks says."""


OWN_SPANS = tuple(span for span in SPANS if span[0] in (timer, notice, aside, write))
"""What each process stamps, and judges, by its own clock: on a fleet that is another than the database's."""


def mend_spans(store: Store, clock: Clock, *, own: bool = False) -> None:
    """Cut what begins in the future to its length. Cheap where there is nothing of the kind. With `own`, what this
    process stamps by its own clock is judged by that: only for after it was set back, since by a clock that is merely
    behind the others' it would end their pauses early, again and again."""
    spans = OWN_SPANS if own else SPANS
    with store.asking() as connection:
        now = clock.now() if own else shared_now(connection, clock)
        ahead = (
            select(literal(table.name)).where(*_ahead(begins, ends, now)) for table, begins, ends in spans
        )
        found = {name for (name,) in connection.execute(union(*ahead))}
    if not found:
        return
    with store.writing() as connection:
        many = sum(_cut(connection, *span, now) for span in spans if span[0].name in found)
    log.warning("clock_spans_cut", many=many, what=sorted(found), why="they began in the future")


def _ahead(
    begins: Column[Instant], ends: Column[Instant] | None, now: Instant
) -> tuple[ColumnElement[bool], ...]:
    return (begins > now + SLACK, *(() if ends is None else (ends.is_not(None),)))


def _cut(
    connection: Connection, table: Table, begins: Column[Instant], ends: Column[Instant] | None, now: Instant
) -> int:
    values = {begins.name: literal(now)} | ({} if ends is None else {ends.name: ends - begins + now})
    return connection.execute(update(table).where(*_ahead(begins, ends, now)).values(values)).rowcount
