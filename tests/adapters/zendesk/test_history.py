"""Comments and audits: who did what, in which order, and what people's doings come to."""

from typing import Any

import pytest

from adapters.zendesk.answers import Odd
from adapters.zendesk.history import common, count_audits, in_time, read_changes, read_messages, said_in
from adapters.zendesk.people import AuthorClassifier
from policies.model import Priority, Status, Who
from tests.adapters.zendesk.world import account

BOT, ANN, BEN, CLEO, LEFT = 9, 21, 22, 41, 77
RULE = {"channel": "rule", "source": {"from": {"id": 5}}}
API = {"channel": "api"}
AUTHORS = AuthorClassifier(
    bot=str(BOT),
    users={"21": {"role": "agent"}, "22": {"role": "admin"}, "41": {"role": "end-user"}},
    role_of=lambda user: "agent" if user == "23" else None,
)


def comment(audit: int, author: int, **more: Any) -> dict[str, Any]:
    row = {
        "id": audit + 1000,
        "audit_id": audit,
        "author_id": author,
        "body": "hello",
        "public": True,
        "created_at": "2026-11-25T10:00:00Z",
        "via": API,
        "metadata": {"system": {}, "custom": {}},
    }
    return row | more


def audit(number: int, author: int, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "author_id": author,
        "created_at": "2026-11-25T10:00:00Z",
        "via": API,
        "metadata": {"system": {}, "custom": {}},
        "events": list(events),
    }
    return row | more


def changed(name: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Change", "field_name": name, "previous_value": before, "value": after} | more


def said(public: bool = True, **more: Any) -> dict[str, Any]:
    return {"type": "Comment", "public": public, "body": "hello"} | more


@pytest.mark.parametrize(
    ("author", "via", "who"),
    [
        (ANN, API, Who.AGENT),
        (BEN, {"channel": 5}, Who.AGENT),
        (CLEO, {"channel": "email"}, Who.CUSTOMER),
        (BOT, API, Who.BOT),
        (BOT, RULE, Who.AUTOMATION),
        (-1, API, Who.AUTOMATION),
        (None, API, Who.AUTOMATION),
        (23, API, Who.AGENT),
        (LEFT, API, Who.CUSTOMER),
    ],
)
def test_who_wrote_a_comment(author: int, via: Any, who: Who) -> None:
    (message,) = read_messages([comment(5, author, via=via)], AUTHORS)
    assert message.act.who is who
    assert message.auto_reply is (via == RULE)


def test_an_unknown_author_of_a_change_is_an_agent() -> None:
    (change,) = read_changes([audit(5, LEFT, changed("status", "new", "open"))], AUTHORS, account())
    assert change.act.who is Who.AGENT


def test_comments_and_audits_share_one_order_and_one_name() -> None:
    spoken = read_messages([comment(8, CLEO), comment(5, ANN)], AUTHORS)
    made = read_changes([audit(8, CLEO, changed("status", "pending", "open"))], AUTHORS, account())
    assert [message.act.sequence for message in spoken] == [5, 8]
    assert (spoken[1].act.id, spoken[1].act.sequence) == (made[0].act.id, made[0].act.sequence) == ("8", 8)


def at(minute: int) -> str:
    return f"2026-11-25T10:{minute:02}:00Z"


def test_what_came_later_is_later_though_its_id_is_smaller() -> None:
    """As on a recorded ticket, which was deleted, and restored six minutes later in an audit with a smaller id."""
    rows = [
        audit(5, CLEO, said(), created_at=at(0)),
        audit(90, ANN, changed("status", "open", "deleted"), said(False), created_at=at(10)),
        audit(40, BEN, changed("status", "deleted", "open"), said(), created_at=at(16)),
        audit(95, CLEO, said(), created_at=at(20)),
    ]
    told = said_in(reversed(rows))
    assert told is not None
    spoken, made = in_time(read_messages(told, AUTHORS), read_changes(reversed(rows), AUTHORS, account()))
    assert [each.act.id for each in spoken] == ["5", "90", "40", "95"]
    assert [each.act.sequence for each in spoken] == [5, 90, 91, 95]
    assert [(each.after, each.act.sequence) for each in made] == [(Status.CLOSED, 90), (Status.OPEN, 91)]
    assert count_audits(rows, made, AUTHORS, "41").replies == 1
    with_numbers = account(statuses={"open": "on_hold"})
    by_number = read_changes(reversed(rows), AUTHORS, with_numbers)
    assert [each.after for each in by_number] == [Status.CLOSED, Status.ON_HOLD]


def test_a_comment_without_an_audit_goes_by_its_own_id() -> None:
    (message,) = read_messages([comment(5, ANN, audit_id=None)], AUTHORS)
    assert message.act.id == "1005"


def test_a_comment_must_say_whether_it_is_public() -> None:
    (private,) = read_messages([comment(5, ANN, public=False)], AUTHORS)
    assert not private.public
    with pytest.raises(Odd, match="public is None"):
        read_messages([comment(5, ANN, public=False), comment(6, ANN, public=None)], AUTHORS)


@pytest.mark.parametrize(
    ("author", "more", "public"),
    [
        (CLEO, {"via": {"channel": "voice", "source": {"rel": "voicemail", "from": {}, "to": {}}}}, True),
        (CLEO, {"via": {"channel": 33}, "data": {"recording_type": "voicemail", "answered_by_id": None}}, True),
        (CLEO, {"via": {"channel": "voice", "source": {"rel": "inbound"}}, "data": {"recording_type": "call"}}, False),
        (CLEO, {"via": {"channel": "voice", "source": None}, "data": None}, False),
        (ANN, {"via": {"channel": "voice", "source": {"rel": "voicemail"}}}, False),
    ],
)  # fmt: skip
def test_a_voicemail_asks_us_though_zendesk_keeps_it_private(author: int, more: Any, public: bool) -> None:
    (message,) = read_messages([comment(5, author, public=False, type="VoiceComment", **more)], AUTHORS)
    assert message.public is public
    assert not message.auto_reply


def test_our_mark_counts_on_the_bots_acts_alone() -> None:
    metadata = {"system": {}, "custom": {"uptier": {"write": "k:1"}}}
    ours, forged = read_messages(
        [comment(5, BOT, metadata=metadata), comment(6, ANN, metadata=metadata)], AUTHORS
    )
    assert (ours.act.mark, forged.act.mark) == ("k:1", None)
    own = changed("priority", None, "high")
    by_trigger = changed("status", "new", "open", via=RULE)
    made = read_changes([audit(5, BOT, own, by_trigger, metadata=metadata)], AUTHORS, account())
    assert [(each.act.who, each.act.mark) for each in made] == [(Who.BOT, "k:1"), (Who.AUTOMATION, None)]


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"custom": None}, {"custom": {"uptier": "x"}}, {"custom": {"uptier": {"write": 5}}}],
)
def test_metadata_of_others_is_no_mark(metadata: Any) -> None:
    (message,) = read_messages([comment(5, BOT, metadata=metadata)], AUTHORS)
    assert message.act.mark is None


def test_changes_are_in_common_words() -> None:
    events = [
        changed("status", "open", "hold"),
        changed("priority", "low", None),
        changed("group_id", "11", "12"),
        changed("assignee_id", None, "21"),
        changed("assignee_id", "21", ""),
        changed("tags", ["b", "a"], []),
        changed("360001", "X", "Y"),
        changed("subject", "old", "new"),
        {"type": "Notification", "subject": "s"},
        {"type": "Create", "field_name": "status", "value": "new"},
    ]
    made = read_changes([audit(5, ANN, *events)], AUTHORS, account())
    assert [(each.field, each.before, each.after) for each in made] == [
        ("status", Status.OPEN, Status.ON_HOLD),
        ("priority", Priority.LOW, None),
        ("group", "11", "12"),
        ("assignee", None, "21"),
        ("assignee", "21", None),
        ("tags", ("a", "b"), ()),
        ("custom.product", "X", "Y"),
        ("status", None, Status.NEW),
    ]


def test_tags_as_one_text_are_several() -> None:
    assert common("tags", "b a") == ("a", "b")
    assert common("status", None) is None
    assert common("status", "a word of next year") == "a word of next year"


def tally(*audits: dict[str, Any], requester: int = CLEO) -> Any:
    return count_audits(audits, read_changes(audits, AUTHORS, account()), AUTHORS, str(requester))


OPENING = audit(1, CLEO, said())


def test_replies_are_public_and_by_human_agents_who_did_not_ask() -> None:
    others = [
        audit(2, ANN, said()),
        audit(3, ANN, said(public=False)),
        audit(4, BOT, said()),
        audit(5, ANN, said(via=RULE)),
        audit(6, CLEO, said()),
        audit(7, CLEO, said(author_id=BEN)),
    ]
    assert tally(OPENING, *others).replies == 2
    assert tally(OPENING, *others, requester=ANN).replies == 1


def test_the_opening_message_of_an_agent_is_no_reply() -> None:
    assert tally(audit(9, ANN, said()), audit(1, ANN, said())).replies == 1


def test_reopens_count_when_people_take_it_out_of_solved() -> None:
    reopened = changed("status", "solved", "open")
    counted = tally(OPENING, audit(2, CLEO, reopened), audit(3, ANN, reopened), audit(4, BOT, reopened))
    assert counted.reopens == 2
    assert tally(OPENING, audit(2, ANN, changed("status", "solved", "closed"))).reopens == 0
    assert tally(OPENING, audit(2, ANN, changed("status", "pending", "open"))).reopens == 0


def moved(number: int, author: int, before: str | None, after: str | None) -> dict[str, Any]:
    return audit(number, author, changed("assignee_id", before, after))


def test_reassignments_and_bounces() -> None:
    there = [moved(2, ANN, None, "21"), moved(3, ANN, "21", "22")]
    back = moved(4, BEN, "22", "21")
    assert (tally(*there).reassignments, tally(*there).bounces) == (1, 0)
    assert (tally(*there, back).reassignments, tally(*there, back).bounces) == (2, 1)


def test_moves_between_groups() -> None:
    there, back = (
        audit(number, by, changed("group_id", *way))
        for number, by, way in ((2, ANN, ("11", "12")), (3, BEN, ("12", "11")))
    )
    assert (tally(there).group_moves, tally(there).group_bounces) == (1, 0)
    assert (tally(there, back).group_moves, tally(there, back).group_bounces) == (2, 1)
    by_us = audit(3, BOT, changed("group_id", "12", "11"))
    assert (tally(there, by_us).group_moves, tally(there, by_us).group_bounces) == (1, 0)


def test_a_bounce_needs_people_on_both_moves() -> None:
    assert tally(moved(2, BOT, "21", "22"), moved(3, BEN, "22", "21")).bounces == 0
    assert tally(moved(2, ANN, "21", "22"), moved(3, BOT, "22", "21")).bounces == 0


def test_a_pause_without_assignee_is_no_bounce() -> None:
    assert tally(moved(2, ANN, "21", None), moved(3, ANN, None, "21")).bounces == 0
