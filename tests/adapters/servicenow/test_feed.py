"""The feed and the census: nothing lost, whatever is hidden, late, or stamped alike."""

from typing import Any

import pytest

from adapters.base import NotAllowed, Page, TryLater
from policies.model import Status
from tests.adapters.recording import START
from tests.adapters.servicenow.world import World, world


def tickets(acme: World, many: int, **more: Any) -> list[str]:
    return [acme.desk.open(subject=f"n{number}", caller="Dan", **more) for number in range(many)]


def walk(acme: World, cursor: str | None = None, *, limit: int = 10) -> tuple[list[str], str, int]:
    """All ids to the end of the feed, the cursor it leaves, and how many pages that took."""
    found: list[str] = []
    pages = 0
    while True:
        page: Page = acme.adapter.poll(cursor, since=START - 100, limit=limit)
        assert page.cursor != cursor or not page.more
        found += [ticket.ref.id for ticket in page.tickets]
        cursor, pages = page.cursor, pages + 1
        if not page.more:
            return found, cursor, pages


def census(acme: World) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = acme.adapter.census(cursor)
        found += [ticket.ref.id for ticket in page.tickets]
        cursor = page.cursor
        if not page.more:
            return found


@pytest.mark.parametrize("says_total", [True, False])
def test_five_hundred_rows_of_one_second_come_once_each(says_total: bool) -> None:
    with world(says_total=says_total) as acme:
        made = tickets(acme, 500)
        found, _, _ = walk(acme, limit=150)
        assert sorted(found) == sorted([*made, acme.printer.id])


@pytest.mark.parametrize("says_total", [True, False])
@pytest.mark.parametrize("counts_hidden", [True, False])
@pytest.mark.parametrize("hidden", [slice(0, 15), slice(3, 13), slice(20, 40), slice(0, 40, 2), slice(0, 40)])
def test_hidden_rows_end_no_feed(says_total: bool, counts_hidden: bool, hidden: slice) -> None:
    with world(says_total=says_total, total_counts_hidden=counts_hidden) as acme:
        ids: list[str] = []
        for _ in range(40):
            acme.clock.at += 1
            ids += tickets(acme, 1)
        acme.desk.hidden |= set(ids[hidden])
        found, _, pages = walk(acme)
        assert set(found) == {acme.printer.id, *ids} - set(ids[hidden])
        assert len(found) == len(set(found))
        assert pages < 12


def test_a_poll_begins_a_little_before_what_it_has_seen() -> None:
    with world(settings={"settings": {"overlap": 60}}) as acme:
        begins_a_little_before(acme)


def begins_a_little_before(acme: World) -> None:
    _, cursor, _ = walk(acme)
    acme.clock.at += 30
    (early,) = tickets(acme, 1)
    found, cursor, _ = walk(acme, cursor)
    assert found == [acme.printer.id, early]
    acme.clock.at += 300
    (late,) = tickets(acme, 1)
    found, cursor, _ = walk(acme, cursor)
    assert found == [acme.printer.id, early, late]
    assert walk(acme, cursor)[0] == [late]


def test_an_update_that_becomes_visible_late_is_seen() -> None:
    with world(commit_lag=20) as acme:
        acme.clock.at += 100
        _, cursor, _ = walk(acme)
        (slow,) = tickets(acme, 1)
        acme.clock.at += 10
        assert slow not in walk(acme, cursor)[0]
        acme.clock.at += 15
        assert slow in walk(acme, cursor)[0]


def test_a_feed_that_shows_nothing_stays_where_it_is(acme: World) -> None:
    first = acme.adapter.poll(None, since=START + 5000, limit=10)
    assert first.tickets == ()
    again = acme.adapter.poll(first.cursor, since=0, limit=10)
    assert (again.cursor, again.more) == (first.cursor, False)
    assert acme.adapter.poll(again.cursor, since=0, limit=10).cursor == first.cursor


def test_a_cursor_moves_to_what_was_seen_and_never_to_now(acme: World) -> None:
    acme.clock.at += 100_000
    _, cursor, _ = walk(acme)
    assert cursor.split("|")[1] == acme.row["sys_updated_on"]


def test_an_update_during_the_walk_comes_again(acme: World) -> None:
    made = tickets(acme, 25)
    page = acme.adapter.poll(None, since=START, limit=10)
    acme.clock.at += 1
    moved = page.tickets[0].ref.id
    acme.desk.agent_changes(moved, "Ann", state="2")
    found, _, _ = walk(acme, page.cursor)
    assert found[-1] == moved
    assert {*found, *(ticket.ref.id for ticket in page.tickets)} == {*made, acme.printer.id}


def test_ids_that_are_not_hexadecimal_are_walked_in_the_instances_order(acme: World) -> None:
    odd = ["ZZ9", "aa-B", "Aa_c", "0a", "f" * 32]
    for key in odd:
        acme.desk.open(subject=key, caller="Dan", sys_id=key)
    found, _, _ = walk(acme, limit=2)
    assert sorted(found) == sorted([*odd, acme.printer.id])
    assert sorted(census(acme)) == sorted([*odd, acme.printer.id])


def test_a_filter_on_the_stamp_that_is_left_out_is_noticed(acme: World) -> None:
    acme.clock.at += 5000
    tickets(acme, 1)
    acme.desk.unseen["incident"] = {"sys_updated_on"}
    with pytest.raises(NotAllowed, match="sys_updated_on"):
        acme.adapter.poll(None, since=START + 4000, limit=10)


def test_a_query_that_may_not_sort_is_a_clear_error() -> None:
    with world(query_range=False) as acme:
        with pytest.raises(NotAllowed, match="query_range"):
            acme.adapter.poll(None, since=START, limit=10)
        with pytest.raises(NotAllowed, match="query_range"):
            acme.adapter.census(None)


def test_a_page_that_takes_too_long_is_halved_until_it_does_not() -> None:
    with world(cancel_above=60) as acme:
        waits = 0
        while True:
            try:
                acme.adapter.poll(None, since=START, limit=1000)
                break
            except TryLater:
                waits += 1
        assert waits == 2


def test_rows_of_the_feed_are_whole_snapshots(acme: World) -> None:
    (row,) = acme.adapter.poll(None, since=START, limit=10).tickets
    assert row == acme.load()


def test_the_census_has_what_is_open_only(acme: World) -> None:
    made = tickets(acme, 450)
    acme.desk.rule_changes(made[0], state="7")
    acme.desk.rule_changes(made[1], state="6")
    acme.desk.rule_changes(made[2], state="8")
    assert sorted(census(acme)) == sorted([acme.printer.id, *made[3:]])


def test_a_census_whose_filter_is_left_out_still_has_what_is_open_only(acme: World) -> None:
    made = tickets(acme, 3)
    acme.desk.rule_changes(made[0], state="7")
    acme.desk.unseen["incident"] = {"active"}
    assert sorted(census(acme)) == sorted([acme.printer.id, *made[1:]])


@pytest.mark.parametrize("table", ["sc_task", "sn_customerservice_case"])
def test_other_tables_are_fed_too(table: str) -> None:
    with world(settings={"settings": {"table": table}}) as acme:
        key = acme.desk.open(subject="Case", caller="Dan", table=table, state="1")
        (row,) = acme.adapter.poll(None, since=START, limit=10).tickets
        assert (row.ref.id, row.type) == (key, table)
        assert row.status is (Status.OPEN if table == "sc_task" else Status.NEW)
        assert census(acme) == [key]
