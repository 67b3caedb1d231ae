"""Rule 12: observe and enforce."""

import pytest

from policies.plan import ChangeTags
from tests.policies.lives import AFTER_30, AFTER_120, HEAD, Life, policy

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
    (trace,) = life(more=said, written=head(service, account)).plan(30).trace
    assert trace.mode == expected


def test_unset_inherits() -> None:
    assert life(written=head(ENFORCED)).plan(30).trace[0].mode == "enforce"
    assert life(written=head(ENFORCED, OBSERVED)).plan(30).trace[0].mode == "observe"
    assert life(written=head(OBSERVED)).plan(30).trace[0].mode == "observe"


def test_the_services_default_is_observe() -> None:
    assert life(written=head()).plan(30).trace[0].mode == "observe"
    assert life(written=head(account=ENFORCED), more=ENFORCED).plan(30).trace[0].mode == "observe"


def test_another_accounts_mode_does_not_matter() -> None:
    written = head(ENFORCED).replace("[accounts.other]\n", f"[accounts.other]\n{OBSERVED}\n")
    assert life(written=written).plan(30).trace[0].mode == "enforce"


def test_once_anything_is_enforced_there_must_be_a_default_owner() -> None:
    with pytest.raises(AssertionError, match="default_owner"):
        life(written=head(ENFORCED).replace('default_owner = "Escalations"\n', ""))
    assert life(written=head(OBSERVED).replace('default_owner = "Escalations"\n', "")).plan(30).trace


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
    assert life(more=OBSERVED).plan(30).trace[0].verdict == 'would fire level "one"'


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


def test_enforcing_later_never_sends_them_retroactively() -> None:
    levels = (AFTER_30 + '\ntags = ["l1"]', AFTER_120 + '\ntags = ["l2"]')
    found = life(*levels, more=OBSERVED)
    found.look(30)
    found.under(policy(*levels))
    assert found.look(60).wanted == ()
    (first, *_) = found.look(120).wanted
    assert first.action == ChangeTags(add=frozenset({"l2"})), "not even the tags of what was observed"
    assert found.passed() == {"one": "observed", "two": "fired"}


def test_nor_their_repeats() -> None:
    level = AFTER_30 + '\nrepeat = { every = "10m", times = 3 }'
    found = life(level, more=OBSERVED)
    found.look(30)
    found.under(policy(level))
    assert found.look(60).wanted == ()
    assert found.plan(60).next_look is None


def test_from_enforce_to_observe_repeats_are_silent() -> None:
    level = AFTER_30 + '\nrepeat = { every = "10m", times = 3 }'
    found = life(level)
    found.look(30)
    found.under(policy(level, more=OBSERVED))
    assert found.look(60).wanted == ()
    assert found.lines("repeated") == 0


def test_the_episode_goes_on_when_the_mode_changes() -> None:
    found = life(AFTER_30, AFTER_120, more=OBSERVED)
    found.look(30)
    found.under(policy(AFTER_30, AFTER_120))
    assert found.look(60).ended == ()
    assert found.lines("started") == 1
