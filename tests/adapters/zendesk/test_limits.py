"""Budgets in Zendesk's headers, in every spelling it uses."""

import pytest

from adapters.base import Limit
from adapters.http import read_wait
from adapters.zendesk.answers import announced, buckets, limits, wait_after_429

NOON = "Wed, 25 Nov 2026 12:00:00 GMT"


def limit(bucket: str, total: int, remaining: int, window: int = 60, resets_in: int | None = None) -> Limit:
    return Limit(bucket=bucket, total=total, remaining=remaining, window=window, resets_in=resets_in)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ()),
        ({"x-rate-limit": "700"}, ()),
        ({"x-rate-limit": "700", "x-rate-limit-remaining": "12"}, (limit("account", 700, 12),)),
        (
            {
                "x-rate-limit": "700",
                "x-rate-limit-remaining": "12",
                "ratelimit-remaining": "9",
                "ratelimit-reset": "7",
            },
            (limit("account", 700, 9, resets_in=7),),
        ),
        (
            {"rate-limit": "700", "rate-limit-remaining": "3", "rate-limit-reset": "41"},
            (limit("account", 700, 3, resets_in=41),),
        ),
        ({"x-rate-limit": "many", "x-rate-limit-remaining": "-3"}, ()),
        (
            {"Zendesk-RateLimit-Tickets-Update": "total=20; remaining=19; resets=46"},
            (limit("tickets-update", 20, 19, resets_in=46),),
        ),
        (
            {"zendesk-rate-limit-per-ticket-updates": "total=30;remaining=0;resets=468"},
            (limit("per-ticket-updates", 30, 0, 600, 468),),
        ),
        (
            {"zendesk-ratelimit-incremental-exports-tickets": "total=10; remaining=9"},
            (limit("incremental", 10, 9),),
        ),
        ({"zendesk-ratelimit-tickets-index": "remaining=9"}, ()),
        ({"zendesk-ratelimit-tickets-index": "sorry"}, ()),
    ],
)
def test_limits(headers: dict[str, str], expected: tuple[Limit, ...]) -> None:
    assert limits(headers) == expected


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 44),
        ({"retry-after": ""}, 44),
        ({"retry-after": "soon"}, 44),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "93"}, 93),
        ({"retry-after": "-5"}, 44),
        ({"retry-after": "Wed, 25 Nov 2026 12:01:30 GMT", "date": NOON}, 90),
        ({"retry-after": "Wed, 25 Nov 2026 11:00:00 GMT", "date": NOON}, 1),
        ({"retry-after": "Wed, 25 Nov 2026 12:01:30 GMT"}, 44),
        ({"retry-after": "Wed, 25 Nov 2026 12:01:30 GMT", "date": "today"}, 44),
    ],
)
def test_retry_after_is_read_without_a_clock(headers: dict[str, str], wait: int) -> None:
    assert read_wait(headers, 44) == wait


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v2/tickets/1?include=users", ("account", "tickets-show")),
        ("GET", "/api/v2/tickets/1/audits?include=users", ("account", "ticket-audits")),
        ("GET", "/api/v2/tickets/1/comments", ("account", "ticket-comments")),
        ("GET", "/api/v2/users/41", ("account", "users")),
        ("GET", "/api/v2/users/me.json", ("account", "users-me")),
        ("GET", "/api/v2/tickets?page[size]=100", ("account", "tickets-index")),
        ("PUT", "/api/v2/tickets/1", ("account", "tickets-update", "per-ticket-updates/1")),
        ("GET", "/api/v2/incremental/tickets/cursor?cursor=x", ("account", "incremental")),
        ("GET", "/api/v2/search/export?query=x", ("account", "search-export")),
    ],
)
def test_buckets(method: str, path: str, expected: tuple[str, ...]) -> None:
    assert buckets(method, path) == expected


PUT = ("account", "tickets-update", "per-ticket-updates/1")


@pytest.mark.parametrize(
    ("headers", "spent", "held", "wait"),
    [
        ({}, ("account", "ticket-audits"), ("ticket-audits",), 60),
        ({"x-rate-limit": "700", "x-rate-limit-remaining": "641"}, PUT, ("per-ticket-updates/1",), 60),
        (
            {"zendesk-ratelimit-per-ticket-updates": "total=30; remaining=0; resets=468"},
            PUT,
            ("per-ticket-updates/1",),
            468,
        ),
        (
            {"zendesk-ratelimit-tickets-update": "total=20; remaining=0; resets=9"},
            PUT,
            ("tickets-update",),
            9,
        ),
        (
            {"x-rate-limit": "700", "x-rate-limit-remaining": "0", "retry-after": "31"},
            ("account", "tickets-show"),
            ("account",),
            31,
        ),
    ],
)
def test_a_limit_belongs_to_the_path_that_announced_it(
    headers: dict[str, str], spent: tuple[str, ...], held: tuple[str, ...], wait: int
) -> None:
    assert (announced(headers, spent), wait_after_429(headers)) == (held, wait)
