"""Rules for every test: no network but loopback, and no secret or proxy of the machine it runs on."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import pytest
import structlog
from hypothesis import settings

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
