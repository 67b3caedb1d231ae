"""What a simulated helpdesk does wrong on demand, and how many requests it takes.

A fault is scripted by method, path pattern and count. To drop a connection for real the server must offer
`scope["extensions"]["uptier.abort"]`, as `adapters.simulation.server.serve` does; in-process the same fault
raises `Dropped` through the transport.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.simulation.answers import Dialect, Reply

Kind = Literal["answer", "delay", "hang", "drop", "truncate", "cut", "trail", "edit", "spoil"]


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
    trail     answer 200 with the result and an error behind it in one document, as a cancelled stream does
    spoil     answer as usual but for what stands at `place` (keys and numbers from the top of the body), which is
              `value`, or left out if `absent`; a place that this answer does not have is passed over
    edit      carry out `act` (as POST /_sim/act takes it) between the arrival and the handling

    `applied` says for answer, hang and drop that the request is carried out first. truncate, cut, trail and spoil
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
    place: Sequence[str | int] = ()
    value: Any = None
    absent: bool = False

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
    the port of a caller who waits in vain, while it does; `cookie` is None where the vendor keeps no sessions."""

    number: int
    method: str
    path: str
    query: str
    client: str
    cookie: str | None
    body: Any
    at: int
    status: int | None = None
    applied: bool = False
    fault: str | None = None
    hangs: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For GET /_sim/requests."""
        return {name: value for name, value in asdict(self).items() if (name, value) != ("cookie", None)}


class Wire:
    """ASGI middleware around an account's API. `/_sim/` passes untouched and unlogged."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        dialect: Dialect,
        log: list[Logged],
        faults: list[Fault],
        now: Callable[[], int],
        act: Callable[[Mapping[str, Any]], Any],
    ) -> None:
        self.app = app
        self.dialect = dialect
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
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        logged = Logged(
            number=len(self.log) + 1,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode(),
            client=headers.get(b"user-agent", ""),
            cookie=headers.get(b"cookie", "") if self.dialect.has_sessions else None,
            body=_readable(body),
            at=self.now(),
        )
        self.log.append(logged)
        scope["uptier.logged"] = logged
        fault = next((fault for fault in self.faults if fault.matches(logged.method, logged.path)), None)
        exchange = Exchange(self.app, scope, body, receive, send, formatdate(self.now(), usegmt=True))
        if fault is None:
            await exchange.answer(await exchange.carry_out())
            return
        logged.fault = fault.kind
        await self._spoil(fault, exchange)

    async def _spoil(self, fault: Fault, exchange: "Exchange") -> None:
        """Let the fault happen, after or instead of the handling."""
        if fault.kind == "edit":
            self.act(fault.act)
        elif fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        instead = fault.kind in ("answer", "hang", "drop")
        reply = Reply() if instead and not fault.applied else await exchange.carry_out()
        if fault.kind == "answer":
            await exchange.answer(self._scripted(fault))
        elif fault.kind == "hang":
            await exchange.hang()
        elif fault.kind == "drop":
            await exchange.drop()
        elif fault.kind in ("truncate", "cut"):
            await exchange.half(reply, cut=fault.kind == "cut")
        elif fault.kind == "trail":
            whole = json.dumps({**json.loads(reply.body), **self.dialect.cancelled})
            await exchange.answer(Reply(body=whole, headers=reply.headers))
        elif fault.kind == "spoil":
            await exchange.answer(_spoiled(reply, fault))
        else:
            await exchange.answer(reply)

    def _scripted(self, fault: Fault) -> Reply:
        usual = {"content-type": self.dialect.json_type}
        if fault.body is not None:
            return Reply(status=fault.status, body=fault.body, headers=usual | _lower(fault.headers))
        preset = self.dialect.preset(fault.status)
        headers = usual | _lower(preset.headers) | _lower(fault.headers)
        return Reply(status=fault.status, body=preset.body, headers=headers)


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

    async def half(self, reply: Reply, *, cut: bool) -> None:
        """Send the first half of an answer: as if that were all, or announcing the whole and then no more."""
        part = reply.body[: len(reply.body) // 2]
        await self._start(reply, len(reply.body) if cut else len(part))
        await self.send({"type": "http.response.body", "body": part, "more_body": cut})
        if cut:
            await self.drop()

    async def drop(self) -> None:
        """Close the connection now."""
        abort = self.scope.get("extensions", {}).get("uptier.abort")
        if abort is None:
            raise Dropped(f"dropped {self.scope['method']} {self.scope['path']} on purpose")
        abort()
        await self._until_gone()

    async def hang(self) -> None:
        """Say nothing until the caller gives up."""
        logged: Logged = self.scope["uptier.logged"]
        logged.hangs = (self.scope["client"] or (None, None))[1]
        await self._until_gone()
        logged.hangs = None

    async def _until_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _start(self, reply: Reply, length: int) -> None:
        self.scope["uptier.logged"].status = reply.status
        headers = _lower(reply.headers) | {"content-length": str(length), "date": self.date}
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": reply.status, "headers": pairs})


def _spoiled(reply: Reply, fault: Fault) -> Reply:
    """The answer with one thing in it changed or left out."""
    body: Any = json.loads(reply.body) if reply.body else None
    *way, last = fault.place
    try:
        inner: Any = body
        for step in way:
            inner = inner[step]
        if fault.absent:
            del inner[last]
        elif isinstance(inner, dict) or 0 <= int(last) < len(inner):
            inner[last] = fault.value
    except (LookupError, TypeError, ValueError):
        pass
    return Reply(status=reply.status, body=json.dumps(body), headers=reply.headers)


async def _read(receive: Receive) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return content


def _readable(body: bytes) -> Any:
    """The body as JSON where it is JSON, else as text; None where there is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _bytes(body: Any) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass(slots=True, kw_only=True)
class Window:
    """What was used since `begun` (epoch seconds)."""

    begun: int
    used: int = 0


class Windows:
    """A window of some seconds for each name; the next begins with the first request after its end."""

    def __init__(self) -> None:
        self.windows: dict[str, Window] = {}

    def at(self, name: str, now: int, span: int, *, by_the_clock: bool = False) -> Window:
        """The window of this name that is open now; one by the clock begins at a multiple of its span."""
        window = self.windows.get(name)
        if window is None or now >= window.begun + span:
            begun = now // span * span if by_the_clock else now
            window = self.windows[name] = Window(begun=begun)
        return window
