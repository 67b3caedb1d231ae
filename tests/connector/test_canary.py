"""The service plays the tests of its policies: after a start, after a reload, and daily."""

import json
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from prometheus_client import generate_latest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from connector.app.canary import Canary, FailedTest, PolicyHealth, changed_results, failed_tests
from connector.app.compose import roles_named
from connector.app.service import Service
from connector.cli.main import app
from connector.config.settings import load
from connector.console.queries import health_page
from connector.demo import CONFIG as DEMO
from connector.store import played
from connector.store.played import Kept, Played
from connector.store.trouble import StoreTrouble
from tests.connector.beside import LADDER, SECRETS, Beside, beside, composed
from tests.connector.console.conftest import PASSWORD, Shown
from tests.connector.each import Each, each
from tests.connector.stores import fresh_store
from tests.connector.test_metrics import scraped
from tests.connector.test_reload import LATER, rewritten
from tests.patience import until
from tests.postgres import database

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
        scrape = numbers(one)
        assert scrape['uptier_policy_last_evaluated_timestamp_seconds{policy="waits"}'] >= now
        assert (
            scrape['uptier_policy_last_matched_timestamp_seconds{policy="waits"}'] == first["waits"].matched
        )
        assert scrape['uptier_policy_silent{policy="waits",why="not fired since changed"}'] == 1
        assert scrape['uptier_policy_silent{policy="never",why="never matched"}'] == 1
        with one.service.parts.store.reading() as connection:
            shown = health_page(connection, None, (), (), (), (), (), tuple(health(one).values()), now)
        assert [each.name for each in shown.policies] == ["waits", "never"]


# --- what comes of it, and what was accepted ------------------------------------------------------------------

ANGRY = """
[[policy]]
name = "angry"
clock = "created"
[policy.when]
phrases = { has = "complaint" }
[[policy.level]]
name = "one"
after = "5m"
owner = "Duty"
note = "handoff"
"""
OTHERWISE = "accepted: 0:30 fires one to Tier 2; now: 0:50 fires one to Tier 2"


def cli(folder: Path, *words: str) -> Result:
    return CliRunner(env=dict(SECRETS)).invoke(app, [*words, "--config", str(folder / "uptier.toml")])


def changed_in(log: list[Any]) -> list[Any]:
    return [line for line in log if line["event"] == "policy_result_changed"]


def test_a_policy_without_a_test_is_played_by_a_life_made_for_it(tmp_path: Path) -> None:
    with beside(tmp_path, LADDER + ANGRY) as one, capture_logs() as log:
        one.service._play_tests()
        with one.service.parts.store.reading() as connection:
            kept = {each.played.name: each for each in played.every(connection)}
        assert kept["waits"].played.found == ("0:30  fires one to Tier 2", "2:00  fires two to Duty")
        assert kept["waits"].accepted == kept["waits"].played.found
        assert (kept["waits"].accepted_at, kept["waits"].accepted_by) == (one.clock.now(), "")
        assert kept["angry"].accepted is None
        assert {each.name: each.tested for each in health(one).values()} == {
            "waits": "a made life",
            "angry": "needs a test",
        }
        assert numbers(one)["uptier_policy_results_changed"] == 0
    assert [line for line in log if line["log_level"] == "warning"] == [], "that is no alarm"


def test_what_fires_otherwise_than_was_accepted_is_told_until_it_is_accepted(tmp_path: Path) -> None:
    with beside(tmp_path, LADDER) as one, capture_logs() as log:
        one.service._play_tests()
        one.clock.advance(60)
        assert one.service.reload(load(rewritten(tmp_path, LATER)))
        for _ in range(2):
            one.service._play_tests()
        (said,) = changed_in(log)
        assert said["what"] == 'policy "waits"'
        assert said["difference"] == OTHERWISE
        assert said["because"] == '"waits" was changed on 2026-09-21'
        assert said["next"] == "uptier test --accept, if it is meant"
        assert numbers(one)["uptier_policy_results_changed"] == 1
        with one.service.parts.store.reading() as connection:
            shown = health_page(connection, None, (), (), (), (), (), (), one.clock.now())
        assert [each.difference for each in shown.results] == [OTHERWISE]

        told = cli(tmp_path, "policies")
        assert told.exit_code == 0, told.output
        assert f'policy "waits": {OTHERWISE} ("waits" was changed on 2026-09-21)' in told.stdout
        assert "If that is meant, `uptier test --accept` takes it for right." in told.stdout
        row = next(line.split() for line in told.stdout.splitlines() if line.startswith("waits"))
        assert row == [
            "waits",
            "never",
            "never",
            "never",
            "a",
            "made",
            "life",
            "was",
            "not",
            "evaluated",
            "yet",
        ]
        told_json = json.loads(cli(tmp_path, "policies", "--format", "json").stdout)
        assert [each["difference"] for each in told_json["changed_results"]] == [OTHERWISE]

        taken = cli(tmp_path, "test", "--accept")
        assert taken.exit_code == 0, taken.output
        assert f'policy "waits": {OTHERWISE}' in taken.stdout
        assert "accepted: 1 result, 1 of them other than before" in taken.stdout
        assert numbers(one)["uptier_policy_results_changed"] == 0
        assert "accepted:" not in cli(tmp_path, "policies").stdout
        with one.service.parts.store.reading() as connection:
            (kept,) = played.every(connection)
        assert kept.accepted_by != ""

        one.service._play_tests()
        assert one.service.reload(load(rewritten(tmp_path, LADDER)))
        one.service._play_tests()
        assert len(changed_in(log)) == 2, "back again is another change"


def test_a_policy_that_no_longer_fires_in_its_made_life_is_told(tmp_path: Path) -> None:
    with beside(tmp_path, LADDER) as one, capture_logs() as log:
        one.service._play_tests()
        one.clock.advance(60)
        silent = LADDER.replace(
            "[policy.when]", "[policy.unless]\npriority = { known = true }\n[policy.when]"
        )
        assert one.service.reload(load(rewritten(tmp_path, silent)))
        one.service._play_tests()
    (said,) = changed_in(log)
    assert said["difference"] == ("accepted: 0:30 fires one to Tier 2, 2:00 fires two to Duty; now: nothing")


def test_a_change_that_no_policy_tells_of_is_told_as_that(tmp_path: Path) -> None:
    with beside(tmp_path, LADDER) as one:
        one.service._play_tests()
        with one.service.parts.store.writing() as connection:
            (kept,) = played.every(connection)
            other = replace(kept.played, found=("0:31  fires one to Tier 2",))
            played.keep(connection, [other], one.clock.now())
        with one.service.parts.store.reading() as connection:
            (changed,) = changed_results(connection)
        assert changed.because == (
            "no policy was changed since: holidays, people, calendars or the version of Uptier were"
        )


def test_tests_that_fail_are_known_to_every_process(tmp_path: Path) -> None:
    (tmp_path / "uptier.test.toml").write_text(TEST, encoding="utf-8")
    with beside(tmp_path, LADDER) as one:
        one.service._play_tests()
        with one.service.parts.store.reading() as connection:
            (failed,) = failed_tests(connection)
        assert (failed.name, failed.why) == ("nobody answers", WHY)
        told = cli(tmp_path, "policies")
        assert f'test "nobody answers" ({failed.place}) fails: {WHY}' in told.stdout
        refused = cli(tmp_path, "test", "--accept")
        assert refused.exit_code == 1
        assert "accepted: 0 results, 0 of them other than before; not 1 test that failed" in refused.stdout
        with one.service.parts.store.reading() as connection:
            (kept,) = played.every(connection)
        assert kept.accepted is None, "what fails is corrected"


def test_what_could_not_be_kept_is_played_again_within_the_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uptier.test.toml").write_text(TEST, encoding="utf-8")
    with beside(tmp_path, LADDER) as one:
        keep, tries = played.keep, list[int]()

        def away(connection: Any, results: Any, now: int) -> None:
            tries.append(now)
            if len(tries) == 1:
                raise StoreTrouble("the database is away")
            keep(connection, results, now)

        monkeypatch.setattr(played, "keep", away)
        with pytest.raises(StoreTrouble):
            one.service._play_tests_daily()
        assert [each.why for each in one.service.parts.canary.failed] == [WHY], "told all the same"
        for hours in (1, 1, 22, 1):
            one.clock.advance(hours * 3600)
            one.service._play_tests_daily()
        assert [at - tries[0] for at in tries] == [0, 3600, 25 * 3600]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_accepted_and_when_is_kept(kind: str, tmp_path: Path) -> None:
    first = Played(kind="test", name="a", policies=("p",), written="1", found=("0:30  fires one",))
    made = Played(kind="policy", name="a", policies=("a",), found=("0:10  fires one",))
    with fresh_store(kind, tmp_path) as store:

        def kept(now: int, *results: Played) -> dict[tuple[str, str], Kept]:
            with store.writing() as connection:
                played.keep(connection, results, now)
            with store.reading() as connection:
                return {(each.played.kind, each.played.name): each for each in played.every(connection)}

        assert {each.accepted_at for each in kept(1, first, made).values()} == {1}
        later = kept(2, first, replace(made, found=("0:20  fires one",)))
        assert not later["test", "a"].is_other
        assert later["policy", "a"].is_other
        assert later["policy", "a"].difference == "accepted: 0:10 fires one; now: 0:20 fires one"
        with store.writing() as connection:
            assert len(played.accept(connection, "dana", 3)) == 1
        (taken,) = (each for each in kept(4, replace(made, found=("0:20  fires one",))).values())
        assert (taken.is_other, taken.accepted_at, taken.accepted_by, taken.at) == (False, 3, "dana", 4)

        kept(5, first)
        failing = kept(6, replace(first, found=(), why="expected 0:30 fires one"))["test", "a"]
        assert (failing.is_other, failing.accepted) == (False, first.found)
        rewritten_test = kept(7, replace(first, written="2", found=("0:40  fires one",)))["test", "a"]
        assert (rewritten_test.is_other, rewritten_test.accepted_at) == (False, 7)


def test_a_console_of_its_own_shows_what_the_workers_played(tmp_path: Path) -> None:
    path = tmp_path / "uptier.toml"
    with (
        database() as url,
        each("zendesk", tmp_path, config=DEMO.replace("sqlite:///uptier.db", url)) as here,
        process(here, tmp_path, "console") as showing,
        process(here, tmp_path, "worker,poller") as working,
        process(here, tmp_path, "worker") as another,
    ):
        shown = Shown(here=here, url=showing._listen())
        shown.user("dana", "viewer")

        def health_shown() -> str:
            with shown.client() as client:
                client.post("/login", data={"name": "dana", "password": PASSWORD})
                return unescape(client.get("/health").text)

        another._play_tests()
        here.clock.advance(60)
        path.write_text(path.read_text().replace('"30m"', '"50m"'), encoding="utf-8")
        assert working.reload(load(path))
        working._play_tests()
        changed = "accepted: 0:30 fires Second line to Tier 2; now: 0:50 fires Second line to Tier 2"
        assert changed in health_shown()
        assert '"urgent-unanswered" was changed on 2026-09-21' in health_shown()

        asks = TEST.replace("fires one", "fires Second line").replace("[[test]]", f"[[test]]\n{URGENT}")
        (tmp_path / "uptier.test.toml").write_text(asks, encoding="utf-8")
        assert working.reload(load(path))
        working._play_tests()
        page = health_shown()
        assert "expected 0:30 fires Second line" in page
        assert changed not in page, "it has a test now"


URGENT = 'ticket = { priority = "urgent" }'


def process(here: Each, folder: Path, roles: str) -> Service:
    """Another process on the same database."""
    return composed(folder / "uptier.toml", here.clock, here.desk.secrets(), roles_named(roles))
