"""Rules for every test: no network but loopback, and no secret or proxy of the machine it runs on."""

import logging
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import certifi
import pytest
import structlog
import typer.testing
from argon2 import PasswordHasher
from hypothesis import settings
from sqlalchemy import URL, Engine, create_engine, make_url

from connector.store.revision import Migrated
from connector.store.sqlite import migrate_sqlite
from tests import hanging

pytest.register_assert_rewrite("adapters.contract")
settings.register_profile("uptier", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("uptier")

real_connect = socket.socket.connect


def is_loopback(address: Any) -> bool:
    """Whether a socket address stays on this machine; a Unix socket's path does."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    return host == "localhost" or ip_address(host).is_loopback


def connect_on_loopback(self: socket.socket, address: Any) -> None:
    """Refuse any address that is not on this machine, loudly."""
    if not is_loopback(address):
        raise AssertionError(f"a test tried to reach {address!r}; tests stay on loopback")
    real_connect(self, address)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take longest begin first, so that at the end nobody waits for one alone. The order of all others
    stays as chance has it."""
    items.sort(key=lambda each: -max((mark.args[0] for mark in each.iter_markers("timeout")), default=0))


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """Tests reach this machine only, unless a live ticket is named: tests/adapters/test_live.py."""
    if "UPTIER_SANDBOX_TICKET" in os.environ:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_on_loopback)
        yield


@pytest.fixture(autouse=True, scope="session")
def timeouts_are_told() -> Iterator[None]:
    """A client of a fake gives up when the fake lets it hang, and not before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "recv", hanging.recv)
        patch.setattr(socket.socket, "recv_into", hanging.recv_into)
        yield


@pytest.fixture(autouse=True, scope="session")
def new_files_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Twenty-odd migrations take a tenth of a second, and a thousand tests make a database: one file is migrated a test
    process, and a new one begins as a copy of it. A file that is there is migrated as ever."""
    made: list[bytes] = []

    def migrated(url: URL) -> Migrated:
        path = Path(url.database or "").absolute()
        if path.exists() or not os.access(path.parent, os.W_OK):
            return migrate_sqlite(url)
        if not made:
            first = tmp_path_factory.mktemp("migrated") / "uptier.db"
            migrate_sqlite(make_url(f"sqlite:///{first}"))
            made.append(first.read_bytes())
        path.touch(0o600)
        path.write_bytes(made[0])
        return Migrated(found=None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connector.store.opening.migrate_sqlite", migrated)
        yield


@pytest.fixture(autouse=True, scope="session")
def statements_are_compiled_once() -> Iterator[None]:
    """SQLAlchemy words each statement anew for each engine, and a thousand tests have one of their own. Each way of
    beginning a transaction is a dialect of its own and stays so."""

    @cache
    def shared(drivername: str) -> Engine:
        engine = create_engine(f"{drivername}://")
        engine.connect().close()
        return engine

    def opened(url: str | URL, **pool: Any) -> Engine:
        engine, first = create_engine(url, **pool), shared(make_url(url).drivername)
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connector.store.sqlite.create_engine", opened)
        yield


@pytest.fixture(autouse=True, scope="session")
def certificates_are_read_once() -> Iterator[None]:
    """Each client of httpx reads all authorities that there are, which takes longer than the requests of most tests;
    none of them goes anywhere by https."""
    real = ssl.create_default_context
    public = certifi.where()
    once = cache(lambda: real(cafile=public))

    def context(*args: Any, **more: Any) -> ssl.SSLContext:
        return once() if not args and more == {"cafile": public} else real(*args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", context)
        yield


@pytest.fixture(autouse=True, scope="session")
def commands_are_made_once() -> Iterator[None]:
    """Typer reads the signatures of all commands anew for each one given, which takes longer than most of them do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True, scope="session")
def passwords_cost_little() -> Iterator[None]:
    """A hash takes a quarter of a second on purpose. What it costs as shipped, tests/crash/test_flood.py measures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "connector.console.access.hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        )
        yield


@contextmanager
def logging_as_before() -> Iterator[None]:
    """What is said of logging within the block ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """What a test says of logging ends with the test."""
    with logging_as_before():
        yield


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's environment says about Uptier or proxies is not seen by a test."""
    for name in list(os.environ):
        if name.startswith("UPTIER_") or name.lower().endswith("_proxy") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)
