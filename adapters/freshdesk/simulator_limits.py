"""Rate limits of the simulated account and the headers that tell them. Vendor sheet 1.3."""

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.freshdesk.simulator_errors import Refused, Reply, rate_limited
from adapters.freshdesk.simulator_switches import PLANS, Switches

MINUTE = 60


@dataclass(slots=True, kw_only=True)
class Window:
    """How much was used since the first request of this minute."""

    begun: int
    used: int = 0


class Limits:
    """Counts credits a minute. Only the account's budget shows in headers; those of endpoints just end."""

    def __init__(self, switches: Switches) -> None:
        self.totals = {**PLANS[switches.plan], **switches.limits}
        self.switches = switches
        self.windows: dict[str, Window] = {}

    def take(self, buckets: Iterable[str], cost: int, now: int) -> dict[str, str]:
        """Count one request, which costs the account `cost`; Refused with 429 if a budget is used up."""
        for bucket in buckets:
            window = self._window(bucket, now)
            total = self.totals.get(bucket)
            if total is not None and window.used >= total:
                reply = rate_limited(window.begun + MINUTE - now if self.switches.says_retry_after else None)
                headers = {**self._headers(0, now), **reply.headers}
                raise Refused(Reply(status=429, headers=headers))
        for bucket in buckets:
            self.windows[bucket].used += cost if bucket == "account" else 1
        return self._headers(cost, now)

    def _window(self, bucket: str, now: int) -> Window:
        window = self.windows.get(bucket)
        if window is None or now >= window.begun + MINUTE:
            window = self.windows[bucket] = Window(begun=now)
        return window

    def _headers(self, cost: int, now: int) -> dict[str, str]:
        total = self.totals["account"]
        left = max(0, total - self._window("account", now).used)
        return {
            "X-RateLimit-Total": self._text(total),
            "X-RateLimit-Remaining": self._text(left),
            "X-RateLimit-Used-CurrentRequest": self._text(cost),
            "X-Freshdesk-Api-Version": "latest=v2; requested=v2",
        }

    def _text(self, number: int) -> str:
        return f"{number}.0" if self.switches.float_headers else str(number)
