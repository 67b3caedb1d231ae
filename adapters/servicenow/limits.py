"""What ServiceNow's headers say of its budgets.

A rate rule tells its total and when its hour ends, never what is left; so our own requests are counted. A 429
of a full queue has no headers at all. Vendor sheet 4.5,
https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/inbound-REST-API-rate-limiting.html
"""

import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from adapters.base import Limit
from policies.model import Instant, Seconds

HOUR = 3600
MOST_DIGITS = 12
"""Digits of a number in a header that can mean something."""

AFTER_429 = 10
"""Seconds to stay away after a 429 that names no wait: the queue behind it is short."""


class Windows:
    """Our requests in the hour of each rate rule. One rule may count the requests to several tables together; which
    one a table is under, its answers tell."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, tuple[int, int]] = {}
        self._rules: dict[str, str] = {}

    def buckets(self, table: str) -> tuple[str, ...]:
        """What a request to this table is counted in: the table, and the rule that it is known to be under."""
        rule = self._rules.get(table)
        return (table,) if rule is None else (table, rule)

    def limits(self, table: str, headers: Mapping[str, str], *, refused: bool) -> tuple[Limit, ...]:
        """The budget that an answer about this table tells of: its rule's. None where it carries no rule."""
        total = whole(headers, "x-ratelimit-limit")
        reset = whole(headers, "x-ratelimit-reset")
        if total is None or reset is None:
            return ()
        rule = f"rule {headers.get('x-ratelimit-rule', '')}".strip()
        with self._lock:
            self._rules[table] = rule
            ends, used = self._used.get(rule, (reset, 0))
            used = used + 1 if ends == reset else 1
            self._used[rule] = (reset, used)
        now = stamp(headers.get("date", ""))
        return (
            Limit(
                bucket=rule,
                total=total,
                remaining=0 if refused else max(0, total - used),
                window=HOUR,
                resets_in=max(0, reset - now) if now else None,
            ),
        )


def whole(headers: Mapping[str, str], name: str) -> int | None:
    """A header's whole number, None where there is none."""
    found = headers.get(name, "").strip()
    return int(found) if found.isascii() and found.isdigit() and len(found) <= MOST_DIGITS else None


def retry_after(headers: Mapping[str, str], otherwise: Seconds) -> Seconds:
    """How long ServiceNow asks to wait, in seconds, or until its rule's hour ends; at least 1."""
    wait = whole(headers, "retry-after")
    if wait is not None:
        return max(1, wait)
    reset, now = whole(headers, "x-ratelimit-reset"), stamp(headers.get("date", ""))
    return max(1, reset - now) if reset and now else otherwise


def stamp(text: str) -> Instant:
    """An HTTP date as an instant; 0 where there is none or it cannot be read."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0
