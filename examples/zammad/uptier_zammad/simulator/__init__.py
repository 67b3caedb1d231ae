"""One simulated Zammad: see `app`."""

from uptier_zammad.simulator.app import BOT, TOKEN, create

__all__ = ["BOT", "TOKEN", "create"]
