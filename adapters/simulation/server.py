"""Run a simulator on a loopback port from a thread, for tests and the demo."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

HOST = "127.0.0.1"


class Abortable:
    """Give the app a way to drop its connection: `scope["extensions"]["uptier.abort"]()`.

    uvicorn has no extension for it, but its `send` is a method of the object that holds the transport.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; only HTTP has a connection to drop."""
        cycle = getattr(send, "__self__", None)
        if scope["type"] == "http" and cycle is not None:
            scope.setdefault("extensions", {})["uptier.abort"] = cycle.transport.abort
        await self.app(scope, receive, send)


@contextmanager
def serve(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve until the block is left and yield the base URL; port 0 takes a free one.

    Requests still unanswered then are dropped. A simulator keeps its own time: uvicorn's Date header is off.
    Raises OSError when the port is taken.
    """
    # asyncio answers without delay only on sockets that say they are TCP
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
        config = uvicorn.Config(
            Abortable(app),
            date_header=False,
            server_header=False,
            proxy_headers=False,
            log_config=None,
            http="h11",
            loop="asyncio",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="simulator", daemon=True)
        thread.start()
        try:
            _await_start(server, thread)
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            _drop_connections(server)
            thread.join()


def _drop_connections(server: uvicorn.Server) -> None:
    """A request that hangs on purpose would keep the server alive for ever."""
    for connection in list(server.server_state.connections):
        connection.loop.call_soon_threadsafe(connection.transport.abort)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError(
                "the simulator's server ended before it began; run it in the foreground to see why"
            )
        thread.join(timeout=0.01)
