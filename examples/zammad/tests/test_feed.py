"""What is Zammad's own in its feeds."""

from collections.abc import Callable, Iterator
from typing import Any

from policies.model import Ticket


def everything(read: Callable[[str | None], Any]) -> Iterator[Ticket]:
    """The tickets of all pages."""
    cursor, more = None, True
    while more:
        page = read(cursor)
        yield from page.tickets
        cursor, more = page.cursor, page.more


def test_more_tickets_than_a_page_in_one_stamp_are_all_read(worlds: Callable[..., Any]) -> None:
    with worlds(coarse=True) as world:
        for number in range(230):
            world.desk.open(customer="Dan", subject=f"Ticket {number}", group="Tier 1")
        for read in (
            world.adapter.census,
            lambda cursor: world.adapter.poll(cursor, since=world.clock.at - 60, limit=1000),
        ):
            listed = [each.ref.id for each in everything(read)]
            assert len(listed) == len(set(listed)) == 231


def test_a_round_looks_back_and_tells_nothing_twice(world: Any) -> None:
    page = world.adapter.poll(None, since=world.clock.at - 60, limit=50)
    assert [each.ref.id for each in page.tickets] == ["1"]
    assert world.adapter.poll(page.cursor, since=0, limit=50).tickets == ()
    late = world.desk.open(customer="Dan", subject="Committed late", group="Tier 1", at=world.clock.at - 30)
    again = world.adapter.poll(page.cursor, since=0, limit=50)
    assert [each.ref.id for each in again.tickets] == [str(late)]


def test_a_merged_ticket_is_told_as_gone(world: Any) -> None:
    world.desk.open(customer="Dan", subject="The same", group="Tier 1")
    world.desk.merge(2, 1, "Ann")
    found = {
        each.ref.id: each.gone
        for each in world.adapter.poll(None, since=world.clock.at - 60, limit=50).tickets
    }
    assert found == {"1": None, "2": "merged"}
    assert [each.ref.id for each in world.adapter.census(None).tickets] == ["1"]


def test_a_row_that_cannot_be_read_is_set_aside(world: Any) -> None:
    world.desk.open(customer="Dan", subject="Well", group="Tier 1")
    world.adapter.directory()
    world.fault("spoil", path="*/search", place=[0, "state_id"], absent=True)
    page = world.adapter.census(None)
    assert ([each.id for each in page.aside], [each.ref.id for each in page.tickets]) == (["1"], ["2"])


def test_a_cursor_of_another_kind_begins_again(world: Any) -> None:
    page = world.adapter.poll('{"list": ""}', since=world.clock.at - 60, limit=50)
    assert [each.ref.id for each in page.tickets] == ["1"]


def test_a_row_hides_what_stands_elsewhere(world: Any) -> None:
    (row,) = world.adapter.census(None).tickets
    assert {"tags", "description", "requester.address"} <= row.hidden
    assert row.requester.id == str(world.row.json["customer_id"])
