"""Levels that are due at a time of the week, and the hand-over that gives back (rule 1)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from policies.language.document import Document, read
from policies.language.parse import parse
from policies.model import Instant, Order
from policies.plan import Assign, Plan
from policies.rules.calendars import next_in_week, time_of_week
from tests.policies.lives import HEAD, Life, at, policy

DAY = 24 * 60
FRIDAY = 4 * DAY + 17 * 60
MONDAY = 7 * DAY + 8 * 60
OVER = 'clock = "weekly"\non = "fri 17:00"\nassign = { group = "Duty" }\nowner = "Duty"'
BACK = 'clock = "weekly"\non = "mon 08:00"\nreturn = true'
WEEKEND = policy(OVER, BACK, more='calendar = "office"')


def given(plan: Plan) -> list[tuple[str | None, str | None]]:
    """To whom the plan gives the ticket: group and assignee."""
    found = (each.action for each in plan.wanted if isinstance(each.action, Assign))
    return [
        (each.group.name if each.group else None, each.assignee.id if each.assignee else None)
        for each in found
    ]


def problems(text: str) -> set[str]:
    """The codes of what `check` finds wrong."""
    document = read("uptier.toml", HEAD + text)
    assert isinstance(document, Document)
    return {each.code for each in parse([document]).problems if each.severity == "error"}


# --- when it is due ----------------------------------------------------------------------------------------------


def test_it_is_due_at_the_first_such_instant_since_the_episode_began() -> None:
    life = Life(WEEKEND)
    assert life.look(60).next_look == at(FRIDAY)
    assert given(life.look(FRIDAY - 1)) == []
    assert given(life.look(FRIDAY)) == [("Duty", None)]
    assert life.look(FRIDAY + 1).next_look == at(MONDAY)


def test_a_ticket_of_the_week_end_is_handed_over_before_it_is_given_back() -> None:
    life, saturday = Life(WEEKEND), 5 * DAY
    assert life.look(saturday).next_look == at(FRIDAY + 7 * DAY)
    assert given(life.look(FRIDAY + 7 * DAY)) == [("Duty", None)]
    assert given(life.look(MONDAY + 7 * DAY)) == [("Tier 1", None)]


def test_an_episode_that_begins_at_that_very_instant_is_in_time() -> None:
    assert given(Life(WEEKEND).look(FRIDAY)) == [("Duty", None)]


def test_one_that_was_missed_is_made_up_once_while_no_later_one_has_passed() -> None:
    life = Life(WEEKEND)
    life.look(60)
    assert given(life.look(FRIDAY + 600)) == [("Duty", None)]
    assert given(life.look(FRIDAY + 601)) == []


def test_once_a_later_level_has_come_the_missed_one_is_overtaken() -> None:
    life = Life(WEEKEND)
    life.look(60)
    assert given(life.look(MONDAY + 5)) == []
    assert life.passed() == {"one": "overtaken", "two": "fired"}


def test_it_waits_for_its_own_hours_too() -> None:
    life = Life(
        policy(OVER.replace("fri 17:00", "sat 12:00") + '\nwithin = "office"', more='calendar = "office"')
    )
    assert life.look(60).next_look == at(MONDAY + 60)
    assert given(life.look(MONDAY)) == []
    assert given(life.look(MONDAY + 60)) == [("Duty", None)]


def test_why_it_fired_is_told() -> None:
    life = Life(WEEKEND)
    life.look(60)
    life.look(FRIDAY)
    episode = life.standing().episode
    assert episode is not None
    from policies.present.explain import because

    assert because(episode.passed[0].why).startswith("fri 17:00 has come")  # type: ignore[arg-type]


# --- over the changes of the clocks --------------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


def instant(text: str) -> Instant:
    """Of a reading in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("on", "since", "comes"),
    [
        ("sun 02:30", "2026-03-23T00:00", "2026-03-29T01:00"),  # skipped: the first instant after the gap
        ("sun 03:00", "2026-03-23T00:00", "2026-03-29T01:00"),
        ("sun 02:30", "2026-10-19T00:00", "2026-10-25T00:30"),  # repeated: the first of the two
        ("sun 02:30", "2026-10-25T00:31", "2026-11-01T01:30"),  # between the two: next week
        ("mon 08:00", "2026-10-23T15:00", "2026-10-26T07:00"),
        ("mon 08:00", "2026-03-27T16:00", "2026-03-30T06:00"),
        ("fri 00:00", "2026-12-28T00:00", "2026-12-31T23:00"),  # New Year, in Berlin an hour before
        ("thu 23:59", "2026-12-31T22:59", "2026-12-31T22:59"),
        ("thu 23:59", "2026-12-31T23:00", "2027-01-07T22:59"),
    ],
)
def test_a_time_of_the_week_over_the_changes_of_the_clocks(on: str, since: str, comes: str) -> None:
    day, clock = on.split()
    hour, minute = map(int, clock.split(":"))
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    seconds = days.index(day) * 86_400 + hour * 3_600 + minute * 60
    assert time_of_week(seconds) == on
    assert next_in_week(seconds, instant(since), BERLIN) == instant(comes)


def test_a_day_that_a_zone_skipped_is_over_with_its_first_instant_after() -> None:
    apia = ZoneInfo("Pacific/Apia")  # no 30 December 2011, a Friday
    assert next_in_week(4 * 86_400 + 17 * 3_600, instant("2011-12-28T00:00"), apia) == instant(
        "2011-12-30T10:00"
    )


# --- giving back ---------------------------------------------------------------------------------------------------


def test_on_monday_it_goes_back_to_whom_it_was_with() -> None:
    life = Life(WEEKEND).change(30, "assignee", "ann")
    life.look(60)
    assert given(life.look(FRIDAY)) == [("Duty", None)]
    assert given(life.look(MONDAY)) == [("Tier 1", "ann")]
    owner = life.standing().episode
    assert owner is not None
    assert owner.owner is not None
    assert owner.owner.name == "ann@acme.test"


def test_it_stays_where_somebody_has_put_it_since_and_that_is_said() -> None:
    life = Life(WEEKEND).change(30, "assignee", "ann")
    life.look(60)
    life.look(FRIDAY)
    life.change(FRIDAY + 60, "assignee", "dan")
    plan = life.look(MONDAY)
    assert given(plan) == []
    assert [(each.what, each.why) for each in plan.left_out] == [
        ("assign", "somebody has changed group or assignee since; the ticket stays where it is")
    ]
    assert life.passed() == {"one": "fired", "two": "fired"}


def test_what_the_episode_never_assigned_is_not_given_back() -> None:
    life = Life(WEEKEND.replace('\nassign = { group = "Duty" }', ""))
    life.look(60)
    life.look(FRIDAY)
    plan = life.look(MONDAY)
    assert (plan.wanted, plan.left_out) == ((), ())
    assert life.passed()["two"] == "fired"


def test_the_policy_still_sees_the_ticket_as_it_found_it() -> None:
    text = policy(OVER, BACK, more='calendar = "office"', when='group = "Tier 1"')
    life = Life(text)
    for minute in (60, FRIDAY, FRIDAY + 1, MONDAY, MONDAY + 1):
        life.look(minute)
    assert life.reasons() == []


def test_a_return_and_an_undo_leave_the_same_ticket() -> None:
    life = Life(WEEKEND).change(30, "assignee", "ann")
    life.look(60)
    life.look(FRIDAY)
    life.look(MONDAY)
    plan = life.look(MONDAY + 5, orders=(Order(verb="deescalate", who="dana", at=at(MONDAY + 5)),))
    assert given(plan) == [], "nothing of it is left to take back"


# --- what check says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "code"),
    [
        ('clock = "weekly"\non = "friday 5pm"\nnote = "handoff"', "bad-time"),
        ('clock = "weekly"\non = "fri 24:00"\nnote = "handoff"', "bad-time"),
        ('clock = "weekly"\nnote = "handoff"', "missing"),
        ('on = "fri 17:00"\nnote = "handoff"', "not-weekly"),
        ('clock = "weekly"\non = "fri 17:00"\nafter = "5m"\nnote = "handoff"', "two-dues"),
        ('after = "5m"\nreturn = true\nassign = { group = "Duty" }', "two-assignments"),
    ],
)
def test_what_cannot_be_meant_is_refused(level: str, code: str) -> None:
    assert code in problems(policy(level, more='calendar = "office"'))


def test_without_a_calendar_nobody_knows_whose_week_it_is() -> None:
    assert problems(policy(OVER)) == {"no-calendar"}
