"""`uptier matrix` and `uptier cards` as they are typed."""

import csv
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connector.cli.main import app
from connector.store import accounts
from tests.connector.stores import made_in
from tests.policies.lives import DIRECTORY

CONFIG = """
[service]
default_owner = "Escalations"
[accounts.acme]
adapter = "zendesk"
url = "https://acme.example"
auth = { kind = "bearer", token = "secret:acme-token" }
[accounts.other]
adapter = "zendesk"
url = "https://other.example"
auth = { kind = "bearer", token = "secret:other-token" }
[templates.handoff]
en = "{{ level.name }}"
[groups."Tier 1"]
lead = "ann@acme.test"
[[policy]]
name = "p"
clock = "created"
[policy.when]
status = "new"
[[policy.level]]
name = "one"
after = "30m"
owner = "lead_of(group)"
note = "handoff"
[[policy]]
name = "q"
accounts = ["acme"]
clock = "created"
[policy.when]
group = "Tier 2"
[[policy.level]]
name = "duty"
after = "1h"
owner = "Duty"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config without a database."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uptier.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def known(folder: Path) -> None:
    """The directory of acme has been read."""
    store = made_in(folder)
    with store.writing() as connection:
        accounts.save_directory(connection, DIRECTORY, 1)
    store.close()


def uptier(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_it_works_before_anything_was_read(config: Path) -> None:
    found = uptier("matrix")
    assert found.exit_code == 0
    assert "Groups and people of acme, other were never read, so they are not judged." in found.stdout
    assert "owner: the lead of the ticket's group; ann@acme.test" in found.stdout
    assert not (config / "uptier.db").exists()


def test_the_last_directory_tells_who_is_missing(config: Path) -> None:
    known(config)
    found = uptier("matrix", "--account", "acme").stdout
    assert "never read" not in found
    said = " ".join(found.split())
    assert (
        "unreachable-owner: the lead of the ticket's group is not known for Tier 2, Duty and Escalations"
        in said
    )
    assert "other:" not in found


def test_one_team(config: Path) -> None:
    known(config)
    found = uptier("matrix", "--account", "acme", "--team", "Tier 1").stdout
    assert "for tickets of Tier 1" in found
    assert "acme: p" in found
    assert "acme: q" not in found


@pytest.mark.parametrize(
    ("how", "begins"),
    [
        ("html", "<!DOCTYPE html>"),
        ("md", "# Escalation matrix"),
        ("csv", '"Account"'),
        ("svg", "<svg"),
        ("table", "Policies "),
        ("json", '{"policies": '),
    ],
)
def test_each_format_is_printed_or_written(config: Path, how: str, begins: str) -> None:
    printed = uptier("matrix", "--format", how)
    assert printed.exit_code == 0
    assert printed.stdout.startswith(begins)
    said = uptier("matrix", "--format", how, "--output", "out")
    assert said.stdout == ""
    assert (config / "out").read_bytes().decode().replace("\r\n", "\n") == printed.stdout


def test_a_pdf_is_written_or_goes_into_a_pipe(config: Path) -> None:
    assert uptier("matrix", "--format", "pdf").stdout_bytes.startswith(b"%PDF-")
    said = uptier("matrix", "--format", "pdf", "--output", "out.pdf")
    assert (said.exit_code, said.stdout) == (0, "")
    assert (config / "out.pdf").read_bytes().startswith(b"%PDF-")


def test_without_its_package_a_pdf_says_what_to_do(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fpdf", None)
    found = uptier("matrix", "--format", "pdf", "--output", "out.pdf")
    assert found.exit_code == 2
    assert "pip install 'uptier[pdf]'" in " ".join(found.stderr.split())
    assert not (config / "out.pdf").exists()


def test_csv_lines_end_as_csv_wants_it(config: Path) -> None:
    uptier("matrix", "--format", "csv", "--output", "out.csv")
    with (config / "out.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 4
    assert b"\r\r\n" not in (config / "out.csv").read_bytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("matrix", "--account", "acm"), 'there is no account "acm". Did you mean "acme"?'),
        (("matrix", "--team", "Tier 3"), 'there is no group "Tier 3". Did you mean "Tier 1"?'),
        (("matrix", "--output", "no/such/folder"), "no/such/folder cannot be written: No such file or directory"),
        (("cards", "--role", "bos"), 'there is no role "bos".'),
        (("cards", "--output", "no/such/folder"), "cannot be written"),
        (("matrix", "--format", "png"), "'png' is not one of"),
        (("matrix", "--config", "missing.toml"), "missing.toml has errors"),
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_is_wrong(config: Path, words: tuple[str, ...], says: str) -> None:
    found = uptier(*words)
    assert found.exit_code == 2
    assert says in " ".join(found.stderr.replace("│", "").split())


def test_a_config_with_errors_prints_nothing(config: Path) -> None:
    (config / "uptier.toml").write_text(CONFIG.replace('after = "30m"', 'after = "soon"'), encoding="utf-8")
    for command in ("matrix", "cards"):
        found = uptier(command)
        assert (found.exit_code, found.stdout) == (2, "")
        assert "bad-duration" in found.stderr


def test_all_cards_or_one(config: Path) -> None:
    found = uptier("cards")
    assert found.exit_code == 0
    heads = [line for line in found.stdout.splitlines() if line.startswith("# ")]
    assert heads == ["# Agent", "# Team lead", "# Duty", "# Support-ops lead", "# Admin"]
    one = uptier("cards", "--role", "Duty").stdout
    assert [line for line in one.splitlines() if line.startswith("# ")] == ["# Duty"]
    page = uptier("cards", "--role", "lead", "--format", "html", "--output", "cards.html")
    assert page.exit_code == 0
    assert (config / "cards.html").read_text(encoding="utf-8").count('<section class="card">') == 1
