"""One simulated ServiceNow instance: see `app`."""

from adapters.servicenow.simulator.app import API_KEY, BOT, CLIENT, CLIENT_SECRET, PASSWORD, create

__all__ = ["API_KEY", "BOT", "CLIENT", "CLIENT_SECRET", "PASSWORD", "create"]
