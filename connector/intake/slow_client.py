"""Slow and many clients: who may be connected, how long a request may take to come, and how large it may be.

Nobody has signed in yet, so all of it is bounded. Where there is no more room the connection that has kept us waiting
longest makes room, so that a helpdesk, which sends a webhook in milliseconds, is never kept out by those who are slow.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN = 15.0
BODY_WITHIN = 15.0
READ_WITHIN = 60.0
"""Real seconds for a request's head, for its body, and for a client to take what it was sent."""

PER_PEER = 256
"""Connections of one address at once, where it is not one of `[service] proxies`."""

KEPT_FOR_HOOKS = 4
"""One place in so many is kept for webhooks: all else that is under way has the rest at most."""

A_MOMENT = 1.0
"""Real seconds that each may have to say something, as long as there is room at all."""

HOOK_CAP = 1024 * 1024
OTHER_CAP = 64 * 1024
"""Bytes of one body: of a webhook (two comments of the longest kind are 780 KB), and of anything else."""

FRAMING_CAP = 16 * 1024
"""Bytes of a request that are not of its body: its head above all."""

HELD = 64 * 1024 * 1024
"""Bytes of all bodies that are under way at once."""

AT_ONCE = 64
"""Answers of the console and its API that are made at once, beside streams; webhooks are not among them. Whose body is
not whole yet, and who only has an answer to read, takes none of these places."""

HOOKS = "/hooks/"
ALWAYS = ("/healthz", "/readyz", "/events")
RETRY_AFTER = {"Retry-After": "5"}


class Crowd:
    """All connections of a listener. Everything here happens in its event loop."""

    def __init__(self, room: int, proxies: tuple[str, ...] = ()) -> None:
        self.room = room
        self._proxies: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, proxies))
        self._peers: Counter[str] = Counter()
        self._waiting: OrderedDict[Patience, None] = OrderedDict()
        self._others: OrderedDict[Patience, None] = OrderedDict()
        self.for_others = room - max(room // KEPT_FOR_HOOKS, 1)
        self.sent_away = 0

    def came(self, one: "Patience") -> None:
        """A new connection; the longest wait makes room for it where there is none. It waits, like the others."""
        if self._peers.total() >= self.room:
            self._send_away(next(iter(self._waiting), None) or self._unread())
        elif not self._is_proxy(one.peer) and self._peers[one.peer] >= PER_PEER:
            longest = next((each for each in self._waiting if each.peer == one.peer), None)
            if longest is not None and one.came_at - longest.came_at >= A_MOMENT:
                self._send_away(longest)
        self._peers[one.peer] += 1
        self._waiting[one] = None

    def waits(self, one: "Patience", *, waits: bool) -> None:
        """Whether we wait for this client, rather than it for us. Who waits on keeps its place in the line."""
        if waits and one.counted:
            self._waiting.setdefault(one, None)
        else:
            self._waiting.pop(one, None)

    def serves(self, one: "Patience", *, other: bool) -> None:
        """Whether anything but a webhook is under way there. Where that is one too many, room is made by who does not
        read what it asked for, else by who has not sent all of it, else by the newcomer."""
        if not other or not one.counted:
            self._others.pop(one, None)
            return
        self._others[one] = None
        if len(self._others) > self.for_others:
            slow = next((each for each in self._others if each in self._waiting), one)
            self._send_away(self._unread() or slow)

    def _unread(self) -> "Patience | None":
        """The first of those that do not read the answer to what was no webhook."""
        return next((each for each in self._others if each.stuck), None)

    def went(self, one: "Patience") -> None:
        """It is gone, or as good as gone."""
        self._waiting.pop(one, None)
        self._others.pop(one, None)
        if one.counted:
            one.counted = False
            self._peers[one.peer] -= 1
            if not self._peers[one.peer]:
                del self._peers[one.peer]

    def _send_away(self, one: "Patience | None") -> None:
        if one is not None:
            self.sent_away += 1
            self.went(one)
            one.transport.abort()

    def _is_proxy(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


class Patience(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which by itself waits for ever for a request, for a client to read its answer, and takes a
    head of any size."""

    def __init__(self, *args: Any, crowd: Crowd, **options: Any) -> None:
        super().__init__(*args, **options)
        self._crowd = crowd
        self._timer: asyncio.TimerHandle | None = None
        self.stuck = False
        self.peer = ""
        self.came_at = 0.0
        self.counted = True
        self._framing = 0
        """Bytes of the request that is coming that are not of its body."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else ""
        self.came_at = self.loop.time()
        self._crowd.came(self)
        self._give_up_after(HEAD_WITHIN)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._give_up_after(None)
        self._crowd.went(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See whether the request is whole now."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > FRAMING_CAP and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")
        self._framing = max(self._framing, 0)  # a body may have come behind the end of the request before it
        if self._is_our_turn():
            self._give_up_after(None)

    def on_body(self, body: bytes) -> None:
        """What is left of what came is its head, its chunks' lengths and what follows them."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request's head begins."""
        self._framing = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, if it has not come already."""
        super().on_response_complete()
        if not self._is_our_turn():
            self._give_up_after(HEAD_WITHIN)

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        super().pause_writing()
        self.stuck = True
        self._give_up_after(READ_WITHIN)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self.stuck = False
        if self._is_our_turn():
            self._give_up_after(None)

    def _is_our_turn(self) -> bool:
        """Whether it is the client that waits."""
        begun = self.under_way()
        whole = begun and not self.cycle.more_body
        self._crowd.waits(self, waits=not whole)
        self._crowd.serves(self, other=begun and not self.cycle.scope["path"].startswith(HOOKS))
        return whole

    def under_way(self) -> bool:
        """Whether the head of a request is there and its answer is not finished."""
        begun: Any = self.cycle  # None until the head of a request is there
        return begun is not None and not begun.response_complete

    def _give_up_after(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.under_way() and not self.stuck:
            if not self._is_our_turn():  # a body's time is counted where it is gathered
                self._give_up_after(BODY_WITHIN)
        elif self.transport.get_write_buffer_size() and not self.stuck:
            self.stuck = True
            self._give_up_after(READ_WITHIN)
        else:
            self._crowd.went(self)
            self.transport.abort()


class BoundedBodies:
    """Gathers each request's body, within the same bounds on every address, before anything of ours runs."""

    def __init__(self, app: ASGIApp, refused: Callable[[str], object]) -> None:
        self._app = app
        self._refused = refused
        self._gathering: OrderedDict[asyncio.Timeout, None] = OrderedDict()
        self._held = 0
        self._others = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. A body that is too large, too slow or one too many is answered 413, 408 or 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hook = scope["path"].startswith(HOOKS)
        taken = [0]
        try:
            match await self._gather(scope, receive, HOOK_CAP if hook else OTHER_CAP, taken):
                case None:
                    return  # the client went away
                case bytes() as body if hook or scope["path"] in ALWAYS:
                    await self._app(scope, _again(body, receive), send)
                case bytes() as body:
                    await self._in_a_place(scope, _again(body, receive), send)
                case refusal:
                    if hook:
                        self._refused(str(refusal.status_code))
                    await refusal(scope, receive, send)
        finally:
            self._held -= taken[0]

    async def _in_a_place(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the answer, if few others are being made. Its place is free again as soon as it begins to be sent:
        who reads slowly keeps nobody else out."""
        if self._others >= AT_ONCE:
            await said("too many requests at once", 503, RETRY_AFTER)(scope, receive, send)
            return
        self._others += 1
        held = True

        def leave() -> None:
            nonlocal held
            self._others -= held
            held = False

        async def sending(message: Message) -> None:
            leave()
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            leave()

    async def _gather(
        self, scope: Scope, receive: Receive, cap: int, taken: list[int]
    ) -> bytes | JSONResponse | None:
        too_large = said(f"the body is larger than {cap // 1024} KiB", 413)
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced[:20]) > cap:
            return too_large
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_WITHIN) as within:
                self._gathering[within] = None
                try:
                    while (message := await receive())["type"] == "http.request":
                        chunk = message.get("body", b"")
                        body += chunk
                        taken[0] += len(chunk)
                        self._hold(len(chunk))
                        if len(body) > cap:
                            return too_large
                        if not message.get("more_body", False):
                            return bytes(body)
                finally:
                    del self._gathering[within]
        except TimeoutError:
            return said("the body did not come in time", 408)
        return None

    def _hold(self, more: int) -> None:
        """Where all bodies together are too much, the one that is gathered longest is given up."""
        self._held += more
        if self._held > HELD:
            oldest = next(iter(self._gathering))
            oldest.reschedule(asyncio.get_running_loop().time())


def _again(body: bytes, receive: Receive) -> Receive:
    """Answers with the body that has been gathered, then with whatever comes."""
    given = False

    async def once_more() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more


def said(text: str, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    """A short answer."""
    return JSONResponse({"message": text}, status, headers)
