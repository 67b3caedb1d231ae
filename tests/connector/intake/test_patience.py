"""Who may be connected: bounded in all and by peer, and who has kept us waiting longest makes room."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse
from structlog.testing import capture_logs

from connector.app import listener
from connector.app.listener import Listener
from connector.app.supervision import Ailments
from connector.intake import slow_client
from connector.intake.slow_client import A_MOMENT, Crowd
from tests.patience import PATIENCE, until


class Guest:
    """Stands in for a connection."""

    def __init__(self, peer: str, at: float) -> None:
        self.peer, self.came_at, self.counted, self.sent_away = peer, at, True, False
        self.stuck = False
        self.transport: Any = self

    def abort(self) -> None:
        self.sent_away = True


def guests(crowd: Crowd, *peers: str, every: float = A_MOMENT) -> list[Guest]:
    """They come one after the other."""
    came = [Guest(peer, number * every) for number, peer in enumerate(peers)]
    for guest in came:
        crowd.came(guest)  # type: ignore[arg-type]
    return came


def sent_away(came: list[Guest]) -> list[int]:
    return [number for number, guest in enumerate(came) if guest.sent_away]


@pytest.fixture(autouse=True)
def three_a_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_client, "PER_PEER", 3)


def test_where_there_is_no_room_the_longest_wait_makes_some() -> None:
    assert sent_away(guests(Crowd(2), "a", "b", "c", "d")) == [0, 1]


def test_a_peer_makes_room_for_itself_and_not_for_others() -> None:
    assert sent_away(guests(Crowd(9), "b", "a", "a", "a", "a", "b")) == [1]


def test_a_proxy_speaks_for_many() -> None:
    assert sent_away(guests(Crowd(9, ("10.0.0.0/8", "::1")), *["10.1.2.3"] * 6, "::1", "::1")) == []
    assert sent_away(guests(Crowd(9, ("10.0.0.0/8",)), *["11.1.2.3"] * 5, "nonsense")) == [0, 1]


def test_each_has_a_moment_while_there_is_room_at_all() -> None:
    assert sent_away(guests(Crowd(9), *["a"] * 6, every=0.01)) == []
    assert sent_away(guests(Crowd(5), *["a"] * 7, every=0.01)) == [0, 1]


def test_who_waits_for_us_is_not_sent_away_and_who_is_gone_is_not_counted() -> None:
    crowd = Crowd(2)
    first, second = guests(crowd, "a", "b")
    crowd.waits(first, waits=False)  # type: ignore[arg-type]
    (third,) = guests(crowd, "c")
    assert (first.sent_away, second.sent_away) == (False, True)
    crowd.went(third)  # type: ignore[arg-type]
    crowd.waits(third, waits=True)  # type: ignore[arg-type]
    crowd.went(third)  # type: ignore[arg-type]
    guests(crowd, "d")
    assert not first.sent_away


def under_way(crowd: Crowd, *peers: str, other: bool = True) -> list[Guest]:
    """Their requests have come whole."""
    came = guests(crowd, *peers)
    for guest in came:
        crowd.waits(guest, waits=False)  # type: ignore[arg-type]
        crowd.serves(guest, other=other)  # type: ignore[arg-type]
    return came


def test_a_share_of_all_places_is_kept_for_webhooks() -> None:
    """Who does not read what it asked for makes room, else who has not sent all of it, else the newcomer."""
    crowd = Crowd(8)
    came = under_way(crowd, *"abcdef")
    assert sent_away(came) == []
    assert sent_away(under_way(crowd, "g")) == [0]
    crowd.waits(came[4], waits=True)  # type: ignore[arg-type]
    assert sent_away(under_way(crowd, "h")) == []
    assert sent_away(came) == [4]
    came[2].stuck = True
    crowd.waits(came[1], waits=True)  # type: ignore[arg-type]
    assert sent_away(under_way(crowd, "i")) == []
    assert sent_away(came) == [2, 4]
    crowd.serves(came[0], other=False)  # type: ignore[arg-type]
    assert sent_away(under_way(crowd, "j")) == []
    assert sent_away(came) == [2, 4]
    assert sent_away(under_way(crowd, "x", "y", other=False)) == []


def test_where_nobody_waits_who_does_not_read_makes_room() -> None:
    crowd = Crowd(4)
    first, second, third = under_way(crowd, "a", "b", "c")
    under_way(crowd, "x", other=False)
    second.stuck = True
    under_way(crowd, "y", other=False)
    assert sent_away([first, second, third]) == [1]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


@pytest.fixture
def ailments() -> Ailments:
    return Ailments(lambda: 0)


@pytest.fixture
def listening(ailments: Ailments) -> Iterator[Listener]:
    with capture_logs() as lines:
        one = Listener("receiver", hello, ("127.0.0.1", 0), "listen", ailments)
        assert lines[0]["descriptors"] == listener.descriptors()
        one.start()
        yield one
        assert one.stop(PATIENCE)


def line_to(one: Listener) -> socket.socket:
    host, _, port = one.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def whole(line: socket.socket) -> bytes:
    read = b""
    while not read.endswith(b"hello"):
        read += line.recv(1000)
    return read


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_second_request_that_never_comes_whole_is_not_waited_for(
    listening: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line_to(listening) as line:
        until(lambda: listening._crowd._peers.total() == 1)
        monkeypatch.setattr(slow_client, "HEAD_WITHIN", 0.3)
        line.sendall(GET)
        assert whole(line).startswith(b"HTTP/1.1 200")
        line.sendall(b"GET / HT")
        assert line.recv(1000) == b""


def test_a_listener_whose_server_dies_listens_again_at_the_same_address(
    listening: Listener, ailments: Ailments
) -> None:
    with line_to(listening) as line:
        line.sendall(GET)
        assert whole(line).startswith(b"HTTP/1.1 200")
    listening._server.should_exit = True
    until(lambda: [one.name for one in ailments.current()] == ["receiver"])
    with line_to(listening) as line:
        line.sendall(GET)
        assert whole(line).startswith(b"HTTP/1.1 200")


def test_what_cannot_be_accepted_is_said_once_and_counted(listening: Listener, ailments: Ailments) -> None:
    with capture_logs() as lines:
        for _ in range(1000):
            listening._failed(None, {"exception": OSError(24, "Too many open files")})  # type: ignore[arg-type]
    assert [line["what"] for line in lines] == ["receiver connections"]
    assert ailments.current()[0].times == 1000


@pytest.mark.parametrize(("limit", "room"), [(256, 64), (1024, 624), (10**6, 1000), (-1, 1000)])
def test_descriptors_are_left_for_all_else(limit: int, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "descriptors", lambda: limit)
    assert listener.room_for_connections() == room


@pytest.fixture
def bounded(ailments: Ailments) -> Iterator[Listener]:
    one = Listener("console", slow_client.BoundedBodies(hello, str), ("127.0.0.1", 0), "listen", ailments)
    one.start()
    yield one
    assert one.stop(PATIENCE)


def test_bodies_that_never_come_keep_nobody_else_out(
    bounded: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_client, "PER_PEER", 256)
    with ExitStack() as lines:
        for _ in range(slow_client.AT_ONCE + 12):
            line = lines.enter_context(line_to(bounded))
            line.sendall(b"POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nname=")
        until(lambda: bounded._crowd._peers.total() == slow_client.AT_ONCE + 12)
        with line_to(bounded) as line:
            line.sendall(GET)
            assert whole(line).startswith(b"HTTP/1.1 200")


def test_only_an_answer_that_is_being_made_takes_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose client does not read it does not; one more than there are places for is put off."""
    monkeypatch.setattr(slow_client, "AT_ONCE", 1)

    async def story() -> list[int]:
        made, read, statuses = asyncio.Event(), asyncio.Event(), list[int]()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == "/slow":
                await made.wait()
            await hello(scope, receive, send)

        bounded = slow_client.BoundedBodies(app, str)

        async def call(path: str, *, reads: bool) -> None:
            async def receive() -> Any:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Any) -> None:
                if "status" in message:
                    statuses.append(message["status"])
                elif not reads:
                    await read.wait()

            await bounded({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)

        slow = asyncio.create_task(call("/slow", reads=False))
        await asyncio.sleep(0)
        await call("/", reads=True)
        made.set()
        while len(statuses) < 2:
            await asyncio.sleep(0)
        await call("/", reads=True)
        read.set()
        await slow
        await call("/", reads=True)
        return statuses

    assert asyncio.run(story()) == [503, 200, 200, 200]


@pytest.mark.parametrize("reads", [False, True], ids=["unread pages", "open streams"])
def test_webhooks_have_places_of_their_own_whatever_else_is_under_way(
    reads: bool, ailments: Ailments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More clients than there is room for ask for what has no end, and read it or do not."""
    monkeypatch.setattr(slow_client, "PER_PEER", 256)
    monkeypatch.setattr(listener, "room_for_connections", lambda: 16)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * (1 if reads else 1_000_000)
            await asyncio.sleep(PATIENCE if reads else 0)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        hook = scope["path"].startswith(slow_client.HOOKS)
        answer = PlainTextResponse("hello") if hook else StreamingResponse(endless())
        await answer(scope, receive, send)

    one = Listener("receiver", slow_client.BoundedBodies(app, str), ("127.0.0.1", 0), "listen", ailments)
    one.start()
    with ExitStack() as lines:
        answered = 0
        for _ in range(40):
            line = lines.enter_context(line_to(one))
            line.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(ConnectionResetError):
                answered += line.recv(1) == b"H"
        assert answered == (12 if reads else 40)
        assert one._crowd._peers.total() <= 16
        until(lambda: one._crowd._peers.total() == 12)
        for _ in range(8):
            with line_to(one) as line:
                line.sendall(b"POST /hooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
                assert whole(line).startswith(b"HTTP/1.1 200")
    assert one.stop(PATIENCE)
