"""A person is forgotten in every table, and nobody else is touched."""

import json
from pathlib import Path

from sqlalchemy import insert, select
from typer.testing import CliRunner

from connector.cli.main import app
from connector.store import codec, ledger, schema, users
from connector.store.database import Store
from connector.store.forgetting import forget_person
from connector.store.ledger import LedgerEntry
from policies.model import Directory, Group, Person, TicketRef
from tests.connector.beside import beside
from tests.connector.store.samples import a_ticket

CLEO = Person(id="31", name="Cleo Hart", address="Cleo@Initech.example")
OTHER = Person(id="32", name="Bo Li", address="miscleo@initech.example")
NAMESAKE = Person(id="33", name="Cleo Hart", address="cleo@hooli.example")


def facts(number: str, requester: Person, status: str = "open") -> dict[str, object]:
    ticket = a_ticket(number, requester=requester, subject=f"From {requester.name}, {requester.address}")
    return {
        "account": "acme", "id": number, "facts": codec.dump_facts(ticket), "trace": "[]", "revision": "r",
        "status": status, "updated": 1, "seen_at": 1, "matched": False, "requester": requester.id,
    }  # fmt: skip


def everything(store: Store) -> str:
    """All that stands in any table."""
    with store.reading() as connection:
        return "\n".join(
            str(tuple(row))
            for table in schema.metadata.sorted_tables
            for row in connection.execute(select(table))
        )


def filled(store: Store, *tickets: dict[str, object]) -> None:
    with store.writing() as connection:
        connection.execute(insert(schema.ticket), list(tickets))
        words = "by Cleo Hart <cleo@initech.example>, not miscleo@initech.example"
        ledger.append(
            connection,
            [
                LedgerEntry(
                    at=1,
                    account="acme",
                    ticket="1",
                    what="acknowledged",
                    who="cleo@initech.example",
                    text=words,
                ),
                LedgerEntry(
                    at=1, account="acme", ticket="9", what="warning", text=words, data={"by": ["Cleo Hart"]}
                ),
            ],
        )
        people = Directory(account="acme", groups=(Group(id="1", name="Tier 1"),))
        row = {"account": "acme", "people": codec.dump(Directory, people), "read_at": 1}
        connection.execute(insert(schema.directory), [row])


def test_a_pseudonym_stands_in_every_table_and_is_the_same_each_time(store: Store) -> None:
    filled(store, facts("1", CLEO), facts("2", OTHER), facts("3", CLEO, "closed"))
    with store.writing() as connection:
        users.keep(connection, users.User(name="cleo@initech.example", role="viewer", password=""), 1)
    gone = forget_person(store, "cleo@initech.example", 5)
    left = everything(store)
    assert "Cleo Hart" not in left
    assert "cleo@initech" not in left.lower().replace("miscleo@initech", "")
    assert left.count("miscleo@initech.example") >= 3
    assert gone.pseudonym in left
    assert gone.was_user
    assert gone.open_tickets == (TicketRef("acme", "1"),)
    assert forget_person(store, "CLEO@initech.example", 6).pseudonym == gone.pseudonym
    assert forget_person(store, "miscleo@initech.example", 6).pseudonym != gone.pseudonym
    with store.reading() as connection:
        rows = connection.execute(select(schema.ticket.c.facts).order_by(schema.ticket.c.id)).scalars().all()
    for text in rows:
        json.loads(text)
    assert codec.load(type(a_ticket()), rows[0]).requester == Person(
        id="31", name=gone.pseudonym, address=gone.pseudonym
    )


def test_somebody_of_the_same_name_keeps_it(store: Store) -> None:
    filled(store, facts("1", CLEO), facts("2", NAMESAKE))
    gone = forget_person(store, "cleo@initech.example", 5)
    assert gone.shared == {"Cleo Hart"}
    with store.reading() as connection:
        rows = connection.execute(select(schema.ticket.c.facts).order_by(schema.ticket.c.id)).scalars().all()
        lines = ledger.onward(connection, 0)
        texts = {line.ticket: line.text for line in lines}
    assert "Cleo Hart" not in rows[0]
    assert rows[1] == facts("2", NAMESAKE)["facts"]
    assert "Cleo Hart" not in texts["1"]
    assert texts["9"].startswith(f"by Cleo Hart <{gone.pseudonym}>")  # it may be the other one


def test_a_name_of_one_word_goes_on_the_persons_tickets_alone(store: Store) -> None:
    may = Person(id="31", name="May", address="may@initech.example")
    filled(store, facts("1", may))
    with store.writing() as connection:
        line = LedgerEntry(
            at=1, account="acme", ticket="{}", what="warning", text="May waits; Mayday since May"
        )
        ledger.append(
            connection, [LedgerEntry(**{**vars_of(line), "ticket": number}) for number in ("1", "8")]
        )
    gone = forget_person(store, "may@initech.example", 5)
    with store.reading() as connection:
        texts = [line.text for line in ledger.onward(connection, 0) if line.what == "warning"][-2:]
    assert texts == [f"{gone.pseudonym} waits; Mayday since {gone.pseudonym}", "May waits; Mayday since May"]


def vars_of(line: LedgerEntry) -> dict[str, object]:
    return {name: getattr(line, name) for name in ("at", "account", "what", "text")}


def test_the_command_says_what_brings_them_back_and_nothing_is_left_in_the_file(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
    path = tmp_path / "uptier.toml"
    path.write_text(path.read_text("utf-8") + '\n[people."cleo@initech.test"]\nlimit = 5\n', encoding="utf-8")
    address = "cleo@initech.test"
    assert address.encode() in everything_on(tmp_path)
    result = CliRunner().invoke(app, ["forget", address, "--config", str(path)])
    assert result.exit_code == 1, result.output
    assert "the open ticket acme/1" in result.output
    line = path.read_text("utf-8").splitlines().index(f'[people."{address}"]') + 1
    assert f"uptier.toml:{line}\n" in result.output
    assert "Backups" in result.output
    assert address.encode() not in everything_on(tmp_path)
    again = CliRunner().invoke(app, ["forget", "nobody here", "--config", str(path)])
    assert again.exit_code == 2


def everything_on(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.glob("uptier.db*"))


NO_PERSON = {
    "key", "account", "ticket", "id", "policy", "level", "state", "episodes", "channel", "kind", "delivery", "feed",
    "bucket", "group_id", "fact", "write", "digest", "csrf", "attempt", "scope", "hash", "policy_hash", "revision",
    "settled_revision", "status", "stage", "missing", "gone", "what", "episode", "name", "role", "password", "purpose",
}  # fmt: skip
"""Columns of keys, states and vendor's marks, and what only console users have: their own page says it."""


def test_every_column_that_may_name_somebody_is_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")
    columns = {
        f"{table.name}.{column.name}"
        for table in schema.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, schema.Text) and column.name not in NO_PERSON
    }
    assert sorted(each for each in columns if f"`{each}`" not in page) == []
