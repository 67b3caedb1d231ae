"""The example of docs/matrix.md is what is printed, and its gaps are those that there are."""

import re
from pathlib import Path

from typer.testing import CliRunner

from connector.cli.main import app

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")


def test_the_example_is_what_is_printed(tmp_path: Path) -> None:
    config = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    printed = re.search(r"prints:\n\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert config is not None
    assert printed is not None
    (tmp_path / "uptier.toml").write_text(config[1], encoding="utf-8")
    found = CliRunner().invoke(app, ["matrix", "--config", str(tmp_path / "uptier.toml")])
    assert found.stdout == printed[1]


def test_every_gap_is_explained() -> None:
    source = (ROOT / "policies" / "present" / "matrix.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'code="([a-z-]+)"', source))
    assert codes == set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)) - {
        "table",
        "json",
        "html",
        "md",
        "csv",
        "svg",
        "pdf",
    }
