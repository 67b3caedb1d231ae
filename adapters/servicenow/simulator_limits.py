"""The rate rules of the simulated instance, one for all requests and one a table. Vendor sheet 4.5: the headers tell
the total and the end of the hour of the rule that was hit, never what is left."""

from adapters.servicenow.simulator_errors import rate_limited
from adapters.servicenow.simulator_switches import Switches

HOUR = 3600
RULE = "5f2d8e6b1b0b2010c3d8a8e3604bcb11"


class Limits:
    """Counts requests in clock hours."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.hour = 0
        self.used: dict[str, int] = {}

    def take(self, now: int, table: str) -> dict[str, str]:
        """Count one request to a table and give the headers; Refused with 429 if the hour is full. A rule for the
        table goes before the one for all."""
        own = self.switches.hourly_of.get(table)
        total, name = (self.switches.hourly, "") if own is None else (own, table)
        if total is None:
            return {}
        if now // HOUR != self.hour:
            self.hour, self.used = now // HOUR, {}
        ends = (self.hour + 1) * HOUR
        headers = {
            "X-RateLimit-Limit": str(total), "X-RateLimit-Reset": str(ends), "X-RateLimit-Rule": f"{RULE}{name}",
        }  # fmt: skip
        if self.used.get(name, 0) >= total:
            wait = {"Retry-After": str(ends - now)} if self.switches.says_retry_after else {}
            raise rate_limited(total, {**headers, **wait})
        self.used[name] = self.used.get(name, 0) + 1
        return headers
