"""The one rate rule of the simulated instance. Vendor sheet 4.5: its headers tell the total and the end of the
hour, never what is left."""

from adapters.servicenow.simulator_errors import rate_limited
from adapters.servicenow.simulator_switches import Switches

HOUR = 3600
RULE = "5f2d8e6b1b0b2010c3d8a8e3604bcb11"


class Limits:
    """Counts requests in clock hours."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.hour = 0
        self.used = 0

    def take(self, now: int) -> dict[str, str]:
        """Count one request and give the headers; Refused with 429 if the hour is full."""
        total = self.switches.hourly
        if total is None:
            return {}
        if now // HOUR != self.hour:
            self.hour, self.used = now // HOUR, 0
        ends = (self.hour + 1) * HOUR
        headers = {
            "X-RateLimit-Limit": str(total), "X-RateLimit-Reset": str(ends), "X-RateLimit-Rule": RULE,
        }  # fmt: skip
        if self.used >= total:
            wait = {"Retry-After": str(ends - now)} if self.switches.says_retry_after else {}
            raise rate_limited(total, {**headers, **wait})
        self.used += 1
        return headers
