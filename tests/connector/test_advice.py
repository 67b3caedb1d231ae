"""Warnings that need the accounts' settings or today's date; `uptier gaps`; `--strict`."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli.main import app
from connector.config.advice import advice
from connector.config.settings import load
from connector.demo import CONFIG as POLICY
from tests.connector.each import EACH, each

TODAY = date(2026, 11, 25)


def found(folder: Path, account: str, more: str = "") -> list[str]:
    """The codes of what is advised."""
    file = folder / "uptier.toml"
    file.write_text(
        f'[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.example"\n{account}\n'
        'auth = { kind = "bearer", token = "secret:acme-token" }\n'
        f'[[policy]]\nname = "p"\nclock = "created"\n[policy.when]\nstatus = "new"\n'
        f'[[policy.level]]\nname = "one"\nafter = "2m"\ntags = ["a"]\n{more}',
        encoding="utf-8",
    )
    loaded = load(file)
    assert loaded.problems == (), loaded.problems
    return [each.code for each in advice(loaded, TODAY)]


@pytest.mark.parametrize(
    ("account", "codes"),
    [
        ('poll = "121s"', ["slow-poll"]),
        ('poll = "120s"', []),
        ('poll = "10m"\nwebhook = { secret = "secret:x" }', []),
    ],
)
def test_a_poll_slower_than_the_shortest_level(tmp_path: Path, account: str, codes: list[str]) -> None:
    assert found(tmp_path, account) == codes


@pytest.mark.parametrize(
    ("dates", "codes"),
    [
        ('closed = ["2026-01-01", "2027-01-23"]', ["dates-end"]),
        ('closed = ["2026-01-01", "2027-01-24"]', []),
        ('closed = ["2026-01-01"]\nholidays = ["US-NY"]', []),
        ("", []),
    ],
)
def test_a_list_of_closed_days_that_ends(tmp_path: Path, dates: str, codes: list[str]) -> None:
    calendar = f'[calendars.office]\ntimezone = "UTC"\nhours = {{ mon-fri = "09:00-17:00" }}\n{dates}\n'
    assert found(tmp_path, "", calendar) == codes


def test_strict_takes_warnings_for_errors(tmp_path: Path) -> None:
    assert found(tmp_path, 'poll = "10m"') == ["slow-poll"]
    command = ["check", "--config", str(tmp_path / "uptier.toml")]
    assert CliRunner().invoke(app, command).exit_code == 0
    strict = CliRunner().invoke(app, [*command, "--strict"])
    assert strict.exit_code == 2
    assert "warning slow-poll" in strict.stdout


@pytest.mark.parametrize("vendor", EACH)
def test_gaps_lists_what_no_policy_covers_and_what_never_fired(vendor: str, tmp_path: Path) -> None:
    idle = POLICY[POLICY.index("[[policy]]") :].replace("urgent-unanswered", "idle")
    idle = idle.replace('priority = "urgent"', 'priority = "low"')
    with each(vendor, tmp_path, config=POLICY + idle) as one:
        one.opened("covered")
        one.opened("left", tag="no-escalation")
        one.round()
        one.round(31)
        left = str(one.ref("left"))
    told = CliRunner().invoke(app, ["gaps", "--format", "json", "--config", str(tmp_path / "uptier.toml")])
    assert json.loads(told.stdout) == {
        "uncovered": {one.desk.account: [left]},
        "never_fired": ["idle"],
        "only_observed": [],
    }
    words = CliRunner().invoke(app, ["gaps", "--config", str(tmp_path / "uptier.toml")]).stdout
    assert f"{one.desk.account}: 1 open tickets no policy covers" in words
    assert "urgent, Tier 1: About left" in words
    assert 'policy "idle" has never fired\n' in words


def test_gaps_takes_nothing_that_was_only_observed_for_fired(tmp_path: Path) -> None:
    with each("zendesk", tmp_path, config=POLICY.replace('"enforce"', '"observe"')) as one:
        one.opened("covered")
        one.round()
        one.round(31)
    told = CliRunner().invoke(app, ["gaps", "--format", "json", "--config", str(tmp_path / "uptier.toml")])
    assert json.loads(told.stdout)["only_observed"] == ["urgent-unanswered"]
    words = CliRunner().invoke(app, ["gaps", "--config", str(tmp_path / "uptier.toml")]).stdout
    assert "has never fired, and would have last fired" in words
