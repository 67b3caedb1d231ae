"""Rule 13 in a running service: policies change between two looks, and a bad file changes nothing."""

from pathlib import Path

import pytest

from connector.config.settings import load
from tests.connector.beside import LADDER, beside

LATER = LADDER.replace('after = "30m"', 'after = "50m"')
BROKEN = LADDER.replace('after = "30m"', 'after = "soon"')


def rewritten(folder: Path, policies: str) -> Path:
    """The config file with other policies in it."""
    path = folder / "uptier.toml"
    path.write_text(path.read_text().split("\n[[policy]]")[0] + policies, encoding="utf-8")
    return path


def test_the_next_look_goes_by_the_new_text(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round()
        assert one.service.reload(load(rewritten(tmp_path, LATER)))
        one.round(31)
        assert one.puts() == []
        one.round(20)
        assert one.puts() == [200]


def test_a_level_that_is_due_at_once_fires_at_once(tmp_path: Path) -> None:
    with beside(tmp_path, LATER) as one:
        one.round(31)
        assert one.service.reload(load(rewritten(tmp_path, LADDER)))
        one.round()
        assert one.puts() == [200]


NESTED = (
    LADDER + f"\n[deep]\na = {'[' * 4000}{']' * 4000}\n",
    LADDER + f'\n[templates.deep]\nen = """{{{{ {"(" * 3000}owner{")" * 3000} }}}}"""\n',
    LADDER + f'\n[templates.deep]\nen = """{"{% if owner %}" * 200}{"{% endif %}" * 200}"""\n',
    LADDER + f'\n[templates.deep]\nen = """{{{{ owner{"|upper" * 1200} }}}}"""\n',
)


@pytest.mark.parametrize("policies", NESTED)
def test_a_file_that_nests_without_end_leaves_the_old_policies_running(tmp_path: Path, policies: str) -> None:
    with beside(tmp_path) as one:
        one.round()
        loaded = load(rewritten(tmp_path, policies))
        assert not one.service.reload(loaded)
        assert [Path(each.file).name for each in loaded.problems if each.severity == "error"] == [
            "uptier.toml"
        ]
        assert "flatter" in str(loaded.problems[0])
        one.round(31)
        assert one.puts() == [200]


def test_a_file_with_errors_leaves_the_old_policies_running(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round()
        assert not one.service.reload(load(rewritten(tmp_path, BROKEN)))
        one.round(31)
        assert one.puts() == [200]


def test_a_policy_that_is_gone_ends_its_episodes(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        assert one.service.reload(load(rewritten(tmp_path, LADDER.replace('"waits"', '"other"'))))
        one.round()
        assert ("ended", "removed") in [(line.what, line.text) for line in one.lines()]


def test_a_changed_mode_alone_is_a_change(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round()
        path = tmp_path / "uptier.toml"
        path.write_text(path.read_text().replace('mode = "enforce"', 'mode = "observe"'), encoding="utf-8")
        assert one.service.reload(load(path))
        one.round(31)
        assert one.puts() == []
        assert "observed" in one.whats()
