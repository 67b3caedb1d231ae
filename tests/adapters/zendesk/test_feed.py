"""The cursor export and the census."""

from typing import Any

import pytest

from adapters.base import AccessLost, Page, TryLater
from tests.adapters.recording import START
from tests.adapters.zendesk.world import World, world

LONG_AGO = START - 1000
ROW: dict[str, Any] = {"id": 6, "updated_at": "2026-11-25T11:00:00Z"}


def pages(acme: World, cursor: str | None = None, limit: int = 100) -> list[Page]:
    found = [acme.adapter.poll(cursor, since=LONG_AGO, limit=limit)]
    while found[-1].more:
        found.append(acme.adapter.poll(found[-1].cursor, since=LONG_AGO, limit=limit))
    return found


def numbers(*found: Page) -> list[str]:
    return [ticket.ref.id for page in found for ticket in page.tickets]


def more_tickets(acme: World, count: int, **fields: Any) -> None:
    acme.desk.seed(tickets=[{"requester": "Dan", "subject": f"No {n}", **fields} for n in range(count)])


def test_a_poll_gives_whole_snapshots_and_goes_on_from_its_cursor(acme: World) -> None:
    acme.clock.at += 100
    (page,) = pages(acme)
    (ticket,) = page.tickets
    assert (ticket.requester and ticket.requester.label, ticket.requester and ticket.requester.vip) == (
        "cleo@initech.test",
        True,
    )
    assert (ticket.group and ticket.group.name, ticket.organization) == ("Tier 1", "Initech")
    assert (ticket.read_at, ticket.loaded) == (START + 100, frozenset())
    assert numbers(*pages(acme, page.cursor)) == []
    acme.desk.customer_says(1, "Still burning")
    acme.clock.at += 100
    assert numbers(*pages(acme, page.cursor)) == ["1"]


def test_a_poll_pages_through_by_limit(acme: World) -> None:
    more_tickets(acme, 4)
    acme.clock.at += 100
    found = pages(acme, limit=2)
    assert sorted(numbers(*found)) == ["1", "2", "3", "4", "5"]
    assert all(len(page.tickets) <= 2 for page in found)
    assert [page.more for page in found[:2]] == [True, True]


def test_an_empty_page_without_a_cursor_keeps_the_one_before() -> None:
    with world(export_null_cursor=True) as acme:
        acme.clock.at += 100
        (page,) = pages(acme)
        assert acme.adapter.poll(page.cursor, since=LONG_AGO, limit=10).cursor == page.cursor


def test_before_the_first_cursor_the_start_time_is_one() -> None:
    with world(export_null_cursor=True) as acme:
        acme.clock.at += 500
        empty = acme.adapter.poll(None, since=START + 200, limit=10)
        assert (empty.tickets, empty.more) == ((), False)
        acme.desk.customer_says(1, "Still burning")
        acme.clock.at += 100
        assert numbers(acme.adapter.poll(empty.cursor, since=0, limit=10)) == ["1"]
        starts = [row.as_json()["query"] for row in acme.desk.log]
        assert all(f"start_time={START + 200}" in query for query in starts)


def test_a_deleted_ticket_is_gone_and_not_left_out(acme: World) -> None:
    acme.desk.delete(1, "Ann")
    acme.clock.at += 100
    (page,) = pages(acme)
    assert [(ticket.ref.id, ticket.gone) for ticket in page.tickets] == [("1", "deleted")]


@pytest.mark.parametrize(("asked", "sent"), [(0, 1), (50, 50), (5000, 1000)])
def test_the_limit_stays_within_what_zendesk_allows(acme: World, asked: int, sent: int) -> None:
    acme.clock.at += 100
    acme.adapter.poll(None, since=LONG_AGO, limit=asked)
    assert f"per_page={sent}&" in acme.desk.log[-1].as_json()["query"]


def test_a_start_inside_the_last_minute_is_a_wait(acme: World) -> None:
    with pytest.raises(TryLater):
        acme.adapter.poll(None, since=START, limit=10)


@pytest.mark.parametrize(
    "body", ["<html>busy</html>", {"tickets": None}, {"count": 3}, {"tickets": ["x"]}, {"tickets": [{}]}, []]
)
def test_a_page_that_cannot_be_read_is_not_an_empty_page(acme: World, body: Any) -> None:
    acme.fault("answer", status=200, body=body)
    with pytest.raises(TryLater):
        acme.adapter.poll(None, since=LONG_AGO, limit=10)


def test_the_export_is_charged_to_its_own_budget(acme: World) -> None:
    acme.clock.at += 100
    acme.adapter.poll(None, since=LONG_AGO, limit=10)
    assert acme.gate.entered[-1] == ("account", "incremental")
    assert {limit.bucket for limit in acme.gate.learned} == {"account", "incremental"}


def census(acme: World) -> list[Page]:
    found = [acme.adapter.census(None)]
    while found[-1].more:
        found.append(acme.adapter.census(found[-1].cursor))
    return found


def test_the_census_searches_and_says_that_people_are_missing(acme: World) -> None:
    more_tickets(acme, 1, status="solved", assignee="Ann")
    (page,) = census(acme)
    assert numbers(page) == ["1"]
    assert page.tickets[0].hidden >= {f"requester.{each}" for each in ("name", "address", "tags", "vip")}


@pytest.mark.parametrize("empty_last_page", [True, False])
@pytest.mark.parametrize("gate", ["open", "forbidden", "missing"])
def test_the_census_lists_every_open_ticket_once(gate: str, empty_last_page: bool) -> None:
    with world(search_export=gate, empty_last_page=empty_last_page) as acme:
        more_tickets(acme, 149)
        more_tickets(acme, 50, status="solved", assignee="Ann")
        found = census(acme)
        assert sorted(map(int, numbers(*found))) == list(range(1, 151))
        assert not found[-1].more
        assert all(page.cursor for page in found)


def test_a_census_by_list_knows_the_people() -> None:
    with world(search_export="forbidden") as acme:
        (page,) = census(acme)
        assert not page.tickets[0].hidden
        assert page.tickets[0].requester is not None
        assert page.tickets[0].requester.vip


@pytest.mark.parametrize("status", [400, 422])
def test_a_search_cursor_that_is_refused_starts_the_list(acme: World, status: int) -> None:
    acme.fault("answer", path="*search/export*", status=status)
    assert numbers(acme.adapter.census("search:too-old")) == ["1"]


def test_a_status_of_next_year_is_not_lost(acme: World) -> None:
    row = {"id": 5, "status": "triaged", "updated_at": "2026-11-25T11:00:00Z"}
    acme.fault("answer", status=200, body={"tickets": [row], "after_cursor": "x", "end_of_stream": True})
    assert numbers(acme.adapter.poll(None, since=LONG_AGO, limit=10)) == ["5"]


def test_search_results_of_another_kind_are_passed_over(acme: World) -> None:
    rows = [{"id": 5, "result_type": "user"}, {**ROW, "result_type": "ticket", "status": "open"}]
    acme.fault("answer", status=200, body={"results": rows, "meta": {"has_more": False}})
    assert numbers(acme.adapter.census(None)) == ["6"]


def test_an_outage_of_the_search_is_no_reason_to_list(acme: World) -> None:
    acme.fault("answer", path="*search/export*", status=503)
    with pytest.raises(TryLater):
        acme.adapter.census(None)
    acme.fault("answer", path="*search/export*", status=401)
    with pytest.raises(AccessLost):
        acme.adapter.census(None)
