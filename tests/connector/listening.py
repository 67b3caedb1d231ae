"""A channel on this machine: hears what is posted to it, and fails as it is told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.hanging import hanging
from tests.patience import PATIENCE

PATH = "hush-T0KEN-4711"
"""What nobody but the channel and the secret store may see."""

HANG = 0


@dataclass
class Channel:
    """`heard` are the messages that came in, `taken` those that were answered 200. `answers` are the statuses of
    the next answers, HANG for none; then it is `then`."""

    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    then: int = 200
    hung: list[int] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.port}/{PATH}?rto={PATIENCE}"

    @property
    def titles(self) -> list[str]:
        return [str(each["title"]) for each in self.taken]

    def take(self, message: dict[str, Any]) -> int:
        status = self.answers.pop(0) if self.answers else self.then
        self.heard.append(message)
        if status == 200:
            self.taken.append(message)
        return status


@contextmanager
def listening() -> Iterator[Channel]:
    """A channel that listens until the block is left."""
    channel = Channel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = channel.take(json.loads(body))
            if status == HANG:
                channel.hung.append(self.client_address[1])
                self.rfile.read(1)
                channel.hung.remove(self.client_address[1])
                return
            self.send_response(status)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    channel.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with hanging(lambda: channel.hung):
            yield channel
    finally:
        server.shutdown()
        server.server_close()
