"""The matrix of known policies, row by row, and each kind of gap with a near miss."""

from dataclasses import replace

import pytest

from policies.language.policy import PolicySet
from policies.model import Agent, Directory, Group, Person
from policies.present.matrix import Gap, Matrix, known_teams, matrix, people_words
from tests.policies.lives import AFTER_30, HEAD, LADDER, policy, rules
from tests.policies.lives import DIRECTORY as LIVES

PEOPLE = """
[people."ann@acme.test"]
manager = "dan@acme.test"
substitute = "ben@acme.test"
[people."cat@acme.test"]
manager = "dan@acme.test"
[groups."Tier 1"]
lead = "ann@acme.test"
[groups."Tier 2"]
lead = "cat@acme.test"
"""
DIRECTORY = replace(
    LIVES,
    groups=(*LIVES.groups, Group(id="g0", name="Vacant")),
    agents=(*LIVES.agents, Agent(person=Person(id="eva", name="Eva"), groups=frozenset({"g9"}))),
)
"""Everybody of `lives`, somebody in Escalations, and a group with nobody in it."""

LEAD = 'after = "1h"\nowner = "lead_of(group)"'


def of(text: str, more: str = "", directory: Directory | None = DIRECTORY, team: str | None = None) -> Matrix:
    """The matrix of this text on account acme."""
    read = {"acme": directory} if directory else {}
    return matrix(rules(text, HEAD + more), ("acme",), read, team=team)


def gaps(text: str, more: str = "", directory: Directory | None = DIRECTORY) -> list[Gap]:
    """What is missing, level by level."""
    return [gap for row in of(text, more, directory).rows for gap in row.gaps]


def test_a_ladder_row_by_row() -> None:
    found = of(LADDER)
    one, two = found.rows
    assert [(row.account, row.mode, row.policy.name, row.level.name) for row in found.rows] == [
        ("acme", "enforce", "p", "one"),
        ("acme", "enforce", "p", "two"),
    ]
    assert one.policy.when == ("the status is new or open",)
    assert one.policy.clock == "from the customer's first message that nobody has answered yet"
    assert (one.level.kind, one.level.time) == ("functional", "after 30 min")
    assert (two.level.kind, two.level.time) == ("functional", "after 2 h")
    assert (one.level.owner, one.level.target) == ("whoever gets the ticket", "group Tier 2")
    assert (two.level.owner, two.level.target) == ("Duty", "group Duty")
    assert (one.people, two.people) == ((), (("Duty", ()),))
    assert one.backup == ("Escalations if nobody is found",)
    assert two.backup == ("anybody of the 2 in Duty", "Escalations if nobody is found")
    assert one.level.changes == ("tagged l1",)
    assert two.level.changes == ("priority at least urgent", "tagged l2")
    assert (one.gaps, two.gaps) == ((), ())
    assert found.texts == (("handoff", (("en", "{{ level.name }}"),)),)
    assert found.calendars == ()


def test_the_hash_of_the_policies_is_in_it_and_follows_them() -> None:
    assert of(LADDER).hash == rules(LADDER).hash
    assert of(LADDER).hash != of(LADDER.replace("30m", "31m")).hash


def test_each_account_has_its_rows_and_its_mode() -> None:
    policies = rules(LADDER + policy(name="q", more='accounts = ["other"]'))
    policies = replace(policies, modes={"": "enforce", "other": "observe"})
    found = matrix(policies, ("acme", "other"), {"acme": DIRECTORY})
    assert [(row.account, row.mode, row.policy.name) for row in found.rows] == [
        ("acme", "enforce", "p"),
        ("acme", "enforce", "p"),
        ("other", "observe", "p"),
        ("other", "observe", "p"),
        ("other", "observe", "q"),
    ]
    assert found.unread == ("other",)


def test_owners_are_resolved_for_each_team_and_up_the_ladder() -> None:
    text = policy(LEAD, 'after = "2h"\nowner = "manager_of(owner)"', 'after = "3h"\nnote = "handoff"')
    one, two, three = of(text, PEOPLE).rows
    assert one.people == (
        ("ann@acme.test", ("Tier 1",)),
        ("cat@acme.test", ("Tier 2",)),
        ("Escalations", ("Duty", "Escalations", "Vacant")),
    )
    assert people_words(one)[0] == "ann@acme.test (Tier 1)"
    assert two.people[0] == ("dan@acme.test", ("Tier 1", "Tier 2"))
    assert three.people == two.people


def test_after_an_assignment_the_lead_is_that_of_the_new_group() -> None:
    text = policy('after = "1h"\nassign = { group = "Tier 2" }\nowner = "lead_of(group)"')
    (row,) = of(text, PEOPLE).rows
    assert row.people == (("cat@acme.test", ()),)


def test_what_depends_on_the_assignee_is_left_open() -> None:
    text = policy('after = "1h"\nowner = "assignee"', 'after = "2h"\nowner = "manager_of(owner)"')
    assert [row.people for row in of(text, PEOPLE).rows] == [(), ()]
    named = policy(
        'after = "1h"\nassign = { agent = "ann@acme.test" }', LEAD.replace("lead_of(group)", "assignee")
    )
    assert [row.people for row in of(named, PEOPLE).rows] == [(("ann@acme.test", ()),)] * 2


def test_a_first_level_without_an_owner_is_the_default_owners() -> None:
    (row,) = of(policy(AFTER_30)).rows
    assert row.people == (("Escalations", ()),)
    assert [gap.code for gap in row.gaps] == ["no-backup"]  # there is one person in that group


def test_the_matrix_of_one_team() -> None:
    text = policy(LEAD, name="all") + policy(LEAD, name="tier2", when='status = "new"\ngroup = "Tier 2"')
    text += policy(LEAD, name="not1", unless='group = "Tier 1"')
    assert [row.policy.name for row in of(text, PEOPLE).rows] == ["all", "tier2", "not1"]
    found = of(text, PEOPLE, team="Tier 1")
    assert [(row.policy.name, row.people) for row in found.rows] == [("all", (("ann@acme.test", ()),))]
    assert found.team == "Tier 1"
    assert [row.policy.name for row in of(text, PEOPLE, team="Tier 2").rows] == ["all", "tier2", "not1"]


def test_the_teams_that_are_known() -> None:
    text = policy('after = "1h"\nassign = { group = "Elsewhere" }')
    policies = rules(text, HEAD + PEOPLE)
    assert known_teams(policies, ()) == ("Elsewhere", "Tier 1", "Tier 2")
    assert known_teams(policies, (LIVES,)) == ("Duty", "Elsewhere", "Escalations", "Tier 1", "Tier 2")


def test_calendars_and_texts_in_use_are_listed() -> None:
    unused = (
        '[calendars.unused]\ntimezone = "UTC"\nhours = { mon = "09:00-17:00" }\n[templates.other]\nen = "x"\n'
    )
    found = of(policy(more='calendar = "office"'), unused)
    assert found.calendars == (("office", "Mon-Fri 09:00-17:00; UTC"),)
    assert [name for name, _ in found.texts] == ["handoff"]


# --- gaps, each with a near miss -----------------------------------------------------------------------------


def test_nobody_stands_in_for_a_person() -> None:
    alone = policy('after = "1h"\nowner = "cat@acme.test"')
    assert gaps(alone, PEOPLE) == [Gap(code="no-backup", text="nobody stands in for cat@acme.test")]
    assert gaps(alone.replace("cat@", "ann@"), PEOPLE) == []
    (row,) = of(alone.replace("cat@", "ann@"), PEOPLE).rows
    assert row.backup[0] == "ben@acme.test if ann@acme.test is absent"


def test_nobody_stands_in_for_a_group_of_one() -> None:
    alone = policy('after = "1h"\nowner = "Escalations"')
    assert gaps(alone) == [Gap(code="no-backup", text='"Escalations" is Eva alone, and nobody stands in')]
    assert gaps(alone, '[people.Eva]\nsubstitute = "ann@acme.test"\n') == []
    assert gaps(policy('after = "1h"\nowner = "Duty"')) == []


def test_who_has_left_a_group_is_no_backup_in_it() -> None:
    def without(*gone: str) -> tuple[str, ...]:
        agents = tuple(replace(each, active=each.person.name not in gone) for each in DIRECTORY.agents)
        return of(LADDER, directory=replace(DIRECTORY, agents=agents)).rows[1].backup

    assert without()[0] == "anybody of the 2 in Duty"
    assert without("Dan") == ("Escalations if nobody is found",)


def test_a_substitute_who_has_left_is_no_backup() -> None:
    gone = tuple(replace(each, active=each.person.label != "ben@acme.test") for each in DIRECTORY.agents)
    found = gaps(policy('after = "1h"\nowner = "ann@acme.test"'), PEOPLE, replace(DIRECTORY, agents=gone))
    assert [gap.code for gap in found] == ["no-backup"]


def test_who_is_away_today_changes_nothing() -> None:
    away = replace(DIRECTORY, agents=tuple(replace(each, available=False) for each in DIRECTORY.agents))
    text = policy('after = "1h"\nowner = "ann@acme.test"')
    assert of(text, PEOPLE, away) == of(text, PEOPLE)


def test_a_night_in_which_nobody_hears() -> None:
    def asleep(text: str, more: str = "") -> bool:
        return "nobody-at-night" in {gap.code for gap in gaps(text, more)}

    waits = f'{AFTER_30}\nwithin = "office"'
    assert asleep(policy(waits))
    assert not asleep(
        policy(f'{waits}\notherwise = {{ notify = ["duty"] }}'), '[channels.duty]\nurl = "secret:x"\n'
    )
    assert not asleep(policy(waits, 'after = "2h"\nnote = "handoff"'))
    assert not asleep(policy(AFTER_30, more='calendar = "office"'))


def test_an_owner_who_leads_to_nobody_for_some_teams_or_for_all() -> None:
    said = [gap.text for gap in gaps(policy(LEAD), PEOPLE) if gap.code == "unreachable-owner"]
    assert said == ["the lead of the ticket's group is not known for Duty, Escalations and Vacant"]
    nobody = [gap.text for gap in gaps(policy(LEAD)) if gap.code == "unreachable-owner"]
    assert nobody == ["the lead of the ticket's group is not known"]
    only = policy(LEAD, when='status = "new"\ngroup = "Tier 1"')
    assert gaps(only, PEOPLE) == []


def test_an_owner_whom_the_helpdesk_does_not_know() -> None:
    text = policy('after = "1h"\nowner = "eve@acme.test"')
    assert [gap.text for gap in gaps(text)] == ["eve@acme.test is not known"]
    assert gaps(text, directory=None) == []


def test_an_owner_who_has_left() -> None:
    agents = tuple(replace(each, active=each.person.label != "ann@acme.test") for each in DIRECTORY.agents)
    text = policy('after = "1h"\nowner = "ann@acme.test"')
    found = gaps(text, PEOPLE, replace(DIRECTORY, agents=agents))
    assert found == [Gap(code="unreachable-owner", text="ann@acme.test cannot work at the helpdesk any more")]


def test_agents_without_a_manager() -> None:
    text = policy('after = "1h"\nowner = "manager_of(assignee)"')
    said = "the manager of the assignee is not known if the assignee is ben@acme.test, dan@acme.test or Eva"
    assert gaps(text, PEOPLE) == [Gap(code="unreachable-owner", text=said)]
    only = policy('after = "1h"\nowner = "manager_of(assignee)"', when='status = "new"\ngroup = "Tier 1"')
    assert gaps(only, PEOPLE) == []


def test_a_function_on_an_owner_in_closed_hours_is_judged_too() -> None:
    text = policy('after = "1h"\nowner = "Duty"\nwithin = "office"\notherwise = { owner = "on_call(Duty)" }')
    assert [gap.text for gap in gaps(text)] == ["whoever is on call for Duty is not known"]
    assert gaps(text, '[groups.Duty]\non_call = "ann@acme.test"\n' + PEOPLE) == []


def test_a_group_with_nobody_in_it() -> None:
    text = policy('after = "1h"\nassign = { group = "Vacant" }')
    assert gaps(text) == [Gap(code="empty-group", text='nobody is in group "Vacant"')]
    assert gaps(text.replace("Vacant", "Duty")) == []
    owned = policy('after = "1h"\nowner = "Vacant"')
    assert gaps(owned) == [Gap(code="empty-group", text='nobody is in group "Vacant"')]


def test_a_strategy_that_finds_nobody_is_said_as_check_says_it() -> None:
    text = policy('after = "1h"\nassign = { group = "Vacant", agent = "least_loaded" }')
    (gap,) = gaps(text)
    assert gap.code == "empty-audience"
    assert gap.text == 'nobody is in group "Vacant", so least_loaded finds nobody.'


def test_a_group_that_does_not_exist() -> None:
    text = policy('after = "1h"\nassign = { group = "Elsewhere" }')
    assert gaps(text) == [Gap(code="unreachable-owner", text='there is no group "Elsewhere"')]


def test_a_language_that_a_template_lacks() -> None:
    def missing(policies: PolicySet, *languages: str) -> list[str]:
        rows = matrix(policies, ("acme",), {"acme": DIRECTORY}, languages).rows
        return [gap.text for row in rows for gap in row.gaps]

    assert missing(rules(LADDER), "en") == []
    assert missing(rules(LADDER), "en", "de", "fr") == ['template "handoff" has no text in de and fr'] * 2
    unspoken = rules(policy('after = "1h"\nowner = "Duty"'))
    assert missing(unspoken, "de") == []
    channel = '[channels.duty]\nurl = "secret:x"\ntemplate = "handoff"\n'
    heard = rules(policy('after = "1h"\nowner = "Duty"\nnotify = ["duty"]'), HEAD + channel)
    assert missing(heard, "de") == ['template "handoff" has no text in de']


def test_without_a_directory_the_config_tells_and_nothing_is_said_of_who_is_there() -> None:
    text = policy(LEAD, 'after = "2h"\nowner = "manager_of(owner)"', 'after = "3h"\nowner = "Elsewhere"')
    found = of(text, PEOPLE, directory=None)
    assert found.unread == ("acme",)
    one, two, three = found.rows
    assert one.people == (("ann@acme.test", ("Tier 1",)), ("cat@acme.test", ("Tier 2",)))
    assert two.people == (("dan@acme.test", ()),)
    assert three.people == ()
    assert {gap.code for row in found.rows for gap in row.gaps} == {"no-backup"}


def test_many_names_are_counted() -> None:
    groups = tuple(Group(id=f"g{number}", name=f"Team {number}") for number in range(9))
    agent = Agent(person=Person(id="a", name="A"), groups=frozenset({each.id for each in groups}))
    found = gaps(
        policy(LEAD),
        '[groups."Team 0"]\nlead = "A"\n',
        Directory(account="acme", groups=groups, agents=(agent,)),
    )
    assert (
        found[-1].text
        == "the lead of the ticket's group is not known for Team 1, Team 2, Team 3, Team 4 and 4 more"
    )


@pytest.mark.parametrize("team", [None, "Tier 1"])
def test_no_policy_no_rows(team: str | None) -> None:
    found = of(policy(more='accounts = ["other"]'), team=team)
    assert found.rows == ()
