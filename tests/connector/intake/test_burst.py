"""A burst of webhooks over a real server and a slow disk: few COMMITs, and no 202 before its own."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from sqlalchemy import event, select

from connector.intake.inbox import GroupCommit
from connector.intake.receiver import Refusals, receiver
from connector.store.database import Store
from connector.store.schema import inbox
from connector.supervision import Ailments
from tests.connector.intake.desks import HookDesk, QuietEngine
from tests.patience import until

CLIENTS = 64
EACH = 5
SLOW = 0.005


@pytest.fixture
def commits(store: Store) -> list[int]:
    """One entry for each COMMIT, every one of them slowed."""
    seen: list[int] = []

    def slow(_connection: object) -> None:
        time.sleep(SLOW)
        seen.append(1)

    event.listen(store._writes, "commit", slow)
    return seen


@pytest.fixture
def port(store: Store) -> Iterator[int]:
    """Where a running service listens."""
    group = GroupCommit(store, QuietEngine(), Ailments(lambda: 0))
    group.start()
    desks: dict[str, Any] = {"acme": HookDesk()}
    app = receiver(desks, group, lambda: 1000, lambda: True, str, Refusals())
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    until(lambda: server.started)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    listening.close()
    assert group.stop(10)


def request(body: bytes) -> bytes:
    """A signed webhook on the wire. Written by hand: a client library would be the slowest part here."""
    lines = (
        b"POST /hooks/acme HTTP/1.1",
        b"Host: uptier",
        b"X-Signature: good",
        b"Content-Length: %d" % len(body),
    )
    return b"\r\n".join((*lines, b"", body))


async def status_of(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, which is then read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split()[1])


def test_one_commit_serves_many_and_none_is_answered_before_its_own(
    store: Store, commits: list[int], port: int
) -> None:
    early: list[str] = []
    statuses: list[int] = []

    def kept(delivery: str) -> bool:
        with store.reading() as connection:
            return bool(connection.execute(select(inbox.c.id).where(inbox.c.delivery == delivery)).first())

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for turn in range(EACH):
            name = f"d{number}.{turn}"
            writer.write(request(f"{name} 1".encode()))
            statuses.append(await status_of(reader))
            if not kept(f"webhook:{name}-1"):
                early.append(name)
        writer.close()
        await writer.wait_closed()

    async def burst() -> None:
        await asyncio.gather(*(client(number) for number in range(CLIENTS)))

    asyncio.run(burst())
    assert statuses == [202] * (CLIENTS * EACH)
    assert early == []
    assert len(commits) <= CLIENTS * EACH / 2, "about a twelfth on an idle machine"
