"""What the README and the docs say runs: commands exist, config blocks parse, links lead on."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from connector.cli import app
from policies.document import Document, read
from tests.policies.slips import SLIPS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if match[1] == kind:
                yield page.name, match[2]


def uptier_lines() -> list[str]:
    lines = (line for _, text in blocks("console") for line in text.splitlines())
    return sorted({line.strip() for line in lines if line.startswith("uptier ")})


@pytest.mark.parametrize("line", uptier_lines())
def test_a_command_in_the_documents_exists_with_its_options(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = line.split("#")[0].split()[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert [word for word in words if word.startswith("--") and word not in known] == []


@pytest.mark.parametrize(
    "line", sorted({line for _, text in blocks("console") for line in text.splitlines()})
)
def test_a_make_target_in_the_documents_exists(line: str) -> None:
    if line.startswith("make "):
        assert f"\n{line.split()[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "text"), [pytest.param(*each, id=each[0]) for each in blocks("toml")])
def test_a_config_block_in_the_documents_is_toml(page: str, text: str) -> None:
    assert isinstance(read(page, text), Document)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_command_is_in_the_readme() -> None:
    group: Any = typer.main.get_command(app)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [
        name for name in group.commands if f"uptier {name}" not in readme and f"make {name}" not in readme
    ] == []


def test_every_code_of_check_is_on_its_page() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    explained = {code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)}
    written = {
        code
        for folder in ("policies", "connector")
        for file in (ROOT / folder).rglob("*.py")
        for code in re.findall(r'(?:code=|fault\(|, |\d, )\s*"([a-z]+(?:-[a-z]+)+)"', file.read_text("utf-8"))
        if code.split("-")[0] in BEGINNINGS and code not in WORDS
    }
    assert {slip.code for slip in SLIPS} <= explained
    assert written <= explained


BEGINNINGS = (
    "bad",
    "no",
    "unknown",
    "wrong",
    "not",
    "dates",
    "slow",
    "fixed",
    "empty",
    "undo",
    "missing",
    "plain",
)
WORDS = {"no-escalation"}
"""What looks like a code, in examples."""
