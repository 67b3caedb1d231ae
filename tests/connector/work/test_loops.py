"""Another automation undoes what we write: twice, then we stop, say so on the ticket, and wait for a human."""

from pathlib import Path

from tests.connector.beside import Beside, beside

AGAIN = """
[[policy]]
name = "open"
clock = "matching"
stop_on = ["agent_reply"]
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "tag it"
after = "5m"
owner = "Tier 2"
tags = ["seen"]
note = "handoff"
"""


def undone(one: Beside, rounds: int) -> None:
    """After each write a rule parks the ticket without its tag, and another rule takes it back."""
    for _ in range(rounds):
        one.round(6)
        one.desk.rule_changes(1, status="pending", tags=["hardware"])
        one.round(1)
        one.desk.rule_changes(1, status="open")
        one.round(1)


def test_after_the_second_round_it_stops_and_leaves_one_note(tmp_path: Path) -> None:
    with beside(tmp_path, AGAIN) as one:
        undone(one, 5)
        assert sum("Owner" in note for note in one.notes()) == 2
        assert sum("has stopped" in note for note in one.notes()) == 1
        assert one.held() == ["1"]
        assert one.whats().count("held") == 1
        assert any("another automation" in text for text in one.round(60).needs_human)


def test_a_human_in_between_makes_it_no_loop(tmp_path: Path) -> None:
    with beside(tmp_path, AGAIN) as one:
        for _ in range(4):
            undone(one, 1)
            one.desk.agent_says(1, "Ann", "Let me see.", public=False)
        assert sum("Owner" in note for note in one.notes()) == 4
        assert one.held() == []


def test_released_it_has_two_rounds_again(tmp_path: Path) -> None:
    with beside(tmp_path, AGAIN) as one:
        undone(one, 4)
        one.release()
        undone(one, 4)
        assert sum("Owner" in note for note in one.notes()) == 4
        assert sum("has stopped" in note for note in one.notes()) == 2


def test_the_note_of_a_stop_comes_even_after_a_failure(tmp_path: Path) -> None:
    with beside(tmp_path, AGAIN) as one:
        undone(one, 2)
        one.fault("answer", status=503)
        undone(one, 2)
        assert sum("has stopped" in note for note in one.notes()) == 1
