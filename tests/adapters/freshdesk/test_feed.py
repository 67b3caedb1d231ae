"""The list of changes, the lists of what is gone, and the census."""

import json
from typing import Any

import pytest

from adapters.base import AccessLost, NotAllowed, Page, TryLater
from adapters.freshdesk.feed import LAST_PAGE, OVERLAP, Cursor, Place, begin, read_cursor
from policies.model import Status
from tests.adapters.freshdesk.world import TIER1, World, world
from tests.adapters.recording import START

LONG_AGO = START - 1000
YEAR = 365 * 86400


def pages(acme: World, cursor: str | None = None, limit: int = 100) -> list[Page]:
    found = [acme.adapter.poll(cursor, since=LONG_AGO, limit=limit)]
    while found[-1].more:
        found.append(acme.adapter.poll(found[-1].cursor, since=LONG_AGO, limit=limit))
    return found


def numbers(found: list[Page]) -> list[str]:
    return [ticket.ref.id for page in found for ticket in page.tickets]


def more_tickets(acme: World, count: int, **fields: Any) -> None:
    acme.desk.seed(tickets=[{"requester": "Dan", "subject": f"No {n}", **fields} for n in range(count)])


def test_a_round_reads_three_lists_and_each_row_once(acme: World) -> None:
    found = pages(acme)
    (ticket,) = found[0].tickets
    assert numbers(found) == ["1"]
    assert (ticket.read_at, ticket.loaded) == (START, frozenset())
    assert (ticket.group and ticket.group.id, ticket.tags) == (str(TIER1), {"hardware"})
    queries = [row.query for row in acme.desk.log if row.path.endswith("/tickets")]
    assert [("filter=" in query, "include=stats" in query) for query in queries] == [
        (False, True),
        (True, False),
        (True, False),
    ]
    assert all("updated_since=" in query and "order_type=asc" in query for query in queries)
    assert numbers(pages(acme, found[-1].cursor)) == []


def test_a_row_is_the_same_revision_as_the_ticket_itself(acme: World) -> None:
    acme.desk.agent_says(1, "Ann", "On it", status=3, assignee="Ann")
    (ticket,) = pages(acme)[0].tickets
    assert ticket.revision == acme.adapter.load(ticket.ref, frozenset()).revision


@pytest.mark.parametrize("exclusive", [True, False])
def test_changes_come_once_and_two_in_one_second_both(exclusive: bool) -> None:
    with world(since_exclusive=exclusive) as acme:
        cursor = pages(acme)[-1].cursor
        acme.clock.at += 5
        acme.desk.customer_says(1, "Still burning")
        found = pages(acme, cursor)
        assert numbers(found) == ["1"]
        acme.desk.agent_changes(1, "Ann", priority=4)
        found = pages(acme, found[-1].cursor)
        assert numbers(found) == ["1"]
        acme.clock.at += 500
        acme.desk.agent_changes(1, "Ann", priority=2)
        assert numbers(pages(acme, found[-1].cursor)) == ["1"]


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("apart", [0, 1, 7])
def test_many_changes_are_paged_through_without_gap_or_repeat(exclusive: bool, apart: int) -> None:
    with world(since_exclusive=exclusive) as acme:
        for _ in range(23):
            acme.clock.at += apart
            more_tickets(acme, 1)
        found = pages(acme, limit=5)
        assert sorted(map(int, numbers(found))) == list(range(1, 25))


def test_a_row_that_moves_to_the_end_pushes_no_other_off_its_page(acme: World) -> None:
    for _ in range(9):
        acme.clock.at += 5
        more_tickets(acme, 1)
    first = acme.adapter.poll(None, since=LONG_AGO, limit=5)
    acme.clock.at += 5
    acme.desk.agent_changes(1, "Ann", priority=4)
    acme.desk.agent_changes(3, "Ann", priority=4)
    rest = pages(acme, first.cursor, limit=5)
    assert set(numbers([first, *rest])) == {str(number) for number in range(1, 11)}


def test_the_wall_behind_the_last_page_is_never_run_into() -> None:
    place = Place(start=START, newest=START, page=LAST_PAGE)
    assert place.after({}, more=True) == (Place(start=START, newest=START, order="back"), False)
    assert Place(start=START, newest=START, page=7).after({}, more=True)[0].page == 8


def test_behind_the_wall_the_second_is_read_from_its_other_end_too() -> None:
    with world() as acme:
        more_tickets(acme, 499)
        acme.clock.at += 30
        more_tickets(acme, 3)
        found = pages(acme, limit=1)
        assert sorted(map(int, numbers(found))) == list(range(1, 504))
        assert [page.remarks for page in found if page.remarks] == []
        queries = [row.query for row in acme.desk.log if "filter" not in row.query and "page=" in row.query]
        assert max(int(query.rpartition("&page=")[2].partition("&")[0]) for query in queries) == LAST_PAGE


def test_what_may_lie_between_both_ends_is_said_and_found_by_the_census(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.freshdesk.feed.LAST_PAGE", 3)
    monkeypatch.setattr("adapters.freshdesk.feed.PAGE", 5)
    with world(last_page=3) as acme:
        middle = [
            {"requester": "Dan", "subject": "Old", "at": START - 5000 - n, "id": 16 + n} for n in range(9)
        ]
        acme.desk.seed(tickets=[{"requester": "Dan", "subject": "New", "id": n} for n in range(2, 16)])
        acme.desk.seed(tickets=middle)
        acme.desk.seed(tickets=[{"requester": "Dan", "subject": "New", "id": n} for n in range(25, 40)])
        for number in range(1, 40):
            acme.desk.rule_changes(number, tags=["moved"])
        found = pages(acme, limit=5)
        missed = set(range(1, 40)) - set(map(int, numbers(found)))
        assert missed == set(range(16, 25))
        (remark,) = [text for page in found for text in page.remarks]
        assert "15 from either end" in remark
        assert "census" in remark
        counted = census(acme)
        assert missed <= set(map(int, numbers(counted)))
        after = acme.clock.at = acme.clock.at + 90
        acme.desk.customer_says(3, "Still?")
        (news,) = [
            each
            for page in pages(acme, found[-1].cursor, limit=5)
            for each in page.tickets
            if each.updated == after
        ]
        assert news.ref.id == "3"


def test_a_wall_that_comes_sooner_than_documented_is_one_too() -> None:
    with world(last_page=4) as acme:
        more_tickets(acme, 7)
        found = pages(acme, limit=1)
        assert sorted(map(int, numbers(found))) == list(range(1, 9))


@pytest.mark.parametrize("word", ["deleted", "spam"])
@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_list_of_what_is_gone_that_is_refused_is_said_and_stops_no_other(word: str, status: int) -> None:
    with world() as acme:
        acme.fault("answer", path="*/tickets", skip=1 if word == "deleted" else 2, status=status)
        found = pages(acme)
        assert numbers(found) == ["1"]
        (remark,) = [text for page in found for text in page.remarks]
        assert word in remark
        acme.clock.at += 5
        acme.desk.customer_says(1, "And?")
        assert numbers(pages(acme, found[-1].cursor)) == ["1"]


def test_the_list_of_tickets_that_is_refused_names_the_right(acme: World) -> None:
    for read_page in (
        lambda: acme.adapter.poll(None, since=LONG_AGO, limit=10),
        lambda: acme.adapter.census(None),
    ):
        acme.fault("answer", path="*/tickets", status=403)
        with pytest.raises(NotAllowed, match="The list of tickets is refused") as told:
            read_page()
        assert "Global access" in told.value.right


ODD: dict[str, Any] = {
    "priority": ["urgent"], "status": "2", "tags": ["a", None], "group_id": {"id": 1}, "responder_id": -5,
    "requester_id": [], "custom_fields": [], "subject": 5, "type": ["x"], "source": "email", "updated_at": "soon",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_one_odd_row_is_set_aside_and_the_others_go_on(acme: World, name: str) -> None:
    more_tickets(acme, 2)
    acme.desk.spoil(2, shows={name: ODD[name]})
    for found in (pages(acme), census(acme)):
        assert set(numbers(found)) == {"1", "3"}
        (aside,) = [each for page in found for each in page.aside]
        assert aside.id == "2"
        assert name in aside.why
    cursor = pages(acme)[-1].cursor
    acme.clock.at += 400
    acme.desk.customer_says(3, "And?")
    found = pages(acme, cursor)
    assert numbers(found) == ["3"]
    if name != "updated_at":
        assert [each for page in pages(acme, found[-1].cursor) for each in page.aside] == []


def test_an_update_in_the_future_does_not_move_the_feed_there(acme: World) -> None:
    more_tickets(acme, 1)
    acme.desk.spoil(2, shows={"updated_at": "9999-01-01T00:00:00Z"})
    found = pages(acme)
    assert [each.id for page in found for each in page.aside] == ["2"]
    acme.clock.at += 400
    acme.desk.customer_says(1, "And?")
    assert "1" in numbers(pages(acme, found[-1].cursor))


@pytest.mark.parametrize("entry", [None, 5, "x", [], {}, {"id": None}, {"id": "a" * 50}, {"id": 9**40}])
def test_an_entry_that_is_no_ticket_is_set_aside_without_a_name(acme: World, entry: Any) -> None:
    good = acme.desk.ticket(1).json | {"stats": acme.desk.ticket(1).stats}
    acme.fault("answer", path="*/tickets", status=200, body=[entry, good])
    page = acme.adapter.poll(None, since=LONG_AGO, limit=10)
    assert [each.ref.id for each in page.tickets] == ["1"]
    assert [each.id for each in page.aside] == [""]


def test_a_row_says_what_it_does_not_tell(acme: World) -> None:
    acme.adapter.directory()
    row = pages(acme)[0].tickets[0]
    people = {"requester", "requester.name", "requester.address", "requester.tags", "requester.vip"}
    people |= {"requester.organization", "language", "organization"}
    assert row.hidden == people | {"description", "phrases", "custom.seats"} - {"custom.seats"}
    acme.desk.ticket(1).json["group_id"] = 77
    assert "group" in pages(acme)[0].tickets[0].hidden


def test_tags_that_a_list_leaves_out_are_hidden_and_null_ones_are_none() -> None:
    with world(list_has_tags=False) as acme:
        assert "tags" in pages(acme)[0].tickets[0].hidden
    with world() as acme:
        acme.desk.ticket(1).json["tags"] = None
        row = pages(acme)[0].tickets[0]
        assert (row.tags, "tags" in row.hidden) == (frozenset(), False)


def test_half_a_character_is_replaced(acme: World) -> None:
    acme.desk.ticket(1).json |= {"subject": "hello \ud83d", "tags": ["a\x00b"]}
    row = {**acme.desk.ticket(1).json, "stats": acme.desk.ticket(1).stats}
    acme.fault("answer", path="*/tickets", status=200, body=json.dumps([row]))
    ticket = pages(acme)[0].tickets[0]
    assert (ticket.subject, ticket.tags) == ("hello \ufffd", {"a\ufffdb"})


def test_without_a_time_old_tickets_would_be_missed(acme: World) -> None:
    acme.desk.seed(tickets=[{"requester": "Dan", "subject": "Old", "at": START - YEAR}])
    assert sorted(numbers([acme.adapter.census(None)])) == ["1", "2"]


@pytest.mark.parametrize(("act", "gone"), [("delete", "deleted"), ("mark_as_spam", "spam")])
def test_what_leaves_the_list_is_told_as_gone(acme: World, act: str, gone: str) -> None:
    cursor = pages(acme)[-1].cursor
    acme.clock.at += 30
    getattr(acme.desk, act)(1)
    found = pages(acme, cursor)
    assert [(ticket.ref.id, ticket.gone) for page in found for ticket in page.tickets] == [("1", gone)]
    assert numbers(pages(acme, found[-1].cursor)) == []
    acme.clock.at += 30
    acme.desk.restore(1)
    back = [ticket for page in pages(acme, found[-1].cursor) for ticket in page.tickets]
    assert [ticket.gone for ticket in back] == [None]


def test_a_cursor_is_kept_and_a_spoiled_one_begins_again(acme: World) -> None:
    cursor = pages(acme)[-1].cursor
    assert read_cursor(cursor).text() == cursor
    for spoiled in ("", "{}", "[]", "null", '{"list":"x","places":{}}', '{"list":"","places":{"":[1]}}'):
        assert numbers(pages(acme, spoiled)) == ["1"]


def test_a_place_looks_back_but_forgets_what_it_need_not_know() -> None:
    place = Place(start=0, newest=START, seen={"old": START - OVERLAP - 1, "new": START - OVERLAP})
    after, lost = place.after({}, more=False)
    assert not lost
    assert (after.start, dict(after.seen)) == (START - OVERLAP, {"new": START - OVERLAP})
    assert begin(("",), 5) == Cursor(list="", places={"": Place(start=5, newest=5)})


def test_custom_statuses_count_as_guessed_and_keep_their_name(acme: World) -> None:
    acme.desk.seed(statuses={"8": "Escalated to lab", "7": "Parked"})
    more_tickets(acme, 1, status=8)
    more_tickets(acme, 1, status=7)
    more_tickets(acme, 1, status=6)
    told = [(each.status, each.status_name) for page in pages(acme) for each in page.tickets][1:]
    assert told == [
        (Status.OPEN, "Escalated to lab"),
        (Status.ON_HOLD, "Parked"),
        (Status.PENDING, "Waiting on Customer"),
    ]


def test_the_form_is_read_again_for_a_new_status_only(acme: World) -> None:
    pages(acme)
    acme.desk.seed(statuses={"9": "New"})
    acme.desk.agent_changes(1, "Ann", status=9)
    pages(acme)
    acme.desk.ticket(1).json["status"] = 10
    pages(acme)
    pages(acme)
    assert acme.sent("GET").count(("GET", "ticket_fields")) == 3


def test_the_form_is_read_again_with_the_directory(acme: World) -> None:
    pages(acme)
    acme.desk.seed(statuses={"2": "Neu"})
    acme.adapter.directory()
    acme.desk.agent_changes(1, "Ann", priority=4)
    assert pages(acme)[0].tickets[0].status_name == "Neu"


def census(acme: World) -> list[Page]:
    found = [acme.adapter.census(None)]
    while found[-1].more:
        found.append(acme.adapter.census(found[-1].cursor))
    return found


def test_the_census_lists_every_open_ticket_once(acme: World) -> None:
    for number in range(110):
        acme.clock.at += number % 3
        more_tickets(acme, 1)
        more_tickets(acme, 1, status=4 + number % 2)
    found = census(acme)
    assert len(found) > 2
    assert len(numbers(found)) == 111
    assert len(set(numbers(found))) == 111
    assert all(page.cursor for page in found)


@pytest.mark.parametrize("body", ["<html>busy</html>", {"results": []}, {"tickets": []}, 5, "null", None])
def test_a_page_that_cannot_be_read_is_not_an_empty_page(acme: World, body: Any) -> None:
    for read_page in (
        lambda: acme.adapter.poll(None, since=LONG_AGO, limit=10),
        lambda: acme.adapter.census(None),
    ):
        acme.fault("answer", path="*/tickets", status=200 if body is not None else 502, body=body)
        with pytest.raises(TryLater):
            read_page()


@pytest.mark.parametrize("word", ["deleted", "spam"])
def test_an_outage_of_a_side_list_is_no_end_of_the_round(acme: World, word: str) -> None:
    acme.fault("answer", path="*/tickets", skip=1 if word == "deleted" else 2, status=503)
    with pytest.raises(TryLater):
        pages(acme)


def test_a_list_costs_its_own_budget_and_what_it_embeds(acme: World) -> None:
    acme.adapter.poll(None, since=LONG_AGO, limit=10)
    listed = [buckets for buckets in acme.gate.entered if "tickets-list" in buckets]
    assert listed == [("account", "tickets-list")]
    assert acme.gate.entered.count(("account",)) == 2  # for the embedded stats


def test_a_spent_list_budget_is_a_wait() -> None:
    with world(plan="growth", limits={}) as acme:
        for _ in range(20):
            acme.adapter.poll(None, since=LONG_AGO, limit=10)
        with pytest.raises(TryLater) as caught:
            acme.adapter.poll(None, since=LONG_AGO, limit=10)
        assert caught.value.wait == 60
        assert acme.gate.held == [("tickets-list", 60)]
        assert {(each.bucket, each.total) for each in acme.gate.learned} == {
            ("account", 200),
            ("tickets-list", 20),
            ("ticket-update", 80),
        }


def test_lost_access_is_no_empty_feed(acme: World) -> None:
    acme.desk.access.revoke()
    with pytest.raises(AccessLost):
        acme.adapter.poll(None, since=LONG_AGO, limit=10)
    with pytest.raises(AccessLost):
        acme.adapter.census(None)
