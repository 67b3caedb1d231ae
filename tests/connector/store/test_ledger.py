"""Lines are added, told in order, and counted."""

from dataclasses import replace

from sqlalchemy import Connection

from connector.store import ledger
from connector.store.ledger import LedgerEntry
from tests.connector.store.samples import REF

LINE = LedgerEntry(
    at=100,
    account="acme",
    ticket="1",
    what="fired",
    policy="p",
    episode="e1",
    level="L1",
    owner="Tier 2",
    text="30 minutes have passed",
    policy_hash="h1",
    data={"due": 90, "reasons": ["a", "b"]},
)


def test_a_line_is_told_as_it_was_written(connection: Connection) -> None:
    ledger.append(connection, [LINE])
    assert ledger.of_ticket(connection, REF) == (replace(LINE, id=1),)


def test_the_newest_lines_of_a_ticket_in_the_order_they_were_written(connection: Connection) -> None:
    ledger.append(connection, [replace(LINE, text=str(number)) for number in range(5)])
    ledger.append(connection, [replace(LINE, ticket="2")])
    assert [line.text for line in ledger.of_ticket(connection, REF, limit=3)] == ["2", "3", "4"]


def test_reading_on_from_a_line(connection: Connection) -> None:
    ledger.append(connection, [replace(LINE, at=at) for at in (3, 1, 2)])
    assert [line.at for line in ledger.after(connection, 0, limit=2)] == [3, 1]
    assert [line.at for line in ledger.after(connection, 2)] == [2]
    assert [line.at for line in ledger.newest(connection, limit=2)] == [2, 1]


def test_counting(connection: Connection) -> None:
    ledger.append(
        connection,
        [
            LINE,
            replace(LINE, at=99),
            replace(LINE, ticket="2"),
            replace(LINE, what="observed"),
            replace(LINE, account="beta"),
        ],
    )
    assert ledger.count(connection, "acme", "fired", since=100, now=1_000_000) == 2


def test_no_lines_are_no_statement(connection: Connection) -> None:
    ledger.append(connection, [])
    assert ledger.after(connection, 0) == ()
