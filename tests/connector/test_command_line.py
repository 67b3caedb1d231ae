"""What every command has in common: its group in the help, the config file, the forms of its answer, completion."""

import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from connector.cli import common
from connector.cli.main import app
from connector.render import Step
from tests.connector.test_cli import Zendesk, desk, uptier  # noqa: F401
from tests.patience import until

PROGRAM = Path(sys.executable).with_name("uptier")
ROWS = {"table", "json", "csv", "md", "html"}
TEXT = {"text", "json"}
MORE = {"uptier matrix": {"svg", "pdf"}, "uptier cards": {"md", "html"}, "uptier drill": {"html"}}
MORE |= {"uptier ledger export": {"lines"}}


def commands(name: str = "uptier", command: Any = None) -> Iterator[tuple[str, Any]]:
    """Every command by its whole name."""
    command = command or typer.main.get_command(app)
    for word, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from commands(f"{name} {word}", inner)
        else:
            yield f"{name} {word}", inner


EVERY = dict(commands())
PRINTS_ROWS = {
    f"uptier {name}"
    for name in (
        *(
            "due",
            "history",
            "release",
            "check",
            "fields",
            "gaps",
            "plan",
            "apply",
            "backtest",
            "matrix",
            "report",
        ),
        *("budget", "ledger export", "user list", "user tokens", "doctor", "policies"),
    )
}


@pytest.mark.parametrize("name", EVERY)
def test_every_command_takes_a_format_and_none_takes_json_as_a_switch(name: str) -> None:
    options = {option: each for each in EVERY[name].params for option in each.opts}
    assert "--json" not in options
    shown = options["--format"].display_type(EVERY[name].make_context(name, [], resilient_parsing=True))
    choices = set(shown.strip("<>").split("|"))
    assert choices == (ROWS if name in PRINTS_ROWS else TEXT) | MORE.get(name, set())


def test_the_page_of_the_command_line_names_what_prints_rows() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("| that print rows")]
    assert {f"uptier {name}" for name in re.findall(r"`([a-z ]+)`", row.split("|")[1])} == PRINTS_ROWS


def test_help_lists_every_command_under_what_it_is_about() -> None:
    group: Any = typer.main.get_command(app)
    assert {each.rich_help_panel for each in group.commands.values()} == set(common.GROUPS)
    said = uptier("--help").stdout
    assert re.findall(r"^(\w+):$", said, re.MULTILINE) == ["Options", *common.GROUPS]
    for name in group.commands:
        assert re.search(rf"^  {name} +\w", said, re.MULTILINE), name


def test_the_config_is_named_before_a_command_or_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPTIER_CONFIG", "by-variable.toml")
    for words, named in (
        ("check", "by-variable.toml"),
        ("--config before.toml check", "before.toml"),
        ("check --config behind.toml", "behind.toml"),
        ("--config before.toml check --config behind.toml", "behind.toml"),
        ("--config before.toml user list", "before.toml"),
        ("user --config between.toml list", "between.toml"),
        ("--config before.toml ledger --config between.toml export", "between.toml"),
    ):
        done = uptier(*words.split())
        assert (words, done.exit_code, named in done.output) == (words, 2, True), done.output


def test_every_command_with_a_config_takes_one_named_before_it() -> None:
    group: Any = typer.main.get_command(app)
    groups = [group, *(each for each in group.commands.values() if hasattr(each, "commands"))]
    assert all("--config" in {option for one in each.params for option in one.opts} for each in groups)
    bare = {
        name for name, each in EVERY.items() if "--config" not in {o for p in each.params for o in p.opts}
    }
    assert bare == {f"uptier {name}" for name in ("schema", "fields", "demo", "completion", "secret set")}


EVIL = '=cmd|"/c calc"!A0 <b>bold</b> \x1b[31m_x_'


class Page(HTMLParser):
    """The tags of a page and what its cells say."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.said += data


def test_each_form_of_what_prints_rows_is_what_it_says(
    desk: Zendesk,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk.open(requester="Cleo", subject=EVIL, group="Tier 1", at=int(time.time()) - 3600)
    uptier("run", "--once")
    uptier("user", "add", "dana", said="a long enough password")
    uptier("user", "token", "dana")
    assert uptier("plan", "-o", "plan.json").exit_code == 0
    days = ("--from", "2026-01-01", "--to", "2036-01-01")
    for words in (
        ("due",),
        ("history", "acme/2"),
        ("release",),
        ("check",),
        ("fields",),
        ("fields", "--words"),
        ("gaps",),
        ("plan",),
        ("apply", "plan.json"),
        ("matrix",),
        ("report", *days),
        ("budget",),
        ("ledger", "export"),
        ("user", "list"),
        ("user", "tokens"),
    ):
        said = {how: uptier(*words, "--format", how) for how in ROWS}
        assert {how: done.exit_code for how, done in said.items()} == dict.fromkeys(ROWS, 0), (words, said)
        json.loads(said["json"].stdout)
        rows = list(csv.reader(io.StringIO(said["csv"].stdout)))
        assert len({len(row) for row in rows}) == 1, words
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row), words
        page = Page(said["html"].stdout)
        assert "table" in page.tags or words[0] in ("matrix", "report"), words
        assert page.tags & {"b", "script", "img"} <= ({"b"} if words[0] == "matrix" else set()), words
        assert "<b>" not in said["md"].stdout, words
        assert "\x1b" not in "".join(done.output for done in said.values()), words
    assert "'=cmd|" in uptier("due", "--format", "csv").stdout
    (at, *_) = {row[2] for row in csv.reader(io.StringIO(uptier("due", "--format", "csv").stdout))} - {"at"}
    assert datetime.fromisoformat(at).tzinfo is not None, "a program is told the offset"
    offered = {
        words: [item.split(",")[-1] for item in completed(words, monkeypatch)]
        for words in (
            "explain ac",
            "explain acme/",
            "due --policy ",
            "release --policy ",
            *ACCOUNTS,
            "release acme/",
        )
    }
    assert {words: offered[words] for words in ACCOUNTS} == {words: ["acme"] for words in ACCOUNTS}
    assert offered["release acme/"] == offered["explain acme/"]
    assert offered["release --policy "] == offered["due --policy "]
    assert offered["explain ac"] == ["acme/"]
    assert "acme/1" in offered["explain acme/"]
    assert offered["due --policy "] != []
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path.parent)
        assert completed("explain acme/", monkeypatch) == [], "nothing is said where nothing can be read"
    assert '=cmd|"/c calc"!A0 <b>bold</b>' in Page(uptier("due", "--format", "html").stdout).said


def test_json_of_every_other_command_parses(desk: Zendesk, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "uptier.test.toml").unlink(missing_ok=True)
    for words, code, given in (
        (("schema",), 0, None),
        (("migrate",), 0, None),
        (("run", "--once"), 0, None),
        (("explain", "acme/1"), 0, None),
        (("explain", "acme/1", "--at", "now"), 0, None),
        (("explain", "acme/1", "--set", "priority=low"), 0, None),
        (("ack", "acme/1"), 0, None),
        (("snooze", "acme/1", "--for", "2h", "--reason", "x"), 0, None),
        (("escalate", "acme/1", "--reason", "x"), 0, None),
        (("deescalate", "acme/1", "--reason", "x"), 0, None),
        (("undo", "acme/1"), 0, None),
        (("enforce", "waits"), 0, None),
        (("observe", "waits"), 1, None),
        (("observe", "waits", "--yes"), 0, None),
        (("enforce", "waits"), 1, None),
        (("enforce", "waits", "--yes"), 0, None),
        (("cards",), 0, None),
        (("drill",), 0, None),
        (("drill", "lead-absent"), 0, None),
        (("completion", "bash"), 0, None),
        (("purge",), 0, None),
        (("forget", "nobody@acme.example"), 0, None),
        (("user", "add", "dana"), 0, "a long enough password"),
        (("user", "token", "dana"), 0, None),
        (("user", "revoke", "dana", "api"), 0, None),
        (("user", "remove", "dana"), 0, None),
        (("test", "--record", "acme/1"), 0, None),
    ):
        done = uptier(*words, "--format", "json", said=given)
        assert (words, done.exit_code) == (words, code), done.output
        assert json.loads(done.stdout), words


def on_terminal(*words: str, folder: Path, **variables: str) -> str:
    """What a command prints on a terminal of 200 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *words],
        cwd=folder,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "200"} | variables,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    assert process.wait(timeout=30) == 0
    return said.decode()


def test_a_terminal_sees_a_table_in_colour_and_a_pipe_plain_lines(desk: Zendesk, tmp_path: Path) -> None:  # noqa: F811
    desk.open(requester="Cleo", subject=EVIL, group="Tier 1", at=int(time.time()) - 3600)
    uptier("run", "--once")
    drawn = on_terminal("due", folder=tmp_path)
    assert "\x1b[1;36m" in drawn
    assert "\u2500" in drawn
    assert "Printer" in drawn
    assert "\x1b[31m" not in drawn, "a subject colours nothing"
    assert "\x1b[1;36m" not in on_terminal("due", folder=tmp_path, NO_COLOR="1")
    narrow = on_terminal("due", folder=tmp_path, COLUMNS="60")
    assert "\u2500" not in narrow, "a line a ticket reads better than a cell of many lines"
    assert any("acme/1" in line and "Printer" in line for line in narrow.splitlines())
    piped = uptier("due").stdout
    assert "\x1b" not in piped
    assert "\u2500" not in piped


ACCOUNTS = (
    *(
        f"{words} --account a"
        for words in ("due", "plan", "matrix", "report", "archive pull", "undo", "drill")
    ),
    *("import oncall --account a", "import zendesk-automations a", "doctor a"),
)
"""Where a shell is to offer accounts."""


def completed(words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What bash is offered behind these words."""
    with monkeypatch.context() as patch:
        patch.setenv("_UPTIER_COMPLETE", "complete_bash")
        patch.setenv("COMP_WORDS", f"uptier {words}")
        patch.setenv("COMP_CWORD", str(len(words.split(" "))))
        return CliRunner().invoke(app, [], prog_name="uptier").stdout.split()


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("bash", {"COMP_WORDS": "uptier ex", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "uptier ex"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "uptier ex", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_a_shell_is_told_how_a_line_goes_on(shell: str, variables: dict[str, str]) -> None:
    script = uptier("completion", shell).stdout
    assert f"_UPTIER_COMPLETE=complete_{shell}" in script
    env = os.environ | variables | {"_UPTIER_COMPLETE": f"complete_{shell}"}
    done = subprocess.run([PROGRAM], env=env, capture_output=True, text=True, check=True)
    assert "explain" in done.stdout
    assert "export" not in done.stdout


COMPLETED = {
    "bash": 'eval "$(uptier completion bash)"; COMP_WORDS=(uptier due --for); COMP_CWORD=2; _uptier_completion uptier; '
    'echo "${COMPREPLY[@]}"',
    "fish": "uptier completion fish | source; complete --do-complete 'uptier due --for'",
    "zsh": 'autoload -U compinit; compinit -u -D; eval "$(uptier completion zsh)"; whence -w _uptier_completion; '
    'echo "${_comps[uptier]}"',
}
ANSWERS = {"bash": "--format", "fish": "--format", "zsh": "_uptier_completion"}


@pytest.mark.parametrize("shell", [each for each in COMPLETED if shutil.which(each)])
def test_the_line_for_the_start_up_file_works_in_the_shell(shell: str) -> None:
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [shell, "-c", COMPLETED[shell]], env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert ANSWERS[shell] in done.stdout, done.stderr


def test_help_takes_a_few_times_as_long_as_the_library_it_is_made_with() -> None:
    """The least of five, as others use the machine: it reads no database, no helpdesk and no template."""

    def took(*command: str | Path) -> float:
        began = time.monotonic()
        subprocess.run(command, capture_output=True, check=True)
        return time.monotonic() - began

    runs = [(took(sys.executable, "-c", "import typer.main"), took(PROGRAM, "--help")) for _ in range(5)]
    library, ours = (min(each) for each in zip(*runs, strict=True))
    assert ours < 5 * library, runs


def test_in_a_pipe_the_first_and_the_last_step_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    with common.progress() as tell:
        for number in range(1, 51):
            tell(Step(f"{number} of 50", number, 50))
        tell("a remark")
    assert capsys.readouterr().err.splitlines() == ["1 of 50", "50 of 50", "a remark"]


def test_on_a_terminal_a_bar_says_how_much_time_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(common, "LONG", 0.0)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    drawn = Terminal()
    monkeypatch.setattr(sys, "stderr", drawn)
    with common.progress() as tell:
        for number in range(1, 4):
            tell(Step(f"ticket {number}", number, 9))
        until(lambda: "3/9" in drawn.getvalue())
    assert "-:--:--" in drawn.getvalue() or "0:00:" in drawn.getvalue()
    assert capsys.readouterr().out == ""


def test_where_there_is_no_config_the_way_to_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (("due",), ("check",), ("doctor",)):
        said = uptier(*words)
        assert said.exit_code == 2, words
        assert "`uptier init` makes an uptier.toml" in said.output, words
