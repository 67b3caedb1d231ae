"""What Zendesk's headers say of its budgets, and which budgets a request draws on.

https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from adapters.base import Limit
from policies.model import Instant, Seconds

MINUTE = 60
WINDOWS = {"per-ticket-updates": 600}
"""Endpoint budgets that do not run by the minute, in seconds."""

ENDPOINT = re.compile(r"zendesk-rate-?limit-([a-z0-9-]+)", re.IGNORECASE)
PART = re.compile(r"(total|remaining|resets)\s*=\s*(\d+)")


def buckets(method: str, path: str) -> tuple[str, ...]:
    """The budgets that one request draws on; `path` begins with `/api/v2`."""
    if method == "PUT":
        return ("account", "tickets-update")
    if path.startswith("/api/v2/incremental/"):
        return ("account", "incremental")
    if path.startswith("/api/v2/search/export"):
        return ("account", "search-export")
    if path.partition("?")[0] == "/api/v2/tickets":
        return ("account", "tickets-index")
    return ("account",)


def limits(headers: Mapping[str, str]) -> tuple[Limit, ...]:
    """All budgets that an answer tells of, the account's first. What makes no sense is passed over."""
    return (*account_limit(headers), *endpoint_limits(headers))


def account_limit(headers: Mapping[str, str]) -> Iterator[Limit]:
    """The account's budget, which has three spellings; the lowest remainder counts."""
    totals = numbers(headers, "x-rate-limit", "ratelimit-limit", "rate-limit")
    left = numbers(headers, "x-rate-limit-remaining", "ratelimit-remaining", "rate-limit-remaining")
    resets = numbers(headers, "ratelimit-reset", "rate-limit-reset")
    if totals and left:
        yield Limit(
            bucket="account",
            total=totals[0],
            remaining=min(left),
            window=MINUTE,
            resets_in=resets[0] if resets else None,
        )


def endpoint_limits(headers: Mapping[str, str]) -> Iterator[Limit]:
    """Budgets of single endpoints, such as `zendesk-ratelimit-tickets-update: total=100; remaining=99`."""
    for header, value in headers.items():
        named = ENDPOINT.fullmatch(header)
        parts = {name: int(number) for name, number in PART.findall(value)}
        if named and parts.keys() >= {"total", "remaining"}:
            bucket = bucket_name(named[1].lower())
            yield Limit(
                bucket=bucket,
                total=parts["total"],
                remaining=parts["remaining"],
                window=WINDOWS.get(bucket, MINUTE),
                resets_in=parts.get("resets"),
            )


def bucket_name(endpoint: str) -> str:
    """Our bucket for a vendor's endpoint; all incremental exports share one budget."""
    return "incremental" if "incremental" in endpoint else endpoint


def numbers(headers: Mapping[str, str], *names: str) -> list[int]:
    """The whole numbers found under these names, in this order. Header names compare without case."""
    found = (headers.get(name, "").strip() for name in names)
    return [int(text) for text in found if text.isascii() and text.isdigit()]


def retry_after(headers: Mapping[str, str], otherwise: Seconds) -> Seconds:
    """How long Zendesk asks to wait: seconds, or a date read against Zendesk's own `Date`; at least 1."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return max(1, int(text))
    until, now = stamp(text), stamp(headers.get("date", ""))
    return max(1, until - now) if until and now else otherwise


def stamp(text: str) -> Instant:
    """An HTTP date as an instant; 0 where there is none or it cannot be read."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0
