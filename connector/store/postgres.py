"""The shared database: a PostgreSQL server, for any number of processes on any number of machines.

Nothing migrates it by the way: `uptier migrate` does, once, before the fleet is started.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

from connector.store.database import Store, in_short
from connector.store.revision import Migrated, left_behind, newer, older, revision
from connector.store.schema import HEAD
from connector.store.trouble import NoDatabase, OtherVersion, StoreTrouble, Unreachable
from policies.model import Seconds

DRIVER = "postgresql+psycopg"
CONNECT_WITHIN = 10
ADVICE = "check the server and the way to it"
DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
TRUSTED_FOR: Seconds = 1
RESTS_SINCE = "uptier.rests_since"
MIGRATING = 7_240_001
"""The advisory lock that one migration at a time holds."""


class Unordered:
    """PostgreSQL has many writers at a time and queues them itself, row by row."""

    @contextmanager
    def turn(self, *, priority: bool = False) -> Iterator[None]:  # noqa: ARG002 (the port's)
        """It is everybody's turn."""
        yield


def open_postgres(url: URL, *, beside_newer: bool = False) -> Store:
    """Open this database, which `uptier migrate` has prepared. `beside_newer`: also one of a later version whose
    tables go with ours. Raises StoreTrouble, NoDatabase or Unreachable."""
    engine, name = _engine(url), shown(url)
    try:
        with engine.connect() as connection:
            found = revision(connection)
            ahead = found is not None and found > HEAD
            refused = ahead and (not beside_newer or left_behind(connection) is not None)
    except DBAPIError as error:
        engine.dispose()
        raise Unreachable(f"{name}: {in_short(error)}; {ADVICE}") from error
    if found is None or found < HEAD or refused:
        engine.dispose()
    if found is None:
        raise NoDatabase(
            f"{name} has no tables of Uptier yet; run `uptier migrate` once, with the version that is to run"
        )
    if found < HEAD:
        raise OtherVersion(
            older(name, found, "make a dump, then run `uptier migrate` once, with the version that is to run")
        )
    if refused:
        raise OtherVersion(newer(name, found))
    return Store(
        reads=engine.execution_options(isolation_level="REPEATABLE READ"),
        asks=engine.execution_options(isolation_level="AUTOCOMMIT"),
        writes=engine,
        order=Unordered(),
        name=name,
        advice=ADVICE,
    )


def migrate_postgres(url: URL) -> Migrated:
    """Bring this database to our version, its queue too. Raises StoreTrouble. While one process does it, others
    wait."""
    from connector.store.migrate import upgrade
    from connector.store.wakeups import create_queue

    engine, name = _engine(url), shown(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
            done = upgrade(connection, name)
            create_queue(connection)
    except DBAPIError as error:
        raise StoreTrouble(f"{name} cannot be migrated: {in_short(error)}; nothing was changed") from error
    finally:
        engine.dispose()
    return done


def shown(url: URL) -> str:
    """The address without its password."""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername=DRIVER),
            pool_size=16,
            max_overflow=16,
            connect_args={"connect_timeout": CONNECT_WITHIN},
        )
    except ModuleNotFoundError as error:
        raise StoreTrouble(
            f"{shown(url)} needs {error.name}, which is not installed; pip install 'uptier[postgres]'"
        ) from error
    event.listen(engine, "connect", _remember_what_is_committed)
    _ask_after_a_rest(engine)
    return engine


def _remember_what_is_committed(connection: Any, _record: Any) -> None:
    """Whatever the server's default is: a crash that forgot a write that has left would have it sent once more."""
    connection.execute(DURABLE)
    connection.commit()


def _ask_after_a_rest(engine: Engine) -> None:
    """A connection that has rested is asked whether it lives before it is used. One in steady use is not: that would
    double its work, and when the server goes away all of them are replaced at the first error."""

    @event.listens_for(engine, "checkin")
    def came_back(_connection: Any, record: Any) -> None:
        record.info[RESTS_SINCE] = monotonic()

    @event.listens_for(engine, "checkout")
    def goes_out(connection: Any, record: Any, _proxy: Any) -> None:
        if monotonic() - record.info.get(RESTS_SINCE, monotonic()) < TRUSTED_FOR:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error
