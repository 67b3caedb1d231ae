"""The wire of the simulated account: the request log, the clock in the Date header, and faults on demand.

A fault is scripted by method, path pattern and count. To drop a connection for real the server must offer
`scope["extensions"]["uptier.abort"]`, as `adapters.simulator_server.serve` does; in-process the same fault
raises `Dropped` through the transport.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.freshdesk.simulator_errors import Reply, preset

Kind = Literal["answer", "delay", "hang", "drop", "truncate", "cut", "edit"]


class Dropped(ConnectionError):
    """The simulator dropped this connection on purpose."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with the next `times` requests that match (None: with all), after `skip` others.

    answer    answer `status` with `headers` and `body`, or with that status' usual body when `body` is None
    delay     wait `seconds` of real time, then go on as usual
    hang      never answer
    drop      close the connection without an answer
    truncate  answer with half the JSON, as if that were all
    cut       announce the whole answer, send half and close the connection
    edit      carry out `act` (as POST /_sim/act takes it) between the arrival and the handling

    `applied` says for answer, hang and drop that the request is carried out first. truncate and cut always
    come after it.
    """

    kind: Kind
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    skip: int = 0
    applied: bool = False
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 0.0
    act: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, method: str, path: str) -> bool:
        """Whether this request is meant; counts down."""
        if self.times == 0 or not fnmatchcase(method, self.method) or not fnmatchcase(path, self.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> Reply:
        """What is answered instead."""
        usual = preset(self.status)
        if self.body is None:
            return Reply(status=self.status, body=usual.body, headers={**usual.headers, **self.headers})
        return Reply(status=self.status, body=self.body, headers=self.headers)


@dataclass(slots=True, kw_only=True)
class Logged:
    """One request as it came in. `status` is None until something is answered; `applied` says it wrote; `hangs` is
    the port of a caller who waits in vain, while it does."""

    number: int
    method: str
    path: str
    query: str
    client: str
    body: Any
    at: int
    status: int | None = None
    applied: bool = False
    fault: str | None = None
    hangs: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For GET /_sim/requests."""
        return asdict(self)


class Wire:
    """ASGI middleware around the account's API. `/_sim/` passes untouched and unlogged."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        log: list[Logged],
        faults: list[Fault],
        now: Callable[[], int],
        act: Callable[[Mapping[str, Any]], Any],
    ) -> None:
        self.app = app
        self.log = log
        self.faults = faults
        self.now = now
        self.act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim/"):
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        logged = _logged(scope, body, len(self.log) + 1, self.now())
        self.log.append(logged)
        scope["uptier.logged"] = logged
        exchange = Exchange(self.app, scope, body, receive, send, formatdate(self.now(), usegmt=True))
        fault = next((fault for fault in self.faults if fault.matches(logged.method, logged.path)), None)
        if fault is None:
            await exchange.answer(await exchange.handled())
            return
        logged.fault = fault.kind
        await self._spoiled(fault, exchange)

    async def _spoiled(self, fault: Fault, exchange: "Exchange") -> None:
        """Let the fault happen. Only a delay and an edit end in the usual answer."""
        if fault.kind == "edit":
            self.act(fault.act)
        elif fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.kind in ("truncate", "cut"):
            await exchange.half(await exchange.handled(), cut=fault.kind == "cut")
            return
        else:
            if fault.applied:
                await exchange.handled()
            await self._instead(fault, exchange)
            return
        await exchange.answer(await exchange.handled())

    @staticmethod
    async def _instead(fault: Fault, exchange: "Exchange") -> None:
        if fault.kind == "answer":
            await exchange.answer(fault.answer())
        elif fault.kind == "drop":
            await exchange.drop()
        else:
            await exchange.hang()


class Exchange:
    """One request and the ways to answer it."""

    def __init__(
        self, app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send, date: str
    ) -> None:
        self.app = app
        self.scope = scope
        self.body = body
        self.receive = receive
        self.send = send
        self.date = date

    async def handled(self) -> Reply:
        """Let the app carry the request out, and keep its answer."""
        parts: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def keep(message: Message) -> None:
            parts.append(message)

        await self.app(self.scope, receive, keep)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in parts[0]["headers"]}
        content = b"".join(part.get("body", b"") for part in parts[1:])
        return Reply(status=parts[0]["status"], body=content, headers=headers)

    async def answer(self, reply: Reply) -> None:
        """Send an answer."""
        content = _bytes(reply.body)
        usual = {"content-type": "application/json; charset=utf-8", "content-length": str(len(content))}
        await self._start(reply.status, usual | _lower(reply.headers))
        await self.send({"type": "http.response.body", "body": content})

    async def half(self, reply: Reply, *, cut: bool) -> None:
        """Send the first half of an answer: as if that were all, or announcing the whole and then no more."""
        part = reply.body[: len(reply.body) // 2]
        length = len(reply.body) if cut else len(part)
        await self._start(reply.status, _lower(reply.headers) | {"content-length": str(length)})
        await self.send({"type": "http.response.body", "body": part, "more_body": cut})
        if cut:
            await self.drop()

    async def drop(self) -> None:
        """Close the connection now."""
        abort = self.scope.get("extensions", {}).get("uptier.abort")
        if abort is None:
            raise Dropped(f"dropped {self.scope['method']} {self.scope['path']} on purpose")
        abort()
        await self.until_gone()

    async def hang(self) -> None:
        """Say nothing until the caller gives up."""
        logged: Logged = self.scope["uptier.logged"]
        logged.hangs = (self.scope["client"] or (None, None))[1]
        await self.until_gone()
        logged.hangs = None

    async def until_gone(self) -> None:
        """Wait until the caller has gone."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.scope["uptier.logged"].status = status
        dated = {**headers, "date": self.date}
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in dated.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": pairs})


def _logged(scope: Scope, body: bytes, number: int, at: int) -> Logged:
    headers = dict(scope["headers"])
    return Logged(
        number=number,
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode(),
        client=headers.get(b"user-agent", b"").decode("latin-1"),
        body=_readable(body),
        at=at,
    )


async def _read(receive: Receive) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return content


def _bytes(body: Any) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _readable(body: bytes) -> Any:
    """The body as JSON where it is JSON, else as text; None where there is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
