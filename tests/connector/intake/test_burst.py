"""A burst of webhooks over a real server and a slow disk: few COMMITs, and no 202 before its own."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
import uvicorn
from sqlalchemy import event, select

from connector.app.supervision import Ailments
from connector.intake.inbox import GroupCommit
from connector.intake.receiver import Refusals, receiver
from connector.store.database import Store
from connector.store.inbox import Arrival
from connector.store.schema import inbox
from tests.connector.intake.desks import HookDesk, QuietEngine
from tests.patience import until

CLIENTS = 64
EACH = 5


class Watched(GroupCommit):
    """Knows what has been handed in, and by client how much of it is kept."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, QuietEngine(), Ailments(lambda: 0))
        self.handed_in = 0
        self.kept = Counter[str]()

    def put(self, arrivals: Sequence[Arrival]) -> "Future[None]":
        future = super().put(arrivals)
        client = arrivals[0].delivery.partition(".")[0]
        future.add_done_callback(lambda _: self.kept.update([client]))
        self.handed_in += 1
        return future

    def everybody_waits(self) -> bool:
        """Whether each client has handed in what comes after all that is kept of it."""
        kept = tuple(self.kept.values())
        return self.handed_in == sum(min(turns + 1, EACH) for turns in kept) + CLIENTS - len(kept)


@pytest.fixture
def group(store: Store) -> Watched:
    return Watched(store)


@pytest.fixture
def commits(store: Store, group: Watched) -> list[int]:
    """One entry for each COMMIT. Each lasts until every client waits for it or for the next one."""
    seen: list[int] = []

    def slow(_connection: object) -> None:
        until(group.everybody_waits)
        seen.append(1)

    event.listen(store._writes, "commit", slow)
    return seen


@pytest.fixture
def port(group: Watched) -> Iterator[int]:
    """Where a running service listens."""
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
    assert len(commits) <= 2 * EACH, "who waits is served by the next COMMIT at the latest"
