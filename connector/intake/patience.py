"""Slow clients: a connection that has not sent its request's head in time is closed."""

from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN = 15.0
BODY_WITHIN = 15.0
"""Real seconds. A helpdesk sends a webhook in milliseconds."""


class Patience(H11Protocol):
    """uvicorn's HTTP/1.1, which by itself waits for ever for the first request of a connection."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._too_late = self.loop.call_later(HEAD_WITHIN, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._too_late.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        begun: object = self.cycle  # None until the head of a request is there
        if begun is None:
            self.transport.close()
