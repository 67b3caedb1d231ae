"""Rule 13: changing policies. Reloading itself is the connector's."""

import pytest

from policies.language.document import Document, read
from policies.language.parse import parse
from tests.policies.lives import AFTER_30, AFTER_120, HEAD, Life, at, policy, rules

AFTER_240 = 'after = "4h"\nnote = "handoff"'


def named(**levels: str) -> str:
    """A policy with levels of these names."""
    head, _, _ = policy().partition("[[policy.level]]")
    return head + "".join(f'[[policy.level]]\nname = "{name}"\n{text}\n' for name, text in levels.items())


def running(text: str, minutes: float) -> Life:
    """A ticket that has been looked at once, at this minute."""
    life = Life(text).customer(0)
    life.look(minutes)
    return life


# --- where policies stand ------------------------------------------------------------------------------------


def problems(*files: str) -> list[str]:
    """What is wrong with these files, the first of which is the config."""
    documents = [read(f"{index}.toml", text) for index, text in enumerate(files)]
    found = parse([each for each in documents if isinstance(each, Document)]).problems
    return [f"{each.file} {each.code}" for each in found]


def test_policies_stand_in_the_config_and_in_policy_files() -> None:
    assert problems(HEAD + policy(), policy(name="q"), policy(name="r")) == []


def test_names_are_unique_over_all_files() -> None:
    assert problems(HEAD + policy(), policy(name="q"), policy()) == ["2.toml duplicate"]
    assert problems(HEAD + policy() + policy()) == ["0.toml duplicate"]


def test_accounts_and_the_service_belong_to_the_config_alone() -> None:
    assert problems(HEAD, policy() + "[service]\n") == ["1.toml unknown-key"]


# --- running episodes follow the new text --------------------------------------------------------------------


def test_running_episodes_follow_the_new_text_from_their_next_evaluation() -> None:
    life = running(policy(AFTER_120), 30)
    assert life.fired() == []
    life.under(policy(AFTER_30)).look(31)
    assert life.fired() == ["one"]
    assert life.lines("started") == 1, "in the same episode"


def test_new_conditions_count_at_once() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30)
    life.under(policy(AFTER_30, AFTER_120, when='priority = "low"'))
    assert [each.reason for each in life.look(31).ended] == ["when"]


def test_a_new_stop_rule_counts_at_once() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30).customer(40)
    life.look(41)
    life.under(policy(AFTER_30, AFTER_120, more='stop_on = ["customer_message"]'))
    assert [each.reason for each in life.look(42).ended] == ["stop_on customer_message"]


def test_levels_already_passed_stay_passed_by_name() -> None:
    life = running(named(one=AFTER_30, two=AFTER_240), 30)
    life.under(named(one=AFTER_120, two=AFTER_240)).look(120)
    assert life.fired() == ["one"]


def test_also_when_their_order_changes() -> None:
    life = running(named(one=AFTER_30, two=AFTER_120, three=AFTER_240), 120)
    life.under(named(two=AFTER_30, one=AFTER_120, three=AFTER_240)).look(121)
    assert life.fired() == ["two"]
    life.look(240)
    assert life.fired() == ["two", "three"]


def test_a_level_placed_before_a_passed_one_is_overtaken() -> None:
    life = running(named(one=AFTER_30), 30)
    life.under(named(zero='after = "10m"\nnote = "handoff"', one=AFTER_30)).look(31)
    assert life.fired() == ["one"]
    assert life.passed() == {"one": "fired", "zero": "overtaken"}
    assert life.lines("overtaken") == 1


def test_even_if_it_would_be_due_later() -> None:
    life = running(named(one=AFTER_30), 30)
    life.under(named(late=AFTER_120, one=AFTER_30)).look(31)
    life.look(120)
    assert life.fired() == ["one"]


def test_overtaking_so_changes_no_owner() -> None:
    life = running(named(one=AFTER_30 + '\nowner = "Duty"'), 30)
    life.under(named(zero=AFTER_30 + '\nowner = "Tier 2"', one=AFTER_30)).look(31)
    owner = life.plan(31).owner
    assert owner is not None
    assert owner.name == "Duty"


def test_a_level_added_behind_is_new() -> None:
    life = running(named(one=AFTER_30), 120)
    life.under(named(one=AFTER_30, two=AFTER_120)).look(121)
    assert life.fired() == ["one", "two"]


def test_a_renamed_level_is_new_behind_the_last_passed_one() -> None:
    life = running(named(one=AFTER_30, two=AFTER_120), 120)
    assert life.passed() == {"one": "overtaken", "two": "fired"}
    life.under(named(one=AFTER_30, other=AFTER_120)).look(121)
    assert life.fired() == ["two", "other"]


def test_but_only_there() -> None:
    life = running(named(one=AFTER_30, two=AFTER_120), 30)
    life.look(120)
    life.under(named(other=AFTER_30, two=AFTER_120)).look(121)
    assert life.fired() == ["one", "two"]
    assert life.passed()["other"] == "overtaken"


def test_a_level_that_is_taken_out_leaves_the_others() -> None:
    life = running(named(one=AFTER_30, two=AFTER_120, three=AFTER_240), 120)
    life.under(named(one=AFTER_30, three=AFTER_240)).look(121)
    assert life.fired() == ["two"]
    life.look(240)
    assert life.fired() == ["two", "three"]


def test_repeats_follow_the_new_text() -> None:
    life = running(named(one=AFTER_30), 30)
    life.under(named(one=AFTER_30 + '\nrepeat = { every = "10m", times = 1 }')).look(40)
    assert life.lines("repeated") == 1
    life.under(named(one=AFTER_30)).look(60)
    assert life.lines("repeated") == 1


# --- a changed clock, a renamed policy -----------------------------------------------------------------------


def test_a_changed_clock_restarts_it() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30).agent(40)
    life.look(41)
    life.under(policy(AFTER_30, AFTER_120, clock="since_agent_reply"))
    assert [each.reason for each in life.look(60).ended] == ["clock"]
    assert life.lines("started") == 2
    life.look(70)
    assert life.fired() == ["one", "one"]


def test_also_to_one_that_starts_at_the_same_instant() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30)
    life.under(policy(AFTER_30, AFTER_120, clock="customer_waiting")).look(31)
    assert life.fired() == ["one", "one"]


def test_also_to_one_that_is_absent() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30)
    life.under(policy(AFTER_30, AFTER_120, clock="since_agent_reply"))
    assert [each.reason for each in life.look(31).ended] == ["clock"]
    life.agent(40).look(40)
    assert life.plan(69).wanted == ()
    assert life.plan(70).wanted != ()


def test_a_changed_calendar_restarts_nothing() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30)
    life.under(policy(AFTER_30, AFTER_120, more='calendar = "office"'))
    assert life.look(120).ended == ()
    assert life.fired() == ["one"], "the office opens at nine, at minute 540"
    assert life.plan(120).next_look == at(540 + 120)


def test_a_renamed_policy_is_a_new_policy() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30)
    life.under(policy(AFTER_30, AFTER_120, name="q"))
    plan = life.look(31)
    assert [(each.policy, each.reason) for each in plan.ended] == [("p", "removed")]
    assert life.fired("q") == ["one"]


def test_a_policy_that_is_removed_ends_and_comes_back_anew() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30)
    life.under("").look(31)
    assert life.lines("ended") == 1
    life.under(policy(AFTER_30, AFTER_120)).look(32)
    assert life.fired() == ["one", "one"]
    assert life.standing().episodes == 2, "with a new number"


def test_one_that_no_longer_serves_the_account_is_removed_from_it() -> None:
    life = running(policy(AFTER_30, AFTER_120), 30)
    life.under(policy(AFTER_30, AFTER_120, more='accounts = ["other"]'))
    assert [each.reason for each in life.look(31).ended] == ["removed"]


# --- the hash ------------------------------------------------------------------------------------------------


def hash_of(text: str) -> str:
    """The hash of the one policy of this text."""
    return rules(text).policies[0].hash


def test_an_episode_carries_the_hash_of_the_text_it_was_last_judged_by() -> None:
    first, second = policy(AFTER_30, AFTER_120), policy(AFTER_30, AFTER_240)
    life = running(first, 30)
    assert life.standing().episode is not None
    hashes = [life.standing().episode.policy_hash]  # type: ignore[union-attr]
    life.under(second).look(31)
    hashes.append(life.standing().episode.policy_hash)  # type: ignore[union-attr]
    assert hashes == [hash_of(first), hash_of(second)]


def test_comments_and_spacing_do_not_change_the_hash() -> None:
    assert hash_of(policy()) == hash_of("# said again\n" + policy().replace(" = ", "   =  "))


@pytest.mark.parametrize(
    ("old", "new"),
    [("30m", "31m"), ('"new", ', ""), ('"one"', '"eins"'), ('clock = "created"', 'clock = "untouched"')],
)
def test_a_word_does(old: str, new: str) -> None:
    assert hash_of(policy()) != hash_of(policy().replace(old, new))


def test_the_text_is_kept_with_the_hash() -> None:
    (found,) = rules(policy()).policies
    assert '"after":"30m"' in found.text


# --- what decides, and what is only said ----------------------------------------------------------------------

SPOKEN = policy(
    'after = "30m"\nnote = "handoff"\nask = "Call"\nchecklist = ["a"]\napproval = { note = "handoff" }',
    'after = "2h"\nnote = "handoff"\nwithin = "office"\notherwise = { note = "handoff" }',
    when='status = ["new", "open"]',
)
OTHER = HEAD.replace("[templates.handoff]", '[templates.other]\nen = "Hello"\n[templates.handoff]')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"{{ level.name }}"', '"{{ owner }}"'),
        ('note = "handoff"', 'note = "other"'),
        ('ask = "Call"', 'ask = "Write"'),
        ('checklist = ["a"]', 'checklist = ["a", "b"]'),
    ],
)
def test_words_decide_nothing(old: str, new: str) -> None:
    before, after = rules(SPOKEN, OTHER), rules(SPOKEN.replace(old, new), OTHER.replace(old, new))
    assert after.hash != before.hash
    assert (after.decides, after.policies[0].decides) == (before.decides, before.policies[0].decides)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('after = "30m"', 'after = "31m"'),
        ('status = ["new", "open"]', 'status = "new"'),
        ('clock = "created"', 'clock = "untouched"'),
        ('clock = "created"', 'clock = "created"\nbacklog = "skip"'),
        ('clock = "created"', 'clock = "created"\nmode = "observe"'),
        ('ask = "Call"\n', ""),
        ('note = "handoff"\nwithin', 'note = "handoff"\ntags = ["late"]\nwithin'),
        ('"09:00-17:00"', '"09:00-18:00"'),
        ('mode = "enforce"', 'mode = "observe"'),
        ('default_owner = "Escalations"', 'default_owner = "Duty"'),
        ("[accounts.acme]", "[accounts.acme]\nassignment_acknowledges = false"),
    ],
)
def test_all_else_does(old: str, new: str) -> None:
    before, after = rules(SPOKEN, OTHER), rules(SPOKEN.replace(old, new), OTHER.replace(old, new))
    assert after.decides != before.decides
    assert after.policies[0].decides != before.policies[0].decides


def test_another_policy_does_not_change_what_this_one_decides() -> None:
    alone, two = rules(SPOKEN), rules(SPOKEN + policy(name="q"))
    assert two.decides != alone.decides
    assert two.policies[0].decides == alone.policies[0].decides
