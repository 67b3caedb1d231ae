"""Who can be given work: absences, who stands in, caps and skills; and why somebody was chosen."""

from dataclasses import replace

import pytest

from policies.language.policy import with_staff
from policies.model import Directory
from tests.policies.lives import DIRECTORY, START, Life, at, policy, rules

DAY = 24 * 60
PICK = 'after = "30m"\nassign = { group = "Tier 2", agent = "least_loaded" }\nnote = "handoff"'
NAMED = 'after = "30m"\nassign = { agent = "ben@acme.test" }\nnote = "handoff"'
OWNED = 'after = "30m"\nowner = "ben@acme.test"\nnote = "handoff"'


def life(level: str, people: str, **loads: int) -> Life:
    """A ticket that has waited for half an hour, among people of whom the config says this."""
    text = policy(level) + people
    made = Life(text).customer(0)
    agents = tuple(replace(a, open_load=loads.get(a.person.id)) for a in DIRECTORY.agents)
    known: Directory = with_staff(replace(DIRECTORY, agents=agents), rules(text).staff, at(30))
    made.directory = known
    return made


def chosen(one: Life) -> str | None:
    """Whom the level assigned."""
    one.look(30)
    return one.ticket.assignee.label if one.ticket.assignee else None


def told(one: Life) -> str:
    """The ledger's line about the choice."""
    plan = one.plan(30)
    return next((line.text for line in plan.occurrences if line.what == "chosen"), "")


def test_the_reason_for_the_choice_is_told() -> None:
    one = life(PICK, "", ben=3, cat=1)
    assert told(one) == "cat@acme.test: least loaded (1 open tickets)"
    assert chosen(one) == "cat@acme.test"


def test_whoever_is_absent_is_passed_over_with_the_reason() -> None:
    one = life(PICK, '\n[people."cat@acme.test"]\nabsent = ["2026-09-28..2026-10-02"]\n', ben=3, cat=1)
    assert "passed over: cat@acme.test (absent until 2026-10-02)" in told(one)
    assert chosen(one) == "ben@acme.test"


@pytest.mark.parametrize(("minutes", "away"), [(-1, False), (0, True), (DAY - 1, True), (DAY, False)])
def test_an_absence_lasts_from_midnight_to_midnight_in_its_zone(minutes: int, away: bool) -> None:
    staff = rules(policy() + '\n[people."ben@acme.test"]\nabsent = ["2026-09-28"]\n').staff
    assert bool(staff.away(START + minutes * 60)) is away
    berlin = rules(
        policy() + '\n[people."ben@acme.test"]\nabsent = ["2026-09-28"]\ntimezone = "Europe/Berlin"\n'
    ).staff
    assert bool(berlin.away(START + (minutes - 120) * 60)) is away


def test_the_substitute_gets_what_was_meant_for_the_absent_one() -> None:
    people = '\n[people."ben@acme.test"]\nabsent = ["2026-09-28"]\nsubstitute = "dan@acme.test"\n'
    one = life(NAMED, people)
    assert told(one) == "dan@acme.test: stands in for ben@acme.test, who is absent until 2026-09-28"
    assert chosen(one) == "dan@acme.test"


def test_substitutes_pass_it_on() -> None:
    people = (
        '\n[people."ben@acme.test"]\nabsent = ["2026-09-28"]\nsubstitute = "cat@acme.test"\n'
        '[people."cat@acme.test"]\nabsent = ["2026-09-28"]\nsubstitute = "dan@acme.test"\n'
    )
    assert chosen(life(NAMED, people)) == "dan@acme.test"


def test_a_circle_of_absent_people_ends_with_nobody() -> None:
    people = (
        '\n[people."ben@acme.test"]\nabsent = ["2026-09-28"]\nsubstitute = "cat@acme.test"\n'
        '[people."cat@acme.test"]\nabsent = ["2026-09-28"]\nsubstitute = "ben@acme.test"\n'
    )
    assert chosen(life(NAMED, people)) is None


def test_an_absent_owner_is_replaced_and_it_is_said() -> None:
    people = '\n[people."ben@acme.test"]\nabsent = ["2026-09-28"]\nsubstitute = "cat@acme.test"\n'
    plan = life(OWNED, people).look(30)
    assert any("cat@acme.test stands in as owner" in warning for warning in plan.warnings)


@pytest.mark.parametrize(("load", "picked"), [(4, "ben@acme.test"), (5, "cat@acme.test")])
def test_a_cap_is_reached_at_its_number(load: int, picked: str) -> None:
    people = '\n[people."ben@acme.test"]\ncap = 5\n'
    one = life(PICK, people, ben=load, cat=9)
    assert chosen(one) == picked


def test_the_skill_that_is_named_is_needed() -> None:
    level = PICK.replace('"least_loaded"', '"least_loaded", skill = "billing"')
    people = '\n[people."ben@acme.test"]\nskills = ["billing"]\n'
    one = life(level, people, ben=9, cat=1)
    assert "cat@acme.test (lacks skill billing)" in told(one)
    assert chosen(one) == "ben@acme.test"


@pytest.mark.parametrize(
    ("tags", "picked"), [(("de",), "ben@acme.test"), (("fr",), "cat@acme.test"), ((), "cat@acme.test")]
)
def test_the_tickets_tags_name_the_skills(tags: tuple[str, ...], picked: str) -> None:
    level = PICK.replace('"least_loaded"', '"least_loaded", skill = "by_tag"')
    one = life(level, '\n[people."ben@acme.test"]\nskills = ["de"]\n', ben=9, cat=1)
    assert chosen(one.with_fields(tags=frozenset(tags))) == picked


def test_everybody_of_the_group_has_a_reason() -> None:
    people = '\n[people."ben@acme.test"]\ncap = 1\n[people."cat@acme.test"]\nabsent = ["2026-09-28"]\n'
    one = life(PICK, people, ben=1)
    assert told(one) == (
        "passed over: ben@acme.test (has 1 open tickets, cap 1), cat@acme.test (absent until 2026-09-28)"
    )
    assert chosen(one) is None
