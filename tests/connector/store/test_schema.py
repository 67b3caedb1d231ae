"""The migrations make exactly the tables that the questions are asked of, and both databases know them."""

import json
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from connector.store import codec
from connector.store.revision import configuration
from connector.store.schema import HEAD, metadata
from policies.model import Person
from tests.connector.store.samples import a_ticket


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """procrastinate brings tables of its own."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def test_migrations_and_tables_agree(connection: Connection) -> None:
    options = {"compare_type": True, "include_name": ours}
    context = MigrationContext.configure(connection, opts=options)
    assert compare_metadata(context, metadata) == []


def test_the_head_named_in_the_code_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [HEAD]


def test_every_table_can_be_made_on_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in metadata.sorted_tables:
        assert f"CREATE TABLE {dialect.identifier_preparer.format_table(table)}" in str(
            CreateTable(table).compile(dialect=dialect)
        )
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect)).startswith("CREATE INDEX")


def test_tickets_of_a_requester_are_found_by_their_own_index(sqlite_connection: Connection) -> None:
    connection = sqlite_connection
    for column in ("requester", "organization"):
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN SELECT count(*) FROM ticket WHERE account = 'a' AND {column} = 'x' "  # noqa: S608
            "AND created > 5 AND id != '1' AND gone IS NULL"
        )
        assert f"ix_ticket_{column} (account=? AND {column}=? AND created>?)" in str(plan.all())


def test_what_is_known_of_tickets_is_counted_after_the_migration(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/old.db")
    facts = codec.dump_facts(a_ticket(requester=Person(id="41", name="Cleo"), organization="Initech"))
    named_by_id = a_ticket("2", requester=Person(id="41", name="41"), organization="31")
    listed = json.dumps(json.loads(codec.dump_facts(named_by_id)) | {"partial": True})
    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for number, text in (("1", facts), ("2", listed)):
            connection.exec_driver_sql(
                "INSERT INTO ticket (account, id, facts, trace, revision, status, updated, seen_at, matched) "
                "VALUES ('acme', ?, ?, '[]', 'r', 'open', 100, 100, 0)",
                (number, text),
            )
        command.upgrade(config, "0004")
        rows = connection.exec_driver_sql(
            "SELECT requester, organization, created FROM ticket ORDER BY id"
        ).all()
    engine.dispose()
    assert rows == [("41", "Initech", 50), ("41", None, 50)]


def test_open_rows_are_found_by_their_own_index(sqlite_connection: Connection) -> None:
    connection = sqlite_connection
    plan = connection.exec_driver_sql(
        "EXPLAIN QUERY PLAN SELECT id FROM inbox WHERE account = 'a' AND ticket = '1' AND done_at IS NULL"
    )
    assert "ix_inbox_open" in str(plan.all())
