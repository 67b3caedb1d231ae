"""What users of other tools asked for and did not get, and what happens here: each on a simulated helpdesk.

The ticket came in on Monday 2026-09-21 at 14:13:20 UTC, from Cleo, priority high, in group Tier 1.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli.main import app
from connector.config.settings import load
from connector.store import inbox
from policies.model import Order, TicketRef
from tests.connector.beside import Beside, beside
from tests.connector.notify.test_notifications import told

HOUR = 60
OFFICE = '[calendars.office]\ntimezone = "UTC"\nhours = { mon-fri = ["09:00-12:00", "13:00-18:00"] }\n'
OPEN = 'status = ["new", "open"]'


def policy(
    *levels: str, when: str = OPEN, clock: str = "customer_waiting", more: str = "", name: str = "p"
) -> str:
    """A policy as written, with levels called L1, L2 and so on."""
    head = f'[[policy]]\nname = "{name}"\nclock = "{clock}"\n{more}\n[policy.when]\n{when}\n'
    return head + "".join(f'[[policy.level]]\nname = "L{n}"\n{level}\n' for n, level in enumerate(levels, 1))


def level(after: str, *actions: str) -> str:
    """A level as written."""
    return "\n".join([f'after = "{after}"', *(actions or ('note = "handoff"',))])


def fired(one: Beside, number: int = 1) -> list[str | None]:
    return [line.level for line in one.lines(number) if line.what == "fired"]


def rounds(one: Beside, minutes: float, every: float = 10) -> None:
    for _ in range(int(minutes / every)):
        one.round(every)


def explained(folder: Path, ticket: str = "acme/1") -> str:
    result = CliRunner().invoke(app, ["explain", ticket, "--config", str(folder / "uptier.toml")])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def assignee(one: Beside, number: int = 1) -> str:
    found = one.ticket(number)["assignee_id"]
    return str(one.desk.people.user(found)["name"]) if found else ""


def order(one: Beside, **said: object) -> None:
    given = Order(who="dana", at=one.clock.now(), **said)  # type: ignore[arg-type]
    with one.service.parts.store.writing() as connection:
        inbox.give_order(connection, TicketRef("acme", "1"), given)
    one.round(0.5)
    one.round(0.5)


def test_wish_01_three_levels_each_to_other_people(tmp_path: Path) -> None:
    three = (level("30m", 'owner = "Ann"'), level("1h", 'owner = "Ben"'), level("2h", 'owner = "Dana"'))
    with beside(tmp_path, policy(*three)) as one:
        one.round()
        rounds(one, 130)
        owners = [line.owner for line in one.lines() if line.what == "fired"]
        assert owners == ["ann@acme.test", "ben@acme.test", "dana@acme.test"]


def test_wish_03_priority_and_tag_five_minutes_after_the_escalation(tmp_path: Path) -> None:
    then = level("5m", 'clock = "since_last_level"', 'priority = { at_least = "urgent" }', 'tags = ["hot"]')
    with beside(tmp_path, policy(level("30m"), then)) as one:
        one.round()
        one.round(30)
        one.round(4)
        assert one.ticket()["priority"] == "high"
        one.round(1)
        assert (one.ticket()["priority"], "hot" in one.ticket()["tags"]) == ("urgent", True)


def test_wish_04_explain_says_of_every_line_why_it_is_true_or_false(tmp_path: Path) -> None:
    when = f'{OPEN}\npriority = "urgent"\ntags = {{ has = "hardware" }}'
    with beside(tmp_path, policy(level("30m"), when=when)) as one:
        one.round()
    text = explained(tmp_path)
    assert "no  priority is urgent (it is high)" in text
    assert "yes tags has hardware (it is hardware)" in text
    assert "does not match: priority is urgent, but it is high" in text


def test_wish_05_every_deadline_is_shown_not_only_the_nearest(tmp_path: Path) -> None:
    with beside(tmp_path, policy('before = "10m"\nnote = "handoff"', clock="next_reply")) as one:
        one.clock.advance(60)  # a ticket that has just changed is looked at in the next second
        for metric, hours in (("next_reply_time", 2), ("total_resolution_time", 8)):
            one.desk.set_target(1, metric, breach=one.clock.now() + hours * 3600)
        one.desk.set_target(1, "first_reply_time", stage="achieved")
        one.round()
    text = explained(tmp_path)
    assert "SLA next_reply: active" in text
    assert "(2h left)" in text
    assert "SLA resolution: active" in text
    assert "(8h left)" in text


@pytest.mark.parametrize("channel", ["email", "web"])
def test_wish_06_a_message_by_web_starts_the_clock_like_one_by_mail(tmp_path: Path, channel: str) -> None:
    with beside(tmp_path, policy(level("30m"))) as one:
        one.round()
        one.desk.agent_says(1, "Ann", "Better now?")
        one.round(60)
        assert fired(one) == []
        one.desk.customer_says(1, "No.", channel=channel)
        one.round(29)
        assert fired(one) == []
        rounds(one, 4, 1)
        assert fired(one) == ["L1"]


@pytest.mark.parametrize(
    ("counts", "levels"), [("", ["L1"]), ('counts_as_reply = ["public", "internal"]', [])]
)
def test_wish_07_a_policy_says_what_counts_as_a_reply(tmp_path: Path, counts: str, levels: list[str]) -> None:
    with beside(tmp_path, policy(level("30m"), more=counts)) as one:
        one.round()
        one.desk.agent_says(1, "Ann", "Asked the vendor.", public=False)
        one.round(10)
        rounds(one, 30)
        assert fired(one) == levels


def test_wish_09_nobody_is_woken_at_night_and_the_clock_runs_on(tmp_path: Path) -> None:
    quiet = '[channels.leads]\nurl = "secret:leads-slack"\nquiet = { calendar = "office" }\n' + OFFICE
    with told(tmp_path, policy(level("5h", 'notify = ["leads"]')), quiet) as (one, leads):
        one.round()
        one.round(5 * HOUR)
        assert fired(one) == ["L1"]
        assert leads.titles == [], "it is after seven in the evening"
        one.round(14 * HOUR)
        assert leads.titles == ["acme/1: L1 (p)"]


def test_wish_10_a_whole_day_has_1440_minutes(tmp_path: Path) -> None:
    days = '[calendars.all]\ntimezone = "UTC"\nhours = { mon-sun = "00:00-24:00" }\n'
    with beside(tmp_path, days + policy(level("24h"), more='calendar = "all"')) as one:
        one.round()
        one.round(24 * HOUR - 1)
        assert fired(one) == []
        one.round(1)
        assert fired(one) == ["L1"]


def test_wish_11_the_sum_is_shown_day_by_day_with_its_holidays(tmp_path: Path) -> None:
    calendar = OFFICE + 'closed = ["2026-09-22"]\n'
    with beside(tmp_path, calendar + policy(level("16h"), more='calendar = "office"')) as one:
        one.round()
        one.round(3 * 24 * HOUR)
    text = explained(tmp_path)
    assert "2026-09-21: 3h46m40s" in text
    assert "2026-09-22: 0m (closed by the calendar)" in text
    assert "2026-09-23: 8h" in text


def test_wish_15_caps_are_settings_and_nothing_is_dropped_in_silence(tmp_path: Path) -> None:
    caps = "[service.caps]\nescalations_per_hour = 2"
    with beside(tmp_path, policy(level("30m")), service=caps, tickets=4) as one:
        one.round()
        summary = one.round(30)
        assert sum(fired(one, number) == ["L1"] for number in range(1, 5)) == 2
        assert len(one.held()) == 2
        assert any("cap of 2 escalations an hour" in text for text in summary.needs_human)


def test_wish_16_note_and_ledger_name_policy_level_and_text(tmp_path: Path) -> None:
    with beside(tmp_path, policy(level("30m", 'note = "handoff"', 'tags = ["t"]'))) as one:
        one.round()
        one.round(30)
        (note,) = one.notes()
        assert "p, L1." in note
        assert "uptier explain acme/1" in note
        line = next(line for line in one.lines() if line.what == "fired")
        assert (line.policy, line.level) == ("p", "L1")
        assert line.policy_hash


def test_wish_17_round_robin_takes_turns_and_skips_who_is_absent(tmp_path: Path) -> None:
    away = '[people."ann@acme.test"]\nabsent = ["2026-09-21"]\n'
    pick = level("30m", 'assign = { group = "Tier 2", agent = "round_robin" }')
    with beside(tmp_path, away + policy(pick), tickets=2) as one:
        one.round()
        one.round(30)
        assert [assignee(one, number) for number in (1, 2)] == ["Ben", "Ben"]
    (tmp_path / "all").mkdir()
    with beside(tmp_path / "all", policy(pick), tickets=2) as one:
        one.round()
        one.round(30)
        assert sorted(assignee(one, number) for number in (1, 2)) == ["Ann", "Ben"]


def test_wish_18_substitutes_pass_it_on_and_a_circle_is_found(tmp_path: Path) -> None:
    people = (
        '[people."ann@acme.test"]\nabsent = ["2026-09-21"]\nsubstitute = "ben@acme.test"\n'
        '[people."ben@acme.test"]\nabsent = ["2026-09-21"]\nsubstitute = "dana@acme.test"\n'
    )
    with beside(tmp_path, people + policy(level("30m", 'assign = { agent = "ann@acme.test" }'))) as one:
        one.round()
        one.round(30)
        assert assignee(one) == "Dana"
    circle = tmp_path / "uptier.toml"
    circle.write_text(circle.read_text().replace('"dana@acme.test"', '"ann@acme.test"'), encoding="utf-8")
    assert {each.code for each in load(circle).problems} == {"substitute-circle"}


def test_wish_19_waiting_too_long_goes_to_the_manager(tmp_path: Path) -> None:
    people = (
        '[people."ann@acme.test"]\nmanager = "dana@acme.test"\n[groups."Tier 1"]\nlead = "ann@acme.test"\n'
    )
    ladder = (level("1h", 'owner = "lead_of(group)"'), level("2h", 'owner = "manager_of(owner)"'))
    with beside(tmp_path, people + policy(*ladder)) as one:
        one.round()
        rounds(one, 130)
        assert [line.owner for line in one.lines() if line.what == "fired"] == [
            "ann@acme.test",
            "dana@acme.test",
        ]


def test_wish_20_no_answer_after_a_reassignment_and_the_next_one_gets_it(tmp_path: Path) -> None:
    silent = policy(
        level("30m", 'assign = { group = "Tier 2", agent = "round_robin" }'), clock="assignee_silent"
    )
    with beside(tmp_path, silent) as one:
        one.desk.agent_changes(1, "Dana", group="Tier 2", assignee="Ann")
        one.round(1)
        one.round(30)
        assert assignee(one) == "Ben"


@pytest.mark.parametrize(
    ("clock", "when"),
    [
        ("created", OPEN),
        ("customer_waiting", OPEN),
        ("in_status", OPEN),
        ("untouched", OPEN),
        ("matching", 'tags = { has = "hardware" }'),
    ],
)
def test_wish_21_any_condition_on_any_clock(tmp_path: Path, clock: str, when: str) -> None:
    with beside(tmp_path, policy(level("30m", 'tags = ["t"]'), clock=clock, when=when)) as one:
        one.round(1)
        rounds(one, 40)
        assert fired(one) == ["L1"]


@pytest.mark.parametrize(("clock", "levels"), [("customer_waiting", ["L1"]), ("assignee_silent", [])])
def test_wish_23_a_policy_chooses_whether_a_hand_over_starts_anew(
    tmp_path: Path, clock: str, levels: list[str]
) -> None:
    with beside(tmp_path, policy(level("60m", 'tags = ["t"]'), clock=clock)) as one:
        one.desk.agent_changes(1, "Ann", assignee="Ann")
        one.round(1)
        one.round(40)
        one.desk.agent_changes(1, "Ann", group="Tier 2", assignee="Ben")
        one.round(1)
        rounds(one, 40)
        assert fired(one) == levels


def test_wish_24_work_is_shared_out_and_a_cap_holds(tmp_path: Path) -> None:
    pick = level("30m", 'assign = { group = "Tier 2", agent = "least_loaded" }')
    cap = '[people."ann@acme.test"]\ncap = 1\n'
    with beside(tmp_path, cap + policy(pick), tickets=6) as one:
        one.round()
        one.round(30)
        rounds(one, 3, 1)
        assert sorted(assignee(one, number) for number in range(1, 7)) == ["Ann", *["Ben"] * 5]
    (tmp_path / "free").mkdir()
    with beside(tmp_path / "free", policy(pick), tickets=6) as one:
        one.round()
        one.round(30)
        rounds(one, 3, 1)
        assert sorted(assignee(one, number) for number in range(1, 7)) == [*["Ann"] * 3, *["Ben"] * 3]


def test_wish_26_a_reopened_ticket_of_somebody_absent_goes_to_somebody_there(tmp_path: Path) -> None:
    away = '[people."ann@acme.test"]\nabsent = ["2026-09-22"]\n'
    hand = level("0m", 'assign = { group = "Tier 2", agent = "round_robin" }')
    with beside(tmp_path, away + policy(hand, when=f"{OPEN}\nassignee_away = true", clock="matching")) as one:
        one.desk.agent_says(1, "Ann", "Done.", status="solved", assignee="Ann", group="Tier 2")
        one.round(1)
        one.round(24 * HOUR)
        one.desk.customer_says(1, "It is broken again.")
        rounds(one, 5, 1)
        assert assignee(one) == "Ben"


def test_wish_27_breaks_and_special_days(tmp_path: Path) -> None:
    calendar = OFFICE + 'open = { "2026-09-21" = "09:00-15:00" }\n'
    with beside(tmp_path, calendar + policy(level("4h"), more='calendar = "office"')) as one:
        one.round()
        one.clock.advance(
            19 * 3600 + 59 * 60
        )  # Tuesday 10:12:20, of which 46m40s on Monday and 1h12m20s today
        one.round()
        assert fired(one) == []
        one.round(3 * HOUR)  # 13:12:20: the break has cost an hour
        assert fired(one) == []
        one.round(1.1)
        assert fired(one) == ["L1"]


def test_wish_28_a_level_acts_in_opening_hours_only_or_outside_them(tmp_path: Path) -> None:
    night = level(
        "5h", 'within = "office"', 'owner = "Ann"', 'note = "handoff"', 'otherwise = { owner = "Dana" }'
    )
    with beside(tmp_path, OFFICE + policy(night)) as one:
        one.round()
        one.round(5 * HOUR)
        assert [line.owner for line in one.lines() if line.what == "fired"] == ["dana@acme.test"]


def test_wish_29_four_hours_are_four_working_hours(tmp_path: Path) -> None:
    with beside(tmp_path, OFFICE + policy(level("4h"), more='calendar = "office"')) as one:
        one.round()
        one.round(4 * HOUR)
        assert fired(one) == []
        one.round(15 * HOUR)  # Tuesday 09:13:20: 3h46m40s on Monday, 13m20s today
        assert fired(one) == ["L1"]


def test_wish_30_each_of_three_alerts_comes(tmp_path: Path) -> None:
    with beside(tmp_path, policy(level("12h"), level("24h"), level("48h"))) as one:
        one.round()
        rounds(one, 49 * HOUR, HOUR)
        assert fired(one) == ["L1", "L2", "L3"]
        assert len(one.notes()) == 3


def test_wish_31_the_assignee_and_their_lead_are_addressed_by_role(tmp_path: Path) -> None:
    people = '[groups."Tier 1"]\nlead = "dana@acme.test"\n'
    said = level("30m", 'owner = "assignee"', 'follow = ["lead_of(assignee)"]', 'note = "handoff"')
    with beside(tmp_path, people + policy(said)) as one:
        one.desk.agent_changes(1, "Dana", assignee="Ann")
        one.round(1)
        one.round(30)
        assert one.notes()[0].startswith("p, L1. Owner: ann@acme.test.")
        dana = one.desk.people.user("Dana")["id"]
        assert dana in one.ticket()["follower_ids"]


def test_wish_34_a_level_is_said_again_from_there_and_not_from_the_start(tmp_path: Path) -> None:
    again = level("1h", 'note = "handoff"', 'repeat = { every = "30m", times = 2 }')
    with beside(tmp_path, policy(level("30m"), again)) as one:
        one.round()
        rounds(one, 180)
        assert fired(one) == ["L1", "L2"]
        assert [line.level for line in one.lines() if line.what == "repeated"] == ["L2", "L2"]
        assert len(one.notes()) == 4


def test_wish_35_nothing_is_said_after_the_acknowledgement(tmp_path: Path) -> None:
    again = level("30m", 'notify = ["leads"]', 'repeat = { every = "30m", times = 5 }')
    with told(tmp_path, policy(again, more='stop_on = ["acknowledged"]')) as (one, leads):
        one.round()
        one.round(30)
        one.desk.agent_says(1, "Ann", "I have it.", public=False)
        one.round(20)
        one.round(9)
        assert leads.titles == ["acme/1: L1 (p)"]


def test_wish_36_acknowledged_but_forgotten_and_put_off_with_a_reason(tmp_path: Path) -> None:
    with beside(tmp_path, policy(level("30m"), more='stop_on = ["acknowledged"]')) as one:
        one.round()
        one.round(30)
        order(one, verb="acknowledge")
        rounds(one, 40)
        assert fired(one) == ["L1", "L1"], "half an hour after the acknowledgement it begins again"
        order(one, verb="snooze", until=one.clock.now() + 7200, reason="the vendor calls at five")
        line = next(line for line in one.lines() if line.what == "snoozed")
        assert line.text == "by dana: the vendor calls at five"


@pytest.mark.parametrize(("span", "minutes"), [("7m", 7), ("45m", 45), ("1h30m", 90)])
def test_wish_37_any_number_of_minutes(tmp_path: Path, span: str, minutes: int) -> None:
    with beside(tmp_path, policy(level(span))) as one:
        one.round()
        one.round(minutes - 0.5)
        assert fired(one) == []
        one.round(0.5)
        assert fired(one) == ["L1"]


@pytest.mark.parametrize(
    ("instead", "owners"), [("", []), ('otherwise = { owner = "Dana" }', ["dana@acme.test"])]
)
def test_wish_38_on_the_weekend_it_waits_or_goes_to_others(
    tmp_path: Path, instead: str, owners: list[str]
) -> None:
    weekdays = '[calendars.week]\ntimezone = "America/New_York"\nhours = { mon-fri = "00:00-24:00" }\n'
    gated = level("100h", 'within = "week"', 'owner = "Ann"', 'note = "handoff"', instead)
    with beside(tmp_path, weekdays + policy(gated)) as one:
        one.round()
        one.round(101 * HOUR)  # Friday 19:13 UTC, 15:13 in New York
        assert fired(one) == ["L1"]
    (tmp_path / "later").mkdir()
    with beside(tmp_path / "later", weekdays + policy(gated.replace("100h", "120h"))) as one:
        one.round()
        one.round(121 * HOUR)  # Saturday
        assert [line.owner for line in one.lines() if line.what == "fired"] == owners


def test_wish_40_steps_that_reach_nobody_are_found_before_they_run(tmp_path: Path) -> None:
    with beside(tmp_path, policy(level("30m"))) as one:
        one.round()
    file = tmp_path / "uptier.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + policy(level("2h"), level("1h"), name="q") + "\n", encoding="utf-8")
    assert [each.code for each in load(file).problems] == ["order"]
    file.write_text(text + policy(level("1h", 'assign = { group = "Tier 9" }'), name="q"), encoding="utf-8")
    told_so = CliRunner().invoke(app, ["check", "--config", str(file)])
    assert told_so.exit_code == 2
    assert 'no group "Tier 9"' in told_so.stdout


@pytest.mark.parametrize(("solved", "levels"), [(True, []), (False, ["L1"])])
def test_wish_42_wait_five_minutes_and_leave_it_if_it_was_solved_meanwhile(
    tmp_path: Path, solved: bool, levels: list[str]
) -> None:
    with beside(tmp_path, policy(level("5m"), when='status = "open"', clock="matching")) as one:
        one.desk.agent_changes(1, "Ann", status="open", assignee="Ann")
        one.round(1)
        one.round(2)
        if solved:
            one.desk.agent_changes(1, "Ann", status="solved")
        rounds(one, 5, 1)
        assert fired(one) == levels


def test_wish_48_open_tickets_of_somebody_absent_are_handed_over(tmp_path: Path) -> None:
    away = '[people."ann@acme.test"]\nabsent = ["2026-09-22"]\n'
    hand = level("0m", 'assign = { group = "Tier 2", agent = "least_loaded" }')
    with beside(
        tmp_path, away + policy(hand, when="assignee_away = true", clock="matching"), tickets=3
    ) as one:
        for number in (1, 2):
            one.desk.agent_changes(number, "Ann", assignee="Ann")
        one.round(1)
        assert [assignee(one, number) for number in (1, 2, 3)] == ["Ann", "Ann", ""]
        one.round(10 * HOUR)
        rounds(one, 3, 1)
        assert [assignee(one, number) for number in (1, 2, 3)] == ["Ben", "Ben", ""]
