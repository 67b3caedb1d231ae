"""One address that is listened on: a server in a thread of its own that is begun again whenever it ends."""

import asyncio
import resource
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import structlog
import uvicorn
import uvloop
from anyio import to_thread
from starlette.types import ASGIApp

from connector.app.supervision import PROVEN_AFTER, Ailments, SupervisedWorker
from connector.intake.slow_client import Crowd, Patience

log = structlog.get_logger()


BACKLOG = 1024
"""Connections that the system keeps while we are busy."""

ACCEPTED_AT_ONCE = 16
"""So that a flood makes room connection by connection instead of using up the file descriptors in one go."""

ROOM = 1000
KEPT_DESCRIPTORS = 400
"""File descriptors that are left to the database, the helpdesks and the channels."""

LEAST_ROOM = 64
THREADS = 12
"""Pages and API answers that are made at once; the rest of the database's connections is left to the work."""


class CannotListen(Exception):
    """The address to listen on cannot be had."""


class Listener:
    """Serves an app at an address. `proxies` are the peers that speak for others."""

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        address: tuple[str, int],
        setting: str,
        ailments: Ailments,
        proxies: Sequence[str] = (),
    ) -> None:
        host, port = address
        try:
            self._socket = socket.create_server((host, port), backlog=BACKLOG)
        except OSError as error:
            raise CannotListen(
                f"cannot listen on {host}:{port}: {error.strerror}; change [service] {setting}"
            ) from error
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self._name = name
        self._ailments = ailments
        self._crowd = Crowd(room_for_connections(), tuple(proxies))
        self._config = uvicorn.Config(
            app,
            http=cast(Any, partial(Patience, crowd=self._crowd)),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            backlog=ACCEPTED_AT_ONCE,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=3,
            lifespan="off",
        )
        self._server = _Server(self._config)
        self._worker = SupervisedWorker(name, self._serve, ailments)
        log.info("listening", url=self.url, connections=self._crowd.room, descriptors=descriptors())

    def start(self) -> None:
        """Begin to answer."""
        self._worker.start()

    def stop(self, timeout: float) -> bool:
        """Accept nothing more and let what is under way end. False if it took longer than `timeout` seconds."""
        self._worker.end()
        self._server.should_exit = True
        stopped = self._worker.join(timeout)
        self._socket.close()
        return stopped

    def _serve(self) -> None:
        self._server = _Server(self._config)  # one that has ended does not begin again
        if not self._worker.well():
            return
        uvloop.run(self._answer())

    async def _answer(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._failed)
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        await self._server.serve(sockets=[self._socket.dup()])

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Said once and counted: a connection that could not be accepted is tried again at once, for ever."""
        error = context.get("exception") or RuntimeError(str(context.get("message")))
        self._ailments.found(f"{self._name} connections", error, passes=PROVEN_AFTER)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn. How many it accepts in one go would be how many the system keeps meanwhile."""
        await super().startup(sockets)
        for each in sockets or []:
            each.listen(BACKLOG)


def descriptors() -> int:
    """How many files and connections this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def room_for_connections() -> int:
    """How many clients may be connected, so that descriptors are left for all else."""
    limit = descriptors()
    if limit == resource.RLIM_INFINITY:
        return ROOM
    return min(ROOM, max(LEAST_ROOM, limit - KEPT_DESCRIPTORS))
