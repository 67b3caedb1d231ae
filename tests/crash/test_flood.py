"""Two thousand slow connections on a process with 1,024 file descriptors: webhooks are answered within a second."""

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from pathlib import Path

import pytest

from tests.crash.hasty import BEGAN, HastyClock
from tests.crash.soak import free_port
from tests.crash.town import ROOT, Town, town
from tests.patience import PATIENCE

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
def serving(here: Town, clock: HastyClock) -> Iterator[Path]:
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
            yield log
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


async def flood(port: int, secret: str, clock: HastyClock) -> tuple[list[float], list[bytes]]:
    """How long each webhook took and how it was answered, while slow clients come, are sent away and come again."""
    over, here = asyncio.Event(), [0]

    async def slow(number: int) -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                here[0] += 1
                writer.write(SAYS[number % len(SAYS)])
                stays = asyncio.create_task(reader.read(1))
                ends = asyncio.create_task(over.wait())
                await asyncio.wait((stays, ends), return_when=asyncio.FIRST_COMPLETED)
                ends.cancel()
                stays.cancel()
                await asyncio.gather(stays, ends, return_exceptions=True)
                writer.transport.abort()
            await asyncio.sleep(1)

    clients = [asyncio.create_task(slow(number)) for number in range(SLOW)]
    while here[0] < SLOW:
        await asyncio.sleep(0.05)
    took, answers = list[float](), list[bytes]()
    for number in range(WEBHOOKS):
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(webhook(secret, clock, number))
        answers.append((await reader.readline()).strip())
        took.append(time.monotonic() - began)
        writer.close()
        await asyncio.sleep(0.05)
    over.set()
    await asyncio.gather(*clients)
    return took, answers


@pytest.mark.timeout(180)
def test_slow_connections_keep_no_webhook_waiting(tmp_path: Path, many_descriptors: None) -> None:
    clock = HastyClock(time.time())
    port = free_port()
    with town(tmp_path, "zendesk", tickets=1, listen=f"127.0.0.1:{port}", now=clock.monotonic) as here:
        (secret,) = (value for name, value in here.environment().items() if name.endswith("ACME_WEBHOOK"))
        with serving(here, clock) as log:
            until_listening(port)
            took, answers = asyncio.run(flood(port, secret, clock))
            said = log.read_text(encoding="utf-8")
    assert set(answers) == {b"HTTP/1.1 202 Accepted"}
    assert max(took) < 1.0, sorted(took)[-5:]
    assert len(said) < 200_000
    assert said.count("too many open files") <= 1


def until_listening(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            asyncio.run(hello(port))
            return
        time.sleep(0.1)
    raise AssertionError("nobody listens")


async def hello(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()
