"""The wire of the simulated account: the request log, the clock in the Date header, and faults on demand.

A fault is scripted by method, path pattern and count. To drop a connection for real the server must offer
`scope["extensions"]["uptier.abort"]`, as `adapters.simulator_server.serve` does; in-process the same fault
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

from adapters.zendesk.simulator_errors import Reply, preset

Kind = Literal["answer", "delay", "hang", "drop", "truncate", "cut", "edit", "spoil"]


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
    spoil     answer as usual but for what stands at `place` (keys and numbers from the top of the body), which is
              `value`, or left out if `absent`; a place that this answer does not have is passed over
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
        logged = self._note(scope, body)
        scope["uptier.logged"] = logged
        fault = next((fault for fault in self.faults if fault.matches(logged.method, logged.path)), None)
        answer = Answer(self.app, scope, body, send, logged, formatdate(self.now(), usegmt=True))
        if fault is None:
            await answer.whole()
            return
        logged.fault = fault.kind
        await self._spoil(fault, answer, receive)

    async def _spoil(self, fault: Fault, answer: "Answer", receive: Receive) -> None:
        if fault.kind == "edit":
            self.act(fault.act)
            await answer.whole()
        elif fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await answer.whole()
        elif fault.kind == "spoil":
            await answer.replaced(spoiled(await answer.carry_out(), fault))
        elif fault.kind in ("truncate", "cut"):
            await answer.half(announce_all=fault.kind == "cut")
            if fault.kind == "cut":
                await answer.abort(receive)
        else:
            if fault.applied:
                await answer.carry_out()
            await self._instead(fault, answer, receive)

    async def _instead(self, fault: Fault, answer: "Answer", receive: Receive) -> None:
        if fault.kind == "answer":
            await answer.replaced(_reply(fault))
        elif fault.kind == "drop":
            await answer.abort(receive)
        else:
            await answer.hang(receive)

    def _note(self, scope: Scope, body: bytes) -> Logged:
        headers = dict(scope["headers"])
        logged = Logged(
            number=len(self.log) + 1,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode(),
            client=headers.get(b"user-agent", b"").decode("latin-1"),
            body=_readable(body),
            at=self.now(),
        )
        self.log.append(logged)
        return logged


class Answer:
    """What the app says to one request, held back until it is known how to send it."""

    def __init__(
        self, app: ASGIApp, scope: Scope, body: bytes, send: Send, logged: Logged, date: str
    ) -> None:
        self.app = app
        self.scope = scope
        self.body = body
        self.send = send
        self.logged = logged
        self.date = date

    async def carry_out(self) -> Reply:
        """Let the app handle the request and keep its answer."""
        parts: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def keep(message: Message) -> None:
            parts.append(message)

        await self.app(self.scope, receive, keep)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in parts[0]["headers"]}
        content = b"".join(part.get("body", b"") for part in parts[1:])
        return Reply(status=parts[0]["status"], body=content, headers=headers)

    async def whole(self) -> None:
        """Handle and answer as usual."""
        reply = await self.carry_out()
        await self._start(reply.status, reply.headers)
        await self.send({"type": "http.response.body", "body": reply.body})

    async def half(self, *, announce_all: bool) -> None:
        """Handle, then send the first half of the body; announce the whole of it or only that half."""
        reply = await self.carry_out()
        part = reply.body[: len(reply.body) // 2]
        length = len(reply.body) if announce_all else len(part)
        await self._start(reply.status, {**reply.headers, "content-length": str(length)})
        await self.send({"type": "http.response.body", "body": part, "more_body": announce_all})

    async def replaced(self, reply: Reply) -> None:
        """Answer this and not what the app says."""
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        content = b"" if reply.body is None else text.encode()
        usual = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(content))}
        await self._start(reply.status, usual | dict(reply.headers))
        await self.send({"type": "http.response.body", "body": content})

    async def abort(self, receive: Receive) -> None:
        """Close the connection now."""
        abort = self.scope.get("extensions", {}).get("uptier.abort")
        if abort is None:
            raise Dropped(f"dropped {self.logged.method} {self.logged.path} on purpose")
        abort()
        await _gone(receive)

    async def hang(self, receive: Receive) -> None:
        """Say nothing until the caller gives up."""
        self.logged.hangs = (self.scope["client"] or (None, None))[1]
        await _gone(receive)
        self.logged.hangs = None

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.logged.status = status
        plain = {name.lower(): value for name, value in headers.items()} | {"date": self.date}
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in plain.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": pairs})


def spoiled(reply: Reply, fault: Fault) -> Reply:
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
    kept = {name: value for name, value in reply.headers.items() if name.lower() != "content-length"}
    return Reply(status=reply.status, body=json.dumps(body), headers=kept)


def _reply(fault: Fault) -> Reply:
    usual = preset(fault.status)
    if fault.body is None:
        return Reply(status=fault.status, body=usual.body, headers={**usual.headers, **fault.headers})
    return Reply(status=fault.status, body=fault.body, headers=fault.headers)


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
