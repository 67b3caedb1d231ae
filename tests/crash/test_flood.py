"""Two thousand slow connections on a process with 1,024 file descriptors: webhooks are answered within a second. More
than a hundred log-ins at once: their passwords are checked in the memory of two."""

import asyncio
import contextlib
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from hmac import digest
from pathlib import Path

import httpx
import pytest

from connector.console.access import hasher
from connector.console.pages import WAIT_AT_MOST
from connector.demo import CONFIG
from tests.crash.hasty import BEGAN, HastyClock
from tests.crash.soak import free_port
from tests.crash.town import ROOT, Town, town
from tests.patience import PATIENCE, until

SLOW = 2000
WEBHOOKS = 60
SAYS = (
    b"",
    b"GET / HTTP/1.1\r\nHost: x\r\n",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nname=",
    b"POST /api/v1/holds/release HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
    b"POST /hooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{",
)


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Here are both ends of each connection's story; the limit is the other process's."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def serving(here: Town, clock: HastyClock) -> Iterator[tuple[int, Path]]:
    """Its process id and its log."""
    log = here.config.parent / "uptier.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["sh", "-c", f'ulimit -n 1024; exec "{sys.executable}" -m tests.crash.serving "{here.config}"'],
            cwd=ROOT,
            env=here.environment() | {BEGAN: repr(clock.began)},
            stdout=out,
            stderr=out,
        )
        try:
            yield process.pid, log
        finally:
            process.kill()
            process.wait(PATIENCE)


def webhook(secret: str, clock: HastyClock, number: int) -> bytes:
    body = json.dumps({"ticket_id": "1", "number": number}).encode()
    stamp = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = b64encode(digest(secret.encode(), stamp.encode() + body, sha256)).decode()
    head = (
        "POST /hooks/acme HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"X-Zendesk-Webhook-Signature: {signature}",
        f"X-Zendesk-Webhook-Signature-Timestamp: {stamp}",
        f"X-Zendesk-Webhook-Invocation-Id: {number}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


async def flood(port: int, over: threading.Event, here: list[int]) -> None:
    """Slow clients come, are sent away and come again."""

    async def slow(number: int) -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                here.append(number)
                writer.write(SAYS[number % len(SAYS)])
                stays = asyncio.create_task(reader.read(1))
                while not over.is_set() and not stays.done():
                    await asyncio.wait([stays], timeout=1)
                stays.cancel()
                await asyncio.gather(stays, return_exceptions=True)
                writer.transport.abort()
            await asyncio.sleep(0 if over.is_set() else 5)

    await asyncio.gather(*(slow(number) for number in range(SLOW)))


def helpdesk(port: int, secret: str, clock: HastyClock) -> tuple[list[float], set[bytes]]:
    """How long each webhook took and how they were answered."""
    took, answers = list[float](), set[bytes]()
    for number in range(WEBHOOKS):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
            line.sendall(webhook(secret, clock, number))
            answers.add(line.recv(1000).partition(b"\r\n")[0])
        took.append(time.monotonic() - began)
        time.sleep(0.05)
    return took, answers


@pytest.mark.timeout(180)
def test_slow_connections_keep_no_webhook_waiting(tmp_path: Path, many_descriptors: None) -> None:
    clock = HastyClock(time.time())
    port = free_port()
    with town(tmp_path, "zendesk", tickets=1, listen=f"127.0.0.1:{port}", now=clock.monotonic) as here:
        (secret,) = (value for name, value in here.environment().items() if name.endswith("ACME_WEBHOOK"))
        with serving(here, clock) as (_, log):
            until(lambda: listens(port))
            before, _ = helpdesk(port, secret, clock)
            over, here_now = threading.Event(), list[int]()
            clients = threading.Thread(target=asyncio.run, args=(flood(port, over, here_now),))
            clients.start()
            try:
                until(lambda: len(here_now) >= SLOW)
                took, answers = helpdesk(port, secret, clock)
            finally:
                over.set()
                clients.join(PATIENCE)
            said = log.read_text(encoding="utf-8")
    assert answers == {b"HTTP/1.1 202 Accepted"}
    assert max(took) < max(1.0, 10 * max(before)), (sorted(before)[-5:], sorted(took)[-5:])
    assert len(said) < 200_000
    assert said.count("too many open files") <= 1


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


LOGINS = 120
ONE_CHECK = hasher.memory_cost * 1024
"""Bytes that Argon2 takes to check one password."""

REST = 24 * 2**20
"""Bytes for so many connections and threads, beside the checks."""


@pytest.mark.timeout(180)
def test_many_logins_at_once_take_the_memory_of_two_checks(tmp_path: Path) -> None:
    """Each comes from an address of its own, by way of a proxy, so that no limit on tries turns it away."""
    clock = HastyClock(time.time())
    port = free_port()
    config = CONFIG.replace("[service]", '[service]\nproxies = ["127.0.0.1"]', 1)
    with (
        town(tmp_path, "zendesk", listen=f"127.0.0.1:{port}", now=clock.monotonic, config=config) as here,
        serving(here, clock) as (child, _),
    ):
        until(lambda: listens(port))
        until(lambda: here.applied() >= 1)
        log_in(port, 0)
        before = in_memory(child, "VmRSS")
        Path(f"/proc/{child}/clear_refs").write_text("5", encoding="ascii")  # forget the highest so far
        with ThreadPoolExecutor(LOGINS) as pool:
            answers = Counter(pool.map(partial(log_in, port), range(1, LOGINS + 1)))
        highest = in_memory(child, "VmHWM")
    assert answers.keys() == {403, 503}
    assert answers[403] >= WAIT_AT_MOST
    assert ONE_CHECK < highest - before < 2 * ONE_CHECK + REST


def log_in(port: int, number: int) -> int:
    """A wrong password from somewhere; the status of the answer."""
    said = {"name": f"nobody-{number}", "password": "wrong"}
    came = {"X-Forwarded-For": f"192.0.2.{number}"}
    url = f"http://127.0.0.1:{port}/login"
    return httpx.post(url, data=said, headers=came, timeout=PATIENCE, trust_env=False).status_code


def in_memory(process: int, which: str) -> int:
    """Bytes of this process's memory, by the name that Linux has for them."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(which)
