"""A ticket whose number is not its id is shown by its number, and may be asked for by either."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.app.service import summarise
from connector.console import story
from connector.store import escalated, holds, tickets
from connector.store.holds import Hold
from policies.model import TicketRef
from tests.connector.each import Each, each
from tests.connector.test_undo_of_many import uptier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the config is."""
    return tmp_path_factory.mktemp("numbers")


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Each]:
    """Beside a ServiceNow instance, with one incident that a level has come on."""
    with each("servicenow", folder) as found:
        found.opened("one")
        found.round()
        found.round(31)
        found.round(1)
        yield found


@pytest.fixture
def name(one: Each, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """How people know it, `account/number`; commands find the config."""
    monkeypatch.chdir(folder)
    return one.ref().named(one.show().name)


def test_commands_show_the_number_and_take_it_in_small_letters_too(one: Each, name: str) -> None:
    key = one.ref().id
    assert (name.startswith("now/INC00"), key in name) == (True, False), name
    due = uptier("due")
    assert (name in due.stdout, key in due.stdout) == (True, False), due.stdout
    (row,) = json.loads(uptier("due", "--format", "json").stdout)["rows"]
    assert (row["ref"]["id"], row["number"]) == (key, name.partition("/")[2])
    for said in (name, name.replace("INC", "inc"), str(one.ref())):
        explained = uptier("explain", said)
        assert explained.stdout.startswith(f"{name}: About one\n"), explained.output
        happened = uptier("history", said, "--format", "html")
        assert f"What happened to {name}" in happened.stdout, happened.output
        assert "fired" in happened.stdout
    unknown = uptier("explain", "now/INC9999999")
    assert (unknown.exit_code, "now/INC9999999 has not been seen" in unknown.stderr) == (2, True)


def test_orders_undo_and_release_take_the_number(one: Each, name: str) -> None:
    acked = uptier("snooze", name, "--for", "1m", "--reason", "quiet")
    assert (acked.exit_code, acked.stdout.startswith(name)) == (0, True), acked.output
    undo = uptier("undo", name)
    assert undo.stdout.startswith(f"{name}  About one\n"), undo.output
    with one.service.parts.store.writing() as connection:
        holds.put_hold(connection, Hold(ref=one.ref(), scope="ticket", why="too many", since=0))
    with one.service.parts.store.reading() as connection:
        human = summarise(connection, 0, 0, ()).needs_human
    assert any(text.startswith(f"{name}: held") for text in human), human
    assert name in uptier("release").stdout
    assert uptier("release", name).exit_code == 0


def test_notes_say_the_number(one: Each, name: str) -> None:
    notes = [row["value"] for row in one.desk.desk.journal(one.desk.tickets["one"])]
    assert any(f"uptier explain {name}" in note for note in notes), notes


def test_lists_and_the_page_of_a_ticket_know_the_number(one: Each, name: str) -> None:
    number = name.partition("/")[2]
    with one.service.parts.store.reading() as connection:
        rows = escalated.listed(
            connection, escalated.Wanted(words=(number,)), one.clock.now(), limit=9, offset=0
        )
        assert [(row.ref, row.number) for row, _ in rows] == [(one.ref(), number)]
        seen = story.ticket_page(connection, TicketRef(one.ref().account, number), one.clock.now())
        assert seen is not None
        assert (seen.ref, seen.known.ticket.name) == (one.ref(), name)
        assert tickets.meant(connection, TicketRef("other", number)) == ()
