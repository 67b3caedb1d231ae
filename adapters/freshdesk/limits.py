"""What Freshdesk's headers say of its budget, and what a request costs of it.

The headers tell the account's budget only. Endpoints have budgets of their own, which depend on the plan, and
the account's total tells the plan. https://developers.freshdesk.com/api/#ratelimit
"""

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from adapters.base import Limit
from policies.model import Instant, Seconds

ACCOUNT, LIST, UPDATE = "account", "tickets-list", "ticket-update"
MINUTE = 60

PLANS: Mapping[int, tuple[int, int]] = {
    100: (40, 40),
    200: (20, 80),
    400: (100, 160),
    700: (200, 280),
    1000: (300, 400),
    2000: (400, 800),
}
"""By the account's requests a minute: lists of tickets and updates of tickets a minute. Two plans have 200 a
minute; the smaller one counts."""

ID = re.compile(r"/[0-9]+")
TICKET_PATH = re.compile(r"/tickets/[0-9]+")
NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]*)?")


def buckets(method: str, path: str) -> tuple[str, ...]:
    """The budgets that one request draws on; `path` is below `/api/v2`. Every kind of path has one of its own: its
    size is not told but for two, yet what a 429 holds up is only the kind of path that announced it."""
    if method == "GET" and path == "/tickets":
        return (ACCOUNT, LIST)
    if method == "PUT" and TICKET_PATH.fullmatch(path):
        return (ACCOUNT, UPDATE)
    return (ACCOUNT, f"{method.lower()} {ID.sub('', path).strip('/')}")


def credits_of(path: str, include: str) -> int:
    """How many requests Freshdesk counts this one as: an `include` costs one on a ticket, two on the list."""
    names = [name for name in include.split(",") if name]
    return 1 + len(names) * (2 if path == "/tickets" else 1)


def limits(headers: Mapping[str, str]) -> tuple[Limit, ...]:
    """The account's budget and what follows from it. Nothing where the headers make no sense."""
    total, left = number(headers, "x-ratelimit-total"), number(headers, "x-ratelimit-remaining")
    if not total or left is None:
        return ()
    account = Limit(bucket=ACCOUNT, total=total, remaining=left, window=MINUTE)
    return (account, *endpoints(total))


def endpoints(total: int) -> Iterator[Limit]:
    """The endpoints' budgets on the plan with this total. What is left of them Freshdesk never says."""
    for bucket, size in zip((LIST, UPDATE), PLANS.get(total, ()), strict=False):
        yield Limit(bucket=bucket, total=size, remaining=size, window=MINUTE)


def held(spent: tuple[str, ...], headers: Mapping[str, str]) -> str:
    """The budget behind a 429: the endpoint's, unless the account's own is used up."""
    return ACCOUNT if number(headers, "x-ratelimit-remaining") == 0 else spent[-1]


def number(headers: Mapping[str, str], name: str) -> int | None:
    """A header's number, rounded down; some accounts write `50.0`. None where there is none."""
    text = headers.get(name, "").strip()
    return int(float(text)) if NUMBER.fullmatch(text) else None


def retry_after(headers: Mapping[str, str], otherwise: Seconds) -> Seconds:
    """How many seconds Freshdesk asks to wait, at least 1."""
    wait = number(headers, "retry-after")
    return otherwise if wait is None else max(1, wait)


def stamp(text: str) -> Instant:
    """An HTTP date as an instant; 0 where there is none or it cannot be read."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0
