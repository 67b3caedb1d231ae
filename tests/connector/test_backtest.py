"""`uptier backtest` says what the service did: the same levels on the same tickets, due at the same time, for the same
owners, out of what the helpdesk's history tells afterwards."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from connector.cli.main import app
from connector.demo import CONFIG
from connector.report.backtest import Firing, Outcome, Task, differences, played
from connector.store import codec
from connector.store.archive import Archive, Head, Row
from policies.model import Metric, Stage, Status, Target, Ticket
from policies.past import UNASKED
from tests.connector.beside import START
from tests.connector.each import EACH, Each, each
from tests.connector.equal import a_town
from tests.connector.test_archive import DAY, archived, pulling
from tests.policies import lives
from tests.policies.lives import at


def task_of(one: Each, archive: Archive, folder: Path) -> Task:
    return Task(
        config=folder / "uptier.toml",
        policies=None,
        directories=archive.directories(),
        head=archive.said(),
        begin=START - DAY,
        end=one.clock.now(),
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("vendor", EACH)
def test_the_backtest_says_what_the_service_did(vendor: str) -> None:
    """With sockets between them; `make prove` does so with ten thousand."""
    found = a_town(vendor, tickets=100, seed=7)
    assert found.unlike() == []
    assert found.tickets == 100
    assert len(found.stands) >= {"freshdesk": 30}.get(vendor, 90)
    assert found.did.total() >= 25
    assert all(each.text for each in found.did if each.due is not None)


@pytest.mark.timeout(600)
def test_so_it_does_of_many_more_without_a_socket() -> None:
    """A tenth of what `make prove` does, of which more happens to each."""
    found = a_town("memory", tickets=1000, seed=1, busy=0.15, without_words=False)
    assert found.unlike() == []
    assert found.tickets == len(found.stands) == 1000
    assert found.did.total() >= 200


# --- the command -----------------------------------------------------------------------------------------------

EARLIER = """
[[policy]]
name    = "urgent-unanswered"
clock   = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]
[policy.when]
status   = ["new", "open"]
priority = "urgent"
[[policy.level]]
name   = "Second line"
after  = "10m"
owner  = "Tier 2"
tags   = ["escalated"]
note   = "handoff"
"""


@contextmanager
def two_days(folder: Path, config: str = CONFIG) -> Iterator[Each]:
    """A Zendesk with three tickets, of which one was answered after 14 minutes, in an archive beside the database."""
    with each("zendesk", folder, config=config) as one:
        one.opened("one", "two")
        one.opened("left", tag="no-escalation")
        one.round(14)
        one.desk.answer("two", "Ann", "Try again.")
        one.rounds(until=40, every=10)
        with archived(one, folder) as archive:
            assert pulling(one, archive).run().kept == 3
        (folder / "earlier.toml").write_text(EARLIER, encoding="utf-8")
        yield one


def run(folder: Path, *words: str) -> Result:
    command = [
        "backtest",
        "--from",
        "2026-09-21",
        "--to",
        "2026-09-21",
        "--config",
        str(folder / "uptier.toml"),
    ]
    return CliRunner().invoke(app, [*command, *words])


def test_the_command_tells_who_would_have_been_called_when(tmp_path: Path) -> None:
    with two_days(tmp_path) as one:
        shown = run(tmp_path)
        assert shown.exit_code == 0, shown.output
        ticket = f"{one.desk.account}/{one.desk.tickets['one']}"
        assert "3 tickets, 1 firing on 1 of them." in shown.output
        assert re.search(
            rf"{ticket} +2026-09-21 14:43 +urgent-unanswered +Second line +Tier 2 +Tier 2 +handoff",
            shown.output,
        )
        told = json.loads(run(tmp_path, "--format", "json").stdout)
        assert [(each["ticket"], each["level"], each["owner"]) for each in told["firings"]] == [
            (str(one.desk.tickets["one"]), "Second line", "Tier 2")
        ]
        assert [(each["owner"], each["firings"], each["by_hour"][14]) for each in told["load"]] == [
            ("Tier 2", 1, 1)
        ]
        assert told["load_by_person"] == [], "a group alone has it"
        assert told["events_x_policies_a_second"] > 0


def test_two_versions_are_compared_ticket_by_ticket(tmp_path: Path) -> None:
    with two_days(tmp_path) as one:
        words = ["--policies", str(tmp_path / "earlier.toml"), "--against", str(tmp_path / "uptier.toml")]
        told = json.loads(run(tmp_path, *words, "--format", "json").stdout)
        found = {each["ticket"]: each["how"] for each in told["differences"]}
        number = {word: str(ticket) for word, ticket in one.desk.tickets.items()}
        assert found == {
            number["one"]: "earlier, given otherwise",
            number["two"]: "only in the new version",
            number["left"]: "only in the new version",
        }
        alarms = {each["ticket"]: each["false_alarm"] for each in told["firings"]}
        assert alarms == {number["one"]: False, number["two"]: True, number["left"]: False}
        page = tmp_path / "page.html"
        assert run(tmp_path, *words, "--format", "html", "-o", str(page)).exit_code == 0
        text = page.read_text(encoding="utf-8")
        assert text.count("<svg") == 3
        assert "Difference, ticket by ticket" in text
        assert "http" not in text.replace("http-equiv", "")


def test_what_was_not_asked_about_words_is_unknown_and_fires_nothing(tmp_path: Path) -> None:
    asks = EARLIER.replace('priority = "urgent"', 'subject = { contains = "One" }')
    with two_days(tmp_path) as one:
        (tmp_path / "earlier.toml").write_text(asks, encoding="utf-8")
        told = json.loads(
            run(tmp_path, "--policies", str(tmp_path / "earlier.toml"), "--format", "json").stdout
        )
        assert told["firings"] == []
        assert told["incomplete"] == {
            "tickets": 3, "not_told": {UNASKED: 3}, "firings": [],
        }  # fmt: skip
        del one


def test_many_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with two_days(tmp_path) as one:
        with archived(one, tmp_path) as archive:
            policies, task = one.service.parts.rules().policies, task_of(one, archive, tmp_path)
            alone = played(task, policies, archive.rows(), processes=1)
            monkeypatch.setattr("connector.report.backtest.ALONE", 1)
            monkeypatch.setattr("connector.report.backtest.CHUNK", 1)
            together = played(task, policies, archive.rows(), processes=2)
        assert together == alone
        assert alone.lives == 3


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with two_days(tmp_path):
        missing = run(tmp_path, "--policies", str(tmp_path / "nowhere.toml"))
        assert missing.exit_code == 2
        assert "nowhere.toml" in missing.output
        other = tmp_path / "other.sqlite3"
        other.write_bytes(b"no database, but bytes" * 100)
        spoiled = run(tmp_path, "--archive", str(other))
        assert spoiled.exit_code == 2
        assert f"{other} cannot be used as an archive" in spoiled.output
        (tmp_path / "wrong.toml").write_text('[[policy]]\nname = "x"\n', encoding="utf-8")
        wrong = run(tmp_path, "--policies", str(tmp_path / "wrong.toml"))
        assert wrong.exit_code == 2
        assert "wrong.toml:1" in wrong.output


def test_without_an_archive_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    with each("zendesk", tmp_path):
        found = run(tmp_path)
        assert found.exit_code == 2
        assert "`uptier archive pull --from 2026-09-21 --to 2026-09-21` makes one" in found.output


def played_alone(policies: str, ticket: Ticket) -> Outcome:
    """What becomes of one ticket of which all is told."""
    begin, end = at(0), at(20_000)
    head = Head(made=end, begin=begin, end=end, words_until=end, asked=(), packs={})
    task = Task(
        config=Path("none"),
        policies=None,
        directories={"acme": lives.DIRECTORY},
        head=head,
        begin=begin,
        end=end,
    )
    row = Row(account="acme", facts=codec.dump(Ticket, ticket), unknown=frozenset())
    return played(task, lives.rules(policies), iter([row]), processes=1)


def test_a_level_that_is_overtaken_is_a_difference_and_who_it_comes_to_is_said() -> None:
    life = lives.Life(lives.LADDER).with_fields(status=Status.NEW, status_name="new").customer(0)
    ticket = replace(life.change(150, "priority", "urgent").ticket, read_at=at(600))
    one, two = (
        'after = "30m"\nassign = { group = "Tier 2", agent = "ben@acme.test" }',
        lives.AFTER_120,
    )
    always = played_alone(lives.policy(one, two), ticket)
    late = played_alone(lives.policy(one, two, when='priority = "urgent"'), ticket)
    assert [(each.level, each.how) for each in late.otherwise] == [("one", "overtaken")]
    assert [(each.level, each.how) for each in differences(always, late)] == [
        ("one", "was fired and is overtaken"),
        ("two", "later"),
    ]
    groups = played_alone(lives.LADDER, ticket)
    assert {each.person for each in always.firings} == {"ben@acme.test"}
    assert {each.person for each in groups.firings} == {""}


def test_differences_say_how_a_level_was_passed_and_sort_ids_as_numbers() -> None:
    def of(ticket: str, how: str = "fired", at: int = 5, owner: str = "Tier 2") -> Firing:
        return Firing(
            account="acme", ticket=ticket, policy="p", level="L", due=None, at=at, owner=owner, how=how
        )

    before = Outcome(
        firings=[of("10"), of("9"), of("100"), of("INC2"), of("3")],
        otherwise=[of("11", "overtaken"), of("12", "skipped")],
    )
    after = Outcome(
        firings=[of("9", at=6, owner="Tier 3"), of("11"), of("3"), of("INC2", at=4)],
        otherwise=[of("10", "rejected"), of("12", "skipped"), of("13", "overtaken")],
    )
    assert [(each.ticket, each.how) for each in differences(before, after)] == [
        ("INC2", "earlier"),
        ("9", "later, for somebody else"),
        ("10", "was fired and is rejected"),
        ("11", "was overtaken and is fired"),
        ("13", "was not reached and is overtaken"),
        ("100", "only in the other"),
    ]


def test_a_missed_target_says_whether_a_level_fired_before_it() -> None:
    def missed(policies: str) -> list[tuple[str, bool]]:
        life = lives.Life(policies).customer(0).agent(150)
        late = Target(
            metric=Metric.FIRST_REPLY, stage=Stage.ACHIEVED, due=at(100), start=at(0), breached=True
        )
        well = Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=at(9000), start=at(0))
        ticket = replace(life.ticket, targets=(late, well), read_at=at(600))
        outcome = played_alone(policies, ticket)
        assert outcome.failed == []
        return [(each.metric, each.warned) for each in outcome.missed]

    assert missed(lives.LADDER) == [("first_reply", True)]
    assert missed(lives.policy('after = "2h"\nnote = "handoff"')) == [("first_reply", False)]
