"""The wire of the simulated instance: the request log, the clock in the Date header, and faults on demand.

To drop a connection for real the server must offer `scope["extensions"]["uptier.abort"]`, as
`adapters.simulator_server.serve` does; in-process the same fault raises `Dropped` through the transport.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.servicenow.simulator_errors import CANCELLED, Reply, envelope, preset

Kind = Literal["answer", "delay", "hang", "drop", "truncate", "cut", "trail", "edit"]


class Dropped(ConnectionError):
    """The simulator dropped this connection on purpose."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with the next `times` requests that match (None: with all), after `skip` others.

    answer    answer `status` with `headers` and `body`, or with that status' usual body when `body` is None:
              200 is the page of an instance that sleeps, 302 leads to a sign-in, 500 is a cancelled transaction
    delay     wait `seconds` of real time, then go on as usual
    hang      never answer
    drop      close the connection without an answer
    truncate  answer with half the JSON, as if that were all
    cut       announce the whole answer, send half and close the connection
    trail     answer 200 with the result and an error behind it in one document, as a cancelled stream does
    edit      carry out `act` (as POST /_sim/act takes it) between the arrival and the handling

    `applied` says for answer, hang and drop that the request is carried out first. truncate, cut and trail
    always come after it.
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


@dataclass(slots=True, kw_only=True)
class Logged:
    """One request as it came in. `status` is None until something is answered; `applied` says it wrote; `hangs` is
    the port of a caller who waits in vain, while it does."""

    number: int
    method: str
    path: str
    query: str
    client: str
    cookie: str
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
    """ASGI middleware around the instance's API. `/_sim/` passes untouched and unlogged."""

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
        logged = self._note(scope, body)
        scope["uptier.logged"] = logged
        fault = next((fault for fault in self.faults if fault.matches(logged.method, logged.path)), None)
        exchange = Exchange(self.app, scope, body, send, formatdate(self.now(), usegmt=True))
        if fault is None:
            await exchange.answer(await exchange.carry_out())
            return
        logged.fault = fault.kind
        await self._spoil(fault, exchange, receive)

    async def _spoil(self, fault: Fault, exchange: "Exchange", receive: Receive) -> None:
        if fault.kind == "edit":
            self.act(fault.act)
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        late = fault.kind in ("answer", "hang", "drop")
        reply = await exchange.carry_out() if fault.applied or not late else None
        if fault.kind in ("edit", "delay") and reply:
            await exchange.answer(reply)
        elif fault.kind == "trail" and reply:
            await exchange.answer(_trailed(reply))
        elif fault.kind in ("truncate", "cut") and reply:
            await exchange.half(reply, announce_all=fault.kind == "cut")
        elif fault.kind == "answer":
            await exchange.answer(_reply(fault))
        if fault.kind in ("drop", "cut"):
            await exchange.abort(receive)
        elif fault.kind == "hang":
            await exchange.hang(receive)

    def _note(self, scope: Scope, body: bytes) -> Logged:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        logged = Logged(
            number=len(self.log) + 1,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode(),
            client=headers.get(b"user-agent", ""),
            cookie=headers.get(b"cookie", ""),
            body=_readable(body),
            at=self.now(),
        )
        self.log.append(logged)
        return logged


class Exchange:
    """One request and what is said to it, held back until it is known how to send it."""

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes, send: Send, date: str) -> None:
        self.app = app
        self.scope = scope
        self.body = body
        self.send = send
        self.date = date

    async def carry_out(self) -> Reply:
        """Let the app handle the request and keep its answer, with its body as bytes."""
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
        """Send an answer whole."""
        content = _bytes(reply.body)
        await self._start(reply, len(content))
        await self.send({"type": "http.response.body", "body": content})

    async def half(self, reply: Reply, *, announce_all: bool) -> None:
        """Send the first half of the body; announce the whole of it or only that half."""
        content = _bytes(reply.body)
        part = content[: len(content) // 2]
        await self._start(reply, len(content) if announce_all else len(part))
        await self.send({"type": "http.response.body", "body": part, "more_body": announce_all})

    async def abort(self, receive: Receive) -> None:
        """Close the connection now."""
        abort = self.scope.get("extensions", {}).get("uptier.abort")
        if abort is None:
            raise Dropped(f"dropped {self.scope['method']} {self.scope['path']} on purpose")
        abort()
        await _gone(receive)

    async def hang(self, receive: Receive) -> None:
        """Say nothing until the caller gives up."""
        logged: Logged = self.scope["uptier.logged"]
        logged.hangs = (self.scope["client"] or (None, None))[1]
        await _gone(receive)
        logged.hangs = None

    async def _start(self, reply: Reply, length: int) -> None:
        self.scope["uptier.logged"].status = reply.status
        usual = {"content-type": "application/json;charset=UTF-8"}
        plain = usual | {name.lower(): value for name, value in reply.headers.items()} | {"date": self.date}
        plain["content-length"] = str(length)
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in plain.items()]
        await self.send({"type": "http.response.start", "status": reply.status, "headers": pairs})


def _reply(fault: Fault) -> Reply:
    usual = preset(fault.status)
    if fault.body is None:
        return Reply(status=fault.status, body=usual.body, headers={**usual.headers, **fault.headers})
    return Reply(status=fault.status, body=fault.body, headers=fault.headers)


def _trailed(reply: Reply) -> Reply:
    """The result, and behind it the error of a transaction that was cancelled while it was being sent."""
    whole = {**json.loads(reply.body), **envelope(CANCELLED, CANCELLED)}
    return Reply(status=200, body=whole, headers=reply.headers)


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()


async def _read(receive: Receive) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return content


async def _gone(receive: Receive) -> None:
    """Wait until the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _readable(body: bytes) -> Any:
    """The body as JSON where it is JSON, else as text; None where there is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
