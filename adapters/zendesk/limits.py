"""What Zendesk's headers say of its budgets, and which budgets a request draws on.

https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from adapters.base import Limit
from policies.model import Instant, Seconds

MINUTE = 60
PER_TICKET = "per-ticket-updates"
WINDOWS = {PER_TICKET: 600}
"""Endpoint budgets that do not run by the minute, in seconds."""

TICKETS: Mapping[tuple[str, ...], str] = {("audits",): "ticket-audits", ("comments",): "ticket-comments"}
"""Lists below a ticket, which Zendesk limits by themselves."""

ENDPOINT = re.compile(r"zendesk-rate-?limit-([a-z0-9-]+)", re.IGNORECASE)
PART = re.compile(r"(total|remaining|resets)\s*=\s*(\d+)")


def buckets(method: str, path: str) -> tuple[str, ...]:
    """The budgets that one request draws on, the narrowest last; `path` begins with `/api/v2`. Each endpoint may have
    a limit of its own, and each ticket one for its updates, so each is a budget that can be held by itself."""
    parts = path.partition("?")[0].removeprefix("/api/v2/").removesuffix(".json").split("/")
    if method == "PUT":
        return ("account", "tickets-update", f"{PER_TICKET}/{parts[-1]}")
    if parts[0] == "incremental":
        return ("account", "incremental")
    if parts[0] == "tickets":
        return ("account", TICKETS.get(tuple(parts[2:]), "tickets-show") if parts[1:] else "tickets-index")
    return ("account", "-".join(part for part in parts if not part.isdigit()))


def announced(headers: Mapping[str, str], spent: tuple[str, ...]) -> tuple[str, ...]:
    """The budgets out of `spent` that a 429 speaks of: those that its headers say are used up, else the narrowest.
    Zendesk refuses by endpoint also while the account has requests left."""
    empty = {limit.bucket for limit in limits(headers) if limit.remaining <= 0}
    if PER_TICKET in empty:
        return (spent[-1],)
    return tuple(bucket for bucket in spent if bucket in empty) or spent[-1:]


def wait_after_429(headers: Mapping[str, str]) -> Seconds:
    """How long a 429 asks to wait, in seconds; where it does not say, until what is used up is full again."""
    resets = [limit.resets_in for limit in limits(headers) if limit.remaining <= 0 and limit.resets_in]
    return retry_after(headers, max(resets, default=MINUTE))


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
