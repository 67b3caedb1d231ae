"""A burst of webhooks over a real server and a slow disk: few COMMITs, and no 202 before its own."""

import asyncio
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import event

from connector.intake.group_commit import GroupCommit
from connector.intake.receiver import receiver
from connector.store.database import Store
from tests.connector.intake.desks import HookDesk, QuietEngine

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
def url(store: Store) -> Iterator[str]:
    """A running service."""
    group = GroupCommit(store, QuietEngine())
    group.start()
    desks: dict[str, Any] = {"acme": HookDesk()}
    app = receiver(desks, group, lambda: 1000, lambda: (True, {}))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    listening.close()
    assert group.stop(10)


def test_one_commit_serves_many_and_none_is_answered_before_its_own(
    store: Store, commits: list[int], url: str
) -> None:
    disk = sqlite3.connect(store.path)
    early: list[str] = []
    statuses: list[int] = []

    def kept(delivery: str) -> bool:
        return bool(disk.execute("SELECT 1 FROM inbox WHERE delivery = ?", [delivery]).fetchone())

    async def client(http: httpx.AsyncClient, number: int) -> None:
        for turn in range(EACH):
            name = f"d{number}.{turn}"
            answer = await http.post("/hooks/acme", headers={"x-signature": "good"}, content=f"{name} 1")
            statuses.append(answer.status_code)
            if not kept(f"webhook:{name}-1"):
                early.append(name)

    async def burst() -> None:
        room = httpx.Limits(max_connections=CLIENTS)
        async with httpx.AsyncClient(base_url=url, timeout=20, limits=room) as http:
            await asyncio.gather(*(client(http, number) for number in range(CLIENTS)))

    asyncio.run(burst())
    disk.close()
    assert statuses == [202] * (CLIENTS * EACH)
    assert early == []
    assert len(commits) <= CLIENTS * EACH / 4
