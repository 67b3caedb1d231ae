"""`uptier explain --set`: what if a ticket had other values, beside each helpdesk, without touching anything."""

import json
from pathlib import Path

import pytest

from adapters.zendesk.simulator.state import Zendesk
from connector.demo import CONFIG
from connector.store.standings import standings_of
from connector.work.context import Foreseen, foresight
from policies.present.explain import traced
from tests.connector.each import EACH, Each, each
from tests.connector.test_cli import desk, uptier  # noqa: F401 (a fixture)

vendors = pytest.mark.parametrize("vendor", EACH)


def asked(one: Each, minutes: int, *, reads: bool, **said: str) -> Foreseen:
    parts, now = one.service.parts, one.clock.now()
    helpdesk = parts.desks[one.desk.account] if reads else None
    return foresight(parts.store, helpdesk, parts.rules().policies, one.ref(), now + minutes * 60, now, said)


@vendors
def test_another_value_at_another_time_stands_beside_what_is(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        one.round(1)
        with one.service.parts.store.reading() as connection:
            before = standings_of(connection, one.ref())
        calls = len(one.desk.desk.log)
        asked(one, 60, reads=True)
        alone = len(one.desk.desk.log) - calls
        seen = asked(one, 60, reads=True, priority="low")
        assert len(one.desk.desk.log) - calls == 2 * alone, "no more calls than without --set"
        assert seen.then.owner is None
        fired = asked(one, 60, reads=True, tags="+vip")
        assert [plan.owner and plan.owner.name for plan in (fired.as_it_is, fired.then)] == ["Tier 2"] * 2, (
            "what nobody asks about changes nothing, at any time"
        )
        calls = len(one.desk.desk.log)
        assert asked(one, 0, reads=False, tags="+no-escalation").then.next_look is None
        assert len(one.desk.desk.log) == calls, "what the last look left asks nobody"
        with one.service.parts.store.reading() as connection:
            assert standings_of(connection, one.ref()) == before
        assert one.applied() == 0


@vendors
def test_what_was_only_observed_is_told_again(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=CONFIG.replace('"enforce"', '"observe"')) as one:
        one.opened("one")
        one.round(31)
        one.round(1)
        seen = asked(one, 0, reads=False, tags="+vip")
        verdicts = [traced(plan)[0].verdict for plan in (seen.as_it_is, seen.then)]
        assert verdicts == ['would fire level "Second line"'] * 2


def test_the_command_prints_both_and_refuses_what_is_no_value(desk: Zendesk) -> None:  # noqa: F811
    uptier("run", "--once")
    shown = uptier("explain", "acme/1", "--set", "status=pending", "--set", "tags=+vip")
    assert shown.exit_code == 0, shown.stderr
    assert "What if status=pending, tags=+vip?" in shown.stdout
    assert '\n  as it is: waits for level "two"' in shown.stdout
    assert "\n  what if:  does not match: status is new or open, but it is pending" in shown.stdout
    later = uptier("explain", "acme/1", "--set", "priority=urgent", "--at", "+2h")
    assert "Owner then: Duty." in later.stdout
    assert "\n  what if:  every level is passed" in later.stdout
    told = json.loads(uptier("explain", "acme/1", "--set", "status=pending", "--format", "json").stdout)
    assert [told[when][0]["verdict"].split()[0] for when in ("as_it_is", "what_if")] == ["waits", "does"]
    asked_before = len(desk.log)
    for wrong, said in (
        ("prioritty=high", 'there is no field "prioritty". Did you mean "priority"?'),
        ("priority=urgend", 'priority cannot be "urgend". Did you mean "urgent"?'),
        ("custom.plan=gold", 'there is no field "custom.plan".'),
        ("group=Tier 7", 'acme knows no group "Tier 7".'),
        ("priority", "write FIELD=VALUE"),
        ("=high", "write FIELD=VALUE"),
    ):
        for at in ((), ("--at", "+1h")):
            refused = uptier("explain", "acme/1", "--set", wrong, *at)
            assert (refused.exit_code, said in refused.stderr, refused.stdout) == (2, True, ""), (
                refused.stderr
            )
    assert len(desk.log) == asked_before, "nobody is asked about what cannot be"
    unseen = uptier("explain", "acme/99", "--set", "status=open")
    assert (unseen.exit_code, "has not been seen" in unseen.stderr) == (1, True)
