"""One seam to the terminal: what is printed tells it nothing, and nothing is printed beside that seam."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from connector import logs
from connector.cli import common
from connector.clock import SystemClock
from connector.render import as_lines, away, is_unprintable
from tests.conftest import logging_as_before

ROOT = Path(__file__).parents[2]
SEAM = ROOT / "connector" / "cli" / "common.py"
PRINTS = {"print", "typer.echo", "typer.secho", "click.echo", "click.secho", "rich.print"}
STREAMS = {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}
EVIL = "a\x1b]0;owned\x07\u202eb\x9b2J\x7f\u2028c\rd"


def printed_beside(text: str, name: str) -> Iterator[str]:
    """Places of a file where something is printed, or written to a standard stream."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        said = ast.unparse(node.func)
        passed = {ast.unparse(each) for each in node.args}
        if said in PRINTS or any(said.startswith(f"{each}.write") for each in STREAMS) or passed & PRINTS:
            yield f"{name}:{node.lineno}: {said}"


def test_all_that_is_printed_goes_through_one_seam() -> None:
    files = [
        each
        for folder in ("connector", "adapters", "policies")
        for each in sorted((ROOT / folder).rglob("*.py"))
        if each != SEAM
    ]
    assert len(files) > 100
    found = (printed_beside(each.read_text(encoding="utf-8"), str(each.relative_to(ROOT))) for each in files)
    assert [place for places in found for place in places] == []


@pytest.mark.parametrize(
    "line", ["typer.echo(x)", "print(x)", "sys.stderr.write(x)", "play(typer.echo)", "click.echo(x)"]
)
def test_what_goes_around_it_is_found_however_it_is_written(line: str) -> None:
    assert [*printed_beside(line, "none.py")]


def safe(printed: str) -> bool:
    return not any(is_unprintable(each) for each in printed.replace("\r\n", "").replace("\n", ""))


def test_lines_json_and_documents_tell_the_terminal_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    common.echo(EVIL, "two")
    lines = capsys.readouterr().out
    assert safe(lines)
    assert lines.splitlines()[-1] == "two"
    assert len(lines.splitlines()) == 2
    common.put_json({"said": EVIL})
    document = capsys.readouterr().out
    assert safe(document)
    assert json.loads(document) == {"said": EVIL}
    common.put_out(f"{EVIL}\nnext\r\n", None)
    whole = capsys.readouterr().out
    assert safe(whole)
    assert "next" in whole.splitlines()


def test_a_document_keeps_its_lines_and_a_file_every_character(tmp_path: Path) -> None:
    assert as_lines("a\r\nb\n\nc\td\re") == "a\r\nb\n\nc d e"
    common.put_out(EVIL, tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes().decode() == EVIL


def refused() -> None:
    raise ValueError(EVIL)


def test_a_traceback_in_the_log_tells_the_terminal_nothing() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with logging_as_before():
        logs.configure(logs.Masker(), SystemClock(), out, logging.INFO)
        try:
            refused()
        except ValueError as error:
            structlog.get_logger().error("failing", reason=EVIL, exc_info=error)
    said = out.getvalue()
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[36m"):
        said = said.replace(code, "")  # the colours are ours
    assert "ValueError" in said
    assert safe(said), said


@pytest.mark.parametrize(
    ("span", "said"),
    [(90, "1m30s"), (47 * 3600, "47h"), (2 * 86_400, "2d"), (734 * 3600, "30d14h"), (3 * 86_400 + 59, "3d")],
)
def test_a_long_time_is_told_in_days(span: int, said: str) -> None:
    assert (away(span, 0), away(0, span)) == (f"in {said}", f"{said} ago")
