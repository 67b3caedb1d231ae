"""One simulated Freshdesk account: see `app`."""

from adapters.freshdesk.simulator.app import BOT, KEY, create

__all__ = ["BOT", "KEY", "create"]
