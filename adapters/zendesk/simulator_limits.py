"""Rate limits of the simulated account and the headers that tell them. Vendor sheet 3.3 and 3.4."""

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.zendesk.simulator_errors import Refused, Reply, rate_limited
from adapters.zendesk.simulator_switches import LIMITS, Switches

Bucket = tuple[str, str]  # the limit's name, and whose it is: "" for the account


@dataclass(slots=True, kw_only=True)
class Window:
    """How many requests were made since the first one of this window."""

    begun: int
    used: int = 0


class Limits:
    """Counts requests in fixed windows. A request that is refused is not counted."""

    def __init__(self, switches: Switches) -> None:
        self.totals = {**LIMITS, **switches.limits}
        self.switches = switches
        self.windows: dict[Bucket, Window] = {}

    def take(self, buckets: Iterable[Bucket], now: int) -> dict[str, str]:
        """Count one request in each bucket and give the headers; Refused with 429 if one is full."""
        wanted = list(buckets)
        for bucket in wanted:
            total, span = self.totals[bucket[0]]
            window = self._window(bucket, span, now)
            if window.used >= total:
                raise self._full(wanted, window.begun + span - now, now)
        headers: dict[str, str] = {}
        for bucket in wanted:
            self.windows[bucket].used += 1
            headers |= self._headers(bucket, now)
        return headers

    def _full(self, wanted: list[Bucket], wait: int, now: int) -> Refused:
        reply = rate_limited(str(wait) if self.switches.says_retry_after else None)
        headers = dict(reply.headers)
        for bucket in wanted:
            if bucket in self.windows:
                headers |= self._headers(bucket, now)
        return Refused(Reply(status=reply.status, body=reply.body, headers=headers))

    def _window(self, bucket: Bucket, span: int, now: int) -> Window:
        window = self.windows.get(bucket)
        if window is None or now >= window.begun + span:
            window = self.windows[bucket] = Window(begun=now)
        return window

    def _headers(self, bucket: Bucket, now: int) -> dict[str, str]:
        name, spelling = bucket[0], self.switches.limit_headers
        total, span = self.totals[name]
        window = self.windows[bucket]
        left, resets = total - window.used, window.begun + span - now
        if name == "account":
            return {
                "X-Rate-Limit": str(total),
                "X-Rate-Limit-Remaining": str(left),
                f"{spelling}-limit": str(total),
                f"{spelling}-remaining": str(left),
                f"{spelling}-reset": str(resets),
            }
        prefix = "zendesk-ratelimit" if spelling == "ratelimit" else "zendesk-rate-limit"
        return {f"{prefix}-{name}": f"total={total}; remaining={left}; resets={resets}"}
