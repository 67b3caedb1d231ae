"""The shared database: a PostgreSQL server, for any number of processes on any number of machines.

Nothing migrates it by the way: `uptier migrate` does, once, before the fleet is started.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from connector.store.database import Store, in_short
from connector.store.revision import revision
from connector.store.schema import HEAD
from connector.store.trouble import StoreTrouble

DRIVER = "postgresql+psycopg"
CONNECT_WITHIN = 10
ADVICE = "check the server and the way to it"
MIGRATING = 7_240_001
"""The advisory lock that one migration at a time holds."""


class Unordered:
    """PostgreSQL has many writers at a time and queues them itself, row by row."""

    @contextmanager
    def turn(self, *, priority: bool = False) -> Iterator[None]:  # noqa: ARG002 (the port's)
        """It is everybody's turn."""
        yield


def open_postgres(url: URL) -> Store:
    """Open this database, which `uptier migrate` has prepared. Raises StoreTrouble."""
    engine, name = _engine(url), shown(url)
    try:
        with engine.connect() as connection:
            found = revision(connection)
    except DBAPIError as error:
        engine.dispose()
        raise StoreTrouble(f"{name}: {in_short(error)}; {ADVICE}") from error
    if found != HEAD:
        engine.dispose()
        stands = "has no tables of Uptier yet" if found is None else f"stands at {found}, not at {HEAD}"
        raise StoreTrouble(f"{name} {stands}; run `uptier migrate` once, with the version that is to run")
    return Store(
        reads=engine.execution_options(isolation_level="REPEATABLE READ"),
        writes=engine,
        order=Unordered(),
        name=name,
        advice=ADVICE,
    )


def migrate_postgres(url: URL) -> str | None:
    """Bring this database to our version, its queue too; answers where it stood. Raises StoreTrouble. While one
    process does it, others wait."""
    from connector.store.migrate import upgrade
    from connector.store.wakeups import create_queue

    engine, name = _engine(url), shown(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
            found = upgrade(connection, name)
            create_queue(connection)
    except DBAPIError as error:
        raise StoreTrouble(f"{name} cannot be migrated: {in_short(error)}; nothing was changed") from error
    finally:
        engine.dispose()
    return found


def shown(url: URL) -> str:
    """The address without its password."""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _engine(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername=DRIVER),
            pool_size=16,
            max_overflow=16,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_WITHIN},
        )
    except ModuleNotFoundError as error:
        raise StoreTrouble(
            f"{shown(url)} needs {error.name}, which is not installed; pip install 'uptier[postgres]'"
        ) from error
