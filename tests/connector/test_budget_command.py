"""Where the requests to each helpdesk went: as the helpdesk counted them, in the command and on the page *Health*."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from adapters.base import Limit
from adapters.freshdesk.client import credits_of
from connector.config.values import vendors
from connector.report.calls import DAY, HOUR, Calls, calls_of, census_of, hours_of, savings
from connector.store import fleet
from tests.connector.each import EACH, Each, each

WRITES = {"zendesk": 1, "freshdesk": 2, "servicenow": 1}
"""Requests that write, of one escalation."""


def shown(one: Each) -> Calls:
    parts = one.service.parts
    with parts.store.reading() as connection:
        return calls_of(
            connection,
            one.desk.account,
            vendor=vendors()[one.vendor],
            share=1.0,
            poll=60,
            policies=parts.rules().policies,
            now=one.clock.now(),
        )


@pytest.mark.parametrize("vendor", EACH)
def test_every_request_is_counted_once_and_for_what_it_was(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one", "two")
        one.round(minutes=31)
        found = {each.purpose: each.day for each in shown(one).spent}
        asked = [row for row in one.desk.desk.log if "oauth" not in row.path]
        assert sum(found.values()) == sum(cost(vendor, row) for row in asked)
        assert found["write"] >= 2 * WRITES[vendor]
        assert found["look"] > 0
        assert found["changes"] > 0
        assert found["directory"] > 0
        assert found["open tickets"] > 0


def cost(vendor: str, row: Any) -> int:
    """What the helpdesk counts for a request: Freshdesk more where something is included."""
    if vendor != "freshdesk":
        return 1
    included = parse_qs(row.query).get("include", [""])[0]
    return credits_of(row.path.removeprefix("/api/v2"), included)


@pytest.mark.parametrize("vendor", EACH)
def test_looks_that_wrote_nothing_are_told_from_those_that_did(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("late")
        one.round(minutes=31)
        assert one.applied() == WRITES[vendor]
        one.opened("early")
        before = {each.purpose: each.day for each in shown(one).spent}
        one.round()
        asked = len(one.desk.desk.log)
        one.service.parts.worker.work(one.ref("early"))
        read = [row for row in one.desk.desk.log[asked:] if "oauth" not in row.path]
        one.round()
        found = {each.purpose: each.day for each in shown(one).spent}
        assert found["look"] == before["look"], "the look that escalated"
        assert found["idle look"] - before.get("idle look", 0) >= sum(cost(vendor, row) for row in read) > 0
        assert found["write"] == before["write"]


def test_hours_are_told_apart_and_a_week_is_kept(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.round()
        first = shown(one)
        assert sum(each.hour for each in first.spent) == first.day > 0
        one.clock.advance(3600)
        later = shown(one)
        assert sum(each.hour for each in later.spent) == 0
        assert later.day == first.day
        one.clock.advance(86400)
        assert shown(one).day == 0
        assert sum(each.week for each in shown(one).spent) == first.day
        one.clock.advance(8 * 86400)
        one.service.forget()
        assert shown(one).spent == ()


@pytest.mark.parametrize("vendor", EACH)
def test_the_price_of_a_census_is_what_it_took(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one", "two")
        one.round()
        found = shown(one)
        taken = {each.purpose: each.day for each in found.spent}["open tickets"]
        assert (found.open_tickets, found.census) == (2, taken)
        assert found.seconds == (None if vendor == "servicenow" else 1)


PRICES = [
    ("zendesk", (("account", 400, 60),), 0, (15, 7)),
    ("zendesk", (("account", 400, 60), ("search-export", 20, 60)), 0, (15, 129)),
    ("freshdesk", (("account", 200, 60), ("tickets-list", 20, 60)), 0, (45, 129)),
    ("freshdesk", (("account", 200, 60), ("tickets-list", 20, 60)), 1500, (1500, 4286)),
    ("servicenow", (("rule a", 5000, 3600), ("rule b", 100, 3600)), 0, (8, 823)),
    ("servicenow", (), 0, (8, None)),
]
"""1,500 open tickets on plans of each helpdesk, and what the last day's censuses took: requests and seconds."""


@pytest.mark.parametrize(("vendor", "told", "taken", "price"), PRICES)
def test_the_price_of_a_census_goes_by_the_limits_that_it_draws_on(
    vendor: str, told: Any, taken: int, price: tuple[int, int | None]
) -> None:
    limits = tuple(
        Limit(bucket=bucket, total=total, remaining=total, window=window) for bucket, total, window in told
    )
    assert census_of(1500, limits, 0.5, vendors()[vendor].census, taken) == price


def test_what_would_save_most_is_named_with_its_number(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        policies = one.service.parts.rules().policies
        day = {"changes": 8640, "look": 100, "write": 20}
        assert tuple(savings(day, 10, policies, "acme", webhooks=True)) == (
            'webhooks arrive: `poll = "5m"` would save about 8352 a day',
        )
        assert tuple(
            savings({"look": 40, "idle look": 480, "write": 20}, 300, policies, "acme", webhooks=True)
        ) == ('looks that wrote nothing took 480: "urgent-unanswered" ask for more than a row tells',)
        assert (
            tuple(savings({"changes": 288, "look": 20, "write": 20}, 300, policies, "acme", webhooks=True))
            == ()
        )


def test_a_count_grows_in_its_hour_whoever_adds_to_it(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one, one.service.parts.store.writing() as connection:
        for many in (3, 4):
            fleet.count_sent(connection, "other", 7200, "look", many)
        assert fleet.sent_by_purpose(connection, "other", 7200) == {"look": 7}
        assert fleet.sent_by_purpose(connection, "other", 7201) == {}


def test_the_day_is_told_hour_by_hour_with_what_took_most_by_name() -> None:
    now = 100 * HOUR
    purposes = {"look": 50, "write": 40, "changes": 30, "idle look": 20, "directory": 2, "open tickets": 1}
    sent = {now: purposes, now - DAY + HOUR: {"look": 3}}
    found = hours_of(sent, now, Limit(bucket="account", total=700, remaining=1, window=60))
    assert found.names == ("look", "write", "changes", "idle look", "others")
    assert len(found.counts) == 24
    assert found.counts[0] == (now - DAY + HOUR, (3, 0, 0, 0, 0))
    assert found.counts[-1] == (now, (50, 40, 30, 20, 3))
    assert found.limit == 42_000
    nothing = hours_of({}, now, None)
    assert (nothing.names, nothing.limit) == ((), None)
