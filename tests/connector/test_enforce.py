"""`uptier enforce`: what it would do, and after a yes the lines that say so, with every comment where it was."""

from pathlib import Path

import pytest

from adapters.zendesk.simulator.state import Zendesk
from connector.config import enforcing
from connector.config.enforcing import CannotSetMode, ModeLine, mode_lines, observe_lines, with_lines
from connector.config.settings import load
from tests.connector.test_cli import desk, uptier  # noqa: F401 (a fixture)

HEAD = """# ours
[service]
default_owner = "Tier 2"  # catch-all
{service}
[accounts.acme]
adapter = "zendesk"
url = "https://acme.test"
auth = {{ kind = "bearer", token = "secret:t" }}
webhook = {{ secret = "secret:w" }}
{acme}
[accounts.beta]
adapter = "zendesk"
url = "https://beta.test"
auth = {{ kind = "bearer", token = "secret:t" }}
webhook = {{ secret = "secret:w" }}
{beta}
"""
POLICY = """
[[policy]]
name = "{name}"  # as people say it
clock = "created"
{mode}
[policy.when]  # every line must hold
status = "open"
[[policy.level]]
name = "one"
after = "30m"
tags = ["late"]
"""


def config(folder: Path, *policies: str, service: str = "", acme: str = "", beta: str = "") -> Path:
    path = folder / "uptier.toml"
    path.write_text(HEAD.format(service=service, acme=acme, beta=beta) + policies[0])
    for number, text in enumerate(policies[1:]):
        (folder / "policies.d").mkdir(exist_ok=True)
        (folder / "policies.d" / f"{number}.toml").write_text(text)
    return path


def a(name: str, mode: str = "") -> str:
    return POLICY.format(name=name, mode=mode)


def modes(path: Path) -> set[tuple[str, str]]:
    loaded = load(path)
    assert loaded.policies is not None, loaded.problems
    return {
        (policy.name, account)
        for account in ("acme", "beta")
        for policy in loaded.policies.serving(account)
        if loaded.policies.mode(policy, account) == "enforce"
    }


def put(path: Path, name: str, account: str | None = None) -> tuple[ModeLine, ...]:
    lines = mode_lines(load(path), name, account)
    for file, text in with_lines(lines).items():
        file.write_text(text)
    return lines


def test_only_this_policy_is_enforced_where_it_was_asked_for(tmp_path: Path) -> None:
    path = config(tmp_path, a("p"), a("q"))
    lines = put(path, "p", "acme")
    assert modes(path) == {("p", "acme")}
    assert [line.where for line in lines] == [
        "[service]",
        "[accounts.beta]",
        '[[policy]] "p"',
        '[[policy]] "q"',
    ]
    assert 'default_owner = "Tier 2"  # catch-all\n' in path.read_text()
    assert 'name = "p"  # as people say it\n' in path.read_text()
    put(path, "q", "acme")
    assert modes(path) == {("p", "acme"), ("q", "acme")}
    assert mode_lines(load(path), "q", "acme") == ()


def test_what_stands_in_the_way_is_said(tmp_path: Path) -> None:
    path = config(
        tmp_path, a("p", 'mode = "observe"'), a("q"), service='mode = "enforce"', beta='mode = "observe"'
    )
    assert modes(path) == {("q", "acme")}
    with pytest.raises(CannotSetMode, match='"q" on beta would be enforced with it'):
        mode_lines(load(path), "p", "beta")
    put(path, "p", "acme")
    assert modes(path) == {("p", "acme"), ("q", "acme")}


def test_the_command_shows_asks_and_writes(
    desk: Zendesk,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "uptier.toml"
    path.write_text(path.read_text().replace('mode = "enforce"', 'mode = "observe"  # for now'))
    assert uptier("run", "--once").exit_code == 0
    before = path.read_text()
    shown = uptier("enforce", "waits")
    assert (shown.exit_code, path.read_text()) == (1, before)
    assert "acme/1: Printer" in shown.stdout
    assert "until `uptier release acme --policy waits`" in shown.stdout
    assert "POLICY" not in shown.stdout
    assert "cannot be applied" not in shown.stdout
    assert "`uptier enforce waits` shows this and switches it on" in uptier("plan").stdout
    assert 'uptier.toml: [service] mode = "enforce"' in shown.stdout
    monkeypatch.setattr(enforcing, "replace", _refuses)
    refused = uptier("enforce", "waits", "--yes")
    assert (refused.exit_code, "cannot be written" in refused.stderr, path.read_text()) == (1, True, before)


def _refuses(file: Path, _: bytes) -> None:
    raise PermissionError(13, "Permission denied", str(file))


def test_after_a_yes_the_next_round_does_it(desk: Zendesk, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "uptier.toml"
    enforced = path.read_text().replace('mode = "enforce"', 'mode = "enforce"  # for now')
    path.write_text(enforced.replace('mode = "enforce"', 'mode = "observe"'))
    assert uptier("run", "--once").exit_code == 0
    none = uptier("undo", "acme/1")
    assert (none.exit_code, "nothing was escalated on acme/1" in none.stderr) == (2, True)
    done = uptier("enforce", "waits", "--yes")
    assert (done.exit_code, "written; `uptier reload`" in done.stdout) == (0, True), done.output
    assert 'mode = "enforce"  # for now\n' in path.read_text()
    assert path.read_text().replace('name = "waits"\n', "", 1) != enforced
    again = uptier("enforce", "waits")
    assert (again.exit_code, "is enforced already" in again.stdout) == (0, True)
    assert "1 fired" in uptier("run", "--once").stdout
    assert uptier("enforce", "wait").exit_code == 2
    assert uptier("enforce", "waits", "--account", "x").exit_code == 2


def test_one_line_takes_it_back_to_observe_and_leaves_the_others(tmp_path: Path) -> None:
    path = config(tmp_path, a("p"), a("q", 'mode = "observe"'), service='mode = "enforce"')
    (line,) = observe_lines(load(path), "p", "acme")
    assert (line.where, line.mode) == ("[accounts.acme]", "observe")
    for file, text in with_lines((line,)).items():
        file.write_text(text)
    assert modes(path) == {("p", "beta")}
    assert observe_lines(load(path), "p", "acme") == ()
    (line,) = observe_lines(load(path), "p", "beta")
    assert line.where == '[[policy]] "p"'
    put(path, "q", "beta")
    for file, text in with_lines(observe_lines(load(path), "p", None)).items():
        file.write_text(text)
    assert modes(path) == {("q", "beta")}
    assert 'name = "p"  # as people say it\n' in path.read_text()


def test_it_is_not_set_to_observe_where_another_policy_would_be_too(tmp_path: Path) -> None:
    path = config(tmp_path, a("p"), a("q"), service='mode = "enforce"')
    with pytest.raises(CannotSetMode, match='"q" on acme would only observe with it'):
        observe_lines(load(path), "p", "acme")


def test_the_way_back_shows_what_stops_and_asks(
    desk: Zendesk,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "1 fired" in uptier("run", "--once").stdout
    path, before = tmp_path / "uptier.toml", (tmp_path / "uptier.toml").read_text()
    shown = uptier("observe", "waits")
    assert (shown.exit_code, path.read_text()) == (1, before), shown.output
    assert "nothing was changed" in shown.stdout
    assert " fired " in shown.stdout
    assert "1 running episode. " in shown.stdout
    assert 'uptier.toml: [[policy]] "waits" mode = "observe"' in shown.stdout
    monkeypatch.setattr(enforcing, "replace", _refuses)
    refused = uptier("observe", "waits", "--yes")
    assert (refused.exit_code, "cannot be written" in refused.stderr, path.read_text()) == (1, True, before)
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert uptier("observe", "waits", "--yes").exit_code == 0
    again = uptier("observe", "waits")
    assert (again.exit_code, "only observes already" in again.stdout) == (0, True)
    assert uptier("observe", "wait").exit_code == 2
