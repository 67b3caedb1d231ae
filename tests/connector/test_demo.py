"""The acceptance test: the demo's story, asserted on what the simulated helpdesks show at its end."""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.freshdesk.simulator.demo import Desk as FreshdeskDesk
from adapters.servicenow.simulator.demo import Desk as ServiceNowDesk
from adapters.simulation.demo import DemoDesk
from adapters.zendesk.simulator.demo import Desk as ZendeskDesk
from connector import demo
from connector.cli.main import app
from tests.conftest import logging_as_before


@dataclass(frozen=True)
class Played:
    """The demo once it is over."""

    code: int
    desks: dict[str, DemoDesk]
    printed: str


@pytest.fixture(scope="module")
def played() -> Played:
    """One performance. The helpdesks are read after their servers have stopped."""
    desks: dict[str, DemoDesk] = {}
    play = demo.Story.play

    def remembered(story: demo.Story) -> bool:
        desks.update({desk.title: desk for desk in story.desks})
        return play(story)

    printed = io.StringIO()
    with logging_as_before(), pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(demo.Story, "play", remembered)
        code = demo.play(print)
    return Played(code=code, desks=desks, printed=printed.getvalue())


def test_the_story_comes_out_as_told(played: Played) -> None:
    assert played.code == 0
    assert played.desks.keys() == {"Zendesk", "Freshdesk", "ServiceNow"}
    for desk in played.desks.values():
        shown = {word: desk.show(word) for word in demo.SUBJECTS}
        assert shown["waits"].group == "Duty managers"
        assert shown["waits"].tags == {"escalated", "escalated-managers", "eu"}
        assert {word: each.notes for word, each in shown.items()} == {"waits": 2, "left": 0, "taken": 0}
        assert shown["left"].tags == {"no-escalation"}
        assert shown["taken"].tags == {"eu"}
    assert "stop_on agent_reply" in played.printed
    assert "excluded: tags has no-escalation" in played.printed


def test_its_page_shows_what_is_printed(played: Played) -> None:
    page = (Path(__file__).parents[2] / "docs" / "demo.md").read_text(encoding="utf-8")
    (shown,) = [
        block for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL) if "Cleo writes" in block
    ]
    assert timeless(played.printed) == timeless(shown)


def test_a_story_that_comes_out_otherwise_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what the first chapter promises."""
    monkeypatch.setattr(demo, "PATIENCE", 0.0)
    with logging_as_before():
        result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "this did not happen: " in result.stderr
    assert result.stdout.endswith("This did not come out as told.\n")


def timeless(text: str) -> list[str]:
    """The lines without moments, durations, port and password."""
    text = re.sub(r"http://127\.0\.0\.1:\d+/|(?<=demo with )\S+", "P", text)
    return re.sub(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\b(\d+[hms])+\b", "T", text).splitlines()


def test_zendesk_saw_one_put_for_each_level_and_one_that_lost_to_the_human(played: Played) -> None:
    zendesk = played.desks["Zendesk"]
    assert isinstance(zendesk, ZendeskDesk)
    comments = zendesk.desk.ticket(zendesk.tickets["waits"]).comments
    assert [comment["public"] for comment in comments] == [True, False, False, True]
    assert "Second line" in comments[1]["body"]
    assert "Duty managers" in comments[2]["body"]
    puts = [logged.status for logged in zendesk.desk.log if logged.method == "PUT"]
    assert sorted(puts) == [200, 200, 409]


def test_freshdesk_and_servicenow_saw_each_part_of_a_level_once(played: Played) -> None:
    freshdesk, servicenow = played.desks["Freshdesk"], played.desks["ServiceNow"]
    assert isinstance(freshdesk, FreshdeskDesk)
    assert isinstance(servicenow, ServiceNowDesk)
    writes = [
        (logged.method, logged.path.rsplit("/", 1)[-1], logged.status)
        for logged in freshdesk.desk.log
        if logged.method in {"PUT", "POST"}
    ]
    assert writes == [("PUT", "1", 200), ("POST", "notes", 201)] * 2
    patches = [logged.status for logged in servicenow.desk.log if logged.method == "PATCH"]
    assert patches == [200] * len(patches)
    assert 2 <= len(patches) <= 4
