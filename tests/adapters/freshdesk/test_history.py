"""Conversations and stats, as messages and changes."""

from typing import Any

import pytest

from adapters.freshdesk.history import exchange, is_whole, read_changes, read_messages
from adapters.freshdesk.people import References
from adapters.freshdesk.ticket import Exchange
from policies.model import Status, Who
from tests.adapters.freshdesk.world import account

ROW: dict[str, Any] = {
    "id": 1,
    "requester_id": 41,
    "status": 2,
    "source": 1,
    "description": "<div>It burns</div>",
    "description_text": "It burns",
    "created_at": "2026-11-25T10:00:00Z",
}
NOON = 1795608000
BOT = "9"


def said(number: int, at: str = "12:00:00", **more: Any) -> dict[str, Any]:
    usual = {"body": f"<div>{number}</div>", "body_text": str(number), "incoming": False, "private": False}
    usual |= {"user_id": 21, "source": 0, "created_at": f"2026-11-25T{at}Z"}
    return {"id": number, **usual, **more}


@pytest.mark.parametrize(
    ("row", "who"),
    [
        ({}, Who.AGENT),
        ({"user_id": 9}, Who.BOT),
        ({"user_id": 41, "incoming": True}, Who.CUSTOMER),
        ({"user_id": 42, "incoming": True, "private": True, "source": 8}, Who.CUSTOMER),
        ({"user_id": None, "incoming": True}, Who.CUSTOMER),
        ({"user_id": None}, Who.AUTOMATION),
        ({"user_id": 9, "automation_id": 5}, Who.AUTOMATION),
        ({"user_id": 21, "automation_id": 5}, Who.AUTOMATION),
        ({"automation_id": None, "auto_response": False}, Who.AGENT),
    ],
)
def test_who_wrote(row: dict[str, Any], who: Who) -> None:
    assert read_messages(ROW, [said(1, **row)], BOT)[-1].act.who is who


@pytest.mark.parametrize(
    ("row", "public", "auto"),
    [
        ({}, True, False),
        ({"private": True}, False, False),
        ({"source": 6, "incoming": True}, False, False),
        ({"auto_response": True, "incoming": True}, True, True),
        ({"automation_id": 5}, True, True),
    ],
)
def test_what_counts_as_public_and_as_a_machines(row: dict[str, Any], public: bool, auto: bool) -> None:
    message = read_messages(ROW, [said(1, **row)], BOT)[-1]
    assert (message.public, message.auto_reply) == (public, auto)


@pytest.mark.parametrize(
    "odd",
    [
        None, 5, [], {}, said(1, private=None), said(1, private="no"), said(1, incoming=None), said(1, id=None),
        said(1, created_at=None), said(1, created_at="soon"), said(1, user_id=["x"]), said(1, body={}),
        {name: value for name, value in said(1).items() if name != "user_id"},
        {name: value for name, value in said(1).items() if name not in ("body", "body_text")},
    ],
)  # fmt: skip
def test_one_odd_conversation_is_left_out_and_the_whole_is_not_believed(odd: Any) -> None:
    assert not is_whole(ROW, [said(2), odd])
    assert [each.act.id for each in read_messages(ROW, [said(2), odd], BOT)] == ["ticket-1", "2"]


@pytest.mark.parametrize("name", ["created_at", "source", "requester_id"])
def test_without_its_author_or_time_the_description_is_not_believed(name: str) -> None:
    assert is_whole(ROW, [said(2)])
    assert not is_whole({key: value for key, value in ROW.items() if key != name}, [said(2)])


def test_who_asked_and_answered_when_and_a_rating_is_neither() -> None:
    rows = [said(1), said(2, "12:00:05", incoming=True, source=6), said(3, "12:00:09", incoming=True)]
    later = [said(4, "12:01:00", incoming=True), said(5, "12:02:00", private=True)]
    away = said(6, "12:04:00", incoming=True, auto_response=True)
    assert exchange([*rows, *later, said(7, "12:03:00", automation_id=7), away]) == Exchange(
        first=NOON + 9, last=NOON + 60, answered=NOON
    )
    assert exchange(rows[1:2]) == Exchange(first=None, last=None, answered=None)
    assert exchange([*rows, None]) is None


def test_the_description_opens_the_ticket() -> None:
    (opening,) = read_messages(ROW, [], BOT)
    assert (opening.act.who, opening.act.person, opening.public, opening.body) == (
        Who.CUSTOMER,
        "41",
        True,
        "It burns",
    )
    (outbound,) = read_messages(ROW | {"source": 10}, [], BOT)
    assert (outbound.act.who, outbound.act.person) == (Who.AGENT, None)
    assert read_messages({"id": 1}, [], BOT) == ()


def test_a_web_chats_first_message_is_not_told_twice() -> None:
    chat = said(7, "10:00:01", incoming=True, user_id=41, body_text="It\nburns")
    later = said(8, "10:05:00", incoming=True, user_id=41, body_text="It burns")
    assert [each.act.id for each in read_messages(ROW, [chat, later], BOT)] == ["7", "8"]
    assert [each.act.id for each in read_messages(ROW, [later], BOT)] == ["ticket-1", "8"]


def test_order_is_by_time_then_freshdesks_and_deleted_ones_are_left_out() -> None:
    rows = [said(3, "12:00:01"), said(2), said(1), said(4, deleted=True), said(5, "10:00:00")]
    made = read_messages(ROW, rows, BOT)
    assert [each.act.id for each in made] == ["ticket-1", "5", "2", "1", "3"]
    sequences = [each.act.sequence for each in made]
    assert sequences == sorted(set(sequences))


def test_more_messages_than_a_second_has_room_for_stay_in_it() -> None:
    made = read_messages(ROW, [said(number) for number in range(1500)], BOT)
    assert max(each.act.sequence for each in made) < NOON * 1000 + 999


def told(status: int, **stats: str) -> list[tuple[int, Any, Any]]:
    row = ROW | {
        "status": status,
        "stats": {name: f"2026-11-25T12:00:{at}Z" for name, at in stats.items()},
    }
    return [
        (each.act.at - NOON, each.before, each.after)
        for each in read_changes(row, References(account=account()))[0]
    ]


@pytest.mark.parametrize(
    ("status", "stats", "expected"),
    [
        (2, {}, []),
        (2, {"status_updated_at": "05"}, [(5, None, Status.OPEN)]),
        (4, {"status_updated_at": "05", "resolved_at": "05"}, [(5, None, Status.SOLVED)]),
        (
            5,
            {"resolved_at": "05", "closed_at": "07", "status_updated_at": "07"},
            [(5, None, Status.SOLVED), (7, Status.SOLVED, Status.CLOSED)],
        ),
        (5, {"resolved_at": "07", "closed_at": "07", "status_updated_at": "07"}, [(7, None, Status.CLOSED)]),
        (2, {"reopened_at": "09", "status_updated_at": "09"}, [(9, Status.SOLVED, Status.OPEN)]),
        (
            3,
            {"resolved_at": "05", "reopened_at": "09", "pending_since": "11", "status_updated_at": "11"},
            [(5, None, Status.SOLVED), (9, Status.SOLVED, Status.OPEN), (11, Status.OPEN, Status.PENDING)],
        ),
        (
            4,
            {"reopened_at": "03", "resolved_at": "05", "status_updated_at": "05"},
            [(3, Status.SOLVED, Status.OPEN), (5, Status.OPEN, Status.SOLVED)],
        ),
        (2, {"pending_since": "03"}, [(3, None, Status.PENDING)]),
    ],
)
def test_what_the_status_remembers(status: int, stats: dict[str, str], expected: list[Any]) -> None:
    assert told(status, **stats) == expected
