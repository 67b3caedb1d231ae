"""A bad hour played through the policies of a config, and nothing real reached."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import keyring
import pytest

from connector import drill
from connector.config.settings import load
from policies.language.document import Document, read
from policies.scenario import FILES, Scenario, headline, read_scenario
from tests.connector.test_cli import uptier

PAGE = Path(__file__).parents[2] / "docs" / "drill.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]

CONFIG = """
[service]
database = "postgresql://uptier@db.example/uptier"
database_password = "secret:database"
mode = "observe"
default_owner = "Escalations"
outside = "https://uptier.example"

[accounts.fresh]
adapter = "freshdesk"
url = "https://acme.freshdesk.example"
auth = { kind = "key", key = "secret:fresh-key" }
webhook = { secret = "secret:fresh-webhook" }
[accounts.now]
adapter = "servicenow"
url = "https://acme.servicenow.example"
auth = { kind = "basic", user = "bot", password = "secret:now-password" }

[channels.pager]
url = "secret:pager"

[groups."Tier 1"]
lead = "dana@acme.example"

[templates.handoff]
en = "{{ policy.name }}, {{ level.name }}: {{ reasons | join('; ') }}. {{ ticket.subject }}"

[[policy]]
name = "waits"
clock = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "Marked"
after = "10m"
tags = ["waits"]
[[policy.level]]
name = "Lead"
after = "30m"
owner = "lead_of(group)"
note = "handoff"
notify = ["pager"]

[[policy]]
name = "elsewhere"
clock = "created"
accounts = ["now"]
[policy.when]
priority = "urgent"
[[policy.level]]
name = "one"
after = "5m"
owner = "Duty"
note = "handoff"

[[policy]]
name = "target"
clock = "resolution"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "Before"
before = "30m"
owner = "Duty"
note = "handoff"

[[policy]]
name = "never"
clock = "created"
[policy.when]
tags = { has = "no-ticket-has-it" }
[[policy.level]]
name = "one"
after = "5m"
owner = "Duty"
note = "handoff"
"""

SCENARIO = """
[drill]
title = "Short"
summary = "Two hours."
start = "2026-10-05 10:00"
until = "2:00"
absent = ["$lead"]
questions = ["Who?"]

[[ticket]]
name = "one"
subject = "Help <b>now</b>"
description = "It burns"
priority = "urgent"
group = "$group"
requester = { name = "Cleo", vip = true }
life = '''
0:00  target resolution due 1:45
0:40  agent $agent replies "We look."
0:41  status solved by $agent
1:00  customer writes "No."
1:10  tagged hot by $colleague
1:20  assigned to $colleague by $agent
1:50  $agent orders ack
'''
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config with a scenario beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uptier.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "short.toml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = next(text for kind, text in BLOCKS if kind == "toml" and "[accounts" in text)
    (shown,) = [text for kind, text in BLOCKS if kind == "text"]
    (tmp_path / "uptier.toml").write_text(config, encoding="utf-8")
    assert uptier("drill", "lead-absent").stdout.splitlines() == shown.splitlines()


@pytest.mark.parametrize("account", ["fresh", "now"])
def test_a_drill_reaches_no_helpdesk_no_channel_no_secret_and_no_database(
    account: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its config names all of them, and what it names is never asked for."""
    hosts: set[Any] = set()
    asked: list[Any] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def seen(self: socket.socket, address: Any) -> None:
        hosts.add(address[0])
        connect(self, address)

    def looked_up(host: Any, *more: Any, **named: Any) -> Any:
        hosts.add(host.decode() if isinstance(host, bytes) else host)
        return look_up(host, *more, **named)

    monkeypatch.setattr(socket.socket, "connect", seen)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(keyring, "get_keyring", lambda: asked.append("keyring"))
    for name in ("DATABASE", "FRESH_KEY", "FRESH_WEBHOOK", "NOW_PASSWORD", "PAGER"):
        monkeypatch.setenv(f"UPTIER_SECRET_{name}_FILE", str(folder / "must-not-be-read"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    done = uptier("drill", "short.toml", "--account", account, "--json")
    assert done.exit_code == 0, done.output
    played = json.loads(done.stdout)
    assert hosts <= {"127.0.0.1", "localhost"}
    assert hosts
    assert asked == []
    assert {file.name for file in folder.iterdir()} == {"uptier.toml", "short.toml"}
    lines = played["lines"]
    calls = [
        (line["at"] - played["start"], line["who"], line["level"])
        for line in lines
        if line["kind"] == "calls"
    ]
    assert (1800, "dana@acme.example", "Lead") in calls
    assert (4500, "Duty", "Before") in calls
    assert [line["who"] for line in lines if line["kind"] == "hears"]
    assert any(line["kind"] == "reads" and "waits, Lead" in line["words"] for line in lines)
    assert not any("127.0.0.1" in line["words"] for line in lines)
    assert any("done without a word" in line["text"] and line["level"] == "Marked" for line in lines)
    assert any("is called" not in line["text"] and "orders ack" in line["text"] for line in lines)
    assert any("dana@acme.example, who is absent, is called" in line["text"] for line in lines)
    told = " ".join(played["remarks"])
    assert "Absent: dana@acme.example." in told
    assert "only observe" in told
    assert played["untouched"]["never"] == "no ticket of this drill fits it"
    assert ("elsewhere" in played["untouched"]) is (account == "fresh")


def test_the_page_for_a_team_shows_all_of_it_and_loads_nothing(folder: Path) -> None:
    done = uptier("drill", "short.toml", "--html", "page.html")
    assert done.exit_code == 0, done.output
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "Help &lt;b&gt;now&lt;/b&gt;" in page
    assert "<b>now" not in page
    assert "http://" not in page
    assert "src=" not in page
    for said in (
        "Who is called",
        "dana@acme.example",
        "Policies that this drill did not touch",
        "never",
        "Who?",
    ):
        assert said in page


def test_without_a_name_it_lists_them_and_an_unknown_one_is_wrong(folder: Path) -> None:
    listed = uptier("drill")
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(FILES)
    unknown = uptier("drill", "outag")
    assert unknown.exit_code == 2
    assert 'Did you mean "outage"?' in unknown.stderr
    assert uptier("drill", "outage", "--account", "none").exit_code == 2
    assert uptier("drill", "there-is-none.toml").exit_code == 2


@pytest.mark.parametrize("name", FILES)
def test_each_scenario_can_be_played_and_stands_on_the_page(name: str, folder: Path) -> None:
    policies = load(folder / "uptier.toml").policies
    assert policies is not None
    scenario, problems = read_scenario(drill.pack(name), policies, "now")
    assert problems == ()
    assert isinstance(scenario, Scenario)
    assert scenario.start < scenario.until
    assert scenario.questions
    assert scenario.roles.lead == "dana@acme.example"
    assert "$" not in repr(scenario)
    last = max(event.at for script in scenario.scripts for event in script.events)
    assert last <= scenario.until
    row = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if f"| `{name}` |" in line)
    assert row.split("|")[2].strip().casefold() + "." == headline(drill.pack(name))[1].casefold()


def test_the_scenario_on_the_page_can_be_played(folder: Path) -> None:
    policies = load(folder / "uptier.toml").policies
    assert policies is not None
    (text,) = [text for kind, text in BLOCKS if kind == "toml" and "[drill]" in text]
    document = read("friday.toml", text)
    assert isinstance(document, Document)
    scenario, problems = read_scenario(
        document, policies, "fresh", group="Night shift", start="2026-12-24 15:00"
    )
    assert problems == ()
    assert scenario is not None
    assert scenario.roles.group == "Night shift"
    assert not scenario.roles.leads
    assert (scenario.start, scenario.until) == (1_798_124_400, 1_798_124_400 + 16 * 3600)
    assert scenario.scripts[0].ticket.created == scenario.start + 300


def test_two_tickets_of_one_name_are_wrong(folder: Path) -> None:
    ticket = SCENARIO[SCENARIO.index("[[ticket]]") :]
    (folder / "bad.toml").write_text(SCENARIO + ticket, encoding="utf-8")
    done = uptier("drill", "bad.toml")
    assert done.exit_code == 2
    assert 'there are two tickets "one"' in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0:30  fires Lead", "a drill expects nothing"),
        ("0:30  rated bad", "a drill cannot play"),
        ("0:30  whatever", "nobody knows what"),
    ],
)
def test_what_a_drill_cannot_play_is_said_with_its_line(line: str, said: str, folder: Path) -> None:
    (folder / "bad.toml").write_text(SCENARIO.replace('1:00  customer writes "No."', line), encoding="utf-8")
    done = uptier("drill", "bad.toml")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "bad.toml:21" in done.stderr
