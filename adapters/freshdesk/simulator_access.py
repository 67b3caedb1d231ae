"""Who may call: API keys, as the user of Basic credentials. The password may be anything."""

import base64
import binascii

from adapters.freshdesk.simulator_errors import unauthenticated


class Access:
    """The account's API keys. Nothing is accepted until it was put here."""

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}  # API key -> agent id

    def allow(self, key: str, agent: int) -> None:
        """Accept this key for this agent."""
        self.keys[key] = agent

    def revoke(self) -> None:
        """Every key stops working."""
        self.keys.clear()

    def caller(self, header: str) -> int:
        """The agent behind an Authorization header; Refused with 401 otherwise."""
        kind, _, rest = header.partition(" ")
        try:
            key = base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
        if kind != "Basic" or key not in self.keys:
            raise unauthenticated()
        return self.keys[key]
