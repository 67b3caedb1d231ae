"""A level whose writes are several requests: Freshdesk takes fields, note and reply one after the other."""

from pathlib import Path

from tests.connector.beside_freshdesk import beside_freshdesk

FIELDS, NOTE = ("PUT", "1", 200), ("POST", "notes", 201)


def test_fields_then_note_each_once(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.round(31)
        assert one.writes() == [FIELDS, NOTE]
        assert one.group() == "Tier 2"
        assert sorted(one.desk.ticket(1).json["tags"]) == ["escalated", "hardware"]
        one.round(20)
        assert len(one.notes()) == 1


def test_a_rule_that_touches_the_ticket_between_two_links_loses_no_note(tmp_path: Path) -> None:
    act = {"act": "rule_changes", "ticket": 1, "type": "Incident"}
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.fault("edit", method="POST", path="*/notes", act=act)
        one.round(31)
        one.round(1)
        assert len(one.notes()) == 1
        assert [each[0] for each in one.writes()].count("PUT") == 1


def test_a_note_whose_answer_was_lost_is_never_written_twice(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.fault("drop", method="POST", path="*/notes", applied=True)
        one.round(31)
        one.round(1)
        assert one.writes() == [FIELDS, ("POST", "notes", None)]
        assert len(one.notes()) == 1


def test_a_note_that_never_arrived_is_written_once(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.fault("drop", method="POST", path="*/notes", applied=False)
        one.round(31)
        one.round(1)
        assert one.writes() == [FIELDS, ("POST", "notes", None), NOTE]
        assert len(one.notes()) == 1


def test_a_note_put_off_by_a_limit_comes_after_the_wait(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.fault("answer", method="POST", path="*/notes", status=429, headers={"Retry-After": "4"})
        one.round(31)
        one.round(1)
        assert one.writes() == [FIELDS, ("POST", "notes", 429), NOTE]


def test_fields_of_unknown_fate_are_found_and_the_note_follows(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.fault("drop", method="PUT", applied=True)
        one.round(31)
        one.round(1)
        assert one.writes() == [("PUT", "1", None), NOTE]
        assert len(one.notes()) == 1


def test_a_note_is_dropped_when_somebody_has_answered_meanwhile(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.fault("answer", method="POST", path="*/notes", status=429, headers={"Retry-After": "30"})
        one.round(31)
        one.desk.agent_says(1, "Ann", "Try again, please.")
        one.round(2)
        assert one.notes() == []
        assert one.writes() == [FIELDS, ("POST", "notes", 429)]


def test_what_a_human_set_between_decision_and_write_is_kept(tmp_path: Path) -> None:
    act = {"act": "agent_changes", "ticket": 1, "agent": "Ann", "assignee": "Ann"}
    with beside_freshdesk(tmp_path) as one:
        one.round()
        one.fault("edit", method="GET", path="*/tickets/1", skip=1, act=act)
        one.round(31)
        ann = one.desk.people.agent("Ann")["id"]
        assert one.desk.ticket(1).json["responder_id"] == ann
        assert one.writes() == [], "by which the episode has ended"


SECURITY_BESIDE = """
[[policy]]
name = "security"
exclusive = true
clock = "created"
[policy.when]
tags = { has = "breach" }
[[policy.level]]
name = "Duty"
after = "9h"
note = "handoff"

[[policy]]
name = "loud"
public = true
clock = "created"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "Tier 2"
after = "30m"
assign = { group = "Tier 2" }
note = "handoff"
reply = "handoff"
"""


def test_a_reply_that_was_put_off_is_dropped_once_an_exclusive_policy_runs(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path, SECURITY_BESIDE) as one:
        one.round()
        one.fault("answer", method="POST", path="*/notes", status=429, headers={"Retry-After": "30"})
        one.round(31)
        assert one.writes() == [FIELDS, ("POST", "notes", 429)]
        one.desk.agent_changes(1, "Ann", tags=["hardware", "breach"])
        one.round(2)
        one.round(2)
        assert one.writes()[2:] == [NOTE], "the note stays, the reply does not"
