"""A bad hour played through the policies of a config, and nothing real reached."""

import json
import re
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import keyring
import pytest

from adapters.simulation.demo import Simulated
from connector import drill
from connector.config.settings import load
from connector.store.archive import Archive, Head
from policies.language.document import Document, read
from policies.model import (
    Act,
    Agent,
    Change,
    Directory,
    Group,
    Message,
    Metric,
    Person,
    Priority,
    Satisfaction,
    Stage,
    Status,
    Target,
    Ticket,
    TicketRef,
    Who,
)
from policies.past import questions, silenced, spelling
from policies.scenario import FILES, Scenario, headline, read_scenario
from tests.connector.each import EACH, each
from tests.connector.test_archive import archived, pulling
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
[accounts.acme]
adapter = "zendesk"
url = "https://acme.zendesk.example"
auth = { kind = "bearer", token = "secret:acme-token" }

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


@pytest.fixture
def unreached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Says, once a drill is over, that nothing real was reached: no host, no secret, no file."""
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
    for name in ("DATABASE", "FRESH_KEY", "FRESH_WEBHOOK", "NOW_PASSWORD", "PAGER", "ACME_TOKEN"):
        monkeypatch.setenv(f"UPTIER_SECRET_{name}_FILE", str(folder / "must-not-be-read"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def nothing_was_reached() -> None:
        assert hosts <= {"127.0.0.1", "localhost"}
        assert hosts
        assert asked == []
        assert {file.name: file.read_bytes() for file in folder.iterdir() if file.name in before} == before
        assert {file.name for file in folder.iterdir()} - before.keys() <= {"past.sqlite3"}

    return nothing_was_reached


@pytest.mark.parametrize("account", ["fresh", "now"])
def test_a_drill_reaches_no_helpdesk_no_channel_no_secret_and_no_database(
    account: str, unreached: Callable[[], None]
) -> None:
    """Its config names all of them, and what it names is never asked for."""
    done = uptier("drill", "short.toml", "--account", account, "--format", "json")
    assert done.exit_code == 0, done.output
    played = json.loads(done.stdout)
    unreached()
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
    done = uptier("drill", "short.toml", "--format", "html", "-o", "page.html")
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
    assert scenario.roles is not None
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
    assert scenario.roles is not None
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


ALL_SORTS = """
[drill]
title = "All sorts"
summary = "Whatever a drill can ask of a helpdesk."
start = "2026-10-05 10:00"
until = "3:00"

[[ticket]]
name = "loose"
subject = "In no group"
requester = { name = "Cleo" }
status = "pending"
life = '''
0:10  tagged hot by $agent
0:20  priority high by $agent
0:25  priority none by $agent
0:30  agent automation notes "A rule saw it."
0:40  customer's auto-reply
0:50  customer writes "Hello?"
1:00  untagged hot by automation
1:10  status on_hold by $agent
1:20  status solved by $agent
1:30  group $group by automation
'''

[[ticket]]
name = "asleep"
subject = "Answered"
requester = { name = "Peter" }
group = "$group"
life = '''
0:05  agent $agent replies "Done."
0:06  customer's auto-reply
'''

[[ticket]]
name = "over"
subject = "Done with"
requester = { name = "Gavin" }
group = "$group"
life = '''
0:10  status closed by $agent
0:20  customer writes "Once more."
'''
"""


@pytest.mark.parametrize("account", ["acme", "fresh", "now"])
def test_each_helpdesk_plays_whatever_a_scenario_may_say(account: str, folder: Path) -> None:
    """A ticket without group or priority, one that came in waiting, words of a rule and of a machine, and one that
    nobody can write to any more."""
    (folder / "sorts.toml").write_text(ALL_SORTS, encoding="utf-8")
    done = uptier("drill", "sorts.toml", "--account", account, "--format", "json")
    assert done.exit_code == 0, done.output
    lines = json.loads(done.stdout)["lines"]
    texts = [line["text"] for line in lines if line["ticket"] == "loose"]
    assert "an automation notes" in texts
    assert "Cleo answers by a machine" in texts
    assert "Cleo writes" in texts
    assert "an automation: tags are now waits" in texts
    assert "Sam: priority is now none" in texts
    called = {line["ticket"] for line in lines if line["kind"] == "calls"}
    assert called - {"over"} == {"loose"}, "what a machine sends asks for nothing"
    refused = [line["text"] for line in lines if line["kind"] == "trouble"]
    assert bool(refused) is (account == "acme"), refused
    assert all("does not take it" in each for each in refused)


class Older(Simulated):
    """The part of a simulator that was made for another version of Uptier."""


def test_a_simulator_whose_part_lacks_something_is_refused_with_what_it_lacks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = entry_points(group="uptier.simulators", name="freshdesk")
    monkeypatch.setattr(drill, "taking_part", lambda: [(entry, Older)])
    done = uptier("drill", "outage", "--account", "fresh")
    assert done.exit_code == 2
    assert "the simulated freshdesk plays no drills" in done.stderr
    assert "answer_in_the_moment_of_the_write, looks, own_words, promise, secrets and show" in done.stderr


# --- archived tickets ------------------------------------------------------------------------------------------

BEGAN = 1_790_000_040  # 2026-09-21 14:14 UTC
ANN = Person(id="7", name="Ann", address="ann@acme.example")
TWIN = Person(id="8", name="Ann", address="ann.two@acme.example")
CLEO = Person(id="9", name="Cleo", address="cleo@initech.example", organization="Initech", vip=True)
HERE = Directory(
    account="fresh",
    groups=(Group(id="1", name="Tier 1"), Group(id="2", name="Duty")),
    agents=(Agent(person=ANN, groups=frozenset({"1"})), Agent(person=TWIN, groups=frozenset({"1", "2"}))),
)


def act(number: int, minutes: int, who: Who, person: str | None = None) -> Act:
    return Act(sequence=number, id=f"f{number}", at=BEGAN + minutes * 60, who=who, person=person)


def past_ticket(number: str = "4711", *, minutes: int = 0, account: str = "fresh") -> Ticket:
    """Cleo asks, one Ann answers and solves it, a colleague of Cleo's writes, a former agent raises it, and it goes to
    the other Ann in a group that is no more; then Cleo rates it and it is merged."""
    later = minutes
    facts = [
        Message(act=act(1, later, Who.CUSTOMER, "9"), public=True, body="It burns <now>"),
        Message(act=act(2, later + 20, Who.AGENT, "7"), public=True, body="We look."),
        Message(act=act(4, later + 60, Who.CUSTOMER, "99"), public=True, body="And here too."),
        Message(act=act(7, later + 65, Who.AUTOMATION), public=True, body="Thank you", auto_reply=True),
    ]
    changes = [
        Change(act=act(2, later + 20, Who.AGENT, "7"), field="status", before="open", after="solved"),
        Change(act=act(4, later + 60, Who.CUSTOMER, "99"), field="status", before="solved", after="open"),
        Change(act=act(5, later + 61, Who.AGENT, "55"), field="priority", before="high", after="urgent"),
        Change(act=act(6, later + 62, Who.AGENT, "7"), field="group", before="1", after="77"),
        Change(act=act(6, later + 62, Who.AGENT, "7"), field="assignee", before=None, after="8"),
        Change(act=act(6, later + 62, Who.AGENT, "7"), field="tags", before=("eu",), after=("eu", "hot")),
        Change(act=act(6, later + 62, Who.AGENT, "7"), field="custom.product", before=None, after="x"),
    ]
    return Ticket(
        ref=TicketRef(account, number),
        link=f"https://acme.freshdesk.example/a/tickets/{number}",
        subject="Printer",
        description="It burns <now>",
        status=Status.OPEN,
        status_name="Open",
        priority=Priority.URGENT,
        tags=frozenset({"eu", "hot"}),
        group=Group(id="77", name="Night shift"),
        assignee=TWIN,
        requester=CLEO,
        created=BEGAN + later * 60,
        updated=BEGAN + (later + 70) * 60,
        read_at=BEGAN + 86_400,
        revision="r",
        custom={"product": "x"},
        targets=(
            Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=BEGAN + (later + 200) * 60),
            Target(metric=Metric.FIRST_REPLY, stage=Stage.ACHIEVED, due=BEGAN + (later + 30) * 60),
        ),
        messages=tuple(facts),
        changes=tuple(changes),
        satisfaction=Satisfaction.BAD,
        gone="merged",
    )


def keep(folder: Path, *tickets: Ticket, unknown: tuple[str, ...] = (), words: bool = True) -> Path:
    """An archive of these tickets."""
    path = folder / "past.sqlite3"
    policies = load(folder / "uptier.toml").policies
    assert policies is not None
    asked = questions(policies)
    said = Head(
        made=BEGAN + 86_400,
        begin=BEGAN - 86_400,
        end=BEGAN + 86_400,
        words_until=BEGAN + 10**8 if words else 0,
        asked=tuple(asked),
        packs={name: spelling(pack) for name, pack in policies.packs.items()},
    )
    with closing(Archive.create(path, said)) as archive:
        archive.keep_people(HERE)
        archive.keep_page("fresh", "open", [each.ref for each in tickets], "", True)
        for each_one in tickets:
            bare = silenced(each_one, asked, policies.packs.values())
            archive.keep(each_one.ref, facts=bare, unknown=unknown, words=each_one if words else None)
    return path


def test_an_archived_ticket_is_played_as_it_was_and_nothing_real_is_reached(
    folder: Path, unreached: Callable[[], None]
) -> None:
    path = keep(folder, past_ticket(), unknown=("priority",))
    done = uptier("drill", "fresh/4711", "--archive", str(path), "--format", "json")
    assert done.exit_code == 0, done.output
    unreached()
    played = json.loads(done.stdout)
    lines = played["lines"]
    assert played["start"] == BEGAN
    assert {line["ticket"] for line in lines} == {"4711", ""}
    happens = [
        ((line["at"] - BEGAN) // 60, line["text"], line["words"])
        for line in lines
        if line["kind"] == "happens"
    ]
    assert happens == [
        (0, 'Cleo, a VIP, writes to Tier 1, high: "Printer"', "It burns <now>"),
        (0, "the helpdesk's own target: solved by 3:20", ""),
        (20, "ann@acme.example replies", "We look."),
        (20, "ann@acme.example: status is now solved", ""),
        (60, "Customer 2 writes", "And here too."),
        (60, "Customer 2: status is now open", ""),
        (61, "Former agent 3: priority is now urgent", ""),
        (
            62,
            f"{ANN.label}: group is now Night shift, assignee is now {TWIN.label}, tags are now eu, hot, waits",
            "",
        ),
        (65, "an automation replies", "Thank you"),
    ]
    calls = [
        ((line["at"] - BEGAN) // 60, line["who"], line["level"]) for line in lines if line["kind"] == "calls"
    ]
    assert (90, "Escalations", "Lead") in calls, "half an hour after the second question"
    assert (170, "Duty", "Before") in calls
    read = [line["words"] for line in lines if line["kind"] == "reads"]
    assert any("uptier explain fresh/4711" in words or "Printer" in words for words in read)
    told = " ".join(played["remarks"])
    for left in ("custom fields", "ratings", "merged", "targets for replies", "priority (1)"):
        assert left in told
    assert "made up" not in told


def test_what_an_agent_began_nobody_waits_for_and_a_rating_is_no_message(folder: Path) -> None:
    """As Freshdesk tells it: nobody knows which agent wrote, and what came with the rating is told as private."""
    told = past_ticket()
    ticket = replace(
        told,
        assignee=ANN,
        requester=Person(id="9", name="9"),
        messages=(
            Message(act=act(1, 0, Who.AGENT), public=True, body="Your contract ends."),
            Message(act=act(3, 30, Who.CUSTOMER, "9"), public=False, body="Great"),
        ),
        changes=(),
        status=Status.OPEN,
    )
    done = uptier("drill", "4711", "--archive", str(keep(folder, ticket)), "--format", "json")
    assert done.exit_code == 0, done.output
    played = json.loads(done.stdout)
    happens = [line["text"] for line in played["lines"] if line["kind"] == "happens"]
    assert happens[0] == f'{ANN.label} writes for Customer 1 to Night shift, urgent: "Printer"'
    assert not any("writes" in text for text in happens[1:])
    assert not any(line["policy"] == "waits" and line["kind"] == "calls" for line in played["lines"])
    assert "what customers said in private, as with a rating" in " ".join(played["remarks"])


@pytest.mark.parametrize("words", [True, False])
def test_phrases_are_found_in_an_archive_as_they_were(words: bool, folder: Path) -> None:
    asks = CONFIG + PHRASED
    (folder / "uptier.toml").write_text(asks, encoding="utf-8")
    angry, calm = past_ticket("1"), past_ticket("2", minutes=1)
    said = Message(act=angry.messages[2].act, public=True, body="This is unacceptable, I am fed up")
    angry = replace_message(angry, said)
    path = keep(folder, angry, calm, words=words)
    done = uptier("drill", "--archive", str(path), "--format", "json")
    assert done.exit_code == 0, done.output
    played = json.loads(done.stdout)
    assert {line["ticket"] for line in played["lines"] if line["policy"] == "angry"} == {"1"}
    told = " ".join(played["remarks"])
    assert ("has no words" in told) is not words
    assert ("finds none: about-printers." in told) is not words
    assert ("burns" in done.stdout) is words
    assert any(line["policy"] == "about-printers" for line in played["lines"]) is words
    later = ("drill", "2", "--archive", str(path), "--at", "2026-12-24 15:00")
    shown = uptier(*later)
    uptier(*later, "--format", "html", "-o", "page.html")
    assert "from Thursday 2026-12-24 15:00 UTC" in shown.stdout
    assert "To talk about" in (folder / "page.html").read_text(encoding="utf-8")


PHRASED = """
[[policy]]
name = "angry"
clock = "created"
[policy.when]
phrases = { has = "complaint" }
[[policy.level]]
name = "one"
after = "5m"
owner = "Duty"
note = "handoff"

[[policy]]
name = "about-printers"
clock = "created"
[policy.when]
subject = { contains = "printer" }
[[policy.level]]
name = "one"
after = "5m"
owner = "Duty"
note = "handoff"
"""


def replace_message(ticket: Ticket, said: Message) -> Ticket:
    """The ticket with this in place of what stands there with the same number."""
    kept = (said if each.act.sequence == said.act.sequence else each for each in ticket.messages)
    return replace(ticket, messages=tuple(kept))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fresh/1",), "does not hold fresh/1"),
        (("now/4711",), "holds fresh, not now"),
        (("nobody/4711",), 'there is no account "nobody"'),
        (("fresh/4711", "now/4711"), "does not hold now/4711 of account fresh"),
        (("--group", "Tier 1"), "come in where they came in"),
        (("--at", "soon"), 'there is no time "soon"'),
        ((), "over more than 14 days"),
    ],
)
def test_what_cannot_be_played_of_an_archive_is_said(words: tuple[str, ...], said: str, folder: Path) -> None:
    path = keep(folder, past_ticket(), past_ticket("4712", minutes=30 * 1440))
    only = ("4711",) if words[:1] == ("--at",) else ()
    done = uptier("drill", *only, *words, "--archive", str(path))
    assert done.exit_code == 2, done.output
    assert said in done.stderr


def test_so_many_tickets_are_not_played_at_once(folder: Path) -> None:
    path = keep(folder, *(past_ticket(str(number)) for number in range(1, drill.MOST + 2)))
    done = uptier("drill", "--archive", str(path))
    assert done.exit_code == 2
    assert (
        f"holds 31 tickets of fresh, and a drill plays up to {drill.MOST}; name some: fresh/4711"
        in done.stderr
    )
    assert uptier("drill", "outage", "lead-absent").exit_code == 2


@pytest.mark.parametrize("vendor", EACH)
def test_what_was_pulled_from_a_helpdesk_is_played_on_a_simulated_one(
    vendor: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The very life that a helpdesk tells, with the same owner at the same minutes as when Uptier ran."""
    then = tmp_path_factory.mktemp("then")
    with each(vendor, then) as one:
        one.opened("one", "two")
        one.rounds(until=10, every=1)
        one.desk.say("two", "Ann", "I look.", public=True)
        one.rounds(until=30, every=1)
        account, ids = one.desk.account, {word: one.ref(word).id for word in ("one", "two")}
        fired = [line for line in one.lines("one") if line.what == "fired"]
        created = one.service.parts.desks[account].adapter.load(one.ref(), frozenset()).created
        with archived(one, then, words_until=10**11) as archive:
            assert pulling(one, archive).run().kept == 2
            path = archive.path
        config = (then / "uptier.toml").read_text(encoding="utf-8")
    (folder / "uptier.toml").write_text(config, encoding="utf-8")
    done = uptier("drill", "--archive", str(path), "--account", account, "--format", "json")
    assert done.exit_code == 0, done.output
    played = json.loads(done.stdout)
    calls = [line for line in played["lines"] if line["kind"] == "calls"]
    first = next(line for line in calls if line["ticket"] == ids["one"])
    assert [(line.level, line.owner, line.at - created) for line in fired] == [
        (first["level"], first["who"], first["at"] - played["start"])
    ]
    assert ids["two"] not in {line["ticket"] for line in calls if line["at"] < played["start"] + 3600}
    replied = [line for line in played["lines"] if line["text"] == "ann@acme.test replies"]
    assert [line["words"] for line in replied] == ["I look."]
