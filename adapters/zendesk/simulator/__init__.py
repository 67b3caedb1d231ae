"""One simulated Zendesk account: see `app`."""

from adapters.zendesk.simulator.app import API_KEY, BOT, CLIENT, CLIENT_SECRET, TOKEN, create

__all__ = ["API_KEY", "BOT", "CLIENT", "CLIENT_SECRET", "TOKEN", "create"]
