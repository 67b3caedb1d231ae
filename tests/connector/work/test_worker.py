"""One ticket at a time, end to end: what is decided, written once, and what comes of each trouble."""

from pathlib import Path

from tests.connector.beside import LADDER, beside

OBSERVING = LADDER.replace('name = "waits"', 'name = "waits"\nmode = "observe"')


def test_a_ladder_is_climbed_one_write_a_level(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round()
        assert one.puts() == []
        one.round(31)
        assert (one.group(), sorted(one.ticket()["tags"])) == ("Tier 2", ["escalated", "hardware"])
        assert [note.splitlines()[0] for note in one.notes()] == ["waits, one. Owner: Tier 2."]
        assert "uptier explain acme/1" in one.notes()[0]
        one.round(90)
        assert (one.group(), one.ticket()["priority"]) == ("Duty", "urgent")
        assert one.notes()[1].startswith("waits, two. Owner: Duty.")
        one.round(600)
        assert one.puts() == [200, 200]


def test_our_own_write_is_no_acknowledgement_and_provokes_nothing(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        one.round()
        one.round()
        assert one.puts() == [200]
        assert "acknowledged" not in one.whats()


def test_nothing_is_written_in_observe(tmp_path: Path) -> None:
    with beside(tmp_path, OBSERVING) as one:
        one.round(31)
        assert one.puts() == []
        assert one.whats() == ["started", "observed", "owner"]


def test_an_answer_ends_the_ladder(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        one.desk.agent_says(1, "Ben", "Try again, please.")
        one.round(300)
        assert one.puts() == [200]
        assert one.lines()[-1].text == "stop_on agent_reply"


def test_a_lost_answer_is_found_at_the_helpdesk_and_not_sent_again(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.fault("drop", applied=True)
        summary = one.round(31)
        assert one.puts() == [None]
        assert len(one.notes()) == 1
        assert summary.counts["written"] == 1
        assert not summary.needs_human
        assert "found at the helpdesk" in one.lines()[-1].text


def test_a_write_that_never_arrived_is_sent_again(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.fault("drop", applied=False)
        one.round(31)
        assert one.puts() == [None, 200]
        assert len(one.notes()) == 1
        assert "write unknown" in one.whats()


def test_a_human_edit_in_the_moment_of_the_write_wins(tmp_path: Path) -> None:
    act = {"act": "agent_changes", "ticket": 1, "agent": "Ann", "assignee": "Ann"}
    with beside(tmp_path) as one:
        one.round()
        one.fault("edit", act=act)
        one.round(31)
        assert one.puts() == [409]
        one.round(300)
        assert one.puts() == [409]
        assert (one.group(), one.ticket()["tags"], one.notes()) == ("Tier 1", ["hardware"], [])


def test_a_refused_write_needs_a_human_and_is_not_repeated(tmp_path: Path) -> None:
    body = {"error": "RecordInvalid", "description": "Record validation errors", "details": {}}
    with beside(tmp_path) as one:
        one.fault("answer", status=422, body=body)
        summary = one.round(31)
        assert any("write refused" in text for text in summary.needs_human)
        one.round(10)
        assert one.puts() == [422]


def test_a_vendors_wait_is_kept_to_the_second(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.fault("answer", status=429, headers={"Retry-After": "7"})
        one.clock.advance(31 * 60)
        one.round()
        refused, written = (logged for logged in one.desk.log if logged.method == "PUT")
        assert (refused.status, written.status) == (429, 200)
        assert written.at - refused.at >= 7


def test_revoked_credentials_pause_the_account_and_it_goes_on_when_they_work(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round()
        one.fault("answer", method="*", path="/api/*", status=401, times=None)
        assert one.round(31).needs_human
        assert one.puts() == []
        one.desk.faults.clear()
        one.round()
        one.round()
        assert one.puts() == [200]


def test_a_deleted_ticket_ends_its_episode(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        one.desk.delete(1)
        one.round(300)
        assert one.puts() == [200]
        assert (one.whats()[-1], one.lines()[-1].text) == ("ended", "gone")


def test_a_closed_ticket_ends_its_episode(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        one.desk.agent_changes(1, "Ann", status="solved")
        one.desk.rule_changes(1, status="closed")
        one.round(300)
        assert one.puts() == [200]
        assert (one.whats()[-1], one.lines()[-1].text) == ("ended", "closed")


def test_the_cap_of_writes_a_day_holds_and_says_so_once(tmp_path: Path) -> None:
    with beside(tmp_path, service="[service.caps]\nwrites_per_day = 1") as one:
        one.round(31)
        summary = one.round(90)
        assert any("cap of 1 writes a day" in text for text in summary.needs_human)
        one.round(11)
        assert one.puts() == [200]
        assert one.whats().count("held") == 1
        one.release()
        one.round(11)
        assert one.puts() == [200, 200]
        assert one.whats().count("released") == 1


def test_nothing_is_written_on_release_if_the_episode_has_ended(tmp_path: Path) -> None:
    with beside(tmp_path, service="[service.caps]\nwrites_per_day = 1") as one:
        one.round(31)
        one.round(90)
        one.desk.agent_says(1, "Ann", "Solved, I think.")
        one.round(1)
        assert one.held() == []
        assert one.puts() == [200]


def test_the_cap_of_escalations_an_hour_holds_for_the_account(tmp_path: Path) -> None:
    with beside(tmp_path, service="[service.caps]\nescalations_per_hour = 2", tickets=4) as one:
        summary = one.round(31)
        assert one.puts() == [200, 200]
        assert len(summary.needs_human) == 2
        one.round(61)
        assert one.puts() == [200, 200]
        one.release("")
        one.round(1)
        assert one.puts().count(200) == 4
        assert one.held() == []


def test_while_an_account_is_held_other_tickets_are_held_too(tmp_path: Path) -> None:
    with beside(tmp_path, service="[service.caps]\nescalations_per_hour = 1", tickets=2) as one:
        one.round(31)
        one.desk.open(requester="Cleo", subject="One more", group="Tier 1", priority="high")
        one.round(95)
        assert one.puts() == [200]
        assert len(one.held()) == 3


def test_a_warning_is_said_once(tmp_path: Path) -> None:
    leaderless = LADDER.replace('owner = "Duty"', 'owner = "lead_of(group)"')
    with beside(tmp_path, leaderless) as one:
        one.round(121)
        one.round(10)
        assert one.whats().count("warning") == 1
        assert one.lines()[-1].owner in (None, "Tier 2")


def test_tickets_idle_for_weeks_before_the_first_start_are_found(tmp_path: Path) -> None:
    with beside(tmp_path, tickets=3) as one:
        one.clock.advance(86400 * 40)
        one.round()
        assert [one.group(number) for number in (1, 2, 3)] == ["Duty"] * 3
        assert one.puts() == [200] * 3
