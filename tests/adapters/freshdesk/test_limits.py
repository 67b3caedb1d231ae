"""Budgets: what the headers say, what a request costs, and which budget a 429 is about."""

import pytest

from adapters.base import Limit
from adapters.freshdesk.answers import buckets, credits_of, held, limits
from adapters.http import read_date, read_wait


def limit(bucket: str, total: int, remaining: int) -> Limit:
    return Limit(bucket=bucket, total=total, remaining=remaining, window=60)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ()),
        ({"x-ratelimit-total": "700"}, ()),
        ({"x-ratelimit-total": "many", "x-ratelimit-remaining": "-3"}, ()),
        ({"x-ratelimit-total": "0", "x-ratelimit-remaining": "0"}, ()),
        ({"x-ratelimit-total": "50.0", "x-ratelimit-remaining": "49.0"}, (limit("account", 50, 49),)),
        (
            {"x-ratelimit-total": "200", "x-ratelimit-remaining": "7.5"},
            (limit("account", 200, 7), limit("tickets-list", 20, 20), limit("ticket-update", 80, 80)),
        ),
        (
            {"x-ratelimit-total": "700.", "x-ratelimit-remaining": "0"},
            (limit("account", 700, 0), limit("tickets-list", 200, 200), limit("ticket-update", 280, 280)),
        ),
    ],
)
def test_limits(headers: dict[str, str], expected: tuple[Limit, ...]) -> None:
    assert limits(headers) == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/tickets", ("account", "tickets-list")),
        ("GET", "/tickets/1", ("account", "get tickets")),
        ("PUT", "/tickets/1", ("account", "ticket-update")),
        ("POST", "/tickets/1/notes", ("account", "post tickets/notes")),
        ("GET", "/contacts/1", ("account", "get contacts")),
    ],
)
def test_buckets(method: str, path: str, expected: tuple[str, ...]) -> None:
    assert buckets(method, path) == expected


@pytest.mark.parametrize(
    ("path", "include", "cost"),
    [
        ("/tickets", "", 1),
        ("/tickets", "stats", 3),
        ("/tickets", "stats,requester,company", 7),
        ("/tickets/1", "stats,company", 3),
        ("/agents", "", 1),
    ],
)
def test_credits(path: str, include: str, cost: int) -> None:
    assert credits_of(path, include) == cost


def test_a_429_is_about_the_endpoint_unless_the_account_is_used_up() -> None:
    spent = ("account", "tickets-list")
    assert held(spent, {}) == "tickets-list"
    assert held(spent, {"x-ratelimit-remaining": "12.0"}) == "tickets-list"
    assert held(spent, {"x-ratelimit-remaining": "0.0"}) == "account"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({}, 44), ({"retry-after": "soon"}, 44), ({"retry-after": "0"}, 1), ({"retry-after": "3599"}, 3599)],
)
def test_retry_after(headers: dict[str, str], wait: int) -> None:
    assert read_wait(headers, otherwise=44) == wait


def test_stamps() -> None:
    assert read_date("Wed, 25 Nov 2026 12:00:00 GMT") == 1795608000
    assert read_date("") == read_date("noon") == 0
