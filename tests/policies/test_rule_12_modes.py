"""Rule 12: observe and enforce."""

import pytest

from policies.plan import ChangeTags
from policies.present.explain import traced
from tests.policies.lives import AFTER_30, AFTER_120, HEAD, Life, at, policy

PLAIN = HEAD.replace('mode = "enforce"\n', "")
OBSERVED = 'mode = "observe"'
ENFORCED = 'mode = "enforce"'


def head(service: str = "", account: str = "") -> str:
    """A config whose service and account acme say these modes."""
    text = PLAIN.replace("[service]\n", f"[service]\n{service}\n")
    return text.replace("[accounts.acme]\n", f"[accounts.acme]\n{account}\n")


def life(*levels: str, more: str = "", written: str = "") -> Life:
    """A ticket of a customer, with these levels."""
    return Life(policy(*levels, more=more), written or head(ENFORCED)).customer(0)


# --- which mode ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["", OBSERVED, ENFORCED])
@pytest.mark.parametrize("account", ["", OBSERVED, ENFORCED])
@pytest.mark.parametrize("said", ["", OBSERVED, ENFORCED])
def test_observe_at_any_of_service_account_policy_wins(service: str, account: str, said: str) -> None:
    expected = "enforce" if service == ENFORCED and OBSERVED not in (account, said) else "observe"
    (trace,) = traced(life(more=said, written=head(service, account)).plan(30))
    assert trace.mode == expected


def test_unset_inherits() -> None:
    assert traced(life(written=head(ENFORCED)).plan(30))[0].mode == "enforce"
    assert traced(life(written=head(ENFORCED, OBSERVED)).plan(30))[0].mode == "observe"
    assert traced(life(written=head(OBSERVED)).plan(30))[0].mode == "observe"


def test_the_services_default_is_observe() -> None:
    assert traced(life(written=head()).plan(30))[0].mode == "observe"
    assert traced(life(written=head(account=ENFORCED), more=ENFORCED).plan(30))[0].mode == "observe"


def test_another_accounts_mode_does_not_matter() -> None:
    written = head(ENFORCED).replace("[accounts.other]\n", f"[accounts.other]\n{OBSERVED}\n")
    assert traced(life(written=written).plan(30))[0].mode == "enforce"


def test_once_anything_is_enforced_there_must_be_a_default_owner() -> None:
    with pytest.raises(AssertionError, match="default_owner"):
        life(written=head(ENFORCED).replace('default_owner = "Escalations"\n', ""))
    assert traced(life(written=head(OBSERVED).replace('default_owner = "Escalations"\n', "")).plan(30))


# --- what observe does ---------------------------------------------------------------------------------------


def test_nothing_is_written_in_observe() -> None:
    found = life(more=OBSERVED)
    plan = found.look(30)
    assert (plan.wanted, found.writes) == ((), [])


def test_levels_seen_in_observe_count_as_passed() -> None:
    found = life(more=OBSERVED)
    found.look(30)
    found.look(31)
    assert found.passed() == {"one": "observed"}
    assert found.lines("observed") == 1


def test_the_trace_says_what_would_have_happened() -> None:
    assert traced(life(more=OBSERVED).plan(30))[0].verdict == 'would fire level "one"'


def test_overtaken_levels_are_passed_in_observe_too() -> None:
    found = life(AFTER_30, AFTER_120, more=OBSERVED)
    found.look(120)
    assert found.passed() == {"one": "overtaken", "two": "observed"}


def test_they_count_for_since_last_level_too() -> None:
    after = 'after = "10m"\nclock = "since_last_level"\nnote = "handoff"'
    found = life(AFTER_30, after, more=OBSERVED)
    found.look(35)
    found.look(44)
    assert found.passed() == {"one": "observed"}
    found.look(45)
    assert found.passed() == {"one": "observed", "two": "observed"}


def test_without_repeats() -> None:
    found = life(AFTER_30 + '\nrepeat = { every = "10m", times = 3 }', more=OBSERVED)
    found.look_through(120)
    assert found.lines("repeated") == 0
    assert found.plan(120).next_look is None


def test_acknowledgements_count() -> None:
    found = life(AFTER_30, AFTER_120, more=OBSERVED + '\nstop_on = ["acknowledged"]')
    found.look(30)
    found.agent(40, public=False)
    assert [each.reason for each in found.look(41).ended] == ["stop_on acknowledged"]


def test_other_stops_and_ends_count_in_observe() -> None:
    found = life(more=OBSERVED + '\nstop_on = ["agent_reply"]')
    found.look(30)
    found.agent(40)
    assert [each.reason for each in found.look(41).ended] == ["stop_on agent_reply"]


# --- from observe to enforce ---------------------------------------------------------------------------------


def test_what_was_only_observed_is_not_real_and_fires_once_enforced() -> None:
    levels = (AFTER_30 + '\ntags = ["l1"]', AFTER_120 + '\ntags = ["l2"]')
    found = life(*levels, more=OBSERVED)
    found.look(30)
    found.under(policy(*levels))
    plan = found.look(60)
    assert [(each.number, each.reason) for each in plan.ended] == [(1, "enforced")]
    assert plan.wanted[0].action == ChangeTags(add=frozenset({"l1"}))
    assert found.passed() == {"one": "fired"}
    found.look(120)
    assert found.passed() == {"one": "fired", "two": "fired"}


def test_of_what_is_overdue_the_highest_fires() -> None:
    levels = (AFTER_30 + '\ntags = ["l1"]', AFTER_120 + '\ntags = ["l2"]')
    found = life(*levels, more=OBSERVED)
    found.look_through(130)
    found.under(policy(*levels))
    assert found.look(131).wanted[0].action == ChangeTags(add=frozenset({"l1", "l2"}))
    assert found.passed() == {"one": "overtaken", "two": "fired"}


def test_its_repeats_count_from_the_real_firing() -> None:
    level = AFTER_30 + '\nrepeat = { every = "10m", times = 3 }'
    found = life(level, more=OBSERVED)
    found.look(30)
    found.under(policy(level))
    found.look(60)
    assert found.plan(60).next_look == at(70)


def test_with_backlog_skip_all_that_is_overdue_is_skipped_however_old_the_ticket() -> None:
    more = '\nbacklog = "skip"'
    found = life(AFTER_30, AFTER_120, more=OBSERVED + more)
    found.first_ran = {"p": at(-1)}
    found.look(30)
    found.under(policy(AFTER_30, AFTER_120, more=more))
    assert found.look(60).wanted == ()
    assert found.passed() == {"one": "skipped"}
    found.look(120)
    assert found.passed() == {"one": "skipped", "two": "fired"}


def test_levels_that_had_really_fired_stay_passed() -> None:
    levels = (AFTER_30, AFTER_120, 'clock = "since_last_level"\nafter = "30m"\nnote = "handoff"')
    found = life(*levels)
    found.look(30)
    found.under(policy(*levels, more=OBSERVED))
    found.look(120)
    assert found.passed() == {"one": "fired", "two": "observed"}
    found.under(policy(*levels))
    found.look(130)
    assert found.fired() == ["one", "two"]
    assert found.look(131).next_look == at(160)


def test_an_acknowledgement_in_observe_counts_after_the_switch() -> None:
    more = 'stop_on = ["acknowledged"]\n'
    found = life(AFTER_30, AFTER_120, more=more + OBSERVED)
    found.look(30)
    found.agent(40, public=False)
    found.look(41)
    found.look(70)
    assert found.passed() == {"one": "observed"}, "counted from the acknowledgement"
    found.under(policy(AFTER_30, AFTER_120, more=more))
    found.look(71)
    assert found.fired() == ["one"]
    assert found.plan(72).next_look == at(160)


def test_from_enforce_to_observe_repeats_are_silent() -> None:
    level = AFTER_30 + '\nrepeat = { every = "10m", times = 3 }'
    found = life(level)
    found.look(30)
    found.under(policy(level, more=OBSERVED))
    assert found.look(60).wanted == ()
    assert found.lines("repeated") == 0


def test_an_episode_of_which_nothing_was_observed_goes_on_when_the_mode_changes() -> None:
    found = life(AFTER_30, AFTER_120, more=OBSERVED)
    found.look(20)
    found.under(policy(AFTER_30, AFTER_120))
    assert found.look(30).ended == ()
    assert found.lines("started") == 1


def test_from_enforce_to_observe_it_goes_on_too() -> None:
    found = life(AFTER_30, AFTER_120)
    found.look(30)
    found.under(policy(AFTER_30, AFTER_120, more=OBSERVED))
    assert found.look(60).ended == ()


def test_an_observed_level_behind_approval_shows_what_would_be_asked() -> None:
    gate = AFTER_30 + '\nowner = "Duty"\napproval = { note = "handoff" }'
    found = life(gate, AFTER_120, more=OBSERVED)
    plan = found.look(30)
    (line,) = [each for each in plan.occurrences if each.what == "approval asked"]
    assert (line.owner, line.text) == ("Duty", "would ask: the policy only observes")
    assert plan.wanted == ()
    assert traced(plan)[0].verdict == 'would ask for approval of level "one"'
    assert found.look(31).occurrences == ()
    found.look(120)
    assert found.passed() == {"one": "overtaken", "two": "observed"}
