"""Installed beside Uptier and nothing else said, all of Uptier works with it: found by its entry points."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.simulation.server import serve
from uptier_zammad.simulator import TOKEN, create

HERE = Path(__file__).parents[1]
ROOT = HERE.parents[1]
HOUR = 3600
pytestmark = pytest.mark.timeout(600)  # it starts a process for every command
CONFIG = """[service]
database      = "sqlite:///uptier.db"
listen        = "127.0.0.1:0"
mode          = "enforce"
default_owner = "Tier 2"

[accounts.acme]
adapter    = "zammad"
url        = "{url}"
auth       = {{ kind = "token", token = "secret:acme-token" }}
webhook    = {{ secret = "secret:acme-webhook" }}
priorities = {{ "3 high" = "urgent" }}

[templates.handoff]
en = "{{{{ policy.name }}}}, {{{{ level.name }}}}: {{{{ reasons | join('; ') }}}}. Owner: {{{{ owner }}}}."

[[policy]]
name    = "urgent-unanswered"
clock   = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]

[policy.when]
status   = ["new", "open"]
priority = "urgent"

[[policy.level]]
name   = "Second line"
after  = "30m"
owner  = "Tier 2"
assign = {{ group = "Tier 2" }}
tags   = ["escalated"]
note   = "handoff"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the distribution in it, as pip puts it there."""
    folder = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", str(folder), str(HERE)], check=True, timeout=100)
    return folder


@pytest.fixture
def system() -> Iterator[tuple[Any, str]]:
    """A simulated Zammad of this very hour, with a ticket that has waited since then, and its address."""
    app = create()
    desk = app.state.zammad
    desk.seed(
        groups=[{"name": "Tier 1"}, {"name": "Tier 2"}],
        users=[
            {"name": "Ann", "email": "ann@acme.test", "groups": ["Tier 1", "Tier 2"]},
            {"name": "Cleo", "email": "cleo@initech.test"},
        ],
    )
    waiting = {"customer": "Cleo", "group": "Tier 1", "priority": "3 high", "tags": ["eu"]}
    desk.open(subject="Nobody can log in", at=int(time.time()) - HOUR, **waiting)
    with serve(app) as url:
        yield desk, url


def uptier(folder: Path, installed: Path, *words: str, code: int = 0) -> str:
    """Run the command in this folder; what it prints, where it fails as errors. It must answer with this code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPTIER_")}
    environment |= {
        "PYTHONPATH": os.pathsep.join((str(installed), str(ROOT))),
        "UPTIER_SECRET_ACME_TOKEN": TOKEN,
        "UPTIER_SECRET_ACME_WEBHOOK": "a-secret-of-our-own",
    }
    command = [sys.executable, "-c", "from connector.cli.main import app; app()", *words]
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == code, run.stdout + run.stderr
    return run.stderr if code else run.stdout


def test_a_ticket_that_is_due_is_escalated(tmp_path: Path, installed: Path, system: tuple[Any, str]) -> None:
    desk, url = system
    (tmp_path / "uptier.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    uptier(tmp_path, installed, "doctor")
    uptier(tmp_path, installed, "run", "--once")
    row = desk.ticket(1)
    writes = [(logged.method, logged.path) for logged in desk.log if logged.applied]
    assert writes == [("PUT", "/api/v1/tickets/1"), ("POST", "/api/v1/tags/add")]
    assert row.json["group_id"] == desk.group("Tier 2")["id"]
    assert row.tags == ["eu", "escalated"]
    assert [(each["internal"], "Second line" in each["body"]) for each in row.articles] == [
        (False, False),
        (True, True),
    ]
    assert "Second line" in uptier(tmp_path, installed, "history", "acme/1")
    uptier(tmp_path, installed, "deescalate", "acme/1", "--reason", "a false alarm")
    uptier(tmp_path, installed, "run", "--once")
    assert row.json["group_id"] == desk.group("Tier 1")["id"]
    assert row.tags == ["eu"]


def test_what_it_does_not_offer_is_refused_clearly(tmp_path: Path, installed: Path) -> None:
    """It can neither make a webhook nor say how one is made, and tells no rules of its own."""
    config = CONFIG.format(url="http://127.0.0.1:1")
    named = config.replace("[service]", '[service]\noutside = "https://uptier.acme.example"', 1)
    (tmp_path / "uptier.toml").write_text(named, encoding="utf-8")
    refused = uptier(tmp_path, installed, "connect", "acme", code=2)
    assert "zammad can set no webhook up" in refused
    assert "https://uptier.acme.example/hooks/acme" in refused
    assert "has made nothing" in uptier(tmp_path, installed, "disconnect", "acme")
    assert "tells no rules of its own" in uptier(
        tmp_path, installed, "import", "zendesk-automations", "acme", code=2
    )


def test_it_takes_part_in_the_demo(tmp_path: Path, installed: Path) -> None:
    """Webhooks, polling, both levels, a human who answers in the moment of our write, and one who answers in time."""
    told = uptier(tmp_path, installed, "demo")
    assert "Freshdesk, ServiceNow, Zammad, Zendesk" in told
    assert told.endswith("All came out as told.\n")


def test_drills_are_played_on_it(tmp_path: Path, installed: Path) -> None:
    """Nobody listens at the account's url: its simulator stands in for it."""
    config = CONFIG.format(url="https://acme.zammad.example")
    (tmp_path / "uptier.toml").write_text(config, encoding="utf-8")
    (tmp_path / "all.toml").write_text(DRILL, encoding="utf-8")
    lines = json.loads(uptier(tmp_path, installed, "drill", "all.toml", "--format", "json"))["lines"]
    assert [line["text"] for line in lines if line["kind"] == "trouble"] == []
    happens = [line["text"] for line in lines if line["kind"] == "happens"]
    assert len(happens) == 12, happens
    calls = [(line["who"], line["level"]) for line in lines if line["kind"] == "calls"]
    assert calls == [("Tier 2", "Second line")], "once, half an hour after the second question"
    assert any("Second line" in line["words"] for line in lines if line["kind"] == "reads")


DRILL = """
[drill]
title   = "Everything"
summary = "All that a drill asks of a helpdesk."
start   = "2026-10-05 10:00"
until   = "4:00"

[[ticket]]
name      = "one"
subject   = "Help"
priority  = "urgent"
group     = "Tier 1"
status    = "open"
tags      = ["eu"]
requester = { name = "Cleo", organization = "Initech", vip = true }
life = '''
0:00  target resolution due 3:00
0:05  tagged hot by $agent
0:10  agent $agent replies "We look."
0:15  status solved by $agent
0:20  customer's auto-reply
0:25  agent automation notes "A rule saw it."
0:30  untagged eu by automation
0:35  priority normal by $agent
0:40  assigned to $agent by automation
1:00  customer writes "It is back."
1:05  priority urgent by automation
'''
"""


def test_it_stands_among_the_helpdesks(tmp_path: Path, installed: Path) -> None:
    shown = json.loads(uptier(tmp_path, installed, "fields", "--format", "json"))
    assert all("zammad" in field["helpdesks"] for field in shown)


def test_no_file_of_uptier_knows_it() -> None:
    sources = [
        path for folder in ("policies", "adapters", "connector") for path in (ROOT / folder).rglob("*.*")
    ]
    assert len(sources) > 100
    knowing = [path for path in sources if b"zammad" in path.read_bytes().lower()]
    assert [path for path in knowing if path.suffix in (".py", ".toml", ".html")] == []


def test_from_an_empty_directory_to_what_is_due(
    tmp_path: Path, installed: Path, system: tuple[Any, str]
) -> None:
    desk, url = system
    told = uptier(
        tmp_path,
        installed,
        "init",
        "--helpdesk",
        "zammad",
        "--url",
        url,
        "--account",
        "acme",
        "--auth",
        "token",
    )
    assert "overdue: " in told
    assert [logged for logged in desk.log if logged.applied] == []
    text = (tmp_path / "uptier.toml").read_text(encoding="utf-8")
    assert 'adapter = "zammad"' in text
    assert 'owner  = "Tier 2"' in text
    uptier(tmp_path, installed, "check", "--strict")
