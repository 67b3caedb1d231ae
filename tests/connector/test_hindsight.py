"""`uptier explain --at` a past instant: out of what each helpdesk's history tells, or out of an archive."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from connector.cli.main import app
from connector.clock import SystemClock
from connector.demo import CONFIG
from connector.store.standings import standings_of
from tests.connector.each import EACH, Each, each
from tests.connector.equal import LOW
from tests.connector.test_archive import archived, pulling

RULES = (
    CONFIG
    + """
[[policy]]
name    = "often"
clock   = "created"
[policy.when]
channel = { known = true }
requester.recent_tickets = { over = 3 }
[[policy.level]]
name    = "Look"
after   = "10m"
owner   = "Escalations"
note    = "handoff"
"""
)

vendors = pytest.mark.parametrize("vendor", EACH)


@contextmanager
def lived(vendor: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Each]:
    """Two hours of one ticket. At 0 Cleo writes, at 30 minutes Uptier gives it to Tier 2, at 60 Ann says that it is not
    urgent, at 70 she answers."""
    with each(vendor, folder, config=RULES) as one:
        monkeypatch.setattr(SystemClock, "now", lambda _: one.clock.now())
        one.opened("one")
        one.round()
        one.round(31)
        one.round(2)
        one.clock.advance(27 * 60)
        one.desk.desk.agent_changes(one.desk.tickets["one"], "Ann", **LOW[vendor])
        one.clock.advance(10 * 60)
        one.desk.answer("one", "Ann", "We are on it")
        one.round(50)
        yield one


def explained(one: Each, folder: Path, at: str, *more: str) -> Result:
    asks = ["explain", str(one.ref()), "--at", at, "--config", str(folder / "uptier.toml"), *more]
    return CliRunner(env=dict(one.desk.secrets())).invoke(app, asks)


def lines_of(done: Result) -> list[str]:
    assert done.exit_code == 0, done.output
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


TELLING = [vendor for vendor in EACH if vendor != "freshdesk"]


@pytest.mark.parametrize("vendor", TELLING)
def test_where_the_history_tells_all_it_is_as_it_was_then(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lived(vendor, tmp_path, monkeypatch) as one:
        early = lines_of(explained(one, tmp_path, "-100m"))
        assert early[0].endswith("About one")
        assert early[1].endswith("by the history that the helpdesk tells. Owner then: Tier 1.") or (
            "by the history that the helpdesk tells." in early[1]
        )
        assert 'Policy "urgent-unanswered" (enforce): waits for level "Second line": ' in " ".join(early)
        assert "yes priority is urgent (it is urgent, as then)" in early
        assert "clock customer_waiting (as then)" in early
        assert "Second line: waiting; due 2026-09-21 14:43:20 UTC, 30m after the clock's start" in early

        later = lines_of(explained(one, tmp_path, "-75m"))
        assert "Second line: fired at 2026-09-21 14:43:20 UTC" in later
        assert "Duty managers: waiting; due 2026-09-21 16:13:20 UTC, 2h after the clock's start" in later

        calm = lines_of(explained(one, tmp_path, "-55m"))
        assert (
            'Policy "urgent-unanswered" (enforce): does not match: priority is urgent, but it is low' in calm
        )
        assert "no priority is urgent (it is low, as then)" in calm


def test_what_freshdesk_does_not_tell_is_as_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lived("freshdesk", tmp_path, monkeypatch) as one:
        early = lines_of(explained(one, tmp_path, "-100m"))
        assert "no priority is urgent (it is low, as now)" in early
        assert "no tags has no-escalation (unknown; played as eu)" in early, "Uptier has changed them since"
        assert "clock customer_waiting (as then)" in early


@vendors
def test_what_nobody_can_tell_is_unknown(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lived(vendor, tmp_path, monkeypatch) as one:
        with one.service.parts.store.reading() as connection:
            before = standings_of(connection, one.ref())
        writes = len(one.log())
        early = lines_of(explained(one, tmp_path, "-100m"))
        assert "? requester.recent_tickets is over 3 (unknown)" in early
        assert any(
            line.startswith("yes channel is known (it is ") and line.endswith(", as now)") for line in early
        )
        assert (
            'Policy "often" (enforce): cannot be judged: requester.recent_tickets is over 3, '
            "which is not told by the history"
        ) in early
        told = json.loads(explained(one, tmp_path, "-100m", "--format", "json").stdout)
        often: Any = next(each for each in told if each["policy"] == "often")
        known = {line["text"]: line["known"] for line in often["lines"]}
        assert known["requester.recent_tickets is over 3"] == "unknown"
        assert known["channel is known"] == "as now"
        assert often["clock"]["known"] == "as then"
        assert len(one.log()) == writes
        with one.service.parts.store.reading() as connection:
            assert standings_of(connection, one.ref()) == before


@vendors
def test_an_archive_answers_as_the_helpdesk_does_and_asks_nobody(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lived(vendor, tmp_path, monkeypatch) as one:
        asked = {at: lines_of(explained(one, tmp_path, at))[3:] for at in ("-100m", "-75m", "-55m")}
        with archived(one, tmp_path) as archive:
            pulling(one, archive).run()
        calls = len(one.desk.desk.log)
        file = ("--archive", str(archive.path))
        for at, said in asked.items():
            told = lines_of(explained(one, tmp_path, at, *file))
            assert told[0] == str(one.ref()), "it holds no words"
            assert told[1].startswith("As of ")
            assert told[3:] == said
        one.clock.advance(600)
        late = explained(one, tmp_path, "-5m", *file)
        assert late.exit_code == 1
        assert "does not reach that time; without --archive the helpdesk is asked" in late.stderr
        assert len(one.desk.desk.log) == calls


def test_orders_that_are_left_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lived("zendesk", tmp_path, monkeypatch) as one:
        asks = ["snooze", "acme/1", "--for", "20m", "--reason", "she waits", "--config"]
        ordered = CliRunner(env=dict(one.desk.secrets())).invoke(app, [*asks, str(tmp_path / "uptier.toml")])
        assert ordered.exit_code == 0, ordered.output
        one.round(1)
        one.round(30)
        found = [line for line in lines_of(explained(one, tmp_path, "-10m")) if "Left out" in line]
        assert len(found) == 1
        assert found[0].startswith("Left out, though it was ordered: ")
        assert found[0].endswith(": she waits")
        assert not any("Left out" in line for line in lines_of(explained(one, tmp_path, "-2h")))


def test_what_cannot_be_looked_back_at_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lived("zendesk", tmp_path, monkeypatch) as one:
        before = explained(one, tmp_path, "-3h")
        assert (before.exit_code, before.stderr.strip()) == (1, "uptier: acme/1 came in after that time")
        supposed = explained(one, tmp_path, "-1h", "--set", "priority=low")
        assert supposed.exit_code == 2
        assert "--set goes with now or a time to come" in supposed.stderr
        ahead = explained(one, tmp_path, "+1h", "--archive", "x.sqlite3")
        assert ahead.exit_code == 2
        assert "--archive goes with --at and a past time" in ahead.stderr
        none = explained(one, tmp_path, "-1h", "--archive", str(tmp_path / "none.sqlite3"))
        assert none.exit_code == 2
        assert "there is no archive" in none.stderr
        with archived(one, tmp_path) as archive:
            pass
        empty = explained(one, tmp_path, "-1h", "--archive", str(archive.path))
        assert empty.exit_code == 1
        assert f"acme/1 is not in {archive.path}" in empty.stderr
