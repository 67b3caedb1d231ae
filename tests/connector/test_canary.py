"""The service plays the tests of its policies: after a start, after a reload, and daily."""

from pathlib import Path

from prometheus_client import generate_latest
from structlog.testing import capture_logs

from connector.app.canary import Canary, FailedTest, PolicyHealth
from connector.config.settings import load
from connector.console.queries import health_page
from tests.connector.beside import LADDER, Beside, beside
from tests.connector.test_metrics import scraped
from tests.connector.test_reload import LATER, rewritten
from tests.patience import until

TEST = """
[[test]]
name = "nobody answers"
start = "2026-03-02 09:00"
life = '''
0:00  customer writes
0:30  fires one
3:00  nothing fires
'''
"""
WHY = "found 2:00 fires two to Duty"


def numbers(one: Beside) -> dict[str, float]:
    return scraped(generate_latest(one.service.metrics.registry).decode())


def test_a_test_that_fails_is_told_until_it_passes_again(tmp_path: Path) -> None:
    file = tmp_path / "uptier.test.toml"
    file.write_text(TEST, encoding="utf-8")
    with beside(tmp_path) as one, capture_logs() as log:
        canary = one.service.parts.canary
        one.service.start()
        until(lambda: canary.failed != ())
        failed = FailedTest(name="nobody answers", place=f"{file}:2", why=WHY)
        assert canary.failed == (failed,)
        assert numbers(one)["uptier_policy_tests_failed"] == 1
        with one.service.parts.store.reading() as connection:
            shown = health_page(connection, None, (), (), (), (), canary.failed, (), one.clock.now())
        assert shown.tests == (failed,)
        assert one.service.ready()[0], "it keeps nothing from running"

        file.write_text(TEST.replace("3:00", "1:59"), encoding="utf-8")
        assert one.service.reload(load(tmp_path / "uptier.toml"))
        until(lambda: canary.failed == ())
        assert numbers(one)["uptier_policy_tests_failed"] == 0

        assert one.service.reload(load(rewritten(tmp_path, LATER)))
        until(lambda: canary.failed != ())
        one.service.stop()
    said = [line for line in log if str(line["event"]).startswith("policy_test")]
    assert [line["event"] for line in said] == [
        "policy_test_failed",
        "policy_test_passes",
        "policy_test_failed",
    ]
    assert [line["why"] for line in said if "why" in line] == [WHY, "expected 0:30 fires one"]
    assert said[0]["place"] == f"{file}:2"


def test_the_same_failure_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "uptier.test.toml").write_text(TEST, encoding="utf-8")
    with beside(tmp_path, LADDER) as one, capture_logs() as log:
        for _ in range(3):
            one.service._play_tests()
    assert [line["event"] for line in log].count("policy_test_failed") == 1


def test_when_a_policy_fired_last_is_a_number(tmp_path: Path) -> None:
    name = 'uptier_policy_last_fired_timestamp_seconds{policy="waits"}'
    with beside(tmp_path) as one:
        one.round()
        assert name not in numbers(one)
        one.round(31)
        (fired,) = [line.at for line in one.lines() if line.what == "fired"]
        assert numbers(one)[name] == fired


NEVER = """
[[policy]]
name = "never"
clock = "created"
[policy.when]
tags = { has = "no-ticket-has-it" }
[[policy.level]]
name = "one"
after = "5m"
owner = "Duty"
note = "handoff"
"""


def health(one: Beside, canary: Canary | None = None) -> dict[str, PolicyHealth]:
    """What Health says of each policy, by a process that has read the ledger on, or by a new one."""
    parts = one.service.parts
    with parts.store.reading() as connection:
        told = (canary or parts.canary).health_of(connection, parts.rules().policies, parts.desks)
    return {each.name: each for each in told}


def test_a_policy_that_never_matched_or_fired_or_no_longer_does_is_told(tmp_path: Path) -> None:
    with beside(tmp_path, LADDER + NEVER) as one:
        assert {each.note for each in health(one).values()} == {"was not evaluated yet"}
        one.round()
        looked = one.clock.now()
        first = health(one)
        assert first["waits"].matched is not None
        assert (first["waits"].evaluated, first["waits"].fired) == (looked, None)
        assert first["waits"].note == "has never fired"
        assert first["never"].evaluated == looked
        assert first["never"].note == "has never matched a ticket"
        one.round(31)
        (fired,) = [line.at for line in one.lines() if line.what == "fired"]
        assert (health(one)["waits"].fired, health(one)["waits"].note) == (fired, "")

        one.clock.advance(60)
        changed = rewritten(tmp_path, LATER + NEVER)
        assert one.service.reload(load(changed))
        now = one.clock.now()
        assert health(one)["waits"].changed == now
        assert health(one)["waits"].note == "was not evaluated yet", "not by what it decides now"
        assert health(one)["never"].changed != now, "it decides as before"
        assert health(one)["never"].evaluated is not None
        one.round()
        assert health(one)["waits"].note == "has not fired since it was changed on 2026-09-21"
        assert health(one, Canary()) == health(one)
        assert numbers(one)['uptier_policy_last_evaluated_timestamp_seconds{policy="waits"}'] >= now
        with one.service.parts.store.reading() as connection:
            shown = health_page(connection, None, (), (), (), (), (), tuple(health(one).values()), now)
        assert [each.name for each in shown.policies] == ["waits", "never"]
