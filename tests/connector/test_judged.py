"""What a look keeps are values: they are put into words when somebody asks, in the words of that day."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from adapters.zendesk.simulator.state import Zendesk
from connector.store import codec, ledger, reported, tickets
from connector.store.opening import migrate, open_store
from connector.work.context import explained
from policies.language import clocks
from policies.language.operators import OPERATORS
from policies.model import TicketRef
from policies.present.explain import PolicyTrace, explain
from tests.connector.each import Each, each
from tests.connector.store.samples import a_ticket
from tests.connector.store.test_versions import at
from tests.connector.test_cli import desk, uptier  # noqa: F401 (a fixture)
from tests.postgres import empty_database

WORDY = (
    " is not ",
    "counts from",
    "counted until",
    "due 20",
    "(limit",
    "waits for",
    'level \\"',
    "waiting for",
)


def kept(one: Each) -> tuple[str, str]:
    """What the last look left of the ticket, and what is said of it."""
    with one.service.parts.store.reading() as connection:
        known = tickets.known(connection, one.ref())
        row = connection.execute(text("SELECT trace FROM ticket")).scalar_one()
        memory = connection.execute(text("SELECT memory, coming FROM standing")).all()
    assert known is not None
    told = explained(known, None)
    assert told is not None
    return "\n".join([row, *(str(each) for each in memory)]), explain(told)


@pytest.mark.parametrize("minutes", [5, 31, 200])
def test_a_look_keeps_no_words_and_other_words_change_nothing_kept(
    minutes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.round(minutes)
        one.round()
        values, said = kept(one)
        assert [word for word in WORDY if word in values] == []
        assert "customer_waiting" in values
        assert "status is not solved or closed" in said
        not_in = OPERATORS["not_in"]
        other = replace(not_in, says=lambda wanted: f"ist weder {' noch '.join(map(str, wanted))}")
        monkeypatch.setitem(OPERATORS, "not_in", other)
        waiting = replace(clocks.CLOCKS["customer_waiting"], phrase="der Kunde wartet seit {}")
        monkeypatch.setitem(clocks.CLOCKS, "customer_waiting", waiting)
        again, anew = kept(one)
        assert again == values
        assert anew == said.replace("is not solved or closed", "ist weder solved noch closed")


def test_what_is_kept_takes_less_room_than_its_words(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.round(31)
        one.round()
        with one.service.parts.store.reading() as connection:
            known = tickets.known(connection, one.ref())
            row = connection.execute(text("SELECT trace FROM ticket")).scalar_one()
    told = explained(known, None) if known else None
    assert told
    assert len(row) < len(codec.dump(tuple[PolicyTrace, ...], told))


def test_the_ledger_keeps_why_a_level_fired_as_values_and_says_it(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.round(31)
        (line,) = [each for each in one.lines() if each.what == "fired"]
        assert line.text == ""
        said = ledger.in_words(line).text
        assert said == "status is new or open; priority is urgent; customer waiting for 31m (limit 30m)"
        written = replace(line, text=said, data={})
        assert ledger.in_words(written) == written, "a line of a version that kept words"
        assert line.data["cause"]["clock"] == "customer_waiting"
        assert (line.data["cause"]["elapsed"], line.data["cause"]["limit"]) == (1860, ["after", 1800])


OLD = [{"policy": "p", "mode": "enforce", "holds": True, "verdict": 'fires level "one"', "lines": []}]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_words_of_an_earlier_version_are_let_go_and_said_to_be(kind: str, tmp_path: Path) -> None:
    with empty_database() as shared:
        url = shared if kind == "postgresql" else f"sqlite:///{tmp_path}/uptier.db"
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
        with engine.begin() as connection:
            at(connection, "0024")
            for number, trace in (("1", json.dumps(OLD)), ("2", "[]")):
                connection.execute(
                    text(
                        "INSERT INTO ticket "
                        "(account, id, facts, trace, revision, status, updated, seen_at, matched) "
                        "VALUES ('acme', :id, :facts, :trace, 'r', 'open', 100, 100, :matched)"
                    ),
                    {
                        "id": number,
                        "facts": codec.dump_facts(a_ticket(number)),
                        "trace": trace,
                        "matched": False,
                    },
                )
        engine.dispose()
        migrate(url)
        with closing(open_store(url)) as store, store.writing() as connection:
            looked, listed = (tickets.known(connection, TicketRef("acme", each)) for each in ("1", "2"))
            assert looked is not None
            assert looked.judged is None
            assert explained(looked, None) is None
            assert listed is not None
            assert listed.judged == ()
            assert [each.judged for each in reported.tickets(connection, 0)] == [(), ()]


def test_it_is_said_where_it_is_asked_for_and_kept_anew_with_the_next_look(
    desk: Zendesk,  # noqa: F811 (the fixture)
    tmp_path: Path,
) -> None:
    uptier("run", "--once")
    before = uptier("explain", "acme/1").stdout
    with closing(sqlite3.connect(tmp_path / "uptier.db")) as file, file:
        file.execute("UPDATE ticket SET trace = 'null'")
    said = uptier("explain", "acme/1")
    assert said.exit_code == 0
    assert "is not kept any more" in said.stdout
    assert said.stdout.endswith("To ask now: uptier explain acme/1 --at now\n")
    assert json.loads(uptier("explain", "acme/1", "--format", "json").stdout) is None
    assert uptier("snooze", "acme/1", "--for", "2h", "--reason", "quiet").exit_code == 0
    uptier("run", "--once")
    assert uptier("explain", "acme/1").stdout.splitlines()[0] == before.splitlines()[0]
    assert "counted until" in uptier("explain", "acme/1").stdout
